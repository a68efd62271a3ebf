"""Threads: how many work at once, and who may use them. The result is bit-for-bit the same for any number of threads.

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

_lock = threading.Lock()  # of the two below
_holders: Counter[int] = Counter()  # how often each thread is inside `one_blas_thread`
_restore: list[Callable[[], None]] = []  # gives BLAS its threads back; empty while it has them


def n_threads() -> int:
    """How many threads work at once: NUMBA_NUM_THREADS where it is set, or else every core this process may use."""
    from numba import config

    return int(config.NUMBA_NUM_THREADS)


def map_blocks(work: Callable[[slice], T], blocks: Sequence[slice]) -> list[T]:
    """What `work` returns for each block, in order; several threads take the blocks in turn.

    Matrix products inside `work` keep to their own thread, or BLAS's threads would compete with these for the cores.
    The blocks must not depend on the number of threads, and no two may write to the same place: then the result does not
    depend on the number of threads either. It may be called from several threads, from inside `work`, and in a forked process.

    Parameters
    ----------
    work : callable
        Called with each block once, from several threads and in any order.
    blocks : sequence of slice
        The parts of the whole.
    """
    numbers, results = iter(range(len(blocks))), {}

    def take_blocks() -> None:
        with one_blas_thread():
            for number in numbers:  # shared: each thread takes the next block that nobody has taken
                results[number] = work(blocks[number])

    helpers = [_pool(os.getpid()).submit(take_blocks) for _ in range(min(n_threads(), len(blocks)) - 1)]
    try:
        take_blocks()
    finally:
        for _ in numbers:  # after an error or Ctrl-C nobody begins another block
            pass
        started = [helper for helper in helpers if not helper.cancel()]  # the pool may be busy with somebody else's blocks
        wait(started)
    for helper in started:
        helper.result()
    return [results[number] for number in range(len(blocks))]


@cache
def _pool(process: int) -> ThreadPoolExecutor:  # a forked child has none of its parent's threads
    return ThreadPoolExecutor(n_threads(), thread_name_prefix="acai")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products in this block run on the thread that asks for them, so that their sums have one order only.

    The limit holds for the whole process. Blocks may be nested and may overlap in several threads: the first to enter sets
    the limit, and the last to leave restores what was there before.
    """
    me = threading.get_ident()
    of_process, of_thread = _blas()
    with _lock:
        if not _holders:
            _restore.append(_limit_process(of_process))
        _holders[me] += 1
    own = of_thread.limit(limits=1)
    try:
        yield
    finally:
        own.restore_original_limits()
        with _lock:
            _leave(me, 1)


def _limit_process(libraries: "ThreadpoolController") -> Callable[[], None]:
    """Limit these libraries to one thread; returns what takes the limit back, in whichever thread it is called.

    From version 3.7 on, threadpoolctl ignores all threads but the first to set a limit, until that one is cleared.
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
    """Forget `times` entries of a thread; with the last of all, BLAS gets its threads back. The caller holds the lock."""
    _holders[thread] -= times
    if _holders[thread] == 0:
        del _holders[thread]
    if not _holders and _restore:
        _restore.pop()()


def _after_fork_in_child() -> None:
    """Only the thread that forked lives on in the child; what the others held is never given back there."""
    for thread in set(_holders) - {threading.get_ident()}:
        _leave(thread, _holders[thread])
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)


@cache
def _blas() -> tuple["ThreadpoolController", "ThreadpoolController"]:
    """The BLAS libraries whose limit holds for the whole process, and those whose limit holds for the calling thread."""
    import scipy.linalg  # noqa: F401  SciPy has a BLAS of its own, which must be loaded to be found
    from threadpoolctl import ThreadpoolController

    every = ThreadpoolController().select(user_api="blas")
    of_thread = every.select(internal_api="openblas").select(threading_layer="openmp")
    every.lib_controllers = [library for library in every.lib_controllers if library not in of_thread.lib_controllers]
    return every, of_thread
