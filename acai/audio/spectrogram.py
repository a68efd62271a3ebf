"""From sound to log-mel spectrogram (README part A)."""

import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from scipy import sparse

from acai.audio.recording import FASTEST, SLOWEST, Recording, Sound
from acai.errors import InputError
from acai.settings import Limits, checked

LARGEST = 1 << 28  # numbers in one spectrogram (1 GiB): with the usual settings, 13 hours
SETTINGS: dict[str, tuple[Any, Limits]] = {  # of what type, and where they may lie
    "sample_rate": (float, Limits(at_least=SLOWEST, at_most=FASTEST)),
    "window": (int, Limits(at_least=2, at_most=65_536)),
    "hop": (int, Limits(at_least=1)),
    "n_mels": (int, Limits(at_least=1, at_most=1024)),
    "f_min": (float, Limits(at_least=0)),
    "f_max": (float | None, Limits(more_than=0)),
    "C": (float, Limits(at_least=0.001, at_most=10**9)),
    "n_mfcc": (int, Limits(at_least=1, at_most=1024)),
}


def log_mel(
    sound: Sound | Recording, sample_rate: float = 22050, window: int = 1024, hop: int = 512, n_mels: int = 128,
    f_min: float = 0.0, f_max: float | None = None, C: float = 10_000.0,
) -> np.ndarray:
    """Log-mel spectrogram (A1, A2), after Dieleman and Schrauwen (2014).

    Parameters
    ----------
    sound : path, or (samples, rate), or Recording
        A wav, flac, ogg or mp3 file, read block by block; or samples of shape (n,) or (n, channels) and their rate.
        A `Recording` has its own sample rate.
    sample_rate : float
        Sounds of another rate are resampled to it. Hz.
    window, hop : int
        Length of a frame, at most 65,536, and the distance from one frame to the next, at most `window`; in samples.
    n_mels : int
        Number of mel bands, between `f_min` and `f_max`; at most 1,024.
    f_min, f_max : float
        Hz; `f_max` is half the sample rate unless given.
    C : float
        How strongly quiet sounds are lifted, from 0.001 to 1e9.

    Returns
    -------
    float32 array, shape (n_mels, 1 + n_samples // hop)
        At least 0; frame t is centred on sample t · hop. It is the same, bit for bit, for a file and for its samples.

    Raises
    ------
    InputError
        If the sound cannot be read (see `Recording`), is shorter than one window or too long to fit into memory, or a
        parameter is of a wrong type or out of range.
    """
    validate_settings(C=C)
    S = mel_power(sound, sample_rate, window, hop, n_mels, f_min, f_max)  # (n_mels, T)
    return np.log1p(np.float32(C) * S)  # (A2)


def mfcc(
    sound: Sound | Recording, sample_rate: float = 22050, window: int = 2048, hop: int = 512, n_mels: int = 128,
    f_min: float = 0.0, f_max: float | None = 8000.0, n_mfcc: int = 128,
) -> np.ndarray:
    """Mel-frequency cepstral coefficients (A3), with the parameters of the original OpenMRS (2016).

    Parameters
    ----------
    sound, sample_rate, window, hop, n_mels, f_min, f_max
        As for `log_mel`; only the defaults differ.
    n_mfcc : int
        Number of coefficients, from 1 to `n_mels`.

    Returns
    -------
    float32 array, shape (n_mfcc, 1 + n_samples // hop)
        In decibels, down to 80 below the loudest band of the sound.
    """
    from scipy.fft import dct

    validate_settings(n_mels=n_mels, n_mfcc=n_mfcc)
    S = mel_power(sound, sample_rate, window, hop, n_mels, f_min, f_max)  # (n_mels, T)
    D = 10 * np.log10(np.maximum(S, 1e-10))
    D = np.maximum(D, D.max() - 80)
    return dct(D, type=2, axis=0, norm="ortho")[:n_mfcc]  # (A3)


def mel_power(
    sound: Sound | Recording, sample_rate: float = 22050, window: int = 1024, hop: int = 512, n_mels: int = 128,
    f_min: float = 0.0, f_max: float | None = None,
) -> np.ndarray:
    """Mel power spectrogram (A1): what `librosa.feature.melspectrogram` gives, from a sound that may be an hour long.

    Parameters, returned shape and errors are those of `log_mel`.
    """
    from scipy.fft import rfft

    recording = sound if isinstance(sound, Recording) else Recording(sound, sample_rate)
    validate_settings(recording.sample_rate, window, hop, n_mels, f_min, f_max)
    window, hop = int(window), int(hop)  # arithmetic with NumPy's small integers would overflow
    F = mel_filters(recording.sample_rate, window, n_mels, f_min, f_max)  # (n_mels, window//2 + 1), sparse
    w = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)  # Hann's window
    S, n_frames = [], 0
    for x in frames(recording, window, hop):  # (t, window)
        X = rfft(w * x)  # (t, window//2 + 1)
        S.append(F @ (X.real**2 + X.imag**2).T)  # (A1)
        n_frames += len(x)
        if n_frames * n_mels > LARGEST:
            hours = n_frames * hop / recording.sample_rate / 3600
            raise InputError(f"{recording.name} is too long: the first {hours:.1f} h have {n_frames:,} frames; split it")
    if recording.n_samples < window:
        there = f"it has {recording.n_samples} of the {window} samples of one window at {recording.sample_rate:g} Hz"
        raise InputError(f"{recording.name} is too short: {there}")
    return np.concatenate(S, axis=1)


def frames(blocks: Iterable[np.ndarray], window: int, hop: int) -> Iterator[np.ndarray]:
    """Overlapping frames of a signal that comes in blocks: arrays of shape (some frames, window), in order.

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
    """The filter bank F of (A1): `n_mels` triangles of equal area on Slaney's mel scale, through librosa.

    Returns
    -------
    scipy.sparse.csr_array, shape (n_mels, window//2 + 1), float32
        Sparse, for each band sees few frequencies, and a sparse product is the same whatever the number of threads.
    """
    from librosa.filters import mel  # the bank alone is cheap; librosa.stft would compile for 10 s on a fresh install

    validate_settings(sample_rate, window, n_mels=n_mels, f_min=f_min, f_max=f_max)
    f_max = sample_rate / 2 if f_max is None else f_max
    with warnings.catch_warnings(action="ignore"):  # librosa warns of empty bands; we say how many and refuse
        F = mel(sr=sample_rate, n_fft=window, n_mels=n_mels, fmin=f_min, fmax=f_max)
    n_empty = int((F.max(axis=1) == 0).sum())
    if n_empty:
        empty = f"{n_empty} of {n_mels} mel bands lie between two frequencies of a window of {window} samples"
        raise InputError(f"{empty} and would stay empty; take fewer bands (n_mels) or a longer window")
    return sparse.csr_array(F)


def validate_settings(
    sample_rate: float = 22050, window: int = 1024, hop: int = 1, n_mels: int = 1, f_min: float = 0.0,
    f_max: float | None = None, C: float = 1.0, n_mfcc: int = 1,
) -> None:
    """Refuse settings of `log_mel` or `mfcc` that are of a wrong type, out of range, or do not fit each other.

    Raises
    ------
    InputError
        For the first of them.
    """
    given = {"sample_rate": sample_rate, "window": window, "hop": hop, "n_mels": n_mels, "f_min": f_min, "f_max": f_max}
    for name, value in (given | {"C": C, "n_mfcc": n_mfcc}).items():
        checked(name, value, *SETTINGS[name])
    if hop > window:
        raise InputError(f"hop={hop}; expected from 1 sample to the complete window={window}")
    if not f_min < (sample_rate / 2 if f_max is None else f_max) <= sample_rate / 2:
        frequencies = f"f_min={f_min:g}, f_max={f_max} at sample_rate={sample_rate:g}"
        raise InputError(f"{frequencies}; expected f_min < f_max <= sample_rate / 2")
    if n_mfcc > n_mels:
        raise InputError(f"n_mfcc={n_mfcc}; expected from 1 to n_mels={n_mels}")
