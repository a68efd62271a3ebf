"""What a model has learnt: the arrays and numbers that `fit` makes and a file stores."""

import dataclasses
import math
from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.errors import InputError
from acai.files import Contents

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Learnt(NamedTuple):
    """A learnt array, as `_learn` makes it and a file stores it: its axes and the types it may have.

    An axis is "m" (users), "n" (songs), "n + 1", "k" (`n_factors`), or any other word, which stands for one length.
    """

    axes: tuple[str, ...]
    dtypes: tuple[str, ...] = ("float32", "float64")


State = Mapping[str, Learnt | type[float] | type[list[float]]]


def expect_finite(model: "DataclassInstance", state: State, r: NDArray[np.float32]) -> None:
    """Raise an error if anything that a model learnt from the values r is infinite or NaN."""
    for name in state:
        if not np.isfinite(getattr(model, name)).all():
            settings = [f"{f.name}={getattr(model, f.name)!r}" for f in dataclasses.fields(model) if f.type is float]
            raise InputError(
                f"{type(model).__name__} learnt a {name} that is not finite, from values of {r.min():g} to {r.max():g}; "
                f"try more moderate settings (now {', '.join(settings)}) or rescale the values with ratings.map"
            )


def read_learnt(contents: Contents, state: State, axis_lengths: Mapping[str, int]) -> dict[str, object]:
    """Read what `state` names from a file, checked to fit the lengths of the axes, as far as they are known."""
    lengths = dict(axis_lengths)
    found: dict[str, object] = {}
    for name, learnt in state.items():
        if isinstance(learnt, Learnt):
            array = contents.array(name, tuple(lengths.get(axis) for axis in learnt.axes), learnt.dtypes)
            lengths.update(zip(learnt.axes, array.shape))
            found[name] = array
        elif learnt is float:
            number = float(contents.value(name, Real))  # type: ignore[type-abstract]
            if not math.isfinite(number):
                raise contents.fault(f"{name} is {number}; expected a finite number")
            found[name] = number
        else:
            found[name] = list(contents.sequence(name, Real))  # type: ignore[type-abstract]
    return found
