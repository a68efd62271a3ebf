"""Odd answers: what they return is no number; they print, stop or never end; or they contain a mistake that others have made."""

import time

import numpy as np
import pytest

from acai.teaching.exercises import NotSolved, check, exercises, require
from acai.teaching.exercises.checking import SECONDS

FUNCTIONS = [
    task.name for task in exercises()
    if task.name not in ("02-beat-baseline", "04-fit", "05-leaky-relu", "05-average-pool", "05-dilated", "06-prints", "06-fix",
                         "06-read", "07-tempo", "08-audio-model")
]
ODD = {
    "text": "three", "a dictionary": {"a": 1}, "an array where a number is expected": np.arange(3.0), "a number": 1.5,
    "rows of different lengths": [[1], [2, 3]], "an object": object(), "a class": dict, "a complex number": 1j, "a set": {1},
    "two of different lengths": (np.zeros(2), np.zeros(3)), "two texts": ("a", "b"), "three": (np.zeros(2), "b", None),
    "a truth value": True, "NaN": np.nan, "nothing in a list": [],
    "a very large integer": 10**400, "dates": np.array(["2020"], "M8[D]"),
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_odd_result_is_answered_and_never_stops_the_checker(name, kind):
    verdict = check(name, lambda *arguments: ODD[kind])
    assert not verdict.ok and "stops with" not in verdict.hint and "cannot be checked" not in verdict.hint, verdict.hint
    assert "Wrong(" not in verdict.hint and "{" not in verdict.hint.replace("{'a': 1}", "").replace("{{", "")


def test_strict_and_require_raise_with_the_hint_and_return_in_silence():
    blank = lambda s, n, beta: ...
    with pytest.raises(NotSolved, match=r"✗ 02-shrinkage: it returns nothing yet"):
        check("02-shrinkage", blank, strict=True)
    with pytest.raises(AssertionError, match="brackets are missing"):
        require("02-shrinkage", lambda s, n, beta: s * n / n + beta)
    right = lambda s, n, beta: s * n / (n + beta)
    assert check("02-shrinkage", right, strict=True).ok and require("02-shrinkage", right) is None


@pytest.mark.parametrize("except_what", [Exception, BaseException])
def test_an_answer_that_never_returns_is_stopped(except_what):
    def endless(s, n, beta):
        started = time.monotonic()
        while time.monotonic() < started + 1.2:  # an endless loop; a broken limit shall not hang the tests
            try:
                sum(range(1000))
            except except_what:
                if except_what is not BaseException:
                    continue
        return s

    started = time.monotonic()
    verdict = check("02-shrinkage", endless, seconds=0.1)
    if except_what is Exception:  # who catches everything is stopped again and again, and fails at the latest in the end
        assert time.monotonic() - started < 1.0
        assert "had not finished after 0.1 s" in verdict.hint
    assert not verdict.ok
    time.sleep(0.01)  # and nothing is raised afterwards


def test_where_a_network_is_trained_there_is_more_time():
    assert SECONDS["06-read"] == 600 and SECONDS["02-shrinkage"] == 60 and {*SECONDS} >= {task.name for task in exercises()}


def prints(s, n, beta):
    print(s * n / (n + beta))


def computes(s, n, beta):
    s = s * n / (n + beta)


def recursive(s, n, beta):
    return recursive(s, n, beta)


PEARSON = lambda a, b: lambda x, y: (
    lambda x, y: np.cov(x, y, ddof=a)[0, 1] / (x.std(ddof=b) * y.std(ddof=b))
)(x[~np.isnan(x + y)], y[~np.isnan(x + y)])


def counted(start, change):
    def counts(users, songs, m, n):
        N = np.full((m, n), start)
        if change == "=":
            N[users, songs] = 1
        else:
            np.add.at(N, (users, songs), 1)
        return N

    return counts


def softmax(log):
    def loss(y, t):
        p = np.exp(y - y.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        dy = p.copy()
        dy[np.arange(len(y)), t] -= 1
        return -log(p[np.arange(len(y)), t]).mean(), dy / len(y)

    return loss


def with_svd(multiply):
    def rank_k(R, k):
        return multiply(*np.linalg.svd(R, full_matrices=False), k)

    return rank_k


@pytest.mark.parametrize(
    ("name", "answer", "fragment"),
    [
        ("02-shrinkage", prints, "it prints something, but returns nothing"),
        ("02-shrinkage", computes, "needs a `return`"),
        ("02-shrinkage", recursive, "calls itself, again and again"),
        ("02-shrinkage", lambda s, n: s, "`def` must list exactly the arguments"),
        ("02-shrinkage", lambda s, n, beta: s * n[:5], "counted from the last"),
        ("02-shrinkage", lambda s, n, beta: s[9], "the last entry of n is n − 1"),
        ("02-shrinkage", lambda s, n, beta: s[n], "An index and a size must be integers"),
        ("02-shrinkage", lambda s, n, beta: s[:, 0], "fewer dimensions"),
        ("02-shrinkage", lambda s, n, beta: s[n[:3] > 2], "the shape of the array that it selects from"),
        ("02-shrinkage", lambda s, n, beta: s * None, "still empty"),
        ("02-shrinkage", lambda s, n, beta: np.zeros(9, int).__iadd__(s), "array of integers cannot take decimals"),
        ("02-shrinkage", lambda s, n, beta: int(np.nan), "NaN and infinity have no integer"),
        ("02-shrinkage", lambda s, n, beta: np.array([[1, 2], [3]]), "must all be equally long"),
        ("02-shrinkage", lambda s, n, beta: np.linalg.inv(np.zeros((2, 2))), "no unique solution"),
        ("02-shrinkage", lambda s, n, beta: s * n / n + beta, "brackets are missing"),
        ("02-shrinkage", lambda s, n, beta: s * (n / n + beta), "brackets are missing"),
        ("02-shrinkage", lambda s, n, beta: s + np.nan, "NaN at the start"),
        ("02-shrinkage", lambda s, n, beta: s / 0, "look for a division by zero"),
        ("02-pearson", PEARSON(0, 1), "too close to 0"),
        ("02-pearson", PEARSON(1, 0), "too far from 0"),
        ("02-pearson", lambda x, y: np.cov(x[~np.isnan(x + y)], y[~np.isnan(x + y)])[0, 1], "that is the covariance, as `np.cov`"),
        ("01-counts", counted(np.nan, "+"), "NaN + 1 is still NaN"),
        ("01-counts", counted(0.0, "="), "`N[users, songs] = 1` only marks the pairs"),
        ("03-rank-k", with_svd(lambda M, s, N_T, k: M[:, :k] @ s[:k] @ N_T[:k]), "is a list of numbers, no matrix"),
        ("03-enough", lambda sigma, share: np.cumsum(sigma), "expected a single number"),
        ("04-step", lambda w, dw, g, eta, alpha: (w - eta * (alpha * dw + g), alpha * dw + g), "as PyTorch has it"),
        ("04-step", lambda w, dw, g, eta, alpha: (w + alpha * (alpha * dw - eta * g) - eta * g, alpha * dw - eta * g), "Nesterov"),
        ("04-step", lambda w, dw, g, eta, alpha: (w + eta * (alpha * dw - g), alpha * dw - g), "only the gradient"),
        ("04-step", lambda w, dw, g, eta, alpha: (w + alpha * dw - eta * g, 7 + 0 * dw), "7 in dw at [1]"),
        ("04-catch-up", lambda w, dw, a, t: (w + a * (1 - a**t) / 1 * dw - a * dw, a**t * dw), "brackets are missing"),
        ("06-softmax", softmax(lambda p: np.log(p + 1e-12)), "a tiny number was added"),
        ("06-softmax", softmax(lambda p: np.log(np.clip(p, 1e-15, 1))), "a tiny number was added"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_mistake_that_others_have_made_is_named(name, answer, fragment):
    verdict = check(name, answer)
    assert not verdict.ok and fragment in verdict.hint, verdict.hint
