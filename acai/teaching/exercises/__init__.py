"""Exercises that check themselves, for the notebooks of the course: `check("02-pearson", pearson)`.

A check never looks at how an answer is written, only at what it does, on inputs that it has not seen. It knows the usual
mistakes, and says which one it sees. The check of "02-pearson" is the function with `@checks("02-pearson")`; all texts,
the tasks, hints and mistakes, are in one text file per notebook next to the code: `02_neighbours.toml`.
"""

import html
import re
import tomllib
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acai.errors import unknown
from acai.html_table import html_table
from acai.teaching.exercises import factors, network, ratings, sound  # noqa: F401  (they register their checks)
from acai.teaching.exercises.checking import CHECKS, Wrong

__all__ = ["Exercise", "Exercises", "Hint", "Verdict", "check", "exercises", "hint"]


@dataclass(frozen=True)
class Exercise:
    """One task.

    Attributes
    ----------
    name : str
        The notebook's number and a word: "02-pearson".
    title : str
        The task in one line.
    minutes : int
        Roughly how long it takes.
    hints : list of str
        From the first nudge to all but the answer.
    says : dict of str to str
        The sentences of its check, by key.
    """

    name: str
    title: str
    minutes: int
    hints: list[str]
    says: dict[str, str]


@dataclass(frozen=True, repr=False)
class Verdict:
    """The result of `check`; a notebook shows it on a line of its own.

    Attributes
    ----------
    ok : bool
    hint : str
        What is wrong, and where to look; empty if the answer is right.
    exercise : Exercise
    """

    ok: bool
    hint: str
    exercise: Exercise

    def __repr__(self) -> str:
        """Show the result in one line."""
        return f"✓ {self.exercise.name}: right." if self.ok else f"✗ {self.exercise.name}: {self.hint}"

    def _repr_html_(self) -> str:
        return _line(str(self), "#009e73" if self.ok else "#d55e00")


class Hint(str):
    """A hint; a notebook shows it on a line of its own."""

    __repr__ = str.__str__

    def _repr_html_(self) -> str:
        return _line(self, "#0072b2")


class Exercises(list[Exercise]):
    """A list of exercises; a notebook shows it as a table."""

    def __repr__(self) -> str:
        """Show one line per exercise."""
        return "\n".join(f"{e.name:<22} {e.minutes:>3} min  {e.title}" for e in self)

    def _repr_html_(self) -> str:
        return html_table((e.name, f"{e.minutes} min", _marked(e.title)) for e in self)


HERE = Path(__file__).parent
COMMON, *BOOKS = (tomllib.loads(path.read_text("utf-8")) for path in (HERE / "common.toml", *sorted(HERE.glob("[0-9]*.toml"))))
TASKS = {name: Exercise(name, **texts) for book in BOOKS for name, texts in book.items()}
_hints_given: Counter[str] = Counter()


def exercises(notebook: str = "") -> Exercises:
    """List all exercises, or those of one notebook ("02"), in their order."""
    return Exercises(task for name, task in TASKS.items() if name.startswith(notebook))


def check(name: str, answer: object) -> Verdict:
    """Check an answer.

    Parameters
    ----------
    name : str
        As in `exercises()`.
    answer : object
        What the task asks for: mostly a function or a class, itself and not its result.

    Returns
    -------
    Verdict
        `.ok`, and `.hint` if it is not. Exceptions raised by the answer become hints, too. As the last line of a cell
        it is shown; anywhere else, print it.
    """
    task = _find(name)
    try:
        with np.errstate(all="ignore"):  # overflows are reported by the check, so they need no warning
            CHECKS[name](answer, np.random.default_rng(8))
    except Exception as error:
        if not isinstance(error, Wrong):
            key = "array-asked" if "truth value of an array" in str(error) else "stops"  # NumPy's message does not help beginners
            error = Wrong(key, kind=type(error).__name__, error=error, place=_place(error))
        return Verdict(False, error.in_words(COMMON | task.says), task)
    return Verdict(True, "", task)


def hint(name: str) -> Hint:
    """Give the next hint for an exercise, each a step further than the one before; after the last, start again.

    Like the verdict of `check`, it is shown as the last line of a cell.
    """
    hints = _find(name).hints
    step = _hints_given[name] % len(hints)
    _hints_given[name] += 1
    return Hint(f"Hint {step + 1} of {len(hints)} for {name}: {hints[step]}")


def _find(name: str) -> Exercise:
    if name not in TASKS:
        raise unknown("exercise", name, TASKS)
    return TASKS[name]


def _place(error: Exception) -> Wrong | str:
    """Find the line of the student's own code in which an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not f.filename.startswith(str(HERE.parents[1])) and "site-packages" not in f.filename]
    if theirs and theirs[-1].line:
        return Wrong("place", line=theirs[-1].lineno, code=theirs[-1].line)
    return ""


def _marked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _line(text: str, colour: str) -> str:
    return f'<div style="border-left: 4px solid {colour}; padding: 2px 12px">{_marked(text)}</div>'
