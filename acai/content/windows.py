"""Windows of spectrograms: what the network sees of a song at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acai.errors import InputError
from acai.nn.layer import FloatArray
from acai.settings import check_settings, setting

LARGEST = 1e30  # of a number to learn from: statistics are stored as float32


@dataclass
class Standardiser:
    """Subtract the mean and divide by the standard deviation: one pair of numbers for each row.

    Attributes
    ----------
    mean, std : numpy.ndarray, shape (rows, 1), float32
        Rows that never change have a `std` of 1, so that they become 0.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    @classmethod
    def fit(cls, arrays: Sequence[FloatArray]) -> "Standardiser":
        """Compute the statistics of the rows of many arrays, each (rows, any length), read one at a time, in float64."""
        n = sum(a.shape[1] for a in arrays)
        mean = sum(a.sum(axis=1, dtype=np.float64) for a in arrays) / n
        variance = sum(np.square(a - mean[:, None]).sum(axis=1) for a in arrays) / n
        std = np.sqrt(variance)
        std[(std <= 1e-6 * np.abs(mean)) | (std < np.finfo(np.float32).tiny)] = 1
        return cls(mean[:, None].astype(np.float32), std[:, None].astype(np.float32))

    def transform(self, array: FloatArray) -> FloatArray:
        """Standardise the rows of an array whose last two axes are (rows, length); the result is float32."""
        return (array.astype(np.float32) - self.mean) / self.std

    def inverse_transform(self, array: FloatArray) -> FloatArray:
        """Return standardised rows to their original units."""
        return array * self.std + self.mean


@dataclass(frozen=True)
class Augmentation:
    """Small changes that leave a song the same song, drawn separately for every window.

    Attributes
    ----------
    gain : float
        Loudness: a number from N(0, gain²) is added to all of the standardised window.
    time_mask, band_mask : int
        Up to this many neighbouring frames, and this many neighbouring bands, are set to zero (SpecAugment; Park et al. 2019).
    """

    gain: float = setting(0.0, at_least=0, at_most=1000)
    time_mask: int = setting(0, at_least=0)
    band_mask: int = setting(0, at_least=0)

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self)

    def __call__(self, x: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Change one standardised window, (bands, frames), in place."""
        x += np.float32(self.gain * rng.normal())
        for rows, most in ((x, self.band_mask), (x.T, self.time_mask)):  # x.T is a view: x changes with it
            width = int(rng.integers(0, min(most, len(rows)) + 1))
            start = int(rng.integers(0, len(rows) - width + 1))
            rows[start : start + width] = 0
        return x


def check_spectrograms(spectrograms: Sequence[FloatArray], width: int, bands: int | None = None) -> None:
    """Refuse spectrograms of wrong shapes, with fewer frames than a window or with numbers that are not finite.

    Parameters
    ----------
    spectrograms : sequence of numpy.ndarray
        Each is expected to be (bands, frames).
    width : int
        The least number of frames that each must have.
    bands : int, optional
        How many bands each must have, where that is known already; otherwise as many as the first has.

    Raises
    ------
    InputError
        For the first that does not fit; the message gives its index.
    """
    if isinstance(spectrograms, np.ndarray) and spectrograms.ndim == 2:
        raise InputError("a single spectrogram was given; expected a list of them: [S]")
    if not isinstance(spectrograms, Sequence | np.ndarray) or getattr(spectrograms, "ndim", 1) == 0:
        raise InputError(f"the spectrograms are a {type(spectrograms).__name__}; expected a list of them")
    if len(spectrograms) == 0:
        raise InputError("there are no spectrograms; expected at least one")
    like = "like the first" if bands is None else "like those of the training"
    for n, S in enumerate(spectrograms):
        if not isinstance(S, np.ndarray) or S.ndim == 0 or S.dtype.kind not in "fiu":
            found = f"an array of {S.dtype}" if isinstance(S, np.ndarray) else f"a {type(S).__name__}"
            raise InputError(f"spectrogram {n} is {found}; expected an array of numbers, (bands, frames)")
    bands = len(spectrograms[0]) if bands is None else bands
    for n, S in enumerate(spectrograms):
        if S.ndim != 2 or len(S) != bands:
            raise InputError(f"spectrogram {n} has shape {S.shape}; expected (bands, frames) with {bands} bands, {like}")
        if S.shape[1] < width:
            advice = "take a smaller window" + (" (or is it transposed?)" if bands >= width else "")
            short = f"spectrogram {n} has {S.shape[1]} frames; expected at least the {width} of a window"
            raise InputError(f"{short}: leave short songs out, or {advice}")
        if not (S.size == 0 or -LARGEST < float(S.min()) <= float(S.max()) < LARGEST):  # NaN is in no order
            raise InputError(f"spectrogram {n} holds NaN, infinity or numbers beyond ±{LARGEST:g}; its sound is damaged")


def random_windows(
    spectrograms: Sequence[FloatArray], songs: NDArray[np.intp], width: int, inputs: Standardiser,
    rng: np.random.Generator, augment: Augmentation | None = None,
) -> FloatArray:
    """Cut one window from a random place of each of these songs: shape (N, bands, 1, width), the mel bands as channels."""
    x = np.empty((len(songs), spectrograms[0].shape[0], 1, width), dtype=np.float32)
    for n, song in enumerate(songs):
        start = rng.integers(0, spectrograms[song].shape[1] - width + 1)
        x[n, :, 0] = inputs.transform(spectrograms[song][:, start : start + width])
        if augment is not None:
            augment(x[n, :, 0], rng)
    return x


def consecutive_windows(spectrogram: FloatArray, width: int, inputs: Standardiser) -> FloatArray:
    """Cut all of a song into windows side by side, (N, bands, 1, width); the last one is moved back to end with the song."""
    n_frames = spectrogram.shape[1]
    starts = np.minimum(np.arange(0, n_frames, width), n_frames - width)
    windows = [inputs.transform(spectrogram[:, start : start + width]) for start in starts]
    return np.stack(windows)[:, :, None]
