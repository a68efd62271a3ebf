"""compare: its intervals against loops, SciPy's bootstrap and permutation test, and what is known of made-up differences."""

import numpy as np
import pytest
from cf_cases import random_ratings
from scipy import stats

from acai import InputError, Ratings
from acai.cf import ALS, SGD, GlobalMean, Popularity, UserKNN
from acai.evaluation import Difference, bootstrap, compare, cross_validate
from acai.evaluation.bootstrap import UserScores, simultaneous_intervals
from acai.evaluation.comparing import seeded
from acai.reference import comparison as loops

R = random_ratings(m=60)


def one_metric(x, weights=None, power=1):
    x = np.asarray(x, float)
    return UserScores(x, np.ones(x.shape[1:]) if weights is None else weights, power)


def test_intervals_are_their_equations():
    rng = np.random.default_rng(0)
    n_draws, n_differences, n_folds = 50, 3, 4
    resampled, d = rng.normal(size=(n_draws, n_differences)), rng.normal(size=(n_differences, n_folds))
    xi, chi = rng.normal(size=(n_draws, n_folds)), rng.chisquare(3, (n_draws, n_differences))
    s = bootstrap.standard_errors(resampled, d)
    assert s == pytest.approx([loops.standard_error(list(resampled[:, c]), list(d[c])) for c in range(n_differences)])
    T = bootstrap.largest_deviations(resampled, d, s, xi, chi)
    assert T == pytest.approx([
        loops.largest_deviation(list(resampled[b]), d.tolist(), list(s), list(xi[b]), list(chi[b])) for b in range(n_draws)
    ])


def test_the_whole_is_its_parts():
    """The interval, from the same random numbers by the loops."""
    rng = np.random.default_rng(1)
    x = rng.random((2, 3, 20))
    found = simultaneous_intervals([one_metric(x)], level=0.9, n_draws=200, seed=7)
    drawn = np.random.default_rng(7).integers(20, size=(200, 20))
    d = [[float(x[0, f].mean() - x[1, f].mean()) for f in range(3)]]
    resampled = [loops.mean_difference(*(x[a][:, users].mean(axis=1) for a in range(2))) for users in drawn]
    s = loops.standard_error(resampled, d[0])
    others = np.random.default_rng([7, 1])
    xi, chi = others.normal(size=(200, 3)), others.chisquare(2, (200, 1))
    T = [loops.largest_deviation([resampled[b]], d, [s], list(xi[b]), list(chi[b])) for b in range(200)]
    assert found.delta == pytest.approx(loops.mean_difference(*x.mean(axis=2).tolist()))
    assert found.half_width == pytest.approx(loops.critical_value(T, 0.9) * s)
    assert found.p == pytest.approx((1 + sum(t >= abs(found.delta[0]) / s for t in T)) / 201)


@pytest.mark.parametrize("power", [1, 2])
def test_users_are_drawn_as_scipy_draws_them(power):
    rng = np.random.default_rng(2)
    x, weights = rng.random((2, 1, 30)), rng.integers(1, 9, (1, 30)).astype(float)

    def statistic(a, b, w, axis):
        means = [np.sum(w * v**power, axis=axis) / np.sum(w, axis=axis) for v in (a, b)]
        return means[0] ** (1 / power) - means[1] ** (1 / power)

    theirs = stats.bootstrap(
        (x[0, 0], x[1, 0], weights[0]), statistic, paired=True, vectorized=True, n_resamples=250, batch=bootstrap.DRAWS,
        method="basic", random_state=np.random.default_rng(3),
    )
    of_users = [one_metric(x, weights, power)]
    ours = np.concatenate([bootstrap.differences(of_users, n)[:, 0, 0] for n in bootstrap.samples(30, 250, 3)])
    assert ours == pytest.approx(theirs.bootstrap_distribution, abs=1e-12)
    assert bootstrap.standard_errors(ours[:, None], np.zeros((1, 2)))[0] == pytest.approx(theirs.standard_error)


def test_samples_do_not_depend_on_how_many_are_in_memory(monkeypatch):
    whole = np.concatenate(list(bootstrap.samples(30, 250, 3)))
    assert whole.shape == (250, 30) and (whole.sum(axis=1) == 30).all()
    monkeypatch.setattr(bootstrap, "LARGEST_BLOCK", 210)  # seven at a time
    assert np.array_equal(np.concatenate(list(bootstrap.samples(30, 250, 3))), whole)


@pytest.mark.parametrize("shift", [0.0, 0.15, 0.4])
def test_where_folds_agree_the_p_value_is_that_of_a_permutation_test(shift):
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 80))
    a += shift
    ours = simultaneous_intervals([one_metric(np.repeat([[a], [b]], 2, axis=1))], 0.95, 4000, 0).p[0]
    theirs = stats.permutation_test(
        (a, b), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples", vectorized=True, n_resamples=4000,
        random_state=np.random.default_rng(0),
    )
    assert ours == pytest.approx(theirs.pvalue, abs=0.03)


@pytest.mark.parametrize("users, folds, both", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0.1, 1), (0, 0.3, 2)])
@pytest.mark.parametrize("n_metrics", [1, 3])
def test_identical_models_are_seldom_called_different(users, folds, both, n_metrics):
    """Whatever it is that varies between two models of equal quality: which users they suit, which folds, or both."""
    rng = np.random.default_rng(5)
    called_different = []
    for _ in range(150):
        x = users * rng.normal(size=(2, n_metrics, 1, 60)) + folds * rng.normal(size=(2, n_metrics, 5, 1))
        x = x + both * rng.normal(size=(2, n_metrics, 5, 60))
        found = simultaneous_intervals([one_metric(x[:, q]) for q in range(n_metrics)], 0.95, 200, seed=0)
        called_different.append((np.abs(found.delta) > found.half_width).any())
    assert np.mean(called_different) < 0.09  # 5 %, and twice its standard error for 150 pairs


def test_a_real_difference_is_found_and_said_in_words():
    rng = np.random.default_rng(0)
    users, songs = np.repeat(np.arange(60), 20), np.concatenate([rng.permutation(40)[:20] for _ in range(60)])
    of_two_tastes = Ratings.from_triplets(users, songs, np.where(users % 2 == songs % 2, 4, 2) + rng.integers(0, 2, len(users)))
    models = {"good": SGD(4, n_epochs=60, momentum=0.8, learning_rate=0.01), "mean": GlobalMean()}
    found = compare(models, of_two_tastes, folds=3, which=["rmse", "ndcg"], n_draws=200)
    by_metric = {difference.metric: difference for difference in found.differences}
    assert not by_metric["rmse"].is_noise and by_metric["rmse"].high < 0 and by_metric["rmse"].p < 0.05
    said = str(found)
    delta, low, high = by_metric["rmse"].delta, by_metric["rmse"].low, by_metric["rmse"].high
    assert f"rmse: good is better than mean by {-delta:.4f} ({-high:.4f} to {-low:.4f})" in said
    assert "3 folds, 60 users; all 2 intervals together: 95%" in said
    assert "good is better than mean" in found._repr_html_()


def test_words():
    worse = Difference("ndcg", "a", "b", -0.2, -0.3, -0.1, 0.01)
    assert str(worse) == "ndcg: b is better than a by 0.2000 (0.1000 to 0.3000)"
    assert str(Difference("mae", "a", "b", -0.2, -0.3, -0.1, 0.01)) == "mae: a is better than b by 0.2000 (0.1000 to 0.3000)"
    noise = Difference("ndcg", "a", "b", 0.1, -0.1, 0.3, 0.4)
    assert str(noise) == "ndcg: a and b differ by 0.1000 (-0.1000 to 0.3000), which may be noise"


def test_figures_are_those_of_cross_validation():
    found = compare([UserKNN(), GlobalMean()], R, folds=3, seed=2, k=5, n_draws=100)
    for name, model in ("UserKNN()", UserKNN()), ("GlobalMean()", GlobalMean()):
        expected = cross_validate(model, R, folds=3, seed=2, k=5)
        assert list(found.figures[name]) == ["rmse", "mae", "precision", "recall", "map", "ndcg", "auc"]
        for metric, values in found.figures[name].items():
            assert values == pytest.approx(expected[metric])
    assert len(found.differences) == 7


def test_every_fold_has_a_seed_of_its_own_and_models_keep_theirs():
    model = SGD(3, seed=8)
    seeds = [seeded(model, fold).seed for fold in range(4)] + [seeded(SGD(3, seed=9), fold).seed for fold in range(4)]
    assert len(set(seeds)) == 8 and model.seed == 8 and seeded(UserKNN(k=7), 3) == UserKNN(k=7)


def test_models_without_any_difference():
    same = compare({"a": UserKNN(), "b": UserKNN()}, R, folds=2, which=["rmse", "recall"], n_draws=100)
    assert [(d.low, d.high, d.p, d.is_noise) for d in same.differences] == [(0, 0, 1, True)] * 2


def test_the_same_bits_for_any_number_of_workers():
    models = [SGD(3, n_epochs=3), Popularity()]
    one, two = (compare(models, R, folds=2, n_draws=150, n_jobs=n).differences for n in (1, 2))
    assert one == two and [d.metric for d in one] == ["precision", "recall", "map", "ndcg", "auc"]  # what both have
    assert one != compare(models, R, folds=2, n_draws=150, seed=1).differences


def test_one_split_may_be_fitted_several_times():
    train, test = R.split(0.2)
    found = compare([SGD(3, n_epochs=3), ALS(3, n_epochs=3)], None, folds=[(train, test)] * 3, which=["ndcg"], n_draws=100)
    assert np.ptp(next(iter(found.figures.values()))["ndcg"]) > 0  # the seeds differ


@pytest.mark.parametrize("arguments, message", [
    (dict(models=[SGD()]), "expected two or more models to compare"),
    (dict(models=SGD()), "expected two or more models to compare"),
    (dict(models=[SGD(), SGD()]), "two models have the same settings"),
    (dict(models=[SGD, ALS()]), "model=SGD; expected a model with its settings"),
    (dict(folds=[R.split(0.2)]), "1 fold does not show how much folds and seeds vary"),
    (dict(folds=[1]), "folds is neither a number nor a list of pairs"),
    (dict(which=["coverage"]), "no metric 'coverage'"),
    (dict(level=1), "level=1; expected a finite number, more than 0, less than 1"),
    (dict(level=0.999), "n_draws=100 is too small for level=0.999; expected 1000 or more"),
    (dict(seed=-1), "seed=-1; expected an integer, at least 0"),
    (dict(n_draws=5), "n_draws=5; expected an integer, at least 100"),
    (dict(ratings=random_ratings(m=8), folds=2), "only 8 users have a ndcg on each fold; expected 10 or more"),
])
def test_mistakes_are_named(arguments, message):
    defaults = dict(models=[Popularity(), GlobalMean()], ratings=R, folds=2, which=["ndcg"], n_draws=100)
    with pytest.raises(InputError, match=message):
        compare(**defaults | arguments)
