"""Users like this one (C1)."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

import numpy as np

from acai.cf.neighbours import Neighbour, Neighbours
from acai.ratings import Ratings


@dataclass
class UserKNN(Neighbours):
    """What users like this one thought of the song (C1; Resnick et al. 1994, Herlocker et al. 1999).

        r̂(u,i) = r̄(u) + κ Σ_v s(u,v) (r(v,i) − r̄(v)),    κ = 1 / Σ_v |s(u,v)|

    over the k users most like u of those who rated i; those with s ≤ 0 are left out, and of equals the one who stands
    first in R is nearer. Where nobody is left the prediction is r̄(u) (with centring="none", the global mean); for a user
    or song of which nothing is known, the global mean (with centring="baseline", the biases that are known).

    Similarities are worked out for the users at hand, when they are needed: an m × m matrix never exists.
    """

    __doc__ += Neighbours.__doc__[Neighbours.__doc__.index("\n    Parameters") :]

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Remember the ratings, and what they are measured from."""
        return self._restored(ratings)

    def _sums(self, rows: np.ndarray, n: int):
        """For each of `rows`: the user, Σ_v s(u,v) z(v,i) and Σ_v |s(u,v)| over the neighbours, for every song."""
        from acai.cf import neighbour_kernels as kernels

        csr, csc = self.ratings.csr, self.ratings.csc
        for u, v, s in self._similarity().nearest(csr, csc.T, rows, self.memory):
            numerator, denominator, count = np.zeros(n), np.zeros(n), np.zeros(n, np.int32)
            kernels.walk(v, s, self.k, csr.indptr, csr.indices, self.centred.Z, numerator, denominator, count)
            yield u, numerator, denominator

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        n = self.ratings.n_songs
        scores, songs = np.empty((len(rows), n)), np.arange(n)
        for j, (u, numerator, denominator) in enumerate(self._sums(rows, n)):
            scores[j] = self._blend(u, songs, numerator, denominator)
        return scores

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        r_hat = self._unknown(u, i)
        both = np.flatnonzero((u >= 0) & (i >= 0))
        both = both[np.argsort(u[both], kind="stable")]
        rows, starts = np.unique(u[both], return_index=True)
        for (x, numerator, denominator), here in zip(
            self._sums(rows, self.ratings.n_songs), np.split(both, starts[1:]), strict=True
        ):
            r_hat[here] = self._blend(x, i[here], numerator[i[here]], denominator[i[here]])
        return r_hat

    def _likeness(self, i: int) -> np.ndarray:
        likeness = np.full(self.ratings.n_songs, -np.inf)
        by_song, by_user = self.ratings.csc.T, self.ratings.csr
        for _, j, s in self._similarity().nearest(by_song, by_user, np.array([i]), self.memory):
            likeness[j] = s
        return likeness

    def explain(self, user: Hashable, song: Hashable) -> list[Neighbour]:
        """The users behind a prediction, the nearest first: how like each is, how they rated the song, what that changed."""
        u, i = self._fitted().row(user), self.ratings.column(song)
        csr, csc = self.ratings.csr, self.ratings.csc
        raters = csc.indices[csc.indptr[i] : csc.indptr[i + 1]]
        ((_, v, s),) = self._similarity().nearest(csr, csc.T, np.array([u]), self.memory)
        chosen = np.flatnonzero(np.isin(v, raters))[: self.k]
        kappa = 1 / s[chosen].sum() if self.normalise and len(chosen) else 1.0
        neighbours = []
        for x, similarity in zip(v[chosen], s[chosen]):
            j = csr.indptr[x] + np.searchsorted(csr.indices[csr.indptr[x] : csr.indptr[x + 1]], i)
            contribution = self.centred.scale[u] * kappa * similarity * self.centred.Z[j]
            neighbours.append(Neighbour(self.ratings.users[x], float(similarity), float(csr.data[j]), float(contribution)))
        return neighbours
