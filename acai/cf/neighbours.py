"""Memory-based prediction (C1): by similar users, and with users and items swapped, by similar songs."""

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.centring import CENTRINGS, centre
from acai.cf.recommender import Codes, Learnt, Recommender
from acai.cf.similarities import PAIR_BYTES, SIMILARITIES, NeighbourSearch, Similarity
from acai.cf.statistics import entry_counts, mean
from acai.errors import InputError
from acai.files import Contents
from acai.ratings import Ratings
from acai.settings import setting

if TYPE_CHECKING:
    from acai.cf.kernels import NeighbourLists

T = TypeVar("T")
Array = NDArray[np.float64]


class Neighbour(NamedTuple):
    """What one neighbour contributed to a prediction."""

    name: Hashable  # a user, or a song
    similarity: float
    rating: float  # what this user thought of the song, or what the user thought of this song
    contribution: float  # by how much it moved the prediction


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
    shrinkage: float = setting(0.0, at_least=0, at_most=1e12)
    centring: str = setting("mean", choices=CENTRINGS)
    asymmetry: float = setting(0.5, at_least=0, at_most=1)
    normalise: bool = setting(True)
    memory: int = setting(2**27, at_least=1)

    @property
    def predicts_ratings(self) -> bool:
        """Whether predictions are ratings: without normalisation, they are sums."""
        return self.normalise

    @abstractmethod
    def _a_and_b(self, of_users: T, of_songs: T) -> tuple[T, T]:
        """Put what belongs to users and what belongs to songs in the order (a, b)."""

    @abstractmethod
    def _neighbours_of(self, a: Codes) -> Iterable[tuple[Codes, "NeighbourLists"]]:
        """Find the neighbours of each a, in ascending order, block by block; a block may have more rows than asked for."""

    def _finalise(self, ratings: Ratings) -> None:
        R = ratings.csr
        self.mu = mean(ratings)
        n_u, n_i = entry_counts(ratings)
        self.is_new_user = np.append(n_u == 0, True)  # the last entry is for an unknown one
        self.is_new_song = np.append(n_i == 0, True)
        by, _ = self._a_and_b("users", "songs")
        self.centred = centre(ratings, self.centring, by)
        self.Z = sparse.csr_array((self.centred.z, R.indices, R.indptr), shape=R.shape)
        _, Z_by_b = self._a_and_b(self.Z, self.Z.T)
        self.Z_by_b = Z_by_b.tocsr()
        super()._finalise(ratings)

    def _search(self, A: sparse.csr_array, A_T: sparse.csr_array) -> NeighbourSearch:
        similarity = Similarity(self.similarity, self.min_overlap, self.shrinkage, self.asymmetry, self.k)
        return NeighbourSearch(A, A_T, similarity, self.memory)

    def _combine(self, u: Codes, i: Codes, numerator: Array, denominator: Array) -> Array:
        """Compute r̂ from Σ_v s z, the numerator, and Σ_v |s|, the denominator."""
        kappa = 1 / np.where(denominator > 0, denominator, 1) if self.normalise else 1.0
        offset_u, offset_i, scale_u, scale_i, _ = self.centred
        r_hat: Array = offset_u[u] + offset_i[i] + scale_u[u] * scale_i[i] * kappa * numerator  # (C1)
        if not self.normalise or self.centring == "baseline":
            return r_hat
        nothing_known = denominator == 0 if self.centring == "none" else self.is_new_user[u] | self.is_new_song[i]
        return np.where(nothing_known, self.mu, r_hat)

    def _predict_pairs(self, u: Codes, i: Codes) -> Array:
        from acai.cf import kernels

        numerator, denominator = np.zeros(len(u)), np.zeros(len(u))
        a, b = self._a_and_b(u, i)
        pairs = np.flatnonzero((u >= 0) & (i >= 0))
        pairs = pairs[np.argsort(a[pairs], kind="stable")]
        sorted_a = a[pairs]
        Z_by_b = kernels.rows_of(self.Z_by_b)
        for block, lists in self._neighbours_of(np.unique(sorted_a)):
            first, last = np.searchsorted(sorted_a, (block[0], block[-1] + 1))
            here = pairs[first:last]
            here = here[np.argsort(b[here], kind="stable")]
            rows = np.searchsorted(block, a[here])
            sums = kernels.neighbour_sums_for_pairs(rows, b[here], lists, self.k, Z_by_b, self.Z_by_b.shape[1])
            numerator[here], denominator[here] = sums
        return self._combine(u, i, numerator, denominator)

    def _similarities(self, i: int) -> Array:
        R, similarities = self.ratings, np.full(self.ratings.n_songs, -np.inf)
        for _, lists in self._search(R.csc.T, R.csr).blocks(np.array([i])):
            similarities[lists.v] = lists.s
        return similarities

    def explain(self, user: Hashable, song: Hashable) -> list[Neighbour]:
        """List the neighbours behind a prediction, the nearest first: how similar, what rating, and its contribution."""
        R = self.ratings
        u, i = R.row(user), R.column(song)
        a, b = self._a_and_b(u, i)
        names, _ = self._a_and_b(R.users, R.songs)
        _, R_by_b = self._a_and_b(R.csr, R.csc.T)
        known = range(R_by_b.indptr[b], R_by_b.indptr[b + 1])
        place_of = {R_by_b.indices[j]: j for j in known}  # of each v who is known to go with b, in R_by_b and in Z_by_b
        nearest = [(v, s) for v, s in self._list_of(a) if v in place_of][: self.k]
        kappa = 1 / sum(s for _, s in nearest) if self.normalise and nearest else 1.0
        weight = self.centred.scale_u[u] * self.centred.scale_i[i] * kappa * self.Z_by_b.data
        reasons = []
        for v, s in nearest:
            j = place_of[v]
            reasons.append(Neighbour(names[v], s, float(R_by_b.data[j]), float(weight[j] * s)))
        return reasons

    def _list_of(self, a: int) -> list[tuple[int, float]]:
        """List the neighbours of one a, as (v, s), the nearest first."""
        ((block, lists),) = self._neighbours_of(np.array([a]))
        row = np.searchsorted(block, a)
        here = slice(lists.starts[row], lists.starts[row + 1])
        return list(zip(lists.v[here].tolist(), lists.s[here].tolist()))


@dataclass
class UserKNN(NeighbourModel):
    """What similar users thought of the song (C1; Resnick et al. 1994, Herlocker et al. 1999).

        r̂(u,i) = r̄(u) + κ Σ_v s(u,v) (r(v,i) − r̄(v)),    κ = 1 / Σ_v |s(u,v)|

    over the k users most similar to u of those who rated i. Users with s ≤ 0 are left out, and of equally similar users
    the one who comes first in R is nearer. If nobody is left, the prediction is r̄(u) (with centring="none", the global
    mean); for a user or song without ratings, it is the global mean (with centring="baseline", what is known of the
    biases).

    Similarities are computed when they are needed, for the users in question: an m × m matrix never exists.

    Parameters
    ----------
    k : int
        How many neighbours count, at most.
    similarity : {"pearson", "msd", "cosine", "cosine_corated", "asymmetric", "overlap", "indicator"}
        See `acai.cf.similarities`.
    min_overlap : int
        Pairs with less than this in common have similarity 0.
    shrinkage : float
        β ≥ 0: multiply s by n / (n + β), n being how much the pair has in common (Bell, Koren 2007).
    centring : {"mean", "zscore", "baseline", "none"}
        What a rating is measured from: the mean of the user, or of the song in `ItemKNN` (C1); the same, in units of the
        standard deviation; the biases (C12); nothing.
    asymmetry : float
        The exponent of the "asymmetric" cosine (C13), from 0 to 1.
    normalise : bool
        Divide by Σ |s|, as (C1) does. Without it, many neighbours count for more than few: better for ranking songs by
        play counts, but not a rating.
    memory : int
        How many bytes the block of similarities may take.
    """

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        """Do nothing: neighbours are found when they are needed."""

    def _finalise(self, ratings: Ratings) -> None:
        super()._finalise(ratings)
        self.search = self._search(ratings.csr, ratings.csc.T)

    def _a_and_b(self, of_users: T, of_songs: T) -> tuple[T, T]:
        return of_users, of_songs

    def _neighbours_of(self, a: Codes) -> Iterator[tuple[Codes, "NeighbourLists"]]:
        return self.search.blocks(a)

    def _scratch_bytes(self) -> int:
        return max(self.memory, PAIR_BYTES * self.ratings.n_users)

    def _score_rows(self, rows: Codes) -> Array:
        from acai.cf import kernels

        Z, songs = kernels.rows_of(self.Z), np.arange(self.ratings.n_songs)
        scores = []
        for block, lists in self._neighbours_of(rows):
            numerator, denominator = kernels.neighbour_sums(lists, self.k, Z, len(songs))
            scores.append(self._combine(block[:, None], songs, numerator, denominator))
        return np.concatenate(scores)


@dataclass
class ItemKNN(NeighbourModel):
    """What the user thought of similar songs (C1, users and items swapped; Sarwar et al. 2001, Deshpande, Karypis 2004).

        r̂(u,i) = r̄(i) + κ Σ_j s(i,j) (r(u,j) − r̄(j)),    κ = 1 / Σ_j |s(i,j)|

    over the k songs most similar to i of those that u rated, among the `keep` nearest that the model stores for each
    song. The rest is as for `UserKNN`, with users and songs swapped. To rank songs by play counts, `normalise=False,
    centring="none"` with `similarity="asymmetric"` is the rule that won the Million Song Dataset Challenge (Aiolli 2013).

    Parameters
    ----------
    k, similarity, min_overlap, shrinkage, centring, asymmetry, normalise, memory
        As for `UserKNN`.
    keep : int or None
        How many neighbours to store for each song; by default as many as fit into twice `memory`, and at least k.

    Attributes
    ----------
    near, j, s : ndarray
        The songs nearest to song i, at most `keep`, are j[near[i]:near[i + 1]], the nearest first; s has their similarities.
    """

    state: ClassVar = {
        "near": Learnt(("n + 1",), ("int64",)), "j": Learnt(("neighbours",), ("int32",)),
        "s": Learnt(("neighbours",), ("float64",)),
    }
    keep: int | None = setting(None, at_least=1)

    def _check(self) -> None:
        super()._check()
        if self.keep is not None and self.keep < self.k:
            raise InputError(f"keep={self.keep}; expected k={self.k} or more")

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        n = ratings.n_songs
        keep = self.keep or max(self.k, 2 * self.memory // (12 * n))  # a neighbour takes 4 bytes in j and 8 in s
        lists = [found for _, found in self._search(ratings.csc.T, ratings.csr).blocks(np.arange(n), keep, progress)]
        sizes = [np.diff(each.starts) for each in lists]
        self.near: NDArray[Any] = np.cumsum(np.concatenate([[0], *sizes]))
        self.j: NDArray[Any] = np.concatenate([each.v for each in lists])
        self.s: NDArray[Any] = np.concatenate([each.s for each in lists])

    def _read_state(self, contents: Contents, ratings: Ratings) -> None:
        super()._read_state(contents, ratings)
        if self.near[0] != 0 or self.near[-1] != len(self.j) or (np.diff(self.near) < 0).any():
            raise contents.fault(f"near does not rise from 0 to the {len(self.j)} neighbours")
        if ((self.j < 0) | (self.j >= ratings.n_songs)).any():
            raise contents.fault(f"j has a song number outside the {ratings.n_songs} songs")

    def _a_and_b(self, of_users: T, of_songs: T) -> tuple[T, T]:
        return of_songs, of_users

    def _neighbours_of(self, a: Codes) -> list[tuple[Codes, "NeighbourLists"]]:
        return [(np.arange(self.ratings.n_songs), self._all_lists())]

    def _all_lists(self) -> "NeighbourLists":
        from acai.cf import kernels

        return kernels.NeighbourLists(self.near, self.j, self.s)

    def _score_rows(self, rows: Codes) -> Array:
        from acai.cf import kernels

        Z = kernels.rows_of(self.Z[rows].T.tocsr())  # what these users think of each song
        numerator, denominator = kernels.neighbour_sums(self._all_lists(), self.k, Z, len(rows))
        return self._combine(rows[:, None], np.arange(self.ratings.n_songs), numerator.T, denominator.T)
