"""Exercises that check themselves, for the notebooks of the course: `check("02-pearson", pearson)`.

A check never looks at how an answer is written, only at what it does, on inputs that it has not seen. It knows the usual
mistakes, and says which one it sees. The check of "02-pearson" is the function with `@checks("02-pearson")`; all texts,
the tasks, hints and mistakes, are in one text file per notebook next to the code: `02_neighbours.toml`. `load` adds
exercises of your own, and `language` chooses another language.
"""

import html
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from acai.html_table import html_table
from acai.teaching.exercises import factors, network, ratings, sound  # noqa: F401  (they register their checks)
from acai.teaching.exercises.checking import CHECKS, SECONDS
from acai.teaching.exercises.errors import explained
from acai.teaching.exercises.own import load
from acai.teaching.exercises.texts import COMMON, TASKS, Exercise, find, in_words, language, say
from acai.teaching.exercises.time_limit import OutOfTime, time_limit
from acai.teaching.exercises.wrong import Wrong

__all__ = ["Exercise", "Exercises", "Hint", "NotSolved", "Verdict", "check", "exercises", "hint", "language", "load", "require"]


class NotSolved(AssertionError):
    """An answer is not right: what nbgrader, otter and pytest take for a failure. Its message is the hint."""


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
        mark, words = ("✓", say("right")) if self.ok else ("✗", self.hint)
        return f"{mark} {self.exercise.name}: {words}"

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
        return "\n".join(f"{e.name:<22} {say('minutes', n=f'{e.minutes:>3}')}  {e.title}" for e in self)

    def _repr_html_(self) -> str:
        return html_table((e.name, say("minutes", n=e.minutes), _marked(e.title)) for e in self)


_hints_given: Counter[str] = Counter()


def exercises(notebook: str = "") -> Exercises:
    """List all exercises, or those of one notebook ("02"), in their order."""
    return Exercises(find(name) for name in TASKS if name.startswith(notebook))


def check(name: str, answer: object, *, strict: bool = False, seconds: float | None = None) -> Verdict:
    """Check an answer.

    Parameters
    ----------
    name : str
        As in `exercises()`.
    answer : object
        What the task asks for: mostly a function or a class, itself and not its result.
    strict : bool
        Raise NotSolved, with the hint, if the answer is not right: for tests and for tools that grade.
    seconds : float, optional
        How long it may take: by default a minute, or ten where a network is trained.

    Returns
    -------
    Verdict
        `.ok`, and `.hint` if it is not. Exceptions raised by the answer become hints, too, and so does an answer that never
        returns. As the last line of a cell it is shown; anywhere else, print it.
    """
    task = find(name)
    wrong = _wrong_with(name, answer, seconds or SECONDS[name])
    verdict = Verdict(wrong is None, "" if wrong is None else _told(wrong, task), task)
    if strict and not verdict.ok:
        raise NotSolved(str(verdict))
    return verdict


def require(name: str, answer: object) -> None:
    """Raise NotSolved, with the hint, unless an answer is right: a cell or a test with this line fails."""
    check(name, answer, strict=True)


def hint(name: str) -> Hint:
    """Give the next hint for an exercise, each a step further than the one before; after the last, start again.

    Like the verdict of `check`, it is shown as the last line of a cell.
    """
    hints = find(name).hints
    step = _hints_given[name] % len(hints)
    _hints_given[name] += 1
    return Hint(say("hint-step", step=step + 1, n=len(hints), name=name, text=hints[step]))


def _wrong_with(name: str, answer: object, seconds: float) -> Wrong | None:
    """Find out what is wrong with an answer: None if nothing is."""
    try:
        with time_limit(seconds), np.errstate(all="ignore"):  # overflows are reported by the check, so they need no warning
            CHECKS[name](answer, np.random.default_rng(8))
    except Wrong as wrong:
        return wrong
    except OutOfTime:
        return Wrong("too-long", seconds=seconds)
    except Exception as error:
        return explained(error)
    return None


def _told(wrong: Wrong, task: Exercise) -> str:
    return wrong.in_words({key: in_words(sentence) for key, sentence in COMMON.items()} | task.says)


def _marked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _line(text: str, colour: str) -> str:
    return f'<div style="border-left: 4px solid {colour}; padding: 2px 12px">{_marked(text)}</div>'
