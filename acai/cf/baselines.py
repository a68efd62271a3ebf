"""The predictions that every other model must beat."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from acai.cf.inputs import Codes
from acai.cf.learnt import Learnt
from acai.cf.recommender import Recommender
from acai.cf.statistics import entry_counts, mean
from acai.ratings import Ratings
from acai.settings import setting


@dataclass
class GlobalMean(Recommender):
    """The mean of all ratings, whoever the user and whatever the song.

    Attributes
    ----------
    mu : float
        The mean of the known entries.
    """

    state: ClassVar = {"mu": float}

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        self.mu = mean(ratings)

    def _predict_pairs(self, u: Codes, i: Codes) -> NDArray[np.float64]:
        return np.full(u.shape, self.mu)

    def _score_newcomer(self, i: Codes, r: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(self.ratings.n_songs, self.mu)


@dataclass
class Baseline(Recommender):
    """Some users rate higher than others, and some songs are better: r̂(u,i) = μ + b(u) + b(i) (C12; Koren 2010).

    The biases minimise Σ e² + λ_u Σ b(u)² + λ_i Σ b(i)², by alternating least squares, the songs first.
    A user or a song without ratings has bias 0.

    Parameters
    ----------
    n_epochs : int
        How many times to solve for all songs and then for all users.
    reg_u, reg_i : float
        λ_u and λ_i: how strongly biases are pulled towards zero, as if by so many ratings.

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
        u, i = ratings.user_codes, ratings.csr.indices
        e = ratings.csr.data.astype(np.float64) - self.mu  # (C12)
        n_u, n_i = entry_counts(ratings)
        weight_u = np.maximum(self.reg_u + n_u, 1e-9)
        weight_i = np.maximum(self.reg_i + n_i, 1e-9)
        self.b_u, self.b_i = np.zeros(len(n_u)), np.zeros(len(n_i))
        for _ in range(self.n_epochs):
            self.b_i = np.bincount(i, e - self.b_u[u], len(n_i)) / weight_i  # (C12)
            self.b_u = np.bincount(u, e - self.b_i[i], len(n_u)) / weight_u  # (C12)

    def _predict_pairs(self, u: Codes, i: Codes) -> NDArray[np.float64]:
        b_u, b_i = np.where(u >= 0, self.b_u[u], 0), np.where(i >= 0, self.b_i[i], 0)
        return self.mu + b_u + b_i  # (C12)

    def _score_newcomer(self, i: Codes, r: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.mu + self.bias_of(i, r) + self.b_i

    def bias_of(self, i: Codes, r: NDArray[np.float64]) -> float:
        """Compute b(u) of a listener who was not in the training data, and gave songs `i` the values r."""
        return float((r - self.mu - self.b_i[i]).sum() / max(self.reg_u + len(i), 1e-9))  # (C12)


@dataclass
class Popularity(Recommender):
    """The songs that most users know, the same for everybody. `predict` returns the share of users who know the song.

    Attributes
    ----------
    share : ndarray, shape (n_songs,)
        The share of the users with a known entry.
    """

    state: ClassVar = {"share": Learnt(("n",))}

    @property
    def predicts_ratings(self) -> bool:
        """No: a share of the users."""
        return False

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        _, n_i = entry_counts(ratings)
        self.share = n_i / ratings.n_users

    def _predict_pairs(self, u: Codes, i: Codes) -> NDArray[np.float64]:
        return np.where(i >= 0, self.share[i], 0)

    def _score_newcomer(self, i: Codes, r: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.share
