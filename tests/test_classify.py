"""Classification of music: changes over time are learnt, and no track is predicted by a classifier trained on it."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from acai import cli
from acai.content.classify import (
    CrossValidationResult,
    SoundClassifier,
    SpectrumClassifier,
    cross_validate,
    stratified_folds,
)
from acai.content.networks import classifier_network
from acai.errors import InputError


def glides(n: int, seed: int = 0, bands: int = 16, frames: int = 120) -> tuple[dict, dict]:
    """Songs of tones that glide up or down, again and again: on average over time, both classes are the same."""
    rng = np.random.default_rng(seed)
    spectrograms, classes = {}, {}
    for j in range(n):
        S = rng.uniform(0, 0.3, (bands, frames))
        start, pace = rng.integers(bands), rng.integers(1, 3)
        for t in range(frames):
            S[(start + (pace if j % 2 else -pace) * t) % bands, t] += 1
        spectrograms[f"{j}"], classes[f"{j}"] = S.astype(np.float16), ("down", "up")[j % 2]
    return spectrograms, classes


def small(seed):
    return SoundClassifier(width=64, n_epochs=12, windows=8, learning_rate=0.05, seed=seed)


def test_the_network_learns_what_an_average_spectrum_does_not_show():
    spectrograms, classes = glides(24)
    result = cross_validate(
        spectrograms, classes, {"network": small, "ridge": lambda seed: SpectrumClassifier()}, n_folds=3, n_repeats=1
    )
    assert result.classes == ("down", "up")
    assert result.accuracy("network").mean() >= 0.95
    assert result.accuracy("ridge").mean() <= 0.8
    assert result.confusion("network").sum() == 24
    again = cross_validate(spectrograms, classes, {"network": small}, n_folds=3, n_repeats=1)
    assert np.array_equal(again.predictions["network"], result.predictions["network"])


def test_ridge_learns_a_difference_in_the_average_spectrum():
    rng = np.random.default_rng(0)
    spectrograms = {f"{j}": rng.uniform(0, 1, (8, 40)) + 0.5 * np.eye(8)[j % 4][:, None] for j in range(40)}
    classes = {f"{j}": "abcd"[j % 4] for j in range(40)}
    result = cross_validate(spectrograms, classes, {"ridge": lambda seed: SpectrumClassifier()}, n_repeats=2)
    assert np.array_equal(result.confusion("ridge"), 10 * np.eye(4)) and result.accuracy("ridge").tolist() == [1, 1]


def test_no_track_is_predicted_by_a_classifier_that_was_trained_on_it():
    seen = []

    class Spy:
        def fit(self, spectrograms, classes):
            self.learnt = {float(S[0, 0]) for S in spectrograms}
            assert len(self.learnt) == len(classes)
            return self

        def predict(self, spectrograms):
            held_out = [float(S[0, 0]) for S in spectrograms]
            assert not self.learnt & set(held_out) and len(self.learnt) + len(held_out) == 11
            seen.extend(held_out)
            return np.array([[0, 1]] * len(held_out))

    spectrograms = {f"{j}": np.full((2, 5), j) for j in range(11)}
    classes = {f"{j}": "ab"[j % 2] for j in range(11)}
    result = cross_validate(spectrograms, classes, {"spy": lambda seed: Spy()}, n_folds=4, n_repeats=2)
    assert sorted(seen) == sorted(2 * [float(j) for j in range(11)])
    np.testing.assert_allclose(result.confusion("spy"), [[0, 6], [0, 5]])


@given(st.lists(st.integers(0, 3), min_size=4, max_size=40), st.integers(2, 4))
def test_folds_are_even_overall_and_in_each_class(truth, n_folds):
    truth = np.unique(truth, return_inverse=True)[1]
    fold = stratified_folds(truth, n_folds, np.random.default_rng(0))
    for which in [np.ones(len(truth), bool), *(truth == c for c in range(truth.max() + 1))]:
        sizes = np.bincount(fold[which], minlength=n_folds)
        assert sizes.max() - sizes.min() <= 1


def test_predictions_are_probabilities():
    S = [S.astype(np.float32) for S in glides(8)[0].values()]
    audio_model = SoundClassifier(width=64, n_epochs=1).fit(S, np.arange(8) % 2)
    p = audio_model.predict(S)
    assert p.shape == (8, 2) and p.min() >= 0
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    assert len(audio_model.history) == 1 and audio_model.history[0].loss > 0


def test_the_network_takes_clips_of_any_length():
    x = np.zeros((2, 128, 1, 129), np.float32)
    network = classifier_network(4)
    assert network.predict(x).shape == (2, 4)
    assert network.predict(np.zeros((1, 128, 1, 400), np.float32)).shape == (1, 4), "of any length"


@pytest.mark.parametrize(
    "kinds, how, message",
    [
        ("aaaa", {}, r"at least two sub-folders, .*; found: a \(4\)"),
        ("aaab", {}, r"found: a \(3\), b \(1\)"),
        ("", {}, "found: none"),
        ("aabb", dict(n_folds=5), "n_folds=5, n_repeats=3; expected 2 to 4 folds"),
        ("aabb", dict(n_folds=2, n_repeats=0), "n_repeats=0"),
    ],
)
def test_what_cannot_be_cross_validated_says_why(kinds, how, message):
    spectrograms = {f"{j}": np.ones((2, 5)) for j in range(len(kinds))}
    with pytest.raises(InputError, match=message):
        cross_validate(spectrograms, dict(zip(spectrograms, kinds)), {}, **how)


def test_accuracy_and_confusion_count_predictions():
    result = CrossValidationResult(("a", "b"), np.array([0, 0, 1]), {"x": np.array([[0, 1, 1], [0, 0, 0]])})
    assert result.accuracy("x").tolist() == [2 / 3, 2 / 3]
    assert result.confusion("x").tolist() == [[1.5, 0.5], [0.5, 0.5]]


def test_the_command_prints_accuracies_and_draws_a_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what is written by default goes to the current folder
    rate = 8000
    for kind, colour in (("dark", np.cumsum), ("bright", np.diff)):
        for n in range(3):
            (tmp_path / "music" / kind).mkdir(parents=True, exist_ok=True)
            x = colour(np.random.default_rng(n).normal(0, 1, 4 * rate))
            soundfile.write(tmp_path / "music" / kind / f"{n}.wav", x / np.abs(x).max(), rate)
    soundfile.write(tmp_path / "music" / "dark" / "short.wav", x[:rate], rate)
    (tmp_path / "music" / "dark" / "text.mp3").write_text("no music")
    command = ["classify", str(tmp_path / "music"), "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out.png")]
    cli.main([*command, "--folds", "3", "--repeats", "1", "--epochs", "8"])
    out = capsys.readouterr().out
    assert "6 tracks of 2 classes: bright 3, dark 3" in out
    assert "ridge on mean spectra     1.000 ± 0.000" in out and "the network               1.000" in out
    assert "skipped: dark/text.mp3 is not audio" in out and "skipped: dark/short.wav is shorter than a window" in out
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "flat").mkdir()
    soundfile.write(tmp_path / "flat" / "a.wav", x, rate)
    with pytest.raises(SystemExit):
        cli.main(["classify", str(tmp_path / "flat"), "--cache", str(tmp_path / "cache")])
    assert "expected at least two sub-folders" in capsys.readouterr().err
