"""Mistakes that users can correct themselves, each explained in one sentence."""

import difflib
from collections.abc import Callable, Hashable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGEST_COUNT = int(np.iinfo(np.int32).max)  # of entries, users or songs: their indices are int32


class InputError(ValueError):
    """What was found, what was expected, what to do: the command line prints it as one line and exits with code 2."""


def unknown(what: str, given: Hashable, known: Iterable[Hashable], n: int = 5) -> InputError:
    """Make an error for a name that does not exist; it lists those that do, the closest first.

    Parameters
    ----------
    what : str
        The kind of thing that was named: "user", "data set".
    given : hashable
        The name that was given.
    known : iterable of hashable
        Every name that exists.
    n : int
        How many of them to list.

    Returns
    -------
    InputError
        Ready to be raised.
    """
    known = list(known)
    names = [str(name) for name in known]
    near = difflib.get_close_matches(str(given), names, n=n, cutoff=0.5)
    listed = (near + [name for name in names[: 2 * n] if name not in near])[:n]
    more = f", … ({len(known):,} in all)" if len(known) > len(listed) else ""
    message = f"no {what} {given!r}; there is: {', '.join(listed) or 'none'}{more}"
    if str(given) in names:  # the classic: '42' given where 42 is meant
        kinds = sorted({type(name).__name__ for name in known})
        message += f" (ids here are of type {', '.join(kinds)}; {given!r} is a {type(given).__name__})"
    return InputError(message)


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
        raise InputError(f"{what} are {found}; expected integers in one dimension")
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


def check_settings(owner: object, limits: Iterable[tuple[Iterable[str], type, str, Callable[[object], bool]]]) -> None:
    """Refuse settings of a wrong type or size.

    Parameters
    ----------
    owner : object
        What has the settings, as attributes; it need not have all that the limits speak of.
    limits : iterable of (names, type, expected, holds)
        Settings of the same kind: of what type, what is expected in words, and whether a value is so.

    Raises
    ------
    InputError
        For the first setting that is not as expected.
    """
    for names, kind, expected, holds in limits:
        for name in names:
            if not hasattr(owner, name):
                continue
            value = getattr(owner, name)
            is_kind = isinstance(value, kind) and not isinstance(value, bool)  # to Python, True is an integer
            if not is_kind or not holds(value):
                raise InputError(f"{name}={value!r}; expected {expected}")
