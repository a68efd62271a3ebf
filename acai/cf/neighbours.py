"""Memory-based prediction (C1): what neighbours who know the song thought of it, each weighted by similarity."""

from abc import abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.centring import CENTRINGS, Centring, centre, centre_newcomer
from acai.cf.inputs import Codes
from acai.cf.lists import Reason
from acai.cf.recommender import Recommender
from acai.cf.similarities import SIMILARITIES, NeighbourSearch, Similarity
from acai.cf.statistics import mean
from acai.ratings import Ratings
from acai.settings import setting

if TYPE_CHECKING:
    from acai.cf.neighbour_kernels import HowMany, NeighbourLists

MIN_NEIGHBOURS, ONE_IN = 20, 50  # by default as many must know a song, or one in 50 of all if that is fewer, but at least one
SHRINKAGE = 100.0  # β by default
T = TypeVar("T")
Array = NDArray[np.float64]


@dataclass
class NeighbourModel(Recommender):
    """r̂ for a pair (a, b) from the neighbours of a who are known to go with b; one of the two is a user, the other a song.

        r̂ = offset_u + offset_i + scale · κ Σ_v s(a,v) z(v,b),    κ = 1 / Σ_v |s(a,v)|

    where `centre` has split each rating into r = offset_u + offset_i + scale · z: r̄(u) + 0 + 1 · z in (C1). The settings
    are described in the subclasses, which say by `_a_and_b` whether a is the user or the song.
    """

    k: int = setting(40, at_least=1)
    similarity: str = setting("pearson", choices=SIMILARITIES)
    min_overlap: int = setting(1, at_least=1)
    shrinkage: float | None = setting(None, at_least=0, at_most=1e12)
    centring: str = setting("mean", choices=CENTRINGS)
    asymmetry: float = setting(0.5, at_least=0, at_most=1)
    normalise: bool = setting(True)
    memory: int = setting(2**27, at_least=1)
    min_neighbours: int | None = setting(None, at_least=1)

    @property
    def predicts_ratings(self) -> bool:
        """Whether predictions are ratings: without normalisation, they are sums."""
        return self.normalise

    @abstractmethod
    def _a_and_b(self, of_users: T, of_songs: T) -> tuple[T, T]:
        """Put what belongs to users and what belongs to songs in the order (a, b)."""

    @abstractmethod
    def _map_neighbours(self, work: "Callable[[Codes, NeighbourLists], T]", a: Codes) -> list[T]:
        """Call `work` with blocks of a, in ascending order, and their neighbours; a block may have more rows than asked for."""

    def _finalise(self, ratings: Ratings) -> None:
        R = ratings.csr
        self.mu = mean(ratings)
        self.centred = centre(ratings, self.centring, self._a_and_b("users", "songs")[0])
        self.Z = sparse.csr_array((self.centred.z, R.indices, R.indptr), shape=R.shape)
        _, Z_by_b = self._a_and_b(self.Z, self.Z.T)
        self.Z_by_b = Z_by_b.tocsr()
        super()._finalise(ratings)

    def _search(self, A: sparse.csr_array, A_T: sparse.csr_array) -> NeighbourSearch:
        usual = SHRINKAGE if self.normalise else 0.0  # a sum needs no care: what few neighbours say counts for little anyway
        shrinkage = usual if self.shrinkage is None else self.shrinkage
        similarity = Similarity(self.similarity, self.min_overlap, shrinkage, self.asymmetry, self.k)
        return NeighbourSearch(A, A_T, similarity, self.memory)

    def _how_many(self) -> "HowMany":
        """Tell how many neighbours a prediction needs, and how many count."""
        from acai.cf.neighbour_kernels import HowMany

        n, _ = self._a_and_b(self.ratings.n_users, self.ratings.n_songs)
        usual = min(max(n // ONE_IN, 1), MIN_NEIGHBOURS) if self.normalise else 1
        return HowMany(min(usual if self.min_neighbours is None else self.min_neighbours, self.k), self.k)

    def _combine(self, u: Codes, i: Codes, sums: tuple[Array, Array], centred: Centring | None = None) -> Array:
        """Compute r̂ from Σ_v s z, the numerator, and Σ_v |s|, the denominator; `centred` if u are not those of R."""
        numerator, denominator = sums
        kappa = 1 / np.where(denominator > 0, denominator, 1) if self.normalise else 1.0  # (C1)
        offset_u, offset_i, scale_u, scale_i, is_new_user, is_new_song, _ = centred or self.centred
        r_hat: Array = offset_u[u] + offset_i[i] + scale_u[u] * scale_i[i] * kappa * numerator  # (C1)
        if not self.normalise or self.centring == "baseline":
            return r_hat
        nothing_known = denominator == 0 if self.centring == "none" else is_new_user[u] | is_new_song[i]
        return np.where(nothing_known, self.mu, r_hat)

    def _score_newcomer(self, i: Codes, r: Array) -> Array:
        R, order = self.ratings, np.argsort(i)
        i, r = i[order], r[order].astype(np.float32).astype(np.float64)  # as R stores them
        centred = centre_newcomer(R, self.centred, self.centring, self._a_and_b("users", "songs")[0], (i, r))
        sums = self._newcomer_sums(sparse.csr_array((r, i, [0, len(i)]), shape=(1, R.n_songs)), centred.z)
        return self._combine(np.zeros(R.n_songs, np.intp), np.arange(R.n_songs), sums, centred)

    @abstractmethod
    def _newcomer_sums(self, row: sparse.csr_array, z: Array) -> tuple[Array, Array]:
        """Compute the two sums of (C1) for all songs and a new listener, whose row of R would be `row`, with z in Z."""

    def _predict_pairs(self, u: Codes, i: Codes) -> Array:
        from acai.cf import kernels, neighbour_kernels

        numerator, denominator = np.zeros(len(u)), np.zeros(len(u))
        a, b = self._a_and_b(u, i)
        pairs = np.flatnonzero((u >= 0) & (i >= 0))
        pairs = pairs[np.argsort(a[pairs], kind="stable")]
        sorted_a = a[pairs]
        Z_by_b, count = kernels.rows_of(self.Z_by_b), self._how_many()

        def add_up(block: Codes, lists: "NeighbourLists") -> None:
            first, last = np.searchsorted(sorted_a, (block[0], block[-1] + 1))
            here = pairs[first:last]
            here = here[np.argsort(b[here], kind="stable")]
            rows = np.searchsorted(block, a[here])
            sums = neighbour_kernels.neighbour_sums_for_pairs(rows, b[here], lists, count, Z_by_b, self.Z_by_b.shape[1])
            numerator[here], denominator[here] = sums

        self._map_neighbours(add_up, np.unique(sorted_a))
        return self._combine(u, i, (numerator, denominator))

    def _similarities(self, i: int) -> Array:
        return _similarities_of(i, self._search(self.ratings.csc.T, self.ratings.csr))

    def _user_similarities(self, u: int) -> Array:
        return _similarities_of(u, self._search(self.ratings.csr, self.ratings.csc.T))

    def explain(self, user: Hashable, song: Hashable) -> list[Reason]:
        """List the neighbours behind a prediction, the nearest first: how similar, what rating, and its contribution."""
        R = self.ratings
        u, i = R.row(user), R.column(song)
        a, b = self._a_and_b(u, i)
        names, _ = self._a_and_b(R.users, R.songs)
        _, R_by_b = self._a_and_b(R.csr, R.csc.T)
        known = range(R_by_b.indptr[b], R_by_b.indptr[b + 1])
        place_of = {R_by_b.indices[j]: j for j in known}  # of each v who is known to go with b, in R_by_b and in Z_by_b
        nearest = [(v, s, place_of[v]) for v, s in self._list_of(a) if v in place_of]
        nearest = nearest[: self.k] if len(nearest) >= self._how_many().at_least else []
        kappa = 1 / sum(s for _, s, _ in nearest) if self.normalise and nearest else 1.0
        weight = self.centred.scale_u[u] * self.centred.scale_i[i] * kappa * self.Z_by_b.data
        return [Reason(names[v], s, float(R_by_b.data[j]), float(weight[j] * s)) for v, s, j in nearest]

    def _list_of(self, a: int) -> list[tuple[int, float]]:
        """List the neighbours of one a, as (v, s), the nearest first."""
        (lists,) = self._map_neighbours(lambda _, lists: lists, np.array([a]))
        here = slice(lists.starts[0], lists.starts[1])
        return list(zip(lists.v[here].tolist(), lists.s[here].tolist()))


def _similarities_of(a: int, search: NeighbourSearch) -> Array:
    """Compute how similar each row is to row `a`; −∞ for one that is no neighbour."""
    similarities = np.full(search.A.shape[0], -np.inf)
    (lists,) = search.map(lambda _, lists: lists, np.array([a]))
    similarities[lists.v] = lists.s
    return similarities
