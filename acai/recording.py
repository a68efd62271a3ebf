"""A sound as blocks of samples: mono, at one rate, each flaw named, and never the whole file in memory."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from acai.errors import InputError

BLOCK = 1 << 18  # samples read at a time, six seconds at 44,100 Hz: long enough for threads to work side by side
EDGE = 1 << 16  # bytes of a file's beginning and end that are looked at before it is decoded: one Ogg page at most
FULL_SCALE = 32767 / 32768  # the largest 16-bit sample
SILENCE = 1 / 32768  # one step of 16 bits
MP3_LENGTH = re.compile(rb"\xff[\xe2-\xff].{11,36}(Xing|Info)", re.DOTALL)  # in the first frame, behind its side information
EXPECTED = "expected a wav, flac, ogg or mp3 file"

Sound = str | os.PathLike | tuple[np.ndarray, float]


class Recording:
    """One sound, to be iterated over: float32 blocks of mono samples at `sample_rate`.

    Channels are averaged, and another rate is resampled. A file of a lower rate stays silent above its own half rate.
    Clipping is no error: the spectrogram of a clipped sound is what one hears. Its extent is told in `clipped`.

    Parameters
    ----------
    sound : path, or (samples, rate)
        A wav, flac, ogg or mp3 file; or samples of shape (n,) or (n, channels), floating point within ±1 or integers at
        their full scale, and their rate in Hz.
    sample_rate : float
        The rate of the blocks, in Hz.

    Attributes
    ----------
    n_samples : int
        How many samples at `sample_rate` have come out so far.
    clipped : float
        The share of the instants read so far at which a channel stood at full scale, between 0 and 1.

    Raises
    ------
    InputError
        On iteration: if the file is missing, empty, not audio, cut short, silent, or has samples that are not finite.
    """

    def __init__(self, sound: Sound, sample_rate: float = 22050) -> None:
        if isinstance(sound, np.ndarray):
            raise InputError("samples were given without their rate; expected (samples, rate), as in (samples, 22050)")
        self.sound, self.sample_rate = sound, sample_rate
        self.name = "the array of samples" if isinstance(sound, tuple) else os.fspath(sound)
        self.n_samples, self.clipped = 0, 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        import soxr  # librosa's resampler: librosa.resample takes no stream, and first compiles for 10 s

        self.n_samples = n_read = n_clipped = 0
        lowest, highest, resampler = np.inf, -np.inf, None
        for block, rate in self._from_array() if isinstance(self.sound, tuple) else self._from_file():  # (n, channels)
            block = np.ascontiguousarray(block.T)  # (channels, n): so, NumPy is quick
            finite = np.isfinite(block).all(axis=0)
            if not finite.all():
                j = n_read + int(finite.argmin())
                raise InputError(f"{self.name} is damaged: sample {j:,} (at {j / rate:.2f} s) is not a finite number")
            n_read += block.shape[1]
            n_clipped += np.count_nonzero(np.abs(block).max(axis=0) >= FULL_SCALE)
            self.clipped = n_clipped / n_read
            mono = block.mean(axis=0)
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

    def _from_array(self) -> Iterator[tuple[np.ndarray, float]]:
        samples, rate = np.asarray(self.sound[0]), self.sound[1]
        if samples.ndim not in (1, 2) or samples.dtype.kind not in "fiu" or not rate > 0:
            given = f"an array of {samples.dtype} of shape {samples.shape} and the rate {rate}"
            raise InputError(f"expected real samples of shape (n,) or (n, channels) and a rate in Hz; given: {given}")
        full_scale = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
        middle = full_scale / 2 if samples.dtype.kind == "u" else 0
        for start in range(0, len(samples), BLOCK):
            block = (samples[start : start + BLOCK] - middle) / (full_scale - middle)
            yield block.reshape(len(block), -1).astype(np.float32), rate

    def _from_file(self) -> Iterator[tuple[np.ndarray, float]]:
        length_is_known, n_read = check_at_the_door(self.name), 0
        import soundfile

        try:
            with soundfile.SoundFile(self.name) as file:
                n, rate = file.frames, file.samplerate
                while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
                    n_read += len(block)
                    yield block, rate
        except soundfile.SoundFileError as error:
            reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
            raise InputError(f"{self.name} cannot be decoded as audio ({reason}); {EXPECTED}") from None
        if length_is_known and n_read < n - rate / 10:
            raise InputError(f"{self.name} is cut short: {n_read / rate:.1f} of {n / rate:.1f} s are there")


def check_at_the_door(path: str | os.PathLike) -> bool:
    """Refuse what can be told from the outside, in better words than a decoder's; whether the file knows its length."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected one audio file (`acai features` takes folders)")
    try:
        with open(path, "rb") as file:
            head = file.read(EDGE)
            file.seek(max(0, file.seek(0, os.SEEK_END) - EDGE))
            tail = file.read()
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if not head:
        raise InputError(f"{path} is empty (0 bytes); {EXPECTED}")
    is_mp3 = path.suffix.lower() == ".mp3" or head.startswith(b"ID3")
    if is_mp3 and b"\xff" not in head:  # each MP3 frame starts so, and no UTF-8 text has it
        raise InputError(f"{path} is not audio, whatever its name says: it has no MP3 frame; {EXPECTED}")
    if head.startswith(b"OggS") and not _ends_ogg_stream(tail):
        raise InputError(f"{path} is cut short: the last page of its Ogg stream is missing; copy it again")
    return not is_mp3 or MP3_LENGTH.search(head) is not None  # without it, the decoder guesses from the first frame


def _ends_ogg_stream(tail: bytes) -> bool:
    """Whether the last Ogg page in `tail` is whole and marked as the last of its stream (RFC 3533, section 6)."""
    page = tail[tail.rfind(b"OggS") :]
    n_segments = page[26] if len(page) > 26 else 0
    length = 27 + n_segments + sum(page[27 : 27 + n_segments])
    return len(page) > 27 and bool(page[5] & 4) and len(page) >= length
