"""Play counts that are taken for ratings: how they are recognised, and what to do instead."""

import warnings

import numpy as np
from numpy.typing import NDArray

INSTEAD = "learn from their logarithm, ratings.map(np.log1p) (D2), or rank songs with ALS (C11)"


class PlaysAsRatings(UserWarning):
    """A model of ratings learns from what look like play counts."""


def look_like_plays(r: NDArray[np.float32]) -> bool:
    """Whether values look like play counts rather than ratings: whole numbers with a tail far longer than any scale has."""
    if len(r) == 0 or r.max() <= 10:  # most are ratings, which are recognised fast
        return False
    return bool(r.min() >= 0 and r.max() > 10 * np.median(r) and (r == r.round()).all())


def advice(r: NDArray[np.float32]) -> str:
    """Say what to do instead of learning from these values as if they were ratings; nothing if they may be ratings."""
    if not look_like_plays(r):
        return ""
    return f"values from {r.min():g} to {r.max():g} look like play counts: {INSTEAD}"


def warn_of_plays(name: str, r: NDArray[np.float32]) -> None:
    """Warn whoever called `fit` of the model of this name, which predicts ratings, if it would learn from play counts."""
    if instead := advice(r):
        warnings.warn(f"{name} predicts ratings, but {instead}", PlaysAsRatings, stacklevel=5)
