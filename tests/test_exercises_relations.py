"""Answers that a fresh reader gave: each is told its own mistake, or how the result is related to the right one."""

import warnings

import numpy as np
import pytest
from course import tried

from acai.teaching.exercises import check, checking, factors, network, ratings, sound
from acai.teaching.exercises.relations import nearly_equal, relation

DAY = 24 * 60 * 60
svd = lambda R: np.linalg.svd(R, full_matrices=False)
truncated = lambda R, k: (lambda M, sigma, N_T: (M[:, :k] * sigma[:k]) @ N_T[:k])(*svd(R))
stars = lambda n: np.where(n >= 5, 5, np.where(n >= 2, 4, 3))
running = lambda sigma: np.cumsum(sigma**2) / np.sum(sigma**2)
known = lambda f: lambda r_u, r_v: f(*(row[~np.isnan(r_u + r_v)] for row in (r_u, r_v)))
softmax = lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
right_dy = lambda y, t: (softmax(y - y.max(axis=1, keepdims=True)) - np.eye(3)[t]) / len(t)
hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(32) / 32)
framed = lambda x, t, window, hop: np.pad(x, (16, 48))[t * hop : t * hop + 32]
windows = lambda S, width, starts: [S[:, s : s + width] for s in starts]
slaney = lambda f, above: np.where(f < 1000, f / (200 / 3), above(np.maximum(f, 1)))


def by_time(is_five):
    return lambda t: 3 if len(t) == 1 else 5 if len(t) > 10 or is_five(t, np.diff(t), t[3:] - t[:-3]) else 4


def cosine(x, y):
    return x @ y / np.sqrt(x @ x * (y @ y))


def centred_cosine(x, y):
    return cosine(x - x.mean(), y - y.mean())


ANSWERS = {
    "01-long-tail": [
        (lambda plays, head: np.sort(plays)[::-1][: max(1, round(head * len(plays)))].sum() / plays.sum(),
         "a head of 0 songs"),
        (lambda plays, head: np.sort(plays)[::-1][: round(head * len(plays)) + 1].sum() / plays.sum(), "one song too many"),
        (lambda plays, head: np.sort(plays)[::-1][: round(head * len(plays))].sum() / len(plays), "the number of songs"),
        (lambda plays, head: round(np.sort(plays)[::-1][: round(head * len(plays))].sum() / plays.sum(), 2), "but rounded"),
        (lambda plays, head: np.sort(plays)[: head * len(plays)], "An index and a size must be integers"),
    ],
    "01-counts": [
        (lambda u, s, m, n: np.bincount(u * n + s).reshape(m, n), "stops with ValueError"),  # nobody has played the last song
        (lambda u, s, m, n: 2.0 * np.histogram2d(u, s, bins=(m, n), range=((0, m), (0, n)))[0], "Everything is 2 times"),
        (lambda u, s, m, n: np.bincount(u * n + s, minlength=m * n), "but not the shape"),
        (lambda u, s, m, n: np.bincount(u * n + s, minlength=m * n).reshape(m, n) + 1, "Everything is 1 too large"),
        (lambda u, s, m, n: np.zeros(m, n), "`np.zeros((m, n))`"),
    ],
    "01-stars": [
        (lambda n: np.clip(n + 2, 3, 5), "three plays get 5 stars"),
        (lambda n: np.clip(n, 3, 5), "cut the number of plays off"),
        (lambda n: [5 if x >= 5 else 4 if x >= 2 else None for x in n], "number 1 of the 9 things it returns is None"),
        (lambda n: stars(n)[:, None], "but not the shape"),
        (lambda n: -stars(n), "The size is right, the sign is not"),
    ],
    "01-stars-by-time": [
        (by_time(lambda t, gaps, spans: (gaps < DAY).any() and (spans <= 30 * DAY).any()), "`or`, not `and`"),
        (by_time(lambda t, gaps, spans: (gaps < DAY).any() or (spans < 30 * DAY).any()), "still within 30 days"),
        (by_time(lambda t, gaps, spans: (gaps < 1).any() or (spans <= 30).any()), "in seconds"),
        (by_time(lambda t, gaps, spans: (gaps < DAY).any() or (spans[:1] <= 30 * DAY).any()), "the first four plays only"),
        (by_time(lambda t, gaps, spans: (gaps < DAY).any() or (len(t) > 3 and t[-1] - t[0] <= 30 * DAY)),
         "from the first play to the last"),
        (by_time(lambda t, gaps, spans: (gaps < DAY).all() or (spans <= 30 * DAY).any()), "*one* gap"),
        (by_time(lambda t, gaps, spans: (np.diff(t // DAY) == 0).any() or (spans <= 30 * DAY).any()), "you compare dates"),
        (by_time(lambda t, gaps, spans: (gaps < DAY).any() or (spans <= 7 * DAY).any()),
         "it gives 4; expected 5"),  # nothing wrong is said
        (lambda t: 3 if len(t) == 1 else 5 if len(t) > 10 else None, "whichever way is taken"),
    ],
    "02-pearson": [
        (known(lambda x, y: cosine(x - np.median(x), y - np.median(y))), "the medians"),
        (known(lambda x, y: (x - x.mean()).sum() * (y - y.mean()).sum()), "always 0"),
        (known(lambda x, y: -centred_cosine(x, y)), "the sign is reversed"),
        (known(lambda x, y: centred_cosine(x, y) / len(x)), "n times too small"),
        (known(lambda x, y: centred_cosine(x, y) ** 2), "That is the square"),
        (known(lambda x, y: np.corrcoef(x, y)), "expected a single number"),
        (known(lambda x, y: 1.0 if x.std() * y.std() == 0 else np.corrcoef(x, y)[0, 1]),
         "a user who gave all the songs the same"),
    ],
    "02-predict": [
        (lambda m, s, r, b: m + s @ (r - b) * np.abs(s).sum(), "you multiplied by Σ |s|"),
        (lambda m, s, r, b: m + s @ (r - b) / (s @ s), "you divided by Σ s²"),
        (lambda m, s, r, b: (m + s @ (r - b)) / np.abs(s).sum(), "κ multiplies the sum alone"),
        (lambda m, s, r, b: b.mean() + s @ (r - b) / np.abs(s).sum(), "Start from r̄(u)"),
        (lambda m, s, r, b: m + s @ np.abs(r - b) / np.abs(s).sum(), "the signs of r − r̄(v) are lost"),
        (lambda s, m, r, b: m + s @ (r - b), "in the right order"),
    ],
    "02-shrinkage": [
        (lambda s, n, beta: s / (n + beta), "n is missing above"), (lambda s, n, beta: s, "s is unchanged"),
        (lambda s, n, beta: np.abs(s) * n / (n + beta), "the signs are lost"),
        (lambda s, n, beta: s * (n // (n + beta)), "`//`"),
    ],
    "03-rank-k": [
        (lambda R, k: (lambda M, sigma, N_T: (M[:, :k] * sigma[:k] ** 2) @ N_T[:k])(*svd(R)), "are squared"),
        (lambda R, k: (lambda M, sigma, N_T: sigma[k] * np.outer(M[:, k], N_T[k]))(*svd(R)), "`[:k]` takes the first k"),
        (lambda R, k: truncated(R, k).T, "rows and columns are swapped"),
    ],
    "03-enough": [
        (lambda sigma, share: int(np.argmax(running(sigma) > share)) + 1, "`>=`"),
        (lambda sigma, share: (running(sigma) >= share).sum(), "the smallest of them"),
        (lambda sigma, share: int(np.argmax(np.sqrt(running(sigma)) >= share)) + 1, "you compared roots"),
        (lambda sigma, share: 1, "it is always 1"),
    ],
    "03-factors": [
        (lambda R, k: (lambda M, sigma, N_T: (M[:, :k], N_T[:k].T * sigma[:k][::-1]))(*svd(R)), "in the wrong order"),
        (lambda R, k: (lambda M, sigma, N_T: (M[:, :k], -N_T[:k].T * sigma[:k]))(*svd(R)), "the sign is not"),
    ],
    "03-filled": [
        (lambda R: np.where(np.isnan(R), R, np.nanmean(R, axis=0)), "are exchanged"),
        (lambda R: np.where(R == np.nan, np.nanmean(R, axis=0), R), "`R == np.nan` is never true"),
        (lambda R: np.where(np.isnan(R), np.round(np.nanmean(R, axis=0)), R), "the means are rounded"),
    ],
    "04-largest-rate": [
        (lambda H: 2 / np.linalg.eig(H)[0][0], "does not sort them"),
        (lambda H: 4 / np.linalg.eigvalsh(H)[-1], "Everything is 2 times"),
        (lambda H: 2 / np.linalg.eig(H), "several things at once"),
        (lambda H: 2 / np.linalg.eigvalsh(H)[-1] + 1j, "complex numbers"),
    ],
    "04-step": [
        (lambda w, dw, g, alpha, eta: (w + alpha * dw - eta * g, alpha * dw - eta * g), "η and α are exchanged"),
        (lambda w, dw, g, eta, alpha: (w - (alpha * dw - eta * g), alpha * dw - eta * g), "so it is w + Δw"),
        (lambda w, dw, g, eta, alpha: (w + alpha * dw - eta * g, eta * g - alpha * dw), "Δw has the wrong sign"),
    ],
    "04-catch-up": [
        (lambda w, dw, a, t: (w + a * (1 - a**t) / (1 - a) * dw, a * t * dw), "not α · t"),
        (lambda w, dw, a, t: (w + a * (1 - a**t) * dw, a**t * dw), "to divide by 1 − α"),
        (lambda w, dw, a, t: (w + a * (1 - a ** (t + 1)) / (1 - a) * dw, a ** (t + 1) * dw), "that is t + 1 steps"),
    ],
    "04-gradient": [
        (lambda p, q, r, lam: (lam * q - (r - p @ q) * p, lam * p - (r - p @ q) * q), "the order is dp, dq"),
        (lambda p, q, r, lam: (lam * p - abs(r - p @ q) * q, lam * q - abs(r - p @ q) * p), "you took |e|"),
        (lambda p, q, r, lam: (lam * q - (r - p @ q) * q, lam * p - (r - p @ q) * p), "yours are exchanged"),
    ],
    "05-cube": [
        (lambda w, h: ((w + h) ** 3 - (w - h) ** 3) / h - 3 * w**2, "divides by 2h"),
        (lambda w, h: ((w + h) ** 3 - (w - h) ** 3) / 2 * h - 3 * w**2, "write `/ (2 * h)`"),
        (lambda w, h: h**2 / 2, "0.5 times"),
    ],
    "05-linear": [
        (lambda dy, x, W: (dy.T @ x, dy @ W, dy.sum(axis=0)), "the first thing to return is dx"),
        (lambda dy, x, W: (dy @ W, dy.T @ x, np.full(len(W), len(x))), "how often each bias was added"),
        (lambda dy, x, W: (-dy @ W, -dy.T @ x, -dy.sum(axis=0)), "the sign is not"),
    ],
    "06-softmax": [
        (lambda y, t: (-np.log((np.exp(y) / np.exp(y).sum(axis=0))[range(len(t)), t]).mean(), right_dy(y, t)),
         "a sum over the *batch*"),
        (lambda y, t: (-np.log2(softmax(y)[range(len(t)), t]).mean(), right_dy(y, t)), "base 2"),
        (lambda y, t: ((softmax(y)[range(len(t)), t] - 1).mean(), right_dy(y, t)), "it gives"),
    ],
    "07-frame": [
        (lambda x, t, window, hop: np.fft.rfft(hann * framed(x, t, window, hop)), "complex numbers"),
        (lambda x, t, window, hop: np.abs(np.fft.rfft(hann * framed(x, t, window, 1))) ** 2, "t · hop"),
        (lambda x, t, window, hop: 2 * np.abs(np.fft.rfft(hann * framed(x, t, window, hop))) ** 2, "Everything is 2 times"),
    ],
    "07-mel": [
        (lambda f: slaney(f, lambda f: 15 + 27 * np.log(f) / np.log(6.4)), "the logarithm is of f / 1000"),
        (lambda f: slaney(f, lambda f: (15 + 27 * np.log(f / 1000)) / np.log(6.4)), "the 15 is added after it"),
    ],
    "07-log": [
        (lambda S, C: np.log1p(1 + C * S), "yours is added twice"), (lambda S, C: -np.log1p(C * S), "the sign is not"),
        (lambda S, C: np.log(1 + C * S, 10), "not a base"), (lambda S, C: np.log1p(C * S).T, "rows and columns are swapped"),
    ],
    "08-windows": [
        (lambda S, f, width: np.mean([f(x) for x in windows(S, width, range(S.shape[1] % width, S.shape[1], width))], axis=0),
         "the beginning of the song is lost"),
    ],
    "08-best": [
        (lambda p, Q, n: np.argsort(-(Q @ p))[1 : n + 1], "the best song is missing"),
        (lambda p, Q, n: np.argsort(-np.abs(Q @ p))[:n], "the size of the scores"),
    ],
    "08-first-plays": [
        (lambda q, P, r, lam: q + np.linalg.solve(P.T @ P - lam * np.eye(4), P.T @ (r - P @ q)), "*added*"),
        (lambda q, P, r, lam: q + np.linalg.solve(P.T @ P + lam**2 * np.eye(4), P.T @ (r - P @ q)), "λ is squared"),
        (lambda q, P, r, lam: np.linalg.solve(P.T @ P + lam * np.eye(4), P.T @ r + q), "before q̂"),
    ],
}
CASES = [(name, *case) for name, cases in ANSWERS.items() for case in cases]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer", "fragment"), CASES, ids=[f"{name}: {fragment}" for name, _, fragment in CASES])
def test_a_fresh_mistake_is_told_as_what_it_is(name, answer, fragment):
    verdict = check(name, answer)
    assert not verdict.ok and fragment in verdict.hint, verdict


def test_real_numbers_that_numpy_gives_as_complex_ones_are_taken_as_they_are():
    """As `np.linalg.eig` gives them from NumPy 2.5 on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check("04-largest-rate", lambda H: 2 / np.linalg.eigvalsh(H)[-1] + 0j).ok
        assert check("04-largest-rate", lambda H: 2 / np.linalg.eig(H)[0].astype(complex).max()).ok


@pytest.mark.parametrize("name", ANSWERS)
def test_no_mistake_is_taken_for_another(name, monkeypatch):
    """At the first input on which a mistake shows, no mistake that is compared before it gives the same."""
    if name == "06-softmax":
        pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    calls: dict[str, list] = {}
    expect = checking.expect

    def noted(value, right, mistakes, case="case", *arguments, **named):
        results = {key: np.asarray(result, float) for key, result in mistakes.items()}
        calls.setdefault(case, []).append((np.asarray(right, float), results))
        return expect(value, right, mistakes, case, *arguments, **named)

    for module in (ratings, factors, network, sound):
        monkeypatch.setattr(module, "expect", noted)
    assert tried(name, "solution")[1].ok
    same = np.errstate(invalid="ignore")(nearly_equal)
    for inputs in calls.values():
        keys = list(dict.fromkeys(key for _, results in inputs for key in results))
        for place, key in enumerate(keys):
            showing = [results for right, results in inputs if key in results and not same(results[key], right)]
            assert showing, f"no input shows {key!r}"
            taken_for = [other for other in keys[:place] if other in showing[0] and same(showing[0][key], showing[0][other])]
            assert taken_for == [], key


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda x: -x, "is-negated"), (lambda x: x.T, "is-turned-square"),
        (lambda x: x[::-1], "is-reversed"), (np.abs, "is-absolute"),
        (np.square, "is-squared"), (lambda x: 1 / x, "is-inverse"), (lambda x: 3.7 * x, "is-factor"),
        (lambda x: x + 0.5, "is-too-large"),
        (lambda x: x - 0.5, "is-too-small"), (lambda x: x.round(1), "is-rounded"),
        (lambda x: np.sort(x, axis=0), "is-reordered"),
        (np.ravel, "is-reshaped"), (lambda x: x[:2].T, None), (lambda x: 0 * x, None),
        (lambda x: x * np.nan, None), (np.sin, None),
    ],
)
def test_what_turns_one_result_into_another_is_named(change, key):
    expected = np.array([[1.23, -2.5, 0.7], [4.1, 0.33, -1.9], [2.2, 3.3, -0.41]])
    found = relation(change(expected), expected)
    assert (found and found.key) == key
    assert relation(np.array([[1.0, 2], [3, 4], [5, 6]]).T, np.array([[1.0, 2], [3, 4], [5, 6]])).key == "is-turned"


@pytest.mark.parametrize(("got", "expected"), [(4.0, 2.0), (2.0, 1.0), (1.0, 0.0), (0.7, 0.3), ([1.0, 2], [2.0, 4])])
def test_of_few_or_whole_numbers_no_relation_is_claimed(got, expected):
    assert relation(np.asarray(got), np.asarray(expected)) is None
