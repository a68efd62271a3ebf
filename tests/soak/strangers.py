"""Files that a stranger made: whole, with checksums that are right, and contents that are not. They are refused or harmless."""

import functools
import json
import zipfile
from pathlib import Path

import numpy as np

from acai.files import load_npz, save_npz

from . import damage, material
from .ledger import Driver, Fault
from .trial import attempt

NUMBERS = (-1, 0, 1, 2, 7, 127, 10**6, 2**31 - 1, 2**31, 2**40, 2**63 - 1, -(2**31), 1e-300, 1e300, -0.5, 3.7e38)
VALUES = (
    *NUMBERS, None, True, False, "", "x", "SGD", "Linear", "\x1b[31m", "9" * 50, (), (1, 2), {}, {"a": 1}, [[[[1]]]], "y" * 2000,
)
DTYPES = ("bool", "int8", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64")


def prepare(folder: Path) -> None:
    """Save small files of every kind."""
    damage.prepare(folder)
    for path in folder.glob("large*"):
        path.unlink()


@functools.cache
def stored(path: Path) -> tuple[str, dict[str, np.ndarray], dict[str, object]]:
    """The kind of a file, its arrays and its other contents."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("json.npy")
    kind = json.loads(text[text.index(b'{"') :])["kind"]
    found = load_npz(path, kind)
    return kind, found.arrays, found.values


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """A file with one or two things changed by somebody who knows the format; where it is accepted, it is used."""
    files = [path for path in damage.files(shared) if path.suffix in damage.LOADERS]
    path = files[n % len(files)]
    kind, arrays, values = stored(path)
    arrays, values = dict(arrays), dict(values)
    for _ in range(int(rng.integers(1, 3))):
        if arrays and rng.random() < 0.5:
            name = list(arrays)[int(rng.integers(len(arrays)))]
            changed = changed_array(arrays[name], rng)
            if changed is None:
                del arrays[name]
            else:
                arrays[name] = changed
        elif values:
            values = changed_value(values, rng)
    copy = room / path.name
    if attempt("save_npz", lambda: save_npz(copy, kind, **(arrays | values))).refused or not copy.exists():
        return []  # acai itself does not write such a file
    trial = attempt(path.name, lambda: damage.LOADERS[path.suffix](copy))
    if trial.succeeded:
        trial = attempt(f"{path.name}, in use", lambda: use(trial.value, path.suffix))
    return list(trial.faults)


def changed_array(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Another dtype, shape or number; None: no array at all."""
    kind = int(rng.integers(0, 8))
    with np.errstate(all="ignore"):
        if kind == 0:
            return None
        if kind == 1:
            return array.astype(DTYPES[int(rng.integers(len(DTYPES)))])
        if kind == 2:
            return array[: int(rng.integers(0, len(array) + 1))] if array.ndim else array
        if kind == 3:
            return np.concatenate([array, array]) if array.ndim else array
        if kind == 4:
            return array.T[..., None] if array.ndim != 2 else np.ascontiguousarray(array.T)
        changed = array.copy()
        if changed.size:
            number = NUMBERS[int(rng.integers(len(NUMBERS)))]
            at = int(rng.integers(changed.size))
            if changed.dtype.kind == "b":
                changed.flat[at] = not changed.flat[at]
                return changed
            info = np.iinfo(changed.dtype) if changed.dtype.kind in "iu" else np.finfo(changed.dtype)
            clipped = min(max(number, info.min), info.max)
            changed.flat[at] = int(clipped) if changed.dtype.kind in "iu" else clipped
        return changed


def changed_value(value: object, rng: np.random.Generator) -> object:
    """The same value with something in it replaced, removed or doubled."""
    odd = VALUES[int(rng.integers(len(VALUES)))]
    if isinstance(value, dict) and value:
        name = list(value)[int(rng.integers(len(value)))]
        if rng.random() < 0.1:
            return {other: inner for other, inner in value.items() if other != name}
        return value | {name: changed_value(value[name], rng)}
    if isinstance(value, tuple | list) and value and rng.random() < 0.8:
        place = int(rng.integers(len(value)))
        if rng.random() < 0.2:
            return [*value, value[place]]
        return [*value[:place], changed_value(value[place], rng), *value[place + 1 :]]
    return odd


def use(thing: object, suffix: str) -> None:
    """What people do with what they have loaded."""
    if suffix == ".ratings":
        list(thing.triplets())
        thing.csc.sum(axis=0)
        repr(thing)
        thing._repr_html_()
    if suffix == ".model":
        known = thing.ratings
        thing.predict(known.users[:5], known.songs[:5])
        for user in known.users[:2]:
            thing.recommend(user, n=3)
    if suffix == ".model" and hasattr(thing, "P"):
        thing.similar(known.songs[0], n=3)
        thing.fold_in({known.songs[0]: 3.0})
    if suffix == ".network":
        thing.predict(np.ones((2, 8, 1, 12), np.float32))
    if suffix == ".audio":
        thing.predict(material.spectrograms(2))


STRANGERS = Driver(
    "strangers", "well-formed files with contents that do not fit", "files", prepare, case, limit=10, memory=2**31, share=0.5,
)
