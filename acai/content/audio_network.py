"""A network that sees a song as windows of its spectrogram: what `AudioToFactors` and `SoundClassifier` have in common."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acai.content.checkpoint import Epoch, digest
from acai.content.training import Batches, Score, TrainingConfig, train
from acai.content.windows import Augmentation, Standardiser, consecutive_windows, random_windows
from acai.errors import InputError
from acai.nn import Sequential
from acai.nn.layer import FloatArray, params_of
from acai.nn.losses import Loss
from acai.settings import current_settings, expect_settings, setting


@dataclass(frozen=True)
class TrainingSet:
    """The songs that a network is trained on.

    Attributes
    ----------
    spectrograms : sequence of numpy.ndarray, each (bands, frames)
        Those of all songs, including the held-out ones.
    targets : numpy.ndarray, shape (n_songs, …)
        The target of each song.
    songs : numpy.ndarray of int
        The indices of the songs to train on; one window is drawn for each time that a song is named.
    inputs : Standardiser
        The statistics of the bands in these songs.
    """

    spectrograms: Sequence[FloatArray]
    targets: NDArray[Any]
    songs: NDArray[np.intp]
    inputs: Standardiser


@dataclass(kw_only=True)
class AudioNetwork(TrainingConfig):
    """The settings of such a network, how it is trained on random windows, and what it predicts from consecutive ones.

    Attributes
    ----------
    width : int
        The frames of a window. 129 are 3 seconds at 22,050 Hz and a hop of 512.
    batch_size : int
        The windows of a step.
    augment : Augmentation, optional
        Changes to each window while training.
    fitted_network : Sequential or None
        The trained network; None before `fit`, and after one that failed.
    inputs : Standardiser
        Statistics of the bands in the songs trained on; set by `fit`.
    history : list of Epoch
        How the training went, epoch by epoch.
    """

    width: int = setting(129, at_least=1)
    batch_size: int = setting(16, at_least=1)
    augment: Augmentation | None = setting(None)
    fitted_network: Sequential | None = field(default=None, init=False, repr=False, compare=False)
    inputs: Standardiser = field(init=False, repr=False, compare=False)
    history: list[Epoch] = field(default_factory=list, init=False, repr=False, compare=False)

    def fit_windows(
        self, network: Sequential, data: TrainingSet, loss: Loss, score: Score | None, progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        """Train this network on random windows of the songs, each beside the target of its song."""
        self.fitted_network, self.history = None, []  # should anything go wrong, the model is not half fitted
        self.inputs = data.inputs

        def batches(rng: np.random.Generator) -> Batches:
            shuffled = rng.permutation(data.songs)
            for start in range(0, len(shuffled), self.batch_size):
                songs = shuffled[start : start + self.batch_size]
                x = random_windows(data.spectrograms, songs, self.width, data.inputs, rng, self.augment)
                yield shaped(x, network), data.targets[songs]

        digests = None
        if checkpoint is not None:
            digests = {
                "spectrograms": digest(data.spectrograms), "targets": digest([data.targets]),
                "songs to learn from": digest([data.songs]), "augmentation": repr(self.augment),
            }
        self.history = train(network, loss, batches, score, self, progress, checkpoint, digests)
        self._take(network)

    def _take(self, network: Sequential) -> None:
        """Have this trained network from now on, as long as the settings stay as they are."""
        self.fitted_network, self._settings_when_fitted = network, current_settings(self)

    def trained_network(self) -> Sequential:
        """Return the trained network; refuse to go on without one, or with settings other than those it was trained with."""
        if self.fitted_network is None:
            raise InputError(f"this {type(self).__name__} is not fitted; call fit(spectrograms, …) first")
        expect_settings(self, self._settings_when_fitted)
        return self.fitted_network

    def expect_complete_training(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C has stopped the training early, so that nobody takes it for a complete one."""
        if self.patience is None and len(self.history) < self.n_epochs:
            raise KeyboardInterrupt

    def predict_windows(self, network: Sequential, spectrograms: Sequence[FloatArray]) -> Iterator[FloatArray]:
        """Predict from consecutive windows: (windows, outputs) for each song."""
        for S in spectrograms:
            yield network.predict(shaped(consecutive_windows(S, self.width, self.inputs), network))


def finite(predicted: FloatArray) -> FloatArray:
    """Return predictions, one row for each spectrogram, if all of them are numbers."""
    rows = np.isfinite(predicted).all(axis=1)
    if not rows.all():
        found = f"the network predicts NaN or infinity for spectrogram {int(rows.argmin())}"
        raise InputError(f"{found}; its training diverged: train again with a smaller learning_rate or weight_decay")
    return predicted


def shaped(x: FloatArray, network: Sequential) -> FloatArray:
    """Return windows as this network takes them: (N, bands, 1, width), or (N, 1, bands, width) if its first layer is 2-D."""
    W = params_of(network.layers[0]).get("W")
    sees_a_picture = W is not None and W.ndim == 4 and W.shape[1] == 1
    return x.swapaxes(1, 2) if sees_a_picture else x
