"""`acai gradcheck FILE.py:LAYER`: the gradient check of a layer, a loss or a function in somebody's own file."""

import inspect
import json
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from acai import gradcheck
from acai.errors import InputError, unknown
from acai.gradcheck import progress
from acai.gradcheck.report import Report


class FunctionOptions(TypedDict):
    """The options that layers and functions share."""

    between: tuple[float, float] | None
    axes: str | None
    seed: int


def check_own(
    layer: str, shape: str | None, *, target: str | None, between: tuple[float, float] | None, axes: str | None, seed: int
) -> Report:
    """Check what `layer` names: FILE.py:NAME, or FILE.py: and an expression of what is in the file."""
    stem, _, expression = layer.partition(".py:")
    path = Path(f"{stem}.py")
    if not expression:
        raise InputError(f"{layer!r}: expected a file and a class in it, as in my_layers.py:LeakyReLU")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    x_shape = None if shape is None else _shape(shape)
    sys.path.insert(0, str(path.resolve().parent))  # what stands beside it may be imported
    try:
        names = runpy.run_path(str(path.resolve()))
        if expression.isidentifier() and expression not in names:
            raise unknown("class", expression, [name for name, thing in names.items() if isinstance(thing, type)])
        thing = eval(expression, {"check_function": gradcheck.check_function} | names)  # theirs, written at their keyboard
        if isinstance(thing, Report):
            return thing
        if x_shape is None:
            raise InputError("--shape is missing: expected the shape of the layer's input, as in --shape 2,3,8,9")
        with progress.shown():
            return _checked(thing, x_shape, _target(target, x_shape), {"between": between, "axes": axes, "seed": seed})
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # a program that exits by itself has proven nothing
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.resolve()]
        where = f"{path}, line {lines[-1]}" if lines else str(path)
        raise InputError(f"{where}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))


def _checked(thing: object, shape: tuple[int, ...], target: np.ndarray | None, options: FunctionOptions) -> Report:
    if isinstance(thing, tuple) and len(thing) == 2 and all(map(inspect.isroutine, thing)):
        forward, backward = thing
        return gradcheck.check_function(forward, backward, shape, **options)
    if inspect.isroutine(thing):
        names = list(inspect.signature(thing).parameters)
        arrays: dict[str, Any] = {} if target is None or len(names) < 2 else {names[1]: target}
        return gradcheck.check_function(thing, None, shape, **options, **arrays)
    return gradcheck.check(thing() if isinstance(thing, type) else thing, shape, target, **options)


def _shape(given: str) -> tuple[int, ...]:
    lengths = [n.strip() for n in given.strip("(), ").split(",")]
    if not all(n.isdecimal() and int(n) > 0 for n in lengths):
        raise InputError(f"--shape {given}: expected integers of at least 1, as in 2,3,8,9")
    return tuple(map(int, lengths))


def _target(given: str | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """Read the target of a loss: a .npy file, or numbers; as many as x has take its shape."""
    if given is None:
        return None
    if given.endswith(".npy"):
        try:
            target: np.ndarray = np.load(given, allow_pickle=False)
            return target
        except ValueError as error:
            raise InputError(f"--target {given}: {error}") from None
    try:
        words = given.split(",")
        numbers = np.array([int(word) if word.strip().lstrip("+-").isdecimal() else float(word) for word in words])
    except ValueError:
        raise InputError(f"--target {given}: expected numbers, as in 0,2,1, or a file.npy") from None
    return numbers.reshape(shape).astype(float) if numbers.size == np.prod(shape) and len(shape) > 1 else numbers


def as_json(report: Report) -> str:
    """Write a report as JSON for other programs."""
    return json.dumps(report.as_dict(), indent=2, ensure_ascii=False)
