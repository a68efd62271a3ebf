"""The loops of ALS (C11, C14), compiled by Numba. Imported only where they are used.

All rows that are solved share YᵀY + λI = G. In coordinates in which G is the identity (whitened ones: z = Wᵀy and x = W x′,
where WᵀG W = I), the equations of a row, (G + Yᵀ E Y) x = Yᵀc with E = diag(c − 1), become (I + Zᵀ E Z) x′ = Zᵀc. That
matrix has no eigenvalue below 1 and none above the largest c, so single precision is enough for all but extreme settings.
"""

import numpy as np

from acai.cf.kernels import REORDER, Floats, Ints, Number, Rows, dot
from acai.compiling import njit

COLUMNS = 128  # that are multiplied at a time: with 64 rows, as much as the fastest memory holds


@njit(nogil=True)
def als_solve(which: Ints, extra: Rows, Z: Floats, least_pivot: float, X: Floats, loss: Floats) -> None:
    """(C11) For each row u of `which`, find the x′ that minimises Σ_i c(u,i) (1 or 0 − x′·z_i)² + ‖x′‖², and put it into X.

    `extra` holds c − 1, what each known entry adds to the confidence of 1 that all entries have. `loss` gets the minimum, NaN
    where a pivot falls below `least_pivot`, so that single precision is not enough.
    """
    for u in which:
        here = slice(extra.indptr[u], extra.indptr[u + 1])
        loss[u] = solve_row(extra.indices[here], extra.data[here], Z, least_pivot, X[u])


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def solve_row(i: Ints, extra: Floats, Z: Floats, least_pivot: float, x: Floats) -> Number:
    """Solve (I + Zᵀ E Z) x = Zᵀ c, for the rows `i` of Z; returns the minimum.

    With B = √E Z and t = c / √E it reads (I + BᵀB) x = Bᵀt. If there are fewer rows than factors, Woodbury's identity turns
    it into a system of as many equations as rows: x = Bᵀv with (I + BBᵀ) v = t.
    """
    n, k = len(i), Z.shape[1]
    x[:] = 0
    if n == 0:
        return 0.0
    c, root, b = extra + x.dtype.type(1), np.sqrt(extra), np.zeros_like(x)
    if n < k:
        B = np.zeros((up_to_multiple(4, n), up_to_multiple(16, k)), x.dtype)
        for j in range(n):
            add(B[j, :k], root[j], Z[i[j]])
            add(b, c[j], Z[i[j]])
        A = identity(len(B), x)
        add_products(B, B.shape[1], A)
        v, pivot = cholesky_solve(A, c / root)
        for j in range(n):
            add(x, v[j], B[j])
    else:
        B_T = np.zeros((up_to_multiple(4, k), COLUMNS + 16), x.dtype)
        A = identity(len(B_T), x)
        for first in range(0, n, COLUMNS):
            m = min(COLUMNS, n - first)
            for j in range(m):
                factor, z = root[first + j], Z[i[first + j]]
                add(b, c[first + j], z)
                for f in range(k):
                    B_T[f, j] = factor * z[f]
            B_T[:, m : m + 16] = 0
            add_products(B_T, up_to_multiple(16, m), A)
        solution, pivot = cholesky_solve(A, b)
        copy(solution, x)
    if not pivot >= least_pivot:  # NaN as well
        x[:] = 0
        return np.nan
    r_hat = np.zeros_like(extra)
    for j in range(n):
        r_hat[j] = dot(Z[i[j]], x)
    return row_objective(extra, r_hat, x)


@njit(nogil=True)
def row_objective(extra: Floats, r_hat: Floats, x: Floats) -> Number:
    """Compute Σ c (1 − r̂)² over the songs of the row, plus r̂² over all others, plus λ times the squared length of the row.

    In coordinates in which G is the identity, ‖x‖² is r̂² over *all* songs plus that last term. It is not computed as
    Σ c − b·x, which is equal at the solution: where c is large, that is a small difference of large numbers.
    """
    loss = np.float64(dot(x, x))
    for j in range(len(extra)):
        r = np.float64(r_hat[j])
        loss += (1 + np.float64(extra[j])) * (1 - r) ** 2 - r**2
    return loss


@njit(nogil=True)
def identity(n: int, like: Floats) -> Floats:
    """Make an identity matrix with two more rows below it, for `cholesky_solve`."""
    A = np.zeros((n + 2, n), like.dtype)
    for f in range(n):
        A[f, f] = 1
    return A


@njit(nogil=True)
def copy(source: Floats, target: Floats) -> None:
    """Do what target[:] = source does, without its check of lengths, which takes Numba 3 s to compile."""
    for f in range(len(target)):
        target[f] = source[f]


@njit(nogil=True)
def up_to_multiple(of: int, n: int) -> int:
    """Round n up, so that loops can take `of` numbers at a time: what they take beyond the n-th is zero."""
    return (n + of - 1) // of * of


@njit(nogil=True, fastmath=REORDER)
def add_products(U: Floats, n_columns: int, A: Floats) -> None:  # noqa: PLR0914 - sixteen sums at once
    """Add U Uᵀ, of the first columns, to the lower half of A, four rows times four rows at once.

    Each number that is read takes part in four products instead of one, and sixteen independent sums keep the processor
    busy. The number of rows must be a multiple of 4.
    """
    for f in range(0, len(U), 4):
        p0, p1, p2, p3 = U[f], U[f + 1], U[f + 2], U[f + 3]
        for g in range(0, f + 4, 4):
            q0, q1, q2, q3 = U[g], U[g + 1], U[g + 2], U[g + 3]
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = U.dtype.type(0)
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = U.dtype.type(0)
            for j in range(n_columns):
                a, b, c, d = q0[j], q1[j], q2[j], q3[j]
                s00, s01, s02, s03 = s00 + p0[j] * a, s01 + p0[j] * b, s02 + p0[j] * c, s03 + p0[j] * d
                s10, s11, s12, s13 = s10 + p1[j] * a, s11 + p1[j] * b, s12 + p1[j] * c, s13 + p1[j] * d
                s20, s21, s22, s23 = s20 + p2[j] * a, s21 + p2[j] * b, s22 + p2[j] * c, s23 + p2[j] * d
                s30, s31, s32, s33 = s30 + p3[j] * a, s31 + p3[j] * b, s32 + p3[j] * c, s33 + p3[j] * d
            add_four(A[f], g, s00, s01, s02, s03)
            add_four(A[f + 1], g, s10, s11, s12, s13)
            add_four(A[f + 2], g, s20, s21, s22, s23)
            add_four(A[f + 3], g, s30, s31, s32, s33)


@njit(nogil=True)
def add_four(row: Floats, g: int, *sums: Number) -> None:
    """Add four numbers to a row, from its g-th on."""
    for a in range(4):
        row[g + a] += sums[a]


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def cholesky_solve(A: Floats, b: Floats) -> tuple[Floats, Number]:
    """Solve A x = b by A = L Lᵀ; returns x and the smallest pivot, as a share of its diagonal entry. L overwrites A.

    Only the lower half of A is read, which goes on like the identity if b has an odd length. A pivot is what the
    subtraction leaves of a diagonal entry, so its share says how much precision is left.

    L is computed column by column: row by row, each number would be needed right after it was written, and the processor
    would wait for it. Two columns and two rows are taken at once, so that each number that is read is used twice. As the
    row below the others, b becomes the y with L y = b.
    """
    n, least = up_to_multiple(2, len(b)), 1.0
    for f in range(len(b)):
        A[n, f] = b[f]
    for g in range(0, n, 2):
        p, q = A[g], A[g + 1]
        pivot = p[g] - dot(p[:g], p[:g])
        least = smaller(least, pivot / p[g])
        p[g] = np.sqrt(pivot)
        q[g] = (q[g] - dot(q[:g], p[:g])) / p[g]
        pivot = q[g + 1] - dot(q[: g + 1], q[: g + 1])
        least = smaller(least, pivot / q[g + 1])
        q[g + 1] = np.sqrt(pivot)
        for f in range(g + 2, n + 2, 2):
            r, s = A[f], A[f + 1]
            rp = rq = sp = sq = A.dtype.type(0)
            for h in range(g):
                rp, rq, sp, sq = rp + r[h] * p[h], rq + r[h] * q[h], sp + s[h] * p[h], sq + s[h] * q[h]
            r[g], s[g] = (r[g] - rp) / p[g], (s[g] - sp) / p[g]
            r[g + 1], s[g + 1] = (r[g + 1] - rq - r[g] * q[g]) / q[g + 1], (s[g + 1] - sq - s[g] * q[g]) / q[g + 1]
    x = A[n, : len(b)].copy()
    for f in range(len(b) - 1, -1, -1):
        x[f] /= A[f, f]
        for h in range(f):
            x[h] -= A[f, h] * x[f]
    return x, least


@njit(nogil=True, error_model="numpy")
def smaller(least: float, share: float) -> float:
    """Return the smaller of the two, or NaN if one is."""
    return least if share >= least else share


@njit(nogil=True)
def als_descend(which: Ints, extra: Rows, Z: Floats, n_steps: int, X: Floats, loss: Floats) -> None:
    """(C14) For each row u of `which`, take `n_steps` steps from the x′ in X towards the one that `als_solve` finds."""
    for u in which:
        here = slice(extra.indptr[u], extra.indptr[u + 1])
        loss[u] = descend_row(extra.indices[here], extra.data[here], Z, n_steps, X[u])


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def descend_row(i: Ints, extra: Floats, Z: Floats, n_steps: int, x: Floats) -> Number:
    """Take steps of conjugate gradient (C14) on A x = b with A = I + Zᵀ E Z and b = Zᵀ c, for the rows `i` of Z; returns F at x.

    A d is d + Σ_j (c_j − 1) (z_j·d) z_j, so A is never built, and a step costs 2 n k multiplications instead of n k².
    """
    b, A_x = np.zeros_like(x), x.copy()
    r_hat, slope = np.zeros_like(extra), np.zeros_like(extra)  # z_j·x and z_j·d
    for j in range(len(i)):
        z = Z[i[j]]
        r_hat[j] = dot(z, x)
        add(b, 1 + extra[j], z)
        add(A_x, extra[j] * r_hat[j], z)
    g = b - A_x  # (C14)
    d, g_g = g.copy(), dot(g, g)
    enough = dot(b, b) * np.finfo(x.dtype).eps ** 2
    for _ in range(n_steps):
        if g_g <= enough:  # there is nothing left to gain, and soon 0 / 0
            break
        A_d = d.copy()
        for j in range(len(i)):
            slope[j] = dot(Z[i[j]], d)
            add(A_d, extra[j] * slope[j], Z[i[j]])  # (C14)
        eta = g_g / dot(d, A_d)  # (C14)
        add(x, eta, d)  # (C14)
        add(r_hat, eta, slope)
        add(g, -eta, A_d)  # (C14)
        alpha = dot(g, g) / g_g  # (C14)
        for f in range(len(d)):
            d[f] = g[f] + alpha * d[f]  # (C14)
        g_g = dot(g, g)
    return row_objective(extra, r_hat, x)


@njit(nogil=True, fastmath=REORDER)
def add(x: Floats, a: Number, y: Floats) -> None:
    """Add a y to x."""
    for f in range(len(x)):
        x[f] += a * y[f]


@njit(nogil=True)
def als_solve_in_double(which: Ints, extra: Rows, Y: Floats, G: Floats, X: Floats, loss: Floats) -> None:
    """Solve the rows of `which` whose loss is NaN in double precision, in the coordinates of Y; NaN again if that fails."""
    for u in which:
        if np.isnan(loss[u]):
            here = slice(extra.indptr[u], extra.indptr[u + 1])
            loss[u] = solve_row_in_double(extra.indices[here], extra.data[here], Y, G, X[u])


@njit(nogil=True, fastmath=REORDER, error_model="numpy")
def solve_row_in_double(i: Ints, extra: Floats, Y: Floats, G: Floats, x: Floats) -> Number:
    """Solve (G + Yᵀ E Y) x = Yᵀ c, for the rows `i` of Y; returns the minimum."""
    k = len(G)
    A, b = identity(up_to_multiple(2, k), G), np.zeros(k)
    for f in range(k):
        copy(G[f], A[f, :k])
    for j in range(len(i)):
        for f in range(len(G)):
            y = np.float64(Y[i[j], f])
            b[f] += (1 + np.float64(extra[j])) * y
            extra_y = np.float64(extra[j]) * y
            for g in range(f + 1):
                A[f, g] += extra_y * Y[i[j], g]
    solution, pivot = cholesky_solve(A, b)
    if not pivot >= 1e-10:  # then fewer than six digits are correct
        return np.nan
    copy(solution, x)
    loss = 0.0
    for j in range(len(i)):
        r_hat = 0.0
        for f in range(len(G)):
            r_hat += Y[i[j], f] * solution[f]
        loss += (1 + np.float64(extra[j])) * (1 - r_hat)
    return loss
