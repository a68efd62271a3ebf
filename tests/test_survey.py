"""The course's survey and its listening log: what they promise is measured on them."""

import numpy as np
import pytest

from acai.datasets import synthetic
from acai.errors import InputError
from acai.teaching.survey import WEIGHTS, listening_log, survey

SURVEY = survey()
WORLD = synthetic(60, 40, seconds=1)
LOG = listening_log(WORLD)


def test_the_same_seed_asks_the_same_people_the_same_things():
    again, other = survey(), survey(seed=1)
    np.testing.assert_array_equal(again.ratings.csr.toarray(), SURVEY.ratings.csr.toarray())
    assert not np.array_equal(other.answers, SURVEY.answers)


def test_ratings_are_a_share_of_the_answers_and_agree_with_them():
    R = SURVEY.ratings
    assert R.density == pytest.approx(0.3, abs=0.01) and "SYNTHETIC" in R.notes[0]
    np.testing.assert_array_equal(R.csr.data, SURVEY.answers[R.user_codes, R.csr.indices])
    assert set(np.unique(SURVEY.answers)) == {1, 2, 3, 4, 5}


def test_answers_are_what_the_docstring_says_they_are():
    """Least squares of every user's answers on the true features finds the taste behind them."""
    names = ("brightness", "tempo", "noise")
    assert tuple(WEIGHTS) == names and SURVEY.features.shape == (100, 3)
    X = np.column_stack([np.ones(100), SURVEY.features])
    answers = SURVEY.answers - SURVEY.answers.mean(axis=0)  # the mean of a song holds what is good about it
    found = np.linalg.lstsq(X - X.mean(axis=0) * [0, 1, 1, 1], answers.T, rcond=None)[0][1:].T  # (users, features)
    true = SURVEY.world.tastes[:, [0, 3, 2]]
    for f, strength in enumerate(WEIGHTS.values()):
        slope, _ = np.polyfit(true[:, f], found[:, f], 1)
        assert slope == pytest.approx(strength, rel=0.15)  # less than the whole: stars end at 1 and 5
        assert np.corrcoef(true[:, f], found[:, f])[0, 1] > 0.9


def test_four_directions_stand_out_of_the_noise():
    """Three features and kindness: the picture on which notebook 03 rests."""
    sigma = np.linalg.svd(SURVEY.answers - SURVEY.answers.mean(axis=0), compute_uv=False)
    assert sigma[3] > 3 * sigma[4] and sigma[4] < 1.3 * sigma[8]


@pytest.mark.parametrize("asked", [0.0, 1.5, -0.1])
def test_a_share_that_is_none_is_an_error(asked):
    with pytest.raises(InputError, match="asked="):
        survey(asked=asked)


def test_the_log_sums_up_to_the_plays_of_its_world():
    counted = LOG.to_ratings("plays").csr.toarray()
    np.testing.assert_array_equal(counted, WORLD.plays.csr.toarray())


def test_the_log_is_in_the_order_of_time_within_its_year():
    assert (np.diff(LOG.times) >= 0).all()
    years = LOG.times.view("datetime64[s]").astype("datetime64[Y]")
    assert set(years.astype(str)) == {"2025"}
    assert set(listening_log(WORLD, year=2024).times.view("datetime64[s]").astype("datetime64[Y]").astype(str)) == {"2024"}
    np.testing.assert_array_equal(LOG.times, listening_log(WORLD).times)
    assert not np.array_equal(LOG.times, listening_log(WORLD, seed=1).times)


def test_some_plays_are_close_together_and_some_are_far_apart():
    """Both kinds must be there, or the rule by times (D5) would say the same as that by counts (D4)."""
    by_counts, by_times = (LOG.to_ratings(rule).csr.data for rule in ("stars_from_counts", "stars_from_times"))
    assert (by_times > by_counts).any() and (by_times < by_counts).any()
