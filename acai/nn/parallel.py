"""The samples of a batch side by side on the cores, with the same result to the last bit however many there are."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np

RUNS = 8  # into so many runs of samples a batch is cut, unless that makes them
LEAST_BYTES, MOST_BYTES = 2**17, 2**21  # so small that handing one over takes longer than doing it, or too large for a cache


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products in this block run on the thread that asks for them, so that their sums have one order only."""
    with _blas().limit(limits=1, user_api="blas"):
        yield


@one_blas_thread()
def over_batch(work: Callable, *arrays: np.ndarray, passing: int = 0) -> list:
    """Call `work` with the same few samples of each array, a run of them at a time, until the whole batch is done.

    Where the runs begin and end depends on the sizes alone, never on the number of threads, and each run has its own
    place to write to: so the result cannot depend on the number of threads either. Plain threads suffice, because
    NumPy's products and acai's kernels let go of Python's lock; a product keeps to one thread, or BLAS's own threads
    would fight these for the cores.

    Parameters
    ----------
    work : callable
        Called from several threads, in any order, with a slice of each array along the first axis.
    *arrays : ndarray
        What to read and what to write, each of the same length N.
    passing : int
        How many numbers beside these the work on one sample puts down for a moment.

    Returns
    -------
    list
        What each call returned, in the order of the batch.
    """
    N = max(len(arrays[0]), 1)  # an empty batch is one empty run
    bytes_each = sum(a.nbytes for a in arrays) // N + passing * arrays[0].itemsize + 1
    size = max(1, min(max(N // RUNS, LEAST_BYTES // bytes_each), MOST_BYTES // bytes_each))
    runs = range(0, N, size)
    starts, results = iter(runs), {}

    def work_off() -> None:
        for start in starts:  # shared: each thread takes the next run that nobody has taken
            results[start] = work(*(a[start : start + size] for a in arrays))

    helpers = [_threads(os.getpid()).submit(work_off) for _ in range(min(n_threads(), len(runs)) - 1)]
    work_off()
    for helper in helpers:
        helper.result()
    return [results[start] for start in runs]


def n_threads() -> int:
    """How many threads work on a batch: NUMBA_NUM_THREADS where it is set, or else every core this process may use."""
    from numba import config

    return config.NUMBA_NUM_THREADS


@cache
def _threads(process: int) -> ThreadPoolExecutor:  # a forked child has none of its parent's threads
    return ThreadPoolExecutor(n_threads(), thread_name_prefix="acai")


@cache
def _blas():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
