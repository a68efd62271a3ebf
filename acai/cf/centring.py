"""What a rating is measured from, before neighbours are asked and after (C1)."""

from dataclasses import dataclass

import numpy as np

from acai.cf.baselines import Baseline
from acai.errors import unknown
from acai.ratings import Ratings

CENTRINGS = ("mean", "zscore", "baseline", "none")


@dataclass
class Centring:
    """r = offset_u[u] + offset_i[i] + scale · z, for every known entry.

    Attributes
    ----------
    Z : ndarray, shape (n_ratings,)
        The z of each known entry, in the order of `ratings.csr.data`.
    offset_u, offset_i : ndarray, shapes (n_users,) and (n_songs,)
        What is added up: r̄(u) for (C1).
    scale : ndarray, shape (n_users,) or (n_songs,)
        The spread of each user's ratings, or each song's, for "zscore"; ones otherwise.
    """

    Z: np.ndarray
    offset_u: np.ndarray
    offset_i: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, ratings: Ratings, name: str, axis: int) -> "Centring":
        """The centring of that name: by user (axis 0) or by song (axis 1)."""
        if name not in CENTRINGS:
            raise unknown("centring", name, CENTRINGS)
        codes = (ratings.user_codes, ratings.csr.indices)
        r = ratings.csr.data.astype(np.float64)
        offsets = [np.zeros(size) for size in ratings.csr.shape]
        scale = np.ones(ratings.csr.shape[axis])
        if name == "baseline":
            biases = Baseline().fit(ratings)
            offsets = [biases.mu + biases.b_u, biases.b_i]
        elif name in ("mean", "zscore"):
            n = np.maximum(np.bincount(codes[axis], minlength=len(scale)), 1)
            offsets[axis] = np.bincount(codes[axis], r, len(scale)) / n
        Z = r - offsets[0][codes[0]] - offsets[1][codes[1]]
        if name == "zscore":
            scale = np.sqrt(np.bincount(codes[axis], Z**2, len(scale)) / n)
            scale[scale == 0] = r.std() or 1.0  # who gives every song the same says nothing of how far apart two songs are
            Z /= scale[codes[axis]]
        return cls(Z, *offsets, scale)
