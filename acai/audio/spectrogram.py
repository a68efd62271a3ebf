"""From sound to log-mel spectrogram (README part A)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.audio.recording import FASTEST, SLOWEST, Recording, Sound
from acai.errors import InputError
from acai.settings import check_settings, setting

LARGEST = 1 << 28  # numbers in one spectrogram (1 GiB): with the usual settings, 13 hours


@dataclass(frozen=True)
class MelSettings:
    """The settings of `log_mel` and `mfcc`, which are checked when the object is created.

    Raises
    ------
    InputError
        For the first that is of a wrong type, out of range, or does not fit the others.
    """

    sample_rate: float = setting(22050.0, at_least=SLOWEST, at_most=FASTEST)
    window: int = setting(1024, at_least=2, at_most=65_536)
    hop: int = setting(1, at_least=1)
    n_mels: int = setting(1, at_least=1, at_most=1024)
    f_min: float = setting(0.0, at_least=0)
    f_max: float | None = setting(None, more_than=0)
    C: float = setting(1.0, at_least=0.001, at_most=10**9)
    n_mfcc: int = setting(1, at_least=1, at_most=1024)

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self)
        if self.hop > self.window:
            raise InputError(f"hop={self.hop}; expected from 1 sample to the complete window={self.window}")
        if not self.f_min < self.highest <= self.sample_rate / 2:
            frequencies = f"f_min={self.f_min:g}, f_max={self.f_max} at sample_rate={self.sample_rate:g}"
            raise InputError(f"{frequencies}; expected f_min < f_max <= sample_rate / 2")
        if self.n_mfcc > self.n_mels:
            raise InputError(f"n_mfcc={self.n_mfcc}; expected from 1 to n_mels={self.n_mels}")

    @property
    def highest(self) -> float:
        """The highest frequency: f_max, or half the sample rate."""
        return self.sample_rate / 2 if self.f_max is None else self.f_max


def log_mel(  # noqa: PLR0913 - the settings under the names that librosa and the papers use
    sound: Sound | Recording, sample_rate: float = 22050, window: int = 1024, hop: int = 512, n_mels: int = 128,
    f_min: float = 0.0, f_max: float | None = None, C: float = 10_000.0,
) -> NDArray[np.float32]:
    """Compute the log-mel spectrogram (A1, A2), after Dieleman and Schrauwen (2014).

    Parameters
    ----------
    sound : path, or (samples, rate), or Recording
        A wav, flac, ogg (Vorbis or Opus), mp3 or aiff file, read block by block; or samples of shape (n,) or (n, channels)
        and their rate. A `Recording` has its own sample rate.
    sample_rate : float
        Sounds of another rate are resampled to it. Hz.
    window, hop : int
        Length of a frame, at most 65,536, and the step from one frame to the next, at most `window`; in samples.
    n_mels : int
        Number of mel bands, between `f_min` and `f_max`; at most 1,024.
    f_min, f_max : float
        Hz; `f_max` is half the sample rate unless given.
    C : float
        How much quiet sounds are amplified, from 0.001 to 1e9.

    Returns
    -------
    float32 array, shape (n_mels, 1 + n_samples // hop)
        At least 0; frame t is centred on sample t · hop. It is bit-for-bit the same for a file and for its samples.

    Raises
    ------
    InputError
        If the sound cannot be read (see `Recording`), is shorter than one window or too long to fit into memory, or a
        parameter is of a wrong type or out of range.
    """
    MelSettings(C=C)
    S = mel_power(sound, sample_rate, window, hop, n_mels, f_min, f_max)  # (n_mels, T)
    L: NDArray[np.float32] = np.log1p(np.float32(C) * S)  # (A2)
    return L


def mfcc(  # noqa: PLR0913 - as for log_mel
    sound: Sound | Recording, sample_rate: float = 22050, window: int = 2048, hop: int = 512, n_mels: int = 128,
    f_min: float = 0.0, f_max: float | None = 8000.0, n_mfcc: int = 128,
) -> NDArray[np.float32]:
    """Compute the mel-frequency cepstral coefficients (A3), with the parameters of the original OpenMRS (2016).

    Parameters
    ----------
    sound, sample_rate, window, hop, n_mels, f_min, f_max
        As for `log_mel`; only the defaults differ.
    n_mfcc : int
        The number of coefficients, from 1 to `n_mels`.

    Returns
    -------
    float32 array, shape (n_mfcc, 1 + n_samples // hop)
        In decibels, down to 80 below the loudest band of the sound.
    """
    from scipy.fft import dct

    MelSettings(n_mels=n_mels, n_mfcc=n_mfcc)
    S = mel_power(sound, sample_rate, window, hop, n_mels, f_min, f_max)  # (n_mels, T)
    D = 10 * np.log10(np.maximum(S, 1e-10))
    D = np.maximum(D, D.max() - 80)
    coefficients: NDArray[np.float32] = dct(D, type=2, axis=0, norm="ortho")  # (A3)
    return coefficients[:n_mfcc]


def mel_power(  # noqa: PLR0913 - as for log_mel
    sound: Sound | Recording, sample_rate: float = 22050, window: int = 1024, hop: int = 512, n_mels: int = 128,
    f_min: float = 0.0, f_max: float | None = None,
) -> NDArray[np.float32]:
    """Compute the mel power spectrogram (A1), as `librosa.feature.melspectrogram` does, of a sound of up to many hours.

    Parameters, returned shape and errors are those of `log_mel`.
    """
    from scipy.fft import rfft

    recording = sound if isinstance(sound, Recording) else Recording(sound, sample_rate)
    settings = MelSettings(recording.sample_rate, window, hop, n_mels, f_min, f_max)
    window, hop = settings.window, settings.hop  # plain: arithmetic with NumPy's small integers would overflow
    F = mel_filters(recording.sample_rate, window, n_mels, f_min, f_max)  # (n_mels, window//2 + 1), sparse
    w = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)  # (A1); the Hann window
    S, n_frames = [], 0
    for x in frames(recording, window, hop):  # (t, window)
        X = rfft(w * x)  # (A1); (t, window//2 + 1)
        S.append(F @ (X.real**2 + X.imag**2).T)  # (A1)
        n_frames += len(x)
        if n_frames * n_mels > LARGEST:
            hours = n_frames * hop / recording.sample_rate / 3600
            raise InputError(f"{recording.name} is too long: the first {hours:.1f} h have {n_frames:,} frames; split it")
    if recording.n_samples < window:
        found = f"it has {recording.n_samples} of the {window} samples of one window at {recording.sample_rate:g} Hz"
        raise InputError(f"{recording.name} is too short: {found}")
    return np.concatenate(S, axis=1)


def frames(blocks: Iterable[NDArray[np.float32]], window: int, hop: int) -> Iterator[NDArray[np.float32]]:
    """Cut a signal that comes in blocks into overlapping frames: arrays of shape (some frames, window), in order.

    The signal is padded by half a window of zeros at either end, so that frame t is centred on sample t · hop.
    """
    rest = np.zeros(window // 2, np.float32)
    for block in chain(blocks, [np.zeros(window - window // 2, np.float32)]):
        rest = np.concatenate([rest, block])
        if len(rest) >= window:
            x = np.lib.stride_tricks.sliding_window_view(rest, window)[::hop]
            yield x
            rest = rest[len(x) * hop :]


@lru_cache(maxsize=8)
def mel_filters(
    sample_rate: float, window: int, n_mels: int, f_min: float = 0.0, f_max: float | None = None
) -> sparse.csr_array:
    """Compute the filter bank F of (A1): `n_mels` triangles of equal area on Slaney's mel scale, bit for bit librosa's.

    Returns
    -------
    scipy.sparse.csr_array, shape (n_mels, window//2 + 1), float32
        Sparse, because each band has few frequencies, and a sparse product is the same for any number of threads.
    """
    highest = MelSettings(sample_rate, window, n_mels=n_mels, f_min=f_min, f_max=f_max).highest
    lowest_mel, highest_mel = mel_of_hertz(np.array([f_min, highest], np.float64))
    edges = hertz_of_mel(np.linspace(lowest_mel, highest_mel, n_mels + 2))  # band b rises from edge b to b + 1, falls to b + 2
    widths = np.diff(edges)
    distances = np.subtract.outer(edges, np.fft.rfftfreq(window, 1 / sample_rate))  # (n_mels + 2, window//2 + 1)
    rising = -distances[:-2] / widths[:-1, None]
    falling = distances[2:] / widths[1:, None]
    F = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    F *= (2 / (edges[2:] - edges[:-2]))[:, None]  # each of area one
    n_empty = int((F.max(axis=1) == 0).sum())
    if n_empty:
        empty = f"{n_empty} of {n_mels} mel bands lie between two frequencies of a window of {window} samples"
        raise InputError(f"{empty} and would stay empty; take fewer bands (n_mels) or a longer window")
    return sparse.csr_array(F)


STRAIGHT = 200 / 3  # hertz per mel, up to 1,000 Hz = 15 mel
CURVED = np.log(6.4) / 27  # above: a factor of 6.4 in 27 mel


def mel_of_hertz(f: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's scale of pitch: straight up to 1,000 Hz, logarithmic above."""
    return np.where(f < 1000, f / STRAIGHT, 1000 / STRAIGHT + np.log(np.maximum(f, 1000) / 1000) / CURVED)


def hertz_of_mel(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert `mel_of_hertz`."""
    corner = 1000 / STRAIGHT
    return np.where(m < corner, STRAIGHT * m, 1000 * np.exp(CURVED * np.maximum(m - corner, 0)))
