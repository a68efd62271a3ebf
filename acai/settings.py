"""Settings: dataclass fields that know their limits. They are checked when an object is created, and again before it is used."""

import dataclasses
import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Integral, Real
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from acai.errors import InputError, shown, unknown

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
EXPECTED = {int: "an integer", float: "a finite number", bool: "True or False", str: "a name"}
LARGEST = 2**63 - 1  # the largest integer that NumPy and Numba can represent


@dataclass(frozen=True)
class Limits:
    """The range of a setting; None means no limit."""

    at_least: float | None = None
    more_than: float | None = None
    at_most: float | None = None
    less_than: float | None = None
    choices: Collection[str] | None = None
    other_than: int | None = None

    def allow(self, value: Any) -> bool:
        """Whether a value of the right type is in range."""
        return bool(
            (self.at_least is None or value >= self.at_least)
            and (self.more_than is None or value > self.more_than)
            and (self.at_most is None or value <= self.at_most)
            and (self.less_than is None or value < self.less_than)
            and (self.other_than is None or value != self.other_than)
        )

    def __str__(self) -> str:
        """Write the limits as the end of a sentence: ", at least 1"."""
        bounds = (
            ("at least", self.at_least), ("more than", self.more_than), ("at most", self.at_most),
            ("less than", self.less_than), ("but not", self.other_than),
        )
        return "".join(f", {words} {bound}" for words, bound in bounds if bound not in (None, LARGEST))


JOBS = Limits(at_least=-1, at_most=1024, other_than=0)  # tasks at a time; −1 is as many as there are cores
# types of a command's options: `acai.cli` checks their limits
Count = Annotated[int, Limits(at_least=1)]
Folds = Annotated[int, Limits(at_least=2)]
Seed = Annotated[int, Limits(at_least=0)]
Jobs = Annotated[int, JOBS]


def setting(
    default: T, *, at_least: float | None = None, more_than: float | None = None, at_most: float | None = None,
    less_than: float | None = None, choices: Collection[str] | None = None,
) -> T:
    """Make a dataclass field with limits: `n_factors: int = setting(10, at_least=1)`; its annotation gives the type.

    The annotation is int, float (which must be finite), bool, str (one of `choices`) or a class, perhaps `| None`. The
    class calls `check_settings(self)` from `__post_init__`.
    """
    limits = Limits(at_least, more_than, at_most, less_than, choices)
    return dataclasses.field(default=default, metadata={"limits": limits})


def check_settings(owner: "DataclassInstance") -> None:
    """Refuse settings of a wrong type or size with an InputError; convert NumPy's numbers to Python's."""
    for field in dataclasses.fields(owner):
        if "limits" in field.metadata:
            value = checked(field.name, getattr(owner, field.name), field.type, field.metadata["limits"])
            object.__setattr__(owner, field.name, value)  # of a frozen dataclass, too


def current_settings(owner: "DataclassInstance") -> dict[str, object]:
    """Take down all settings of an object, to find out later whether they were changed."""
    return {field.name: getattr(owner, field.name) for field in dataclasses.fields(owner) if field.init}


def changed_settings(owner: "DataclassInstance", when_fitted: dict[str, object]) -> list[str]:
    """Say which settings are not what they were when the object was fitted: "n_factors was 100 and is 200"."""
    import numpy as np  # only here and in `_plain`: `acai --help` takes a tenth of a second less without

    return [
        f"{name} was {shown(then)} and is {shown(now)}"
        for name, now in current_settings(owner).items()
        if now is not (then := when_fitted[name]) and (name == "init" or np.any(now != then))
    ]


def expect_settings(owner: "DataclassInstance", when_fitted: dict[str, object]) -> None:
    """Raise an error if settings were changed since the object was fitted: what it has learnt does not belong to them."""
    changed = changed_settings(owner, when_fitted)
    if changed:
        raise InputError(f"{' and '.join(changed)} since this {type(owner).__name__} was fitted; call fit again")


def checked(name: str, value: object, annotation: Any = int, limits: Limits = Limits(at_least=1)) -> Any:
    """Convert `value` to the annotated Python type, or raise an InputError that names it; by default, an integer from 1."""
    kinds = get_args(annotation) or (annotation,)
    if value is None and NoneType in kinds:
        return None
    plain = _plain(value, kinds[0])
    if isinstance(plain, int) and limits.at_most is None:
        limits = dataclasses.replace(limits, at_most=LARGEST)
    if isinstance(plain, str) and limits.choices is not None:
        if plain not in limits.choices:
            raise unknown(name, plain, limits.choices, n=len(limits.choices))
    elif plain is None or not limits.allow(plain):
        or_none = " or None" if NoneType in kinds else ""
        expected = EXPECTED.get(kinds[0]) or f"an object of the class {kinds[0].__name__}"
        raise InputError(f"{name}={shown(value)}; expected {expected}{limits}{or_none}")
    return plain


def checked_jobs(n_jobs: object) -> int:
    """Check how many tasks to work on at a time: 1 to 1024, or −1 for as many as there are cores."""
    plain: int = checked("n_jobs", n_jobs, limits=JOBS)
    return plain


def _plain(value: object, kind: type) -> Any:
    """Convert `value` to the Python type `kind`; None if it is of another kind."""
    import numpy as np

    if isinstance(value, bool | np.bool_):
        return bool(value) if kind is bool else None
    if kind is int and isinstance(value, Integral):
        return int(value)
    if kind is float and isinstance(value, Real):
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:
            return None
    return value if kind not in (int, float, bool) and isinstance(value, kind) else None
