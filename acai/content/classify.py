"""Tell kinds of music apart by their sound, and be judged on tracks that were held out whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from tqdm import tqdm

from acai.content.audio_models import SpectrumRidge
from acai.content.networks import classifier_network
from acai.content.training import NetworkEar
from acai.content.windows import Augmentation, Standardiser, check_spectrograms
from acai.errors import InputError
from acai.nn import SoftmaxCrossEntropy
from acai.settings import check_settings, setting

MASKS = Augmentation(time_mask=30, band_mask=16)


@dataclass(kw_only=True)
class SoundClassifier(NetworkEar):
    """A network that tells the kind of music it hears, trained with the softmax loss (N6) on random windows.

    Parameters
    ----------
    windows : int
        Random windows of each track in an epoch.
    augment : Augmentation
        Changes to each window while training. Loudness is not among them by default: it may be part of a style.
    width, batch_size, n_epochs, learning_rate, momentum, weight_decay, seed
        See `NetworkEar` and `Plan` in `acai.content.training`. There are too few tracks to judge epochs by: all are run.
    """

    n_epochs: int = setting(30, at_least=1)
    augment: Augmentation | None = setting(MASKS)
    windows: int = setting(8, at_least=1, at_most=1000)

    def fit(self, spectrograms: Sequence[np.ndarray], classes: np.ndarray) -> "SoundClassifier":
        """Learn from spectrograms, each (bands, frames), and the class number, 0, 1, …, of each."""
        check_settings(self)
        check_spectrograms(spectrograms, self.width)
        classes = _class_numbers(classes, len(spectrograms))
        network = classifier_network(int(classes.max()) + 1, len(spectrograms[0]), seed=self.seed)
        tracks = np.repeat(np.arange(len(classes)), self.windows)
        self.learn(network, Standardiser.of(spectrograms), spectrograms, tracks, classes, SoftmaxCrossEntropy(), score=None)
        return self

    def predict(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        """The probability of each class, a mean over windows side by side: shape (n_tracks, n_classes)."""
        if self.fitted_network is None:
            raise InputError("this SoundClassifier has not learnt anything yet; call fit(spectrograms, classes) first")
        check_spectrograms(spectrograms, self.width, len(self.inputs.mean))
        return np.array([softmax(y, axis=1).mean(axis=0) for y in self.outputs(self.fitted_network, spectrograms)])


class SpectrumClassifier(SpectrumRidge):
    """Ridge regression (A7) from the mean spectrum of a track to 1 for its class and 0 for the others."""

    def fit(self, spectrograms: Sequence[np.ndarray], classes: np.ndarray) -> "SpectrumClassifier":
        """Learn from spectrograms, each (bands, frames), and the class number, 0, 1, …, of each."""
        classes = _class_numbers(classes, len(spectrograms))
        return super().fit(spectrograms, np.eye(int(classes.max()) + 1)[classes])


def _class_numbers(classes: np.ndarray, n: int) -> np.ndarray:
    classes = np.asarray(classes)
    if classes.shape != (n,) or classes.dtype.kind not in "iu" or classes.min(initial=0) < 0:
        found = f"classes of shape {classes.shape} and type {classes.dtype}"
        raise InputError(f"{found}; expected a class number, 0, 1, …, for each of the {n} spectrograms")
    return classes


@dataclass(frozen=True)
class Verdicts:
    """How several classifiers did on the same tracks, each held out whole once in every repeat.

    Attributes
    ----------
    classes : tuple of str
        The name of each class number.
    truth : numpy.ndarray, shape (n_tracks,)
        The class number of each track.
    guesses : dict of str to numpy.ndarray, each (n_repeats, n_tracks)
        The class number that each classifier gave each track.
    """

    classes: tuple[str, ...]
    truth: np.ndarray
    guesses: dict[str, np.ndarray]

    def accuracy(self, name: str) -> np.ndarray:
        """The share of the tracks that a classifier put into the right class, in each repeat: shape (n_repeats,)."""
        return (self.guesses[name] == self.truth).mean(axis=1)

    def confusion(self, name: str) -> np.ndarray:
        """How many tracks of each class (rows) went into each class (columns), a mean over the repeats."""
        n = len(self.classes)
        pairs = self.truth * n + self.guesses[name]  # (n_repeats, n_tracks)
        return np.bincount(pairs.ravel(), minlength=n * n).reshape(n, n) / len(pairs)


def judge(
    spectrograms: Mapping[str, np.ndarray], classes: Mapping[str, str],
    classifiers: Mapping[str, Callable[[int], SoundClassifier | SpectrumClassifier]],
    n_folds: int = 5, n_repeats: int = 3, seed: int = 0, progress: bool = False,
) -> Verdicts:
    """Part the tracks into folds, hold each out in turn, and let every classifier learn from the others and guess.

    Parameters
    ----------
    spectrograms : mapping of str to numpy.ndarray, each (bands, frames)
        Of each track; memory-mapped float16 will do.
    classes : mapping of str to str
        The class of each of these tracks.
    classifiers : mapping of str to callable
        By name, what makes a new classifier from a seed.
    n_folds : int
        At least 2. Each class is spread over the folds as evenly as can be.
    n_repeats : int
        How often to part the tracks anew.
    seed : int
        The same seed, the same folds and verdicts.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Verdicts

    Raises
    ------
    InputError
        If there are fewer than two classes, or a class has fewer than two tracks.
    """
    tracks = [track for track in spectrograms if track in classes]
    names, truth = np.unique([classes[track] for track in tracks], return_inverse=True)
    counts = np.bincount(truth, minlength=len(names))
    if len(names) < 2 or counts.min() < 2:
        found = ", ".join(f"{name} ({count})" for name, count in zip(names, counts)) or "none"
        expected = "expected at least two sub-folders, each with at least two tracks that can be used"
        raise InputError(f"{expected}: one to learn from and one to be tested on; there are: {found}")
    if not 2 <= n_folds <= len(tracks) or n_repeats < 1:
        raise InputError(f"n_folds={n_folds}, n_repeats={n_repeats}; expected 2 to {len(tracks)} folds, at least one repeat")
    S = [np.asarray(spectrograms[track], dtype=np.float32) for track in tracks]
    guesses = {name: np.full((n_repeats, len(tracks)), -1) for name in classifiers}
    bar = tqdm(total=n_repeats * n_folds, desc="learning and guessing", unit="fold", disable=not progress)
    for r in range(n_repeats):
        fold = stratified_folds(truth, n_folds, np.random.default_rng([seed, r]))
        for f in range(n_folds):
            learn, held_out = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
            for name, make in classifiers.items():
                classifier = make(seed * n_repeats + r).fit([S[i] for i in learn], truth[learn])
                guesses[name][r, held_out] = classifier.predict([S[i] for i in held_out]).argmax(axis=1)
            bar.update()
    bar.close()
    return Verdicts(tuple(names.tolist()), truth, guesses)


def stratified_folds(truth: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each track: sizes differ by at most one, in all and within each class."""
    dealt = np.concatenate([rng.permutation(np.flatnonzero(truth == c)) for c in range(truth.max() + 1)])
    return np.argsort(dealt) % n_folds  # dealt[j] goes to fold j % n_folds
