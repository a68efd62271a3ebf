"""What is checked: a layer, a network or a loss, as a function of named arrays. And a bench, on which one point is tried."""

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from acai.errors import InputError, name_of
from acai.gradcheck import calling
from acai.gradcheck.places import Place, cast_all, gradient_of, numbers, places
from acai.gradcheck.points import direction
from acai.gradcheck.randomness import States, draw_on

FAR = (0.4, 3.0, 30.0)  # how far an array is moved to see if y depends on it: a sum of |y − t| may not change by a small move
RESETS = ("zero_grad", "zero_grads", "zero_gradients", "reset_grads", "clear_grads")  # what gradients are added up between


@dataclass
class Pass:
    """What one `forward` and one `backward` left.

    Attributes
    ----------
    gradients : dict of str to (ndarray or None)
        By the name of the array; None where there is none.
    faults : dict of str to str
        What it did besides: arrays that it overwrote.
    """

    gradients: dict[str, np.ndarray | None]
    faults: dict[str, str] = field(default_factory=dict)


class Subject:
    """A layer, a network or a loss that has run once, so that everything its first `forward` creates exists.

    Attributes
    ----------
    params : dict of str to list of path
        The arrays that are checked besides x, and where they are.
    unchecked : dict of str to list of path
        Arrays on which `forward` depends, but for which `backward` computes no gradient.
    is_random, is_stateful : bool
        Whether `forward` draws random numbers; whether its result depends on earlier calls.
    """

    def __init__(self, layer: object, x: np.ndarray, target: np.ndarray | None = None) -> None:
        self.name, self.target = name_of(calling.checked_layer(layer, target is not None)), target
        self.layer, self.x = _copied(layer, self.name), x
        self._modes = calling.training_modes(layer)
        self.params: dict[str, list[tuple[str, ...]]] = {}
        self.unchecked: dict[str, list[tuple[str, ...]]] = {}
        self.is_random = self.is_stateful = self.varies = False
        self.states = States(self.layer)
        self.y = self.forward(self.layer, x)
        if self.y.dtype.kind == "c":
            raise InputError(f"{self.name}.forward returns {self.y.dtype}; expected an array of real numbers")
        self.is_random = self.states.have_moved()
        self.shared = self.states.shared_that_moved()
        self.has_dx = x.dtype.kind in "fc"
        self._find_params(x)
        self._try_twice(x)
        self._find_unchecked(x)
        fresh = _copied(layer, self.name)
        paths = {place.path for place in places(fresh)}
        if all(group[0] in paths for group in self.params.values()):
            self.layer = fresh  # as it was before its first `forward`, which may have kept something for ever

    @cached_property
    def wide(self) -> type | None:
        """float64 where all the layer's arrays can be made so, and it then says the same with more digits; or None."""
        if self.y.dtype == np.float64 and all(w.dtype == np.float64 for w in Bench(self, {"x": self.x}).arrays.values()):
            return None
        try:
            narrow, wide = Bench(self, {"x": self.x}).forward(), Bench(self, {"x": self.x}, np.float64).forward()
        except InputError:
            return None
        near = wide.shape == narrow.shape and np.allclose(narrow, wide, rtol=1e-3, atol=1e-3 * np.abs(wide).max(), equal_nan=True)
        return np.float64 if wide.dtype == np.float64 and near else None

    @property
    def is_loss(self) -> bool:
        """Whether `forward` is given a target."""
        return self.target is not None

    def forward(self, layer: Any, x: np.ndarray) -> np.ndarray:
        """Compute y with one copy of the layer."""
        given = (x,) if self.target is None else (x, copy.copy(self.target))  # a layer may keep what it is given
        y = calling.call(f"{self.name}.forward", layer.forward, *given, **self._modes)
        return calling.checked_output(f"{self.name}.forward", y).copy()  # it may be the layer's own, to be written again

    def _find_params(self, x: np.ndarray) -> None:
        by_id: dict[int, list[Place]] = {}
        for place in places(self.layer):
            by_id.setdefault(id(place.array), []).append(place)
        self._groups = [[place.path for place in group] for group in by_id.values()]
        for group in by_id.values():
            if group[0].is_declared and group[0].array.size:
                self._add(group[0].name, [place.path for place in group])

    def _add(self, name: str, paths: list[tuple[str, ...]]) -> None:
        if name in self.params or name == "x":
            name = ".".join(("self", *paths[0]))
        self.params[name] = paths

    def _try_twice(self, x: np.ndarray) -> None:
        """Find out whether `forward` gives the same twice, and what must be put back so that it does."""
        for stateful in (False, True):
            self.is_stateful = stateful
            bench = Bench(self, {"x": x})
            try:
                answers = [bench.forward() for _ in range(3)]
            except calling.CallFailed:
                if stateful:
                    raise
                continue
            if all(np.array_equal(y, answers[0], equal_nan=True) for y in answers):
                return
        self.varies = True

    def _find_unchecked(self, x: np.ndarray) -> None:
        """Add every array that `forward` depends on to those that are checked, or to those that cannot be."""
        declared = {path for paths in self.params.values() for path in paths}
        others = [paths for paths in self._groups if paths[0] not in declared]
        if not others or self.varies:
            return
        bench = Bench(self, {"x": x})
        found = {place.path: place for place in places(bench.layer)}
        base, influential = bench.forward(), []
        for paths in others:
            w = found[paths[0]].array
            if not w.size or w is bench.x or not w.flags.writeable:  # a view of something else
                continue
            if any(_differs(bench, w, direction(w, 0, j) * far, base) for j, far in enumerate(FAR)):
                influential.append((found[paths[0]].name, paths))
        declared_names = set(self.params)
        for name, paths in influential:
            self._add(name, paths)
        said = Bench(self, {"x": x}).backward(np.ones_like(self.y)).gradients if influential else {}
        for name in [name for name in self.params if name not in declared_names and said.get(name) is None]:
            self.unchecked[name] = self.params.pop(name)


class Bench:
    """A copy of a subject at one point: its arrays can be moved, and `forward` asked again.

    Parameters
    ----------
    values : dict of str to ndarray
        x, and the parameters that are not to be as they are.
    dtype : dtype, optional
        Of all arrays: wider than the layer's own, so that less is rounded, or complex.
    n_drawn : int
        How many random numbers have been drawn before: at another point, a random layer has another mask.
    """

    def __init__(self, subject: Subject, values: dict[str, np.ndarray], dtype: type | None = None, n_drawn: int = 0) -> None:
        if subject.is_random:
            subject.states.restore()
        self.subject, self.layer = subject, _copied(subject.layer, subject.name)
        found = places(self.layer)
        if dtype is not None:
            cast_all(self.layer, found, dtype)
        by_path = {place.path: place for place in found}
        self.x = values["x"].astype(dtype) if dtype and subject.has_dx else values["x"].copy(order="C")
        self.arrays = {"x": self.x} if subject.has_dx else {}
        for name, paths in subject.params.items():
            place = by_path[paths[0]]
            if not place.array.flags.writeable:
                place.put(place.array.copy())
            self.arrays[name] = place.array
            if name in values:
                self.arrays[name][...] = values[name]
        if subject.is_random:
            draw_on(self.layer, subject.shared, n_drawn)
        self._states = States(self.layer, subject.shared) if subject.is_random else None
        self._shape: tuple[int, ...] | None = None  # of y
        self._is_complex = dtype is complex

    def forward(self) -> np.ndarray:
        """Compute y at this point."""
        if self._states:
            self._states.restore()
        layer = copy.deepcopy(self.layer) if self.subject.is_stateful else self.layer
        y = self.subject.forward(layer, self.x.copy())
        self._shape = self._shape or y.shape
        if y.dtype.kind == "c" and not self._is_complex:
            raise calling.CallFailed(f"{self.subject.name}.forward returns {y.dtype}; expected an array of real numbers")
        if y.shape != self._shape:
            first = f"returns an array of shape {self._shape}, and then one of shape {y.shape}"
            raise calling.CallFailed(f"{self.subject.name}.forward {first}; expected one shape for one shape of x")
        return y

    def arrays_without_x(self) -> dict[str, np.ndarray]:
        """Return the parameters alone."""
        return {name: w for name, w in self.arrays.items() if name != "x"}

    def moved(self, name: str, at: tuple[int, ...], by: float | complex) -> np.ndarray:
        """Compute y with `by` added to one coordinate of an array, or to all of them where `at` is ()."""
        w = self.arrays[name]
        kept = w[at].copy()
        w[at] += by
        try:
            return self.forward()
        finally:
            w[at] = kept

    def along(self, name: str, direction: np.ndarray, by: float) -> np.ndarray:
        """Compute y with an array moved in some direction."""
        w = self.arrays[name]
        kept = w.copy()
        w += by * direction
        try:
            return self.forward()
        finally:
            w[...] = kept

    def backward(self, dy: np.ndarray, earlier: tuple[np.ndarray, np.ndarray] | None = None) -> Pass:
        """Compute the gradients at this point, with a copy: those of a second pass if an earlier (x, dy) is given."""
        if self._states:
            self._states.restore()
        layer = copy.deepcopy(self.layer)
        states = States(layer, self.subject.shared) if self.subject.is_random else None
        if earlier:
            self._pass(layer, *earlier)
            reset = next((name for name in RESETS if callable(getattr(layer, name, None))), None)
            if reset:
                calling.call(f"{self.subject.name}.{reset}", getattr(layer, reset))
            if states:
                states.restore()
        return self._pass(layer, self.x, dy)

    def _pass(self, layer: object, x: np.ndarray, dy: np.ndarray) -> Pass:
        subject, x_given, dy_given = self.subject, x.copy(), dy.copy()
        subject.forward(layer, x_given)
        before = {place.path: place.array.copy() for place in places(layer)}
        dx, factor = calling.backward(subject.name, layer, x_given, subject.target, dy_given)
        held = numbers(layer)
        faults = {
            name: f"it overwrites the {name} that it is given"
            for name, given, kept in (("x", x_given, x), ("dy", dy_given, dy)) if not np.array_equal(given, kept, equal_nan=True)
        }
        for name, paths in (subject.params | subject.unchecked).items():
            if paths[0] in held and not np.array_equal(held[paths[0]], before[paths[0]], equal_nan=True):
                faults[name] = f"backward changes {name}: it should leave the parameters to the optimizer"
        return Pass(self._gradients(dx, held, factor), faults)

    def _gradients(self, dx: object, held: dict[tuple[str, ...], Any], factor: float) -> dict[str, np.ndarray | None]:
        """Every gradient by the name of its array: from what backward returned, and from what it left in the layer."""
        subject = self.subject
        dx, others = (dx[0], list(dx[1:])) if isinstance(dx, tuple | list) and len(dx) else (dx, [])
        gradients: dict[str, object] = {"x": dx} if subject.has_dx else {}
        for name, paths in subject.params.items():
            path = gradient_of(paths, held)
            gradients[name] = None if path is None else held[path]
        missing = [name for name in subject.params if gradients[name] is None]
        if len(others) == len(missing):  # returned in the order of the parameters
            gradients |= dict(zip(missing, others))
        return {name: None if dw is None else _number_array(subject.name, name, dw) * factor for name, dw in gradients.items()}


def _differs(bench: Bench, w: np.ndarray, move: np.ndarray, base: np.ndarray) -> bool:
    """Whether moving w, an array that the layer holds, changes y."""
    kept = w.copy()
    w += move.astype(w.dtype)
    try:
        y = bench.forward()
    except calling.CallFailed:
        return True
    finally:
        w[...] = kept
    return y.shape != base.shape or not np.array_equal(y, base, equal_nan=True)


def _number_array(layer: str, name: str, dw: object) -> np.ndarray:
    try:
        array = np.array(dw)
    except Exception:
        array = np.array(None)
    if array.dtype.kind not in "fciub":
        what = "x" if name == "x" else name
        raise InputError(f"{layer}.backward: the gradient of {what} is {type(dw).__name__}; expected an array of numbers")
    return array if array.dtype.kind in "fc" else array.astype(float)


def _copied(layer: object, name: str) -> object:
    try:
        copied = copy.deepcopy(layer)
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{name} cannot be copied ({why}); the check works on copies") from error
    if not isinstance(copied, type(layer)):
        raise InputError(f"{name} cannot be copied (deepcopy gives {type(copied).__name__}); the check works on copies")
    return copied
