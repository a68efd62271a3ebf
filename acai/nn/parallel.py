"""The samples of a batch side by side on the cores, with the same result to the last bit however many there are."""

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np

CHUNK_BYTES = 2**20  # what a core works on at a time should stay in its own cache
SMALL_BYTES = 2**17  # below this, handing work to another thread takes longer than doing it
MOST_CHUNKS = 8
_scratch = threading.local()


def each_chunk(work: Callable[[int, int], None], n: int, bytes_each: int) -> None:
    """Call `work(start, stop)` for runs of samples that together make up the `n` of a batch.

    The runs depend on the sizes alone, never on the number of threads, and each writes to its own place: so the
    result cannot depend on the number of threads either. Plain threads suffice, because NumPy's products and acai's
    kernels let go of Python's lock; a product keeps to one thread, or BLAS's own threads would fight these for the
    cores.

    Parameters
    ----------
    work : callable
        Called with the first sample of a run and the one after its last, in any order, from several threads.
    n : int
        The number of samples.
    bytes_each : int
        How much memory the work on one sample goes through.
    """
    size = n if n * bytes_each < SMALL_BYTES else max(1, min(CHUNK_BYTES // bytes_each, math.ceil(n / MOST_CHUNKS)))
    starts = deque(range(0, n, max(size, 1)))

    def work_off() -> None:
        while starts:
            try:
                start = starts.popleft()
            except IndexError:  # another thread was quicker
                return
            work(start, min(start + size, n))

    helpers = min(n_threads(), len(starts)) - 1
    with one_blas_thread():
        running = [_threads().submit(work_off) for _ in range(helpers)]
        try:
            work_off()
        finally:
            starts.clear()  # an error or Ctrl-C here stops the others after the run they are at
            for thread in running:
                thread.result()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products in this block run on the thread that asks for them, so that their sums have one order only."""
    with _blas().limit(limits=1, user_api="blas"):
        yield


def scratch(shape: tuple[int, ...], dtype: np.dtype, use: str) -> np.ndarray:
    """Memory of this thread's own for a passing result, uninitialised, handed out again at the next call for a `use`.

    Fresh memory comes from the system page by page, which costs more than the arithmetic done in it.
    """
    key, n = (use, np.dtype(dtype)), math.prod(shape)
    kept = _scratch.__dict__
    if key not in kept or kept[key].size < n:
        kept[key] = np.empty(n, dtype)
    return kept[key][:n].reshape(shape)


@cache
def n_threads() -> int:
    """How many threads work on a batch: NUMBA_NUM_THREADS where it is set, or else every core this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(os.environ.get("NUMBA_NUM_THREADS", cores))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads(), thread_name_prefix="acai")


@cache
def _blas():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # a forked child has none of its parent's threads
