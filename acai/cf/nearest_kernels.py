"""The loops of `NeighbourSearch`: what two rows have in common, how similar they are, and who is nearest.

A row u of A is compared with all others at once. Σ r(u,i) r(v,i) for every v is row u of the product A Aᵀ, so it is made as a
sparse product is: each i of u adds its part to the sums of everybody who has i. What is compared is in one dense array, and
the few that were touched are listed, so that nobody looks at the others.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.cf.kernels import Floats, Ints, Rows
from acai.compiling import njit

MEASURES = ("pearson", "msd", "cosine", "cosine_corated", "asymmetric", "overlap", "indicator")
PEARSON, MSD, COSINE, COSINE_CORATED, ASYMMETRIC, OVERLAP, INDICATOR = range(len(MEASURES))
XY, N, X, Y, XX, YY = range(6)  # the sums of `CoRatedSums`: the columns of `sums`, which may end after the first or second
Found = tuple[NDArray[np.int64], Ints, Floats]


class Comparison(NamedTuple):
    """How two rows are compared: the settings of `Similarity`, how many sums they need, and what u and v add to (C13)."""

    measure: int
    min_overlap: int
    shrinkage: float
    n_sums: int
    weight_u: NDArray[np.float64]
    weight_v: NDArray[np.float64]


@njit(nogil=True)
def nearest(rows: Ints, A: Rows, A_T: Rows, comparison: Comparison, all_v: Ints, all_s: Floats) -> Found:
    """Find the most similar of each of `rows`: how many each has, and then v and s, row after row, the nearest first.

    As many are kept as `all_v` and `all_s` have room for, the same number for each row. Of equally similar rows, the first is
    nearer. Nobody with s ≤ 0 is near. `A_T` is the transpose of A.
    """
    m, keep = len(A.indptr) - 1, len(all_s) // len(rows)
    sums, touched = np.zeros((m, comparison.n_sums)), np.empty(m + 1, np.int32)
    s: Floats = np.empty(m)
    v: Ints = np.empty(m, np.int32)
    spare_s, spare_v = np.empty_like(s), np.empty_like(v)
    sizes, at = np.zeros(len(rows), np.int64), 0
    for a in range(len(rows)):
        others = touched[: add_common(rows[a], A, A_T, sums, touched)]
        sums[rows[a]] = 0  # nobody is their own neighbour
        take_similarities(rows[a], others, sums, comparison, spare_s)
        found = choose(keep, others, spare_s, s, v)
        s, v, spare_s, spare_v = sort_nearest_first(found, s, v, spare_s, spare_v)
        sizes[a] = min(found, keep)
        for k in range(sizes[a]):
            all_v[at + k] = v[k]
            all_s[at + k] = 1.0 if comparison.measure == INDICATOR else s[k]  # (C2)
        at += sizes[a]
    return sizes, all_v[:at], all_s[:at]


@njit(nogil=True)
def add_common(u: int, A: Rows, A_T: Rows, sums: Floats, touched: Ints) -> int:
    """Add what u has in common with each v to sums[v], list those v in `touched`, and return how many there are."""
    n_sums = sums.shape[1]
    positive = N if n_sums > 1 else XY  # the column with a sum that is only 0 before anything is added
    count = 0
    for j in range(A.indptr[u], A.indptr[u + 1]):
        i, x = A.indices[j], np.float64(A.data[j])
        for l in range(A_T.indptr[i], A_T.indptr[i + 1]):
            v, y = A_T.indices[l], np.float64(A_T.data[l])
            touched[count] = v
            count += sums[v, positive] == 0  # or v is listed already, and the next one takes its place
            sums[v, XY] += x * y
            if n_sums > 1:
                sums[v, N] += 1
            if n_sums > 2:
                sums[v, X] += x
                sums[v, Y] += y
                sums[v, XX] += x * x
                sums[v, YY] += y * y
    if count > len(sums) // 8:  # it costs little to list them in order, and sorting is quicker then
        count = 0
        for v in range(len(sums)):
            touched[count] = v
            count += sums[v, positive] != 0
    return count


@njit(nogil=True, error_model="numpy")
def take_similarities(u: int, others: Ints, sums: Floats, comparison: Comparison, s: Floats) -> None:
    """Compute s(u,v) for each v of `others` as `acai.cf.plain` does, which explains the measures; leave zeros in `sums`."""
    measure, min_overlap, shrinkage, n_sums, weight_u, weight_v = comparison
    if measure == COSINE or measure == ASYMMETRIC:
        of_u = weight_u[u]
        for at in range(len(others)):
            s[at] = ratio(sums[others[at], XY], of_u * weight_v[others[at]])  # (C13)
    elif measure == OVERLAP or measure == INDICATOR:
        for at in range(len(others)):
            s[at] = sums[others[at], N]
    else:
        compare_co_rated(measure, others, sums, s)
    if shrinkage > 0 or min_overlap > 1:
        for at in range(len(others)):
            n = sums[others[at], N]
            s[at] = s[at] * (n / (n + shrinkage)) if n >= min_overlap else 0.0
    for v in others:
        for f in range(n_sums):
            sums[v, f] = 0


@njit(nogil=True, error_model="numpy")
def compare_co_rated(measure: int, others: Ints, sums: Floats, s: Floats) -> None:
    """Compute s(u,v) by a measure that looks only at what both have, from all six sums."""
    for at in range(len(others)):
        v = others[at]
        xy, n, x, y, xx, yy = sums[v, XY], sums[v, N], sums[v, X], sums[v, Y], sums[v, XX], sums[v, YY]
        if measure == PEARSON:
            s[at] = ratio(n * xy - x * y, math.sqrt(max((n * xx - x * x) * (n * yy - y * y), 0.0)))  # (C3)
        elif measure == MSD:
            s[at] = 1 / (1 + (xx - 2 * xy + yy) / n)
        else:
            s[at] = ratio(xy, math.sqrt(xx * yy))


@njit(nogil=True, error_model="numpy")
def ratio(a: float, b: float) -> float:
    """Divide a by b; 0 if there is nothing to divide by."""
    return a / b if b > 0 else 0.0


@njit(nogil=True)
def choose(keep: int, others: Ints, similar: Floats, s: Floats, v: Ints) -> int:
    """Put those of `others` with a positive similarity into v and s; return how many there are.

    Of more than twice as many as `keep`, those that are certainly not among the nearest are dropped.
    """
    found, least, too_many = 0, 5e-324, 2 * keep  # the least positive number
    for k in range(len(others)):
        if similar[k] >= least:
            s[found], v[found] = similar[k], others[k]
            found += 1
            if found == too_many:
                found, least = drop_all_but(keep, found, s, v)
                too_many = 2 * found  # more than 2 keep if many are equal
    return found


@njit(nogil=True)
def drop_all_but(keep: int, n: int, s: Floats, v: Ints) -> tuple[int, float]:
    """Drop, of n pairs (s, v), those with s below that of the `keep` nearest; return how many are left, and the least s."""
    least = largest(keep, s[:n].copy())
    left = 0
    for k in range(n):
        s[left], v[left] = s[k], v[k]
        left += s[k] >= least
    return left, least


@njit(nogil=True)
def largest(k: int, s: Floats) -> float:
    """Find the k-th largest of some numbers, which changes their order (Hoare's FIND)."""
    first, last = 0, len(s) - 1
    while first < last:
        pivot, a, b = s[(first + last) // 2], first, last
        while a <= b:
            while s[a] > pivot:
                a += 1
            while s[b] < pivot:
                b -= 1
            if a <= b:
                s[a], s[b] = s[b], s[a]
                a, b = a + 1, b - 1
        if k - 1 <= b:  # it is among the larger ones
            last = b
        elif k - 1 >= a:
            first = a
        else:
            break
    return float(s[k - 1])


@njit(nogil=True)
def sort_nearest_first(
    n: int, s: Floats, v: Ints, spare_s: Floats, spare_v: Ints
) -> tuple[Floats, Ints, Floats, Ints]:
    """Sort the first n pairs (s, v) by falling s, equals by rising v; return the arrays and, in what order they are now, the spare.

    A radix sort: by one digit of 8 bits after another, from the last to the first, each time without disturbing the order of
    equals. Positive numbers are in the order of their bits, which 255 − digit reverses.
    """
    if n <= 64:
        insert_nearest_first(n, s, v)
        return s, v, spare_s, spare_v
    in_order = True
    for k in range(1, n):
        in_order &= v[k] > v[k - 1]
    start = np.zeros(257, np.int64)
    for shift in range(32 if in_order else 0, 96, 8):  # the 32 bits of v, then the 64 of s
        bits = s.view(np.int64)
        start[:] = 0
        for k in range(n):
            start[1 + digit(bits[k], v[k], shift)] += 1
        if n > 0 and start[1 + digit(bits[0], v[0], shift)] == n:
            continue  # the digit is the same in all
        for d in range(256):
            start[d + 1] += start[d]
        for k in range(n):
            d = digit(bits[k], v[k], shift)
            spare_s[start[d]], spare_v[start[d]] = s[k], v[k]
            start[d] += 1
        s, v, spare_s, spare_v = spare_s, spare_v, s, v
    return s, v, spare_s, spare_v


@njit(nogil=True)
def insert_nearest_first(n: int, s: Floats, v: Ints) -> None:
    """Sort a few pairs: put one after another in its place among those before it."""
    for a in range(1, n):
        similar, w, k = s[a], v[a], a
        while k > 0 and (s[k - 1] < similar or (s[k - 1] == similar and v[k - 1] > w)):
            s[k], v[k] = s[k - 1], v[k - 1]
            k -= 1
        s[k], v[k] = similar, w


@njit(nogil=True)
def digit(bits: int, v: int, shift: int) -> int:
    """Return eight bits of v or, beyond them, 255 minus eight bits of s."""
    return (v >> shift) & 255 if shift < 32 else 255 - ((bits >> (shift - 32)) & 255)
