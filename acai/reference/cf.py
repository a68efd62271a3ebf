"""README part C, collaborative filtering, as loops. R is a dictionary {(u, i): r} of the known entries."""

import math
from statistics import fmean as mean
from typing import NamedTuple

from acai.reference.content import solve

Known = dict[tuple[int, int], float]
Matrix = list[list[float]]


def user_mean(R: Known, u: int) -> float:
    """r̄(u), over everything that u rated."""
    return mean(r for (v, _), r in R.items() if v == u)


def common(R: Known, u: int, v: int) -> list[int]:
    """List the songs that both rated."""
    return sorted(i for (w, i) in R if w == u and (v, i) in R)


def predicted(R: Known, s: Matrix, k: int, u: int, i: int, least: int = 1) -> float:
    """(C1) r̄(u) + κ Σ_v s(u,v) (r(v,i) − r̄(v)) over the k users most similar to u who rated i, where s(u,v) > 0.

    r̄(u) alone if there are fewer than `least` of them.
    """
    raters = [v for (v, j) in sorted(R) if j == i and v != u and s[u][v] > 0]
    near = sorted(raters, key=lambda v: -s[u][v])[:k]  # a stable sort: of equals, the first in R counts as nearer
    if len(near) < least:
        return user_mean(R, u)
    kappa = 1 / sum(abs(s[u][v]) for v in near)  # (C1)
    return user_mean(R, u) + kappa * sum(s[u][v] * (R[v, i] - user_mean(R, v)) for v in near)  # (C1)


def indicator(R: Known, k: int, m: int) -> Matrix:
    """(C2) s(u,v) = 1 if v ∈ N_k(u), the k users with the most songs in common with u, else 0."""
    s = [[0.0] * m for _ in range(m)]
    for u in range(m):
        candidates = [v for v in range(m) if v != u and common(R, u, v)]
        nearest = sorted(candidates, key=lambda v: -len(common(R, u, v)))[:k]  # (C2)
        for v in range(m):
            s[u][v] = 1.0 if v in nearest else 0.0  # (C2)
    return s


def pearson(R: Known, u: int, v: int) -> float:
    """(C3) The correlation over the songs that both rated, centred on the means over those songs."""
    songs = common(R, u, v)
    if not songs:
        return 0.0
    mean_u, mean_v = mean(R[u, i] for i in songs), mean(R[v, i] for i in songs)
    x = [R[u, i] - mean_u for i in songs]  # (C3)
    y = [R[v, i] - mean_v for i in songs]  # (C3)
    variances = sum(a**2 for a in x) * sum(b**2 for b in y)  # (C3)
    return sum(a * b for a, b in zip(x, y)) / math.sqrt(variances) if variances > 1e-12 else 0.0  # (C3)


def msd(R: Known, u: int, v: int) -> float:
    """1 / (1 + mean squared difference), an alternative to (C3) in (C1)."""
    songs = common(R, u, v)
    return 1 / (1 + mean((R[u, i] - R[v, i]) ** 2 for i in songs)) if songs else 0.0


def asymmetric_cosine(R: Known, u: int, v: int, alpha: float) -> float:
    """(C13) Σ_i r(u,i) r(v,i) / (‖r(u)‖^2α ‖r(v)‖^2(1−α)); with α = ½ the cosine."""
    product = sum(R[u, i] * R[v, i] for i in common(R, u, v))  # (C13)
    norm_u = math.sqrt(sum(r**2 for (w, _), r in R.items() if w == u))  # (C13)
    norm_v = math.sqrt(sum(r**2 for (w, _), r in R.items() if w == v))  # (C13)
    return product / (math.pow(norm_u, 2 * alpha) * math.pow(norm_v, 2 * (1 - alpha)))  # (C13)


def entry(P: Matrix, Q: Matrix, u: int, i: int) -> float:
    """(C4) (P Qᵀ)(u,i) = p_u·q_i."""
    return sum(P[u][f] * Q[i][f] for f in range(len(P[u])))  # (C4)


def filled(R: Known, m: int, n: int, damping: float = 0.0) -> Matrix:
    """Fill each gap with (Σ_u r(u,i) + βμ) / (|U(i)| + β), the mean of its song if β = 0 (μ where nobody rated it)."""
    mu = mean(R.values())
    of_song = [[r for (_, j), r in R.items() if j == i] for i in range(n)]
    r_bar = [(sum(r) + damping * mu) / (len(r) + damping) if r else mu for r in of_song]
    return [[R.get((u, i), r_bar[i]) for i in range(n)] for u in range(m)]


def svd(A: Matrix, sweeps: int = 60) -> tuple[Matrix, list[float], Matrix]:
    """(C5) A = M Σ Nᵀ: pairs of columns of A are rotated until all columns are orthogonal (Jacobi's method)."""
    m, n = len(A), len(A[0])
    A = [row[:] for row in A]  # becomes M Σ
    N = [[float(a == b) for b in range(n)] for a in range(n)]
    for _ in range(sweeps):
        for a in range(n):
            for b in range(a + 1, n):
                aa = sum(A[u][a] ** 2 for u in range(m))
                bb = sum(A[u][b] ** 2 for u in range(m))
                ab = sum(A[u][a] * A[u][b] for u in range(m))
                angle = 0.5 * math.atan2(2 * ab, aa - bb)
                cos, sin = math.cos(angle), math.sin(angle)
                for row in (*A, *N):
                    row[a], row[b] = cos * row[a] + sin * row[b], cos * row[b] - sin * row[a]
    sigma = [math.sqrt(sum(A[u][a] ** 2 for u in range(m))) for a in range(n)]  # (C5)
    order = sorted(range(n), key=lambda a: -sigma[a])
    M = [[A[u][a] / sigma[a] if sigma[a] > 0 else 0.0 for a in order] for u in range(m)]  # (C5)
    N = [[N[i][a] for a in order] for i in range(n)]  # (C5)
    return M, [sigma[a] for a in order], N


def truncated(M: Matrix, sigma: list[float], N: Matrix, k: int) -> Matrix:
    """(C6) R_k = M_k Σ_k N_kᵀ, the matrix of rank k nearest to R."""
    return [[sum(M[u][f] * sigma[f] * N[i][f] for f in range(k)) for i in range(len(N))] for u in range(len(M))]  # (C6)


def factors(M: Matrix, sigma: list[float], N: Matrix, k: int) -> tuple[Matrix, Matrix]:
    """(C7) P = M_k, Q = N_k Σ_k."""
    P = [row[:k] for row in M]  # (C7)
    Q = [[row[f] * sigma[f] for f in range(k)] for row in N]  # (C7)
    return P, Q


class Parameters(NamedTuple):
    """What (C8) is a function of, and the mean μ."""

    P: Matrix
    Q: Matrix
    mu: float
    b_u: list[float]
    b_i: list[float]


def objective(R: Known, parameters: Parameters, lam: float) -> float:
    """(C8) F = ½ Σ_{(u,i) known} [ (r − r̂)² + λ (‖p_u‖² + ‖q_i‖² + b(u)² + b(i)²) ]."""
    P, Q, mu, b_u, b_i = parameters
    F = 0.0
    for (u, i), r in R.items():
        e = r - mu - b_u[u] - b_i[i] - entry(P, Q, u, i)  # (C8)
        squares = sum(factor**2 for factor in P[u]) + sum(factor**2 for factor in Q[i]) + b_u[u] ** 2 + b_i[i] ** 2  # (C8)
        F += 0.5 * (e**2 + lam * squares)  # (C8)
    return F


def gradient(R: Known, parameters: Parameters, lam: float) -> tuple[Matrix, Matrix, list[float], list[float]]:
    """∇F of (C8), which (C9) w ← w − η ∇F(w) follows; for a single known entry, the ∇F_j of momentum."""
    P, Q, mu, b_u, b_i = parameters
    dP, dQ = [[0.0] * len(row) for row in P], [[0.0] * len(row) for row in Q]
    db_u, db_i = [0.0] * len(b_u), [0.0] * len(b_i)
    for (u, i), r in R.items():
        e = r - mu - b_u[u] - b_i[i] - entry(P, Q, u, i)
        for f in range(len(P[u])):
            dP[u][f] += lam * P[u][f] - e * Q[i][f]
            dQ[i][f] += lam * Q[i][f] - e * P[u][f]
        db_u[u] += lam * b_u[u] - e
        db_i[i] += lam * b_i[i] - e
    return dP, dQ, db_u, db_i


def descent_step(w: list[float], gradient: list[float], eta: float) -> None:
    """(C9) w ← w − η ∇F(w), for every parameter."""
    for at in range(len(w)):
        w[at] = w[at] - eta * gradient[at]  # (C9)


def momentum_step(w: list[float], dw: list[float], gradient: list[float], eta: float, alpha: float) -> None:
    """(C10) Δw ← α Δw − η ∇F_j(w), w ← w + Δw, for every parameter."""
    for at in range(len(w)):
        dw[at] = alpha * dw[at] - eta * gradient[at]  # (C10)
        w[at] = w[at] + dw[at]  # (C10)


def weighted_objective(R: Known, P: Matrix, Q: Matrix, lam: float, alpha: float, epsilon: float) -> float:
    """(C11) ½ Σ_{u,i} c (x − p_u·q_i)² + λ/2 (‖P‖² + ‖Q‖²) over all entries, c = 1 + α log(1 + r/ε), x = 1 where r > 0."""
    F = 0.5 * lam * sum(factor**2 for row in (*P, *Q) for factor in row)  # (C11)
    for u in range(len(P)):
        for i in range(len(Q)):
            r = R.get((u, i), 0.0)
            x = 1.0 if r > 0 else 0.0  # (C11)
            c = 1 + alpha * math.log(1 + r / epsilon)  # (C11)
            F += 0.5 * c * (x - entry(P, Q, u, i)) ** 2  # (C11)
    return F


def best_user(R: Known, Q: Matrix, u: int, lam: float, alpha: float, epsilon: float) -> list[float]:
    """Minimise (C11) over p_u with Q fixed: (Σ_i c q_i q_iᵀ + λI) p_u = Σ_i c x q_i."""
    songs, k = range(len(Q)), range(len(Q[0]))
    r = [R.get((u, i), 0.0) for i in songs]
    c = [1 + alpha * math.log(1 + r_i / epsilon) for r_i in r]
    left = [[sum(c[i] * Q[i][a] * Q[i][b] for i in songs) + lam * (a == b) for b in k] for a in k]
    return solve(left, [sum(c[i] * float(r[i] > 0) * Q[i][a] for i in songs) for a in k])


def residual(A: Matrix, b: list[float], x: list[float]) -> list[float]:
    """(C14) b − A x: what is missing from the solution of A x = b."""
    return [b[f] - sum(A[f][h] * x[h] for h in range(len(x))) for f in range(len(x))]  # (C14)


def conjugate_gradient(A: Matrix, b: list[float], x: list[float], steps: int) -> list[float]:
    """(C14) Take some steps from x towards the solution of A x = b, where A is symmetric and positive definite."""
    g = d = residual(A, b, x)
    for _ in range(steps):
        g_g = sum(g[f] ** 2 for f in range(len(g)))  # (C14)
        if g_g == 0:
            break
        A_d = [sum(A[f][h] * d[h] for h in range(len(d))) for f in range(len(d))]  # (C14)
        eta = g_g / sum(d[f] * A_d[f] for f in range(len(d)))  # (C14)
        x = [x[f] + eta * d[f] for f in range(len(x))]  # (C14)
        g = [g[f] - eta * A_d[f] for f in range(len(g))]  # (C14)
        alpha = sum(g[f] ** 2 for f in range(len(g))) / g_g  # (C14)
        d = [g[f] + alpha * d[f] for f in range(len(d))]  # (C14)
    return x


def biases(R: Known, m: int, n: int, lam_u: float, lam_i: float, epochs: int) -> tuple[float, list[float], list[float]]:
    """(C12) In turn, b(i) = Σ_u (r − μ − b(u)) / (λ_i + |U(i)|), and b(u) likewise with λ_u + |I(u)|."""
    mu = mean(R.values())  # (C12)
    b_u, b_i = [0.0] * m, [0.0] * n
    for _ in range(epochs):
        for i in range(n):
            raters = [u for (u, j) in R if j == i]
            b_i[i] = sum(R[u, i] - mu - b_u[u] for u in raters) / (lam_i + len(raters))  # (C12)
        for u in range(m):
            songs = [i for (v, i) in R if v == u]
            b_u[u] = sum(R[u, i] - mu - b_i[i] for i in songs) / (lam_u + len(songs))  # (C12)
    return mu, b_u, b_i


def baseline(mu: float, b_u: list[float], b_i: list[float], u: int, i: int) -> float:
    """(C12) r̂(u,i) = μ + b(u) + b(i)."""
    r_hat = mu + b_u[u] + b_i[i]  # (C12)
    return r_hat
