"""Memory-based prediction (C1): users like this one, and the same on its side, songs like this one."""

import inspect
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple, Self

import numpy as np
from scipy import sparse

from acai.cf.baselines import Baseline, mean, means
from acai.cf.recommender import Learnt, Recommender, how_many
from acai.cf.similarities import SIMILARITIES, Shared, nearest_first
from acai.errors import InputError
from acai.files import Contents
from acai.ratings import Ratings
from acai.settings import setting

CENTRINGS = ("mean", "zscore", "baseline", "none")
PAIR = 128  # bytes that a pair of users takes: 4 for v, 48 for six sums, as much again where s comes of them, and some room
Near = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]  # block, near, v, s: see `Neighbours._nearest`


class Neighbour(NamedTuple):
    """What one neighbour contributed to a prediction."""

    name: Hashable  # a user, or a song
    similarity: float
    rating: float  # what the user thought of the song, or what the song was thought of
    contribution: float  # by how much it moved the prediction


@dataclass
class Neighbours(Recommender):
    """What `UserKNN` and `ItemKNN` share: r̂ for a pair (a, b) from what the neighbours of a are to b.

        r̂ = offset_u + offset_i + scale · κ Σ_v s(a,v) z(v,b),    κ = 1 / Σ_v |s(a,v)|

    For `UserKNN` (axis 0) a is the user and b the song, for `ItemKNN` (axis 1) the other way round. A rating is
    r = offset_u + offset_i + scale · z, by the centring: r̄(u) + 0 + 1 · z in (C1).

    Parameters
    ----------
    k : int
        How many neighbours count, at most.
    similarity : {"pearson", "msd", "cosine", "cosine_corated", "asymmetric", "overlap", "indicator"}
        See `acai.cf.similarities`.
    min_overlap : int
        Pairs with less than this in common are not alike.
    shrinkage : float
        β ≥ 0: multiply s by n / (n + β), n being how much the pair has in common (Bell, Koren 2007).
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

    axis = 0
    k: int = setting(40, at_least=1)
    similarity: str = setting("pearson", choices=SIMILARITIES)
    min_overlap: int = setting(1, at_least=1)
    shrinkage: float = setting(0.0, at_least=0, at_most=1e12)
    centring: str = setting("mean", choices=CENTRINGS)
    asymmetry: float = setting(0.5, at_least=0, at_most=1)
    normalise: bool = setting(True)
    memory: int = setting(2**27, at_least=1)

    def _check(self) -> None:
        super()._check()
        self.predicts_ratings = self.normalise

    def _ready(self, ratings: Ratings) -> Self:
        """Measure every rating from what the centring says. Each array has one more at the end, for what is not known."""
        R, axis, codes = ratings.csr, self.axis, (ratings.user_codes, ratings.csr.indices)
        r, n = R.data.astype(np.float64), how_many(ratings)
        self.mu = mean(ratings)
        self.silent_u, self.silent_i = (np.append(n_x == 0, True) for n_x in n)  # of whom nothing is known
        offsets, self.scale = [np.zeros(size + 1) for size in R.shape], np.ones(R.shape[axis] + 1)
        if self.centring == "baseline":
            biases = Baseline().fit(ratings)
            offsets = [np.append(biases.b_u, 0) + self.mu, np.append(biases.b_i, 0)]
        elif self.centring != "none":
            offsets[axis][:-1] = means(ratings, axis)
        self.offset_u, self.offset_i = offsets
        z = r - self.offset_u[codes[0]] - self.offset_i[codes[1]]
        if self.centring == "zscore":
            spread = np.sqrt(np.bincount(codes[axis], z**2, R.shape[axis]) / np.maximum(n[axis], 1))
            spread[spread == 0] = r.std() or 1.0  # who gives every song the same says nothing of how far apart two songs are
            self.scale[:-1] = spread
            z /= spread[codes[axis]]
        self.Z = sparse.csr_array((z, R.indices, R.indptr), shape=R.shape)
        self.Z_by_b = self.Z if axis else self.Z.T.tocsr()  # the same, with a row for each b
        self.norms = row_norms(ratings, axis)
        return super()._ready(ratings)

    def _near(self, a: np.ndarray) -> Near:
        """The neighbours of each a, as `_nearest` yields them; the block may have more rows than were asked for."""
        return self._nearest(self.ratings, self.axis, a, self.norms)

    def _nearest(
        self, ratings: Ratings, axis: int, rows: np.ndarray, norms: np.ndarray, keep: int | None = None, progress: bool = False
    ) -> Near:
        """All with a positive similarity to each of `rows` (users for axis 0, songs for 1), the nearest first, of equals the first.

        A block of so many rows is taken at a time that what is held of them fits into `memory` bytes, at worst a pair
        with everybody else for each row; at least one row.

        Yields
        ------
        block, near, v, s : arrays
            The neighbours of row `block[j]`, only the `keep` nearest if given, are `v[near[j]:near[j + 1]]`, their
            similarities `s[near[j]:near[j + 1]]`.
        """
        from tqdm import tqdm

        from acai.cf import kernels

        R, R_T = (ratings.csc.T, ratings.csr) if axis else (ratings.csr, ratings.csc.T)
        m, indicator = R.shape[0], self.similarity == "indicator"
        keep = m if keep is None else keep
        keep = self.k if indicator else keep
        size = min(max(1, self.memory // (PAIR * m)), max(1, len(rows)))  # rows in a block
        pairs = size * (m - 1)  # should everybody have something in common with everybody
        try:
            v, sums, ends = np.empty(pairs, np.int32), np.empty((6, pairs)), np.zeros(size + 1, np.int64)
        except (MemoryError, ValueError):  # ValueError: more bytes than a pointer can count
            raise InputError(f"memory={self.memory}: there are not as many bytes for {pairs:,} pairs; set less") from None
        for start in tqdm(range(0, len(rows), size), desc="songs alike", unit="block", disable=not progress):
            block = np.asarray(rows[start : start + size], dtype=np.int32)
            kernels.sum_shared(block, R.indptr, R.indices, R.data, R_T.indptr, R_T.indices, R_T.data, ends, v, sums)
            here = ends[: len(block) + 1]
            u, w = np.repeat(block, np.diff(here)), v[: here[-1]]
            s = self._similarity(Shared(*sums[:, : here[-1]], norms[u], norms[w], self.asymmetry))
            chosen = [begin + nearest_first(s[begin:end], keep) for begin, end in pairwise(here)]
            near, chosen = np.cumsum([0, *map(len, chosen)]), np.concatenate(chosen)
            s = np.ones(len(chosen)) if indicator else s[chosen]  # (C2)
            yield block, near, w[chosen], s

    def _similarity(self, shared: Shared) -> np.ndarray:
        s = SIMILARITIES[self.similarity](shared)
        if self.shrinkage:
            s = s * (shared.n / (shared.n + self.shrinkage))
        return np.where(shared.n >= self.min_overlap, s, 0.0)

    def _blend(self, u: np.ndarray, i: np.ndarray, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        """r̂ from Σ_v s z, the numerator, and Σ_v |s|, the denominator, which `kernels.walk` or `kernels.look_up` summed up."""
        kappa = 1 / np.where(denominator > 0, denominator, 1) if self.normalise else 1.0
        scale = self.scale[i if self.axis else u]
        r_hat = self.offset_u[u] + self.offset_i[i] + scale * kappa * numerator  # (C1)
        if not self.normalise or self.centring == "baseline":
            return r_hat
        nothing_known = denominator == 0 if self.centring == "none" else self.silent_u[u] | self.silent_i[i]
        return np.where(nothing_known, self.mu, r_hat)

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        from acai.cf import kernels

        a, b = (i, u) if self.axis else (u, i)
        numerator, denominator, Z = np.zeros(len(u)), np.zeros(len(u)), self.Z_by_b
        pairs = np.flatnonzero((u >= 0) & (i >= 0))
        pairs = pairs[np.argsort(a[pairs], kind="stable")]
        sorted_a = a[pairs]
        for block, near, v, s in self._near(np.unique(sorted_a)):
            here = pairs[slice(*np.searchsorted(sorted_a, (block[0], block[-1] + 1)))]
            here = here[np.argsort(b[here], kind="stable")]
            rows = np.searchsorted(block, a[here])
            sums = kernels.look_up(rows, b[here], near, v, s, self.k, Z.indptr, Z.indices, Z.data, Z.shape[1])
            numerator[here], denominator[here] = sums
        return self._blend(u, i, numerator, denominator)

    def _likeness(self, i: int) -> np.ndarray:
        likeness = np.full(self.ratings.n_songs, -np.inf)
        ((_, _, j, s),) = self._nearest(self.ratings, 1, np.array([i]), row_norms(self.ratings, 1))
        likeness[j] = s
        return likeness

    def explain(self, user: Hashable, song: Hashable) -> list[Neighbour]:
        """Who is behind a prediction, the nearest first: how like each is, the rating it has to tell, what that changed."""
        u, i, R = self._fitted().row(user), self.ratings.column(song), self.ratings
        a, b, names, R_by_b = (i, u, R.songs, R.csr) if self.axis else (u, i, R.users, R.csc)  # in the order of Z_by_b
        where = {R_by_b.indices[j]: j for j in range(R_by_b.indptr[b], R_by_b.indptr[b + 1])}
        ((block, near, v, s),) = self._near(np.array([a]))
        at = np.searchsorted(block, a)
        here = slice(near[at], near[at + 1])
        chosen = [(names[x], float(s_x), where[x]) for x, s_x in zip(v[here], s[here]) if x in where][: self.k]
        kappa = 1 / sum(s_x for _, s_x, _ in chosen) if self.normalise and chosen else 1.0
        by = self.scale[a] * kappa * self.Z_by_b.data
        return [Neighbour(name, s_x, float(R_by_b.data[j]), float(by[j] * s_x)) for name, s_x, j in chosen]


def _with_shared_parameters(kind: type) -> type:
    """Add the parameters of `Neighbours` to a docstring, whose last section is Parameters. `python -OO` has no docstrings."""
    _, heading, shared = inspect.getdoc(Neighbours).partition("\n----------\n")
    if heading:
        kind.__doc__ = f"{inspect.cleandoc(kind.__doc__)}\n{shared}"
    return kind


@_with_shared_parameters
@dataclass
class UserKNN(Neighbours):
    """What users like this one thought of the song (C1; Resnick et al. 1994, Herlocker et al. 1999).

        r̂(u,i) = r̄(u) + κ Σ_v s(u,v) (r(v,i) − r̄(v)),    κ = 1 / Σ_v |s(u,v)|

    over the k users most like u of those who rated i; those with s ≤ 0 are left out, and of equals the one who stands
    first in R is nearer. Where nobody is left the prediction is r̄(u) (with centring="none", the global mean); for a user
    or song of which nothing is known, the global mean (with centring="baseline", the biases that are known).

    Similarities are worked out for the users at hand, when they are needed: an m × m matrix never exists.

    Parameters
    ----------
    """

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        """Nothing: neighbours are asked when they are needed."""

    def _holds(self) -> int:
        return max(self.memory, PAIR * self.ratings.n_users)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        from acai.cf import kernels

        Z, songs, scores = self.Z, np.arange(self.ratings.n_songs), []
        for block, near, v, s in self._near(rows):
            sums = kernels.walk(near, v, s, self.k, Z.indptr, Z.indices, Z.data, len(songs))
            scores.append(self._blend(block[:, None], songs, *sums))
        return np.concatenate(scores)


@_with_shared_parameters
@dataclass
class ItemKNN(Neighbours):
    """What the user thought of songs like this one (C1 on its side; Sarwar et al. 2001, Deshpande and Karypis 2004).

        r̂(u,i) = r̄(i) + κ Σ_j s(i,j) (r(u,j) − r̄(j)),    κ = 1 / Σ_j |s(i,j)|

    over the k songs most like i of those that u rated, among the `keep` nearest that each song remembers. The rest is as
    for `UserKNN`, users and songs changed about. To rank songs by play counts, `normalise=False, centring="none"` with
    `similarity="asymmetric"` is the rule that won the Million Song Dataset Challenge (Aiolli 2013).

    Attributes
    ----------
    near, j, s : ndarray
        The songs nearest to song i, at most `keep`, are j[near[i]:near[i + 1]], the nearest first; s says how like they are.

    Parameters
    ----------
    keep : int or None
        How many neighbours each song remembers; by default as many as fit into twice `memory`, and at least k.
    """

    axis = 1
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
        blocks = list(self._nearest(ratings, 1, np.arange(n), row_norms(ratings, 1), keep, progress))
        self.near = np.cumsum(np.concatenate([[0], *(np.diff(near) for _, near, _, _ in blocks)]))
        self.j = np.concatenate([j for _, _, j, _ in blocks])
        self.s = np.concatenate([s for _, _, _, s in blocks])

    def _read_state(self, contents: Contents, ratings: Ratings) -> None:
        super()._read_state(contents, ratings)
        if self.near[0] != 0 or self.near[-1] != len(self.j) or (np.diff(self.near) < 0).any():
            raise contents.fault(f"near does not rise from 0 to the {len(self.j)} neighbours")
        if ((self.j < 0) | (self.j >= ratings.n_songs)).any():
            raise contents.fault(f"j has a song number outside the {ratings.n_songs} songs")

    def _near(self, a: np.ndarray) -> Near:
        yield np.arange(self.ratings.n_songs), self.near, self.j, self.s

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        from acai.cf import kernels

        Z = self.Z[rows].T.tocsr()  # what these users think of each song
        sums = kernels.walk(self.near, self.j, self.s, self.k, Z.indptr, Z.indices, Z.data, len(rows))
        return self._blend(rows[:, None], np.arange(self.ratings.n_songs), *(part.T for part in sums))


def row_norms(ratings: Ratings, axis: int) -> np.ndarray:
    """‖r(u)‖ of each user (axis 0), or ‖r(i)‖ of each song (axis 1): float64."""
    codes = (ratings.user_codes, ratings.csr.indices)[axis]
    return np.sqrt(np.bincount(codes, ratings.csr.data.astype(np.float64) ** 2, ratings.csr.shape[axis]))
