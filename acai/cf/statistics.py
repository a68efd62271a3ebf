"""Counts and means of the known entries."""

import numpy as np
from numpy.typing import NDArray

from acai.ratings import Ratings


def entry_counts(ratings: Ratings) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Count the known entries of each user, and of each song."""
    return np.diff(ratings.csr.indptr), np.bincount(ratings.csr.indices, minlength=ratings.n_songs)


def mean(ratings: Ratings) -> float:
    """μ, the mean of all known entries."""
    return float(ratings.csr.data.mean(dtype=np.float64))


def user_means(ratings: Ratings) -> NDArray[np.float64]:
    """r̄(u) of each user, μ where nothing is known."""
    return _means(ratings, ratings.user_codes, entry_counts(ratings)[0])


def song_means(ratings: Ratings) -> NDArray[np.float64]:
    """r̄(i) of each song, μ where nothing is known."""
    return _means(ratings, ratings.csr.indices, entry_counts(ratings)[1])


def _means(ratings: Ratings, codes: NDArray[np.int32], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    sums = np.bincount(codes, ratings.csr.data, len(counts))
    return np.where(counts > 0, sums / np.maximum(counts, 1), mean(ratings))
