"""Functions instead of layers, in the styles of the well-known courses, made into a layer that the check knows how to treat."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from acai.errors import InputError
from acai.gradcheck.calling import call
from acai.gradcheck.check import check
from acai.gradcheck.points import stream
from acai.gradcheck.report import Report

Function = Callable[..., Any]
KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def check_function(  # noqa: PLR0913 - the options of `check`, and two functions
    forward: Function, backward: Function | None, x: np.ndarray | tuple[int, ...], *, method: str = "auto", seed: int = 0,
    between: tuple[float, float] | None = None, points: int | None = None, axes: str | None = None, **arrays: object,
) -> Report:
    """Check a pair of functions, `out, cache = forward(x, w, b, conf)` and `dx, dw, db = backward(dout, cache)`.

    Parameters
    ----------
    forward : callable
        Returns the output, or the output and a cache. Or, without a `backward`, the loss and its gradients: by x, or by x
        and the arrays in the order of its arguments, or a dictionary by name.
    backward : callable or None
        Called with dout and, if there is one, the cache; returns the gradients in the order of forward's arguments.
    x : ndarray or tuple of int
        The first argument of forward, or its shape: then x and the arrays are drawn.
    method, seed, between, points, axes
        As for `check`.
    **arrays : object
        The other arguments of forward, by name. Arrays of floats, or shapes of them, are checked; anything else (integers,
        labels, dictionaries of settings, flags) is passed on as it is.

    Returns
    -------
    Report
    """
    for what, function in (("forward", forward), ("backward", backward)):
        if not callable(function) and not (what == "backward" and function is None):
            raise InputError(f"{what}={function!r}; expected a function")
    names = list(arrays)
    try:
        in_order = [p.name for p in inspect.signature(forward).parameters.values() if p.kind in KINDS][1:]
        names = [name for name in in_order if name in arrays] + [name for name in names if name not in in_order]
    except (TypeError, ValueError):  # what is written in C may hide what it takes
        pass
    layer = FunctionLayer(forward, backward, {name: arrays[name] for name in names})
    if backward is None and layer.params:
        layer.keep_targets(x if isinstance(x, np.ndarray) else stream("x, tried", 0).normal(size=x))
    return check(layer, x, method=method, seed=seed, between=between, points=points, axes=axes)


def _hidden(settings: dict[str, object]) -> Callable[[], dict[str, object]]:
    """Put what is passed on as it is into a function, where nobody looks for parameters."""
    def passed_on() -> dict[str, object]:
        return settings

    return passed_on


class FunctionLayer:
    """Two functions as a layer; the arrays of floats are its parameters.

    Attributes
    ----------
    params, grads : dict of str to ndarray
    """

    def __init__(self, forward: Function, backward: Function | None, arguments: dict[str, object]) -> None:
        self.functions = forward, backward
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        settings: dict[str, object] = {}
        for name, value in arguments.items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                self.params[name] = value.copy()
            elif isinstance(value, tuple) and value and all(isinstance(n, int) and n > 0 for n in value):
                self.params[name] = stream(f"{name}, as it is", 0).normal(size=value)
            else:
                settings[name] = value
        self._settings = _hidden(settings)

    def keep_targets(self, x: np.ndarray) -> None:
        """Pass the arrays of a loss on as they are, if it gives one gradient only: with respect to x."""
        try:
            _, *gradients = self.functions[0](x, **self.params, **self._settings())
        except Exception:  # the check will say what is wrong
            return
        if len(gradients) == 1 and not isinstance(gradients[0], tuple | list | dict):
            self._settings = _hidden(self._settings() | self.params)
            self.params = {}

    def forward(self, x: np.ndarray) -> Any:
        """Return the output; store the cache, or the gradients of a loss."""
        answer = self.functions[0](x, **self.params, **self._settings())
        if self.functions[1] is None:
            if not isinstance(answer, tuple | list) or len(answer) < 2:
                raise InputError(f"{self!r} returns {type(answer).__name__}; expected the loss and its gradient, or give backward")
            answer, *self._answer = answer
        elif isinstance(answer, tuple | list) and len(answer) == 2:
            y, self._cache = answer
            return y
        self._cache = None
        return answer

    def backward(self, dout: np.ndarray) -> np.ndarray | None:
        """dx; the other gradients are put into `grads`."""
        function = self.functions[1]
        answer: Any
        if function is None:
            answer = self._answer[0] if len(self._answer) == 1 else self._answer
            factor = dout.flat[0]
        else:
            arguments = (dout,) if self._cache is None else (dout, self._cache)
            answer = call(getattr(function, "__name__", "backward"), function, *arguments)
            factor = 1.0
        if isinstance(answer, dict):
            given = {name: answer.get(name, answer.get(f"d{name}")) for name in self.params}
            dx = answer.get("x", answer.get("dx"))
        else:
            answer = list(answer) if isinstance(answer, tuple | list) else [answer]
            dx = answer[0] if answer else None
            given = dict(zip(self.params, answer[1:]))
        self.grads = {name: factor * np.asarray(dw) for name, dw in given.items() if dw is not None}
        return None if dx is None else factor * np.asarray(dx)

    def __repr__(self) -> str:
        """Show the name of forward."""
        return getattr(self.functions[0], "__name__", "forward")
