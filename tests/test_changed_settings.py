"""A network or another model of sound whose settings were changed after `fit` says so (recommenders: test_cf_recommending)."""

import numpy as np
import pytest

from acai import InputError, nn
from acai.content import AudioToFactors, BagOfWords, SpectrumRidge
from acai.content.classify import SoundClassifier
from acai.content.taste import TasteNetworks

RNG = np.random.default_rng(0)
S, Q = [RNG.random((4, 20), dtype=np.float32) for _ in range(8)], RNG.normal(size=(8, 2))

LONG = [RNG.random((4, 130), dtype=np.float32) for _ in range(8)]


def network() -> nn.Sequential:
    return nn.Sequential([nn.Flatten(), nn.Linear(40, 2, seed=0)])


MODELS = [
    (AudioToFactors(network=network(), width=10, n_epochs=1, validation=0.3), S, {"width": 12, "seed": 3, "network": network()}),
    (SoundClassifier(width=129, n_epochs=1), LONG, {"n_epochs": 2}), (SpectrumRidge(), S, {"spread": True}),
    (BagOfWords(n_words=3), S, {"n_mfcc": 2}), (TasteNetworks(n_epochs=1), Q, {"n_hidden": 3}),
]


@pytest.mark.parametrize(("model", "X", "changes"), MODELS, ids=lambda x: type(x).__name__)
def test_a_model_of_sound_whose_settings_changed_says_so(model, X, changes):
    Y = {SoundClassifier: np.arange(8) % 2, TasteNetworks: RNG.random((2, 8))}.get(type(model), Q)
    model.fit(X, Y)
    y = model.predict(X)
    for setting, value in changes.items():
        before = getattr(model, setting)
        setattr(model, setting, value)
        with pytest.raises(InputError, match=f"^{setting} was .* since this {type(model).__name__} was fitted; call fit again$"):
            model.predict(X)
        setattr(model, setting, before)
        assert np.array_equal(model.predict(X), y)
    setattr(model, setting, value)
    assert model.fit(X, Y).predict(X).shape == y.shape


def test_a_loaded_network_knows_its_settings(tmp_path):
    model = AudioToFactors(network=network(), width=10, n_epochs=1, validation=0.3).fit(S, Q)
    model.save(tmp_path / "ear.npz")
    again = AudioToFactors.load(tmp_path / "ear.npz")
    assert np.array_equal(again.predict(S), model.predict(S))
    again.width = 11
    with pytest.raises(InputError, match="width was 10 and is 11"):
        again.predict(S)
