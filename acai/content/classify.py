"""Classify music by its sound, and evaluate the classifiers by cross-validation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from tqdm import tqdm

from acai.content.audio_models import SpectrumRidge
from acai.content.audio_network import AudioNetwork, TrainingSet, finite
from acai.content.networks import classifier_network
from acai.content.windows import Augmentation, Standardiser, check_spectrograms
from acai.errors import InputError
from acai.nn import SoftmaxCrossEntropy
from acai.nn.layer import FloatArray
from acai.settings import check_settings, setting

MASKS = Augmentation(time_mask=30, band_mask=16)


class Classifier(Protocol):
    """What `cross_validate` asks of a classifier."""

    def fit(self, spectrograms: Sequence[FloatArray], classes: ArrayLike, /) -> Self:
        """Learn from spectrograms, each (bands, frames), and the class number, 0, 1, …, of each."""

    def predict(self, spectrograms: Sequence[FloatArray], /) -> FloatArray:
        """Return one score for each class, the highest for the class predicted: shape (n_tracks, n_classes)."""


@dataclass(kw_only=True)
class SoundClassifier(AudioNetwork):
    """A network that predicts the class of a track from its sound, trained with the softmax loss (N6) on random windows.

    Parameters
    ----------
    windows : int
        How many random windows of each track there are in an epoch.
    augment : Augmentation
        Changes to each window while training. Loudness is not among them by default: it may be part of a style.
    width, batch_size, n_epochs, learning_rate, momentum, weight_decay, seed
        See `AudioNetwork` and `TrainingConfig`. There are too few tracks to hold some out for scoring: all epochs are run.
    """

    n_epochs: int = setting(30, at_least=1)
    augment: Augmentation | None = setting(MASKS)
    windows: int = setting(8, at_least=1, at_most=1000)

    def fit(self, spectrograms: Sequence[FloatArray], classes: ArrayLike) -> Self:
        """Learn from spectrograms, each (bands, frames), and the class number, 0, 1, …, of each."""
        check_settings(self)
        check_spectrograms(spectrograms, self.width)
        classes = _class_numbers(classes, len(spectrograms))
        network = classifier_network(int(classes.max()) + 1, len(spectrograms[0]), seed=self.seed)
        tracks = np.repeat(np.arange(len(classes)), self.windows)
        data = TrainingSet(spectrograms, classes, tracks, Standardiser.fit(spectrograms))
        self.fit_windows(network, data, SoftmaxCrossEntropy(), score=None)
        return self

    def predict(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """Predict the probability of each class, the mean over consecutive windows: shape (n_tracks, n_classes)."""
        network = self.trained_network()
        check_spectrograms(spectrograms, self.width, len(self.inputs.mean))
        return finite(np.array([softmax(y, axis=1).mean(axis=0) for y in self.predict_windows(network, spectrograms)]))


class SpectrumClassifier:
    """Ridge regression (A7) from the mean spectrum of a track to 1 for its class and 0 for the others."""

    def __init__(self) -> None:
        self._ridge = SpectrumRidge()

    def fit(self, spectrograms: Sequence[FloatArray], classes: ArrayLike) -> Self:
        """Learn from spectrograms, each (bands, frames), and the class number, 0, 1, …, of each."""
        classes = _class_numbers(classes, len(spectrograms))
        self._ridge.fit(spectrograms, np.eye(int(classes.max()) + 1)[classes])
        return self

    def predict(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """Predict the score of each class: shape (n_tracks, n_classes)."""
        return self._ridge.predict(spectrograms)


def _class_numbers(classes: ArrayLike, n: int) -> NDArray[np.intp]:
    classes = np.asarray(classes)
    if classes.shape != (n,) or classes.dtype.kind not in "iu" or classes.min(initial=0) < 0:
        found = f"classes of shape {classes.shape} and type {classes.dtype}"
        raise InputError(f"{found}; expected a class number, 0, 1, …, for each of the {n} spectrograms")
    return classes


@dataclass(frozen=True)
class CrossValidationResult:
    """What several classifiers predicted for the same tracks, each of which was held out once in every repeat.

    Attributes
    ----------
    classes : tuple of str
        The name of each class number.
    truth : numpy.ndarray, shape (n_tracks,)
        The class number of each track.
    predictions : dict of str to numpy.ndarray, each (n_repeats, n_tracks)
        The class number that each classifier predicted for each track.
    """

    classes: tuple[str, ...]
    truth: NDArray[np.intp]
    predictions: dict[str, NDArray[np.intp]]

    def accuracy(self, name: str) -> FloatArray:
        """Return the share of the tracks whose class a classifier predicted, in each repeat: shape (n_repeats,)."""
        accuracy: FloatArray = (self.predictions[name] == self.truth).mean(axis=1)
        return accuracy

    def confusion(self, name: str) -> FloatArray:
        """Count the tracks of each class (rows) by the class predicted (columns), as a mean over the repeats."""
        n = len(self.classes)
        pairs = self.truth * n + self.predictions[name]  # (n_repeats, n_tracks)
        return np.bincount(pairs.ravel(), minlength=n * n).reshape(n, n) / len(pairs)


def cross_validate(  # noqa: PLR0913 - what is evaluated, on what, how often
    spectrograms: Mapping[str, FloatArray], classes: Mapping[str, str],
    classifiers: Mapping[str, Callable[[int], Classifier]],
    n_folds: int = 5, n_repeats: int = 3, seed: int = 0, progress: bool = False,
) -> CrossValidationResult:
    """Split the tracks into folds, hold each fold out in turn, and let every classifier learn from the others and predict it.

    Parameters
    ----------
    spectrograms : mapping of str to numpy.ndarray, each (bands, frames)
        The spectrogram of each track; memory-mapped arrays of float16 will do.
    classes : mapping of str to str
        The class of each of these tracks.
    classifiers : mapping of str to callable
        By name, a function that makes a new classifier from a seed.
    n_folds : int
        At least 2. Each class is spread over the folds as evenly as possible.
    n_repeats : int
        How often to split the tracks again.
    seed : int
        The same seed gives the same folds and predictions.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    CrossValidationResult

    Raises
    ------
    InputError
        If there are fewer than two classes, or a class has fewer than two tracks.
    """
    tracks = [track for track in spectrograms if track in classes]
    names, truth = _checked_classes([classes[track] for track in tracks])
    if not 2 <= n_folds <= len(tracks) or n_repeats < 1:
        raise InputError(f"n_folds={n_folds}, n_repeats={n_repeats}; expected 2 to {len(tracks)} folds and at least one repeat")
    S = [np.asarray(spectrograms[track], dtype=np.float32) for track in tracks]
    predictions = {name: np.full((n_repeats, len(tracks)), -1) for name in classifiers}
    bar = tqdm(total=n_repeats * n_folds, desc="cross-validation", unit="fold", disable=not progress)
    for r in range(n_repeats):
        fold = stratified_folds(truth, n_folds, np.random.default_rng([seed, r]))
        for f in range(n_folds):
            training, held_out = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
            for name, make in classifiers.items():
                classifier = make(seed * n_repeats + r).fit([S[i] for i in training], truth[training])
                predictions[name][r, held_out] = classifier.predict([S[i] for i in held_out]).argmax(axis=1)
            bar.update()
    bar.close()
    return CrossValidationResult(names, truth, predictions)


def _checked_classes(classes: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Return the names of the classes, and the class number of each track."""
    names, truth = np.unique(np.array(classes), return_inverse=True)
    counts = np.bincount(truth, minlength=len(names))
    if len(names) < 2 or counts.min() < 2:
        found = ", ".join(f"{name} ({count})" for name, count in zip(names, counts)) or "none"
        expected = "expected at least two sub-folders, each with at least two tracks that can be used"
        raise InputError(f"{expected}: one to learn from and one to be tested on; found: {found}")
    return tuple(names.tolist()), truth


def stratified_folds(truth: NDArray[np.intp], n_folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw the fold of each track, so that fold sizes differ by at most one, overall and within each class."""
    dealt = np.concatenate([rng.permutation(np.flatnonzero(truth == c)) for c in range(truth.max() + 1)])
    return np.argsort(dealt) % n_folds  # dealt[j] goes to fold j % n_folds
