"""The two models of neighbours: by similar users (C1) and, with users and items swapped, by similar songs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.centring import CENTRINGS
from acai.cf.inputs import Codes
from acai.cf.learnt import Learnt
from acai.cf.neighbours import NeighbourModel
from acai.cf.similarities import PAIR_BYTES
from acai.errors import InputError
from acai.files import Contents
from acai.ratings import Ratings
from acai.settings import setting

if TYPE_CHECKING:
    from acai.cf.kernels import NeighbourLists

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
        See `acai.cf.similarities`.
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

    def _neighbours_of(self, a: Codes) -> Iterator[tuple[Codes, "NeighbourLists"]]:
        return self.search.blocks(a)

    def _scratch_bytes(self) -> int:
        return max(self.memory, PAIR_BYTES * self.ratings.n_users)

    def _score_rows(self, rows: Codes) -> Array:
        from acai.cf import kernels

        Z, songs = kernels.rows_of(self.Z), np.arange(self.ratings.n_songs)
        scores = []
        for block, lists in self._neighbours_of(rows):
            sums = kernels.neighbour_sums(lists, self._how_many(), Z, len(songs))
            scores.append(self._combine(block[:, None], songs, sums))
        return np.concatenate(scores)

    def _newcomer_sums(self, row: sparse.csr_array, z: Array) -> tuple[Array, Array]:
        from acai.cf import kernels

        A = sparse.vstack([self.ratings.csr, row], format="csr")
        ((_, lists),) = self._search(A, self.ratings.csc.T).blocks(np.array([A.shape[0] - 1]))
        numerator, denominator = kernels.neighbour_sums(lists, self._how_many(), kernels.rows_of(self.Z), row.shape[1])
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
        numerator, denominator = kernels.neighbour_sums(self._all_lists(), self._how_many(), Z, len(rows))
        return self._combine(rows[:, None], np.arange(self.ratings.n_songs), (numerator.T, denominator.T))

    def _newcomer_sums(self, row: sparse.csr_array, z: Array) -> tuple[Array, Array]:
        from acai.cf import kernels

        Z = kernels.rows_of(sparse.csr_array((z, row.indices, row.indptr), shape=row.shape).T.tocsr())
        numerator, denominator = kernels.neighbour_sums(self._all_lists(), self._how_many(), Z, 1)
        return numerator[:, 0], denominator[:, 0]
