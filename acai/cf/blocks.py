"""Which known entries stochastic gradient descent takes at the same time: blocks of users × songs (Gemulla et al. 2011).

The step of an entry (C10) reads and writes the row of its user and the row of its song, nothing else. So two entries that
share neither may have their turns in any order, or at the same time on two cores: the result is the same, bit for bit.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acai.ratings import Ratings
from acai.threads import n_threads

Int32s = NDArray[np.int32]

FEWEST = 2000  # entries in a block: their steps take far longer than it takes to begin with the next block
ROWS_PER_COLUMN = 8  # with many rows of blocks, the threads to the right do not wait long for their first ones


def in_order(ratings: Ratings) -> Int32s:
    """Return the numbers of the known entries in the order of R."""
    return np.arange(ratings.n_ratings, dtype=np.int32)


def user_by_user(ratings: Ratings) -> list[list[Int32s]]:
    """Divide the known entries into a grid of blocks for `sweep_grid`: the same result as one entry at a time, in order.

    In R, the users follow one another, and each user's songs are in order. If each block is taken after those above it and
    to its left, then the entries of each user, and those of each song, have their turns in just this order. That is all that
    the result depends on, so the number of blocks may depend on the number of threads.

    Returns
    -------
    list of list of ndarray
        For each block, the numbers of its entries in R, ascending.
    """
    n_columns = min(n_threads(), math.isqrt(ratings.n_ratings // (ROWS_PER_COLUMN * FEWEST)))
    if n_columns <= 1:
        return [[in_order(ratings)]]
    return grid_of_blocks(ratings, ROWS_PER_COLUMN * n_columns, n_columns)


def grid_of_blocks(ratings: Ratings, n_rows: int, n_columns: int) -> list[list[Int32s]]:
    """Divide the users into `n_rows` ranges, and the songs into `n_columns`, each with about as many entries as the others."""
    R = ratings.csr
    first_users = np.searchsorted(R.indptr, np.arange(n_rows) * R.nnz // n_rows)
    last_entry = np.cumsum(np.bincount(R.indices, minlength=ratings.n_songs)) - 1  # of each song, if they were sorted by song
    column_of_song = last_entry * n_columns // R.nnz
    grid = []
    for begin, end in pairwise([*R.indptr[first_users].tolist(), R.nnz]):
        column = column_of_song[R.indices[begin:end]]
        grid.append([(begin + np.flatnonzero(column == c)).astype(np.int32) for c in range(n_columns)])
    return grid
