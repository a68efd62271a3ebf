"""The loops that NumPy has no function for, compiled by Numba. Imported only where they are used.

What belongs together is passed as a NamedTuple, which compiled code takes apart at no cost.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.compiling import njit

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Number = np.floating[Any] | float

# error_model="numpy": a division by zero gives infinity or NaN, which is looked for afterwards, and no exception
REORDER = {"reassoc", "contract", "nsz"}  # sums may be reordered; NaN and infinity keep their meaning


class Rows(NamedTuple):
    """A sparse matrix by rows: row a has data[j] in column indices[j] for indptr[a] ≤ j < indptr[a + 1]."""

    indptr: Ints
    indices: Ints
    data: Floats


class Factors(NamedTuple):
    """The parameters of r̂ = μ + b(u) + b(i) + p_u·q_i."""

    P: Floats
    Q: Floats
    b_u: Floats
    b_i: Floats
    mu: Number


class KnownEntries(NamedTuple):
    """The known entries of R: user u[j], one of m, gave song i[j] the value r[j]."""

    u: Ints
    i: Ints
    r: Floats
    m: int


class Parameters(NamedTuple):
    """What descent changes: W has the m rows of P above those of Q, and b the biases likewise; μ is fixed."""

    W: Floats
    b: Floats
    mu: Number
    has_biases: bool


class Momentum(NamedTuple):
    """Δw of W and b, the step of the epoch that each entry has, how many steps each row of W made in it, `momentum_tables`."""

    delta_W: Floats
    delta_b: Floats
    turn: Ints
    n_steps: Ints
    moved: Floats
    shrunk: Floats


def rows_of(matrix: sparse.csr_array) -> Rows:
    """Pass a SciPy matrix to a kernel."""
    return Rows(matrix.indptr, matrix.indices, matrix.data)


@njit(nogil=True, fastmath=REORDER)
def dot(p: Floats, q: Floats) -> Number:
    """p·q."""
    s = p.dtype.type(0)
    for f in range(len(p)):
        s += p[f] * q[f]
    return s


@njit(nogil=True)
def top_n(scores: NDArray[np.float32], n: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the n best columns of each row, and their scores: the best first, the leftmost of equals, never −∞ or NaN."""
    columns = np.full((len(scores), n), -1, np.int32)
    best = np.full((len(scores), n), -np.inf, np.float32)
    for u in range(len(scores)):
        for i in range(scores.shape[1]):
            s = scores[u, i]
            a = n - 1
            if s > best[u, a]:
                while a > 0 and s > best[u, a - 1]:
                    best[u, a], columns[u, a] = best[u, a - 1], columns[u, a - 1]
                    a -= 1
                best[u, a], columns[u, a] = s, i
    return columns, best


@njit(nogil=True, fastmath=REORDER)
def predict(u: Ints, i: Ints, factors: Factors) -> Floats:
    """Predict r̂ = μ + b(u) + b(i) + p_u·q_i for each pair (C4), without the terms of an unknown user or song, −1."""
    P, Q, b_u, b_i, mu = factors
    r_hat = np.full(len(u), mu)
    for j in range(len(u)):
        x, y = u[j], i[j]
        if x >= 0:
            r_hat[j] += b_u[x]
        if y >= 0:
            r_hat[j] += b_i[y]
        if x >= 0 and y >= 0:
            r_hat[j] += dot(P[x], Q[y])  # (C4)
    return r_hat


@njit(nogil=True, fastmath=REORDER)
def sgd_steps(order: Ints, known: KnownEntries, parameters: Parameters, eta: Number, lam: Number) -> None:
    """Take a step of plain stochastic gradient descent, (C10) with α = 0, for each of these known entries in this order."""
    u, i, r, m = known
    W, b, mu, has_biases = parameters
    for j in order:
        x, y = u[j], m + i[j]
        e = r[j] - mu - b[x] - b[y] - dot(W[x], W[y])
        for f in range(W.shape[1]):
            p, q = W[x, f], W[y, f]
            W[x, f] = p + eta * (e * q - lam * p)  # (C10)
            W[y, f] = q + eta * (e * p - lam * q)  # (C10)
        if has_biases:
            b[x] += eta * (e - lam * b[x])  # (C10)
            b[y] += eta * (e - lam * b[y])  # (C10)


@njit(nogil=True, fastmath=REORDER)
def momentum_steps(  # noqa: PLR0914 - it unpacks the symbols of (C10)
    order: Ints, known: KnownEntries, parameters: Parameters, eta: Number, lam: Number, momentum: Momentum
) -> None:
    """Take a step (C10) with α > 0 for each of these known entries in this order, after those that its two rows have missed."""
    u, i, r, m = known
    W, b, mu, has_biases = parameters
    delta_W, delta_b, turn, n_steps, _, shrunk = momentum
    alpha = shrunk[1]
    for j in order:
        x, y = u[j], m + i[j]
        apply_missed_steps(x, turn[j] - n_steps[x], parameters, momentum)
        apply_missed_steps(y, turn[j] - n_steps[y], parameters, momentum)
        e = r[j] - mu - b[x] - b[y] - dot(W[x], W[y])
        for f in range(W.shape[1]):
            p, q = W[x, f], W[y, f]  # by which the gradient of F_j is −(e q − λ p) and −(e p − λ q)
            delta_W[x, f] = alpha * delta_W[x, f] + eta * (e * q - lam * p)  # (C10)
            delta_W[y, f] = alpha * delta_W[y, f] + eta * (e * p - lam * q)  # (C10)
            W[x, f] = p + delta_W[x, f]  # (C10)
            W[y, f] = q + delta_W[y, f]  # (C10)
        if has_biases:
            delta_b[x] = alpha * delta_b[x] + eta * (e - lam * b[x])  # (C10)
            delta_b[y] = alpha * delta_b[y] + eta * (e - lam * b[y])  # (C10)
            b[x] += delta_b[x]  # (C10)
            b[y] += delta_b[y]  # (C10)
        n_steps[x] = n_steps[y] = turn[j] + 1


@njit(nogil=True, fastmath=REORDER)
def end_momentum_epoch(parameters: Parameters, momentum: Momentum) -> None:
    """Apply to each row the steps that it missed since its last turn in this epoch."""
    for x in range(len(parameters.W)):
        apply_missed_steps(x, len(momentum.turn) - momentum.n_steps[x], parameters, momentum)
    momentum.n_steps[:] = 0


@njit(nogil=True, fastmath=REORDER)
def apply_missed_steps(x: int, t: int, parameters: Parameters, momentum: Momentum) -> None:
    """Move row x by momentum alone, as in t steps whose ∇F_j has zeros for it: w ← w + (α + … + αᵗ) Δw, Δw ← αᵗ Δw."""
    W, b, _, _ = parameters
    delta_W, delta_b, _, _, moved, shrunk = momentum
    t = min(t, len(moved) - 1)  # where the tables end, nothing is left of Δw
    far, less = moved[t], shrunk[t]
    w, delta_w = W[x], delta_W[x]
    for f in range(len(w)):
        w[f] += far * delta_w[f]
        delta_w[f] *= less
    b[x] += far * delta_b[x]
    delta_b[x] *= less
