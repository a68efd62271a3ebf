"""A network for each listener. Oracle: made-up listeners, one of whom no linear model can fit."""

import numpy as np
import pytest

from acai.content import Ridge
from acai.content.taste import TasteNetworks
from acai.errors import InputError

RNG = np.random.default_rng(0)
Q = RNG.uniform(-1, 1, (200, 2)).astype(np.float32)
LIKES = np.stack([2 * Q[:, 0] + 3, 4 * np.abs(Q[:, 1]) + 1])  # the second likes both ends, not the middle
HEARD, NEW = np.arange(150), np.arange(150, 200)


def r_squared(told: np.ndarray) -> np.ndarray:
    assert told.shape == (2, 50)
    return 1 - np.square(LIKES[:, NEW] - told).mean(axis=1) / LIKES[:, NEW].var(axis=1)


def test_a_linear_model_fits_one_listener_and_not_the_other():
    line, ends = r_squared(Ridge().fit(Q[HEARD], LIKES[:, HEARD].T).predict(Q[NEW]).T)
    assert line > 0.99 and ends < 0.1


def test_networks_fit_both_in_their_own_units():
    line, ends = r_squared(TasteNetworks(n_epochs=500, weight_decay=0.0).fit(Q[HEARD], LIKES[:, HEARD]).predict(Q[NEW]))
    assert line > 0.95 and ends > 0.8


def test_the_network_of_a_listener_does_not_depend_on_the_others():
    both = TasteNetworks(n_epochs=5).fit(Q[HEARD], LIKES[:, HEARD]).predict(Q[NEW])
    alone = TasteNetworks(n_epochs=5).fit(Q[HEARD], LIKES[1:, HEARD]).predict(Q[NEW])
    np.testing.assert_array_equal(alone[0], both[1])


def test_refuses_features_of_other_songs():
    with pytest.raises(InputError, match=r"Q has shape \(7, 2\) and R \(2, 150\); expected .* a row of Q for each"):
        TasteNetworks().fit(Q[:7], LIKES[:, HEARD])
