"""Hostile sound files: features that are finite, or an InputError."""

import functools
import io
from pathlib import Path

import numpy as np
import soundfile

from acai.audio import log_mel, mfcc

from .changes import hostile
from .ledger import Driver, Fault
from .trial import attempt

FORMATS = {"wav": ("WAV", "PCM_16"), "float.wav": ("WAV", "FLOAT"), "flac": ("FLAC", None), "ogg": ("OGG", "VORBIS"),
           "mp3": ("MP3", None), "aiff": ("AIFF", "PCM_16")}
ODD_RATES = (1, 2, 10, 100, 2**31 - 1, 2**32 - 1, 0)


def prepare(folder: Path) -> None:
    """Write one sound in every format."""
    rng = np.random.default_rng(0)
    t = np.arange(8000) / 16000
    x = np.stack([0.3 * np.sin(2 * np.pi * 440 * t), 0.1 * rng.standard_normal(len(t))], axis=1)
    for name, (kind, subtype) in FORMATS.items():
        raw = io.BytesIO()
        soundfile.write(raw, x, 16000, format=kind, subtype=subtype)
        (folder / f"sound.{name}").write_bytes(raw.getvalue())
        log_mel(folder / f"sound.{name}")


@functools.cache
def contents(path: Path) -> bytes:
    """The bytes of a file, read once."""
    return path.read_bytes()


def odd_wav(rng: np.random.Generator) -> bytes:
    """A valid wav with odd numbers in its header or in its samples."""
    raw = io.BytesIO()
    x = rng.standard_normal((2000, 1)) * rng.choice([1e-30, 1.0, 1e10, 1e25, 3e38])
    soundfile.write(raw, np.clip(x, -3e38, 3e38).astype(np.float32), 16000, format="WAV", subtype="FLOAT")
    changed = bytearray(raw.getvalue())
    if rng.random() < 0.6:
        changed[24:28] = int(rng.choice(ODD_RATES)).to_bytes(4, "little")
    if rng.random() < 0.2:
        changed[22:24] = int(rng.integers(0, 2**16)).to_bytes(2, "little")
    return bytes(changed)


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """A hostile sound file, heard as a log-mel spectrogram or as MFCC."""
    name = list(FORMATS)[n % len(FORMATS)]
    raw = hostile(contents(shared / f"sound.{name}"), rng)
    if rng.random() < 0.1:
        name, raw = "wav", odd_wav(rng)
    path = room / f"sound.{name}"
    path.write_bytes(raw)
    feature = mfcc if rng.random() < 0.2 else log_mel
    trial = attempt(f"{feature.__name__} of sound.{name}", lambda: feature(path))
    if trial.succeeded and not np.isfinite(trial.value).all():
        return [Fault("silent", f"{feature.__name__} of sound.{name} is not finite")]
    return list(trial.faults)


SOUNDS = Driver("sounds", "hostile sound files, decoded", "inputs", prepare, case, limit=20, memory=2**31, share=0.5)
