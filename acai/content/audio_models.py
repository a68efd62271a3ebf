"""The straight line that a network has to beat, and the simpler ways to hear a song that are built on it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2, vq
from scipy.fft import dct

from acai.content.windows import Standardiser, check_spectrograms
from acai.errors import InputError, real_numbers, shown
from acai.settings import check_settings, setting
from acai.threads import one_blas_thread

LARGEST = 1e30  # of a number to learn from: statistics of the columns are kept as float32


class Ridge:
    """Least squares with a penalty on the size of W (A7; Hoerl and Kennard 1970), on standardised columns.

    λ is the one of `lams` with the smallest leave-one-out error, which for ridge has a closed form: the error of a
    sample left out is its ordinary residual divided by 1 − its leverage (Allen 1974).

    Parameters
    ----------
    lams : sequence of float, optional
        What λ is chosen from, all > 0; by default four a decade, from 0.01 to 100,000.

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
            raise InputError(f"lams={shown(lams)}; expected a list of numbers above 0")

    def fit(self, X: np.ndarray, Y: np.ndarray) -> "Ridge":
        """Learn from X, shape (n, n_features), and Y, shape (n, n_targets)."""
        X, Y = real_numbers(X, "X"), real_numbers(Y, "Y")
        if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y) or len(X) < 3:
            shapes = f"X has shape {X.shape} and Y {Y.shape}"
            raise InputError(f"{shapes}; expected (n, features) and (n, targets), n at least 3")
        if not ((np.abs(X) < LARGEST).all() and (np.abs(Y) < LARGEST).all()):  # NaN is not less, either
            raise InputError(f"X or Y holds NaN, infinity or numbers beyond ±{LARGEST:g}; expected finite numbers within that")
        self.inputs, self.y_bar = Standardiser.of([X.T]), Y.mean(axis=0)
        X, Y = self.inputs(X.T).T.astype(np.float64), Y - self.y_bar
        with one_blas_thread():
            U, s, Vt = np.linalg.svd(X, full_matrices=False)  # X = U diag(s) Vt
        UtY = U.T @ Y

        def left_out(lam: float) -> float:
            shrink = s**2 / (s**2 + lam)
            residual = Y - (U * shrink) @ UtY
            leverage = np.square(U) @ shrink + 1 / len(X)  # the mean counts as a coefficient too
            return float(np.mean(np.square(residual / (1 - np.minimum(leverage, 1 - 1e-9))[:, None])))

        self.lam = float(min(self.lams, key=left_out))
        self.W = (Vt.T * (s / (s**2 + self.lam))) @ UtY  # (A7): (XᵀX + λI)⁻¹ Xᵀ Y
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Ŷ, shape (n, n_targets)."""
        return self.inputs(X.T).T.astype(np.float64) @ self.W + self.y_bar


class RidgeEar:
    """Ridge regression (A7) on a few numbers that describe each song; with the `fit` and `predict` of `AudioToFactors`."""

    ridge: Ridge | None = None

    def fit(self, spectrograms: Sequence[np.ndarray], Q: np.ndarray, progress: bool = False) -> "RidgeEar":
        """Learn from spectrograms, each (bands, frames), and the hidden features Q, (n_songs, k)."""
        check_settings(self)
        check_spectrograms(spectrograms, 1)
        self.ridge = None  # should anything go wrong, it is not half fitted
        self.prepare(spectrograms)
        self.ridge = Ridge().fit(np.array([self.describe(S) for S in spectrograms]), Q)
        self.n_bands = len(spectrograms[0])
        return self

    def predict(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        """Q̂, shape (n_songs, k)."""
        if self.ridge is None:
            raise InputError(f"this {type(self).__name__} has not learnt to hear yet; call fit(spectrograms, Q) first")
        check_spectrograms(spectrograms, 1, self.n_bands)
        return self.ridge.predict(np.array([self.describe(S) for S in spectrograms]))

    def prepare(self, spectrograms: Sequence[np.ndarray]) -> None:
        """Learn what `describe` needs."""


@dataclass
class SpectrumRidge(RidgeEar):
    """Ridge regression (A7) from the average spectrum of a song to its hidden features: deaf to the order of things.

    Parameters
    ----------
    spread : bool
        Hear also how much each band varies, its standard deviation over time.
    """

    spread: bool = setting(False)

    def __post_init__(self) -> None:
        check_settings(self)

    def describe(self, S: np.ndarray) -> np.ndarray:
        """The mean of each band, and perhaps its spread."""
        return np.concatenate([f(S, axis=1, dtype=np.float64) for f in [np.mean] + [np.std] * self.spread])


@dataclass
class BagOfWords(RidgeEar):
    """Ridge regression (A7) on how often each of many typical moments occurs in a song (van den Oord et al. 2013).

    A moment is the MFCC of one frame; the typical ones, the words, are found by K-means (Lloyd 1982). It knows which
    sounds a song has, but not in which order.

    Parameters
    ----------
    n_words : int
        How many typical moments.
    n_mfcc : int
        How many coefficients of the cepstrum describe a frame.
    n_frames : int
        From how many frames, drawn from all songs, the words are found.
    seed : int
        For drawing them.
    """

    n_words: int = setting(400, at_least=1)
    n_mfcc: int = setting(13, at_least=1)
    n_frames: int = setting(20_000, at_least=1)
    seed: int = setting(0, at_least=0)

    def __post_init__(self) -> None:
        check_settings(self)

    def prepare(self, spectrograms: Sequence[np.ndarray]) -> None:
        """Find the words: the centres of 20 rounds of K-means that begins with moments drawn at random."""
        rng = np.random.default_rng(self.seed)
        each = max(1, self.n_frames // len(spectrograms))
        moments = np.concatenate([m[rng.permutation(len(m))[:each]] for m in map(self._moments, spectrograms)])
        self.scale = moments.std(axis=0) + 1e-12
        self.scale[self.scale <= 1e-6 * np.abs(moments).max(axis=0)] = 1  # of what never changes
        moments /= self.scale
        start = moments[rng.permutation(len(moments))[: self.n_words]]
        with warnings.catch_warnings(action="ignore"):  # a word that loses all its moments stays where it is
            self.words = kmeans2(moments, start, iter=20, minit="matrix")[0]

    def describe(self, S: np.ndarray) -> np.ndarray:
        """How large a part of the song each word is: (n_words,)."""
        words = vq(self._moments(S) / self.scale, self.words)[0]
        return np.bincount(words, minlength=len(self.words)) / len(words)

    def _moments(self, S: np.ndarray) -> np.ndarray:
        """The cepstrum of every frame: (bands, frames) → (frames, n_mfcc)."""
        return dct(np.asarray(S, dtype=np.float64), axis=0, norm="ortho")[: self.n_mfcc].T
