"""The samples of a batch side by side on the cores, with the same result to the last bit however many there are."""

from collections.abc import Callable

import numpy as np

from acai.threads import map_blocks

RUNS = 8  # into so many runs of samples a batch is cut, unless that makes them
LEAST_BYTES, MOST_BYTES = 2**17, 2**21  # so small that handing one over takes longer than doing it, or too large for a cache


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
    runs = [slice(start, start + size) for start in range(0, N, size)]
    return map_blocks(lambda run: work(*(a[run] for a in arrays)), runs)
