"""Worked examples of part D: one listener's four plays of one song."""

import numpy as np

from acai.datasets import rules
from acai.reader.examples.registry import example_of
from acai.reference import data as loops

HOUR = 60 * 60
TIMES = [0, 30 * HOUR, 40 * HOUR, 90 * HOUR]  # the second and the third are less than a day apart
N = np.array([len(TIMES)])
SKIPS = [35 * HOUR]


@example_of("D1")
def plays() -> tuple[object, object]:
    """Count the plays."""
    return loops.plays(TIMES), rules.plays(N)[0]


@example_of("D2")
def log1p() -> tuple[object, object]:
    """Take the logarithm."""
    return loops.log1p(TIMES), rules.log1p(N)[0]


@example_of("D3")
def binary() -> tuple[object, object]:
    """Say that it was played."""
    return loops.binary(TIMES), rules.binary(N)[0]


@example_of("D4")
def stars_from_counts() -> tuple[object, object]:
    """Give stars by the count."""
    return loops.stars_from_counts(TIMES), rules.stars_from_counts(N)[0]


@example_of("D5")
def stars_from_times() -> tuple[object, object]:
    """Give stars by the times."""
    return loops.stars_from_times(TIMES), rules.stars_from_times(np.array(TIMES), np.array([0]))[0]


@example_of("D6")
def plays_and_skips() -> tuple[object, object]:
    """Count the one skip against the plays."""
    return loops.plays_and_skips(TIMES, SKIPS), rules.plays_and_skips(N, np.array([len(SKIPS)]))[0]
