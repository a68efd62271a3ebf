"""The exercises of notebooks 01 to 04: blanks fail, solutions pass, and each usual mistake gets the hint that is meant for it."""

import numpy as np
import pytest
from course import tried
from mistakes_01_to_04 import MISTAKES, again, by_time, factorised, over_both, svd, top, until

from acai.cf import ItemKNN, UserKNN
from acai.reference import cf as loops
from acai.reference import data as loops_of_data
from acai.teaching.exercises import check, exercises

NAMES = [task.name for notebook in ("01", "02", "03", "04") for task in exercises(notebook)]


@pytest.fixture(scope="module")
def solutions():
    """What every solution gives to `check`, and the verdict."""
    return {name: tried(name, "solution") for name in NAMES}


def test_every_notebook_has_three_exercises_or_more():
    assert all(len(exercises(notebook)) >= 3 for notebook in ("01", "02", "03", "04"))


@pytest.mark.parametrize("name", NAMES)
def test_the_blank_fails_with_a_hint_and_the_solution_passes(name, solutions):
    _, blank = tried(name, "exercise")
    assert not blank.ok and len(blank.hint) > 20 and "stops with" not in blank.hint
    assert solutions[name][1].ok, str(solutions[name][1])


CASES = [(name, answer, fragment) for name, cases in MISTAKES.items() for answer, fragment in cases]


def test_every_exercise_has_three_usual_mistakes_or_more():
    assert {name: len(MISTAKES.get(name, [])) >= 3 for name in NAMES} == dict.fromkeys(NAMES, True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what a student's code may well give
@pytest.mark.parametrize(("name", "answer", "fragment"), CASES, ids=[f"{n}: {f}" for n, _, f in CASES])
def test_a_usual_mistake_gets_the_hint_that_is_meant_for_it(name, answer, fragment):
    verdict = check(name, answer)
    assert not verdict.ok and fragment in verdict.hint


def both_models(train, users, songs):
    settings = {"k": 8, "centring": "baseline", "shrinkage": 0, "min_neighbours": 1}
    return np.mean([m(**settings).fit(train).predict(users, songs) for m in (ItemKNN, UserKNN)], axis=0)


def gradient_of_one_entry(parameters, r, lam):
    dP, dQ, _, _ = loops.gradient({(0, 0): r}, parameters, lam)
    return dP[0], dQ[0]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("01-long-tail", lambda plays, head: sum(sorted(plays.tolist(), reverse=True)[: top(plays, head)]) / sum(plays)),
        ("01-counts", lambda u, i, m, n: np.bincount(u * n + i, minlength=m * n).reshape(m, n)),
        ("01-counts", lambda u, i, m, n: [[int(((u == x) & (i == y)).sum()) for y in range(n)] for x in range(m)]),
        ("01-stars", lambda n: [5 if x >= 5 else 4 if x >= 2 else 3 for x in n]),
        ("01-stars", lambda n: 3 + (n >= 2) + (n >= 5)),
        ("01-stars-by-time", by_time),
        ("02-pearson", over_both(np.mean)),
        ("02-pearson", over_both(lambda x: sum(x) / len(x))),
        ("02-predict", lambda m, s, r, b: m + sum(x * (y - z) for x, y, z in zip(s, r, b)) / sum(abs(x) for x in s)),
        ("02-shrinkage", lambda s, n, beta: s - s * beta / (n + beta)),
        ("02-beat-baseline", both_models),
        ("03-rank-k", lambda R, k: R - (svd(R)[0][:, k:] * svd(R)[1][k:]) @ svd(R)[2][k:]),
        ("03-factors", lambda R, k: [-svd(R)[0][:, :k], -(svd(R)[2][:k].T * svd(R)[1][:k])]),  # signs mean nothing
        ("03-filled", lambda R: np.array([[np.nanmean(R[:, i]) if np.isnan(x) else x for i, x in enumerate(row)] for row in R])),
        ("03-enough", until()),
        ("03-imputed", again),
        ("04-gradient", lambda p, q, r, lam: [lam * p + (p @ q - r) * q, lam * q + (p @ q - r) * p]),
        ("04-step", lambda w, dw, g, eta, alpha: (w + alpha * dw - eta * g, alpha * dw - eta * g)),
        ("04-largest-rate", lambda H: 2 / np.linalg.norm(H, 2)),
        ("04-catch-up", lambda w, dw, alpha, t: (w + sum(dw * alpha**j for j in range(1, t + 1)), dw * alpha**t)),
        ("04-fit", factorised()),
    ],
)
def test_a_right_answer_passes_however_it_is_written(name, answer):
    assert check(name, answer).ok, str(check(name, answer))


def known(*rows):
    return {(u, i): float(r) for u, row in enumerate(rows) for i, r in enumerate(row) if not np.isnan(r)}


def one_step(w, dw, g, eta, alpha):
    w, dw = w.tolist(), dw.tolist()
    loops.momentum_step(w, dw, g.tolist(), eta, alpha)
    return w, dw


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("01-stars", lambda n: [loops_of_data.stars_from_counts(range(int(x))) for x in n]),
        ("01-stars-by-time", loops_of_data.stars_from_times),
        ("02-pearson", lambda x, y: loops.pearson(known(x, y), 0, 1)),
        ("03-rank-k", lambda R, k: loops.truncated(*loops.svd(R.tolist()), k)),
        ("03-factors", lambda R, k: loops.factors(*loops.svd(R.tolist()), k)),
        ("03-filled", lambda R: loops.filled(known(*R), *R.shape)),
        ("04-gradient", lambda p, q, r, lam: gradient_of_one_entry(loops.Parameters([p], [q], 0, [0], [0]), r, lam)),
        ("04-step", one_step),
    ],
)
def test_the_loops_of_the_reference_pass(name, answer):
    """What the checks take for the truth is what the README's equations say, word for word."""
    assert check(name, answer).ok, str(check(name, answer))


@pytest.mark.parametrize("name", NAMES)
def test_the_right_shape_alone_does_not_pass(name, solutions):
    right = solutions[name][0]
    shape = lambda value: tuple(np.ones(np.shape(x)) for x in value) if isinstance(value, tuple) else np.ones(np.shape(value))
    assert not check(name, lambda *arguments: shape(right(*arguments))).ok


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("02-beat-baseline", "04-fit")])
def test_nearly_right_is_not_right(name, solutions):
    right = solutions[name][0]
    off = lambda value: tuple(1.001 * np.asarray(x) for x in value) if isinstance(value, tuple) else 1.001 * np.asarray(value)
    assert not check(name, lambda *arguments: off(right(*arguments))).ok
