"""Users like this one (C1)."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

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

    def _restored(self, ratings: Ratings) -> Self:
        super()._restored(ratings)
        csr = ratings.csr
        self.Z_by_song = sparse.csr_array((self.centred.Z, csr.indices, csr.indptr), shape=csr.shape).T.tocsr()
        return self

    def _nearest(self, rows: np.ndarray):
        return self._similarity().nearest(self.ratings.csr, self.ratings.csc.T, rows, self.memory)

    def _holds(self) -> int:
        return max(self.memory, 128 * self.ratings.n_users)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        from acai.cf import neighbour_kernels as kernels

        csr, n, done = self.ratings.csr, self.ratings.n_songs, 0
        scores, songs = np.empty((len(rows), n)), np.arange(n)
        for block, indptr, v, s in self._nearest(rows):
            for u, here in zip(block, map(slice, indptr, indptr[1:])):
                numerator, denominator, count = np.zeros(n), np.zeros(n), np.zeros(n, np.int32)
                kernels.walk(
                    v[here], s[here], self.k, csr.indptr, csr.indices, self.centred.Z, numerator, denominator, count
                )
                scores[done] = self._blend(u, songs, numerator, denominator)
                done += 1
        return scores

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        from acai.cf import neighbour_kernels as kernels

        r_hat = self._unknown(u, i)
        both = np.flatnonzero((u >= 0) & (i >= 0))
        both = both[np.lexsort((i[both], u[both]))]
        Z = self.Z_by_song
        for block, indptr, v, s in self._nearest(np.unique(u[both])):
            here = both[slice(*np.searchsorted(u[both], (block[0], block[-1] + 1)))]
            here = here[np.argsort(i[here], kind="stable")]
            numerator, denominator = np.zeros(len(here)), np.zeros(len(here))
            row = np.searchsorted(block, u[here])
            kernels.look_up(
                i[here], row, self.k, indptr, v, s, Z.shape[1], Z.indptr, Z.indices, Z.data, numerator, denominator
            )
            r_hat[here] = self._blend(u[here], i[here], numerator, denominator)
        return r_hat

    def _likeness(self, i: int) -> np.ndarray:
        likeness = np.full(self.ratings.n_songs, -np.inf)
        ((_, _, j, s),) = self._similarity().nearest(self.ratings.csc.T, self.ratings.csr, np.array([i]), self.memory)
        likeness[j] = s
        return likeness

    def explain(self, user: Hashable, song: Hashable) -> list[Neighbour]:
        """The users behind a prediction, the nearest first: how like each is, how they rated the song, what that changed."""
        u, i = self._fitted().row(user), self.ratings.column(song)
        csr, csc = self.ratings.csr, self.ratings.csc
        raters = csc.indices[csc.indptr[i] : csc.indptr[i + 1]]
        ((_, _, v, s),) = self._nearest(np.array([u]))
        chosen = np.flatnonzero(np.isin(v, raters))[: self.k]
        kappa = 1 / s[chosen].sum() if self.normalise and len(chosen) else 1.0
        neighbours = []
        for x, similarity in zip(v[chosen], s[chosen]):
            j = csr.indptr[x] + np.searchsorted(csr.indices[csr.indptr[x] : csr.indptr[x + 1]], i)
            contribution = self.centred.scale[u] * kappa * similarity * self.centred.Z[j]
            neighbours.append(Neighbour(self.ratings.users[x], float(similarity), float(csr.data[j]), float(contribution)))
        return neighbours
