"""Memory-based prediction (C1): what the two ways round have in common."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from acai.cf.centring import CENTRINGS, Centring
from acai.cf.recommender import Recommender
from acai.cf.similarities import Similarity
from acai.errors import InputError, unknown
from acai.ratings import Ratings


class Neighbour(NamedTuple):
    """What one neighbour contributed to a prediction."""

    name: Hashable  # a user, or a song
    similarity: float
    rating: float  # what the user thought of the song, or what the song was thought of
    contribution: float  # by how much it moved the prediction


@dataclass
class Neighbours(Recommender):
    """The settings of `UserKNN` and `ItemKNN`, and how their predictions are put together.

        r̂ = offset + scale · κ Σ s z,    κ = 1 / Σ |s|

    with the offsets of the centring: r̄(u) in (C1).

    Parameters
    ----------
    k : int
        How many neighbours count, at most.
    similarity : {"pearson", "msd", "cosine", "cosine_corated", "asymmetric", "overlap", "indicator"}
        See `acai.cf.similarities`.
    min_overlap : int
        Pairs with less than this in common are not alike.
    shrinkage : float
        Multiply s by n / (n + shrinkage), n being how much the pair has in common.
    centring : {"mean", "zscore", "baseline", "none"}
        What a rating is measured from: the mean of the user, or of the song (C1); the same, in units of the spread; the
        biases (C12); nothing.
    asymmetry : float
        The exponent of the "asymmetric" cosine (C13), from 0 to 1.
    normalise : bool
        Divide by Σ |s|, as (C1) does. Without it, many neighbours say more than few: better for ranking songs by play
        counts, but not a rating.
    memory : int
        How many bytes the block of similarities may take.
    """

    axis: ClassVar[int] = 0  # of which axis the neighbours are: users 0, songs 1
    k: int = 40
    similarity: str = "pearson"
    min_overlap: int = 1
    shrinkage: float = 0.0
    centring: str = "mean"
    asymmetry: float = 0.5
    normalise: bool = True
    memory: int = 2**27

    def __post_init__(self) -> None:
        self._similarity()
        if self.centring not in CENTRINGS:
            raise unknown("centring", self.centring, CENTRINGS)
        if self.memory < 1:
            raise InputError(f"memory={self.memory} bytes; expected a positive number")
        self.predicts_ratings = self.normalise

    def _similarity(self) -> Similarity:
        return Similarity(self.similarity, self.k, self.min_overlap, self.shrinkage, self.asymmetry)

    def _centre(self, ratings: Ratings) -> None:
        self.mu = float(ratings.csr.data.mean(dtype=np.float64))
        self.centred = Centring.of(ratings, self.centring, self.axis)
        self.silent_u, self.silent_i = np.diff(ratings.csr.indptr) == 0, np.diff(ratings.csc.indptr) == 0

    def _restored(self, ratings: Ratings) -> Self:
        self._centre(ratings)
        self.ratings = ratings
        return self

    def _blend(self, u: np.ndarray, i: np.ndarray, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        """r̂ from the sums over the neighbours, for known users and songs."""
        kappa = 1 / np.where(denominator > 0, denominator, 1) if self.normalise else 1.0  # (C1)
        scale = self.centred.scale[i if self.axis else u]
        r_hat = self.centred.offset_u[u] + self.centred.offset_i[i] + scale * kappa * numerator  # (C1)
        if self.normalise and self.centring == "none":
            r_hat = np.where(denominator > 0, r_hat, self.mu)
        if self.normalise and self.centring != "baseline":
            r_hat = np.where(self.silent_u[u] | self.silent_i[i], self.mu, r_hat)
        return r_hat

    def _unknown(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        """r̂ where the user or the song, −1, is not known: the global mean, with what is known of the other's bias."""
        if not self.normalise:
            return np.zeros(len(u))
        if self.centring != "baseline":
            return np.full(len(u), self.mu)
        return np.where(u >= 0, self.centred.offset_u[u], self.mu) + np.where(i >= 0, self.centred.offset_i[i], 0)
