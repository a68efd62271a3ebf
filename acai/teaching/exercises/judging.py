"""What checks share: asking a student's function, and comparing what it says with the truth and with the usual mistakes."""

import copy
from collections.abc import Mapping, Sequence

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


def asked_for(names: str, function: object, *arguments: object) -> tuple | list:
    """What a student's function returns for these arguments, which must be as many things as there are names: "dx, dW"."""
    value = asked(function, *arguments)
    if not isinstance(value, tuple | list) or len(value) != len(names.split(",")):
        raise Wrong(f"it returns {_thing(value)}; expected {len(names.split(','))} things: `return {names}`.")
    if any(part is None or part is Ellipsis for part in value):
        raise Wrong(NOTHING_YET)
    return value


def judge(value: object, right: object, mistakes: Mapping[str, object], case: str | Sequence[str], rtol: float = 1e-5) -> None:
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
    case : str, or one for each entry of `right`
        What the function was given, in words, for whoever made an unusual mistake.
    """
    right = np.asarray(right, dtype=float)
    try:
        got = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"it returns {_thing(value)}; expected {_kind(right)}.") from None
    if alike(got, right, rtol):
        return
    for hint, wrong in mistakes.items():
        wrong = np.asarray(wrong, dtype=float)
        if alike(got, wrong, rtol) or (np.isnan(wrong).all() and np.isnan(got).any()):
            raise Wrong(hint)
    if got.shape != right.shape:
        raise Wrong(f"it returns {_kind(got)}; expected {_kind(right)}.")
    with np.errstate(invalid="ignore"):
        worst = np.unravel_index(np.argmax(np.where(np.isfinite(got), np.abs(got - right), np.inf)), right.shape)
    case, place = (case, f" at {[int(k) for k in worst]}") if isinstance(case, str) else (case[worst[0]], "")
    if not np.isfinite(got[worst]):
        raise Wrong(f"for {case} it gives {got[worst]}: look for a division by zero or a logarithm of 0.")
    place *= right.ndim > 0
    raise Wrong(f"for {case} it gives {got[worst]:.6g}{place}; expected {right[worst]:.6g}.")


def alike(a: np.ndarray, b: np.ndarray, rtol: float = 1e-5) -> bool:
    """Of one shape, finite, and equal but for rounding."""
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.all(np.abs(a - b) <= rtol * np.abs(b).max(initial=0.0) + 1e-12))


def _thing(value: object) -> str:
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _kind(array: np.ndarray) -> str:
    return f"an array of shape {array.shape}" if array.ndim else "a single number"
