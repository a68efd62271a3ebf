"""From sound to latent factors. Oracles: a world whose factors are known; the loops of the reference (A4)."""

import copy
import os
import subprocess
import sys

import numpy as np
import pytest

from acai.content import AudioToFactors
from acai.content.audio_to_factors import KIND
from acai.content.networks import dieleman_network, openmrs_network
from acai.content.windows import Augmentation, consecutive_windows
from acai.errors import InputError
from acai.files import load_npz, save_npz
from acai.nn import Flatten, Linear, Sequential
from acai.reference.content import mean_over_windows


def songs(n: int, seed: int, frames: int = 40) -> tuple[list[np.ndarray], np.ndarray]:
    """Spectrograms of 8 bands; the factors are how loud the upper half is, and whether sounds rise or fall in time."""
    rng = np.random.default_rng(seed)
    Q = rng.uniform(-1, 1, (n, 2))
    saw = np.arange(frames) % 8 / 4 - 1
    S = [
        np.outer(np.arange(8) > 3, np.full(frames, q))
        + np.sign(f) * np.roll(saw, rng.integers(8))
        + rng.normal(0, 0.1, (8, frames))
        for q, f in Q
    ]
    Q[:, 1] = np.sign(Q[:, 1])
    return [s.astype(np.float32) for s in S], Q * [5, 0.01] + [100, 0]  # on different scales


def small() -> Sequential:
    return dieleman_network(2, n_bands=8, n_filters=8, n_hidden=16, pools=(2,))


@pytest.fixture(scope="module")
def audio_model() -> AudioToFactors:
    return AudioToFactors(small(), width=20, n_epochs=40, learning_rate=0.05, batch_size=8).fit(*songs(200, 0))


def test_it_learns_what_an_average_spectrum_cannot_show_and_predicts_in_the_units_of_Q(audio_model):
    S, Q = songs(60, 1)
    predicted = audio_model.predict(S)
    assert predicted.dtype == np.float32
    assert (1 - np.square(predicted - Q).mean(axis=0) / Q.var(axis=0) > 0.8).all()
    assert len(audio_model.history) == 40 and audio_model.history[-1].loss < 0.5 * audio_model.history[0].loss


def test_predictions_are_means_over_consecutive_windows(audio_model):
    S = songs(3, 2, frames=50)[0]
    for s, q_hat in zip(S, audio_model.predict(S)):
        windows = audio_model.fitted_network.predict(consecutive_windows(s, 20, audio_model.inputs)).tolist()
        q = np.array(mean_over_windows(windows)) * audio_model.targets.std[:, 0] + audio_model.targets.mean[:, 0]
        np.testing.assert_allclose(q_hat, q, rtol=1e-5)


def test_a_prediction_does_not_depend_on_the_other_songs(audio_model):
    S = songs(4, 2)[0]
    np.testing.assert_array_equal(audio_model.predict(S)[2], audio_model.predict(S[2:3])[0])


def test_the_validation_songs_are_not_trained_on():
    """A validation song may hold anything finite without changing a weight."""
    S, Q = songs(30, 0)
    judged = np.random.default_rng(0).permutation(30)[:3]
    first = AudioToFactors(small(), width=20, n_epochs=1, seed=0).fit(S, Q)
    for i in judged:
        S[i] = S[i] * 7 + 3
    second = AudioToFactors(small(), width=20, n_epochs=1, seed=0).fit(S, Q)
    for name, w in first.fitted_network.params.items():
        np.testing.assert_array_equal(w, second.fitted_network.params[name])


@pytest.mark.parametrize("kind", ["constant", "nearly constant", "constant everywhere"])
def test_a_factor_that_does_not_vary_over_the_validation_songs_is_left_out_of_the_score(kind):
    """Oracle: R² by its definition, over the factors that do vary."""
    S, Q = songs(30, 0)
    judged = np.random.default_rng(0).permutation(30)[:3]
    flat = np.random.default_rng(1).normal(0, 1, 30)
    flat[judged] = 0.3
    if kind == "nearly constant":
        flat[judged] += [1e-5, 0, 0]
    if kind == "constant everywhere":
        flat[:] = 0.3
    Q = np.column_stack([Q, flat])
    network = dieleman_network(3, n_bands=8, n_filters=8, n_hidden=16, pools=(2,))
    audio_model = AudioToFactors(network, width=20, n_epochs=6, learning_rate=0.05, batch_size=8).fit(S, Q)
    scores = [epoch.score for epoch in audio_model.history]
    truth, predicted = Q[judged, :2], audio_model.predict([S[i] for i in judged])[:, :2]
    r_squared = 1 - np.square(predicted - truth).sum(axis=0) / np.square(truth - truth.mean(axis=0)).sum(axis=0)
    assert np.argmax(scores) > 0 and max(scores) > scores[0]
    np.testing.assert_allclose(max(scores), r_squared.mean(), rtol=1e-3)


def test_where_no_factor_varies_over_the_validation_songs_the_smallest_error_is_best():
    S, Q = songs(30, 0)
    judged = np.random.default_rng(0).permutation(30)[:3]
    Q[judged] = Q[judged[0]]
    audio_model = AudioToFactors(small(), width=20, n_epochs=4, batch_size=8).fit(S, Q)
    error = np.square((audio_model.predict([S[i] for i in judged]) - Q[judged]) / audio_model.targets.std[:, 0]).sum(axis=0).mean()
    scores = [epoch.score for epoch in audio_model.history]
    assert max(scores) <= 0 and min(scores) < max(scores)
    np.testing.assert_allclose(max(scores), -error, rtol=1e-3)


def test_reads_half_precision_and_augments():
    S, Q = songs(30, 0)
    audio_model = AudioToFactors(small(), width=20, n_epochs=2, augment=Augmentation(0.1, 3, 2))
    assert np.isfinite(audio_model.fit([s.astype(np.float16) for s in S], Q).predict(S)).all()


def test_a_picture_network_sees_the_bands_as_rows():
    S, Q = songs(12, 0, frames=999)
    network = Sequential([layer for layer in openmrs_network(2).layers])
    tall = [np.tile(s, (16, 1)) for s in S]
    predicted = AudioToFactors(network, width=999, n_epochs=1, validation=0.25, batch_size=4).fit(tall, Q).predict(tall[:1])
    assert predicted.shape == (1, 2)
    assert network.forward(np.zeros((1, 1, 128, 999), np.float32)).shape == (1, 2)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, "tests")
from test_content import AudioToFactors, small, songs
S, Q = songs(40, 0)
print(hashlib.sha256(AudioToFactors(small(), width=20, n_epochs=3).fit(S, Q).predict(S).tobytes()).hexdigest())
"""


def test_the_same_bits_for_any_number_of_threads():
    predicted = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, "NUMBA_NUM_THREADS": n}, capture_output=True, text=True, check=True
        ).stdout
        for n in ("1", "2")
    }
    assert len(predicted) == 1


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda S, Q: (S, Q[:-1]), r"Q has shape \(29, 2\); expected \(30, k\)"),
        (lambda S, Q: (S, np.full_like(Q, np.nan)), "Q holds NaN, infinity or numbers beyond"),
        (lambda S, Q: (S, Q * np.float32(1e35)), r"Q holds NaN, infinity or numbers beyond ±1e\+30"),
        (lambda S, Q: ([*S[:-1], S[0][:, :9]], Q), "spectrogram 29 has 9 frames; expected at least the 20 of a window"),
        (lambda S, Q: (S[:3], Q[:3]), "3 songs are too few: 2 are held out .* at least 2 more"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(spoil, message):
    with pytest.raises(InputError, match=message):
        AudioToFactors(small(), width=20).fit(*spoil(*songs(30, 0)))


def test_spectrograms_with_another_number_of_bands_are_refused(audio_model):
    with pytest.raises(InputError, match=r"spectrogram 1 has shape \(4, 40\); expected .* 8 bands, like those of the training"):
        audio_model.predict([songs(1, 0)[0][0], np.ones((4, 40), np.float32)])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of the overflow
def test_predictions_that_overflow_are_refused(audio_model):
    model = copy.deepcopy(audio_model)
    for w in model.fitted_network.params.values():
        w[...] = 3e38
    with pytest.raises(InputError, match="the network predicts NaN or infinity for spectrogram 0; its training diverged"):
        model.predict(songs(2, 0)[0])


def test_says_that_it_is_not_fitted():
    with pytest.raises(InputError, match=r"call fit\(spectrograms, …\) first"):
        AudioToFactors().predict(songs(1, 0)[0])


def test_the_original_network_has_the_shapes_of_its_table():
    table = openmrs_network(40).summary((1, 128, 999))
    assert "(32, 1, 249)" in table and "(1728,)" in table and "(40,)" in table
    assert [type(layer) for layer in openmrs_network(4).layers].count(Flatten) == 1
    assert isinstance(openmrs_network(4).layers[-1], Linear)


def test_a_saved_model_comes_back_as_it_was(audio_model, tmp_path):
    S, _ = songs(3, 5)
    audio_model.save(tmp_path / "audio_model.npz")
    loaded = AudioToFactors.load(tmp_path / "audio_model.npz")
    np.testing.assert_array_equal(loaded.predict(S), audio_model.predict(S))
    assert loaded.history == audio_model.history and loaded.settings == audio_model.settings
    for name, w in audio_model.network.params.items():  # as it was before the training: a fit of the loaded one is the same fit
        np.testing.assert_array_equal(loaded.network.params[name], w)
    (tmp_path / "text.npz").write_text("not a model")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    no_model = "not an audio model"
    for name, message in (("nowhere.npz", "there is no such file"), ("text.npz", no_model), ("other.npz", no_model)):
        with pytest.raises(InputError, match=message):
            AudioToFactors.load(tmp_path / name)
    with pytest.raises(InputError, match="is not fitted"):
        AudioToFactors().save(tmp_path / "new.npz")


def test_a_file_of_an_older_version_is_loaded(audio_model, tmp_path):
    audio_model.save(tmp_path / "new.npz")
    stored = load_npz(tmp_path / "new.npz", KIND)
    save_npz(tmp_path / "old.npz", "an ear saved by acai", **stored.arrays, **stored.values)
    assert AudioToFactors.load(tmp_path / "old.npz").history == audio_model.history


@pytest.mark.parametrize("augment", [None, Augmentation(0.1, 3, 2)])
def test_a_model_with_the_default_network_is_loaded_with_all_its_settings(augment, tmp_path):
    S, Q = songs(12, 0, frames=60)
    audio_model = AudioToFactors(width=60, n_epochs=1, augment=augment, patience=1).fit(S, Q)
    audio_model.save(tmp_path / "audio_model.npz")
    loaded = AudioToFactors.load(tmp_path / "audio_model.npz")
    assert loaded == audio_model and loaded.network is None
    np.testing.assert_array_equal(loaded.fit(S, Q).predict(S), audio_model.predict(S))


SPOILT = {  # contents that are impossible, under correct checksums
    "inputs is .* expected": lambda c: {"inputs": c["inputs"][:1]},
    "inputs is .* float32": lambda c: {"inputs": c["inputs"].astype(np.float64)},
    "inputs has standard deviations that are not above 0": lambda c: {"inputs": c["inputs"] * np.float32(0)},
    "targets has standard deviations": lambda c: {"targets": -c["targets"]},
    "targets has standard deviations that are not above 0, or none": lambda c: {"targets": c["targets"][:, :0]},
    "its network does not have 1 outputs": lambda c: {"targets": c["targets"][:, :1]},
    "its network reads 8 bands; expected 7": lambda c: {"inputs": c["inputs"][:, :7]},
    "network 0.W is|0.W is": lambda c: {"network 0.W": c["network 0.W"][:1]},
    "history holds": lambda c: {"history": [("a", 1, 2)]},
    "its history has 41 epochs; expected 1 to 40": lambda c: {"history": c["history"] + c["history"][:1]},
    "n_epochs=0; expected": lambda c: {"settings": c["settings"] | {"n_epochs": 0}},
    "width=-3; expected": lambda c: {"settings": c["settings"] | {"width": -3}},
    "there is no setting history": lambda c: {"settings": c["settings"] | {"history": 3}},
    "there is no setting fitted_network": lambda c: {"settings": c["settings"] | {"fitted_network": 3}},
    "settings is": lambda c: {"settings": 7},
    "augment is": lambda c: {"augment": {"gain": 1}},
    "gain=-1; expected": lambda c: {"augment": {"gain": -1, "time_mask": 0, "band_mask": 0}},
}


@pytest.mark.parametrize("message", SPOILT)
def test_a_file_with_impossible_contents_is_refused(message, audio_model, tmp_path):
    audio_model.save(tmp_path / "audio_model.npz")
    stored = load_npz(tmp_path / "audio_model.npz", KIND)
    contents = stored.arrays | stored.values
    save_npz(tmp_path / "audio_model.npz", KIND, **contents | SPOILT[message](contents))
    with pytest.raises(InputError, match=rf"audio_model\.npz: not an audio model saved by acai: .*({message})"):
        AudioToFactors.load(tmp_path / "audio_model.npz")
