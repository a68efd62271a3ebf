"""Play counts in models of ratings: recognised, and told what to do instead."""

import numpy as np
import pytest
from cf_cases import random_ratings
from test_cf_odd import quick

from acai import InputError
from acai.cf import ALS, MODELS, SGD, GradientDescent, ItemKNN
from acai.cf.plays import PlaysAsRatings, advice, look_like_plays

R = random_ratings(m=20, n=15, per_user=8)
RNG = np.random.default_rng(0)
PLAYS = R.map(lambda r: np.minimum(RNG.pareto(0.7, len(r)) + 1, 3e5).round())
SAID = r"values from 1 to \d+ look like play counts: learn from their logarithm, ratings\.map\(np\.log1p\) \(D2\), or .* with ALS"


@pytest.mark.parametrize(("values", "expected"), [
    ([1, 1, 2, 40], True), ([0, 0, 0, 12], True), ([5, 4, 1, 5], False), ([10, 70, 100, 90], False), ([-10, 3, 200], False),
    ([0.5, 1, 200], False), ([1, 1, 1, 10], False), ([1, 1, 1, 11], True), ([0, 0, 0, 10], False), ([0, 0, 0, 11], True),
    ([2, 2, 2, 20], False), ([2, 2, 2, 21], True), ([], False), (np.log1p([1, 1, 2, 4000]), False), ([7], False),
])
def test_counts_have_long_tails_and_ratings_have_scales(values, expected):
    values = np.array(values, np.float32)
    assert look_like_plays(values) is expected
    assert isinstance(advice(values), str) and bool(advice(values)) is expected


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_ratings_warns_of_play_counts(name, recwarn):
    model = quick(name)
    try:
        with pytest.warns(PlaysAsRatings, match=f"^{name} predicts ratings, but {SAID}") as found:
            model.fit(PLAYS)
        assert model.predicts_ratings and found[0].filename == __file__ and len(found) == 1
    except InputError as error:
        assert "diverged" in str(error) and name in ("SGD", "GradientDescent")
    except pytest.fail.Exception:
        assert not model.predicts_ratings
    quick(name).fit(PLAYS.map(np.log1p))
    quick(name).fit(R)
    assert not recwarn.list


def test_sums_are_no_ratings(recwarn):
    ItemKNN(normalise=False, centring="none").fit(PLAYS)
    ALS(n_factors=2, n_epochs=1).fit(PLAYS)
    assert not recwarn.list


@pytest.mark.filterwarnings("ignore::acai.cf.plays.PlaysAsRatings")
@pytest.mark.parametrize("model", [SGD(), SGD(momentum=0.5), GradientDescent(learning_rate=0.1, bold_driver=False)], ids=repr)
def test_a_descent_that_diverges_on_play_counts_says_that_they_are_no_ratings(model):
    with pytest.raises(InputError, match=rf"diverged in epoch \d+: the objective is [\w.+]+; {SAID}"):
        model.fit(PLAYS.map(lambda r: r + 3e5 * (r == r.max())))
    with pytest.raises(InputError, match=r"try a smaller learning_rate \(now 10\)"):
        type(model)(learning_rate=10.0, **{"bold_driver": False} if isinstance(model, GradientDescent) else {}).fit(R)
