"""The predictions that every other model must beat."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from acai.cf.recommender import Recommender
from acai.ratings import Ratings


@dataclass
class GlobalMean(Recommender):
    """Everybody thinks of every song what all think of all songs, on average.

    Attributes
    ----------
    mu : float
        The mean of the known entries.
    """

    state: ClassVar[tuple[str, ...]] = ("mu",)

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Take the mean."""
        self.ratings = ratings
        self.mu = float(ratings.csr.data.mean(dtype=np.float64))
        return self

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        return np.full(len(u), self.mu)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        return np.full((len(rows), self.ratings.n_songs), self.mu)
