"""Ridge regression, the linear model that a network has to beat, and the simpler audio models that are built on it."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import dct

from acai.arrays import real_numbers
from acai.content.windows import LARGEST, Standardiser, check_spectrograms
from acai.errors import InputError
from acai.nn.layer import FloatArray
from acai.settings import check_settings, current_settings, expect_settings, setting
from acai.threads import one_blas_thread


class Ridge:
    """Least squares with a penalty on the size of W (A7; Hoerl and Kennard 1970), on standardised columns.

    λ is the one of `lams` with the smallest leave-one-out error, which for ridge has a closed form: the error of a
    sample left out is its ordinary residual divided by 1 − its leverage (Allen 1974).

    Parameters
    ----------
    lams : sequence of float, optional
        The values to choose λ from, all > 0; by default four per decade, from 0.01 to 100,000.

    Attributes
    ----------
    lam : float
        The λ chosen.
    W : numpy.ndarray, shape (n_features, n_targets)
        The coefficients for standardised columns.
    """

    def __init__(self, lams: Sequence[float] | None = None) -> None:
        self.lams = real_numbers(np.logspace(-2, 5, 29) if lams is None else lams, "lams")
        if self.lams.ndim != 1 or self.lams.size == 0 or not ((self.lams > 0) & (self.lams < np.inf)).all():
            raise InputError(f"lams={lams!r}; expected a list of numbers above 0")

    def fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Learn from X, shape (n, n_features), and Y, shape (n, n_targets)."""
        X, Y = real_numbers(X, "X"), real_numbers(Y, "Y")
        if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y) or len(X) < 3:
            shapes = f"X has shape {X.shape} and Y {Y.shape}"
            raise InputError(f"{shapes}; expected (n, features) and (n, targets), with n at least 3")
        if not ((np.abs(X) < LARGEST).all() and (np.abs(Y) < LARGEST).all()):  # NaN is not less, either
            raise InputError(f"X or Y holds NaN, infinity or numbers beyond ±{LARGEST:g}; expected finite numbers in this range")
        self.inputs = Standardiser.fit([X.T])
        self.y_bar = Y.mean(axis=0)
        X = self._standardised(X)
        Y = Y - self.y_bar
        with one_blas_thread():
            U, s, Vt = np.linalg.svd(X, full_matrices=False)  # X = U diag(s) Vt
        UtY = U.T @ Y

        def leave_one_out_error(lam: float) -> float:
            shrink = s**2 / (s**2 + lam)
            residual = Y - (U * shrink) @ UtY
            leverage = np.square(U) @ shrink + 1 / len(X)  # the mean counts as a coefficient too
            return float(np.mean(np.square(residual / (1 - np.minimum(leverage, 1 - 1e-9))[:, None])))

        self.lam = float(min(self.lams, key=leave_one_out_error))
        self.W = (Vt.T * (s / (s**2 + self.lam))) @ UtY  # (A7): (XᵀX + λI)⁻¹ Xᵀ Y
        return self

    def predict(self, X: FloatArray) -> FloatArray:
        """Predict Ŷ, shape (n, n_targets)."""
        Y_hat: FloatArray = self._standardised(X) @ self.W + self.y_bar
        return Y_hat

    def _standardised(self, X: FloatArray) -> FloatArray:
        return self.inputs.transform(X.T).T.astype(np.float64)


@dataclass
class RidgeAudioModel(ABC):
    """Ridge regression (A7) on a few numbers that describe each song; with the `fit` and `predict` of `AudioToFactors`."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self)
        self.ridge: Ridge | None = None
        self.n_bands = 0

    def fit(self, spectrograms: Sequence[FloatArray], Q: ArrayLike, progress: bool = False) -> Self:
        """Learn from spectrograms, each (bands, frames), and the latent factors Q, (n_songs, k)."""
        check_settings(self)
        check_spectrograms(spectrograms, 1)
        self.ridge = None  # should anything go wrong, the model is not half fitted
        self._prepare(spectrograms)
        self.ridge = Ridge().fit(self._features_of(spectrograms), Q)
        self.n_bands = len(spectrograms[0])
        self._settings_when_fitted = current_settings(self)
        return self

    def predict(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """Predict Q̂, shape (n_songs, k)."""
        if self.ridge is None:
            raise InputError(f"this {type(self).__name__} is not fitted; call fit(spectrograms, Q) first")
        expect_settings(self, self._settings_when_fitted)
        check_spectrograms(spectrograms, 1, self.n_bands)
        return self.ridge.predict(self._features_of(spectrograms))

    def _prepare(self, spectrograms: Sequence[FloatArray]) -> None:  # noqa: B027 - most models need no preparation
        """Learn what `features` needs."""

    @abstractmethod
    def features(self, S: FloatArray) -> FloatArray:
        """Return the numbers that describe one song."""

    def _features_of(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        return np.array([self.features(S) for S in spectrograms])


@dataclass
class SpectrumRidge(RidgeAudioModel):
    """Ridge regression (A7) from the average spectrum of a song to its latent factors, which ignores the order of sounds.

    Parameters
    ----------
    spread : bool
        Whether to use the standard deviation of each band over time, too.
    """

    spread: bool = setting(False)

    def features(self, S: FloatArray) -> FloatArray:
        """Return the mean of each band, and perhaps its standard deviation."""
        mean: FloatArray = S.mean(axis=1, dtype=np.float64)
        return np.concatenate([mean, S.std(axis=1, dtype=np.float64)]) if self.spread else mean


@dataclass
class BagOfWords(RidgeAudioModel):
    """Ridge regression (A7) on how often each of many typical frames occurs in a song (van den Oord et al. 2013).

    Frames are compared by their MFCCs; the typical ones, the words, are found by K-means (Lloyd 1982). The model sees which
    sounds a song has, but not in which order.

    Parameters
    ----------
    n_words : int
        How many typical frames.
    n_mfcc : int
        How many cepstral coefficients describe a frame.
    n_frames : int
        How many frames, drawn from all songs, the words are found from.
    seed : int
        Seed of these draws.
    """

    n_words: int = setting(400, at_least=1)
    n_mfcc: int = setting(13, at_least=1)
    n_frames: int = setting(20_000, at_least=1)
    seed: int = setting(0, at_least=0)

    def _prepare(self, spectrograms: Sequence[FloatArray]) -> None:
        """Find the words: the centres after 20 rounds of K-means, which starts from frames drawn at random."""
        rng = np.random.default_rng(self.seed)
        n_each = max(1, self.n_frames // len(spectrograms))
        drawn = []
        for S in spectrograms:
            frames = self._mfcc(S)
            drawn.append(frames[rng.permutation(len(frames))[:n_each]])
        frames = np.concatenate(drawn)
        self.scale = frames.std(axis=0) + 1e-12
        self.scale[self.scale <= 1e-6 * np.abs(frames).max(axis=0)] = 1  # of a coefficient that never changes
        frames /= self.scale
        start = frames[rng.permutation(len(frames))[: self.n_words]]
        from scipy.cluster.vq import kmeans2  # it imports much of SciPy, so only where it is needed

        with warnings.catch_warnings(action="ignore"):  # a word that loses all its frames stays where it is
            self.words: FloatArray = kmeans2(frames, start, iter=20, minit="matrix")[0]

    def features(self, S: FloatArray) -> FloatArray:
        """Return the share of the song's frames that is nearest to each word: (n_words,)."""
        from scipy.cluster.vq import vq

        words = vq(self._mfcc(S) / self.scale, self.words)[0]
        return np.bincount(words, minlength=len(self.words)) / len(words)

    def _mfcc(self, S: FloatArray) -> FloatArray:
        """Compute the cepstrum of every frame: (bands, frames) → (frames, n_mfcc)."""
        cepstrum: FloatArray = dct(np.asarray(S, dtype=np.float64), axis=0, norm="ortho")
        return cepstrum[: self.n_mfcc].T
