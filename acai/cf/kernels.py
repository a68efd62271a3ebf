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
            P[x, f] = p + eta * (e * q - lam * p)
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
def als_solve(indptr, indices, c, Y, G, Z, X, loss):
    """(C11) For each row u, the x that minimises Σ_i (1 + c(u,i)) (1 or 0 − x·y_i)² + λ ‖x‖²; `loss` gets that minimum.

    `c` holds what each known entry adds to the confidence of 1 that all have, `G` is YᵀY + λI, and Z = Y G⁻¹:
    (G + Yᵀ C Y) x = Yᵀ(1 + C) 1, of order k or, where fewer entries are known, turned into one of their number.
    """
    for u in prange(len(X)):
        i, c_u, x = indices[indptr[u] : indptr[u + 1]], c[indptr[u] : indptr[u + 1]], X[u]
        if len(i) < len(G):
            solve_few(i, c_u, Y, Z, x)
        else:
            solve_many(i, c_u, Y, G, x)
        loss[u] = 0
        for j in range(len(i)):
            loss[u] += (1 + c_u[j]) * (1 - dot(Y[i[j]], x))  # what the sum comes to where its gradient is zero


@njit(cache=True, fastmath=REORDER)
def solve_many(i, c, Y, G, x):
    """(G + Yᵀ C Y) x = Yᵀ(1 + C) 1, four entries at a time, so that A is read and written once for the four."""
    A, b, n = G.copy(), np.zeros(len(G)), len(i)
    for j in range(0, n, 4):
        j1, j2, j3 = min(j + 1, n - 1), min(j + 2, n - 1), min(j + 3, n - 1)
        w1, w2, w3 = j + 1 < n, j + 2 < n, j + 3 < n
        y0, y1, y2, y3 = Y[i[j]], Y[i[j1]], Y[i[j2]], Y[i[j3]]
        c0, c1, c2, c3 = c[j], w1 * c[j1], w2 * c[j2], w3 * c[j3]
        for f in range(len(b)):
            a0, a1, a2, a3 = c0 * y0[f], c1 * y1[f], c2 * y2[f], c3 * y3[f]
            row = A[f]
            for g in range(f + 1):
                row[g] += a0 * y0[g] + a1 * y1[g] + a2 * y2[g] + a3 * y3[g]
            b[f] += a0 + y0[f] + a1 + w1 * y1[f] + a2 + w2 * y2[f] + a3 + w3 * y3[f]
    z = np.empty(len(b))
    solve(A, b, z)
    x[:] = z


@njit(cache=True, fastmath=REORDER)
def solve_few(i, c, Y, Z, x):
    """The same x by Woodbury's identity: x = Zᵀ(t − w) with t = 1 + c, K = Y Zᵀ and (C⁻¹ + K) w = K t."""
    n = len(i)
    A, b, w = np.empty((n, n)), np.zeros(n), np.empty(n)
    for j in range(n):
        for l in range(j + 1):
            A[j, l] = dot(Z[i[j]], Y[i[l]])
            b[j] += A[j, l] * (1 + c[l])
            if l < j:
                b[l] += A[j, l] * (1 + c[j])
        A[j, j] += 1 / c[j]
    solve(A, b, w)
    x[:] = 0
    for j in range(n):
        z = Z[i[j]]
        t = 1 + c[j] - w[j]
        for f in range(len(x)):
            x[f] += t * z[f]


@njit(cache=True, fastmath=REORDER)
def solve(A, b, x):
    """A x = b by A = L Lᵀ, of which the lower half of A takes L."""
    for f in range(len(b)):
        for g in range(f):
            A[f, g] = (A[f, g] - partial_dot(A[f], A[g], g)) / A[g, g]
        A[f, f] = np.sqrt(A[f, f] - partial_dot(A[f], A[f], f))
        x[f] = (b[f] - partial_dot(A[f], x, f)) / A[f, f]
    for f in range(len(b) - 1, -1, -1):
        x[f] /= A[f, f]
        for h in range(f):
            x[h] -= A[f, h] * x[f]


@njit(cache=True, fastmath=REORDER)
def partial_dot(a, b, n):
    s = 0.0
    for h in range(n):
        s += a[h] * b[h]
    return s


@njit(cache=True)
def top_n(scores, columns, best):
    """The best columns of each row of scores, the best first, of equals the leftmost; −∞ and NaN never get in."""
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
