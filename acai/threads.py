"""Threads: how many run at once, and who may use them. Results are bit-for-bit the same for any number of threads.

No other module starts a thread or limits one. Numba's `parallel=True` is not used: its OpenMP threads abort a forked
process, and its workqueue aborts when two Python threads call it. Compiled kernels that release Python's lock (`nogil`)
run on plain Python threads instead, which have neither problem.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")
Block = TypeVar("Block")

_lock = threading.Lock()  # protects the two below
_holders: Counter[int] = Counter()  # how often each thread has entered `one_blas_thread`
_restore: list[Callable[[], None]] = []  # restores the threads of BLAS; empty while they are not limited


def n_threads() -> int:
    """Return how many threads run at once: NUMBA_NUM_THREADS if it is set, otherwise every core this process may use."""
    from numba import config

    return int(vars(config)["NUMBA_NUM_THREADS"])


def map_blocks(work: Callable[[Block], T], blocks: Sequence[Block]) -> list[T]:
    """Call `work` on each block, with several threads, and return the results in the order of the blocks.

    Matrix products inside `work` use only their own thread; otherwise BLAS's threads would compete with these for the cores.
    The blocks must not depend on the number of threads, and no two may write to the same place: then the result does not
    depend on the number of threads either. May be called from several threads, from inside `work`, and in a forked process.

    Parameters
    ----------
    work : callable
        Called with each block once, from several threads and in any order.
    blocks : sequence
        The blocks of the whole: slices, or arrays of indices.
    """
    numbers = iter(range(len(blocks)))
    results: dict[int, T] = {}

    def take_blocks() -> None:
        with one_blas_thread():
            for number in numbers:  # shared: each thread takes the next block that is still free
                results[number] = work(blocks[number])

    helpers = [_pool(os.getpid()).submit(take_blocks) for _ in range(min(n_threads(), len(blocks)) - 1)]
    try:
        take_blocks()
    finally:
        for _ in numbers:  # after an error or Ctrl-C, no thread starts another block
            pass
        started = [helper for helper in helpers if not helper.cancel()]  # the pool may be busy with another caller's blocks
        wait(started)
    for helper in started:
        helper.result()
    return [results[number] for number in range(len(blocks))]


def sweep_grid(work: Callable[[Block], object], grid: Sequence[Sequence[Block]]) -> None:
    """Call `work` on each block of a grid after the blocks above it and to its left, with several threads.

    Blocks that are worked on at the same time are in different rows and in different columns. Each thread works its way down
    one column and then takes the next one, in which it waits where the column to its left is not yet done. If a block needs
    only what blocks above it and to its left left behind, the result is that of going through the grid row by row.

    Parameters
    ----------
    work : callable
        Called with each block once, from several threads.
    grid : sequence of sequences
        The rows of blocks, all equally long.
    """
    n_columns = len(grid[0])
    ready = [threading.Semaphore(0) for _ in range(n_columns + 1)]  # counts the blocks of a column that may begin
    ready[0].release(len(grid))
    failed = threading.Event()

    def work_down(column: int) -> None:
        try:
            for row in grid:
                ready[column].acquire()
                if failed.is_set():
                    return
                work(row[column])
                ready[column + 1].release()
        except BaseException:
            failed.set()
            raise
        finally:
            ready[column + 1].release(len(grid))  # after an error or Ctrl-C, nobody waits for this column

    map_blocks(work_down, range(n_columns))  # in this order, so that nobody waits for a column that nobody has taken


@cache
def _pool(process: int) -> ThreadPoolExecutor:  # a forked child has none of its parent's threads
    return ThreadPoolExecutor(n_threads(), thread_name_prefix="acai")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run matrix products in this block on the calling thread only, so that their sums always have the same order.

    The limit applies to the whole process. Blocks may be nested and may overlap in several threads: the first to enter sets
    the limit, and the last to leave restores the previous state.
    """
    me = threading.get_ident()
    of_process, of_thread = _blas()
    with _lock:
        if not _holders:
            _restore.append(_limit_process(of_process))
        _holders[me] += 1
        is_nested = _holders[me] > 1
    own = None if is_nested else of_thread.limit(limits=1)  # this thread is limited already
    try:
        yield
    finally:
        if own is not None:
            own.restore_original_limits()
        with _lock:
            _leave(me, 1)


def _limit_process(libraries: "ThreadpoolController") -> Callable[[], None]:
    """Limit these libraries to one thread; return a function that removes the limit, from any thread.

    Since version 3.7, threadpoolctl ignores all threads but the first to set a limit, until that one is cleared.
    """
    from threadpoolctl import OpenBLASController

    def no_owner() -> None:
        if hasattr(OpenBLASController, "clear_controlling_thread"):
            OpenBLASController.clear_controlling_thread(force=True)

    def restore() -> None:
        no_owner()
        limit.restore_original_limits()
        no_owner()

    no_owner()
    limit = libraries.limit(limits=1)
    no_owner()
    return restore


def _leave(thread: int, times: int) -> None:
    """Remove `times` entries of a thread; after the last of all, restore BLAS's threads. The caller holds the lock."""
    _holders[thread] -= times
    if _holders[thread] == 0:
        del _holders[thread]
    if not _holders and _restore:
        _restore.pop()()


def _after_fork_in_child() -> None:
    """Remove the entries of the threads that do not exist in the child: all but the one that forked."""
    for thread in set(_holders) - {threading.get_ident()}:
        _leave(thread, _holders[thread])
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)


@cache
def _blas() -> tuple["ThreadpoolController", "ThreadpoolController"]:
    """Find the BLAS libraries whose limit applies to the process, and those whose limit applies to the calling thread."""
    import scipy.linalg  # noqa: F401  SciPy has a BLAS of its own, which must be loaded to be found
    from threadpoolctl import ThreadpoolController

    every = ThreadpoolController().select(user_api="blas")
    of_thread = every.select(internal_api="openblas").select(threading_layer="openmp")
    every.lib_controllers = [library for library in every.lib_controllers if library not in of_thread.lib_controllers]
    return every, of_thread
