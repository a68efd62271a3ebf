"""On ties and kinks, where `forward` has a slope on either side: any value between the two is right.

So is any value between those at generic points nearby: the median of three equal numbers has slope 0 by each of them, to
the left as to the right, but beside the tie it is one of them, and has slope 1 by that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from acai.gradcheck.points import stream
from acai.gradcheck.progress import counted
from acai.gradcheck.report import Finding, Report
from acai.gradcheck.subject import Bench, Subject

NEARBY = 40  # generic points beside the tie


@dataclass
class Tie:
    """A bench at x on ties, with what is needed to look to its left and right.

    Attributes
    ----------
    y : ndarray
        What `forward` says there.
    h, tolerance : float
        The step of one-sided differences; what rounding may do to them.
    """

    bench: Bench
    y: np.ndarray
    dy: np.ndarray
    h: float
    tolerance: float
    seed: int

    def range_of(self, at: tuple[Any, ...], nearby: bool = False) -> tuple[float, float, bool]:
        """Find the least and the largest slope of ⟨dy, y⟩ as x[at] moves; and whether y is curved, so that there are none.

        Each output chooses a slope between its two by itself.
        """
        far = np.stack([(self.bench.moved("x", at, by) - self.y) / by for by in (-self.h, self.h)])
        near = np.stack([(self.bench.moved("x", at, by) - self.y) / by for by in (-self.h / 2, self.h / 2)])
        curved = not np.allclose(far, near, rtol=0, atol=self.tolerance * np.abs(near).max(initial=0.0))
        slopes = [*near, *self._slopes_nearby(at)] if nearby else [*near]
        weighted = np.stack([self.dy * slope for slope in slopes])
        return float(weighted.min(axis=0).sum()), float(weighted.max(axis=0).sum()), curved

    def offsets(self) -> Iterator[np.ndarray]:
        """Small moves off the tie: in order of the index, all to one side, at random."""
        shape, tiny = self.bench.x.shape, self.h * 2.0**-8
        order = (np.arange(self.bench.x.size) + 1.0).reshape(shape) / self.bench.x.size
        for base in (0.0, 2.0, -2.0):
            yield tiny * (base + order)
            yield tiny * (base - order)
        rng = stream("nearby", self.seed)
        for _ in range(NEARBY):
            yield tiny * rng.uniform(-1.0, 1.0, shape)

    def _slopes_nearby(self, at: tuple[Any, ...]) -> Iterator[np.ndarray]:
        x, smaller = self.bench.x, self.h * 2.0**-24
        tied = x.copy()
        for offset in self.offsets():
            x[...] = tied + offset
            yield (self.bench.moved("x", at, smaller) - self.bench.moved("x", at, -smaller)) / (2 * smaller)
        x[...] = tied

    def is_gradient_nearby(self, dx: np.ndarray) -> bool:
        """Whether dx is the gradient at a generic point nearby, where backward is known to be right."""
        x, slack = self.bench.x, 10 * self.tolerance * np.abs(dx).max(initial=0.0)
        tied = x.copy()
        try:
            for offset in self.offsets():
                x[...] = tied + offset
                there = self.bench.backward(self.dy).gradients["x"]
                if there is not None and np.allclose(there, dx, rtol=0, atol=slack):
                    return True
            return False
        finally:
            x[...] = tied


def judge_ties(report: Report, subject: Subject, x: np.ndarray, dy: np.ndarray, how: tuple[float, int]) -> None:
    """Add to a report that is right so far whether dx lies between the slopes on either side of x.

    It stays as it is where no kink is met and nothing is wrong. Half the step must give the same slopes, or there is no
    verdict. Nor is there one against a layer that has layers, or a matrix of weights, inside: two kinks may meet in one
    output, and the chain rule, which chooses a side for each by itself, then need not lie between the slopes of the whole.
    """
    bench = Bench(subject, {"x": x}, subject.wide)
    if any(w.ndim > 1 for name, w in bench.arrays.items() if name != "x"):
        return
    dx, y = bench.backward(dy).gradients["x"], bench.forward()
    if dx is None or dx.shape != x.shape or not np.isfinite(y).all():
        return
    rounding = max(float(np.finfo(array.dtype).eps) for array in (y, dx))
    tie = Tie(bench, y.astype(float), dy, how[0], rounding**0.5, how[1])
    finding = _between(tie, dx)
    if not (finding.on_kinks.any() or finding.wrong.any()):
        return
    misses = "" if finding.wrong.any() else _missed_together(tie, dx)
    if (finding.wrong.any() or misses) and tie.is_gradient_nearby(dx):
        low, high = finding.sides or (dx, dx)
        finding.sides, finding.numeric, misses = (np.minimum(low, dx), np.maximum(high, dx)), dx, ""
    if (finding.wrong.any() or misses) and is_composition(subject.layer):
        report.notes.append("on ties it is undecided: several layers meet there, each of which may choose a side by itself")
        return
    report.findings.append(finding)
    if misses:
        report.on_ties["x"] = misses


def _between(tie: Tie, dx: np.ndarray) -> Finding:
    """Whether dx lies between the slopes, coordinate by coordinate; those that do not are looked at from nearby, too."""
    low, high, curved = np.zeros(dx.shape), np.zeros(dx.shape), np.zeros(dx.shape, bool)
    for at in counted(list(np.ndindex(dx.shape)), "x on ties"):
        low[at], high[at], curved[at] = tie.range_of(at)
    finding = Finding("x", dx, np.clip(dx, low, high), curved, tie.tolerance, (low, high))
    for at in map(tuple, np.argwhere(finding.wrong)):
        low[at], high[at], _ = tie.range_of(at, nearby=True)
    finding.numeric = np.clip(dx, low, high)
    return finding


def _missed_together(tie: Tie, dx: np.ndarray) -> str:
    """Describe equal maxima that each take all of a gradient: all of x, or a slice of it, is moved together."""
    parts: list[tuple[tuple[Any, ...], str]] = [((), "all of x")]
    for axis, n in enumerate(dx.shape[:2]):
        parts += [((*(slice(None),) * axis, i), f"x[{', '.join([':'] * axis + [str(i)])}]") for i in range(n)]
    for at, what in parts:
        low, high, curved = tie.range_of(at)
        total, slack = dx[at].sum(dtype=float), tie.tolerance * np.abs(dx).sum()
        if not curved and not low - slack <= total <= high + slack:
            low, high, _ = tie.range_of(at, nearby=True)
            allowed = f"{low:.10g}" if low == high else f"between {low:.10g} and {high:.10g}"
            if not low - slack <= total <= high + slack:
                return f"on ties dx adds up to {total:.10g}; moving {what} together, the slope is {allowed}"
    return ""


def is_composition(layer: object) -> bool:
    """Whether a layer has layers inside."""
    inner = list(vars(layer).values()) if hasattr(layer, "__dict__") else []
    for value in list(inner):
        if isinstance(value, dict):
            inner += value.values()
        elif isinstance(value, list | tuple):
            inner += value
    return any(hasattr(part, "forward") and hasattr(part, "backward") for part in inner)
