"""The predictions that every other model must beat."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from acai.cf.recommender import Learnt, Recommender, how_many
from acai.ratings import Ratings
from acai.settings import setting


@dataclass
class GlobalMean(Recommender):
    """Everybody thinks of every song what all think of all songs, on average.

    Attributes
    ----------
    mu : float
        The mean of the known entries.
    """

    state: ClassVar = {"mu": float}

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        self.mu = mean(ratings)

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        return np.full(u.shape, self.mu)


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

    state: ClassVar = {"mu": float, "b_u": Learnt(("m",)), "b_i": Learnt(("n",))}
    n_epochs: int = setting(10, at_least=0)
    reg_u: float = setting(15.0, at_least=0)
    reg_i: float = setting(10.0, at_least=0)

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        self.mu = mean(ratings)
        u, i, e = ratings.user_codes, ratings.csr.indices, ratings.csr.data.astype(np.float64) - self.mu
        n_u, n_i = how_many(ratings)
        weight_u, weight_i = np.maximum(self.reg_u + n_u, 1e-9), np.maximum(self.reg_i + n_i, 1e-9)
        self.b_u, self.b_i = np.zeros(len(n_u)), np.zeros(len(n_i))
        for _ in range(self.n_epochs):
            self.b_i = np.bincount(i, e - self.b_u[u], len(n_i)) / weight_i  # (C12)
            self.b_u = np.bincount(u, e - self.b_i[i], len(n_u)) / weight_u  # (C12)

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        return self.mu + np.where(u >= 0, self.b_u[u], 0) + np.where(i >= 0, self.b_i[i], 0)  # (C12)


@dataclass
class Popularity(Recommender):
    """The songs that most users know, the same for everybody. `predict` gives the share of the users who know the song.

    Attributes
    ----------
    share : ndarray, shape (n_songs,)
        The share of the users with a known entry.
    """

    predicts_ratings = False
    state: ClassVar = {"share": Learnt(("n",))}

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        self.share = how_many(ratings)[1] / ratings.n_users

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        return np.where(i >= 0, self.share[i], 0)


def mean(ratings: Ratings) -> float:
    """μ, the mean of all known entries."""
    return float(ratings.csr.data.mean(dtype=np.float64))


def means(ratings: Ratings, axis: int) -> np.ndarray:
    """r̄ of each user (axis 0) or each song (axis 1), μ where nothing is known: float64."""
    codes, n = (ratings.user_codes, ratings.csr.indices)[axis], how_many(ratings)[axis]
    return np.where(n > 0, np.bincount(codes, ratings.csr.data, len(n)) / np.maximum(n, 1), mean(ratings))
