"""The equations from sound to recommendations (README part A, second half) as loops."""


def mean_over_windows(windows: list[list[float]]) -> list[float]:
    """(A4) q̂_f = 1/W Σ_w f(window w)_f: the network's prediction for a song is the mean over its windows."""
    return [sum(prediction[f] for prediction in windows) / len(windows) for f in range(len(windows[0]))]


def score(p: list[float], q_hat: list[float]) -> float:
    """(A5) p_u · q̂: how much a listener is predicted to like a song that nobody has played."""
    return sum(p[f] * q_hat[f] for f in range(len(p)))


def update_factors(q_hat: list[float], P: list[list[float]], r: list[float], lam: float) -> list[float]:
    """(A6) The q that minimises ½ Σ_u (r_u − p_u·q)² + λ/2 ‖q − q̂‖², over those u who have played the song.

    So q − q̂ is the w of `ridge` that explains how their values differ from the prediction from audio.
    """
    residuals = [r_u - score(p, q_hat) for p, r_u in zip(P, r)]
    return [q + d for q, d in zip(q_hat, ridge(P, residuals, lam))]


def ridge(X: list[list[float]], y: list[float], lam: float, c: list[float] | None = None) -> list[float]:
    """(A7) The w that minimises Σ_n c_n (y_n − x_n·w)² + λ ‖w‖²; all c_n are 1 unless given.

    Its gradient is zero where (Σ_n c_n x_n x_nᵀ + λI) w = Σ_n c_n y_n x_n; with c = 1 that is (XᵀX + λI) w = Xᵀy.
    """
    N, d = range(len(X)), range(len(X[0]))
    c = c or [1.0 for _ in N]
    A = [[sum(c[n] * X[n][a] * X[n][b] for n in N) + lam * (a == b) for b in d] for a in d]
    return solve(A, [sum(c[n] * y[n] * X[n][a] for n in N) for a in d])


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
