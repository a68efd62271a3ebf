"""Songs like this one (C1, turned on its side)."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from acai.cf.neighbours import Neighbour, Neighbours
from acai.errors import InputError
from acai.ratings import Ratings


@dataclass
class ItemKNN(Neighbours):
    """What the user thought of songs like this one (C1 on its side; Sarwar et al. 2001, Deshpande and Karypis 2004).

        r̂(u,i) = r̄(i) + κ Σ_j s(i,j) (r(u,j) − r̄(j)),    κ = 1 / Σ_j |s(i,j)|

    over the k songs most like i of those that u rated, among the `keep` nearest that each song remembers. The rest is as
    for `UserKNN`, users and songs changed about. To rank songs by play counts, `normalise=False, centring="none"` with
    `similarity="asymmetric"` is the rule that won the Million Song Dataset Challenge (Aiolli 2013).

    Attributes
    ----------
    S : scipy.sparse.csr_array, shape (n_songs, n_songs)
        The similarities that are kept, at most `keep` in a row, the nearest first.
    """

    __doc__ += Neighbours.__doc__[Neighbours.__doc__.index("\n    Parameters") :] + """\
keep : int or None
        How many neighbours each song remembers; by default as many as fit into twice `memory`, and at least k.
    """

    axis: ClassVar[int] = 1
    state: ClassVar[tuple[str, ...]] = ("S_data", "S_indices", "S_indptr")
    keep: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.keep is not None and self.keep < self.k:
            raise InputError(f"keep={self.keep}; expected k={self.k} or more")

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Find each song's neighbours."""
        from tqdm import tqdm

        n = ratings.n_songs
        keep = self.keep or max(self.k, self.memory // (6 * n))
        lengths, columns, values = [np.zeros(1, np.int64)], [], []
        nearest = self._similarity().nearest(ratings.csc.T, ratings.csr, np.arange(n), self.memory, keep)
        with tqdm(total=n, desc="songs alike", unit="song", disable=not progress) as bar:
            for block, indptr, j, s in nearest:
                lengths.append(np.diff(indptr))
                columns.append(j.copy())
                values.append(s.copy())
                bar.update(len(block))
        self.S_indptr = np.cumsum(np.concatenate(lengths))
        self.S_indices, self.S_data = np.concatenate(columns), np.concatenate(values)
        return self._restored(ratings)

    def _restored(self, ratings: Ratings) -> Self:
        super()._restored(ratings)
        n = ratings.n_songs
        self.S = sparse.csr_array((self.S_data, self.S_indices, self.S_indptr), shape=(n, n))
        self.S_T = self.S.T.tocsr()
        self.Z = sparse.csr_array((self.centred.Z, ratings.csr.indices, ratings.csr.indptr), shape=ratings.csr.shape)
        return self

    def _sums(self, u: np.ndarray, i: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Σ_j s(i,j) z(u,j) and Σ_j |s(i,j)| over the neighbours, pair by pair; pairs of one user stand together."""
        from acai.cf import neighbour_kernels as kernels

        numerator, denominator = np.zeros(len(u)), np.zeros(len(u))
        csr = self.ratings.csr
        kernels.look_up(
            u, i, self.k, self.S_indptr, self.S_indices, self.S_data,
            len(self.S_indptr) - 1, csr.indptr, csr.indices, self.centred.Z, numerator, denominator,
        )  # fmt: skip
        return numerator, denominator

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        n = self.ratings.n_songs
        songs = np.arange(n)
        if np.diff(self.S_indptr).max(initial=0) <= self.k:  # then every neighbour counts, and the sums are products
            rated = self.ratings.csr[rows]
            rated.data = np.ones(rated.nnz)
            return self._blend(rows[:, None], songs, (self.Z[rows] @ self.S_T).toarray(), (rated @ self.S_T).toarray())
        scores = np.empty((len(rows), n))
        for j, u in enumerate(rows):
            scores[j] = self._blend(u, songs, *self._sums(np.full(n, u), songs))
        return scores

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        r_hat = self._unknown(u, i)
        both = np.flatnonzero((u >= 0) & (i >= 0))
        both = both[np.argsort(u[both], kind="stable")]
        r_hat[both] = self._blend(u[both], i[both], *self._sums(u[both], i[both]))
        return r_hat

    def _likeness(self, i: int) -> np.ndarray:
        likeness = np.full(self.ratings.n_songs, -np.inf)
        here = slice(self.S_indptr[i], self.S_indptr[i + 1])
        likeness[self.S_indices[here]] = self.S_data[here]
        return likeness

    def explain(self, user: Hashable, song: Hashable) -> list[Neighbour]:
        """The songs behind a prediction, the nearest first: how like each is, how the user rated it, what that changed."""
        u, i = self._fitted().row(user), self.ratings.column(song)
        csr = self.ratings.csr
        rated = csr.indices[csr.indptr[u] : csr.indptr[u + 1]]
        here = slice(self.S_indptr[i], self.S_indptr[i + 1])
        j, s = self.S_indices[here], self.S_data[here]
        chosen = np.flatnonzero(np.isin(j, rated))[: self.k]
        at = csr.indptr[u] + np.searchsorted(rated, j[chosen])
        kappa = 1 / s[chosen].sum() if self.normalise and len(chosen) else 1.0
        contributions = self.centred.scale[i] * kappa * s[chosen] * self.centred.Z[at]
        names = [self.ratings.songs[x] for x in j[chosen]]
        return [Neighbour(*row) for row in zip(names, s[chosen].tolist(), csr.data[at].tolist(), contributions.tolist())]
