"""The predictions that every other model must beat."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from acai.cf.recommender import Recommender
from acai.errors import InputError
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


@dataclass
class Baseline(Recommender):
    """Some users rate higher than others, and some songs are better: r̂(u,i) = μ + b(u) + b(i) (C12; Koren 2010).

    The biases minimise Σ e² + λ_u Σ b(u)² + λ_i Σ b(i)², by alternating least squares, the songs first.
    A user or a song of which nothing is known has bias 0.

    Parameters
    ----------
    n_epochs : int
        How many times to solve for all songs and then for all users.
    reg_u, reg_i : float
        λ_u and λ_i, how many ratings' worth of trust biases of zero have.

    Attributes
    ----------
    mu : float
        The global mean.
    b_u, b_i : ndarray, shapes (n_users,) and (n_songs,), float64
        The biases.
    """

    state: ClassVar[tuple[str, ...]] = ("mu", "b_u", "b_i")
    n_epochs: int = 10
    reg_u: float = 15.0
    reg_i: float = 10.0

    def __post_init__(self) -> None:
        if self.n_epochs < 1 or self.reg_u < 0 or self.reg_i < 0:
            raise InputError(f"{self}: expected n_epochs ≥ 1, reg_u ≥ 0 and reg_i ≥ 0")

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Solve."""
        u, i = ratings.user_codes, ratings.csr.indices
        self.mu = float(ratings.csr.data.mean(dtype=np.float64))
        e = ratings.csr.data.astype(np.float64) - self.mu
        weight_u = np.maximum(self.reg_u + np.bincount(u, minlength=ratings.n_users), 1e-9)
        weight_i = np.maximum(self.reg_i + np.bincount(i, minlength=ratings.n_songs), 1e-9)
        self.b_u = np.zeros(ratings.n_users)
        for _ in range(self.n_epochs):
            self.b_i = np.bincount(i, e - self.b_u[u], ratings.n_songs) / weight_i  # (C12)
            self.b_u = np.bincount(u, e - self.b_i[i], ratings.n_users) / weight_u  # (C12)
        self.ratings = ratings
        return self

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        return self.mu + np.where(u >= 0, self.b_u[u], 0) + np.where(i >= 0, self.b_i[i], 0)  # (C12)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        return self.mu + self.b_u[rows, None] + self.b_i


@dataclass
class Popularity(Recommender):
    """The songs that most users know, the same for everybody. `predict` gives the share of the users who know the song.

    Attributes
    ----------
    share : ndarray, shape (n_songs,)
        The share of the users with a known entry.
    """

    predicts_ratings: ClassVar[bool] = False
    state: ClassVar[tuple[str, ...]] = ("share",)

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Count."""
        self.share = np.bincount(ratings.csr.indices, minlength=ratings.n_songs) / ratings.n_users
        self.ratings = ratings
        return self

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        return np.where(i >= 0, self.share[i], 0)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.share, (len(rows), len(self.share)))
