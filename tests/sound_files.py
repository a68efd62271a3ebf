"""Folders of sound files, and what a cache of their features holds."""

import os

import numpy as np
import soundfile

from acai.audio.feature_cache import SUBFOLDER

RATE = 22050


def write(file, seconds=0.5, seed=0, loudness=0.5):
    """Write noise, long enough ago that the time of the last change is trusted."""
    file.parent.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(seed).normal(0, loudness, round(seconds * RATE)).clip(-1, 1)
    soundfile.write(file, x, RATE)
    os.utime(file, (1e9, 1e9))
    return file


def write_music(folder):
    """Write four sounds in three formats, and two files that are none."""
    for n, name in enumerate(["b/track2.wav", "b/track10.ogg", "a/deep/x.flac", "loose.wav"]):
        write(folder / name, seed=n, loudness=0.1)
    (folder / "cover.jpg").write_bytes(b"\xff\xd8")
    (folder / ".hidden.wav").write_bytes(b"")
    return folder


def contents(cache):
    """The bytes of every file of a cache, by name."""
    return {file.name: file.read_bytes() for file in (cache / SUBFOLDER).iterdir()}
