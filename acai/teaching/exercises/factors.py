"""The checks of notebooks 03 and 04: singular values, and descent."""

import numpy as np

from acai.evaluation.metrics import rmse
from acai.teaching.exercises.calling import call, call_for_number, numbers
from acai.teaching.exercises.checking import Mistakes, checks, expect, raise_first
from acai.teaching.exercises.wrong import Wrong
from acai.teaching.survey import survey


@checks("03-rank-k")
def check_rank_k(answer: object, rng: np.random.Generator) -> None:
    """(R, k) → R_k (C6)."""
    for k in (3, 1, 4):
        R = rng.normal(size=(9, 6))
        M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
        expect(call(answer, R, k), _truncated(R, k), {
            "whole": R, "no-sigma": M[:, :k] @ N_T[:k], "many": _truncated(R, k + 1), "few": _truncated(R, k - 1),
            "squared": (M[:, :k] * sigma[:k] ** 2) @ N_T[:k], "root": (M[:, :k] * np.sqrt(sigma[:k])) @ N_T[:k],
            "centred": _truncated(R - R.mean(axis=0), k) + R.mean(axis=0), "at-k": _truncated(R, k + 1) - _truncated(R, k),
            "only-last": _truncated(R, k) - _truncated(R, k - 1),
            "smallest": R - _truncated(R, 6 - k), "columns": (M[:, :k] * sigma[:k]) @ N_T.T[:k],
        }, k=k)


def _truncated(R: np.ndarray, k: int) -> np.ndarray:
    M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
    R_k: np.ndarray = (M[:, :k] * sigma[:k]) @ N_T[:k]  # (C6)
    return R_k


@checks("03-enough")
def check_enough(answer: object, rng: np.random.Generator) -> None:
    """(singular values, fraction) → how many factors keep that fraction of Σσ²."""
    cases = [(np.sort(rng.uniform(0.1, 9, 12))[::-1], share) for share in (0.5, 0.7, 0.8, 0.9, 0.95, 0.99) for _ in range(4)]
    cases.append((np.array([2.0, 1.0, 1.0, 1.0, 1.0]), 0.5))  # the first has exactly half
    right = np.array([_first_that_reach(share, sigma**2) for sigma, share in cases])
    found = [call_for_number(answer, sigma, share) for sigma, share in cases]
    expect(found, right, {
        "sum": [_first_that_reach(share, sigma) for sigma, share in cases], "few": right - 1, "many": right + 1,
        "largest": [(sigma >= share * sigma[0]).sum() for sigma, share in cases],
        "reversed": [_first_that_reach(1 - share, sigma**2) for sigma, share in cases],
        "more-than": [_first_that_reach(share + 1e-9, sigma**2) for sigma, share in cases],
        "ascending": [_first_that_reach(share, sigma[::-1] ** 2) for sigma, share in cases],
        "above": [(np.cumsum(sigma**2) >= share * (sigma @ sigma)).sum() for sigma, share in cases],
        "not-divided": [int(np.argmax(np.cumsum(sigma**2) >= share)) + 1 for sigma, share in cases],
        "of-length": [_first_that_reach(share**2, sigma**2) for sigma, share in cases],
        "of-count": [round(share * len(sigma)) for sigma, share in cases],
    }, each=[{"sigma": sigma.round(2), "share": share} for sigma, share in cases])


def _first_that_reach(share: float, x: np.ndarray) -> int:
    """Count how many of the first elements add up to a share of the sum."""
    return int(np.argmax(np.cumsum(x) >= share * x.sum() - 1e-12)) + 1


@checks("03-factors")
def check_factors(answer: object, rng: np.random.Generator) -> None:
    """(R, k) → P, Q (C7)."""
    R = rng.normal(size=(8, 7))
    k = 3
    P, Q = (numbers(x, (n, k)) for x, n in zip(call(answer, R, k, parts="P, Q"), (8, 7)))
    raise_first({"flat": Q.shape == (k, 7), "shape": (P.shape, Q.shape) != ((8, k), (7, k))}, P=P.shape, Q=Q.shape, k=k)
    one = np.ones(k)
    sigma = np.linalg.svd(R)[1][:k]
    lengths = [np.linalg.norm(P, axis=0), np.linalg.norm(Q, axis=0)]
    mistakes: Mistakes = {
        "in-P": [sigma, one], "shared": np.sqrt([sigma, sigma]), "nowhere": [one, one], "both": [sigma, sigma],
        "squared": [one, sigma**2], "divided": [one, 1 / sigma], "backwards": [one, sigma[::-1]],
    }
    expect(lengths, [one, sigma], mistakes, "case-lengths")  # (C7)
    expect(P @ Q.T, _truncated(R, k), {"columns": np.linalg.svd(R)[0][:, :k] @ (np.linalg.svd(R)[2][:, :k] * sigma).T})


@checks("03-filled")
def check_filled(answer: object, rng: np.random.Generator) -> None:
    """R, gaps NaN → R with the songs' means in the gaps."""
    for _ in range(5):
        R = np.where(rng.random((6, 6)) < 0.4, np.nan, rng.integers(1, 6, (6, 6)))
        R[0, :] = 3  # every song and every user has a rating
        R[:, 0] = [3, 1, 5, 2, 4, 1]
        gaps = np.isnan(R)
        song_means = np.nanmean(R, axis=0)
        fillings = {
            "users": np.nanmean(R, axis=1)[:, None], "all": np.nanmean(R), "median": np.nanmedian(R, axis=0), "zero": 0.0,
            "pulled": np.nan_to_num(R).mean(axis=0),
        }
        mistakes = {key: np.where(gaps, filling, R) for key, filling in fillings.items()}
        mistakes |= {"whole": np.where(gaps, np.round(song_means), R), "three": np.where(gaps, 3, R),
        "centred": R - song_means}
        mistakes["centred"] = np.nan_to_num(mistakes["centred"])
        mistakes |= {"gone": np.broadcast_to(song_means, R.shape), "gaps": np.array(np.nan)}
        filled = call(answer, R)
        raise_first({"exchanged": _are_exchanged(numbers(filled, R.shape), R, song_means)})
        expect(filled, np.where(gaps, song_means, R), mistakes, R=R.tolist())


def _are_exchanged(got: np.ndarray, R: np.ndarray, song_means: np.ndarray) -> bool:
    return np.array_equal(got, np.where(np.isnan(R), R, song_means), equal_nan=True)


@checks("03-imputed")
def check_imputed(answer: object, rng: np.random.Generator) -> None:
    """(R, gaps NaN, k, steps) → R with R_k in the gaps, computed again and again."""
    for m, n, k, steps in ((12, 9, 2, 4), (15, 10, 1, 6)):
        R = rng.normal(size=(m, 3)) @ rng.normal(size=(3, n)) + 3
        R[rng.random((m, n)) < 0.3] = np.nan
        R[0] = np.arange(n) % 5 + 1.0
        R[:, 0] = np.arange(m) % 5 + 1.0
        gaps = np.isnan(R)
        start = np.where(gaps, np.nanmean(R, axis=0), R)
        zeros = np.where(gaps, 0, R)
        everywhere = np.ones_like(gaps)
        expect(call(answer, R, k, steps), _imputed(start, gaps, k, steps), {
            "overwritten": _imputed(start, everywhere, k, steps), "one": _imputed(start, gaps, k, 1), "means": start,
            "few": _imputed(start, gaps, k, steps - 1), "many": _imputed(start, gaps, k, steps + 1),
            "zeros": _imputed(zeros, gaps, k, steps), "features": _imputed(start, gaps, k + 1, steps),
            "at-last": _truncated(_imputed(start, gaps, k, steps), k),
            "whole": _truncated(_imputed(start, gaps, k, steps - 1), k),
            "users": _imputed(np.where(gaps, np.nanmean(R, axis=1)[:, None], R), gaps, k, steps),
            "all": _imputed(np.where(gaps, np.nanmean(R), R), gaps, k, steps), "exchanged": _imputed(start, gaps, steps, k),
        }, m=m, n=n, k=k, steps=steps)


def _imputed(X: np.ndarray, gaps: np.ndarray, k: int, steps: int) -> np.ndarray:
    for _ in range(steps):
        X = np.where(gaps, _truncated(X, k), X)
    return X


@checks("04-largest-rate")
def check_largest_rate(answer: object, rng: np.random.Generator) -> None:
    """Hessian of a bowl → the learning rate above which descent (C9) diverges."""
    bowls = [A.T @ A for A in (rng.normal(size=(n + 3, n)) for n in (3, 2, 5))]
    for H in (*bowls, np.array([[1.0, 0.25], [0.25, 5.0]])):
        low, high = np.linalg.eigvalsh(H)[[0, -1]]
        expect(call(answer, H), 2 / high, {
            "first": 2 / np.linalg.eig(H)[0][0].real, "best": 1 / high, "flattest": 2 / low, "fastest": 2 / (low + high),
            "trace": 2 / np.trace(H),
            "half-trace": 1 / np.trace(H),
            "curvature": high, "norm": 2 / np.linalg.norm(H), "root": 2 / np.sqrt(high), "determinant": 2 / np.linalg.det(H),
            "diagonal": 2 / np.diag(H).max(), "turned": high / 2, "squared": 2 / high**2, "ratio": high / low,
            "entries": 2 / H.sum(),
            "mean": 2 * len(H) / np.trace(H), "norm-one": 2 / np.linalg.norm(H, 1),
        }, H=H.round(2).tolist())


@checks("04-step")
def check_step(answer: object, rng: np.random.Generator) -> None:
    """(w, Δw, gradient, η, α) → w, Δw after a step with momentum (C10)."""
    w, dw, g = rng.normal(size=(3, 5))
    eta = 0.1
    alpha = 0.8
    new = alpha * dw - eta * g  # (C10)
    averaged = alpha * dw - eta * (1 - alpha) * g
    expect(call(answer, w, dw, g, eta, alpha, parts="w, dw"), [w + new, new], {
        "old": [w + dw, new], "plain": [w - eta * g, -eta * g], "uphill": [w + alpha * dw + eta * g, alpha * dw + eta * g],
        "alpha": [w + alpha * new, new], "eta": [w + eta * new, new], "average": [w + averaged, averaged],
        "order": [new, w + new], "kept": [w + new, dw], "nesterov": [w + alpha * new - eta * g, new],
        "lost": [w + dw - eta * g, new], "backwards": [w - alpha * dw - eta * g, -alpha * dw - eta * g],
        "kept-uphill": [w + new, alpha * dw + eta * g], "pytorch": [w - eta * (alpha * dw + g), alpha * dw + g],
        "complement": [w + (1 - alpha) * dw - eta * g, (1 - alpha) * dw - eta * g],
        "no-rate": [w + alpha * dw - g, alpha * dw - g],
        "exchanged": [w + eta * dw - alpha * g, eta * dw - alpha * g],
        "alpha-outside": [w + alpha * (dw - eta * g), alpha * (dw - eta * g)],
        "alpha-on-g": [w + dw - alpha * eta * g, dw - alpha * eta * g],
        "eta-on-dw": [w + eta * (alpha * dw - g), eta * (alpha * dw - g)],
        "minus": [w - new, new], "subtracted": [w + new, -new], "without": [w - eta * g, new],
        "momentum-alone": [w + alpha * dw, new],
        "rate-outside": [w + eta * (alpha * dw - g), alpha * dw - g],
    }, parts="w, dw")


@checks("04-catch-up")
def check_catch_up(answer: object, rng: np.random.Generator) -> None:
    """(w, Δw, α, t) → w, Δw after t steps of (C10) without a gradient."""
    for alpha, t in ((0.9, 7), (0.5, 3), (0.99, 400), (0.9, 0), (0.0, 5)):
        w, dw = rng.normal(size=(2, 3))
        last = alpha**t * dw
        moved = w + alpha * (1 - alpha**t) / (1 - alpha) * dw
        expect(call(answer, w, dw, alpha, t, parts="w, dw"), [moved, last], {
            "first": [w + dw * (1 - alpha**t) / (1 - alpha), last], "forever": [w + dw * alpha / (1 - alpha), last],
            "straight": [w + t * alpha * dw, last], "shrunk": [moved, dw], "last": [w + last, last],
            "once": [moved, alpha * dw],
            "early": [w + alpha * (1 - alpha ** (t - 1)) / (1 - alpha) * dw if t and alpha else w - dw, last],
            "one-step-less": [moved - last, last / alpha if alpha else dw],
            "one-step-more": [moved + alpha * last, alpha * last],
            "total": [moved, moved - w], "product": [moved, alpha * t * dw],
            "no-fraction": [w + alpha * (1 - alpha**t) * dw, last],
            "standing": [w, last], "order": [last, moved], "sign": [2 * w - moved, last],
            "decayed": [w + last / (1 - alpha), last],
            "brackets": [w + (alpha * (1 - alpha**t) / 1 - alpha) * dw, last],
        }, parts="w, dw", alpha=alpha, t=t)


@checks("04-gradient")
def check_gradient(answer: object, rng: np.random.Generator) -> None:
    """(p, q, r, λ) → dp, dq of one entry's part of the objective (C8)."""
    for sign in (1, -1, 1, -1):
        p, q = rng.normal(size=4), rng.normal(size=4)
        r = p @ q + sign * rng.uniform(1, 3)
        lam = 0.3
        w = np.array([p, q])
        turned = np.array([q, p])
        e = r - p @ q
        expect(call(answer, p, q, r, lam, parts="dp, dq"), lam * w - e * turned, {
            "downhill": e * turned - lam * w, "exchanged": lam * w - e * w, "no-lambda": -e * turned,
            "size": lam * w - abs(e) * turned, "inner": lam * w + e * turned, "pushed": -lam * w - e * turned,
            "two": 2 * (lam * w - e * turned),
            "one-lambda": [lam * p - e * q, -e * p], "other-lambda": [-e * q, lam * q - e * p],
            "product": lam * w - e, "entrywise": lam * w - (r - p * q) * turned, "lambda-two": 2 * lam * w - e * turned,
            "no-error": lam * w - r * turned, "order": (lam * w - e * turned)[::-1],
            "other-penalty": lam * turned - e * turned,
            "half": lam / 2 * w - e * turned, "square": lam * w - e**2 * turned, "alone": lam - e * turned,
            "length": lam * np.linalg.norm(w, axis=1, keepdims=True) - e * turned, "plus": lam * w - (r + p @ q) * turned,
            "mean": (lam * w - e * turned) / 4,
        }, parts="dp, dq")


@checks("04-fit", seconds=300)
def check_fit(answer: object, rng: np.random.Generator) -> None:
    """(users, songs, ratings, m, n) → r̂ of every user and song, by stochastic descent."""
    train, test = survey(120, 60, asked=0.4, seed=12).ratings.split(0.2, seed=12)
    u, i, r = train.user_codes, train.csr.indices, train.csr.data.astype(float)
    shape = train.csr.shape
    R_hat = numbers(call(answer, u, i, r, *shape), shape)
    raise_first({"shape": R_hat.shape != shape, "diverged": not np.isfinite(R_hat).all()}, got=R_hat.shape, expected=shape)
    taste = R_hat - R_hat.mean(axis=0) - R_hat.mean(axis=1, keepdims=True) + R_hat.mean()
    raise_first({"no-taste": taste.std() < 1e-9, "constant": R_hat.std() < 0.05, "little-taste": taste.std() < 0.05})
    predicted = np.clip(R_hat, 1, 5)
    here = rmse(r, predicted[u, i])
    there = rmse(test.csr.data, predicted[test.user_codes, test.csr.indices])
    if there > 0.67:
        residuals = r - predicted[u, i]
        biases = [np.sqrt(np.mean((np.bincount(x, residuals) / np.bincount(x)) ** 2)) for x in (u, i)]
        faults = {"by-heart": bool(here < 0.6 * there), "biases": max(biases) > 0.1, "unlearnt": True}
        raise_first(faults, score=Wrong("score", here=here, there=there))
