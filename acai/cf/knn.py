"""The two models of neighbours: by similar users (C1) and, with users and items swapped, by similar songs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.centring import CENTRINGS
from acai.cf.inputs import Codes
from acai.cf.learnt import Learnt
from acai.cf.lists import Best, blocks_of_users
from acai.cf.neighbours import NeighbourModel
from acai.cf.similarities import PAIR_BYTES, slices_of_equal_work
from acai.errors import InputError
from acai.files import Contents
from acai.ratings import Ratings
from acai.settings import setting
from acai.threads import map_blocks

if TYPE_CHECKING:
    from acai.cf.kernels import Rows
    from acai.cf.neighbour_kernels import NeighbourLists

T = TypeVar("T")
Array = NDArray[np.float64]


@dataclass
class UserKNN(NeighbourModel):
    """What similar users thought of the song (C1; Resnick et al. 1994, Herlocker et al. 1999).

        r̂(u,i) = r̄(u) + κ Σ_v s(u,v) (r(v,i) − r̄(v)),    κ = 1 / Σ_v |s(u,v)|

    over the k users most similar to u of those who rated i. Users with s ≤ 0 are left out, and of equally similar users
    the one who comes first in R is nearer. If fewer than `min_neighbours` are left, the prediction is r̄(u) (with
    centring="none", the global mean); for a user or song without ratings, it is the global mean (with centring="baseline",
    what is known of the biases).

    Similarities are computed when they are needed, for the users in question: an m × m matrix never exists.

    Parameters
    ----------
    k : int
        How many neighbours count, at most.
    similarity : {"pearson", "msd", "cosine", "cosine_corated", "asymmetric", "overlap", "indicator"}
        `acai.cf.plain` has them, one line each.
    min_overlap : int
        Pairs with less than this in common have similarity 0.
    shrinkage : float or None
        β ≥ 0: multiply s by n / (n + β), n being how much the pair has in common (Bell, Koren 2007). By default 100; 0
        without normalisation.
    centring : {"mean", "zscore", "baseline", "none"}
        What a rating is measured from: the mean of the user, or of the song in `ItemKNN` (C1); the same, in units of the
        standard deviation; the biases (C12), which is the default of `ItemKNN`; nothing.
    asymmetry : float
        The exponent of the "asymmetric" cosine (C13), from 0 to 1.
    normalise : bool
        Divide by Σ |s|, as (C1) does. Without it, many neighbours count for more than few: better for ranking songs by
        play counts, but not a rating.
    memory : int
        How many bytes the block of similarities may take.
    min_neighbours : int or None
        How many neighbours must know the song, but never more than k. By default 20, or one in 50 of the users if that is
        fewer, at least one; 1 without normalisation.
    """

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        """Do nothing: neighbours are found when they are needed."""

    def _finalise(self, ratings: Ratings) -> None:
        super()._finalise(ratings)
        self.search = self._search(ratings.csr, ratings.csc.T)

    def _a_and_b(self, of_users: T, of_songs: T) -> tuple[T, T]:
        return of_users, of_songs

    def _map_neighbours(self, work: "Callable[[Codes, NeighbourLists], T]", a: Codes) -> list[T]:
        return self.search.map(work, a)

    def _scratch_bytes(self) -> int:
        return max(self.memory, PAIR_BYTES * self.ratings.n_users)

    def _score_rows(self, rows: Codes) -> Array:
        from acai.cf import kernels, neighbour_kernels

        Z, songs, count = kernels.rows_of(self.Z), np.arange(self.ratings.n_songs), self._how_many()

        def score(block: Codes, lists: "NeighbourLists") -> Array:
            return self._combine(block[:, None], songs, neighbour_kernels.neighbour_sums(lists, count, Z, len(songs)))

        return np.concatenate(self._map_neighbours(score, rows))

    def _newcomer_sums(self, row: sparse.csr_array, z: Array) -> tuple[Array, Array]:
        from acai.cf import kernels, neighbour_kernels

        A = sparse.vstack([self.ratings.csr, row], format="csr")
        (lists,) = self._search(A, self.ratings.csc.T).map(lambda _, lists: lists, np.array([A.shape[0] - 1]))
        Z = kernels.rows_of(self.Z)
        numerator, denominator = neighbour_kernels.neighbour_sums(lists, self._how_many(), Z, row.shape[1])
        return numerator[0], denominator[0]


@dataclass
class ItemKNN(NeighbourModel):
    """What the user thought of similar songs (C1, users and items swapped; Sarwar et al. 2001, Deshpande, Karypis 2004).

        r̂(u,i) = r̄(i) + κ Σ_j s(i,j) (r(u,j) − r̄(j)),    κ = 1 / Σ_j |s(i,j)|

    over the k songs most similar to i of those that u rated, among the `keep` nearest that the model stores for each
    song. The rest is as for `UserKNN`, with users and songs swapped, except that ratings are measured from the biases (C12)
    by default: the mean r̄(i) of a song that a single person gave 5 stars is 5, whatever is asked of neighbours.

    To rank songs by play counts, `normalise=False, centring="none"` with `similarity="asymmetric"` is the rule that won the
    Million Song Dataset Challenge (Aiolli 2013).

    Parameters
    ----------
    k, similarity, min_overlap, shrinkage, centring, asymmetry, normalise, memory
        As for `UserKNN`.
    min_neighbours : int or None
        How many of the songs that u rated must be neighbours, but never more than k. By default 20, or one in 50 of all songs
        if that is fewer, at least one; 1 without normalisation.
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
    centring: str = setting("baseline", choices=CENTRINGS)
    keep: int | None = setting(None, at_least=1)

    def _check(self) -> None:
        super()._check()
        if self.keep is not None and self.keep < self.k:
            raise InputError(f"keep={self.keep}; expected k={self.k} or more")

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        n = ratings.n_songs
        keep = self.keep or max(self.k, 2 * self.memory // (12 * n))  # a neighbour takes 4 bytes in j and 8 in s
        lists = self._search(ratings.csc.T, ratings.csr).map(lambda _, lists: lists, np.arange(n), keep, progress)
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

    def _map_neighbours(self, work: "Callable[[Codes, NeighbourLists], T]", a: Codes) -> list[T]:
        from acai.cf.neighbour_kernels import NeighbourLists

        def work_on(part: slice) -> T:
            block = np.arange(a[part][0], a[part][-1] + 1)
            return work(block, NeighbourLists(self.near[block[0] : block[-1] + 2], self.j, self.s))

        return map_blocks(work_on, slices_of_equal_work(np.ones(len(a), np.intp), max(1, len(a))))

    def _finalise(self, ratings: Ratings) -> None:
        super()._finalise(ratings)
        self._S_T: sparse.csr_array | None = None

    @property
    def S_T(self) -> sparse.csr_array:
        """The transpose of S, where S(i,j) = s(i,j) if j is a neighbour of i; made when it is first needed."""
        if self._S_T is None:
            n = self.ratings.n_songs
            self._S_T = sparse.csr_array((self.s, self.j, self.near), shape=(n, n)).T.tocsr()
        return self._S_T

    def _every_neighbour_counts(self) -> bool:
        """Tell whether Σ s z is over all neighbours of a song: none is one too many, and one is enough."""
        return not self.normalise and self._how_many().at_least == 1 and int(np.diff(self.near).max(initial=0)) <= self.k

    def _best(self, rows: Codes, n: int, exclude_rated: bool, out: Codes, options: tuple[int, bool]) -> Iterator[Best]:
        if self.centring != "none" or not self._every_neighbour_counts():
            yield from super()._best(rows, n, exclude_rated, out, options)
            return
        from acai.cf import kernels, neighbour_kernels

        Z, S_T, n = kernels.rows_of(self.Z), kernels.rows_of(self.S_T), min(n, self.ratings.n_songs)

        def find(part: slice) -> tuple[Codes, NDArray[np.floating[Any]]]:
            return neighbour_kernels.best_by_sums(block[part], Z, S_T, out, n, exclude_rated)

        for block in blocks_of_users(rows, n, *options):
            columns, best = zip(*map_blocks(find, slices_of_equal_work(np.diff(Z.indptr)[block], len(block))))
            yield block, np.concatenate(columns), np.concatenate(best)

    def _score_rows(self, rows: Codes) -> Array:
        from acai.cf import kernels, neighbour_kernels

        if self._every_neighbour_counts():
            sums = neighbour_kernels.sums_over_all(rows, kernels.rows_of(self.Z), kernels.rows_of(self.S_T))
            return self._combine(rows[:, None], np.arange(self.ratings.n_songs), (sums, sums))
        Z = kernels.rows_of(self.Z[rows].T.tocsr())  # what these users think of each song
        numerator, denominator = self._sums(Z, len(rows))
        return self._combine(rows[:, None], np.arange(self.ratings.n_songs), (numerator.T, denominator.T))

    def _newcomer_sums(self, row: sparse.csr_array, z: Array) -> tuple[Array, Array]:
        from acai.cf import kernels

        Z = kernels.rows_of(sparse.csr_array((z, row.indices, row.indptr), shape=row.shape).T.tocsr())
        numerator, denominator = self._sums(Z, 1)
        return numerator[:, 0], denominator[:, 0]

    def _sums(self, Z: "Rows", n_users: int) -> tuple[Array, Array]:
        """Compute the two sums of (C1) for all songs and some users, whose ratings, centred, are the columns of Z."""
        from acai.cf import neighbour_kernels

        count = self._how_many()
        sums = self._map_neighbours(
            lambda _, lists: neighbour_kernels.neighbour_sums(lists, count, Z, n_users), np.arange(self.ratings.n_songs)
        )
        numerator, denominator = map(np.concatenate, zip(*sums))
        return numerator, denominator
