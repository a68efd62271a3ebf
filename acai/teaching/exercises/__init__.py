"""Exercises that check themselves, for the notebooks of the course: `check("02-pearson", pearson)`.

A check never looks at how an answer is written, only at what it does, on inputs that it has not seen. It raises `Wrong` with
a sentence that teaches: it knows the mistakes that people make, and says which one it sees.
"""

import html
import importlib
import inspect
import re
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acai.errors import unknown

MODULES = ("data", "neighbours", "factors", "descent", "layers", "network", "sound", "whole")  # one a notebook
_hints_given: Counter[str] = Counter()


class Wrong(Exception):
    """What is wrong with an answer, said to the person who wrote it."""


@dataclass(frozen=True)
class Exercise:
    """One task.

    Attributes
    ----------
    name : str
        The notebook's number and a word: "02-pearson".
    minutes : int
        How long it takes a student, roughly.
    title : str
        The task in one line.
    hints : tuple of str
        From the first nudge to all but the answer.
    check : callable
        Takes the answer; raises `Wrong` unless it is right.
    """

    name: str
    minutes: int
    title: str
    hints: tuple[str, ...]
    check: Callable[[object], None]


_found: dict[str, Exercise] = {}


def task(name: str, minutes: int) -> Callable[[Callable[[object], None]], Callable[[object], None]]:
    """Make an exercise of a check: the first line of its docstring is the title, the lines below that are the hints."""

    def made(check: Callable[[object], None]) -> Callable[[object], None]:
        title, _, *hints = inspect.getdoc(check).splitlines()
        _found[name] = Exercise(name, minutes, title[0].lower() + title[1:].rstrip("."), tuple(hints), check)
        return check

    return made


@dataclass(frozen=True)
class Verdict:
    """What `check` found; a notebook shows it as a line of its own.

    Attributes
    ----------
    ok : bool
    hint : str
        What is wrong, and where to look; empty if all is right.
    exercise : Exercise
    """

    ok: bool
    hint: str
    exercise: Exercise

    def __str__(self) -> str:
        return f"✓ {self.exercise.name}: right." if self.ok else f"✗ {self.exercise.name}: {self.hint}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _shown(str(self), "#009e73" if self.ok else "#d55e00")


class Hint(str):
    """A hint, which a notebook shows as a line of its own."""

    __repr__ = str.__str__

    def _repr_html_(self) -> str:
        return _shown(self, "#0072b2")


class Exercises(list[Exercise]):
    """A list of exercises, which a notebook shows as a table."""

    def __repr__(self) -> str:
        return "\n".join(f"{e.name:<22} {e.minutes:>3} min  {e.title}" for e in self)

    def _repr_html_(self) -> str:
        rows = ((e.name, f"{e.minutes} min", _marked(e.title)) for e in self)
        cells = ("".join(f"<td style='text-align:left'>{text}</td>" for text in row) for row in rows)
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def exercises(notebook: str = "") -> Exercises:
    """All exercises, or those of one notebook ("02"), in the order in which they come."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
    in_order = sorted(_found.values(), key=lambda e: e.name[:2])  # whichever module was imported first
    return Exercises(e for e in in_order if e.name.startswith(notebook))


def check(name: str, answer: object) -> Verdict:
    """Try an answer.

    Parameters
    ----------
    name : str
        As in `exercises()`.
    answer : object
        What the task asks for: mostly a function or a class, the thing itself and not what it returns.

    Returns
    -------
    Verdict
        `.ok`, and `.hint` if it is not. Whatever the answer raises becomes a hint, too.
    """
    task = _find(name)
    try:
        task.check(answer)
    except Wrong as wrong:
        return Verdict(False, str(wrong), task)
    except Exception as error:
        if "truth value of an array" in str(error):  # NumPy's own words help nobody who meets them for the first time
            whole = "`if`, `and` and `or` ask one question, but this is a whole array of numbers"
            where = "`np.where(condition, this, that)` chooses entry by entry, and `&` and `|` join conditions."
            return Verdict(False, f"{whole}{_place(error)}. {where}", task)
        return Verdict(False, f"it stops with {type(error).__name__}: {error}{_place(error)}", task)
    return Verdict(True, "", task)


def hint(name: str) -> Hint:
    """The next hint for an exercise, each a step further than the last; after the last one it starts again."""
    hints = _find(name).hints
    step = _hints_given[name] % len(hints)
    _hints_given[name] += 1
    return Hint(f"Hint {step + 1} of {len(hints)} for {name}: {hints[step]}")


def _find(name: str) -> Exercise:
    names = [task.name for task in exercises()]
    if name not in names:
        raise unknown("exercise", name, names)
    return _found[name]


def _place(error: Exception) -> str:
    """The line of the student's own code in which it happened."""
    house = str(Path(__file__).parents[2])
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not f.filename.startswith(house) and "site-packages" not in f.filename]
    return f" (in line {theirs[-1].lineno} of the cell: `{theirs[-1].line}`)" if theirs and theirs[-1].line else ""


def _marked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _shown(text: str, colour: str) -> str:
    return f'<div style="border-left: 4px solid {colour}; padding: 2px 12px">{_marked(text)}</div>'
