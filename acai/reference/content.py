"""The equations from sound to recommendations (README part A, second half) as loops."""


def placed_by_ear(windows: list[list[float]]) -> list[float]:
    """(A4) q̂_f = 1/W Σ_w f(window w)_f: what the network tells of a song is the mean over its windows."""
    return [sum(told[f] for told in windows) / len(windows) for f in range(len(windows[0]))]


def score(p: list[float], q_hat: list[float]) -> float:
    """(A5) p_u · q̂: how much a listener will like a song that nobody has played."""
    total = 0.0
    for f in range(len(p)):
        total += p[f] * q_hat[f]
    return total


def placed_by_both(q_hat: list[float], P: list[list[float]], r: list[float], lam: float) -> list[float]:
    """(A6) The q that makes ½ Σ_u (r_u − p_u·q)² + λ/2 ‖q − q̂‖² smallest, over those u who have heard the song.

    Its gradient is zero where (Σ_u p_u p_uᵀ + λ I)(q − q̂) = Σ_u p_u (r_u − p_u·q̂).
    """
    k = len(q_hat)
    A = [[sum(p[f] * p[g] for p in P) + lam * (f == g) for g in range(k)] for f in range(k)]
    c = [sum(p[f] * (r_u - score(p, q_hat)) for p, r_u in zip(P, r)) for f in range(k)]
    return [q + d for q, d in zip(q_hat, solve(A, c))]


def ridge(X: list[list[float]], y: list[float], lam: float) -> list[float]:
    """(A7) The w that makes Σ_n (y_n − x_n·w)² + λ ‖w‖² smallest: (XᵀX + λI) w = Xᵀy."""
    d = len(X[0])
    A = [[sum(x[a] * x[b] for x in X) + lam * (a == b) for b in range(d)] for a in range(d)]
    c = [sum(x[a] * y_n for x, y_n in zip(X, y)) for a in range(d)]
    return solve(A, c)


def solve(A: list[list[float]], c: list[float]) -> list[float]:
    """The x of A x = c, by Gauss's elimination with the largest pivot."""
    n = len(c)
    rows = [[*A[i], c[i]] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda j: abs(rows[j][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(i + 1, n):
            factor = rows[j][i] / rows[i][i]
            for m in range(i, n + 1):
                rows[j][m] -= factor * rows[i][m]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - sum(rows[i][m] * x[m] for m in range(i + 1, n))) / rows[i][i]
    return x
