"""Worked examples: run the loops and the fast code on small numbers, watch a line of the loops, and compare the results."""

import ast
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from acai.reader.examples.registry import Example
from acai.reader.places import Place
from acai.reader.substitution import MOST_TERMS, short, substituted
from acai.reader.symbols import names_in

MOST_VISITS = 100  # of one line; after that it is no longer watched
MOST_LINES = 4000  # that are followed in the loops; tracing makes them slow
LONGEST = 600  # characters of a written-out line
TOLERANCE = 1e-5  # what float32 may differ by, relative to the largest number
MOST_SHOWN = 3  # lines of one example
Values = dict[str, str]
Visit = tuple[str, str, str]  # a target, the right side with numbers, its value


@dataclass(frozen=True)
class Line:
    """A line of the loops, its number, and the same with numbers in place of its variables, and its result."""

    number: int
    code: str
    with_numbers: str


@dataclass
class Worked:
    """What a worked example shows.

    Attributes
    ----------
    lines : list of Line
        The lines of the loops that carry the equation's number, or the one most like it.
    result : str
        What the loops return.
    difference : float
        The largest difference between the loops and the fast code.
    agree : bool
        Whether that is no more than rounding.
    values : dict of (path, first line) to dict of str to str
        The last values of the variables in each function that was run.
    """

    lines: list[Line] = field(default_factory=list)
    result: str = ""
    difference: float = 0.0
    agree: bool = False
    values: dict[tuple[str, int], Values] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Say in a sentence whether the loops and the fast code agree."""
        if not self.agree:
            return "The loops and the fast code DISAGREE."
        same = "exactly" if self.difference == 0 else f"up to {self.difference:.0e}"
        return f"The loops and the fast code agree {same}."


def work(example: Example, loops: Place, others: list[Place], symbols: list[set[str]], root: Path) -> Worked:
    """Run an example under a tracer.

    Parameters
    ----------
    example : callable
        Returns what the loops and what the fast code give.
    loops, others : Place
        The function of the loops that is watched line by line, and the functions whose variables are shown.
    symbols : list of set of str
        The names in the code of each symbol of the equation, the symbol that it computes first.
    root : Path
        The folder of the package, which the paths of places are relative to.
    """
    slow, fast = example()
    watch = _Watch(loops, [loops, *others], symbols, root)
    watch.run(example)  # again, now that everything is imported and compiled: that would take long under a tracer
    a, b = (_numbers(result) for result in (slow, fast))
    difference = float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")
    agree = difference <= TOLERANCE * max(1.0, float(np.abs(a).max()))
    return Worked(watch.written_out(), short(slow), difference, agree, watch.values)


def _numbers(result: object) -> np.ndarray:
    """Return a result, which may be a list of numbers and rows, as one array of numbers."""
    if isinstance(result, (list, tuple)):
        return np.concatenate([_numbers(part) for part in result])
    return np.asarray(result, dtype=float).ravel()


class _Watch:
    """Follows the functions of some places while an example runs."""

    def __init__(self, loops: Place, places: list[Place], symbols: list[set[str]], root: Path) -> None:
        self.values: dict[tuple[str, int], Values] = {}
        self.names = {str(root / place.path): place.path for place in places}
        self.firsts = {(place.path, place.first) for place in places}
        self.n_lines = 0
        self.loops, self.statements = loops, _ranked(loops, symbols)
        self.tagged = [line for line in self.statements if line in loops.marked]
        self.visits: dict[int, list[Visit]] = defaultdict(list)

    def run(self, example: Example) -> None:
        """Run an example, with what else traces put back afterwards."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            example()
        finally:
            sys.settrace(before)

    def _called(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        path = self.names.get(frame.f_code.co_filename)
        if path is None or (path, frame.f_code.co_firstlineno) not in self.firsts:
            return None
        return self._stepped

    def _stepped(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        path, first = self.names[frame.f_code.co_filename], frame.f_code.co_firstlineno
        if event == "return":
            seen = {name: short(value) for name, value in frame.f_locals.items() if not name.startswith((".", "_"))}
            self.values[path, first] = {name: value for name, value in seen.items() if value}
        elif event == "line" and (path, first) == (self.loops.path, self.loops.first):
            statement = self.statements.get(frame.f_lineno)
            if statement is not None and self._may_be_shown(frame.f_lineno):
                self._visit(frame, statement)
            self.n_lines += 1
            frame.f_trace_lines = self.n_lines < MOST_LINES
        return self._stepped

    def _may_be_shown(self, line: int) -> bool:
        """Whether this line has its number or looks more like the equation than those that ran before, and ran not too often."""
        if self.tagged:
            return line in self.tagged and len(self.visits[line]) < MOST_VISITS
        before = takewhile(lambda other: other != line, self.statements)
        return len(self.visits[line]) < MOST_VISITS and not any(self.visits.get(other) for other in before)

    def _visit(self, frame: FrameType, statement: ast.stmt) -> None:
        """Write out a statement that is about to run: its target, its right side with numbers, its value."""
        target, expression = _sides(statement)
        names, functions = _locals_of(frame, f"{target or 0}, {expression}"), frame.f_globals
        if any(isinstance(names.get(name), Iterator) for name in names_in([expression])):
            return  # to look at what an iterator gives would take it away
        with_numbers = substituted(expression, names, functions)
        value = short(eval(expression, {**functions, **names}))
        self.visits[frame.f_lineno].append((_with_places(target, names, functions), with_numbers, value))

    def written_out(self) -> list[Line]:
        """Write out the tagged lines that ran, in their order; without any, the one most like the equation."""
        ran = [number for number in self.statements if self.visits.get(number)]
        chosen = sorted(ran)[:MOST_SHOWN] if self.tagged else ran[:1]
        visit = _most_telling(self.visits[chosen[0]]) if chosen else 0  # of one pass through a loop, all of its lines
        return [self._written_out(number, visit) for number in chosen]

    def _written_out(self, number: int, visit: int) -> Line:
        statement, visits = self.statements[number], self.visits[number]
        end = (statement.end_lineno or number) - self.loops.first + 1
        source = self.loops.lines[number - self.loops.first : end]
        code = " ".join(line.partition("  # ")[0].strip() for line in source)
        if isinstance(statement, ast.AugAssign):
            return Line(number, code, _sum_of_visits(visits))
        shown = visits[visit] if visit < len(visits) else visits[_most_telling(visits)]
        return Line(number, code, _assignment(shown))


def _locals_of(frame: FrameType, code: str) -> dict[str, Any]:
    """Return the local variables that a piece of code needs, one by one: to ask for all of them crashes CPython 3.13.0."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    bound = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    local = frame.f_locals
    return {node.id: local[node.id] for node in nodes if node.id not in bound and node.id in local}


def _ranked(place: Place, symbols: list[set[str]]) -> dict[int, ast.stmt]:
    """Return the statements of a function by line, the one that looks most like the equation first."""
    tree = ast.parse(textwrap.dedent("\n".join(place.lines)))
    ast.increment_lineno(tree, place.first - 1)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return)) and node.value is not None:
            found.append((_dissimilarity(node, symbols, node.lineno in place.marked), node.lineno, node))
    return {line: statement for _, line, statement in sorted(found, key=lambda entry: entry[:2])}


def _dissimilarity(node: ast.Assign | ast.AugAssign | ast.Return, symbols: list[set[str]], marked: bool) -> tuple[int, ...]:
    """Say how little a statement looks like an equation: lines that carry its id first, then those that compute its left side."""
    words = names_in([ast.unparse(node)])
    target, _ = _sides(node)
    computes = not target or bool(names_in([target.partition("[")[0]]) & symbols[0])
    n_symbols = sum(bool(names & words) for names in symbols)
    has_arithmetic = any(isinstance(part, ast.BinOp) for part in ast.walk(node))
    return (
        not marked, isinstance(node.value, (ast.Tuple, ast.Name)), isinstance(node.value, ast.ListComp) and bool(target),
        not computes, -n_symbols, not has_arithmetic,
    )


def _sides(statement: ast.stmt) -> tuple[str, str]:
    """Return the target of a statement, "" for `return`, and its right side."""
    if isinstance(statement, ast.Return):
        return "", ast.unparse(statement.value) if statement.value else "None"
    if isinstance(statement, ast.AugAssign):
        return ast.unparse(statement.target), ast.unparse(statement.value)
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0]), ast.unparse(statement.value)
    return "", ast.unparse(statement)


def _with_places(target: str, names: dict[str, Any], functions: dict[str, Any]) -> str:
    """Return a target with numbers as its indices: `dx[0, 0, 1, 2]`."""
    node = ast.parse(target or "result", mode="eval").body
    if not isinstance(node, ast.Subscript):
        return target or "result"
    place = eval(ast.unparse(node.slice), {**functions, **names})
    inner = ", ".join(map(str, place)) if isinstance(place, tuple) else str(place)
    return f"{_with_places(ast.unparse(node.value), names, functions)}[{inner}]"


def _sum_of_visits(visits: list[Visit]) -> str:
    """Write out what was added to one target, the one with most terms: "dW[0] = 1 · 2 + 3 · 4"."""
    of_target: dict[str, list[str]] = defaultdict(list)
    for target, with_numbers, _ in visits:
        of_target[target].append(with_numbers)
    target, terms = max(of_target.items(), key=lambda entry: len(entry[1]))
    shown = terms if len(terms) <= MOST_TERMS else [*terms[: MOST_TERMS - 1], "…"]
    return f"{target} += {' + '.join(shown)}"


def _most_telling(visits: list[Visit]) -> int:
    """Choose one visit of a line: with the most numbers, the fewest of them zero, the shortest; in no more than a few lines."""

    def telling(number: int) -> tuple[bool, int, int, int]:
        with_numbers = visits[number][1]
        numbers = re.findall(r"\d[\d.e-]*", with_numbers)
        return len(with_numbers) <= LONGEST, len(numbers), -numbers.count("0"), -len(with_numbers)

    return max(range(len(visits)), key=telling)


def _assignment(visit: Visit) -> str:
    """Write out one visit of a line: "y[0, 1] = (-0.5) + (-1) · 2 = -2.5"."""
    target, with_numbers, value = visit
    if with_numbers in (value, f"{value}.0"):
        return f"{target} = {value}"
    return f"{target} = {with_numbers[:LONGEST]} = {value}"
