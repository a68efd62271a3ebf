"""A sound as blocks of samples: mono, at one rate, every defect named, and never the complete file in memory."""

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from acai.audio.conversion import how_to_convert, needs_conversion
from acai.audio.mp3 import Frames, find_frames, frame_length, skip_tags, with_length
from acai.errors import InputError
from acai.settings import Limits

T = TypeVar("T")
Samples = NDArray[np.float32]
BLOCK = 1 << 18  # samples read at a time, six seconds at 44,100 Hz: long enough for threads to work side by side
SURROUND = 8  # channels; of a file with more of them, shorter blocks are read, so that memory stays bounded
EDGE = 1 << 16  # bytes at the start and at the end of a file that are checked before it is decoded: the largest Ogg page
SLOWEST, FASTEST = 1_000, 1_000_000  # Hz; telephones have 8,000, and nothing that records sound has less than 4,000
RATES = Limits(at_least=SLOWEST, at_most=FASTEST)
FULL_SCALE = 32767 / 32768  # the largest 16-bit sample
LOUDEST = 1 << 16  # times full scale; beyond it, powers would soon overflow. Floats in units of 16 bits are still accepted
SILENCE = 1 / 32768  # one step of 16 bits
UNNOTICED = 0.1  # seconds by which a decoder's count of samples may be off
TOLERATED = 0.01  # the share of a sound that may be missing: more, and a part of a song would pass for a complete one
CONTAINERS = (b"RIFF", b"fLaC", b"OggS", b"FORM")  # how files begin that are no mp3, whatever their names say
EXPECTED = "expected a wav, flac, ogg or mp3 file"

Sound = str | os.PathLike[str] | tuple[NDArray[Any], float]


class Recording:
    """One sound, as an iterable of float32 blocks of mono samples at `sample_rate`.

    Channels are averaged, and sounds of another rate are resampled; one of a lower rate stays silent above its own half
    rate. Clipping is not an error, because the spectrogram of a clipped sound is what one hears; `clipped` is its extent.

    Parameters
    ----------
    sound : path, or (samples, rate)
        A wav, flac, ogg or mp3 file; or samples of shape (n,) or (n, channels), floating point within ±1 or integers at
        their full scale, and their rate in Hz.
    sample_rate : float
        The rate of the blocks, from 1,000 to 1,000,000 Hz.

    Attributes
    ----------
    name : str
        The file, as text that can be printed.
    n_samples : int
        How many samples at `sample_rate` have been produced so far.
    clipped : float
        The share of the samples read so far at which a channel was at full scale, between 0 and 1.
    missing : float
        How many seconds of it could not be decoded, if few enough to go without: at most one hundredth.

    Raises
    ------
    InputError
        On iteration: if the file is missing, not a regular file, empty, not audio, cut short or silent, claims an
        impossible rate, or has samples that are not finite or far beyond full scale.
    """

    def __init__(self, sound: Sound, sample_rate: float = 22050) -> None:
        if isinstance(sound, np.ndarray):
            raise InputError("samples without their rate; expected (samples, rate), as in (samples, 22050)")
        if not isinstance(sound, (str, os.PathLike, tuple)) or (isinstance(sound, tuple) and len(sound) != 2):
            raise InputError(f"a sound is a {type(sound).__name__}; expected a path, or (samples, rate)")
        if not is_rate(sample_rate):
            raise InputError(f"sample_rate={sample_rate!r}; expected a number from {SLOWEST:,} to {FASTEST:,} Hz")
        self.sound, self.sample_rate = sound, sample_rate
        self.name = "the array of samples" if isinstance(sound, tuple) else readable_name(sound)
        self.n_samples, self.clipped, self.missing = 0, 0.0, 0.0

    def __iter__(self) -> Iterator[Samples]:
        """Read the sound from its start, block by block."""
        import soxr  # librosa's resampler: librosa.resample takes no stream, and compiles for 10 s first

        self.n_samples = n_read = n_clipped = 0
        lowest, highest, resampler = np.inf, -np.inf, None
        blocks = self._from_array(*self.sound) if isinstance(self.sound, tuple) else self._from_file(self.sound)
        for block, rate in blocks:  # (n, channels)
            block = np.ascontiguousarray(block.T)  # (channels, n), in which NumPy is fast
            peaks = np.abs(block).max(axis=0)
            is_sound = peaks <= LOUDEST  # NaN compares as false
            if not is_sound.all():
                j = int(is_sound.argmin())
                where = f"sample {n_read + j:,} (at {(n_read + j) / rate:.2f} s) is {block[np.abs(block[:, j]).argmax(), j]:g}"
                raise InputError(f"{self.name} is damaged: {where}; expected numbers within ±1")
            n_read += block.shape[1]
            n_clipped += int(np.count_nonzero(peaks >= FULL_SCALE))
            self.clipped = n_clipped / n_read
            mono: Samples = block.mean(axis=0)
            lowest, highest = min(lowest, mono.min()), max(highest, mono.max())
            if rate != self.sample_rate:
                resampler = resampler or soxr.ResampleStream(rate, self.sample_rate, 1)
                mono = resampler.resample_chunk(mono)
            self.n_samples += len(mono)
            yield mono
        if not n_read:
            raise InputError(f"{self.name} holds no samples; expected some seconds of sound")
        if n_read > 1 and highest - lowest <= SILENCE:
            raise InputError(f"{self.name} is silent: no sound in any of its {n_read / rate:.1f} s")
        if resampler is not None:
            rest = resampler.resample_chunk(np.empty(0, np.float32), last=True)
            self.n_samples += len(rest)
            yield rest

    def _from_array(self, samples: NDArray[Any], rate: float) -> Iterator[tuple[Samples, float]]:
        """Read an array: blocks of shape (n, channels), and their rate."""
        try:
            samples = np.asarray(samples)
        except ValueError:
            raise InputError("the samples are a ragged list; expected an array of shape (n,) or (n, channels)") from None
        if samples.ndim not in (1, 2) or samples.dtype.kind not in "fiu" or 0 in samples.shape[1:]:
            given = f"an array of {samples.dtype} of shape {samples.shape}"
            raise InputError(f"the samples are {given}; expected real numbers of shape (n,) or (n, channels)")
        if not is_rate(rate):
            raise InputError(f"the rate of the samples is {rate!r}; expected a number from {SLOWEST:,} to {FASTEST:,} Hz")
        full_scale = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
        middle = full_scale / 2 if samples.dtype.kind == "u" else 0
        n = block_length(1 if samples.ndim == 1 else samples.shape[1])
        for start in range(0, len(samples), n):
            scaled = (samples[start : start + n] - middle) / (full_scale - middle)
            with np.errstate(over="ignore"):  # numbers that become infinite are refused like all that are not finite
                block = scaled.reshape(len(scaled), -1).astype(np.float32)
            yield block, rate

    def _from_file(self, path: str | os.PathLike[str]) -> Iterator[tuple[Samples, float]]:
        """Read a file: blocks of shape (n, channels), and their rate."""
        frames = validate_file(path)
        n_read = 0
        with self._opened(path, frames) as (file, n_expected):
            rate = file.samplerate
            if not is_rate(rate):
                raise InputError(f"{self.name} claims {rate:,} samples per second; expected {SLOWEST:,} to {FASTEST:,}")
            while True:
                block = self._decode(file.read, block_length(file.channels), dtype="float32", always_2d=True)
                if not len(block):
                    break
                n_read += len(block)
                yield block, rate
        n_missing = n_expected - n_read
        if n_missing > max(rate * UNNOTICED, n_expected * TOLERATED):
            found = f"{n_read / rate:.1f} of {n_expected / rate:.1f} s can be read"
            raise InputError(f"{self.name} is cut short: {found}; copy it again")
        self.missing = n_missing / rate if n_missing > rate * UNNOTICED else 0.0

    @contextmanager
    def _opened(self, path: str | os.PathLike[str], frames: Frames | None) -> Iterator[tuple[Any, int]]:
        """Open a file with the decoder, and say how many samples of each channel it should hold."""
        import soundfile

        # As bytes, a name is taken as it is; as text, it would have to be valid Unicode. Windows knows text only.
        name = os.fspath(path) if os.name == "nt" else os.fsencode(path)
        with ExitStack() as stack:
            try:
                file = stack.enter_context(self._decode(soundfile.SoundFile, name))
            except InputError:
                if frames is None:
                    raise
                file = None  # the decoder has given up on what is in front of the frames
            if frames is not None and (file is None or file.frames < frames.n_samples - UNNOTICED * frames.rate):
                # It would stop before the last frame.
                copy = stack.enter_context(with_length(path, frames))
                file = stack.enter_context(self._decode(soundfile.SoundFile, copy.fileno(), closefd=False))
                frames = None
            if frames is not None and frames.stated is None:
                yield file, frames.n_samples  # where the decoder has guessed
            else:
                yield file, file.frames

    def _decode(self, step: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Call the decoder. Whatever exception it raises, the fault is the file's."""
        try:
            return step(*arguments, **keywords)
        except Exception as error:
            reason = str(error).rsplit(": ", 1)[-1].rstrip(".") or type(error).__name__
            if "does not exist" in reason:  # libsndfile says so of an mp3 in which it finds no frame
                reason = "its MP3 frames are damaged"
            raise InputError(f"{self.name} cannot be decoded as audio ({reason}); {EXPECTED}") from None


def is_rate(rate: object) -> bool:
    """Whether this is a number of samples per second that a recording can have."""
    return isinstance(rate, Real) and RATES.allow(rate)


def block_length(channels: int) -> int:
    """Return how many samples of each channel to read at a time."""
    return BLOCK * min(channels, SURROUND) // channels


def readable_name(path: str | os.PathLike[str]) -> str:
    r"""Return a path as text that can be printed and saved anywhere: a Latin-1 `é`, which is not UTF-8, becomes `\udce9`."""
    return os.fsdecode(path).encode(errors="backslashreplace").decode()


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a regular file for reading; refuse anything else before opening it, since opening a pipe waits for its writer."""
    name = readable_name(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{name} is a folder; expected one audio file (`acai features` takes folders)")
        if not stat.S_ISREG(mode):
            raise InputError(f"{name} is a pipe, a socket or a device; {EXPECTED}")
        return open(path, "rb", opener=_open_at_once)
    except FileNotFoundError:
        is_link = os.path.islink(path)
        raise InputError(f"{name} is a link to a file that does not exist" if is_link else f"{name} does not exist") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    except InputError:
        raise
    except ValueError as error:  # a NUL in the name, or half a UTF-16 surrogate pair
        raise InputError(f"{name!r} cannot be the name of a file: {error}") from None


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting, in case a pipe has just taken its place."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def validate_file(path: str | os.PathLike[str]) -> Frames | None:
    """Refuse what is wrong at first sight, in better words than a decoder's; return the frames if it is an mp3."""
    name = readable_name(path)
    with open_regular(path) as file:
        try:
            file.seek(skip_tags(file))
            head = file.read(EDGE)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - EDGE))
            tail = file.read(EDGE)
            is_mp3 = bool(frame_length(head[:4])) or (Path(path).suffix.lower() == ".mp3" and not head.startswith(CONTAINERS))
            frames = find_frames(file) if is_mp3 else None
        except OSError as error:
            raise InputError(f"{name} cannot be read: {error.strerror}") from None
    if not size:
        raise InputError(f"{name} is empty (0 bytes); {EXPECTED}")
    kind = needs_conversion(head)
    if kind:
        raise InputError(f"{name} is {kind}, which acai cannot decode: {how_to_convert(path)}")
    if is_mp3 and frames is None and b"\xff" not in head:  # each MP3 frame starts with it, and no UTF-8 text contains it
        raise InputError(f"{name} is not audio, whatever its name says: it has no MP3 frame; {EXPECTED}")
    if head.startswith(b"OggS") and not _ends_ogg_stream(tail):
        raise InputError(f"{name} is cut short: the last page of its Ogg stream is missing; copy it again")
    return frames


def _ends_ogg_stream(tail: bytes) -> bool:
    """Whether the last Ogg page in `tail` is complete and marked as the last of its stream (RFC 3533, section 6)."""
    page = tail[tail.rfind(b"OggS") :]
    n_segments = page[26] if len(page) > 26 else 0
    length = 27 + n_segments + sum(page[27 : 27 + n_segments])
    return len(page) > 27 and bool(page[5] & 4) and len(page) >= length
