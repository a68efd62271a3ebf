"""The loops that NumPy cannot do at once, compiled by Numba. Imported only where they are used."""

import numpy as np
from numba import njit, prange

REORDER = {"reassoc", "contract", "nsz"}  # sums may be reordered; NaN and infinity keep their meaning


@njit(cache=True, fastmath=REORDER)
def sgd_epoch(order, u, i, r, P, Q, b_u, b_i, mu, eta, lam, biases):
    """One pass of plain stochastic gradient descent, (C10) with α = 0, over the known entries in this order."""
    for j in order:
        x, y = u[j], i[j]
        e = r[j] - mu - b_u[x] - b_i[y] - dot(P[x], Q[y])
        for f in range(P.shape[1]):
            p, q = P[x, f], Q[y, f]
            P[x, f] = p + eta * (e * q - lam * p)  # (C10)
            Q[y, f] = q + eta * (e * p - lam * q)
        if biases:
            b_u[x] += eta * (e - lam * b_u[x])
            b_i[y] += eta * (e - lam * b_i[y])


@njit(cache=True, fastmath=REORDER)
def dot(p, q):
    """p·q; the last term first, so that the loop is as well aligned as the rows are."""
    last = len(p) - 1
    s = p[last] * q[last]
    for f in range(last):
        s += p[f] * q[f]
    return s


@njit(cache=True, fastmath=REORDER)
def momentum_epoch(order, u, i, r, w, mu, dw, done, step, moved, shrunk, eta, lam, biases):
    """One pass of (C10) with α > 0.

    `w` is (P, Q, b_u, b_i) and `dw` their Δw; `done` counts, for each row of P and of Q, which of the `step` steps so
    far
    it has made. A row that missed t steps, in which its ∇F_j was zero, makes them all at once:
    w ← w + moved[t] Δw with moved[t] = α + α² + … + αᵗ, and Δw ← shrunk[t] Δw with shrunk[t] = αᵗ.
    """
    P, Q, b_u, b_i = w
    dP, dQ, db_u, db_i = dw
    done_u, done_i = done
    alpha = shrunk[1]
    for j in order:
        x, y = u[j], i[j]
        catch_up(P[x], dP[x], b_u, db_u, x, step - done_u[x], moved, shrunk)
        catch_up(Q[y], dQ[y], b_i, db_i, y, step - done_i[y], moved, shrunk)
        e = r[j] - mu - b_u[x] - b_i[y] - dot(P[x], Q[y])
        for f in range(P.shape[1]):
            p, q = P[x, f], Q[y, f]
            dP[x, f] = alpha * dP[x, f] + eta * (e * q - lam * p)  # (C10)
            dQ[y, f] = alpha * dQ[y, f] + eta * (e * p - lam * q)
            P[x, f] = p + dP[x, f]
            Q[y, f] = q + dQ[y, f]
        if biases:
            db_u[x] = alpha * db_u[x] + eta * (e - lam * b_u[x])
            db_i[y] = alpha * db_i[y] + eta * (e - lam * b_i[y])
            b_u[x] += db_u[x]
            b_i[y] += db_i[y]
        step += 1
        done_u[x] = done_i[y] = step
    for x in range(len(P)):
        catch_up(P[x], dP[x], b_u, db_u, x, step - done_u[x], moved, shrunk)
    for y in range(len(Q)):
        catch_up(Q[y], dQ[y], b_i, db_i, y, step - done_i[y], moved, shrunk)
    done_u[:] = step
    done_i[:] = step


@njit(cache=True, fastmath=REORDER)
def catch_up(w, dw, b, db, x, t, moved, shrunk):
    """The t steps that row x missed."""
    t = min(t, len(moved) - 1)  # where the tables end, nothing is left of Δw
    shift(w, dw, moved[t], shrunk[t])
    b[x] += moved[t] * db[x]
    db[x] *= shrunk[t]


@njit(cache=True, fastmath=REORDER)
def shift(w, dw, moved, shrunk):
    for f in range(len(w)):
        w[f] += moved * dw[f]
        dw[f] *= shrunk


@njit(cache=True, fastmath=REORDER)
def residuals(indptr, indices, data, P, Q, b_u, b_i, mu, e):
    """e = r − r̂ of every known entry (C8)."""
    for u in range(len(P)):
        for j in range(indptr[u], indptr[u + 1]):
            i = indices[j]
            e[j] = data[j] - mu - b_u[u] - b_i[i] - dot(P[u], Q[i])


@njit(cache=True, parallel=True, fastmath=REORDER)
def als_solve(indptr, indices, c, Y, G, lam, X, loss):
    """(C11) For each row u, the x that minimises Σ_i c(u,i) (1 or 0 − x·y_i)² + λ ‖x‖², and that minimum.

    `c` holds what each known entry adds to the confidence of 1 that all have, `G` is YᵀY:
    (YᵀY + Yᵀ(C − I)Y + λI) x = YᵀC 1, by Cholesky's factorisation.
    """
    for u in prange(len(X)):
        A = G.copy()
        b = np.zeros(len(A))
        weigh(A, b, indices[indptr[u] : indptr[u + 1]], c[indptr[u] : indptr[u + 1]], Y)
        for f in range(len(A)):
            A[f, f] += lam
        solve(A, b, X[u])
        # at the minimum, Σ c (target − x·y)² + λ‖x‖² = Σ c target² − bᵀx
        loss[u] = 0.0
        for f in range(len(A)):
            loss[u] -= b[f] * X[u, f]
        for j in range(indptr[u], indptr[u + 1]):
            if c[j] > 0:
                loss[u] += 1 + c[j]


@njit(cache=True, fastmath=REORDER)
def weigh(A, b, i, c, Y):
    """A += Yᵀ(C − I)Y (its lower half) and b += YᵀC1 over the known entries, four at a time so that A is read and
    written once for the four.
    """
    n = len(i)
    for j in range(0, n, 4):
        j1, j2, j3 = min(j + 1, n - 1), min(j + 2, n - 1), min(j + 3, n - 1)
        c0, c1 = c[j], c[j1] if j + 1 < n else 0
        c2, c3 = c[j2] if j + 2 < n else 0, c[j3] if j + 3 < n else 0
        y0, y1, y2, y3 = Y[i[j]], Y[i[j1]], Y[i[j2]], Y[i[j3]]
        t0, t1, t2, t3 = c0 + (c0 > 0), c1 + (c1 > 0), c2 + (c2 > 0), c3 + (c3 > 0)
        for f in range(len(b)):
            a0, a1, a2, a3 = c0 * y0[f], c1 * y1[f], c2 * y2[f], c3 * y3[f]
            row = A[f]
            for g in range(f + 1):
                row[g] += a0 * y0[g] + a1 * y1[g] + a2 * y2[g] + a3 * y3[g]
            b[f] += t0 * y0[f] + t1 * y1[f] + t2 * y2[f] + t3 * y3[f]


@njit(cache=True, fastmath=REORDER)
def solve(A, b, x):
    """A x = b by A = L Lᵀ, written over the lower half of A."""
    k = len(b)
    z = np.empty(k)
    for f in range(k):
        for g in range(f + 1):
            s = A[f, g]
            for h in range(g):
                s -= A[f, h] * A[g, h]
            A[f, g] = s / A[g, g] if g < f else np.sqrt(s)
        s = b[f]
        for h in range(f):
            s -= A[f, h] * z[h]
        z[f] = s / A[f, f]
    for f in range(k - 1, -1, -1):
        z[f] /= A[f, f]
        x[f] = z[f]
        for h in range(f):
            z[h] -= A[f, h] * z[f]


@njit(cache=True)
def top_n(scores, columns, best):
    """The best columns of each row of scores, the best first, the leftmost first among equals; −∞ and NaN never get
    in.
    """
    n = columns.shape[1]
    for u in range(len(scores)):
        for i in range(scores.shape[1]):
            s = scores[u, i]
            if s > best[u, n - 1]:
                a = n - 1
                while a > 0 and s > best[u, a - 1]:
                    best[u, a], columns[u, a] = best[u, a - 1], columns[u, a - 1]
                    a -= 1
                best[u, a], columns[u, a] = s, i
