"""How alike two users, or two songs, are (C2, C3), from what both have in common."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from acai.errors import InputError, unknown


@dataclass
class Shared:
    """Pairs (u, v) and sums over what both rated; each an array with one entry a pair."""

    n: np.ndarray  # how many songs both rated
    x: np.ndarray  # Σ r(u,i)
    y: np.ndarray  # Σ r(v,i)
    xx: np.ndarray  # Σ r(u,i)²
    yy: np.ndarray  # Σ r(v,i)²
    xy: np.ndarray  # Σ r(u,i) r(v,i)
    norm_u: np.ndarray  # √Σ r(u,i)² over everything that u rated
    norm_v: np.ndarray  # and for v
    alpha: float = 0.5  # of the asymmetric cosine


def overlap(s: Shared) -> np.ndarray:
    """How many songs both rated: what the original used."""
    return s.n


def pearson(s: Shared) -> np.ndarray:
    """(C3) The correlation over the songs that both rated, centred on the means over those songs.

    0 where one of the two gave all of them the same.
    """
    variances = (s.n * s.xx - s.x**2) * (s.n * s.yy - s.y**2)
    return _divided(s.n * s.xy - s.x * s.y, np.sqrt(variances))  # (C3)


def msd(s: Shared) -> np.ndarray:
    """1 / (1 + mean squared difference) over the songs that both rated (Shardanand, Maes 1995)."""
    return 1 / (1 + (s.xx - 2 * s.xy + s.yy) / s.n)


def cosine(s: Shared) -> np.ndarray:
    """The cosine between the two rows of R, gaps counting as zeros."""
    return _divided(s.xy, s.norm_u * s.norm_v)


def cosine_corated(s: Shared) -> np.ndarray:
    """The cosine over the songs that both rated, all else left out: what Surprise calls cosine."""
    return _divided(s.xy, np.sqrt(s.xx * s.yy))


def asymmetric(s: Shared) -> np.ndarray:
    """(C13) The cosine between the two rows of R with its norms weighted unequally (Aiolli 2013); α = ½ gives the plain cosine."""
    return _divided(s.xy, s.norm_u ** (2 * s.alpha) * s.norm_v ** (2 * (1 - s.alpha)))  # (C13)


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros_like(b), where=b > 0)


SIMILARITIES: dict[str, Callable[[Shared], np.ndarray]] = {
    "pearson": pearson,
    "msd": msd,
    "cosine": cosine,
    "cosine_corated": cosine_corated,
    "asymmetric": asymmetric,
    "overlap": overlap,
    "indicator": overlap,
}


@dataclass
class Similarity:
    """A measure of likeness, and what is done to it.

    Parameters
    ----------
    name : str
        One of `SIMILARITIES`; with "indicator" (C2) each of the k nearest by overlap has similarity 1.
    k : int
        How many are nearest, for "indicator".
    min_overlap : int
        Pairs with less than this in common are not alike at all.
    shrinkage : float
        β ≥ 0: s is multiplied by n / (n + β), n being how much the pair has in common (Bell, Koren 2007).
    asymmetry : float
        α of the "asymmetric" cosine (C13), from 0 to 1.
    """

    name: str
    k: int
    min_overlap: int = 1
    shrinkage: float = 0.0
    asymmetry: float = 0.5

    def __post_init__(self) -> None:
        if self.name not in SIMILARITIES:
            raise unknown("similarity", self.name, SIMILARITIES, n=len(SIMILARITIES))
        if self.k < 1 or self.min_overlap < 1 or self.shrinkage < 0 or not 0 <= self.asymmetry <= 1:
            raise InputError(
                f"k={self.k}, min_overlap={self.min_overlap}, shrinkage={self.shrinkage}, asymmetry={self.asymmetry}; "
                "expected k ≥ 1, min_overlap ≥ 1, shrinkage ≥ 0 and asymmetry from 0 to 1"
            )

    def nearest(
        self, R: sparse.csr_array, R_T: sparse.csr_array, rows: np.ndarray, memory: int, keep: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Everybody with a positive similarity to each of `rows`, the nearest first, the lower row first among equals.

        Parameters
        ----------
        R, R_T : csr_array, shapes (m, n) and (n, m)
            The matrix and its transpose, both by rows.
        rows : array of int
            Whose neighbours are sought.
        memory : int
            A block of so many rows is taken at a time that what is held of them fits into so many bytes, at worst m pairs
            a row; at least one row.
        keep : int or None
            Only so many of the nearest to each.

        Yields
        ------
        block, indptr, v, s : arrays
            Neighbours `v[indptr[j]:indptr[j + 1]]` of row `block[j]`, and their similarities; `v` holds until the next.
        """
        from acai.cf import neighbour_kernels as kernels

        norms = np.sqrt(np.bincount(np.repeat(np.arange(R.shape[0]), np.diff(R.indptr)), R.data.astype(float) ** 2, R.shape[0]))
        arrays = (R.indptr, R.indices, R.data, R_T.indptr, R_T.indices, R_T.data)
        size = max(1, int(memory) // (128 * R.shape[0]))  # a pair takes 4 + 6 × 8 bytes, and as much again for the formulas
        keep = self.k if self.name == "indicator" else keep or R.shape[0]
        most = min(size, len(rows)) * (R.shape[0] - 1)  # pairs in a block, should everybody have something in common
        v_, sums, ends = np.empty(most, np.int32), np.empty((6, most)), np.zeros(size + 1, np.int64)
        for start in range(0, len(rows), size):
            block = np.asarray(rows[start : start + size], dtype=np.int32)
            kernels.sum_shared(block, *arrays, ends, v_, sums)
            n_pairs = ends[len(block)]
            v, of_pairs = v_[:n_pairs], sums[:, :n_pairs]
            u = np.repeat(block, np.diff(ends[: len(block) + 1]))
            s = self._of(Shared(*of_pairs, norms[u], norms[v], self.asymmetry))
            indptr = np.zeros(len(block) + 1, np.int64)
            for j in range(len(block)):
                here = slice(ends[j], ends[j + 1])
                order = nearest_first(s[here], keep)
                indptr[j + 1] = indptr[j] + len(order)
                there = slice(indptr[j], indptr[j + 1])  # never beyond `here`, so nothing is overwritten that is still needed
                v[there], s[there] = v[here][order], s[here][order]
            if self.name == "indicator":
                s[:] = 1  # (C2)
            yield block, indptr, v[: indptr[-1]], s[: indptr[-1]]

    def _of(self, shared: Shared) -> np.ndarray:
        s = SIMILARITIES[self.name](shared)
        if self.shrinkage:
            s = s * (shared.n / (shared.n + self.shrinkage))
        return np.where(shared.n >= self.min_overlap, s, 0.0)


def nearest_first(s: np.ndarray, keep: int) -> np.ndarray:
    """The places of the `keep` largest of the positive similarities, in falling order, the first place first among equals."""
    near = np.flatnonzero(s > 0)
    if len(near) > keep:  # no need to sort them all
        least = np.partition(s[near], len(near) - keep)[len(near) - keep]
        near = near[s[near] >= least]
    return near[np.argsort(-s[near], kind="stable")][:keep]
