"""The ladder's own pieces: what is held out, what is compared."""

import numpy as np
import pytest

from acai.datasets import synthetic
from acai.studies.ladder import (
    ColdStartSplit,
    Music,
    artist_popularity,
    auc_scores,
    chance,
    cold_scores,
    compare_models,
    mean_average_precision,
)

WORLD = synthetic(300, 120, seconds=1)
SPLIT = ColdStartSplit.from_ratings(*WORLD.plays.split_songs(test=0.25, seed=1))


class Told:
    """An audio model that knows the truth and stores its arguments."""

    def fit(self, spectrograms, Q, progress=False):
        self.learnt_from, self.Q = spectrograms, Q

    def predict(self, spectrograms):
        return np.array(spectrograms)


def test_held_out_songs_have_no_plays_left_to_learn_from():
    assert len(SPLIT.cold) == 30 and len(SPLIT.warm) == 90
    assert SPLIT.train.csc[:, SPLIT.cold].nnz == 0
    np.testing.assert_array_equal(SPLIT.played, WORLD.plays.csr.toarray()[:, SPLIT.cold] > 0)


def test_an_audio_model_is_fitted_to_songs_with_plays_and_scores_the_others():
    model = Told()
    scores = cold_scores(SPLIT, WORLD.tastes, WORLD.features, model, list(WORLD.features))
    np.testing.assert_array_equal(model.learnt_from, WORLD.features[SPLIT.warm])
    np.testing.assert_array_equal(model.Q, WORLD.features[SPLIT.warm])
    np.testing.assert_allclose(scores, WORLD.tastes @ WORLD.features[SPLIT.cold].T)


def test_chance_is_blind_and_the_truth_is_not():
    ladder = auc_scores(SPLIT, {"chance": chance(SPLIT), "truth": WORLD.tastes @ WORLD.features[SPLIT.cold].T})
    assert ladder["chance"] == pytest.approx(0.5, abs=0.02)
    assert ladder["truth"] > 0.8


def test_the_folds_hold_every_song_out_once():
    held = [split.cold for split in ColdStartSplit.folds(WORLD.plays, 4, seed=2)]
    assert sorted(np.concatenate(held)) == list(range(120))


def test_the_popularity_of_an_artist_is_the_mean_over_the_songs_that_have_listeners():
    artists = [("ann", "bob", "cleo", None)[i % 4] for i in range(120)]
    plays = WORLD.plays.csr.toarray().sum(axis=0)
    scores = artist_popularity(SPLIT, artists)
    assert scores.shape == SPLIT.played.shape and (scores == scores[0]).all()
    for i, score in zip(SPLIT.cold, scores[0]):
        others = [plays[j] for j in SPLIT.warm if artists[j] == artists[i] is not None]
        assert score == pytest.approx(np.mean(others) if others else 0)


def test_mean_average_precision_by_hand():
    scores = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]])
    played = np.array([[True, False, True], [False, True, False], [False, False, False]])  # the third listener does not count
    assert mean_average_precision(scores, played) == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)
    assert mean_average_precision(scores, played, k=1) == pytest.approx((1 + 0) / 2)


def test_no_model_is_compared_after_ctrl_c(monkeypatch):
    def cut_short(split, P, Q, model, *_, **__):
        model.history = [0]
        return split.played

    monkeypatch.setattr("acai.studies.ladder.cold_scores", cut_short)
    with pytest.raises(KeyboardInterrupt):
        compare_models(Music(WORLD.plays, list(WORLD.features)), n_folds=2, n_epochs=2)


def test_the_whole_ladder_on_features_that_can_be_read_off_the_spectrum():
    """Spectrograms that are the true features themselves: every audio model must come close to the truth, and beat chance."""
    rng = np.random.default_rng(0)
    S = [np.repeat(z[:, None], 130, axis=1) + rng.normal(0, 0.1, (7, 130)) for z in WORLD.features]
    music = Music(WORLD.plays, [s.astype(np.float32) for s in S], truth=WORLD.tastes @ WORLD.features.T)
    found = compare_models(music, n_folds=2, n_epochs=15)
    ladder = found.scores
    auc = {name: folds[:, 0].mean() for name, folds in ladder.items()}
    assert all(folds.shape == (2, 2) for folds in ladder.values())
    assert auc["chance"] < 0.55 < 0.75 < auc["ridge on mean and spread of the bands"] < auc["the true features"]
    assert 0.65 < auc["the network"] < auc["the true features"]
    assert auc["the network, then per-listener ridge regression"] > 0.6 and auc["the network, then per-listener networks"] > 0.6
    closed = (auc["the network"] - auc["chance"]) / (auc["the true features"] - auc["chance"])
    assert found.gap_closed.shape == (2,) and found.gap_closed.mean() == pytest.approx(closed, abs=0.02)
