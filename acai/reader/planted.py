"""The bugs that are planted in the code of an equation, each with what the gradient check says about it."""

import inspect
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from acai.reader.places import Place
from acai.teaching import bugs

Places = dict[str, dict[str, list[Place]]]  # by tab and id
SHOWN = 6  # lines of a report


@dataclass(frozen=True)
class Planted:
    """A bug as the page shows it.

    Attributes
    ----------
    name, sentence : str
        What is wrong, and the thought behind it.
    diff : tuple of str
        The changed lines, each with its sign.
    report : str
        The first lines of what the gradient check says.
    caught : bool
        Whether it says that something is wrong.
    """

    name: str
    sentence: str
    diff: tuple[str, ...]
    report: str
    caught: bool


def planted_bugs(places: Places, quantities: dict[str, str]) -> dict[str, list[bugs.Bug]]:
    """Return the bugs of each equation.

    Parameters
    ----------
    places : dict
        The places of the equations, by tab and id.
    quantities : dict of str to str
        What each equation computes: "dx", "dW", "y".
    """
    found: dict[str, list[bugs.Bug]] = defaultdict(list)
    for bug in bugs.CATALOGUE:
        name = _equation_of(bug, places, quantities)
        if name:
            found[name].append(bug)
    return found


def _equation_of(bug: bugs.Bug, places: Places, quantities: dict[str, str]) -> str | None:
    """Return the equation whose code has the bug: that of the changed line, or of its function and the wrong array."""
    lines, first = _source_lines(bug.layer)
    changed = first + "".join(lines).partition(bug.old)[0].count("\n")
    of_class = _places_in_class(bug.layer, places)
    around = {name: place for name, place in of_class if place.first <= changed < place.first + len(place.lines)} or dict(of_class)
    on_line = [name for name, place in around.items() if changed in place.marked]
    wrong = {f"d{array}" for array in bug.arrays.split()}
    of_array = [name for name in around if quantities[name] in wrong]
    nearest = sorted(around, key=lambda name: min(abs(changed - line) for line in around[name].marked))
    return next(iter([*on_line, *of_array, *nearest]), None)


def _places_in_class(layer: type, places: Places) -> list[tuple[str, Place]]:
    """Return the places of equations in a class, with their ids."""
    path = f"{layer.__module__.replace('.', '/')}.py"
    return [
        (name, place) for tab in ("plain", "fast") for name, of_name in places[tab].items() for place in of_name
        if place.path == path and place.name.partition(".")[0] == layer.__name__
    ]


@cache
def _source_lines(layer: type) -> tuple[list[str], int]:
    return inspect.getsourcelines(layer)


def shown(bug: bugs.Bug, report: str) -> Planted:
    """Return a bug as the page shows it, with what the gradient check says."""
    diff = tuple(line for line in bug.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---"))
    return Planted(bug.name, bug.sentence, diff, report or "The gradient check finds nothing.", bool(report))


def verdict(bug: bugs.Bug) -> str:
    """Return what the gradient check says about a layer with a bug: the first lines of the first report that is not ok, or ""."""
    report = next((report for report in bugs.hunt(bug.broken(), unlike=bug.layer) if not report.ok), None)
    return "\n".join(str(report).splitlines()[:SHOWN]) if report else ""


def verdict_on_correct(layer: type) -> str:
    """Return the first line of what the gradient check says about a layer without a bug."""
    return str(next(bugs.hunt(layer))).splitlines()[0]
