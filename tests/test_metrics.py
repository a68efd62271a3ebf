"""The metrics: by hand, against their equations as loops, and against scikit-learn where its definition is the same."""

import inspect

import numpy as np
import pytest
from cf_cases import matrix, random_ratings
from hypothesis import given
from hypothesis import strategies as st

from acai import InputError
from acai.cf import ALS, SGD, GlobalMean, ItemKNN, Popularity, UserKNN
from acai.evaluation import cross_validate, evaluate, metrics
from acai.reference import metrics as reference

HITS = st.lists(st.booleans(), min_size=1, max_size=8)
SCORED = st.lists(st.tuples(st.integers(0, 3).map(float), st.booleans()), min_size=2, max_size=12).filter(
    lambda pairs: 0 < sum(good for _, good in pairs) < len(pairs)
)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=20))
def test_errors_are_their_equations(pairs):
    truth, predicted = zip(*pairs)
    assert metrics.rmse(truth, predicted) == pytest.approx(reference.rmse(truth, predicted), abs=1e-12)
    assert metrics.mae(truth, predicted) == pytest.approx(reference.mae(truth, predicted), abs=1e-12)


def test_errors_by_hand():
    assert metrics.rmse([1, 2, 3], [1, 4, 5]) == pytest.approx(np.sqrt(8 / 3))
    assert metrics.mae([1, 2, 3], [1, 4, 5]) == pytest.approx(4 / 3)
    with pytest.raises(InputError, match=r"ratings of shape \(2,\) and predictions of shape \(3,\)"):
        metrics.rmse([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="not empty"):
        metrics.mae([], [])


@given(HITS, st.integers(0, 4))
def test_lists_are_their_equations(h, n_missed):
    n = sum(h) + n_missed
    assert metrics.precision(h) == pytest.approx(reference.precision(h))
    if n == 0:  # nothing is relevant, so nothing could be found
        assert all(np.isnan(metric(h, 0)) for metric in (metrics.recall, metrics.average_precision, metrics.ndcg))
        return
    for name in ("recall", "average_precision", "ndcg"):
        assert getattr(metrics, name)(h, n) == pytest.approx(getattr(reference, name)(h, n), abs=1e-12)


def test_lists_by_hand():
    h = [True, False, True, False]  # three songs are relevant; the list of four found two of them
    assert metrics.precision(h) == 2 / 4
    assert metrics.recall(h, 3) == pytest.approx(2 / 3)
    assert metrics.average_precision(h, 3) == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert metrics.ndcg(h, 3) == pytest.approx((1 + 1 / 2) / (1 + 1 / np.log2(3) + 1 / 2))
    perfect = [True] * 4
    assert metrics.recall(perfect, 8) == 0.5  # recall sees what had no place; the next two do not
    assert metrics.average_precision(perfect, 8) == metrics.ndcg(perfect, 8) == 1


def test_many_lists_at_once():
    H, n = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [0, 0, 0]], bool), np.array([2, 5, 3, 0])
    for metric in (metrics.recall, metrics.average_precision, metrics.ndcg):
        assert np.array_equal(metric(H, n), [metric(h, x) for h, x in zip(H, n)], equal_nan=True)
    assert np.array_equal(metrics.precision(H), [2 / 3, 0, 1 / 3, 0])


@given(SCORED)
def test_auc_is_its_equation_and_scikit_learns(pairs):
    from sklearn.metrics import roc_auc_score

    scores, relevant = zip(*pairs)
    assert metrics.auc(scores, relevant) == pytest.approx(reference.auc(scores, relevant))
    assert metrics.auc(scores, relevant) == pytest.approx(roc_auc_score(relevant, scores))


def test_auc_by_hand():
    assert metrics.auc([3, 2, 1], [True, False, False]) == 1
    assert metrics.auc([3, 2, 1], [False, False, True]) == 0
    assert metrics.auc([1, 1, 1], [False, True, False]) == 0.5  # ties
    assert metrics.auc([-np.inf, 0, 1], [False, True, True]) == 1
    # the mean over the users who have both; the second has nothing but relevant songs
    assert metrics.auc([[2, 1], [2, 1], [2, 1]], [[1, 0], [1, 1], [0, 1]]) == 0.5
    assert metrics.auc([[2, 1], [2, 1]], [[1, 0], [0, 0]]) == 1  # the mean is over those who have both
    with pytest.raises(InputError, match="no user has both"):
        metrics.auc([1, 2], [True, True])
    with pytest.raises(InputError, match="no NaN"):
        metrics.auc([1, np.nan], [True, False])


@given(SCORED)
def test_full_lists_are_scikit_learns(pairs):
    """With k = all songs and no ties, its NDCG and average precision are defined as ours are; with ties it averages over orders."""
    from sklearn.metrics import average_precision_score, ndcg_score

    relevant = np.array([good for _, good in pairs])
    scores = -np.arange(len(pairs), dtype=float)  # in the order given
    assert metrics.ndcg(relevant, relevant.sum()) == pytest.approx(ndcg_score([relevant], [scores]))
    assert metrics.average_precision(relevant, relevant.sum()) == pytest.approx(average_precision_score(relevant, scores))


@given(st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=2), min_size=1, max_size=5))
def test_coverage_is_its_equation(lists):
    assert metrics.coverage(np.array(lists), 7) == pytest.approx(reference.coverage(lists, 7))
    assert metrics.coverage(np.array([[-1, -1]]), 7) == 0  # empty places


def test_evaluate_by_hand():
    """Four songs; everybody is recommended the most popular ones that are new to them: b before c before d."""
    train = matrix({(0, 0): 5, (1, 0): 5, (1, 1): 3, (2, 1): 2, (2, 2): 4, (0, 3): 1}, 4, 4)
    train = train.keep(train.csr.indices != 3)  # song 3 stays on the axis, rated by nobody; user 3 has no ratings
    test = matrix({(0, 1): 4, (0, 3): 2, (1, 3): 5, (3, 0): 3}, 4, 4)
    found = evaluate(Popularity(), train, test, k=2)
    # user 0 gets 1, 2 (1 is relevant, 3 is missed); user 1 gets 2, 3 (3 is); user 3 gets 0, 1 (0 is); user 2 has no test songs
    assert found["precision"] == pytest.approx((1 + 1 + 1) / 6)
    assert found["recall"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert found["map"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert found["ndcg"] == pytest.approx((1 / (1 + 1 / np.log2(3)) + 1 / np.log2(3) + 1) / 3)
    assert found["coverage"] == 1
    # user 0: of 1, 2, 3, relevant 1 above 2, 3 below: 1/2; user 1: of 2, 3: 0; user 3: 0 and 1 are level, 0 above 2 and 3
    assert found["auc"] == pytest.approx((1 / 2 + 0 + 2.5 / 3) / 3)
    assert set(found) == {"precision", "recall", "map", "ndcg", "coverage", "auc"}  # Popularity predicts no ratings
    liked = evaluate(Popularity(), train, test, k=2, relevant_from=3)
    assert liked["recall"] == 1  # without the songs that user 0 rated 2
    nothing = evaluate(Popularity(), train, test, relevant_from=9)
    assert all(np.isnan(value) for value in nothing.values())


def test_evaluate_goes_by_lists_shorter_than_k():
    train = matrix({(0, 0): 5, (0, 1): 5, (1, 2): 1}, 2, 3)
    test = matrix({(0, 2): 5, (1, 0): 1}, 2, 3)
    found = evaluate(Popularity(), train, test, k=50, which=["precision", "recall", "coverage"])
    assert found == {"precision": 1 / 50, "recall": 1, "coverage": 1}


def test_evaluate_in_any_blocks_and_on_any_model():
    R = random_ratings()
    train, test = R.split_each_user(0.25, seed=1)
    assert np.array_equal(np.diff(test.csr.indptr), [3] * R.n_users)  # of 12 each
    for model in (SGD(n_factors=3, n_epochs=3), UserKNN(), ItemKNN(k=9), ALS(n_factors=3, n_epochs=2)):
        whole = evaluate(model, train, test, k=5)
        assert ("rmse" in whole) == model.predicts_ratings
        assert whole == pytest.approx(evaluate(model, train, test, k=5, memory=1))
        assert evaluate(model, train, test, k=5, which=["auc"]) == {"auc": whole["auc"]}
        assert 0 < whole["auc"] < 1


def test_defaults_are_as_documented():
    R = random_ratings()
    defaults = {
        evaluate: dict(k=10, which=None, relevant_from=-np.inf, memory=2**28),
        R.split_each_user: dict(test=0.2, seed=0), cross_validate: dict(folds=5, n_jobs=1, seed=0),
    }
    for function, expected in defaults.items():
        parameters = inspect.signature(function).parameters.values()
        assert {p.name: p.default for p in parameters if p.default is not p.empty} == expected


def test_a_share_of_every_users_entries_is_held_out():
    R = random_ratings()  # 12 of each user
    for share, n_test in ((0.25, 3), (0.5, 6), (0.3, 4), (0.04, 0), (0.96, 12)):
        train, test = R.split_each_user(share, seed=2)
        assert np.array_equal(np.diff(test.csr.indptr), [n_test] * R.n_users)
        assert sorted([*train.triplets(), *test.triplets()], key=str) == sorted(R.triplets(), key=str)
    for share in (0, 1, -0.5, 1.5, np.nan):
        with pytest.raises(InputError, match="expected the share of the entries of each user to hold out, between 0 and 1"):
            R.split_each_user(share)


def test_evaluate_agrees_with_implicit():
    """Its MAP and NDCG are defined as ours (its precision, recall and AUC at k are not)."""
    evaluation = pytest.importorskip("implicit.evaluation", reason="implicit (extra bench) is the oracle")
    from scipy import sparse

    from acai.cf.kernels import top_n

    train, test = random_ratings(m=60, n=80).split_each_user(0.3, seed=0)
    model = ALS(n_factors=8, n_epochs=4).fit(train)

    class Theirs:  # recommends what ours does, in the form that implicit asks for
        def recommend(self, users, user_items, N, **_):
            ((_, scores),) = model.score_blocks(users)
            return top_n(scores, N)

    theirs = evaluation.ranking_metrics_at_k(
        Theirs(), sparse.csr_matrix(train.csr), sparse.csr_matrix(test.csr), K=7, show_progress=False
    )
    ours = evaluate(model, train, test, k=7)
    assert (ours["map"], ours["ndcg"]) == pytest.approx((theirs["map"], theirs["ndcg"]), rel=1e-6)


def test_cross_validation_is_evaluation_fold_by_fold():
    R, model = random_ratings(), SGD(n_factors=3, n_epochs=3)
    found = cross_validate(model, R, folds=3, seed=5, which=["rmse", "ndcg"])
    expected = [evaluate(SGD(n_factors=3, n_epochs=3), *fold, which=["rmse", "ndcg"]) for fold in R.folds(3, seed=5)]
    for name in ("rmse", "ndcg"):
        assert np.array_equal(found[name], [each[name] for each in expected])
    with pytest.raises(InputError, match="is not fitted"):  # left as it was
        _ = model.ratings
    shared = cross_validate(model, None, folds=list(R.folds(3, seed=5)), n_jobs=2, which=["rmse"])
    assert np.array_equal(shared["rmse"], found["rmse"])


def test_mistakes_are_named():
    R = random_ratings()
    train, test = R.split(0.2)
    with pytest.raises(InputError, match="no metric 'rsme'; there is: rmse"):
        evaluate(GlobalMean(), train, test, which=["rsme"])
    with pytest.raises(InputError, match="different users or songs"):
        evaluate(GlobalMean(), train, random_ratings(m=3))
    with pytest.raises(InputError, match="k=0; expected an integer, at least 1, at most 10000"):
        evaluate(GlobalMean(), train, test, k=0)
    with pytest.raises(InputError, match="Ratings, not from csr_array"):
        evaluate(GlobalMean(), train, test.csr)
    with pytest.raises(InputError, match="test=1"):
        R.split_each_user(1)
