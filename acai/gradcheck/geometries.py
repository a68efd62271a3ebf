"""One layer on several geometries, strides and paddings for instance."""

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np

from acai.errors import InputError
from acai.gradcheck.calling import call
from acai.gradcheck.report import Report

Input = np.ndarray | tuple[int, ...]  # x, or its shape


class CheckOptions(TypedDict, total=False):
    """The options of `check`."""

    method: str
    step: float
    nudge: np.ndarray | None
    seed: int
    between: tuple[float, float] | None
    points: int | None
    axes: str | None


class GeometryReports(dict[str, Report]):
    """A report for each geometry, by what the geometry is called.

    It prints as one line, "right at stride=1; wrong at stride=2", and then the reports of those that are not right.
    """

    @property
    def ok(self) -> bool:
        """Whether the layer is right on all of them."""
        return all(report.ok for report in self.values())

    def __str__(self) -> str:
        """Show the verdicts, and the reports of those that are not right."""
        places: dict[str, list[str]] = {}
        for geometry, report in self.items():
            places.setdefault("right" if report.ok else report.verdict, []).append(geometry)
        lines = ["; ".join(f"{verdict} at {', '.join(names)}" for verdict, names in places.items())]
        return "\n".join([*lines, *(f"{geometry}: {report}" for geometry, report in self.items() if not report.ok)])


def check_geometries(
    check: Callable[..., Report], make: object, x: np.ndarray | tuple[int, ...], geometries: Sequence[dict[str, object]]
) -> GeometryReports:
    """Check a layer, building a new one for each geometry.

    Parameters
    ----------
    check : callable
        Checks one layer.
    make : callable
        The class, or a function that makes a layer, called with what each geometry holds.
    x : ndarray or tuple of int
        The input; a geometry may have an "x" of its own.
    geometries : sequence of dict
        As in [{"stride": 1}, {"stride": 2, "x": (2, 3, 9, 9)}].
    """
    if not callable(make):
        raise InputError(f"with geometries, a new layer is built for each; expected its class, not {type(make).__name__}")
    reports = GeometryReports()
    for geometry in geometries:
        if not isinstance(geometry, dict):
            raise InputError(f"geometries contain {geometry!r}; expected dictionaries of arguments, as in {{'stride': 2}}")
        arguments = {name: value for name, value in geometry.items() if name != "x"}
        name = ", ".join(f"{key}={value}" for key, value in geometry.items()) or "the default"
        layer = call(getattr(make, "__name__", "the layer"), make, **arguments)
        reports[name] = check(layer, geometry.get("x", x))
    return reports
