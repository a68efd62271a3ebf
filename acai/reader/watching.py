"""Watching an example run: what each tagged line of the loops computes, and what the variables are in the pass that is shown."""

import ast
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from acai.reader.examples.registry import Example
from acai.reader.places import Place, statements
from acai.reader.substitution import short, substituted

MOST_VISITS = 100  # of one line; after that it is no longer watched
Key = tuple[str, int]  # of a place: its path and its first line
Values = dict[str, str]
Statement = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return


@dataclass(frozen=True)
class Visit:
    """A tagged line that is about to run.

    Attributes
    ----------
    at : int
        How many lines were visited before.
    key : (str, int)
        Its function.
    call : int
        In which call of that function, counted from 1.
    line : int
        Its number.
    target, with_numbers : str
        Its left side, and its right side with numbers in place of the variables.
    value : object
        What the right side gives.
    """

    at: int
    key: Key
    call: int
    line: int
    target: str
    with_numbers: str
    value: object


class Watch:
    """Follows the functions of some places while an example runs.

    The first time, it collects the visits of tagged lines. The second time, when those that are shown have been chosen, it
    collects the values of the variables right after them, and in functions without any at the end of the call that corresponds.

    Parameters
    ----------
    loops, others : list of Place
        The functions whose tagged lines are written out, and those of which only the variables count.
    root : Path
        The folder of the package, which the paths of places are relative to.
    first : Watch, optional
        What followed the same example the first time.
    shown : list of Visit
        The visits that were chosen then.
    """

    def __init__(
        self, loops: list[Place], others: list[Place], root: Path, first: "Watch | None" = None, shown: Sequence[Visit] = ()
    ) -> None:
        self.values: dict[Key, Values] = {}
        self.visits: list[Visit] = []
        self.calls: Counter[Key] = Counter()
        self._statements = {key_of(place): tagged_statements(place) for place in loops}
        self._starts = {key_of(place): starts_of_statements(place) for place in (*loops, *others)}
        self._paths = {str(root / place.path): place.path for place in (*loops, *others)}
        self._n_visits: Counter[tuple[Key, int]] = Counter()
        self._is_second = first is not None
        self._last_shown = {visit.key: visit.at for visit in sorted(shown, key=lambda visit: visit.at)}
        self._wanted = _corresponding(shown[0], first.calls) if first and shown else {}
        self._pending: FrameType | None = None

    def run(self, example: Example) -> None:
        """Run an example, with what else traces put back afterwards."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            example()
        finally:
            sys.settrace(before)

    def _called(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        key = self._paths.get(frame.f_code.co_filename, ""), frame.f_code.co_firstlineno
        if key not in self._starts:
            return None
        self.calls[key] += 1
        call, running = self.calls[key], 0

        def stepped(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
            """Look at the variables between two statements: within one, comprehensions have variables of the same names."""
            nonlocal running
            start = self._starts[key].get(frame.f_lineno, frame.f_lineno) if event == "line" else 0
            if event == "return" or start not in (0, running):
                self._between(key, call, frame, start)
            running = start or running
            return stepped

        return stepped

    def _between(self, key: Key, call: int, frame: FrameType, start: int) -> None:
        """Look at the variables before the statement that starts on a line; 0: before the function returns."""
        if frame is self._pending:
            self.values[key], self._pending = _values_in(frame), None
        if not start and self._is_second and key not in self._last_shown and call == self._wanted.get(key, call):
            self.values[key] = _values_in(frame)
        statement = self._statements.get(key, {}).get(start)
        if statement is not None and self._n_visits[key, start] < MOST_VISITS:
            self._n_visits[key, start] += 1
            self._visit(key, call, frame, statement)

    def _visit(self, key: Key, call: int, frame: FrameType, statement: Statement) -> None:
        """Note a statement that is about to run; the second time, only remember to look after the one that is shown."""
        at = self._n_visits.total()
        if self._is_second:
            self._pending = frame if at == self._last_shown.get(key) else self._pending
            return
        target, expression = sides(statement)
        local, functions = frame.f_locals, frame.f_globals
        names = {name: local[name] for name in _variables(f"{target or 0}, {expression}") if name in local}
        if any(isinstance(value, Iterator) for value in names.values()):
            return  # to look at what an iterator gives would take it away
        with_numbers = substituted(expression, names, functions)
        value = eval(expression, {**functions, **names})
        self.visits.append(Visit(at, key, call, statement.lineno, _with_places(target, names, functions), with_numbers, value))


def key_of(place: Place) -> Key:
    """Return what a function is known by while it runs."""
    return place.path, place.first


@cache
def tagged_statements(place: Place) -> dict[int, Statement]:
    """Return the statements of a function that carry the equation's number, by their lines."""
    found = (node for node in statements(_parsed(place)) if isinstance(node, Statement))
    return {node.lineno: node for node in found if node.lineno in place.marked}


@cache
def starts_of_statements(place: Place) -> dict[int, int]:
    """Return the first line of the statement, or of the head of the loop, that each line of a function belongs to."""
    starts: dict[int, int] = {}
    for node in statements(_parsed(place)):  # statements before those inside them
        if isinstance(node, ast.stmt):
            starts |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), node.lineno)
    return starts


@cache
def _parsed(place: Place) -> ast.Module:
    """Parse a function; empty lines before it give each node the number of its line in the file."""
    return ast.parse("\n" * (place.first - 1) + textwrap.dedent("\n".join(place.lines)))


@cache
def sides(statement: Statement) -> tuple[str, str]:
    """Return the target of a statement, "" for `return`, and its right side."""
    right = ast.unparse(statement.value) if statement.value else "None"
    if isinstance(statement, ast.Return):
        return "", right
    return ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target), right


def _corresponding(shown: Visit, calls: Counter[Key]) -> dict[Key, int]:
    """Return which call of each function goes with what is shown: the same if there are as many, otherwise the last."""
    return {key: shown.call if n == calls[shown.key] else n for key, n in calls.items()}


def _values_in(frame: FrameType) -> Values:
    """Return the values of the local variables.

    They are asked for one by one, because to ask for all of them crashes CPython 3.13.0. So does asking for any of them while a
    comprehension runs (https://github.com/python/cpython/issues/128396).
    """
    code, local = frame.f_code, frame.f_locals
    names = [name for name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars) if not name.startswith((".", "_"))]
    seen = {name: short(local[name]) for name in names if name in local}
    return {name: value for name, value in seen.items() if value}


@cache
def _variables(code: str) -> frozenset[str]:
    """Return the names that a piece of code needs and does not bind itself, as a comprehension does."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    return frozenset({node.id for node in nodes} - {node.id for node in nodes if isinstance(node.ctx, ast.Store)})


def _with_places(target: str, names: dict[str, Any], functions: dict[str, Any]) -> str:
    """Return a target with numbers as its indices: `dx[0, 0, 1, 2]`."""
    node = ast.parse(target or "result", mode="eval").body
    if not isinstance(node, ast.Subscript):
        return target or "result"
    place = eval(ast.unparse(node.slice), {**functions, **names})
    inner = ", ".join(map(str, place)) if isinstance(place, tuple) else str(place)
    return f"{_with_places(ast.unparse(node.value), names, functions)}[{inner}]"
