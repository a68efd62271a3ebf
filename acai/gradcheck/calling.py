"""How the methods of a layer are called: which arguments they ask for, and what their answers must look like."""

import inspect
import math
import traceback
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from acai.errors import InputError, check_methods, name_of

TARGETS = ("target", "targets", "t", "y_true", "label", "labels", "y", "truth", "true")
TRAINING = ("train", "training", "is_training", "is_train", "train_mode", "train_flag", "train_flg")
RATES = ("lr", "learning_rate", "learningrate", "eta", "alpha", "rate", "step_size")
INPUTS = ("x", "inputs", "input", "input_data", "y_pred", "pred", "prediction", "predictions", "scores")
MOST_COORDINATES = 2**27


class CallFailed(InputError):
    """The code that is checked raised an error of its own."""


def checked_layer(layer: Any, is_loss: bool) -> object:
    """`layer`, once it is known to be an object with `forward` and `backward` that take what a layer or a loss is given."""
    check_methods(layer, "layer", "forward", "backward")
    required = _required(layer.forward)
    if required is not None:
        modes = [name for name in required[1:] if name.lower() in TRAINING]
        try:
            inspect.signature(layer.forward).bind(*["x", "target"][: 1 + is_loss], **dict.fromkeys(modes))
        except TypeError as wrong:
            expected = "a layer has forward(x); a loss has forward(y, target), and must be given its target"
            raise InputError(f"{name_of(layer)}.forward: {wrong}; {expected}") from None
    declared = getattr(layer, "params", {})
    for key, w in declared.items() if isinstance(declared, dict) else ():
        if not (isinstance(w, np.ndarray) and w.dtype.kind == "f") and not hasattr(w, "grad") and not isinstance(w, dict | list):
            what = f"{name_of(layer)}: params[{key!r}] is {' '.join(repr(w).split())[:80]}"
            raise InputError(f"{what}; expected an array of floats, which can learn in place, as in np.array([0.25])")
    return layer


def _required(method: Callable[..., object]) -> list[str] | None:
    """List the positional arguments without a default; None where this cannot be known."""
    if not hasattr(method, "__code__") and not hasattr(getattr(method, "__func__", None), "__code__"):
        return None  # what is written in C may hide what it takes
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in _positional(method) if p.default is p.empty and p.kind in kinds]


def call(name: str, method: Callable[..., object], *arguments: object, **named: object) -> object:
    """Call a method; turn whatever it raises into one sentence that says where."""
    try:
        return method(*arguments, **named)
    except (KeyboardInterrupt, MemoryError):
        raise
    except CallFailed:
        raise
    except (Exception, SystemExit, GeneratorExit) as error:  # a layer that ends the program proves nothing
        frames = traceback.extract_tb(error.__traceback__)[1:2]  # after this one, the method itself
        where = f"{Path(frames[0].filename).name}, line {frames[0].lineno}: " if frames and frames[0].lineno else ""
        raise CallFailed(f"{where}{name} raises {type(error).__name__}: {' '.join(str(error).split())}") from error


def training_modes(layer: Any) -> dict[str, bool]:
    """Find the required arguments of `forward` that say whether it is called in training."""
    return {mode: True for mode in (_required(layer.forward) or [])[1:] if mode.lower() in TRAINING}


def checked_output(what: str, y: object) -> np.ndarray:
    """`y` as an array of at least one dimension, once it is known to consist of floats."""
    if type(y) is np.ndarray and y.ndim and y.size and y.dtype.kind == "f":  # as it nearly always is
        return y
    if isinstance(y, float | complex | np.floating | np.complexfloating) or (isinstance(y, np.ndarray) and y.shape == ()):
        y = np.reshape(np.asarray(y), (1,))
    if isinstance(y, np.ma.MaskedArray):
        raise InputError(f"{what} returns a masked array; expected a plain one")
    if isinstance(y, np.ndarray):
        y = np.asarray(y)  # a matrix, whose * is another
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "fc":
        raise InputError(f"{what} returns {getattr(y, 'dtype', type(y).__name__)}; expected an array of floats")
    if y.size == 0:
        raise InputError(f"{what} returns an array of shape {y.shape}: there is nothing to differentiate")
    return y


def backward(name: str, layer: Any, x: np.ndarray, target: object, dy: np.ndarray) -> tuple[object, float]:
    """Call `backward`; return its result, and the factor to apply if it took no dy."""
    required = _required(layer.backward)
    if required is None:
        return call(f"{name}.backward", layer.backward, *(() if target is not None else (dy,))), 1.0
    upstream = dy if target is None else 1.0
    given: list[object] = []
    used, factor = False, 1.0
    has_other = any(argument.lower().strip("_") not in (*INPUTS, *RATES) for argument in required)
    for argument in required:
        word = argument.lower().strip("_")
        if word in RATES:
            given.append(1.0)
        elif target is not None and word in TARGETS and given:
            given.append(target)
        elif word in INPUTS and (target is not None or has_other):
            given.append(x)
        elif not used:
            given.append(upstream)
            used = True
        else:
            raise InputError(f"{name}.backward asks for {argument}; expected backward(dy)")
    takes_any = any(p.kind is p.VAR_POSITIONAL or p.default is not p.empty for p in _positional(layer.backward))
    if not used and target is None and takes_any:
        given, used = [dy], True
    if target is not None or not used:
        if dy.size > 1 and target is None:
            raise InputError(f"{name}.backward takes no dy; expected backward(dy), or one number as the output of forward")
        factor = dy.flat[0]
    return call(f"{name}.backward", layer.backward, *given), factor


def _positional(method: Callable[..., object]) -> list[inspect.Parameter]:
    """List the parameters that are given by position; those of a bound method are those of its function but the first."""
    if inspect.ismethod(method) and inspect.isfunction(method.__func__):
        parameters = _positional_of(method.__func__)
        takes_self = bool(parameters) and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL
        return parameters[takes_self:]
    return _positional_of(method)


@lru_cache(maxsize=64)
def _positional_of(function: Callable[..., object]) -> list[inspect.Parameter]:
    """Every copy of a layer has the same functions, and their signatures take long to read."""
    return [p for p in inspect.signature(function).parameters.values() if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]


def checked_shape(shape: object) -> tuple[int, ...]:
    """Check the shape of an input that is to be drawn."""
    if not isinstance(shape, tuple | list) or not all(isinstance(n, int | np.integer) and n > 0 for n in shape) or not shape:
        what = f"x={' '.join(repr(shape).split())[:80]}, which is neither an array nor the shape of one to draw"
        raise InputError(f"{what}: expected integers of at least 1, as in 2,3,8,9")
    if math.prod(map(int, shape)) > MOST_COORDINATES:
        raise InputError(f"x={shape} has {math.prod(map(int, shape)):,} coordinates, which are moved one by one; expected fewer")
    return tuple(map(int, shape))


def checked_array(what: str, x: np.ndarray) -> np.ndarray:
    """Return an array that was given as a plain one; refuse it if it is masked."""
    if isinstance(x, np.ma.MaskedArray):
        raise InputError(f"{what} is a masked array; expected a plain one")
    return np.asarray(x)
