"""The equations from sound to recommendations (README part A, second half) as loops."""


def mean_over_windows(predictions: list[list[float]]) -> list[float]:
    """(A4) q̂ = 1/W Σ_w f(window w); `predictions` has what the network f gives for each window."""
    W = len(predictions)
    return [sum(predictions[w][k] for w in range(W)) / W for k in range(len(predictions[0]))]  # (A4)


def score(p: list[float], q_hat: list[float]) -> float:
    """(A5) p_u · q̂: how much a listener is predicted to like a song that nobody has played."""
    return sum(p[k] * q_hat[k] for k in range(len(p)))  # (A5)


def update_factors(q_hat: list[float], P: list[list[float]], r: list[float], lam: float) -> list[float]:
    """(A6) The q that minimises ½ Σ_u (r_u − p_u·q)² + λ/2 ‖q − q̂‖², over those u who have played the song.

    So q − q̂ is the w of (A7) that explains how their values differ from the prediction from audio.
    """
    users, k = range(len(r)), range(len(q_hat))
    residuals = [r[u] - score(P[u], q_hat) for u in users]  # (A6)
    left = [[sum(P[u][a] * P[u][b] for u in users) + lam * (a == b) for b in k] for a in k]  # (A6)
    right = [sum(P[u][a] * residuals[u] for u in users) for a in k]  # (A6)
    difference = solve(left, right)  # (A6)
    return [q_hat[a] + difference[a] for a in k]  # (A6)


def ridge(X: list[list[float]], y: list[float], lam: float) -> list[float]:
    """(A7) The w that minimises Σ_n (y_n − x_n·w)² + λ ‖w‖²: its gradient is zero where (XᵀX + λI) w = Xᵀy."""
    rows, columns = range(len(X)), range(len(X[0]))
    left = [[sum(X[n][a] * X[n][b] for n in rows) + lam * (a == b) for b in columns] for a in columns]  # (A7)
    right = [sum(X[n][a] * y[n] for n in rows) for a in columns]  # (A7)
    return solve(left, right)  # (A7)


def solve(A: list[list[float]], c: list[float]) -> list[float]:
    """Solve A x = c by Gauss–Jordan elimination with partial pivoting."""
    n = len(c)
    rows = [[*A[i], c[i]] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda j: abs(rows[j][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(n):
            if j != i:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i])]
    return [rows[i][n] / rows[i][i] for i in range(n)]
