"""The samples of a batch spread over the cores; the result is bit-for-bit the same for any number of threads."""

from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import NDArray

from acai.threads import map_blocks

T = TypeVar("T")
CHUNKS = 8  # into which a batch is split, unless that makes them
LEAST_BYTES, MOST_BYTES = 2**17, 2**21  # so small that handing one over takes longer than the work, or too large for a cache


def map_batch_chunks(work: Callable[..., T], *arrays: NDArray[Any], scratch: int = 0, least: int = 1) -> list[T]:
    """Call `work` with the same few samples of each array, a chunk at a time, until the whole batch is done.

    Where the chunks begin and end depends on the sizes alone, never on the number of threads, and each chunk has its own
    place to write to: so the result cannot depend on the number of threads either. Plain threads suffice, because NumPy's
    functions and acai's kernels release Python's lock. A single chunk is done here and now, without handing it over.

    Parameters
    ----------
    work : callable
        Called from several threads, in any order, with a slice of each array along the first axis.
    *arrays : ndarray
        What to read and what to write, each of the same length N.
    scratch : int
        How many more numbers the work on one sample stores for a moment.
    least : int
        How many samples a chunk should have, unless that makes it too large for a cache.

    Returns
    -------
    list
        What each call returned, in the order of the batch.
    """
    N = max(len(arrays[0]), 1)  # an empty batch is one empty chunk
    bytes_each = sum(a.nbytes for a in arrays) // N + scratch * arrays[0].itemsize + 1
    size = max(1, min(max(N // CHUNKS, LEAST_BYTES // bytes_each, least), MOST_BYTES // bytes_each))
    chunks = [slice(start, start + size) for start in range(0, N, size)]
    if len(chunks) == 1:
        return [work(*arrays)]
    return map_blocks(lambda chunk: work(*(a[chunk] for a in arrays)), chunks)
