"""Who is most similar to a user or a song (C2, C3, C13). `acai.cf.plain` has the measures, and `nearest_kernels` their loops."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.inputs import Codes
from acai.errors import InputError
from acai.threads import map_blocks, n_threads

if TYPE_CHECKING:
    from acai.cf.nearest_kernels import Comparison
    from acai.cf.neighbour_kernels import NeighbourLists

PAIR_BYTES = 24  # that a pair of rows takes: 4 for v, 8 for s, and as much again for what is made of them
SLICES = 32  # into which work is divided, however many threads there are: enough that none has to wait long for the last
T = TypeVar("T")
Array = NDArray[np.float64]
SIMILARITIES = ("pearson", "msd", "cosine", "cosine_corated", "asymmetric", "overlap", "indicator")
PRODUCTS = ("cosine", "asymmetric")  # need Σ xy alone


class Similarity(NamedTuple):
    """One of SIMILARITIES, and when a pair has too little in common to trust it; the settings of the models explain it."""

    measure: str
    min_overlap: int
    shrinkage: float
    asymmetry: float
    k: int


class NeighbourSearch:
    """The search for the nearest neighbours of rows of A: R for users, its transpose for songs.

    Parameters
    ----------
    A, A_T : csr_array
        R and its transpose, in either order.
    similarity : Similarity
        Which rows are near.
    memory : int
        How many bytes the lists of neighbours may take at a time.
    """

    def __init__(self, A: sparse.csr_array, A_T: sparse.csr_array, similarity: Similarity, memory: int) -> None:
        self.A, self.A_T = A, A_T
        self.similarity = similarity
        self.memory = memory
        alpha = similarity.asymmetry if similarity.measure == "asymmetric" else 0.5
        norms = row_norms(A)
        self.weights = norms ** (2 * alpha), norms ** (2 * (1 - alpha))  # of u and v in (C13)

    def map(
        self, work: Callable[[Codes, "NeighbourLists"], T], rows: Codes, keep: int | None = None, progress: bool = False
    ) -> list[T]:
        """Find all rows with a positive similarity to each of `rows`, only the `keep` nearest of them if given.

        Of equally similar rows, the first is nearer. `rows` are divided into blocks, on which all cores work: as many at a
        time as fit into memory even if each has something in common with every other row; at least one.

        Parameters
        ----------
        work : callable
            Called with each block of rows and their neighbours, from several threads and in any order; its results are
            returned in the order of the blocks.
        """
        from tqdm import tqdm

        from acai.cf import kernels, nearest_kernels, neighbour_kernels

        m = self.A.shape[0]
        if self.similarity.measure == "indicator":
            keep = self.similarity.k
        keep = m if keep is None else min(keep, m)
        A, A_T, comparison = kernels.rows_of(self.A), kernels.rows_of(self.A_T), self._comparison()

        def search(part: slice) -> T:
            block = np.asarray(rows[part], dtype=np.int32)
            sizes, v, s = nearest_kernels.nearest(block, A, A_T, comparison, *self._room_for(len(block) * keep))
            bar.update(len(block))
            return work(block, neighbour_kernels.NeighbourLists(np.concatenate([[0], np.cumsum(sizes)]), v, s))

        longest = max(1, self.memory // (PAIR_BYTES * keep * n_threads()))
        with tqdm(total=len(rows), desc="similar songs", unit="song", disable=not progress) as bar:
            return map_blocks(search, slices_of_equal_work(np.diff(A.indptr)[rows], longest))

    def _room_for(self, n: int) -> tuple[NDArray[np.int32], Array]:
        """Allocate n pairs (v, s), not in the kernel: what compiled code has allocated when it fails is never freed."""
        try:
            return np.empty(n, np.int32), np.empty(n)
        except (MemoryError, ValueError):  # ValueError: more bytes than a pointer can count
            raise InputError(f"memory={self.memory}: there are not as many bytes for {n:,} pairs; set less") from None

    def _comparison(self) -> "Comparison":
        """Tell the kernel how to compare two rows, and which sums that takes."""
        from acai.cf import nearest_kernels

        measure, min_overlap, shrinkage, _, _ = self.similarity
        n_sums = 2 if measure in ("overlap", "indicator", *PRODUCTS) else 6
        if measure in PRODUCTS and min_overlap <= 1 and not shrinkage and (self.A.data > 0).all():
            n_sums = 1  # without n, which is 0 where Σ xy is
        number = nearest_kernels.MEASURES.index(measure)
        return nearest_kernels.Comparison(number, min_overlap, float(shrinkage), n_sums, *self.weights)


def slices_of_equal_work(work: NDArray[np.integer], longest: int) -> list[slice]:
    """Divide a row of tasks into slices that take about as long as each other and are no longer than `longest`."""
    total = np.cumsum(work + 1)  # even no work takes a little time
    equal = np.searchsorted(total, np.sum(work + 1) * np.arange(1, SLICES) / SLICES)
    ends = np.unique([*equal, *range(0, len(work), longest), len(work)]).tolist()
    return [slice(begin, end) for begin, end in pairwise(ends) if begin < end]


def row_norms(A: sparse.csr_array) -> Array:
    """Compute ‖r(a)‖ of each row."""
    rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    return np.sqrt(np.bincount(rows, A.data.astype(np.float64) ** 2, A.shape[0]))
