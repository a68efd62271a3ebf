"""Hints put to the test on the layer itself, at other points: nothing is said that does not hold there, too.

Moving one coordinate of an array changes many outputs, and each change times its dy is a contribution to the gradient; the
sum of all of them is the gradient. Where `backward` loses some of them, its number is the sum of the others: that of the
last window alone if overlaps are overwritten, that of the same time step alone if nothing is handed back through the state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from acai.gradcheck.calling import CallFailed
from acai.gradcheck.hints import Claim, Sample, exchanged, of_numbers, of_places, of_shapes_alike
from acai.gradcheck.points import size_of
from acai.gradcheck.report import Finding
from acai.gradcheck.subject import Bench

WRONG, OTHERS = 16, 8  # coordinates that are tried: some of those that were wrong, and some of the others
Gradients = dict[str, np.ndarray | None]
Index = tuple[int, ...]
Way = tuple[str, np.ndarray]  # what to say, and what is then left for each coordinate
DIAGONAL = "only the diagonal of the Jacobian is used: each x has an influence on other y, too"
OVERLAP = "of all the outputs that a number has an influence on, only one counts: where they overlap, `+=` is meant, not `=`"


@dataclass
class Point:
    """A layer at one point, with an upstream gradient."""

    bench: Bench
    y: np.ndarray
    dy: np.ndarray

    @cached_property
    def gradients(self) -> Gradients:
        """What `backward` says there."""
        return self.bench.backward(self.dy).gradients

    def contributions(self, array: str, at: Index) -> np.ndarray:
        """Measure what each output contributes to one coordinate of a gradient, by a central difference."""
        w = self.bench.arrays[array]
        h = size_of(np.abs(w)) * float(np.finfo(w.dtype).eps ** (1 / 3))
        change: np.ndarray = self.dy * (self.bench.moved(array, at, h) - self.bench.moved(array, at, -h)) / (2 * h)
        return change


class Place:
    """What one gradient looks like at a point, at some of its coordinates: which outputs it is made of."""

    def __init__(self, point: Point, finding: Finding) -> None:
        self.point, self.array = point, finding.array
        chosen = [*_some(np.argwhere(finding.wrong), WRONG), *_some(np.argwhere(~finding.wrong), OTHERS)]
        self.at: list[Index] = [tuple(map(int, index)) for index in chosen]

    @cached_property
    def parts(self) -> np.ndarray:
        """The contributions of all outputs to each coordinate: one row for each."""
        return np.stack([self.point.contributions(self.array, at) for at in self.at])

    @cached_property
    def sample(self) -> Sample | None:
        """The gradients there, of `backward` and measured; None if they cannot be compared."""
        analytic = self.point.gradients.get(self.array)
        if analytic is None or analytic.shape != self.point.bench.arrays[self.array].shape:
            return None
        a = np.array([analytic[at] for at in self.at])
        b = self.parts.reshape(len(self.at), -1).sum(axis=1)
        if not np.isfinite([a, b]).all():
            return None
        epsilon = max(float(np.finfo(array.dtype).eps) for array in (self.parts, analytic))
        return Sample(np.array(self.at).T, a, b, max(1e-6, 100 * epsilon ** (2 / 3)) * float(np.abs(b).max(initial=1e-300)))

    def shows(self, claim: Claim) -> bool:
        """Whether something is wrong here, too, and a claim about it is true."""
        return self.sample is not None and bool(self.sample.wrong.any()) and claim(self.sample)

    def predicted(self) -> Iterator[tuple[str, bool]]:
        """Yield every way of losing contributions, and whether it predicts what `backward` says here."""
        sample = self.sample
        for said, sums in self._ways() if sample is not None else ():
            yield said, bool(sample is not None and sample.near(sample.a, sums).all())

    def _ways(self) -> Iterator[Way]:
        """Yield the ways of losing contributions."""
        parts = self.parts
        if self.array == "x":
            yield from self._in_the_same_place()
        for axis in range(1, parts.ndim):
            for which, k in (("last", -1), ("first", 0)) if parts.shape[axis] > 1 else ():
                said = f"only the {which} entry of axis {axis - 1} of y counts for it: the others are dropped, or written over"
                yield said, parts.take(k, axis).reshape(len(parts), -1).sum(axis=1)
        for n_summed in range(parts.ndim - 1):
            for summed in combinations(range(1, parts.ndim), n_summed):
                sums, counts = (p.sum(axis=summed).reshape(len(p), -1) for p in (parts, np.abs(parts)))
                for k in (-1, 0):
                    yield OVERLAP, np.array([_one_that_counts(*rows, k) for rows in zip(sums, counts)])

    def _in_the_same_place(self) -> Iterator[Way]:
        """Yield the sums over outputs in the same place as x, along all axes or one."""
        shape, parts = self.point.bench.x.shape, self.parts
        if shape == parts.shape[1:]:
            yield DIAGONAL, np.array([row[at] for row, at in zip(parts, self.at)])
        for axis, (n, n_out) in enumerate(zip(shape, parts.shape[1:])):
            if n == n_out > 1:
                said = f"only y at the same place along axis {axis} counts for it: what it does to the others is dropped"
                yield said, np.array([row.take(at[axis], axis).sum() for row, at in zip(parts, self.at)])


def _one_that_counts(sums: np.ndarray, counts: np.ndarray, k: int) -> float:
    """Return the first or the last contribution of those that are not 0; a window's may add up to 0 by chance."""
    counting = sums[counts > 1e-8 * counts.max(initial=0.0)]
    return float(counting[k]) if counting.size else 0.0


def _some(rows: np.ndarray, n: int) -> np.ndarray:
    """At most n rows, spread evenly."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(int)]


def of_a_constant(finding: Finding, here: Point, there: Point) -> str:
    """Say if a gradient is that of y = A w with a constant A, while A depends on w: then ⟨dw, w⟩ = ⟨dy, y⟩ (Euler)."""
    name = finding.array
    if _gap(here, name, finding.numeric) < 1e-3:
        return ""
    if max(_gap(here, name, finding.analytic), _gap(there, name, there.gradients.get(name))) > 1e-6:
        return ""
    what = f"a factor that depends on {name} (a norm, a gate, attention's scores) is taken for a constant: its path is dropped"
    return f"it is the gradient of something proportional to {name}: {what}"


def _gap(point: Point, name: str, dw: np.ndarray | None) -> float:
    """How far ⟨dw, w⟩ is from ⟨dy, y⟩, y counted from where w = 0."""
    w = point.bench.arrays[name]
    if dw is None or dw.shape != w.shape:
        return np.inf
    try:
        at_zero = point.bench.along(name, w.copy(), -1.0)
    except CallFailed:
        return np.inf
    terms = dw * w
    gap = abs(float(terms.sum()) - float((point.dy * (point.y - np.where(np.isfinite(at_zero), at_zero, 0.0))).sum()))
    return gap / float(np.abs(terms).sum() or 1.0)


def explain(findings: Sequence[Finding], here: Point, others: Sequence[Point], earlier: Gradients) -> None:
    """Add to each finding what its errors usually mean, once that has been verified.

    Parameters
    ----------
    here : Point
        Where the findings are from.
    others : sequence of Point
        Where what is said must be true, too.
    earlier : dict of str to (ndarray or None)
        The gradients of the pass before the one that was judged.
    """
    wrong = [finding for finding in findings if finding.wrong.any()]
    ones: Gradients = {}
    if wrong:
        try:
            ones = here.bench.backward(np.ones_like(here.dy)).gradients
        except CallFailed:
            ones = {}
    for finding in wrong:
        name = finding.array
        shapes = [("x", here.bench.x.shape), ("y", here.dy.shape)]
        finding.hint = of_numbers(finding, earlier.get(name), ones.get(name), shapes)
        finding.hint = finding.hint or of_shapes_alike(finding, here.bench.x, here.dy)
        if not finding.hint and others and finding.fits:
            try:
                finding.hint = _by_experiment(finding, here, others)
            except CallFailed:
                continue
    exchanged(findings)


def _by_experiment(finding: Finding, here: Point, others: Sequence[Point]) -> str:
    elsewhere = [Place(point, finding) for point in others]
    for (said, is_so), (_, is_so_elsewhere) in zip(Place(here, finding).predicted(), elsewhere[0].predicted()):
        if is_so and is_so_elsewhere:
            return said
    said = of_a_constant(finding, here, others[0])
    return said or of_places(finding, lambda claim: all(place.shows(claim) for place in elsewhere))
