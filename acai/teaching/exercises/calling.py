"""Call a student's function, and report what it raises, prints, changes, or forgets to return."""

import copy
import dis
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from acai.teaching.exercises.errors import explained
from acai.teaching.exercises.wrong import Wrong

# the beginnings of the names of instructions
DOES_NOTHING = ("RESUME", "NOP", "LOAD_CONST", "LOAD_FAST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT", "RETURN_")


def call(function: object, *arguments: object, parts: str = "") -> Any:
    """Call a student's function, which must not change its arguments, and return its result.

    With `parts`, such as "dx, dW", the function must return that many values.
    """
    if not callable(function):
        raise Wrong("no-function", kind=type(function).__name__)
    given = copy.deepcopy(arguments)
    with answering(), printing() as has_printed:
        value = function(*given)
    is_several = isinstance(value, tuple | list)
    _expect_something(value if is_several else [value], function, has_printed())
    for number, (before, after) in enumerate(zip(arguments, given), 1):
        if isinstance(before, np.ndarray) and not np.array_equal(before, np.asarray(after), equal_nan=True):
            raise Wrong("in-place", number=number)
    n = len(parts.split(","))
    if parts and not (is_several and len(value) == n):
        raise Wrong("parts", got=type_in_words(value), n=n, parts=parts)
    return value


def _expect_something(values: Sequence[object], function: object, has_printed: bool) -> None:
    """Raise Wrong if one of the values is None, or is a blank that is still open."""
    empty = [k for k, part in enumerate(values, 1) if part is None or part is Ellipsis]
    if not empty:
        return
    is_open = is_blank(function) or any(part is Ellipsis for part in values)
    if len(empty) == len(values) or is_open:
        raise Wrong("printed" if has_printed else "nothing-yet" if is_open else "no-return")
    raise Wrong("none-in-it", number=empty[0], n=len(values))


@contextmanager
def answering() -> Iterator[None]:
    """Report what a student's code raises in this block as what is wrong with it."""
    try:
        yield
    except Wrong:
        raise
    except Exception as error:
        raise explained(error, is_theirs=True) from error


@contextmanager
def printing() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether something has been printed in this block."""
    before = sys.stdout
    noticed = NoticedStream(before)
    sys.stdout = noticed
    try:
        yield lambda: noticed.was_used
    finally:
        sys.stdout = before


class NoticedStream(io.TextIOBase):
    """A stream that passes on what is written to it, and remembers that something was."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.was_used = False

    def write(self, text: str) -> int:
        """Pass on the text."""
        self.was_used = True
        return len(text) if self.stream is None else self.stream.write(text)

    def flush(self) -> None:
        """Pass on what waits."""
        if self.stream is not None:
            self.stream.flush()


def is_blank(function: object) -> bool:
    """Whether a function is still the stub of the notebook: nothing in it does anything."""
    if hasattr(function, "is_blank"):
        return bool(function.is_blank)  # of a submission that is graded: it runs in another process
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and all(step.opname.startswith(DOES_NOTHING) for step in dis.get_instructions(code))


def call_for_number(function: object, *arguments: object) -> float:
    """Call a student's function that must return one number."""
    got = numbers(call(function, *arguments))
    if got.size != 1:
        raise Wrong("kind", got=shape_in_words(got.shape), expected=shape_in_words(()))
    return float(got.reshape(()))


def numbers(value: object, shape: tuple[int, ...] = ()) -> np.ndarray:
    """Convert what a student's function returned to an array of floats; of which shape it should be, is only for the message."""
    try:
        given = np.asarray(value)
        if given.dtype.kind == "c" and given.imag.any():
            raise Wrong("complex")
        return np.asarray(given.real if given.dtype.kind == "c" else value, dtype=float)  # as eig gives them from NumPy 2.5 on
    except (TypeError, ValueError, OverflowError):
        raise Wrong("kind", got=type_in_words(value), expected=shape_in_words(shape)) from None


def type_in_words(value: object) -> Wrong:
    """Name the type of a value: "a float", "an int"."""
    name = type(value).__name__
    return Wrong("type-with-vowel" if name[0] in "aeiou" else "type", kind=name)


def shape_in_words(shape: tuple[int, ...]) -> Wrong:
    """Name what has this shape: "an array of shape (9,)", "a single number"."""
    return Wrong("array-of-shape", shape=shape) if shape else Wrong("single-number")
