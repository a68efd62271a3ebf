"""Memory-based prediction (C1): what the nearest neighbours thought."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from acai.cf.recommender import Recommender
from acai.cf.similarities import Similarity
from acai.errors import unknown
from acai.ratings import Ratings

CENTRINGS = ("mean", "none")


@dataclass
class UserKNN(Recommender):
    """What users like this one thought of the song (C1; Resnick et al. 1994, Herlocker et al. 1999).

        r̂(u,i) = r̄(u) + κ Σ_v s(u,v) (r(v,i) − r̄(v)),    κ = 1 / Σ_v |s(u,v)|

    over the k users most like u of those who rated i; those with s ≤ 0 are left out, and of equals the one who stands
    first in R is nearer.
    Where nobody is left the prediction is r̄(u) (with centring="none", the global mean); for a user or song of which
    nothing is known, the global mean.

    Similarities are worked out for the users at hand, when they are needed: an m × m matrix never exists.

    Parameters
    ----------
    k : int
        How many neighbours count, at most.
    similarity : {"pearson", "msd", "cosine", "cosine_corated", "overlap", "indicator"}
        See `acai.cf.similarities`.
    min_overlap : int
        Users with fewer songs in common are not alike.
    shrinkage : float
        Multiply s by n / (n + shrinkage), n being the number of songs in common.
    centring : {"mean", "none"}
        What a rating is measured from: the user's mean (C1), or nothing.
    memory : int
        How many bytes the block of similarities may take.
    """

    k: int = 40
    similarity: str = "pearson"
    min_overlap: int = 1
    shrinkage: float = 0.0
    centring: str = "mean"
    memory: int = 2**28

    def __post_init__(self) -> None:
        self._similarity()
        if self.centring not in CENTRINGS:
            raise unknown("centring", self.centring, CENTRINGS)

    def _similarity(self) -> Similarity:
        return Similarity(self.similarity, self.k, self.min_overlap, self.shrinkage)

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Remember the ratings, and each user's mean."""
        csr = ratings.csr
        self.mu = float(csr.data.mean(dtype=np.float64))
        n_u = np.diff(csr.indptr)
        sums = np.bincount(ratings.user_codes, csr.data, ratings.n_users)
        self.r_bar = np.where(n_u > 0, sums / np.maximum(n_u, 1), self.mu)
        self.Z = csr.data.astype(np.float64)
        if self.centring == "mean":
            self.Z -= self.r_bar[ratings.user_codes]
        self.ratings = ratings
        return self

    def _restored(self, ratings: Ratings) -> Self:
        return self.fit(ratings)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        from acai.cf import neighbour_kernels as kernels

        csr, csc = self.ratings.csr, self.ratings.csc
        n = csr.shape[1]
        scores = np.empty((len(rows), n))
        for j, (u, v, s) in enumerate(self._similarity().nearest(csr, csc, rows, self.memory)):
            numerator, denominator, count = np.zeros(n), np.zeros(n), np.zeros(n, np.int32)
            kernels.walk(v, s, self.k, csr.indptr, csr.indices, self.Z, numerator, denominator, count)
            kappa = 1 / np.where(denominator > 0, denominator, 1)  # (C1)
            if self.centring == "mean":
                scores[j] = self.r_bar[u] + kappa * numerator  # (C1)
            else:
                scores[j] = np.where(denominator > 0, kappa * numerator, self.mu)
        scores[:, np.diff(csc.indptr) == 0] = self.mu
        return scores

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        r_hat = np.full(len(u), self.mu)
        both = np.flatnonzero((u >= 0) & (i >= 0))
        both = both[np.argsort(u[both], kind="stable")]
        rows, starts = np.unique(u[both], return_index=True)
        size = max(1, self.memory // (8 * self.ratings.n_songs))
        for a in range(0, len(rows), size):
            block = rows[a : a + size]
            here = both[starts[a] : starts[a + size] if a + size < len(rows) else None]
            r_hat[here] = self._scores(block)[np.searchsorted(block, u[here]), i[here]]
        return r_hat

    def _likeness(self, i: int) -> np.ndarray:
        likeness = np.full(self.ratings.n_songs, -np.inf)
        by_song, by_user = self.ratings.csc.T.tocsr(), self.ratings.csr.T.tocsr()
        for _, j, s in self._similarity().nearest(by_song, by_user, np.array([i]), self.memory):
            likeness[j] = s
        return likeness
