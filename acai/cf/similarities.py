"""How similar two users, or two songs, are (C2, C3, C13), by what they have in common, and who is most similar."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.errors import InputError

if TYPE_CHECKING:
    from acai.cf.kernels import NeighbourLists

PAIR_BYTES = 128  # that a pair of rows takes: 4 for v, 48 for six sums, as much again to compute s, and some to spare
Array = NDArray[np.float64]


@dataclass
class CoRatedSums:
    """Sums over the songs that both users of a pair (u, v) rated; each an array with one entry for each pair."""

    n: Array  # how many songs both rated
    x: Array  # Σ r(u,i)
    y: Array  # Σ r(v,i)
    xx: Array  # Σ r(u,i)²
    yy: Array  # Σ r(v,i)²
    xy: Array  # Σ r(u,i) r(v,i)
    norm_u: Array  # √Σ r(u,i)² over everything that u rated
    norm_v: Array  # and for v
    alpha: float = 0.5  # of the asymmetric cosine


def overlap(s: CoRatedSums) -> Array:
    """Count the songs that both rated: what the original used."""
    return s.n


def pearson(s: CoRatedSums) -> Array:
    """(C3) The correlation over the songs that both rated, centred on the means over those songs.

    0 where one of the two gave all of them the same rating.
    """
    variances = (s.n * s.xx - s.x**2) * (s.n * s.yy - s.y**2)  # (C3)
    return _divide(s.n * s.xy - s.x * s.y, np.sqrt(variances))  # (C3)


def msd(s: CoRatedSums) -> Array:
    """1 / (1 + mean squared difference) over the songs that both rated (Shardanand, Maes 1995)."""
    difference: Array = s.xx - 2 * s.xy + s.yy
    return 1 / (1 + difference / s.n)


def cosine(s: CoRatedSums) -> Array:
    """Compute the cosine between the two rows of R, with missing entries as zeros."""
    return _divide(s.xy, s.norm_u * s.norm_v)


def cosine_corated(s: CoRatedSums) -> Array:
    """Compute the cosine over only the songs that both rated: what Surprise calls cosine."""
    return _divide(s.xy, np.sqrt(s.xx * s.yy))


def asymmetric(s: CoRatedSums) -> Array:
    """(C13) The cosine between the two rows of R, its norms weighted unequally (Aiolli 2013); α = ½ is the plain cosine."""
    return _divide(s.xy, s.norm_u ** (2 * s.alpha) * s.norm_v ** (2 * (1 - s.alpha)))  # (C13)


def _divide(a: Array, b: Array) -> Array:
    return np.divide(a, b, out=np.zeros_like(b), where=b > 0)


SIMILARITIES: dict[str, Callable[[CoRatedSums], Array]] = {
    measure.__name__: measure for measure in (pearson, msd, cosine, cosine_corated, asymmetric, overlap)
}
SIMILARITIES["indicator"] = overlap  # (C2) 1 for each of the k that have most in common


class Similarity(NamedTuple):
    """A measure by its name, and when a pair has too little in common to trust it; the settings of the models explain it."""

    measure: str
    min_overlap: int
    shrinkage: float
    asymmetry: float
    k: int

    def __call__(self, sums: CoRatedSums) -> Array:
        """Compute s for each pair."""
        s = SIMILARITIES[self.measure](sums)
        if self.shrinkage:
            s = s * (sums.n / (sums.n + self.shrinkage))
        return np.where(sums.n >= self.min_overlap, s, 0.0)


class NeighbourSearch:
    """The search for the nearest neighbours of rows of A: R for users, its transpose for songs.

    Parameters
    ----------
    A, A_T : csr_array
        R and its transpose, in either order.
    similarity : Similarity
        Which rows are near.
    memory : int
        How many bytes a block of pairs may take.
    """

    def __init__(self, A: sparse.csr_array, A_T: sparse.csr_array, similarity: Similarity, memory: int) -> None:
        self.A, self.A_T = A, A_T
        self.similarity = similarity
        self.memory = memory
        self.norms = row_norms(A)

    def blocks(
        self, rows: NDArray[np.integer], keep: int | None = None, progress: bool = False
    ) -> Iterator[tuple[NDArray[np.int32], "NeighbourLists"]]:
        """Find all rows with a positive similarity to each of `rows`, only the `keep` nearest of them if given.

        As many rows are taken at a time as fit into memory even if each has something in common with every other row; at
        least one. Of equally similar rows, the first is nearer.

        Yields
        ------
        block, lists
            Some of `rows`, and the neighbours of each.
        """
        from tqdm import tqdm

        from acai.cf import kernels

        m = self.A.shape[0]
        size = min(max(1, self.memory // (PAIR_BYTES * m)), max(1, len(rows)))
        n_pairs = size * (m - 1)
        ends = np.zeros(size + 1, np.int64)
        try:
            v, sums = np.empty(n_pairs, np.int32), np.empty((6, n_pairs))
        except (MemoryError, ValueError):  # ValueError: more bytes than a pointer can count
            raise InputError(f"memory={self.memory}: there are not as many bytes for {n_pairs:,} pairs; set less") from None
        A, A_T = kernels.rows_of(self.A), kernels.rows_of(self.A_T)
        for start in tqdm(range(0, len(rows), size), desc="similar songs", unit="block", disable=not progress):
            block = np.asarray(rows[start : start + size], dtype=np.int32)
            kernels.co_rated_sums(block, A, A_T, ends, v, sums)
            yield block, self._nearest(block, ends[: len(block) + 1], v, sums, keep)

    def _nearest(
        self, block: NDArray[np.int32], ends: NDArray[np.int64], v: NDArray[np.int32], sums: Array, keep: int | None
    ) -> "NeighbourLists":
        """Turn the sums of each row's pairs into its list of neighbours."""
        from acai.cf import kernels

        u, v = np.repeat(block, np.diff(ends)), v[: ends[-1]]
        n, x, y, xx, yy, xy = sums[:, : ends[-1]]
        s = self.similarity(CoRatedSums(n, x, y, xx, yy, xy, self.norms[u], self.norms[v], self.similarity.asymmetry))
        is_indicator = self.similarity.measure == "indicator"
        if is_indicator:
            keep = self.similarity.k
        chosen = [begin + nearest_first(s[begin:end], keep) for begin, end in pairwise(ends)]  # (C2)
        starts = np.cumsum([0, *map(len, chosen)])
        pairs = np.concatenate(chosen)
        s = np.ones(len(pairs)) if is_indicator else s[pairs]  # (C2)
        return kernels.NeighbourLists(starts, v[pairs], s)


def nearest_first(s: Array, keep: int | None) -> NDArray[np.intp]:
    """Find the places of the positive similarities, the largest first, equals by place; only the first `keep` if given."""
    places = np.flatnonzero(s > 0)
    if keep is not None and len(places) > keep:  # no need to sort them all
        least = np.partition(s[places], len(places) - keep)[len(places) - keep]
        places = places[s[places] >= least]
    return places[np.argsort(-s[places], kind="stable")][:keep]


def row_norms(A: sparse.csr_array) -> Array:
    """Compute ‖r(a)‖ of each row."""
    rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    return np.sqrt(np.bincount(rows, A.data.astype(np.float64) ** 2, A.shape[0]))
