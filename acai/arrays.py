"""What is given as an array: checked before compiled code, which checks nothing, reads it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acai.errors import InputError

LARGEST_COUNT = int(np.iinfo(np.int32).max)  # of entries, users or songs: their indices are int32


def real_numbers(values: object, what: str, dtype: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """Convert to an array of real numbers, which may be NaN; refuse text and complex numbers, which a cast would lose.

    Parameters
    ----------
    values : array_like
        What was given.
    what : str
        What it is, for the message.
    dtype : type
        What it becomes; what is too large for it becomes infinite.
    """
    if np.ma.is_masked(values):
        raise InputError(f"{what} must be real numbers; found masked ones: drop them first")
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O" and not any(isinstance(value, str | bytes) for value in array.flat):
            array = array.astype(np.float64)  # None, where it stands for a gap, becomes NaN
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{what} must be real numbers; {error}") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what} must be real numbers; found {array.dtype}")
    with np.errstate(over="ignore"):
        return array.astype(dtype, copy=False)


def check_codes(codes: ArrayLike, n: int, what: str, or_unknown: bool = False) -> NDArray[np.int32] | NDArray[np.intp]:
    """Check indices of rows or columns, because compiled code does not.

    Parameters
    ----------
    codes : array of int, shape (n_codes,)
        What was given.
    n : int
        How many rows or columns there are.
    what : str
        What the codes refer to: "user rows".
    or_unknown : bool
        Whether −1, for an unknown row or column, is allowed.

    Returns
    -------
    ndarray, shape (n_codes,), int32 or intp

    Raises
    ------
    InputError
        If they are not a one-dimensional array of integers, or one is out of range.
    """
    try:
        array = np.asarray(codes)
    except ValueError as error:
        raise InputError(f"{what} are not an array of integers ({error})") from None
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size > 0):
        found = f"an array of shape {array.shape} and type {array.dtype}"
        raise InputError(f"{what} are {found}; expected a one-dimensional array of integers")
    least = -1 if or_unknown else 0
    wrong = (array < least) | (array >= n)
    if wrong.any():
        unknown_is = ", or −1 for one that is not known" if or_unknown else ""
        raise InputError(f"{what} contain {array[wrong][0]}; expected 0 to {n - 1}{unknown_is}")
    if array.dtype == np.int32:
        return np.ascontiguousarray(array, dtype=np.int32)
    return np.ascontiguousarray(array, dtype=np.intp)


def check_count(n: int, what: str, where: object = "these ratings") -> None:
    """Refuse more entries, users or songs than int32 indices can count: the indices would overflow."""
    if n > LARGEST_COUNT:
        raise InputError(f"{where}: {n:,} {what}; acai counts up to {LARGEST_COUNT:,} of them: take a sample, or split them")
