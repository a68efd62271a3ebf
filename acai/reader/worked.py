"""Worked examples: run the loops, the plain and the fast code on small numbers, write out the loops, compare the results."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from acai.reader.examples.registry import Example
from acai.reader.places import Place
from acai.reader.substitution import MOST_TERMS, short
from acai.reader.watching import Key, Values, Visit, Watch, key_of, tagged_statements

LONGEST = 900  # characters of a written-out line
TOLERANCE = 1e-5  # what float32 may differ by, relative to the largest number
Where = tuple[Key, int]  # a function, and the number of a line in it


@dataclass(frozen=True)
class Line:
    """A line of the loops: its function and number, its code, and the same with numbers in place of its variables."""

    key: Key
    number: int
    code: str
    with_numbers: str


@dataclass
class Worked:
    """What a worked example shows.

    Attributes
    ----------
    lines : list of Line
        The lines of the loops that carry the equation's number, in one pass through them.
    result : str
        What the loops return.
    difference : float
        The largest difference between the loops and the other code.
    agree : bool
        Whether that is no more than rounding.
    values : dict of (path, first line) to dict of str to str
        The values of the variables in each function that was run, in the pass that the lines show.
    compared : str
        What was run.
    """

    lines: list[Line] = field(default_factory=list)
    result: str = ""
    difference: float = 0.0
    agree: bool = False
    values: dict[Key, Values] = field(default_factory=dict)
    compared: str = "the loops and the fast code"

    @property
    def verdict(self) -> str:
        """Say in a sentence whether the results are the same."""
        if not self.agree:
            return f"On these numbers, {self.compared} DISAGREE."
        same = "give exactly the same" if self.difference == 0 else f"differ by {self.difference:.0e} at most"
        return f"On these numbers, {self.compared} {same}."


def work(example: Example, loops: list[Place], others: list[Place], root: Path) -> Worked:
    """Run an example under a tracer.

    Parameters
    ----------
    example : callable
        Returns what the loops, the fast code and, if there is any, the plain code give.
    loops, others : list of Place
        The functions of the loops, which are watched line by line, and those whose variables are shown.
    root : Path
        The folder of the package, which the paths of places are relative to.
    """
    slow, *found = _results(example)  # first of all, so that everything is imported and compiled: a tracer makes that slow
    first = Watch(loops, others, root)
    first.run(example)
    shown = _one_pass(first.visits, loops)
    second = Watch(loops, others, root, first, shown)
    second.run(example)
    expected = _numbers(slow)
    difference = max(_difference(expected, _numbers(result)) for result in found)
    agree = difference <= TOLERANCE * max(1.0, float(np.abs(expected).max()))
    compared = "the loops, the plain and the fast code" if len(found) > 1 else "the loops and the fast code"
    lines = [_written_out(visit, first.visits, loops) for visit in shown]
    return Worked(lines, _labelled(slow), difference, agree, second.values, compared)


@cache
def _results(example: Example) -> tuple[object, ...]:
    return example()


def _labelled(result: object) -> str:
    """Write out a result; if there are several, each with its name."""
    if isinstance(result, dict):
        return "; ".join(f"{name} = {short(value)}" for name, value in result.items())
    return short(result)


def _numbers(result: object) -> np.ndarray:
    """Return a result, which may be a list of numbers and rows, as one array of numbers."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (list, tuple)):
        return np.concatenate([_numbers(part) for part in result])
    return np.asarray(result, dtype=float).ravel()


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")


def _one_pass(visits: list[Visit], loops: list[Place]) -> list[Visit]:
    """Choose one visit of each line, all in one pass: around the most telling visit of the last line of the first function."""
    of_line: dict[Where, list[Visit]] = defaultdict(list)
    for visit in visits:
        of_line[visit.key, visit.line].append(visit)
    order = [key_of(place) for place in loops]
    lines = sorted(of_line, key=lambda where: (order.index(where[0]), where[1]))
    if not lines:
        return []
    last = max(where for where in lines if where[0] == lines[0][0])
    passes = [
        [centre if where == last else _nearest(of_line[where], centre.at) for where in lines]
        for centre in _candidates(of_line[last], is_sum=_adds(last, loops))
    ]
    return max(passes, key=_telling)


def _nearest(visits: list[Visit], at: int) -> Visit:
    """Return the last visit before another, or the first after it if there is none before."""
    before = [visit for visit in visits if visit.at < at]
    return before[-1] if before else visits[0]


def _candidates(visits: list[Visit], is_sum: bool) -> list[Visit]:
    """Return the visits of a line of which one is shown; if it adds to something, only the first of those that add most to one."""
    if not is_sum:
        return visits
    together: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        together[visit.target].append(visit)
    return [max(together.values(), key=len)[0]]


def _telling(visits: list[Visit]) -> tuple[bool, int, int, int, int]:
    """Say how much a pass shows: in no more than a few lines, the most different numbers, the fewest zeros, the shortest text."""
    texts = [f"{visit.with_numbers} {short(visit.value)}" for visit in visits]
    numbers = re.findall(r"\d[\d.e-]*", " ".join(texts))
    return max(map(len, texts)) <= LONGEST, len(set(numbers)), len(numbers), -numbers.count("0"), -sum(map(len, texts))


def _adds(where: Where, loops: list[Place]) -> bool:
    place = next(place for place in loops if key_of(place) == where[0])
    return isinstance(tagged_statements(place)[where[1]], ast.AugAssign)


def _written_out(visit: Visit, visits: list[Visit], loops: list[Place]) -> Line:
    """Write out a visit, and if it adds to something, all that is added to it."""
    place = next(place for place in loops if key_of(place) == visit.key)
    statement = tagged_statements(place)[visit.line]
    source = place.lines[visit.line - place.first : (statement.end_lineno or visit.line) - place.first + 1]
    code = " ".join(line.partition("  # ")[0].strip() for line in source)
    if not isinstance(statement, ast.AugAssign):
        return Line(visit.key, visit.line, code, _assignment(visit))
    same = [other for other in visits if (other.key, other.line, other.target) == (visit.key, visit.line, visit.target)]
    return Line(visit.key, visit.line, code, _sum_of(same))


def _sum_of(visits: list[Visit]) -> str:
    """Write out what is added to one target: "dW[0] += 1 · 2 + 3 · 4 = 14"."""
    terms = [f"({term})" if (term := visit.with_numbers).startswith("-") else term for visit in visits]
    shown = terms if len(terms) <= MOST_TERMS else [*terms[: MOST_TERMS - 1], "…", terms[-1]]
    total = short(sum(float(np.asarray(visit.value)) for visit in visits))
    is_number = len(terms) == 1 and terms[0].strip("()") == total
    return f"{visits[0].target} += {' + '.join(shown)}{'' if is_number else f' = {total}'}"


def _assignment(visit: Visit) -> str:
    """Write out one visit of a line: "y[0, 1] = (-0.5) + (-1) · 2 = -2.5"."""
    value, numbers = short(visit.value), visit.with_numbers
    if not value or numbers in (value, f"{value}.0"):
        return f"{visit.target} = {numbers}"
    shown = numbers if len(numbers) <= LONGEST else f"{numbers[:LONGEST].rpartition(' ')[0]} …"
    return f"{visit.target} = {shown} = {value}"
