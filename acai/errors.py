"""Mistakes that users can correct themselves, each explained in one sentence."""

import difflib
from collections.abc import Collection, Hashable, Iterable, Mapping
from numbers import Integral, Real
from typing import cast

COMPARED = 2000  # names, at most, that are compared with an unknown one: a million of them would take minutes
LONGEST = 100  # characters of what somebody else named or gave that are shown
LONGEST_MESSAGE = 1000  # characters


class InputError(ValueError):
    """What was found, what was expected, what to do: the command line prints it as one line and exits with code 2.

    Names and contents of files are parts of it, so it is cut in the middle if it is very long.
    """

    def __init__(self, message: str) -> None:
        half = LONGEST_MESSAGE // 2
        cut = message if len(message) <= LONGEST_MESSAGE else f"{message[:half]} … {message[-half:]}"
        super().__init__(cut)


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
    text = given[:LONGEST] if isinstance(given, str) else shown(given)
    names = [str(name)[:LONGEST] for name in known]
    compared = names if len(names) <= COMPARED else [name for name in names if name[:2] == text[:2]][:COMPARED]
    near = difflib.get_close_matches(text, compared, n=n, cutoff=0.5)
    listed = (near + [name for name in names[: 2 * n] if name not in near])[:n]
    more = f", … ({len(known):,} in all)" if len(known) > len(listed) else ""
    message = f"no {what} {shown(given)}; there is: {', '.join(listed) or 'none'}{more}"
    if not texts_of([given]).isdisjoint(texts_of(known)):  # the classic: '42' given where 42 is meant
        kinds = sorted({type(name).__name__ for name in known})
        message += f" (ids here are of type {', '.join(kinds)}; {shown(given)} is a {type(given).__name__})"
    return InputError(message)


def texts_of(names: Collection[Hashable]) -> set[str]:
    """Write ids as a file could have them: 42 and 42.0 both as "42", the latter as "42.0", too."""
    floats = [float(cast(float, name)) for name in names if isinstance(name, Real) and not isinstance(name, Integral)]
    integers = (int(name) for name in floats if name.is_integer())
    return {shown(name) if type(name) is int else str(name) for name in (*names, *integers)}


def is_missing(name: Hashable) -> bool:
    """Whether an id stands for a gap, or is a tuple with one: NaN, and what pandas calls NaT and NA."""
    if isinstance(name, tuple):
        return any(map(is_missing, name))
    try:
        return bool(name != name)
    except (TypeError, ValueError):  # NA: it is neither equal to itself nor different
        return True


def shown(value: object) -> str:
    """Write a value as part of a sentence: its repr in one line, cut if it is long."""
    try:
        return repr(value)[:LONGEST] if isinstance(value, str) else " ".join(repr(value).split())[:LONGEST]
    except ValueError:  # an integer of more than 4,300 digits
        return f"a {type(value).__name__} too long to show"


def name_of(thing: object) -> str:
    """Return the name of a layer in messages and tables: its repr in one line, or its class if it has no repr of its own."""
    if type(thing).__repr__ is not object.__repr__:
        try:
            return " ".join(repr(thing).split())
        except Exception:  # theirs; the message is about something else
            pass
    return f"{type(thing).__name__}()"


def check_methods(thing: object, kind: str, *methods: str) -> None:
    """Refuse a class where an object is expected, and an object without these methods: `kind` says what it should be."""
    if isinstance(thing, type):
        raise InputError(f"{thing.__name__} is a class; expected a {kind} of it, as in {thing.__name__}(…)")
    if not all(callable(getattr(thing, method, None)) for method in methods):
        raise InputError(f"{name_of(thing)} is not a {kind}: expected an object with the methods {' and '.join(methods)}")


def place_of(name: Hashable, places: Mapping[Hashable, int], what: str) -> int:
    """Find the index of an id, such as that of a user; refuse one that is unknown, or cannot be an id."""
    try:
        return places[name]
    except KeyError:
        raise unknown(what, name, places) from None
    except TypeError as error:
        raise InputError(f"{shown(name)} cannot be the id of a {what}: {error}") from None
