"""Ids of users and songs: written to files as JSON."""

import json
from collections.abc import Hashable, Sequence

import numpy as np

from acai.errors import InputError


def packed(ids: Sequence[Hashable]) -> np.ndarray:
    """Ids (text, numbers, None, and tuples of these) as JSON in an array of bytes: `.npz` without pickle."""
    text = json.dumps(ids, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)


def unpacked(array: np.ndarray) -> tuple[Hashable, ...]:
    """The ids that `packed` wrote."""
    return _tuples(json.loads(array.astype(np.uint8, casting="safe").tobytes().decode("utf-8", "surrogatepass")))


def _plain(name: object) -> object:
    if isinstance(name, np.generic):
        return name.item()
    raise InputError(f"the id {name!r} is a {type(name).__name__}; only text, numbers and tuples of them can be saved")


def _tuples(ids: object) -> object:
    return tuple(_tuples(name) for name in ids) if isinstance(ids, list) else ids
