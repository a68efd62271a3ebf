"""The usual mistakes in the exercises of notebooks 01 to 04: wrong answers, each with part of its hint."""

import numpy as np

from acai.cf import SGD, Baseline, GlobalMean, ItemKNN, UserKNN
from acai.ratings import Ratings

DAY = 24 * 60 * 60
svd = lambda R: np.linalg.svd(R, full_matrices=False)


def overwritten(array, value):
    array = array.copy()
    array[...] = value
    return array


def by_time(times, n=4, last=True, last_four=True, last_wait=True, many=10, day=DAY):
    """(D5) with one thing wrong."""
    if len(times) == 1:
        return 3
    if len(times) > many:
        return 5
    if not last:
        times = times[:-1]
    soon = any(times[j + 1] - times[j] < day for j in range(len(times) - 1 - (not last_wait)))
    often = any(times[j + n - 1] - times[j] <= 30 * DAY for j in range(len(times) - n + last_four))
    return 5 if soon or often else 4


def factorised(epochs=40, eta=0.03, lam=0.1, k=3, std=0.1, biases=True):
    """04-fit by the library's own SGD, with settings that may be bad."""

    def fit(u, i, r, m, n):
        users, songs = [str(x) for x in range(m)], [str(x) for x in range(n)]
        R = Ratings.from_codes(u.astype(np.int32), i.astype(np.int32), r.astype(np.float32), users, songs)
        model = SGD(n_factors=k, n_epochs=epochs, learning_rate=eta, reg=lam, init_std=std, shuffle=True, biases=biases).fit(R)
        return model._score_rows(np.arange(m))

    return fit


def uphill(u, i, r, m, n):
    P, Q = np.full((m, 1), 0.5), np.full((n, 1), 0.5)
    with np.errstate(all="ignore"):
        for _ in range(400):
            E = np.zeros((m, n))
            E[u, i] = r - (P @ Q.T)[u, i]
            P, Q = P - 0.1 * E @ Q, Q - 0.1 * E.T @ P
        return P @ Q.T


def pairs(model):
    return lambda train, users, songs: model().fit(train).predict(users, songs)


def own_mean(train, users, songs):
    return [train.csr[[train.row(u)]].data.mean() for u in users]


def centred(x, y, mean=np.nanmean, norm=True):
    both = ~np.isnan(x + y)
    x, y = (z[both] - (mean(z) if mean else 0) for z in (x, y))
    size = np.sqrt((x**2).sum() * (y**2).sum()) if norm else len(x)
    return (x * y).sum() / size if size else 0.0


def over_both(mean):
    """Pearson by its own formula, over what both rated."""

    def pearson(x, y):
        both = ~np.isnan(x + y)
        x, y = x[both] - mean(x[both]), y[both] - mean(y[both])
        size = np.linalg.norm(x) * np.linalg.norm(y)
        return float(x @ y) / size if size else 0

    return pearson


def no_guard(x, y):
    both = ~np.isnan(x + y)
    return np.corrcoef(x[both], y[both])[0, 1]


def again(R, k, steps, keep=True, start=None, extra=0):
    gaps = np.isnan(R)
    X = np.where(gaps, np.nanmean(R, axis=0) if start is None else start, R)
    for _ in range(steps):
        M, s, N_T = svd(X)
        X_k = (M[:, : k + extra] * s[: k + extra]) @ N_T[: k + extra]
        X = np.where(gaps, X_k, X) if keep else X_k
    return X


def rank(R, k, a=0, sigma=True, rows=True):
    M, s, N_T = svd(R)
    return (M[:, : k + a] * (s[: k + a] if sigma else 1)) @ (N_T if rows else N_T.T)[: k + a]


def split(left, right, shape=lambda Q: Q):
    def factors(R, k):
        M, s, N_T = svd(R)
        return M[:, :k] * s[:k] ** left, shape(N_T[:k].T * s[:k] ** right)

    return factors


def until(power=2, extra=0):
    return lambda s, share: int(np.searchsorted(np.cumsum(s**power) - share * (s**power).sum(), -1e-12)) + 1 + extra


def plus_one(users, songs, m, n):
    N = np.zeros((m, n))
    N[users, songs] += 1
    return N


top = lambda plays, head: round(head * len(plays))
C1 = lambda m, s, r, b: m + (s * (r - b)).sum() / np.abs(s).sum()
C10 = lambda w, dw, g, eta, alpha: alpha * dw - eta * g
way = lambda alpha, t: alpha * (1 - alpha**t) / (1 - alpha)

MISTAKES = {
    "01-long-tail": [
        (lambda plays, head: plays[: top(plays, head)].sum() / plays.sum(), "Sort them first"),
        (lambda plays, head: np.sort(plays)[: top(plays, head)].sum() / plays.sum(), "the least played"),
        (lambda plays, head: 100 * np.sort(plays)[-top(plays, head) :].sum() / plays.sum(), "a percentage"),
        (lambda plays, head: np.sort(plays)[-top(plays, head) :].sum(), "Divide by all plays"),
        (lambda plays, head: np.sort(plays)[: -top(plays, head)].sum() / plays.sum(), "share of the tail"),
        (lambda plays, head: sum(sorted(plays)[-top(plays, head) :]) / sum(plays), "`[-0:]` is the entire array"),
        (lambda plays, head: np.sort(plays)[len(plays) - int(head * len(plays)) :].sum() / plays.sum(), "`int` drops"),
    ],
    "01-counts": [
        (plus_one, "adds only one to a pair"),
        (lambda u, i, m, n: np.histogram2d(i, u, [range(n + 1), range(m + 1)])[0], "are swapped"),
        (lambda u, i, m, n: np.zeros((m, n)), "nothing has been counted"),
        (lambda u, i, m, n: np.bincount(u * n + i, minlength=m * n).reshape(m, n) / len(u), "these are shares of all plays"),
    ],
    "01-stars": [
        (lambda n: np.where(n > 5, 5, np.where(n >= 2, 4, 3)), "five plays"),
        (lambda n: np.where(n >= 5, 5, np.where(n > 2, 4, 3)), "two plays"),
        (lambda n: np.where(n > 5, 5, np.where(n > 2, 4, 3)), "both thresholds"),
        (lambda n: np.where(n >= 2, 4, np.where(n >= 5, 5, 3)), "overwrites the first"),
        (lambda n: np.minimum(n, 5), "never gives fewer than 3"),
        (lambda n: 5 if n >= 5 else 4 if n >= 2 else 3, "a whole array of numbers (in line"),
    ],
    "01-stars-by-time": [
        (lambda times: by_time(times, last=False), "you stop too soon: the last play is never"),
        (lambda times: by_time(times, last_four=False), "the last group of four plays is never"),
        (lambda times: by_time(times, last_wait=False), "the last gap, between the last two plays, is never"),
        (lambda times: 4, "for plays on the days [0.8] it gives 4; expected 3"),
        (lambda times: by_time(times, many=9), "ten plays are not more than ten"),
        (lambda times: by_time(times, many=99), "more than ten plays are 5 stars"),
        (lambda times: by_time(times, day=0), "less than a day apart"),
        (lambda times: by_time(times, n=13), "four plays lie within 30 days"),
        (lambda times: by_time(times, n=3), "You took three"),
        (lambda times: by_time(times, n=5), "You took five"),
        (lambda times: by_time(times, day=DAY + 1), "exactly a day apart"),
    ],
    "02-pearson": [
        (centred, "the means over everything"),
        (lambda x, y: centred(x, y, mean=None), "you did not subtract the means"),
        (lambda x, y: centred(np.nan_to_num(x), np.nan_to_num(y)), "filled the gaps with zeros"),
        (lambda x, y: np.nanmean((x - x[~np.isnan(y)][~np.isnan(x[~np.isnan(y)])].mean()) * (y - y[~np.isnan(x + y)].mean())),
         "that is the covariance"),
        (lambda x, y: np.corrcoef(x, y)[0, 1], "the gaps are still in it"),
        (no_guard, "you divide 0 by 0"),
    ],
    "02-predict": [
        (lambda m, s, r, b: C1(0, s, r, b), "you forgot to add r̄(u)"),
        (lambda m, s, r, b: m + (s * (r - b)).sum() / s.sum(), "you divided by Σ s"),
        (lambda m, s, r, b: m + (s * (r - b)).mean(), "number of neighbours"),
        (lambda m, s, r, b: m + s @ (r - b), "you forgot κ"),
        (lambda m, s, r, b: C1(m, s, r, 0), "subtract each neighbour's own mean"),
        (lambda m, s, r, b: C1(m, s, r, m), "you subtracted r̄(u)"),
    ],
    "02-shrinkage": [
        (lambda s, n, beta: s * beta / (n + beta), "the wrong way round"),
        (lambda s, n, beta: s * n / beta, "must stay below 1"),
        (lambda s, n, beta: n / (n + beta), "the weight alone"),
        (lambda s, n, beta: s * (n + beta) / n, "makes similarities larger"),
    ],
    "02-beat-baseline": [
        (pairs(GlobalMean), "that is the global mean"),
        (pairs(Baseline), "the baseline itself"),
        (own_mean, "each user's own mean"),
        (pairs(lambda: UserKNN(k=1, shrinkage=0, min_neighbours=1)), "too bold"),
        (pairs(lambda: UserKNN(k=80, shrinkage=0, min_neighbours=1)), "Consider the number of neighbours"),
        (pairs(lambda: UserKNN(k=12, shrinkage=0, min_neighbours=1)), "The goal is 28% less"),
        (pairs(lambda: ItemKNN(shrinkage=0, min_neighbours=1, centring="mean")), "a mean of several models"),
        (lambda train, users, songs: np.zeros(3), "one finite number for each"),
    ],
    "03-rank-k": [
        (lambda R, k: R, "that is R itself"),
        (lambda R, k: rank(R, k, sigma=False), "you forgot Σ"),
        (lambda R, k: rank(R, k, a=1), "one too many"),
        (lambda R, k: rank(R, k, a=-1), "one too few"),
        (lambda R, k: R - rank(R, 6 - k), "k *smallest*"),
        (lambda R, k: rank(R, k, rows=False), "already Nᵀ"),
    ],
    "03-factors": [
        (split(1, 0), "Σ went into P"),
        (split(0.5, 0.5), "you split Σ"),
        (split(0, 0), "Σ is missing"),
        (split(1, 1), "it counts twice"),
        (split(0, 1, lambda Q: Q.T), "transpose it"),
        (split(0, 1, lambda Q: Q[::-1]), "P Qᵀ, which should be R_k"),
        (lambda R, k: svd(R)[0], "return P, Q"),
    ],
    "03-filled": [
        (lambda R: np.where(np.isnan(R), np.nanmean(R, axis=1)[:, None], R), "means of the users"),
        (lambda R: np.where(np.isnan(R), np.nanmean(R), R), "mean of all stars"),
        (lambda R: np.nan_to_num(R), "zeros are worse"),
        (lambda R: np.where(np.isnan(R), np.nan_to_num(R).mean(axis=0), R), "count as zeros"),
        (lambda R: overwritten(R, np.nanmean(R, axis=0)), "the known stars are gone"),
        (lambda R: np.where(np.isnan(R), R.mean(axis=0), R), "there are still gaps"),
    ],
    "03-enough": [
        (until(power=1), "you added up σ"),
        (until(extra=-1), "one too few"),
        (until(extra=1), "one too many"),
        (lambda s, share: (s >= share * s[0]).sum(), "fraction of the largest"),
        (lambda s, share: until()(s, 1 - share), "reversed"),
    ],
    "03-imputed": [
        (lambda R, k, steps: again(R, k, steps, keep=False), "have been overwritten"),
        (lambda R, k, steps: again(R, k, 1), "only one step"),
        (lambda R, k, steps: again(R, k, 0), "filled with the means of the songs"),
        (lambda R, k, steps: again(R, k, steps - 1), "one step too few"),
        (lambda R, k, steps: again(R, k, steps + 1), "one step too many"),
        (lambda R, k, steps: again(R, k, steps, start=0.0), "you start with zeros"),
        (lambda R, k, steps: again(R, k, steps, extra=1), "k + 1 factors"),
    ],
    "04-gradient": [
        (lambda p, q, r, lam: ((r - p @ q) * q - lam * p, (r - p @ q) * p - lam * q), "the sign is reversed"),
        (lambda p, q, r, lam: (lam * p + (r - p @ q) * q, lam * q + (r - p @ q) * p), "the inner derivative of r − p·q"),
        (lambda p, q, r, lam: (lam * p - (r - p @ q) * p, lam * q - (r - p @ q) * q), "p and q are swapped"),
        (lambda p, q, r, lam: ((p @ q - r) * q, (p @ q - r) * p), "you forgot λ"),
        (lambda p, q, r, lam: ((p @ q - r) * q - lam * p, (p @ q - r) * p - lam * q), "the sign of λ"),
        (lambda p, q, r, lam: (2 * (p @ q - r) * q + 2 * lam * p, 2 * (p @ q - r) * p + 2 * lam * q), "one factor of 2 too many"),
        (lambda p, q, r, lam: ((p @ q - r) * q + 2 * lam * p, (p @ q - r) * p + 2 * lam * q), "λ counts twice"),
        (lambda p, q, r, lam: (lam * p - r * q, lam * q - r * p), "uses r, not the error"),
        (lambda p, q, r, lam: (p @ q - r) * q + lam * p, "return dp, dq"),
    ],
    "04-step": [
        (lambda w, dw, g, eta, alpha: (w + dw, C10(w, dw, g, eta, alpha)), "the *old* Δw"),
        (lambda w, dw, g, eta, alpha: (w - eta * g, -eta * g), "plain descent"),
        (lambda w, dw, g, eta, alpha: (w + C10(w, dw, -g, eta, alpha), C10(w, dw, -g, eta, alpha)), "uphill"),
        (lambda w, dw, g, eta, alpha: (w + alpha * C10(w, dw, g, eta, alpha), C10(w, dw, g, eta, alpha)), "α counts twice"),
        (lambda w, dw, g, eta, alpha: (w + eta * C10(w, dw, g, eta, alpha), C10(w, dw, g, eta, alpha)), "η counts twice"),
        (lambda w, dw, g, eta, alpha: (w + C10(w, dw, g, eta * (1 - alpha), alpha), C10(w, dw, g, eta * (1 - alpha), alpha)),
         "(1 − α) is not in (C10)"),
        (lambda w, dw, g, eta, alpha: (C10(w, dw, g, eta, alpha), w + C10(w, dw, g, eta, alpha)), "wrong order"),
        (lambda w, dw, g, eta, alpha: (w + C10(w, dw, g, eta, alpha), dw), "the next step needs the new one"),
        (lambda w, dw, g, eta, alpha: w + C10(w, dw, g, eta, alpha), "return w, dw"),
    ],
    "04-largest-rate": [
        (lambda H: 1 / np.linalg.eigvalsh(H).max(), "twice as large"),
        (lambda H: 2 / np.linalg.eigvalsh(H).min(), "the flattest direction"),
        (lambda H: 2 / np.linalg.eigvalsh(H)[[0, -1]].sum(), "the fastest rate overall"),
        (lambda H: 2 / np.trace(H), "the *sum* of all curvatures"),
        (lambda H: 2 / np.diag(H).max(), "need not be an axis"),
        (lambda H: np.linalg.eigvalsh(H).max() / 2, "the wrong way round"),
    ],
    "04-catch-up": [
        (lambda w, dw, alpha, t: (w + dw * (1 - alpha**t) / (1 - alpha), dw * alpha**t), "not by Δw"),
        (lambda w, dw, alpha, t: (w + dw * alpha / (1 - alpha), dw * alpha**t), "infinitely many"),
        (lambda w, dw, alpha, t: (w + t * alpha * dw, dw * alpha**t), "less than t times"),
        (lambda w, dw, alpha, t: (w + dw * way(alpha, t), dw), "Δw has shrunk, too"),
        (lambda w, dw, alpha, t: (w + dw * alpha**t, dw * alpha**t), "the last of the t steps"),
        (lambda w, dw, alpha, t: (w + dw * way(alpha, t), dw * alpha), "not just once"),
        (lambda w, dw, alpha, t: w + dw * way(alpha, t), "return w, dw"),
    ],
    "04-fit": [
        (uphill, "it diverged"),
        (factorised(std=0.0), "knows nothing about taste"),
        (factorised(epochs=200, lam=0.0, k=12), "by heart"),
        (factorised(epochs=12), "not learnt the training stars"),
        (factorised(biases=False), "Generous listeners and good songs are missing from your r̂: add b_u and b_i"),
        (factorised(eta=1e-3), "Are P and Q updated, too"),
        (lambda u, i, r, m, n: r.mean() + np.random.default_rng(0).normal(0, 0.02, (m, n)), "nothing has been learnt yet"),
        (lambda u, i, r, m, n: np.zeros((n, m)), "r̂ of every user and song"),
    ],
}
