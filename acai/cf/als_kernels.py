"""The loops of ALS (C11), compiled by Numba. Imported only where they are used."""

from typing import NamedTuple

import numpy as np

from acai.cf.kernels import REORDER, Floats, Ints, Number, Rows, dot
from acai.compiling import njit


class NormalEquations(NamedTuple):
    """What the rows that ALS solves have in common: Y is fixed, G = YᵀY + λI, and Z = Y G⁻¹.

    A row whose pivots fall below `least_pivot` in single precision is solved in double.
    """

    Y: Floats
    G: Floats
    Z: Floats
    least_pivot: float


@njit(nogil=True)
def als_solve(first: int, last: int, extra: Rows, equations: NormalEquations, X: Floats, loss: Floats) -> None:
    """(C11) For each row u, find the x that minimises Σ_i c(u,i) (1 or 0 − x·y_i)² + λ ‖x‖², and put it into X.

    The rows are those from `first` to before `last`; `extra` holds c − 1, what each known entry adds to the confidence of 1
    that all entries have. `loss` gets the minimum, NaN where double precision is not enough.
    """
    for u in range(first, last):
        here = slice(extra.indptr[u], extra.indptr[u + 1])
        loss[u] = solve_row(extra.indices[here], extra.data[here], equations, X[u])


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def solve_row(i: Ints, extra: Floats, equations: NormalEquations, x: Floats) -> Number:
    """Solve (G + Yᵀ E Y) x = Yᵀ c with E = diag(c − 1), for the rows `i` of Y; returns the minimum.

    If there are fewer rows than factors, Woodbury's identity turns it into a system of as many equations as rows:
    x = Zᵀ (c − v) with K = Y Zᵀ and (E⁻¹ + K) v = K c.
    """
    if len(i) == 0:
        x[:] = 0
        return 0.0
    G = equations.G
    Y, c = equations.Y[i], 1 + extra
    if len(i) < len(G):
        Z = equations.Z[i]
        K = gram_matrix(Z, Y)
        Kc = np.array([dot(row, c) for row in K])
        for j in range(len(i)):
            K[j, j] += 1 / extra[j]
        v, pivot = cholesky_solve(K, Kc)
        x[:] = 0
        for j in range(len(i)):
            x += (c[j] - v[j]) * Z[j]
    else:
        Y_T = Y.T.copy()
        solution, pivot = cholesky_solve(G + gram_matrix(extra * Y_T, Y_T), np.array([dot(row, c) for row in Y_T]))
        copy(solution, x)
    if not pivot >= equations.least_pivot:  # NaN as well
        return solve_row_in_double(extra, Y, G, x)
    loss = 0.0
    for j in range(len(i)):
        loss += c[j] * (1 - dot(Y[j], x))  # true where the gradient is zero
    return loss


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def solve_row_in_double(extra: Floats, Y: Floats, G: Floats, x: Floats) -> Number:
    """Solve (G + Yᵀ E Y) x = Yᵀ c where confidence is so high that sums in single precision are too coarse."""
    A, b = G.copy(), np.zeros(len(G))
    for j in range(len(extra)):
        for f in range(len(G)):
            y = np.float64(Y[j, f])
            b[f] += (1 + np.float64(extra[j])) * y
            extra_y = np.float64(extra[j]) * y
            for g in range(f + 1):
                A[f, g] += extra_y * Y[j, g]
    solution, pivot = cholesky_solve(A, b)
    if not pivot >= 1e-10:  # then fewer than six digits are correct
        return np.nan
    copy(solution, x)
    loss = 0.0
    for j in range(len(extra)):
        r_hat = 0.0
        for f in range(len(G)):
            r_hat += Y[j, f] * solution[f]
        loss += (1 + np.float64(extra[j])) * (1 - r_hat)
    return loss


@njit(nogil=True)
def copy(source: Floats, target: Floats) -> None:
    """Do what target[:] = source does, without its check of lengths, which takes Numba 3 s to compile."""
    for f in range(len(target)):
        target[f] = source[f]


@njit(nogil=True, fastmath=REORDER)
def gram_matrix(U: Floats, V: Floats) -> Floats:
    """Compute U Vᵀ, which must be symmetric."""
    A = np.empty((len(U), len(U)))
    for f in range(len(U)):
        for g in range(f + 1):
            A[f, g] = A[g, f] = dot(U[f], V[g])
    return A


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def cholesky_solve(A: Floats, b: Floats) -> tuple[Floats, Number]:
    """Solve A x = b by A = L Lᵀ; returns x and the smallest pivot, as a share of its diagonal entry. L overwrites A.

    A pivot is what the subtraction leaves of a diagonal entry, so its share says how much precision is left.
    """
    x, least = np.empty(len(b)), 1.0
    for f in range(len(b)):
        for g in range(f):
            A[f, g] = (A[f, g] - dot(A[f, :g], A[g, :g])) / A[g, g]
        pivot = A[f, f] - dot(A[f, :f], A[f, :f])
        if not pivot >= least * A[f, f]:  # NaN as well
            least = pivot / A[f, f]
        A[f, f] = np.sqrt(pivot)
        x[f] = (b[f] - dot(A[f, :f], x[:f])) / A[f, f]
    for f in range(len(b) - 1, -1, -1):
        x[f] /= A[f, f]
        for h in range(f):
            x[h] -= A[f, h] * x[f]
    return x, least
