"""Worked examples of sound: eight samples, in windows of eight and three bands."""

import numpy as np

from acai import audio
from acai.reader.examples.registry import example_of
from acai.reference import sound as loops

RATE, WINDOW, HOP, BANDS = 8000, 8, 4, 3
SAMPLES = np.sin(np.arange(8) * 0.9).astype(np.float32)


def _power() -> list[list[float]]:
    F = loops.mel_filters(RATE, WINDOW, BANDS, 0, RATE / 2)
    return loops.mel_power(SAMPLES.tolist(), F, WINDOW, HOP)


@example_of("A1")
def mel_power() -> tuple[object, object]:
    """Compute the power of three bands."""
    return _power(), audio.mel_power((SAMPLES, RATE), RATE, WINDOW, HOP, BANDS)


@example_of("A2")
def log_mel() -> tuple[object, object]:
    """Compress it."""
    return loops.log_compression(_power(), 10_000), audio.log_mel((SAMPLES, RATE), RATE, WINDOW, HOP, BANDS)


@example_of("A3")
def mfcc() -> tuple[object, object]:
    """Describe the shape of each frame's spectrum by two numbers."""
    return loops.mfcc(_power(), 2), audio.mfcc((SAMPLES, RATE), RATE, WINDOW, HOP, BANDS, f_max=None, n_mfcc=2)
