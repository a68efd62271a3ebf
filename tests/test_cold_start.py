"""The ladder's own pieces: what is held out, what is compared."""

import numpy as np
import pytest

from acai.cold_start import Split, areas, chance, unheard_scores
from acai.datasets import synthetic

WORLD = synthetic(300, 120, seconds=1)
SPLIT = Split.of(*WORLD.plays.split_songs(test=0.25, seed=1))


class Told:
    """An ear that is told the truth and keeps what it was given."""

    def fit(self, spectrograms, Q, progress=False):
        self.learnt_from, self.Q = spectrograms, Q

    def predict(self, spectrograms):
        return np.array(spectrograms)


def test_held_out_songs_have_no_plays_left_to_learn_from():
    assert len(SPLIT.unheard) == 30 and len(SPLIT.heard) == 90
    assert SPLIT.train.csc[:, SPLIT.unheard].nnz == 0
    np.testing.assert_array_equal(SPLIT.played, WORLD.plays.csr.toarray()[:, SPLIT.unheard] > 0)


def test_an_ear_learns_from_the_heard_and_tells_the_unheard():
    ear = Told()
    scores = unheard_scores(SPLIT, WORLD.tastes, WORLD.features, ear, list(WORLD.features))
    np.testing.assert_array_equal(ear.learnt_from, WORLD.features[SPLIT.heard])
    np.testing.assert_array_equal(ear.Q, WORLD.features[SPLIT.heard])
    np.testing.assert_allclose(scores, WORLD.tastes @ WORLD.features[SPLIT.unheard].T)


def test_chance_is_blind_and_the_truth_is_not():
    ladder = areas(SPLIT, {"chance": chance(SPLIT), "truth": WORLD.tastes @ WORLD.features[SPLIT.unheard].T})
    assert ladder["chance"] == pytest.approx(0.5, abs=0.02)
    assert ladder["truth"] > 0.8
