"""What is held out: the latest of each user, nothing that is in the training set as well, and metrics for each user."""

from dataclasses import replace

import numpy as np
import pytest
from cf_cases import matrix, random_ratings

from acai import InputError, Ratings
from acai.cf import ALS, SGD, GlobalMean, Popularity, UserKNN
from acai.datasets import ListeningLog
from acai.evaluation import cross_validate, evaluate, evaluate_per_user
from acai.ratings import splits

LOG = ListeningLog(
    np.array([0, 0, 1, 0, 1, 1], np.int32), np.array([0, 1, 0, 0, 1, 2], np.int32), np.arange(6), ["ann", "bob"], ["x", "y", "z"]
)


def test_the_halves_of_a_log_overlap_and_the_error_says_what_to_do():
    train, test = (half.to_ratings() for half in LOG.split_by_time(0.5))  # ann plays x again
    with pytest.raises(InputError, match=r"^1 of the 3 pairs of user and song in test are in train, too.*test\.without\(train\)"):
        evaluate(Popularity(), train, test)
    new = test.without(train)
    assert sorted(new.triplets()) == [("bob", "y", 1), ("bob", "z", 1)]
    assert evaluate(Popularity(), train, new, k=2)["recall"] == 1


@pytest.mark.parametrize("measure", [evaluate, evaluate_per_user, lambda m, a, b: cross_validate(m, None, [(a, b)])])
def test_what_was_trained_on_is_no_test(measure):
    R = random_ratings()
    train, test = R.split(0.3)
    for pair in ((R, R), (train, train.keep(np.ones(train.n_ratings, bool)))):
        with pytest.raises(InputError, match=r"same pairs of user and song.*train, test = ratings\.split\(test=0\.2\)"):
            measure(GlobalMean(), *pair)
    with pytest.raises(InputError, match=f"^{test.n_ratings} of the {test.n_ratings} pairs .* in test are in train, too"):
        measure(GlobalMean(), R, test)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_in_common_are_those_of_python(seed):
    rng = np.random.default_rng(seed)
    pairs = [{(int(u), int(i)): 1.0 for u, i in rng.integers(0, [5, 6], (12, 2))} for _ in range(2)]
    one, other = (matrix(R) for R in pairs)
    assert {(u, i) for u, i, _ in one.without(other).triplets()} == pairs[0].keys() - pairs[1].keys()
    nothing = other.keep(np.zeros(other.n_ratings, bool))
    assert one.without(nothing).n_ratings == one.n_ratings and nothing.without(one).n_ratings == 0
    with pytest.raises(InputError, match="expected two parts of one Ratings"):
        one.without(matrix({(0, 0): 1.0}, 2, 2))


def test_the_last_of_every_user_are_held_out():
    R = random_ratings()
    times = np.random.default_rng(1).permutation(R.n_ratings)
    R = Ratings(R.csr, R.users, R.songs, times)
    for k in (1, 3):
        train, test = R.leave_last_out(k)
        assert np.array_equal(np.diff(test.csr.indptr), [k] * R.n_users)
        assert train.n_ratings + test.n_ratings == R.n_ratings
        for u in range(R.n_users):
            assert test.times[test.user_codes == u].min() > train.times[train.user_codes == u].max()
    short = R.keep((R.user_codes > 0) | (np.arange(R.n_ratings) < 2))  # user 0 has two entries
    train, test = short.leave_last_out(2)
    assert (test.user_codes > 0).all() and (train.user_codes == 0).sum() == 2
    with pytest.raises(InputError, match="k=12, but no user has more than 12 entries"):
        R.leave_last_out(12)


def test_the_last_plays_of_a_log_are_held_out():
    train, test = LOG.leave_last_out()
    assert train.times.tolist() == [0, 1, 2, 4] and test.times.tolist() == [3, 5]
    assert test.user_codes.tolist() == [0, 1] and test.users == LOG.users
    assert LOG.leave_last_out(2)[1].times.tolist() == [1, 3, 4, 5]
    with pytest.raises(InputError, match="k=3, but no user has more than 3 entries"):
        LOG.leave_last_out(3)
    skips = replace(LOG, times=LOG.times + 1)  # of ann at 1, 2 and 4, of bob at 3, 5 and 6
    train, test = replace(LOG, skips=skips).leave_last_out()
    assert train.skips.times.tolist() == [1, 2, 3] and test.skips.times.tolist() == [4, 5, 6]


def test_of_equal_times_the_seed_chooses():
    R = random_ratings()
    R = Ratings(R.csr, R.users, R.songs, np.zeros(R.n_ratings, int))
    (_, one), (_, again), (_, another) = R.leave_last_out(2), R.leave_last_out(2), R.leave_last_out(2, seed=1)
    assert np.array_equal(one.csr.indices, again.csr.indices) and not np.array_equal(one.csr.indices, another.csr.indices)


@pytest.mark.parametrize("split", [Ratings.split_by_time, Ratings.leave_last_out])
def test_without_times_there_is_no_last(split):
    with pytest.raises(InputError, match=r"these ratings have no times; pass times to from_triplets, or split at random"):
        split(random_ratings())


def test_latest_of_each_row_are_those_of_a_loop():
    indptr, times = np.array([0, 3, 3, 8], np.int32), np.array([5, 9, 9, 1, 4, 4, 4, 0])
    chosen = splits.latest_k_of_each_row(indptr, times, 2, seed=0)
    assert chosen[:3].tolist() == [False, True, True] and chosen[3:].sum() == 2 and not chosen[3] and not chosen[7]


@pytest.mark.parametrize("model", [SGD(n_factors=3, n_epochs=3), UserKNN(), ALS(n_factors=3, n_epochs=2), Popularity()])
def test_metrics_of_users_have_the_mean_that_evaluate_gives(model):
    R = random_ratings()
    train, test = R.split(0.2, seed=3)
    per_user = evaluate_per_user(model, train, test, k=5, relevant_from=4)
    means = evaluate(model, train, test, k=5, relevant_from=4)
    assert per_user.keys() == means.keys() - {"coverage"}
    has_test = np.diff(test.csr.indptr) > 0
    likes = np.bincount(test.user_codes, test.csr.data >= 4, R.n_users) > 0
    assert 0 < likes.sum() < has_test.sum() < R.n_users
    for name, values in per_user.items():
        if name in ("rmse", "mae"):
            n = np.diff(test.csr.indptr)[has_test]
            power = 2 if name == "rmse" else 1
            mean = np.average(values[has_test] ** power, weights=n) ** (1 / power)
            assert mean == pytest.approx(means[name]) and np.isnan(values[~has_test]).all()
        else:
            assert np.nanmean(values) == pytest.approx(means[name]) and np.array_equal(np.isnan(values), ~likes)


def test_metrics_of_one_user_are_those_of_an_evaluation_of_this_user():
    train, test = random_ratings().split_each_user(0.3, seed=0)
    model = SGD(n_factors=3, n_epochs=3).fit(train)
    found = evaluate_per_user(model, train, test, k=5)
    alone = evaluate(model, train, test.keep(test.user_codes == 7), k=5)
    assert {name: values[7] for name, values in found.items()} == pytest.approx({name: alone[name] for name in found})


def test_coverage_belongs_to_all_lists_together():
    train, test = random_ratings().split(0.2)
    with pytest.raises(InputError, match="no metric 'coverage'; there is: "):
        evaluate_per_user(Popularity(), train, test, which=["coverage"])
    assert list(evaluate_per_user(Popularity(), train, test, which="ndcg")) == ["ndcg"]
