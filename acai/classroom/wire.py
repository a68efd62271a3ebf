"""What crosses between the teacher's process and that of a submission: JSON with arrays in it, never code, never pickles."""

import base64
import json
import struct
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, Literal

import numpy as np

from acai.files import Contents
from acai.ratings import Ratings

LARGEST = 256 * 2**20  # bytes of one message
PLAIN = "biufcUSMm"  # kinds of arrays whose bytes are all there is to them: numbers, text, dates


class BadMessage(Exception):
    """What arrived is no message: too long, cut off, or not what was agreed on."""


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message: its length, then itself."""
    text = json.dumps(message).encode()
    stream.write(struct.pack("<Q", len(text)) + text)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Read the next message; None if there is none."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    (length,) = struct.unpack("<Q", head)
    if length > LARGEST:
        raise BadMessage(f"it has {length:,} bytes")
    text = stream.read(length)
    if len(text) < length:
        raise BadMessage("it is cut off")
    return parse(text)


def parse(text: bytes) -> dict[str, Any]:
    """Read one message from its bytes."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("it is not JSON") from None
    if not isinstance(message, dict):
        raise BadMessage("it is not an object")
    return message


def encode(value: Any, other: Callable[[Any], Any], seen: dict[int, int] | None = None) -> Any:
    """Turn a value into JSON.

    Parameters
    ----------
    value : object
        Numbers, text, arrays, ratings, None, Ellipsis, and lists, tuples, sets and dictionaries of these.
    other : callable
        Makes JSON of everything else.
    seen : dict of int to int, optional
        The arrays that are in the message already: an array under two names stays one array.
    """
    seen = {} if seen is None else seen
    if value is None or isinstance(value, bool | str):
        return value
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, np.generic | np.ndarray | int | float | complex):
        return _number_or_array(value, other, seen)
    kind = type(value)
    if kind in (list, tuple, set):
        return {kind.__name__: [encode(part, other, seen) for part in value]}
    if kind is dict:
        return {"dict": [[encode(part, other, seen) for part in pair] for pair in value.items()]}
    if kind is Ratings:
        return {"ratings": encode(value.parts(), other, seen)}
    return other(value)


def _number_or_array(value: Any, other: Callable[[Any], Any], seen: dict[int, int]) -> Any:
    array = np.asarray(value)
    if type(value) is int and array.dtype.kind not in PLAIN:
        return {"integer": hex(value)}  # of more than 64 bits
    if array.dtype.kind not in PLAIN or isinstance(value, np.ma.MaskedArray):
        return other(value)
    if isinstance(value, np.ndarray):
        if id(value) in seen:
            return {"same": seen[id(value)]}
        seen[id(value)] = len(seen)
        return _array(array, "array")
    return _array(array, "scalar" if isinstance(value, np.generic) else "number")


def _array(value: np.ndarray, kind: str) -> dict[str, Any]:
    order: Literal["C", "F"] = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    return {kind: [value.dtype.str, list(value.shape), order, base64.b64encode(value.tobytes(order)).decode()]}


def decode(value: Any, other: Callable[[dict[str, Any]], Any], seen: list[np.ndarray] | None = None) -> Any:
    """Turn JSON back into a value; `other` makes one of what `encode`'s `other` wrote. Whatever does not fit is a BadMessage."""
    seen = [] if seen is None else seen
    try:
        return _decoded(value, other, seen)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        raise BadMessage(f"a value in it is none ({type(error).__name__})") from None


def _decoded(value: Any, other: Callable[[dict[str, Any]], Any], seen: list[np.ndarray]) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    ((kind, inside),) = value.items()
    if kind in ("number", "scalar", "array"):
        return _decoded_array(kind, inside, seen)
    if kind in SEQUENCES:
        return SEQUENCES[kind](_decoded(part, other, seen) for part in inside)
    if kind == "dict":
        return {_decoded(key, other, seen): _decoded(part, other, seen) for key, part in inside}
    if kind == "ratings":
        parts = _decoded(inside, other, seen)
        arrays = {name: part for name, part in parts.items() if isinstance(part, np.ndarray)}
        values = {name: part for name, part in parts.items() if name not in arrays}
        return Ratings.from_contents(Contents("a message", "ratings", arrays, values))
    if kind == "same":
        return seen[int(inside)]
    if kind == "integer":
        return int(inside, 16)
    return Ellipsis if kind == "ellipsis" else other(value)


SEQUENCES: dict[str, Callable[[Iterable[Any]], Any]] = {"list": list, "tuple": tuple, "set": set}


def _decoded_array(kind: str, inside: Any, seen: list[np.ndarray]) -> Any:
    dtype, shape, order, data = inside
    found = np.dtype(dtype)
    if found.kind not in PLAIN or found.hasobject:
        raise ValueError(dtype)
    array = np.frombuffer(base64.b64decode(data, validate=True), found).reshape(shape, order=order).copy(order="K")
    if kind == "array":
        seen.append(array)
        return array
    scalar = array[()]
    return scalar.item() if kind == "number" else scalar
