"""What checks share: asking a student's function, and comparing what it says with the truth and with the usual mistakes."""

import copy
from collections.abc import Mapping

import numpy as np

from acai.teaching.exercises import Wrong

NOTHING_YET = "it returns nothing yet. Fill in the blank; `hint(…)` with the exercise's name gives you a first step."


def asked(function: object, *arguments: object) -> object:
    """What a student's function returns for these arguments, which it must leave as they are."""
    if not callable(function):
        raise Wrong(f"give `check` the function itself, without brackets; this is a {type(function).__name__}.")
    given = copy.deepcopy(arguments)
    value = function(*given)
    if value is None or value is Ellipsis:
        raise Wrong(NOTHING_YET)
    for number, (before, after) in enumerate(zip(arguments, given), 1):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
            raise Wrong(f"it changes argument {number} in place, and its owner still needs it. Work on a copy.")
    return value


def judge(value: object, right: object, mistakes: Mapping[str, object], case: str, rtol: float = 1e-5) -> None:
    """Raise Wrong unless `value` is `right`.

    Parameters
    ----------
    value : object
        What the student's function returned.
    right : array or number
        What it should have returned.
    mistakes : mapping of str to array or number
        What it returns after each of the usual mistakes, by the hint that each deserves. NaN stands for any result with a
        NaN in it.
    case : str
        What the function was given, in words, for whoever made an unusual mistake.
    """
    right = np.asarray(right, dtype=float)
    try:
        got = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"it returns a {type(value).__name__}; expected {_kind(right)}.") from None
    if alike(got, right, rtol):
        return
    for hint, wrong in mistakes.items():
        wrong = np.asarray(wrong, dtype=float)
        if alike(got, wrong, rtol) or (np.isnan(wrong).all() and np.isnan(got).any()):
            raise Wrong(hint)
    if got.shape != right.shape:
        raise Wrong(f"it returns {_kind(got)}; expected {_kind(right)}.")
    if not np.isfinite(got).all():
        raise Wrong(f"for {case} it gives {got[~np.isfinite(got)][0]}: look for a division by zero or a logarithm of 0.")
    worst = np.unravel_index(np.argmax(np.abs(got - right)), right.shape)
    place = f" at {[int(k) for k in worst]}" if right.ndim else ""
    raise Wrong(f"for {case} it gives {got[worst]:.6g}{place}; expected {right[worst]:.6g}.")


def alike(a: np.ndarray, b: np.ndarray, rtol: float = 1e-5) -> bool:
    """Of one shape, finite, and equal but for rounding."""
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.all(np.abs(a - b) <= rtol * np.abs(b).max(initial=0.0) + 1e-12))


def _kind(array: np.ndarray) -> str:
    return f"an array of shape {array.shape}" if array.ndim else "a single number"
