"""Where a layer keeps its arrays and its random generators: in attributes, dictionaries, lists, and the layers inside it."""

import inspect
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from acai.errors import InputError

DECLARED = {"params", "param", "parameters", "_params", "_parameters"}  # what people call the container of what is learnt
CONTAINERS = DECLARED | {"layers", "_layers", "modules", "value", "data"}  # they add nothing to a name
GRADIENTS = {"grads", "grad", "gradients", "gradient", "_grads", "dparams"}
TEMPLATES = (
    "{}", "d{}", "grad{}", "{}grad", "g{}", "dl{}", "dld{}", "dlossd{}", "dloss{}", "dj{}", "djd{}", "de{}", "ded{}",
    "gradient{}", "{}gradient", "grads{}", "{}grads", "delta{}", "dcost{}", "gradients{}", "{}gradients",
)

LEAVES = np.ndarray | np.generic | int | float | complex | np.random.Generator | np.random.RandomState | np.dtype
Path = tuple[str, ...]
Generator = np.random.Generator | np.random.RandomState | random.Random


@dataclass(frozen=True)
class Place:
    """Where one array is: `holder.key` for an object, `holder[key]` for a dictionary or a list.

    Attributes
    ----------
    path : tuple of str
        How one gets there from the layer: ("params", "W") or ("layers", "0", "W").
    """

    path: Path
    holder: Any  # anyone's object
    key: Any

    @property
    def array(self) -> np.ndarray:
        """The array that is there now."""
        is_container = isinstance(self.holder, dict | list)
        array: np.ndarray = self.holder[self.key] if is_container else getattr(self.holder, self.key)
        return array

    def put(self, array: np.ndarray) -> None:
        """Put another array there."""
        if isinstance(self.holder, dict | list):
            self.holder[self.key] = array
        else:
            setattr(self.holder, self.key, array)

    @property
    def name(self) -> str:
        """Its path without the words that say nothing: "W", "0.W"."""
        telling = [part for part in self.path if part not in CONTAINERS]
        return ".".join(telling or self.path)

    @property
    def is_declared(self) -> bool:
        """Whether the layer says itself that this is a parameter: it is in `params`, or in an object with a `grad`."""
        has_grad = self.path[-1] in ("value", "data", "val") and hasattr(self.holder, "grad")
        return has_grad or any(part in DECLARED for part in self.path)


def _children(thing: object) -> Iterator[tuple[str | int, object]]:
    """List what is directly inside a dictionary, a list or an object."""
    if isinstance(thing, dict):
        yield from thing.items()
    elif isinstance(thing, list | tuple):
        yield from enumerate(thing)
    elif not isinstance(thing, type) and not callable(getattr(thing, "__get__", None)) and not inspect.ismodule(thing):
        yield from list(getattr(thing, "__dict__", {}).items())
        for slot in getattr(type(thing), "__slots__", ()):
            if isinstance(slot, str) and hasattr(thing, slot):
                yield slot, getattr(thing, slot)


def _walk(thing: object, path: Path, seen: dict[int, object]) -> Iterator[tuple[Path, object, str | int, object]]:
    """Everything that can be reached: its path, what holds it, its key there, and itself."""
    if id(thing) in seen or len(path) > 8:
        return
    seen[id(thing)] = thing
    for key, value in _children(thing):
        if isinstance(value, str | bytes | bool | type(None) | type):
            continue
        here = (*path, str(key))
        yield here, thing, key, value
        if not isinstance(value, LEAVES):
            yield from _walk(value, here, seen)


def places(layer: object) -> list[Place]:
    """Every array of floats that a layer holds, those that it calls parameters first."""
    found = [
        Place(path, holder, key) for path, holder, key, value in _walk(layer, (), {})
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not isinstance(holder, tuple)
    ]
    for place in found:
        if isinstance(place.array, np.ma.MaskedArray):
            where = ".".join(map(str, place.path))
            raise InputError(f"{where} is a masked array; expected a plain one: the check moves every number in it")
    return sorted(found, key=lambda place: not place.is_declared)


def numbers(layer: object) -> dict[Path, np.ndarray | np.generic | float]:
    """Every array and every number that a layer holds, by its path: one of them may be a gradient."""
    found = ((path, value) for path, _, _, value in _walk(layer, (), {}))
    return {path: value for path, value in found if isinstance(value, np.ndarray | np.generic | int | float)}


def generators(layer: object) -> list[Generator]:
    """Every random generator that a layer holds, or that its methods name as a global of their module."""
    found: list[Generator] = []
    parts: list[object] = [layer]
    for _, _, _, value in _walk(layer, (), {}):
        if isinstance(value, Generator):
            found.append(value)
        else:
            parts.append(value)
    for kind in {kind for part in parts for kind in type(part).__mro__ if kind.__module__ not in ("builtins", "numpy")}:
        parts += vars(kind).values()
    for part in parts:
        code = getattr(part, "__code__", None)
        for name in code.co_names if code else ():
            value = getattr(part, "__globals__", {}).get(name)
            if isinstance(value, Generator):
                found.append(value)
    return list({id(generator): generator for generator in found}.values())


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _gradient_paths(path: Path) -> Iterator[Path]:
    """Where people keep the gradient of what they keep at `path`, in plain letters: grads["W"], dW, grad_W, W.grad."""
    plain = tuple(map(_plain, path))
    *parents, last = plain
    names = [template.format(last) for template in TEMPLATES]
    for i, part in enumerate(path[:-1]):
        if part in DECLARED:
            for word in GRADIENTS:
                yield from ((*plain[:i], _plain(word), *plain[i + 1 : -1], name) for name in names)
    if last in ("value", "data", "val"):
        yield from ((*parents, word) for word in ("grad", "gradient", "g"))
    yield from ((*parents, name) for name in names[1:])
    for word in GRADIENTS:
        yield from ((*parents, _plain(word), name) for name in names)


def gradient_of(paths: list[Path], held: dict[Path, Any]) -> Path | None:
    """Where the gradient of an array is among all the arrays that a layer holds, given every path to that array.

    Parameters
    ----------
    paths : list of tuple of str
        The paths that lead to the array itself.
    held : dict of path to ndarray
        All the arrays there are after `backward`.
    """
    by_plain = {tuple(map(_plain, path)): path for path in reversed(held)}
    for path in paths:
        for candidate in _gradient_paths(path):
            found = by_plain.get(candidate)
            if found is not None and found not in paths:
                return found
    return None


def cast_all(layer: Any, found: list[Place], dtype: type) -> None:
    """Give every array of a layer another dtype; two names of one array stay two names of one."""
    made: dict[int, np.ndarray] = {}
    for place in found:
        old = place.array
        if old.dtype != dtype:
            try:
                place.put(made.setdefault(id(old), old.astype(dtype)))
            except (AttributeError, TypeError):  # what cannot be set stays as it is
                continue
    if getattr(layer, "dtype", None) in (np.float32, np.float16, "float32", "float16"):
        layer.dtype = np.dtype(dtype).type

