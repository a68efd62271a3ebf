"""Ids of users and songs: anything hashable, numbered in order of appearance, and written to files as JSON."""

import json
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from acai.errors import InputError


def intern(ids: Iterable[Hashable]) -> tuple[np.ndarray, list[Hashable]]:
    """Number the ids in order of appearance: the codes (int32), and the ids in the order of their numbers."""
    ids = ids.tolist() if hasattr(ids, "tolist") else list(ids)  # NumPy's scalars become plain Python ones
    numbers: dict[Hashable, int] = {}
    try:
        codes = np.fromiter((numbers.setdefault(name, len(numbers)) for name in ids), dtype=np.int32, count=len(ids))
    except TypeError:
        for name in ids:
            try:
                hash(name)
            except TypeError:
                raise InputError(
                    f"{name!r} cannot be an id: it is a {type(name).__name__}, which is not hashable"
                ) from None
        raise
    return codes, list(numbers)


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
