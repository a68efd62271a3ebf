"""The loops that NumPy cannot do at once, compiled by Numba. Imported only where they are used."""

import numpy as np

from acai.compiling import njit

# error_model="numpy": a division by zero gives infinity or NaN, which is looked for afterwards, and no exception
REORDER = {"reassoc", "contract", "nsz"}  # sums may be reordered; NaN and infinity keep their meaning


@njit(nogil=True, fastmath=REORDER)
def dot(p, q):
    """p·q."""
    s = p.dtype.type(0)
    for f in range(len(p)):
        s += p[f] * q[f]
    return s


@njit(nogil=True)
def top_n(scores, n):
    """The best n columns of each row, the best first, of equals the leftmost, and their scores; −∞ and NaN never get in."""
    columns = np.full((len(scores), n), -1, np.int32)
    best = np.full((len(scores), n), -np.inf, np.float32)
    for u in range(len(scores)):
        for i in range(scores.shape[1]):
            s, a = scores[u, i], n - 1
            if s > best[u, a]:
                while a > 0 and s > best[u, a - 1]:
                    best[u, a], columns[u, a] = best[u, a - 1], columns[u, a - 1]
                    a -= 1
                best[u, a], columns[u, a] = s, i
    return columns, best


@njit(nogil=True, fastmath=REORDER)
def predict(u, i, P, Q, b_u, b_i, mu):
    """r̂ = μ + b(u) + b(i) + p_u·q_i of each pair (C4), without the terms of one that is not known, −1."""
    r_hat = np.full(len(u), mu)
    for j in range(len(u)):
        x, y = u[j], i[j]
        if x >= 0:
            r_hat[j] += b_u[x]
        if y >= 0:
            r_hat[j] += b_i[y]
        if x >= 0 and y >= 0:
            r_hat[j] += dot(P[x], Q[y])
    return r_hat


@njit(nogil=True, fastmath=REORDER)
def sgd_epoch(order, u, i, r, m, W, b, mu, eta, lam, biases):
    """One pass of plain stochastic gradient descent, (C10) with α = 0, over the known entries in this order.

    `W` has the m rows of P above those of Q, and `b` the biases likewise.
    """
    for j in order:
        x, y = u[j], m + i[j]
        e = r[j] - mu - b[x] - b[y] - dot(W[x], W[y])
        for f in range(W.shape[1]):
            p, q = W[x, f], W[y, f]
            W[x, f] = p + eta * (e * q - lam * p)
            W[y, f] = q + eta * (e * p - lam * q)
        if biases:
            b[x] += eta * (e - lam * b[x])
            b[y] += eta * (e - lam * b[y])


@njit(nogil=True, fastmath=REORDER)
def momentum_epoch(order, u, i, r, m, W, b, mu, eta, lam, biases, delta_W, delta_b, done, step, moved, shrunk):
    """One pass of (C10) with α > 0; `delta_W` and `delta_b` hold the Δw of `W` and `b`.

    `done` counts, for each row of W, which of the `step` steps so far it has made. A row that missed some, in which its
    ∇F_j was zero, makes them all at once: it coasts.
    """
    alpha = shrunk[1]
    for j in order:
        x, y = u[j], m + i[j]
        coast(x, W, delta_W, b, delta_b, step - done[x], moved, shrunk)
        coast(y, W, delta_W, b, delta_b, step - done[y], moved, shrunk)
        e = r[j] - mu - b[x] - b[y] - dot(W[x], W[y])
        for f in range(W.shape[1]):
            p, q = W[x, f], W[y, f]  # by which the gradient of F_j is −(e q − λ p) and −(e p − λ q)
            delta_W[x, f] = alpha * delta_W[x, f] + eta * (e * q - lam * p)  # (C10)
            delta_W[y, f] = alpha * delta_W[y, f] + eta * (e * p - lam * q)
            W[x, f] = p + delta_W[x, f]
            W[y, f] = q + delta_W[y, f]
        if biases:
            delta_b[x] = alpha * delta_b[x] + eta * (e - lam * b[x])
            delta_b[y] = alpha * delta_b[y] + eta * (e - lam * b[y])
            b[x] += delta_b[x]
            b[y] += delta_b[y]
        step += 1
        done[x] = done[y] = step
    for x in range(len(W)):
        coast(x, W, delta_W, b, delta_b, step - done[x], moved, shrunk)
    done[:] = step


@njit(nogil=True, fastmath=REORDER)
def coast(x, W, delta_W, b, delta_b, t, moved, shrunk):
    """Row x makes t steps without a gradient: w ← w + (α + α² + … + αᵗ) Δw, Δw ← αᵗ Δw, by tables of both."""
    t = min(t, len(moved) - 1)  # where the tables end, nothing is left of Δw
    far, less = moved[t], shrunk[t]
    w, delta_w = W[x], delta_W[x]
    for f in range(len(w)):
        w[f] += far * delta_w[f]
        delta_w[f] *= less
    b[x] += far * delta_b[x]
    delta_b[x] *= less


@njit(nogil=True)
def als_solve(first, last, indptr, indices, c, Y, G, Z, least_pivot, X, loss):
    """(C11) For each row u, the x that minimises Σ_i (1 + c(u,i)) (1 or 0 − x·y_i)² + λ ‖x‖²; `loss` gets that minimum.

    The rows are those from `first` to before `last`.
    `c` holds what each known entry adds to the confidence of 1 that all have, `G` is YᵀY + λI, and Z = Y G⁻¹. A row whose
    pivots fall below `least_pivot` in single precision is solved in double; `loss` is NaN where that is not enough either.
    """
    for u in range(first, last):
        here = slice(indptr[u], indptr[u + 1])
        loss[u] = solve_row(indices[here], c[here], Y, G, Z, least_pivot, X[u])


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def solve_row(i, c, Y, G, Z, least_pivot, x):
    """(G + Yᵀ C Y) x = Yᵀ t with t = 1 + c, for the rows `i` of Y; returns what the sum comes to.

    Where there are less of them than factors, Woodbury's identity makes a system of their number of it:
    x = Zᵀ (t − v) with K = Y Zᵀ and (C⁻¹ + K) v = K t.
    """
    if len(i) == 0:
        x[:] = 0
        return 0.0
    Y, t = Y[i], 1 + c
    if len(i) < len(G):
        Z = Z[i]
        K = gram(Z, Y)
        Kt = np.array([dot(row, t) for row in K])
        for j in range(len(i)):
            K[j, j] += 1 / c[j]
        v, pivot = solved(K, Kt)
        x[:] = 0
        for j in range(len(i)):
            x += (t[j] - v[j]) * Z[j]
    else:
        Y_T = Y.T.copy()
        solution, pivot = solved(G + gram(c * Y_T, Y_T), np.array([dot(row, t) for row in Y_T]))
        x[:] = solution
    if not pivot >= least_pivot:  # NaN as well
        return solve_row_in_double(c, Y, G, x)
    loss = 0.0
    for j in range(len(i)):
        loss += t[j] * (1 - dot(Y[j], x))  # true where the gradient is zero
    return loss


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def solve_row_in_double(c, Y, G, x):
    """(G + Yᵀ C Y) x = Yᵀ t, where great confidence makes the sums of single precision too coarse."""
    A, b = G.copy(), np.zeros(len(G))
    for j in range(len(c)):
        for f in range(len(G)):
            y = np.float64(Y[j, f])
            b[f] += (1 + np.float64(c[j])) * y
            cy = np.float64(c[j]) * y
            for g in range(f + 1):
                A[f, g] += cy * Y[j, g]
    solution, pivot = solved(A, b)
    if not pivot >= 1e-10:  # then fewer than six digits are right
        return np.nan
    x[:] = solution
    loss = 0.0
    for j in range(len(c)):
        r_hat = 0.0
        for f in range(len(G)):
            r_hat += Y[j, f] * solution[f]
        loss += (1 + np.float64(c[j])) * (1 - r_hat)
    return loss


@njit(nogil=True, fastmath=REORDER)
def gram(U, V):
    """U Vᵀ, which is known to be symmetric."""
    A = np.empty((len(U), len(U)))
    for f in range(len(U)):
        for g in range(f + 1):
            A[f, g] = A[g, f] = dot(U[f], V[g])
    return A


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def solved(A, b):
    """The x of A x = b, by A = L Lᵀ, of which the lower half of A takes L; and the least pivot, as a share of its diagonal.

    A pivot is what the subtraction leaves of a diagonal entry, so its share says how much of the precision is left.
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


@njit(nogil=True)
def sum_shared(rows, indptr, indices, data, t_indptr, t_indices, t_data, ends, v, sums):
    """For each pair of one of `rows` and another row, the sums of `Shared` over the columns that both have.

    A few rows of a sparse matrix product, six products at once. Pair after pair goes into `v` and `sums`, and `ends` says
    where each row's begin and end.
    """
    m = len(indptr) - 1
    part = np.zeros((m, 6))
    at = 0
    for a in range(len(rows)):
        u = rows[a]
        for j in range(indptr[u], indptr[u + 1]):
            i, x = indices[j], np.float64(data[j])
            for l in range(t_indptr[i], t_indptr[i + 1]):
                w, y = t_indices[l], np.float64(t_data[l])
                part[w, 0] += 1
                part[w, 1] += x
                part[w, 2] += y
                part[w, 3] += x * x
                part[w, 4] += y * y
                part[w, 5] += x * y
        part[u] = 0  # nobody is their own neighbour
        for w in range(m):
            if part[w, 0] > 0:
                v[at] = w
                for f in range(6):
                    sums[f, at] = part[w, f]
                    part[w, f] = 0
                at += 1
        ends[a + 1] = at


@njit(nogil=True)
def walk(near, v, s, k, indptr, indices, Z, n_columns):
    """(C1) Σ_v s(a,v) Z(v,b) and Σ_v |s(a,v)| for every a, whose neighbours stand from near[a] on, and every column b of Z.

    From the nearest neighbour to the farthest, each b takes the first k who know it.
    """
    numerator, denominator = np.zeros((len(near) - 1, n_columns)), np.zeros((len(near) - 1, n_columns))
    for a in range(len(numerator)):
        count = np.zeros(n_columns, np.int32)
        for l in range(near[a], near[a + 1]):
            for j in range(indptr[v[l]], indptr[v[l] + 1]):
                b = indices[j]
                if count[b] < k:
                    count[b] += 1
                    numerator[a, b] += s[l] * Z[j]
                    denominator[a, b] += s[l]
    return numerator, denominator


@njit(nogil=True)
def look_up(a, b, near, v, s, k, indptr, indices, Z, m):
    """The same for some pairs of a and b only; here Z has a row for each b. Quickest where pairs of the same b stand together."""
    numerator, denominator = np.zeros(len(a)), np.zeros(len(a))
    where = np.full(m, -1, np.int64)  # where in Z stands what each of the m possible neighbours thought of b
    for p in range(len(a)):
        begin, end, count = indptr[b[p]], indptr[b[p] + 1], 0
        if p == 0 or b[p] != b[p - 1]:
            for j in range(begin, end):
                where[indices[j]] = j
        for l in range(near[a[p]], near[a[p] + 1]):
            j = where[v[l]]
            if begin <= j < end:  # or else it stands there for an earlier b
                numerator[p] += s[l] * Z[j]
                denominator[p] += s[l]
                count += 1
                if count == k:
                    break
    return numerator, denominator
