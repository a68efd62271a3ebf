"""The checks of notebooks 01 to 04: from a listening log to R, neighbours, singular values, descent.

Each takes an answer and a source of random numbers, and says by a key what is wrong; `judging` says how.
"""

import numpy as np

from acai.cf import Baseline, GlobalMean
from acai.datasets.rules import DAY
from acai.evaluation.metrics import rmse
from acai.reference.data import stars_from_times
from acai.teaching.exercises.judging import Wrong, asked, blame, checks, judge
from acai.teaching.survey import survey


@checks("01-long-tail")
def check_long_tail(answer: object, rng: np.random.Generator) -> None:
    """(plays of each song, share of the songs that are the head) → the head's share of all plays."""
    for n, head in ((20, 0.1), (50, 0.2), (40, 0.05), (28, 0.1), (30, 0.01)):  # of 30 songs no song is the head
        plays = rng.permutation(np.round(1000 / np.arange(1, n + 1)))
        k, up, share = round(head * n), np.sort(plays), lambda part, plays=plays: part.sum() / plays.sum()
        tail, most = np.split(up, [n - k])
        judge(asked(answer, plays, head), share(most), {
            "all": share(up[-k:]), "int": share(up[n - int(head * n) :]), "unsorted": share(plays[:k]), "least": share(up[:k]),
            "tail": share(tail), "percent": 100 * share(most), "plays": most.sum(), "mean": share(most) / max(k, 1),
        }, n=n, head=head)


@checks("01-counts")
def check_counts(answer: object, rng: np.random.Generator) -> None:
    """(user and song of each play, m, n) → how often each played each (D1)."""
    for m, n in ((5, 5), (4, 7), (9, 3)):
        users, songs = rng.integers(0, m, 40), rng.integers(0, n, 40)
        N = np.bincount(users * n + songs, minlength=m * n).reshape(m, n)  # (D1)
        mistakes = {"once": N > 0, "turned": N.T, "shares": N / N.sum(), "zeros": 0 * N}
        judge(asked(answer, users, songs, m, n), N, mistakes, m=m, n=n)


@checks("01-stars")
def check_stars(answer: object, rng: np.random.Generator) -> None:
    """Play counts → stars (D4)."""
    n = np.array([1.0, 2, 3, 4, 5, 6, 10, 1, 100])
    stars = lambda five, four: np.select([n >= five, n >= four], [5, 4], 3)  # (D4)
    mistakes = {"five": stars(6, 2), "two": stars(5, 3), "both": stars(6, 3), "overwritten": stars(np.inf, 2)}
    judge(asked(answer, n), stars(5, 2), mistakes | {"plays": np.minimum(n, 5)})


@checks("01-stars-by-time")
def check_stars_by_time(answer: object, rng: np.random.Generator) -> None:
    """The times of one user's plays of one song → stars (D5)."""
    days = [np.cumsum(rng.exponential(wait, n)) for n in range(1, 13) for wait in (1.5, 12, 12, 40)]
    days += map(np.array, ([0, 1], [0, 40, 40.5], [0, 0.5, 40], [0, 9, 18, 30], [0, 50, 59, 68, 77], [0, 8, 16, 24, 90]))
    days.append(20.0 * np.arange(10))
    cases = [(DAY * d).astype(np.int64) for d in days]
    stars = lambda **slip: [_stars(times, **slip) for times in cases]
    judge([asked(answer, times) for times in cases], [stars_from_times(times) for times in cases], {
        "last-play": stars(end=-1, end_of_four=-1), "last-four": stars(end_of_four=-1), "last-wait": stars(end=-1),
        "ten": stars(many=9), "day": stars(day=0), "four": stars(four=99), "three": stars(four=3), "five": stars(four=5),
        "many": stars(many=99), "exactly": stars(day=DAY + 1)}, each=[{"days": d.round(1)} for d in days])


def _stars(times: np.ndarray, many=10, four=4, day=DAY, end: int | None = None, end_of_four: int | None = None) -> int:
    """(D5), unless a number is another, or the end is cut off."""
    spans = times[four - 1 :] - times[: max(0, len(times) - four + 1)]
    eager = (np.diff(times)[:end] < day).any() or (spans[:end_of_four] <= 30 * DAY).any()
    return np.select([len(times) == 1, len(times) > many or eager], [3, 5], 4)


@checks("02-pearson")
def check_pearson(answer: object, rng: np.random.Generator) -> None:
    """Two rows of R, gaps NaN → their correlation over the songs that both rated (C3)."""
    cosine = lambda x, y: np.nan_to_num(x @ y / np.sqrt((x @ x) * (y @ y)))
    for _ in range(20):
        r_u, r_v = np.where(rng.random((2, 12)) < 0.3, np.nan, rng.integers(1, 6, (2, 12)))
        both = ~np.isnan(r_u + r_v)
        x, y, zeros_u, zeros_v = r_u[both], r_v[both], np.nan_to_num(r_u), np.nan_to_num(r_v)
        judge(asked(answer, r_u, r_v), cosine(x - x.mean(), y - y.mean()), {  # (C3)
            "all-means": cosine(x - np.nanmean(r_u), y - np.nanmean(r_v)), "cosine": cosine(x, y),
            "zeros": cosine(zeros_u - zeros_u.mean(), zeros_v - zeros_v.mean()),
            "covariance": np.cov(x, y, bias=True)[0, 1], "gaps": np.nan}, r_u=r_u, r_v=r_v)
    alike = asked(answer, np.array([4.0, 4, 4, np.nan]), np.array([1.0, 5, 3, 2]))
    judge(alike, 0.0, {"flat": np.nan}, "case-flat")


@checks("02-predict")
def check_predict(answer: object, rng: np.random.Generator) -> None:
    """(r̄(u), likenesses, neighbours' ratings, their means) → r̂(u,i) (C1)."""
    for n in rng.integers(3, 7, 20):
        s, r, r_bar = rng.uniform(-1, 1, n).round(2), rng.integers(1, 6, n).astype(float), rng.uniform(2, 4, n).round(1)
        r_bar_u, s[0] = 3.3, -0.4  # one of them is unlike u
        moved, kappa = s @ (r - r_bar), 1 / np.abs(s).sum()
        judge(asked(answer, r_bar_u, s, r, r_bar), r_bar_u + kappa * moved, {  # (C1)
            "below": kappa * moved, "sum-s": r_bar_u + moved / s.sum(), "count": r_bar_u + moved / n, "no-kappa": r_bar_u + moved,
            "no-means": r_bar_u + kappa * (s @ r), "one-mean": r_bar_u + kappa * (s @ (r - r_bar_u)),
        }, s=s, r=r, r_bar=r_bar, r_bar_u=r_bar_u)


@checks("02-shrinkage")
def check_shrinkage(answer: object, rng: np.random.Generator) -> None:
    """(likenesses, songs in common, β) → likenesses, shrunk."""
    s, n, beta = rng.uniform(-1, 1, 9), rng.integers(1, 40, 9).astype(float), 7.0
    weight = n / (n + beta)
    mistakes = {"turned": s * (1 - weight), "ratio": s * n / beta, "weight": weight, "larger": s / weight}
    judge(asked(answer, s, n, beta), s * weight, mistakes)


@checks("02-beat-baseline")
def check_beat_baseline(answer: object, rng: np.random.Generator) -> None:
    """(training ratings, users, songs) → r̂, a quarter better than the baseline (C12)."""
    train, test = survey(seed=11).ratings.split(0.2, seed=11)
    users, songs, truth = [test.users[u] for u in test.user_codes], [test.songs[i] for i in test.csr.indices], test.csr.data
    r_hat = np.asarray(asked(answer, train, users, songs), dtype=float)
    blame({"shape": r_hat.shape != truth.shape or not np.isfinite(r_hat).all()}, n=len(truth), shape=r_hat.shape)
    mean, baseline = (model.fit(train).predict(users, songs) for model in (GlobalMean(), Baseline()))
    own_mean = (np.bincount(train.user_codes, train.csr.data) / np.bincount(train.user_codes))[test.user_codes]
    mine, theirs, near = rmse(truth, r_hat), rmse(truth, baseline), lambda wrong: np.allclose(r_hat, wrong, atol=1e-4)
    if mine > 0.75 * theirs:
        score = Wrong("score", mine=mine, limit=0.75 * theirs, theirs=theirs)
        blame({"mean": near(mean), "baseline": near(baseline), "own-mean": near(own_mean),
               "bold": r_hat.std() > 0.9 * truth.std(), "timid": True}, score=score)


@checks("03-rank-k")
def check_rank_k(answer: object, rng: np.random.Generator) -> None:
    """(R, k) → R_k (C6)."""
    for k in (3, 1, 4):
        R = rng.normal(size=(9, 6))
        M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
        judge(asked(answer, R, k), _rank(R, k), {
            "whole": R, "no-sigma": M[:, :k] @ N_T[:k], "many": _rank(R, k + 1), "few": _rank(R, k - 1),
            "smallest": R - _rank(R, 6 - k), "columns": (M[:, :k] * sigma[:k]) @ N_T.T[:k]}, k=k)


def _rank(R: np.ndarray, k: int) -> np.ndarray:
    M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
    return (M[:, :k] * sigma[:k]) @ N_T[:k]  # (C6)


@checks("03-enough")
def check_enough(answer: object, rng: np.random.Generator) -> None:
    """(singular values, share) → how many features keep that share of Σσ²."""
    cases = [(np.sort(rng.uniform(0.1, 9, 12))[::-1], share) for share in (0.5, 0.7, 0.8, 0.9, 0.95, 0.99) for _ in range(4)]
    cases.append((np.array([2.0, 1.0, 1.0, 1.0, 1.0]), 0.5))  # the first has exactly half
    kept = lambda x, share: np.argmax(np.cumsum(x) >= share * x.sum() - 1e-12) + 1
    of = lambda how: np.array([how(sigma, share) for sigma, share in cases])
    right = of(lambda sigma, share: kept(sigma**2, share))
    judge(of(lambda sigma, share: asked(answer, sigma, share)), right, {
        "sum": of(kept), "few": right - 1, "many": right + 1, "largest": of(lambda sigma, share: (sigma >= share * sigma[0]).sum()),
        "reversed": of(lambda sigma, share: kept(sigma**2, 1 - share)),
    }, each=[{"sigma": sigma.round(2), "share": share} for sigma, share in cases])


@checks("03-factors")
def check_factors(answer: object, rng: np.random.Generator) -> None:
    """(R, k) → P, Q (C7)."""
    R, k = rng.normal(size=(8, 7)), 3
    P, Q = (np.asarray(x, dtype=float) for x in asked(answer, R, k, parts="P, Q"))
    blame({"flat": Q.shape == (k, 7), "shape": (P.shape, Q.shape) != ((8, k), (7, k))}, P=P.shape, Q=Q.shape, k=k)
    one, s = np.ones(k), np.linalg.svd(R)[1][:k]
    mistakes = {"in-P": [s, one], "shared": np.sqrt([s, s]), "nowhere": [one, one], "both": [s, s]}
    judge([np.linalg.norm(P, axis=0), np.linalg.norm(Q, axis=0)], [one, s], mistakes, "case-lengths")  # (C7)
    judge(P @ Q.T, _rank(R, k), {})


@checks("03-filled")
def check_filled(answer: object, rng: np.random.Generator) -> None:
    """R, gaps NaN → R with the songs' means in the gaps."""
    for _ in range(5):
        R = np.where(rng.random((6, 6)) < 0.4, np.nan, rng.integers(1, 6, (6, 6)))
        R[0, :], R[:, 0] = 3, [3, 1, 5, 2, 4, 1]  # nobody and no song is without a rating
        fill = lambda value, R=R: np.where(np.isnan(R), value, R)
        songs, pulled = np.nanmean(R, axis=0), np.nan_to_num(R).mean(axis=0)
        judge(asked(answer, R), fill(songs), {
            "users": fill(np.nanmean(R, axis=1)[:, None]), "all": fill(np.nanmean(R)), "zero": fill(0.0), "pulled": fill(pulled),
            "gone": np.broadcast_to(songs, R.shape), "gaps": np.nan}, R=R.tolist())


@checks("03-imputed")
def check_imputed(answer: object, rng: np.random.Generator) -> None:
    """(R, gaps NaN, k, steps) → R with R_k in the gaps, computed again and again."""
    for m, n, k, steps in ((12, 9, 2, 4), (15, 10, 1, 6)):
        R = rng.normal(size=(m, 3)) @ rng.normal(size=(3, n)) + 3
        R[rng.random((m, n)) < 0.3] = np.nan
        R[0], R[:, 0] = np.arange(n) % 5 + 1.0, np.arange(m) % 5 + 1.0
        gaps, start = np.isnan(R), np.where(np.isnan(R), np.nanmean(R, axis=0), R)

        def imputed(steps, X=start, gaps=gaps, k=k):
            for _ in range(steps):
                X = np.where(gaps, _rank(X, k), X)
            return X

        judge(asked(answer, R, k, steps), imputed(steps), {
            "overwritten": imputed(steps, gaps=True), "one": imputed(1), "means": start, "few": imputed(steps - 1),
            "many": imputed(steps + 1), "zeros": imputed(steps, np.where(gaps, 0, R)), "features": imputed(steps, k=k + 1),
        }, m=m, n=n, k=k, steps=steps)


@checks("04-largest-rate")
def check_largest_rate(answer: object, rng: np.random.Generator) -> None:
    """The Hessian of a bowl → the rate beyond which descent (C9) runs away."""
    for n in (3, 2, 5):
        A = rng.normal(size=(n + 3, n))
        H = A.T @ A
        low, high = np.linalg.eigvalsh(H)[[0, -1]]
        judge(asked(answer, H), 2 / high, {
            "best": 1 / high, "flattest": 2 / low, "fastest": 2 / (low + high), "trace": 2 / np.trace(H),
            "diagonal": 2 / np.diag(H).max(), "turned": high / 2}, H=H.round(2).tolist())


@checks("04-step")
def check_step(answer: object, rng: np.random.Generator) -> None:
    """(w, Δw, gradient, η, α) → w, Δw after a step with momentum (C10)."""
    w, dw, g, eta, alpha = *rng.normal(size=(3, 5)), 0.1, 0.8
    new, averaged = alpha * dw - eta * g, alpha * dw - eta * (1 - alpha) * g  # (C10)
    judge(asked(answer, w, dw, g, eta, alpha, parts="w, dw"), [w + new, new], {
        "old": [w + dw, new], "plain": [w - eta * g, -eta * g], "uphill": [w + alpha * dw + eta * g, alpha * dw + eta * g],
        "alpha": [w + alpha * new, new], "eta": [w + eta * new, new], "average": [w + averaged, averaged],
        "order": [new, w + new], "kept": [w + new, dw]})


@checks("04-catch-up")
def check_catch_up(answer: object, rng: np.random.Generator) -> None:
    """(w, Δw, α, t) → w, Δw after t steps of (C10) without a gradient."""
    for alpha, t in ((0.9, 7), (0.5, 3), (0.99, 400), (0.9, 0), (0.0, 5)):
        w, dw = rng.normal(size=(2, 3))
        last, moved = alpha**t * dw, w + alpha * (1 - alpha**t) / (1 - alpha) * dw
        judge(asked(answer, w, dw, alpha, t, parts="w, dw"), [moved, last], {
            "first": [w + dw * (1 - alpha**t) / (1 - alpha), last], "forever": [w + dw * alpha / (1 - alpha), last],
            "straight": [w + t * alpha * dw, last], "shrunk": [moved, dw], "last": [w + last, last], "once": [moved, alpha * dw],
        }, alpha=alpha, t=t)


@checks("04-gradient")
def check_gradient(answer: object, rng: np.random.Generator) -> None:
    """(p, q, r, λ) → dp, dq of one entry's part of the objective (C8)."""
    for _ in range(5):
        p, q, r, lam = rng.normal(size=4), rng.normal(size=4), rng.uniform(1, 5), 0.3
        w, turned, e = np.array([p, q]), np.array([q, p]), r - p @ q
        judge(asked(answer, p, q, r, lam, parts="dp, dq"), lam * w - e * turned, {
            "downhill": e * turned - lam * w, "exchanged": lam * w - e * w, "no-lambda": -e * turned,
            "inner": lam * w + e * turned, "pushed": -lam * w - e * turned, "two": 2 * (lam * w - e * turned),
            "lambda-two": 2 * lam * w - e * turned, "no-error": lam * w - r * turned})


@checks("04-fit")
def check_fit(answer: object, rng: np.random.Generator) -> None:
    """(users, songs, ratings, m, n) → r̂ of every user and song, by stochastic descent."""
    train, test = survey(120, 60, asked=0.4, seed=12).ratings.split(0.2, seed=12)
    u, i, r, shape = train.user_codes, train.csr.indices, train.csr.data.astype(float), train.csr.shape
    R_hat = np.asarray(asked(answer, u, i, r, *shape), dtype=float)
    blame({"shape": R_hat.shape != shape, "diverged": not np.isfinite(R_hat).all()}, got=R_hat.shape, expected=shape)
    taste = R_hat - R_hat.mean(axis=0) - R_hat.mean(axis=1, keepdims=True) + R_hat.mean()
    blame({"no-taste": taste.std() < 1e-9, "constant": R_hat.std() < 0.05, "little-taste": taste.std() < 0.05})
    told = np.clip(R_hat, 1, 5)
    here, there = rmse(r, told[u, i]), rmse(test.csr.data, told[test.user_codes, test.csr.indices])
    off = [np.sqrt(np.mean((np.bincount(x, r - told[u, i]) / np.bincount(x)) ** 2)) for x in (u, i)]
    if there > 0.67:
        faults = {"by-heart": here < 0.6 * there, "biases": max(off) > 0.1, "unlearnt": True}
        blame(faults, score=Wrong("score", here=here, there=there))
