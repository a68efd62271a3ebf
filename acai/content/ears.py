"""The straight line that a network has to beat, and the simpler ways to hear a song that are built on it."""

from collections.abc import Sequence

import numpy as np

from acai.content.windows import Standardiser, check_spectrograms
from acai.errors import InputError
from acai.nn.parallel import one_blas_thread


class Ridge:
    """Least squares with a penalty on the size of W (A7; Hoerl and Kennard 1970), on standardised columns.

    λ is the one of `lams` with the smallest leave-one-out error, which for ridge has a closed form: the error of a
    sample left out is its ordinary residual divided by 1 − its leverage (Allen 1974).

    Parameters
    ----------
    lams : array of float
        What λ is chosen from, all > 0.

    Attributes
    ----------
    lam : float
        The λ chosen.
    W : numpy.ndarray, shape (n_features, n_targets)
        The coefficients for standardised columns.
    """

    def __init__(self, lams: np.ndarray | None = None) -> None:
        self.lams = np.logspace(-2, 5, 29) if lams is None else np.asarray(lams, dtype=np.float64)

    def fit(self, X: np.ndarray, Y: np.ndarray) -> "Ridge":
        """Learn from X, shape (n, n_features), and Y, shape (n, n_targets)."""
        if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y) or len(X) < 3:
            shapes = f"X has shape {X.shape} and Y {Y.shape}"
            raise InputError(f"{shapes}; expected (n, features) and (n, targets), n at least 3")
        self.inputs = Standardiser.of([X.T])
        X = self.inputs(X.T).T.astype(np.float64)
        self.y_bar = Y.mean(axis=0)
        Y = Y - self.y_bar
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


class SpectrumRidge:
    """Ridge regression (A7) from the average spectrum of a song to its hidden features: deaf to the order of things.

    Parameters
    ----------
    spread : bool
        Hear also how much each band varies, its standard deviation over time.
    """

    def __init__(self, spread: bool = False) -> None:
        self.spread = spread

    def fit(self, spectrograms: Sequence[np.ndarray], Q: np.ndarray, progress: bool = False) -> "SpectrumRidge":
        """Learn from spectrograms, each (bands, frames), and the hidden features Q, (n_songs, k)."""
        self.ridge = Ridge().fit(self._summary(spectrograms), np.asarray(Q, dtype=np.float64))
        return self

    def predict(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        """Q̂, shape (n_songs, k)."""
        return self.ridge.predict(self._summary(spectrograms))

    def _summary(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        check_spectrograms(spectrograms, 1)
        summaries = [np.mean] + [np.std] * self.spread
        return np.array([np.concatenate([f(S, axis=1, dtype=np.float64) for f in summaries]) for S in spectrograms])


class BagOfWords:
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

    def __init__(self, n_words: int = 400, n_mfcc: int = 13, n_frames: int = 20_000, seed: int = 0) -> None:
        self.n_words = n_words
        self.n_mfcc = n_mfcc
        self.n_frames = n_frames
        self.seed = seed

    def fit(self, spectrograms: Sequence[np.ndarray], Q: np.ndarray, progress: bool = False) -> "BagOfWords":
        """Learn from spectrograms, each (bands, frames), and the hidden features Q, (n_songs, k)."""
        check_spectrograms(spectrograms, 1)
        rng = np.random.default_rng(self.seed)
        each = max(1, self.n_frames // len(spectrograms))
        drawn = [m[rng.permutation(len(m))[:each]] for m in map(self._moments, spectrograms)]
        moments = np.concatenate(drawn)
        self.scale = moments.std(axis=0) + 1e-12
        self.words = k_means(moments / self.scale, self.n_words, rng)
        self.ridge = Ridge().fit(self._bags(spectrograms), np.asarray(Q, dtype=np.float64))
        return self

    def predict(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        """Q̂, shape (n_songs, k)."""
        check_spectrograms(spectrograms, 1)
        return self.ridge.predict(self._bags(spectrograms))

    def _moments(self, S: np.ndarray) -> np.ndarray:
        """The cepstrum of every frame: (bands, frames) → (frames, n_mfcc)."""
        from scipy.fft import dct

        return dct(np.asarray(S, dtype=np.float64), axis=0, norm="ortho")[: self.n_mfcc].T

    def _bags(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        """How large a part of each song each word is: (n_songs, n_words)."""
        words = (nearest(self._moments(S) / self.scale, self.words) for S in spectrograms)
        return np.array([np.bincount(w, minlength=len(self.words)) / len(w) for w in words])


def k_means(x: np.ndarray, k: int, rng: np.random.Generator, n_rounds: int = 20) -> np.ndarray:
    """The centres, shape (k, d), of k groups of points x, shape (n, d), each nearest to its own centre (Lloyd 1982).

    The first centres are k of the points, drawn at random; a centre that loses all its points stays where it is.
    """
    centres = x[rng.permutation(len(x))[:k]].copy()
    for _ in range(n_rounds):
        group = nearest(x, centres)
        counts = np.bincount(group, minlength=len(centres))
        sums = np.stack([np.bincount(group, weights=column, minlength=len(centres)) for column in x.T], axis=1)
        filled = counts > 0
        centres[filled] = sums[filled] / counts[filled, None]
    return centres


def nearest(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Which centre each point is nearest to: shape (n,)."""
    distance = np.square(centres).sum(axis=1) - 2 * x @ centres.T  # + |x|², the same for all
    return distance.argmin(axis=1)
