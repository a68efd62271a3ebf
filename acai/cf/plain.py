"""Part C in plain NumPy, one line for each equation: to be read, and for tests of what the models do with compiled loops.

Here R is a matrix with NaN where nothing is known; for play counts (C11) it is 0 there. The models never build such a matrix:
they work with the known entries alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Entry = tuple[int, int, float]


def predict(R: Array, s: Array, k: int, u: int, i: int, least: int = 1) -> float:
    """Predict the rating of song i by user u from the k most similar of those who rated it, if they are at least so many (C1)."""
    r_bar = np.nanmean(R, axis=1)
    raters = np.flatnonzero(~np.isnan(R[:, i]) & (s[u] > 0) & (np.arange(len(R)) != u))
    v = raters[np.argsort(-s[u, raters], kind="stable")[:k]]
    if len(v) < least:
        return float(r_bar[u])
    kappa = 1 / np.abs(s[u, v]).sum()  # (C1)
    return float(r_bar[u] + kappa * (s[u, v] * (R[v, i] - r_bar[v])).sum())  # (C1)


def indicator(R: Array, k: int) -> Array:
    """Say for each pair of users whether v is among the k who have most songs in common with u (C2)."""
    known = (~np.isnan(R)).astype(float)
    n_common = known @ known.T
    np.fill_diagonal(n_common, 0)
    s: Array = np.zeros_like(n_common)
    for u in range(len(R)):
        others = np.argsort(-n_common[u], kind="stable")[:k]  # (C2)
        s[u, others] = n_common[u, others] > 0  # (C2)
    return s


@dataclass
class CoRatedSums:
    """Sums over the songs that both users of a pair (u, v) rated; each an array with one entry for each pair."""

    n: Array  # how many songs both rated
    x: Array  # Σ r(u,i)
    y: Array  # Σ r(v,i)
    xx: Array  # Σ r(u,i)²
    yy: Array  # Σ r(v,i)²
    xy: Array  # Σ r(u,i) r(v,i)
    norm_u: Array  # √Σ r(u,i)² over everything that u rated
    norm_v: Array  # and for v
    alpha: float = 0.5  # of the asymmetric cosine


def co_rated_sums(R: Array, alpha: float = 0.5) -> CoRatedSums:
    """Compute the sums of all pairs of users, each of shape (m, m): products of matrices, with zeros in the gaps."""
    known, r = (~np.isnan(R)).astype(float), np.nan_to_num(R)
    norms = np.linalg.norm(r, axis=1)
    return CoRatedSums(
        n=known @ known.T, x=r @ known.T, y=known @ r.T, xx=r**2 @ known.T, yy=known @ r.T**2, xy=r @ r.T,
        norm_u=norms[:, None], norm_v=norms[None, :], alpha=alpha,
    )


def overlap(s: CoRatedSums) -> Array:
    """Count the songs that both rated: what the original used."""
    return s.n


def pearson(s: CoRatedSums) -> Array:
    """(C3) The correlation over the songs that both rated, centred on the means over those songs.

    0 where one of the two gave all of them the same rating.
    """
    variances = (s.n * s.xx - s.x**2) * (s.n * s.yy - s.y**2)  # (C3)
    return _divide(s.n * s.xy - s.x * s.y, np.sqrt(variances))  # (C3)


def msd(s: CoRatedSums) -> Array:
    """1 / (1 + mean squared difference) over the songs that both rated (Shardanand, Maes 1995)."""
    difference: Array = s.xx - 2 * s.xy + s.yy
    return 1 / (1 + difference / s.n)


def cosine(s: CoRatedSums) -> Array:
    """Compute the cosine between the two rows of R, with missing entries as zeros."""
    return _divide(s.xy, s.norm_u * s.norm_v)


def cosine_corated(s: CoRatedSums) -> Array:
    """Compute the cosine over only the songs that both rated: what Surprise calls cosine."""
    return _divide(s.xy, np.sqrt(s.xx * s.yy))


def asymmetric(s: CoRatedSums) -> Array:
    """(C13) The cosine between the two rows of R, its norms weighted unequally (Aiolli 2013); α = ½ is the plain cosine."""
    norms = s.norm_u ** (2 * s.alpha) * s.norm_v ** (2 * (1 - s.alpha))  # (C13)
    return _divide(s.xy, norms)  # (C13)


def _divide(a: Array, b: Array) -> Array:
    return np.divide(a, b, out=np.zeros_like(b), where=b > 0)


def predict_all(P: Array, Q: Array) -> Array:
    """Predict every rating from the latent factors (C4)."""
    R_hat: Array = P @ Q.T  # (C4)
    return R_hat


def fill(R: Array, damping: float = 0.0) -> Array:
    """Replace each gap with the mean of its song, drawn towards the overall mean as if by so many more ratings of it."""
    known = ~np.isnan(R)
    n = known.sum(axis=0)
    mu = R[known].mean()
    of_song = np.where(n > 0, (np.nansum(R, axis=0) + damping * mu) / np.maximum(n + damping, 1), mu)
    return np.where(known, R, of_song)


def svd(filled: Array) -> tuple[Array, Array, Array]:
    """Decompose a filled matrix into M, σ and Nᵀ (C5). The model asks ARPACK for the first k alone."""
    M, sigma, N_T = np.linalg.svd(filled, full_matrices=False)  # (C5)
    return M, sigma, N_T


def truncated(M: Array, sigma: Array, N_T: Array, k: int) -> Array:
    """Return the closest matrix of rank k (C6)."""
    R_k: Array = M[:, :k] * sigma[:k] @ N_T[:k]  # (C6)
    return R_k


def factors(M: Array, sigma: Array, N_T: Array, k: int) -> tuple[Array, Array]:
    """Return the latent factors of users and songs (C7)."""
    P = M[:, :k]  # (C7)
    Q = N_T[:k].T * sigma[:k]  # (C7)
    return P, Q


def momentum_epoch(
    entries: Iterable[Entry], parameters: tuple[Array, Array, Array, Array], mu: float, eta: float, alpha: float, lam: float
) -> None:
    """Move every parameter, P, Q, b_u and b_i, once for each known entry (C10).

    Literally so: most of each gradient is zero, and those rows move by momentum alone. The compiled loop moves the two rows
    that have a gradient, and makes up for the steps that the others missed when it meets them again.
    """
    P, Q, b_u, b_i = parameters
    previous = [np.zeros_like(w) for w in parameters]
    for u, i, r in entries:
        e = r - mu - b_u[u] - b_i[i] - P[u] @ Q[i]
        dP, dQ, db_u, db_i = gradients = [np.zeros_like(w) for w in parameters]
        dP[u], dQ[i] = lam * P[u] - e * Q[i], lam * Q[i] - e * P[u]
        db_u[u], db_i[i] = lam * b_u[u] - e, lam * b_i[i] - e
        for w, delta_w, gradient in zip(parameters, previous, gradients):
            delta_w[...] = alpha * delta_w - eta * gradient  # (C10)
            w += delta_w  # (C10)


def weighted_objective(plays: Array, P: Array, Q: Array, lam: float, alpha: float, epsilon: float) -> float:
    """Compute the objective of weighted factorisation (C11)."""
    c = 1 + alpha * np.log(1 + plays / epsilon)  # (C11)
    x = plays > 0  # (C11)
    return float(0.5 * (c * (x - P @ Q.T) ** 2).sum() + 0.5 * lam * ((P**2).sum() + (Q**2).sum()))  # (C11)


def best_users(plays: Array, Q: Array, lam: float, alpha: float, epsilon: float) -> Array:
    """Return the P that minimises (C11) for this Q: a least-squares problem for each user.

    The kernel computes QᵀQ once for all users, adds what the songs that were played contribute beyond a confidence of 1, and
    for a user with few songs solves a system of as many equations as songs (Woodbury's identity).
    """
    c = 1 + alpha * np.log(1 + plays / epsilon)
    x = plays > 0
    rows = [np.linalg.solve((Q.T * c[u]) @ Q + lam * np.eye(Q.shape[1]), Q.T @ (c[u] * x[u])) for u in range(len(plays))]
    return np.array(rows)


def conjugate_gradient(A: Array, b: Array, x: Array, steps: int) -> Array:
    """Take some steps from x towards the solution of A x = b, where A is symmetric and positive definite (C14).

    The kernel never computes A, which is a sum over songs: it multiplies each term of that sum by d.
    """
    g = b - A @ x  # (C14)
    d = g
    for _ in range(steps):
        g_g = g @ g  # (C14)
        A_d = A @ d  # (C14)
        if g_g == 0:
            break
        eta = g_g / (d @ A_d)  # (C14)
        x = x + eta * d  # (C14)
        g = g - eta * A_d  # (C14)
        alpha = g @ g / g_g  # (C14)
        d = g + alpha * d  # (C14)
    return x
