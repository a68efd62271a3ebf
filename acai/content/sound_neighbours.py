"""Nearest neighbours in sound: a song is liked as much as the songs that sound most like it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from acai.arrays import real_numbers
from acai.content.audio_models import SpectrumRidge
from acai.content.windows import Standardiser, check_spectrograms
from acai.errors import InputError
from acai.nn.layer import FloatArray
from acai.settings import check_settings, setting


@dataclass
class SoundNeighbours:
    """A weighted mean over the songs known, of which the nearest weigh most; with the `fit` and `predict` of `AudioToFactors`.

    The sound of a song is the mean and the standard deviation of each band over time, standardised. If d₁ ≤ d₂ ≤ … are the
    distances to the songs known, the j-th weighs exp(−(d_j² − d₁²) / (d_k² − d₁²)): the nearest 1, the k-th 1/e (a mean with
    a kernel; Nadaraya 1964, Watson 1964).

    Parameters
    ----------
    k : int
        How many neighbours count for much; others count for little.
    """

    k: int = setting(5, at_least=1)
    inputs: Standardiser = field(init=False, repr=False, compare=False)
    X: FloatArray | None = field(default=None, init=False, repr=False, compare=False)
    Q: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self)

    def fit(self, spectrograms: Sequence[FloatArray], Q: ArrayLike, progress: bool = False) -> Self:
        """Remember the sound of each song, from its spectrogram (bands, frames), and its row of Q, (n_songs, k)."""
        check_settings(self)
        check_spectrograms(spectrograms, 1)
        self.X = None
        targets = real_numbers(Q, "Q")
        if targets.ndim != 2 or len(targets) != len(spectrograms) or not np.isfinite(targets).all():
            raise InputError(f"Q has shape {targets.shape}; expected finite numbers, ({len(spectrograms)}, k)")
        features = sound_features(spectrograms)
        self.inputs = Standardiser.fit([features.T])
        self.X, self.Q = self._standardised(features), targets
        return self

    def predict(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """Predict Q̂, shape (n_songs, k)."""
        if self.X is None:
            raise InputError(f"this {type(self).__name__} is not fitted; call fit(spectrograms, Q) first")
        check_spectrograms(spectrograms, 1, self.X.shape[1] // 2)
        squares = np.square(distances(self._standardised(sound_features(spectrograms)), self.X))
        nearest = np.sort(squares, axis=1)[:, : self.k]
        width = np.maximum(nearest[:, -1:] - nearest[:, :1], 1e-9)
        weights = np.exp(-(squares - nearest[:, :1]) / width)
        Q_hat: FloatArray = weights @ self.Q / weights.sum(axis=1, keepdims=True)
        return Q_hat

    def _standardised(self, features: FloatArray) -> FloatArray:
        return self.inputs.transform(features.T).T.astype(np.float64)


def sound_features(spectrograms: Sequence[FloatArray]) -> FloatArray:
    """Describe each song by the mean and the standard deviation of each band: shape (n_songs, 2 · bands)."""
    ridge = SpectrumRidge(spread=True)
    return np.array([ridge.features(S) for S in spectrograms])


def distances(X: FloatArray, Y: FloatArray) -> FloatArray:
    """Compute the Euclidean distance of each row of X to each of Y: shape (len(X), len(Y))."""
    squares = np.square(X).sum(axis=1)[:, None] + np.square(Y).sum(axis=1) - 2 * X @ Y.T
    d: FloatArray = np.sqrt(np.maximum(squares, 0))
    return d
