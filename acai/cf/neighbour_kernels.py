"""The loops of (C1): what neighbours thought, each weighted by similarity."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.cf.kernels import Floats, Ints, Rows, top_n
from acai.compiling import njit

Float64s = NDArray[np.float64]


class NeighbourLists(NamedTuple):
    """The neighbours of the a-th of some rows are v[starts[a]:starts[a + 1]], the nearest first, s their similarities."""

    starts: Ints
    v: Ints
    s: Floats


class HowMany(NamedTuple):
    """How many neighbours a prediction needs, and how many count: the `min_neighbours` and k of the model."""

    at_least: int
    at_most: int


@njit(nogil=True)
def neighbour_sums(lists: NeighbourLists, count: HowMany, Z: Rows, n_columns: int) -> tuple[Float64s, Float64s]:
    """(C1) Compute Σ_v s(a,v) Z(v,b) and Σ_v |s(a,v)| for every a with a list of neighbours and every column b of Z.

    From the nearest neighbour to the farthest, each b takes the first who know it. Both sums are 0 if too few do.
    """
    starts, v, s = lists
    indptr, indices, z = Z
    numerator, denominator = np.zeros((len(starts) - 1, n_columns)), np.zeros((len(starts) - 1, n_columns))
    for a in range(len(numerator)):
        found = np.zeros(n_columns, np.int64)
        for l in range(starts[a], starts[a + 1]):
            for j in range(indptr[v[l]], indptr[v[l] + 1]):
                b = indices[j]
                if found[b] < count.at_most:
                    found[b] += 1
                    numerator[a, b] += s[l] * z[j]  # (C1)
                    denominator[a, b] += s[l]  # (C1)
        for b in range(n_columns):
            if found[b] < count.at_least:
                numerator[a, b] = denominator[a, b] = 0
    return numerator, denominator


@njit(nogil=True)
def neighbour_sums_for_pairs(
    a: Ints, b: Ints, lists: NeighbourLists, count: HowMany, Z_by_b: Rows, m: int
) -> tuple[Float64s, Float64s]:
    """Compute the same sums for some pairs of a and b only; fastest if pairs with the same b are next to each other.

    `Z_by_b` has a row for each b, and a column for each of the m possible neighbours.
    """
    starts, v, s = lists
    numerator, denominator = np.zeros(len(a)), np.zeros(len(a))
    where = np.full(m, -1, np.int64)  # where in Z is what each of the m possible neighbours thought of b
    for p in range(len(a)):
        begin, end = Z_by_b.indptr[b[p]], Z_by_b.indptr[b[p] + 1]
        if p == 0 or b[p] != b[p - 1]:
            for j in range(begin, end):
                where[Z_by_b.indices[j]] = j
        found = 0
        for l in range(starts[a[p]], starts[a[p] + 1]):
            j = where[v[l]]
            if begin <= j < end:  # or it is left over from an earlier b
                numerator[p] += s[l] * Z_by_b.data[j]
                denominator[p] += s[l]
                found += 1
                if found == count.at_most:
                    break
        if found < count.at_least:
            numerator[p] = denominator[p] = 0
    return numerator, denominator


@njit(nogil=True)
def sums_over_all(rows: Ints, Z: Rows, S_T: Rows) -> Float64s:
    """(C1) Compute Σ_j s(i,j) z(u,j) over all neighbours j of i, for each u of `rows` and every i: rows of the product Z Sᵀ.

    Row j of `S_T` has s(i,j) for those i that have j as a neighbour.
    """
    sums = np.zeros((len(rows), len(S_T.indptr) - 1))
    for a in range(len(rows)):
        add_product(rows[a], Z, S_T, sums[a])
    return sums


@njit(nogil=True)
def best_by_sums(rows: Ints, Z: Rows, S_T: Rows, left_out: Ints, n: int, exclude_rated: bool) -> tuple[Ints, Floats]:
    """Find the n best songs of each user by these sums, as `top_n` does; there are never the sums of more than one user."""
    n_songs = len(S_T.indptr) - 1
    sums, scores = np.zeros(n_songs), np.empty((1, n_songs), np.float32)
    columns, best = np.empty((len(rows), n), np.int32), np.empty((len(rows), n), np.float32)
    for a in range(len(rows)):
        add_product(rows[a], Z, S_T, sums)
        for i in range(n_songs):
            scores[0, i], sums[i] = sums[i], 0
        for i in left_out:
            scores[0, i] = -np.inf
        if exclude_rated:
            for j in range(Z.indptr[rows[a]], Z.indptr[rows[a] + 1]):
                scores[0, Z.indices[j]] = -np.inf
        columns[a : a + 1], best[a : a + 1] = top_n(scores, n)
    return columns, best


@njit(nogil=True)
def add_product(u: int, Z: Rows, S_T: Rows, sums: Floats) -> None:
    """Add row u of Z Sᵀ to `sums`."""
    for j in range(Z.indptr[u], Z.indptr[u + 1]):
        v, z = Z.indices[j], Z.data[j]
        for l in range(S_T.indptr[v], S_T.indptr[v + 1]):
            sums[S_T.indices[l]] += S_T.data[l] * z
