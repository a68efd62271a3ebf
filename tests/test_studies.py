"""What the studies return, for a program that prints nothing: the demo, and what others have published."""

import numpy as np
import pytest
from cf_cases import random_ratings

from acai.cf import SGD, Popularity
from acai.datasets import synthetic
from acai.studies import demo, reproduce
from acai.studies.ladder import CHANCE, NETWORK, TRUTH, ColdStartSplit

WORLD = synthetic(60, 40, seconds=4)


@pytest.fixture(scope="module")
def result():
    return demo.recommend_cold_songs(WORLD, ColdStartSplit.from_ratings(*WORLD.plays.split_songs(test=0.25, seed=0)), n_epochs=2)


def test_every_model_of_the_demo_scores_every_held_out_song(result):
    assert list(result.scores) == list(result.aucs) == [CHANCE, demo.RIDGE, NETWORK, TRUTH]
    assert {S.shape for S in result.scores.values()} == {(60, len(result.split.cold))}
    assert result.gap_closed(CHANCE) == 0 and result.gap_closed(TRUTH) == 1
    expected = (result.aucs[NETWORK] - result.aucs[CHANCE]) / (result.aucs[TRUTH] - result.aucs[CHANCE])
    assert result.gap_closed(NETWORK) == expected


def test_the_typical_listener_has_played_nothing_of_what_is_new(result):
    listener = result.typical_listener()
    u, songs = WORLD.plays.row(listener.name), list(WORLD.plays.songs)
    held_out = {songs[i] for i in result.split.cold}
    assert set(listener.new) < held_out and len(listener.new) == 5
    most = result.split.train.favourites(listener.name)[:3]
    assert list(listener.played) == [song for song, _ in most] and not held_out & set(listener.played)
    assert listener.likes == WORLD.describe_taste(listener.name)
    best = [songs[result.split.cold[j]] for j in np.argsort(-result.scores[NETWORK][u], kind="stable")[:5]]
    assert list(listener.new) == best


def test_errors_of_hidden_ratings_are_far_below_the_range_of_the_stars():
    errors = demo.rating_errors(WORLD.plays, seed=0)
    assert len(errors) == 3 and all(0 < error < 2 for error in errors.values())


def test_momentum_is_level_with_none_after_the_first_epoch_that_is():
    curve = np.array([3.0, 2.0, 1.5, 2.0])
    assert reproduce.WithMomentum(0.5, curve, goal=2.0).level_after == 2
    assert reproduce.WithMomentum(0.5, curve, goal=1.0).level_after is None


def test_each_study_yields_a_result_for_each_model():
    R = random_ratings()
    rows = list(reproduce.surprise(R))
    assert [row.name for row in rows] == ["SVD", "KNNBasic", "KNNWithMeans", "KNNBaseline", "BaselineOnly"]
    assert rows[0].model == SGD() and rows[0].published == (0.934, 0.737)
    assert all(0 < mae < rmse for rmse, mae in (row.found for row in rows))
    model, found = next(reproduce.lastfm(R))
    assert model == Popularity() and list(found) == list(reproduce.OF_LISTS)
