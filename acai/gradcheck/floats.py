"""The check on floats: along random directions first, and coordinate by coordinate where those disagree or it is asked for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from acai.errors import InputError
from acai.gradcheck.calling import CallFailed
from acai.gradcheck.points import direction, regime_of, size_of, stream, upstream
from acai.gradcheck.progress import counted
from acai.gradcheck.report import Finding
from acai.gradcheck.slopes import Claim, Line, Slope, complex_step, confirmed, richardson
from acai.gradcheck.subject import Bench, Pass, Subject


@dataclass
class Exercised:
    """Which coordinates have been seen to matter: a slope that is zero everywhere proves nothing.

    Attributes
    ----------
    seen : dict of str to ndarray of bool
        By the name of the array.
    n_points : int
        At how many points of floats everything was finite.
    failed : int
        The point of floats at which something was wrong.
    """

    seen: dict[str, np.ndarray] = field(default_factory=dict)
    n_points: int = 0
    failed: int = 0

    def all_of(self, names: Iterable[str]) -> bool:
        """Whether every coordinate of these arrays has been seen to matter."""
        return all(name in self.seen and bool(self.seen[name].all()) for name in names)

    def note(self, name: str, mask: np.ndarray) -> None:
        """Add coordinates that matter."""
        self.seen[name] = self.seen[name] | mask if name in self.seen else mask.copy()


def bench_at(subject: Subject, values: dict[str, np.ndarray], k: int) -> tuple[Bench, np.ndarray] | None:
    """Create a bench at the k-th point, and y there; None where `forward` cannot be computed or is not finite."""
    try:
        bench = Bench(subject, values, subject.wide, n_drawn=k)
        y = bench.forward()
    except (CallFailed, InputError):
        return None
    return (bench, y) if np.isfinite(y).all() else None


def tolerances(y: np.ndarray, analytic: np.ndarray) -> tuple[float, float]:
    """Return what may be rounding, relative to a slope and relative to the largest slope."""
    epsilon = max(float(np.finfo(array.dtype).eps) for array in (y, analytic))
    return epsilon**0.5, epsilon ** (2 / 3)


def confirm(
    points: Sequence[int], bench_of: Callable[[int], tuple[Bench, np.ndarray] | None], seed: int, exercised: Exercised
) -> list[Finding]:
    """Compare slopes along random directions at every point; the findings at the first where something is wrong.

    Parameters
    ----------
    points : sequence of int
        The numbers of the points.
    bench_of : callable
        A bench at a point, and y; None where y is not finite.
    """
    for k in counted(points, "points of floats", "point"):
        tried = bench_of(k)
        if tried is None:
            continue
        bench, y = tried
        dy = upstream_of(bench.subject, y, seed, k)
        said = bench.backward(dy).gradients
        if not all(dw is None or np.isfinite(dw).all() for dw in said.values()) and regime_of(k).is_large:
            continue  # large numbers may overflow in the backward pass only
        exercised.n_points += 1
        suspects = [name for name in bench.arrays if not _agrees_along(bench, name, said.get(name), (dy, y), (seed, k, exercised))]
        findings = [by_coordinates(bench, name, said.get(name), dy) for name in suspects]
        if any(finding.wrong.any() for finding in findings):
            exercised.failed = k
            return findings
    return []


def upstream_of(subject: Subject, y: np.ndarray, seed: int, k: int) -> np.ndarray:
    """Draw dy for a point; a loss that returns one value per sample is summed."""
    dy = upstream(y, seed, k)
    if subject.is_loss:
        dy[...] = dy.flat[0]
    return dy


def _agrees_along(
    bench: Bench, name: str, analytic: np.ndarray | None, at: tuple[np.ndarray, np.ndarray], which: tuple[int, int, Exercised]
) -> bool:
    (dy, y), (seed, k, exercised), w = at, which, bench.arrays[name]
    if analytic is None or analytic.shape != w.shape or not np.isfinite(analytic).all():
        return False
    relative, _ = tolerances(y, analytic)
    d = direction(w, seed, k)
    shares = np.abs(analytic * d)
    whole = float(shares.sum(dtype=float))
    claim = Claim(float((analytic * d).sum(dtype=float)), relative * whole)
    line = partial(bench.along, name, d)
    slope = confirmed(line, dy, y, claim) or richardson(line, dy, 1.0, 1, 0.01 * claim.tolerance, y)
    if abs(claim.value - slope.value) > claim.tolerance + 20 * slope.uncertainty:
        return False
    if 100 * slope.uncertainty > 1e-3 * whole and slope.uncertainty > 1e-9 * float(np.abs(dy * y).sum(dtype=float)):
        return False  # too uncertain to prove anything
    exercised.note(name, shares > 100 * (slope.uncertainty + relative * whole))
    return True


def by_coordinates(bench: Bench, name: str, analytic: np.ndarray | None, dy: np.ndarray) -> Finding:
    """One array, coordinate by coordinate, each slope with what it may be off by."""
    w, y = bench.arrays[name], bench.forward()
    numeric, unsure, kinks = np.zeros(w.shape), np.zeros(w.shape), np.zeros(w.shape, bool)
    is_complex = w.dtype.kind == "c"
    size = size_of(np.abs(w))
    claims = _Claims(analytic, numeric, y)
    for at in counted(list(np.ndindex(w.shape)), name):
        line = partial(bench.moved, name, at)
        if is_complex:
            slope = complex_step(line, dy)
        else:
            slope = claims.confirmed(at, line, dy, size) or richardson(line, dy, size, 0, claims.enough, y)
        numeric[at], unsure[at], kinks[at] = slope.value, slope.uncertainty, slope.is_kink
    finding = Finding(name, analytic, numeric, kinks, 1e-13)
    if not is_complex:
        relative, of_largest = claims.tolerances
        largest = np.abs(numeric).max(initial=0.0)
        finding.tolerance = relative
        finding.allowed = relative * np.abs(numeric) + of_largest * largest + 20 * unsure
        unseen = _unseen(numeric, y, dy, size)
        finding.allowed += unseen
        finding.exercised = (unseen == 0) & (np.abs(numeric) > 100 * unsure + 1e-9 * of_largest * largest)
    if finding.wrong.any() and not is_complex:
        _doubt(bench, finding, dy, size)
    return finding


def _unseen(numeric: np.ndarray, y: np.ndarray, dy: np.ndarray, size: float) -> np.ndarray:
    """Compute how large the slopes may be that do not show in numbers about 1; 0 for a slope that can be seen.

    They are where y stays the same to the last bit, as a loss of 0 does, and where 1 + tanh x, far out on the left, is a
    staircase, of which a difference sees a single stair.
    """
    limit = 16 * float(np.finfo(y.dtype).eps) * float(np.abs(dy).sum(dtype=float)) * max(size, 1 / size)
    is_unseen = np.abs(numeric) <= min(limit, 1e-6 * float(np.abs(numeric).max(initial=0.0)))
    return np.where(is_unseen, limit, 0.0)


class _Claims:
    """The slopes that `backward` claims: most of them are confirmed in less time than measuring them would take."""

    def __init__(self, analytic: np.ndarray | None, numeric: np.ndarray, y: np.ndarray) -> None:
        self.y, self.tolerances = y, tolerances(y, numeric if analytic is None else analytic)
        fits = analytic is not None and analytic.shape == numeric.shape and analytic.dtype.kind == "f"
        self.values = analytic if fits and np.isfinite(np.asarray(analytic)).all() else None
        self.largest = 0.0 if self.values is None else float(np.abs(self.values).max(initial=0.0))
        self.n_tried = self.n_failed = 0  # the failures in a row
        self.enough = 0.05 * self.tolerances[1] * self.largest

    def confirmed(self, at: tuple[int, ...], line: Line, dy: np.ndarray, size: float) -> Slope | None:
        """Confirm the claim about one coordinate; where many have failed, few are tried."""
        self.n_tried += 1
        if self.values is None or (self.n_failed > 4 and self.n_tried % 4):
            return None
        value = float(self.values[at])
        relative, of_largest = self.tolerances
        slope = confirmed(line, dy, self.y, Claim(value, relative * abs(value) + of_largest * self.largest), size)
        self.n_failed = self.n_failed + 1 if slope is None else 0
        return slope


def _doubt(bench: Bench, finding: Finding, dy: np.ndarray, size: float) -> None:
    """Measure once more, by other steps, what seems to be wrong: only what both measurements deny is wrong.

    And where all terms of a gradient cancel, what is left of them is rounding.
    """
    kinks, y = np.asarray(finding.kinks), bench.forward()
    if not finding.fits or finding.allowed is None:
        return
    finding.allowed = finding.allowed + _rounding(bench, finding, dy, size)
    wrong = np.argwhere(finding.wrong)
    for at in map(tuple, wrong[:64]):
        line, first = partial(bench.moved, finding.array, at), Claim(float(finding.numeric[at]), float(finding.allowed[at]))
        again = confirmed(line, dy, y, first, 0.37 * size) or richardson(line, dy, 0.37 * size, 1, middle=y)
        gap = abs(again.value - finding.numeric[at])
        finding.allowed[at] += 5 * gap + 20 * again.uncertainty
        kinks[at] |= again.is_kink


def _rounding(bench: Bench, finding: Finding, dy: np.ndarray, size: float) -> float:
    """Measure what rounding does to a gradient, as the last bits of x and dy change; on a tie that would be no rounding."""
    epsilon = float(np.finfo(np.asarray(finding.analytic).dtype).eps)
    natural = epsilon * float(np.abs(dy).sum(dtype=float) * np.abs(bench.forward()).max()) / size
    base = bench.backward(dy).gradients[finding.array]
    x = bench.x.copy()
    most = 0.0
    for k in range(3):
        rng = stream("last bits", k)
        if bench.subject.has_dx:
            bench.x[...] = x * (1 + 16 * epsilon * rng.uniform(-1.0, 1.0, x.shape))
        shaken = bench.backward(dy * (1 + 16 * epsilon * rng.uniform(-1.0, 1.0, dy.shape))).gradients[finding.array]
        bench.x[...] = x
        if base is not None and shaken is not None and base.shape == shaken.shape:
            most = max(most, float(np.abs(base - shaken).max(initial=0.0)))
    return 1024 * natural + min(4 * most, 2.0**20 * natural)


def depends(bench: Bench, name: str, seed: int) -> bool:
    """Whether y changes at all as an array is moved far: if not, a gradient of zero is right."""
    y, w = bench.forward(), bench.arrays[name]
    rounding = 1e-6 if y.dtype.itemsize < 8 else 1e-10
    for j, far in enumerate((0.1, 1.0, 7.0)):
        moved = bench.along(name, direction(w, seed, 99, j), far)
        if moved.shape != y.shape or not np.abs(moved - y).max() <= rounding * np.abs(y).max():
            return True
    return False


def pass_of(bench: Bench, dy: np.ndarray) -> tuple[Pass, Pass]:
    """Return the first pass, and a second after another with x and dy reversed, which should leave no trace."""
    first = bench.backward(dy)
    if any(name in bench.subject.params | bench.subject.unchecked for name in first.faults):
        return first, first
    x = np.flip(bench.x).copy()
    try:
        return first, bench.backward(dy, (x, -np.flip(dy)))
    except CallFailed:
        return first, first
