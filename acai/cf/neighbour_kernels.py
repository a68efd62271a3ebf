"""The loops of the neighbour models, compiled by Numba. Imported only where they are used."""

import numpy as np
from numba import njit


@njit(cache=True)
def sum_shared(rows, indptr, indices, data, t_indptr, t_indices, t_data, ends, v, sums):
    """For each pair of one of `rows` and another row, the sums of `Shared` over the columns that both have.

    A few rows of a sparse matrix product, six products at once. Pair after pair goes into `v` and `sums`, and `ends` says
    where each row's begin and end.
    """
    m = len(indptr) - 1
    n = np.zeros(m, np.int32)
    part = np.zeros((m, 5))
    at = 0
    for a in range(len(rows)):
        u = rows[a]
        for j in range(indptr[u], indptr[u + 1]):
            i, x = indices[j], np.float64(data[j])
            for l in range(t_indptr[i], t_indptr[i + 1]):
                w, y = t_indices[l], np.float64(t_data[l])
                n[w] += 1
                part[w, 0] += x
                part[w, 1] += y
                part[w, 2] += x * x
                part[w, 3] += y * y
                part[w, 4] += x * y
        n[u] = 0  # nobody is their own neighbour
        part[u] = 0
        for w in range(m):
            if n[w] > 0:
                v[at] = w
                sums[0, at] = n[w]
                n[w] = 0
                for f in range(5):
                    sums[f + 1, at] = part[w, f]
                    part[w, f] = 0
                at += 1
        ends[a + 1] = at


@njit(cache=True)
def walk(v, s, k, indptr, indices, Z, numerator, denominator, count):
    """(C1) Σ_v s(u,v) Z(v,i) and Σ_v |s(u,v)| for every i at once.

    From the nearest neighbour to the farthest, each song takes the first k who rated it.
    """
    for a in range(len(v)):
        for j in range(indptr[v[a]], indptr[v[a] + 1]):
            i = indices[j]
            if count[i] < k:
                count[i] += 1
                numerator[i] += s[a] * Z[j]
                denominator[i] += s[a]


@njit(cache=True)
def look_up(u, i, k, S_indptr, S_indices, S_data, n_columns, indptr, indices, Z, numerator, denominator):
    """(C1) on its side, pair by pair: Σ_j s(i,j) Z(u,j) and Σ_j |s(i,j)| over the first k neighbours of i that u rated.

    With users and songs changed about, (C1) upright. Pairs of the same u stand together.
    """
    here = np.full(n_columns, -1, np.int64)  # where in Z each song's rating by the user at hand stands
    last = -1
    for a in range(len(u)):
        if u[a] != last:
            if last >= 0:
                for j in range(indptr[last], indptr[last + 1]):
                    here[indices[j]] = -1
            last = u[a]
            for j in range(indptr[last], indptr[last + 1]):
                here[indices[j]] = j
        count = 0
        for l in range(S_indptr[i[a]], S_indptr[i[a] + 1]):
            j = here[S_indices[l]]
            if j >= 0:
                numerator[a] += S_data[l] * Z[j]
                denominator[a] += S_data[l]
                count += 1
                if count == k:
                    break
