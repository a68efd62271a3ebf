"""Counts and means of the known entries."""

import numpy as np
from numpy.typing import NDArray

from acai.ratings import Ratings
from acai.ratings.building import column_counts


def entry_counts(ratings: Ratings) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Count the known entries of each user, and of each song."""
    return np.diff(ratings.csr.indptr), column_counts(ratings.csr)


def mean(ratings: Ratings) -> float:
    """Compute μ, the mean of all known entries."""
    return float(ratings.csr.data.mean(dtype=np.float64))


def means(ratings: Ratings, by: str, damping: float = 0.0) -> NDArray[np.float64]:
    """Compute r̄(u) of each user or r̄(i) of each song (`by` "users" or "songs"), μ where nothing is known.

    With damping β, they are drawn towards μ, as if by β more ratings of μ.
    """
    n_u, n_i = entry_counts(ratings)
    codes, counts = (ratings.user_codes, n_u) if by == "users" else (ratings.csr.indices, n_i)
    sums = np.bincount(codes, ratings.csr.data, len(counts))
    mu = mean(ratings)
    return np.where(counts > 0, (sums + damping * mu) / np.maximum(counts + damping, 1), mu)
