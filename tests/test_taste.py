"""Tastes, one listener at a time. Oracle: made-up listeners, one of whom no straight line can serve."""

import numpy as np
import pytest

from acai.content.taste import TasteNetworks, TasteRidge
from acai.errors import InputError
from acai.ratings import Ratings

RNG = np.random.default_rng(0)
Q = RNG.uniform(-1, 1, (200, 2)).astype(np.float32)
LIKES = np.stack([2 * Q[:, 0] + 3, 4 * np.abs(Q[:, 1]) + 1])  # the second likes both ends, not the middle
RATINGS = Ratings.from_triplets(np.repeat(["line", "ends"], 200), np.tile(np.arange(200), 2), LIKES.ravel())
HEARD, NEW = np.arange(150), np.arange(150, 200)


def r_squared(model) -> np.ndarray:
    told = model.fit(Q, RATINGS, HEARD).predict(Q[NEW])
    assert told.shape == (2, 50)
    return 1 - np.square(LIKES[:, NEW] - told).mean(axis=1) / LIKES[:, NEW].var(axis=1)


def test_a_straight_line_serves_one_listener_and_not_the_other():
    line, ends = r_squared(TasteRidge())
    assert line > 0.99 and ends < 0.1


def test_a_network_serves_both_in_their_own_units():
    line, ends = r_squared(TasteNetworks(n_epochs=500, weight_decay=0.0))
    assert line > 0.95 and ends > 0.8


def test_a_listener_learns_the_same_alone_and_among_others():
    both = TasteNetworks(n_epochs=5).fit(Q, RATINGS, HEARD).predict(Q[NEW])
    alone = Ratings.from_triplets(["ends"] * 200, np.arange(200), LIKES[1])
    np.testing.assert_array_equal(TasteNetworks(n_epochs=5).fit(Q, alone, HEARD).predict(Q[NEW])[0], both[1])


def test_refuses_features_of_other_songs():
    with pytest.raises(InputError, match="Q has 7 rows; expected one for each of the 200 songs"):
        TasteRidge().fit(Q[:7], RATINGS, HEARD)
