"""A row of the benchmarks' table: two ways to do the same work, which must agree before they are timed."""

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

PACKAGES = {"torch": "torch", "surprise": "scikit-surprise", "implicit": "implicit", "cornac": "cornac"}  # import: install


class LeftOut(Exception):
    """Why a row cannot be measured here, and how to change that."""


class Disagreement(Exception):
    """Both sides finished, with different results: their times must not be compared."""


@dataclass(frozen=True)
class Data:
    """Where the data sets are; None for one that is not there."""

    ml100k: Path | None = None
    hetrec: Path | None = None


class Work(NamedTuple):
    """How much one run computes, to compare it with the machine's peak."""

    amount: float
    of: str  # "product": floating-point operations, as in a matrix product; "copy": bytes that are read or written


@dataclass(frozen=True)
class Contest:
    """One row, ready to run.

    Attributes
    ----------
    ours : callable
        Does the work with acai.
    theirs : callable or None
        Does it with the other library; None if acai's own time is the figure.
    agree : callable
        Runs both sides and compares the results; returns what was compared, as a few words, or raises `Disagreement`.
    work : Work or None
        How much `ours` computes; None for a command, most of whose time is not arithmetic.
    clock : callable
        Returns the seconds that are counted: of the wall, or of the processor.
    scale : float
        How many times the row's work is what `ours` does.
    """

    ours: Callable[[], object]
    theirs: Callable[[], object] | None
    agree: Callable[[], str]
    work: Work | None = None
    clock: Callable[[], float] = time.perf_counter
    scale: float = 1.0


@dataclass(frozen=True)
class Row:
    """What is measured, and what is expected of it.

    Attributes
    ----------
    name : str
        What `--only` calls it.
    work, against : str
        What is done, and with what acai is compared; "" if acai's own time is the figure.
    goal : float
        The most that the figure may be.
    prepare : callable
        Makes the contest; raises `LeftOut` if a library or data set is missing.
    unit : str
        Of the figure: "" for a ratio of times, otherwise "s" or "s CPU".
    """

    name: str
    work: str
    against: str
    goal: float
    prepare: Callable[[Data], Contest]
    unit: str = ""


def competitor(module: str) -> Any:
    """Import a library that acai is compared with, or say how to install it."""
    package = PACKAGES[module.split(".")[0]]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise LeftOut(f"needs {package} ({error}): pip install 'acai[bench]'") from None


def expect_data(path: Path | None, option: str, name: str) -> Path:
    """Return where a data set is, or say how to get it."""
    if path is None:
        raise LeftOut(f"needs {name}: `acai download {name}` gets it, then give --{option} PATH")
    return path


def expect_agreement(error: float, most: float, what: str) -> str:
    """Describe a difference that is small enough; raise `Disagreement` for a larger one, or NaN."""
    if not error <= most:
        raise Disagreement(f"{what} differ by {error:.1e}; expected at most {most:.0e}")
    return f"{what} differ by {error:.0e}"
