"""Windows of spectrograms: what the network sees of a song at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acai.errors import InputError
from acai.settings import check_settings, setting


@dataclass
class Standardiser:
    """Subtract the mean, divide by the standard deviation: one pair of numbers for each row.

    Attributes
    ----------
    mean, std : numpy.ndarray, shape (rows, 1), float32
        Rows that never change have a `std` of 1, so that they become 0.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, arrays: Sequence[np.ndarray]) -> "Standardiser":
        """The statistics of the rows of many arrays, each (rows, any length), read one at a time and summed in float64."""
        n = sum(a.shape[1] for a in arrays)
        mean = sum(a.sum(axis=1, dtype=np.float64) for a in arrays) / n
        square = sum(np.square(a - mean[:, None]).sum(axis=1) for a in arrays) / n
        std = np.sqrt(square)
        std[(std <= 1e-6 * np.abs(mean)) | (std < np.finfo(np.float32).tiny)] = 1
        return cls(mean[:, None].astype(np.float32), std[:, None].astype(np.float32))

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """Standardised rows, float32; the last two axes are (rows, length)."""
        return (array.astype(np.float32) - self.mean) / self.std

    def undo(self, array: np.ndarray) -> np.ndarray:
        """The rows in their own units again."""
        return array * self.std + self.mean


@dataclass(frozen=True)
class Augmentation:
    """Small changes that leave a song the same song, drawn anew for every window.

    Attributes
    ----------
    gain : float
        Loudness: a number from N(0, gain²) is added to the whole standardised window.
    time_mask, band_mask : int
        Up to so many neighbouring frames, and so many neighbouring bands, are silenced (SpecAugment; Park et al. 2019).
    """

    gain: float = setting(0.0, at_least=0, at_most=1000)
    time_mask: int = setting(0, at_least=0)
    band_mask: int = setting(0, at_least=0)

    def __post_init__(self) -> None:
        check_settings(self)

    def __call__(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change one standardised window, (bands, frames), in place."""
        x += np.float32(self.gain * rng.normal())
        for rows, most in ((x, self.band_mask), (x.T, self.time_mask)):  # both are x itself, seen from two sides
            width = int(rng.integers(0, min(most, len(rows)) + 1))
            start = int(rng.integers(0, len(rows) - width + 1))
            rows[start : start + width] = 0
        return x


def check_spectrograms(spectrograms: Sequence[np.ndarray], width: int, bands: int | None = None) -> None:
    """Refuse what no window fits in: wrong shapes, too few frames, numbers that are not finite.

    Parameters
    ----------
    spectrograms : sequence of numpy.ndarray
        Each is expected to be (bands, frames).
    width : int
        How many frames each must have at least.
    bands : int, optional
        How many bands each must have, where that is known from before; otherwise as many as the first has.

    Raises
    ------
    InputError
        Naming the first that does not fit, by its place.
    """
    if isinstance(spectrograms, np.ndarray) and spectrograms.ndim == 2:
        raise InputError("a single spectrogram was given; expected a list of them: [S]")
    if not isinstance(spectrograms, Sequence | np.ndarray) or getattr(spectrograms, "ndim", 1) == 0:
        raise InputError(f"the spectrograms are a {type(spectrograms).__name__}; expected a list of them")
    if len(spectrograms) == 0:
        raise InputError("there is not one spectrogram; at least one is needed")
    like = "as the first has" if bands is None else "as those had that were learnt from"
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
            short = f"spectrogram {n} has {S.shape[1]} frames; a window needs {width}"
            raise InputError(f"{short}: leave short songs out, or {advice}")
        if not np.isfinite(S).all():
            raise InputError(f"spectrogram {n} holds NaN or infinity; its sound is damaged")


def random_windows(
    spectrograms: Sequence[np.ndarray], songs: np.ndarray, width: int, standardise: Standardiser,
    rng: np.random.Generator, augment: Augmentation | None = None,
) -> np.ndarray:
    """One window from a random place in each of the chosen songs: shape (N, bands, 1, width), the mel bands as channels."""
    x = np.empty((len(songs), spectrograms[0].shape[0], 1, width), dtype=np.float32)
    for n, song in enumerate(songs):
        start = rng.integers(0, spectrograms[song].shape[1] - width + 1)
        x[n, :, 0] = standardise(spectrograms[song][:, start : start + width])
        if augment is not None:
            augment(x[n, :, 0], rng)
    return x


def consecutive_windows(spectrogram: np.ndarray, width: int, standardise: Standardiser) -> np.ndarray:
    """All of a song in windows side by side, (N, bands, 1, width); the last one is moved back to end with the song."""
    frames = spectrogram.shape[1]
    starts = np.minimum(np.arange(0, frames, width), frames - width)
    return np.stack([standardise(spectrogram[:, s : s + width])[:, None] for s in starts])
