"""The gradient check: differentiate `forward` coordinate by coordinate, without `backward`'s help, and compare.

Convolution, linear layer and MSE are polynomials of degree one or two in each coordinate; ReLU and max pooling are
linear between their kinks. For those (f(w + h) − f(w − h)) / 2h is no approximation, and on small integers there is no
rounding either: the gradients must be *equal* (`exact`). Everything else must *agree* with slopes that are measured
(`slopes`). One point proves little: a layer may be wrong for some signs or sizes only, so every verdict is confirmed on
floats of all signs and sizes (`floats`), and x is put on ties (`ties`).
"""

from collections.abc import Sequence
from functools import partial
from typing import Unpack, overload

import numpy as np

from acai.errors import InputError, shown, unknown
from acai.gradcheck import floats
from acai.gradcheck.calling import CallFailed, checked_array, checked_layer, checked_shape
from acai.gradcheck.exact import NotExact, exact_slopes, is_polynomial
from acai.gradcheck.experiments import Point, explain
from acai.gradcheck.geometries import CheckOptions, GeometryReports, Input, check_geometries
from acai.gradcheck.places import places
from acai.gradcheck.points import ANY, REGIMES, domain_of, float_point, regime_of, tied_x
from acai.gradcheck.randomness import left_alone
from acai.gradcheck.report import Finding, Report
from acai.gradcheck.subject import Bench, Subject
from acai.gradcheck.ties import judge_ties
from acai.gradcheck.trial import Trial
from acai.threads import one_blas_thread

METHODS = ("exact", "complex", "richardson")
ATTEMPTS = 20  # draws of integers, of which some may lie on kinks
FRACTIONS = 5  # and of fractions


@overload
def check(layer: object, x: Input, target: np.ndarray | None = None, **options: Unpack[CheckOptions]) -> Report: ...
@overload
def check(
    layer: object, x: Input, target: np.ndarray | None = None, *, geometries: Sequence[dict[str, object]],
    **options: Unpack[CheckOptions],
) -> GeometryReports: ...
@np.errstate(all="ignore")  # a layer that overflows is found by its numbers
def check(  # noqa: PLR0913 - a layer, its input and the options of the check
    layer: object, x: np.ndarray | tuple[int, ...], target: np.ndarray | None = None, *, method: str = "auto",
    step: float = 0.5, nudge: np.ndarray | None = None, seed: int = 0, between: tuple[float, float] | None = None,
    points: int | None = None, axes: str | None = None, geometries: Sequence[dict[str, object]] | None = None,
) -> Report | GeometryReports:
    """Compare every coordinate of a layer's gradients, by x and by each parameter, with the slope of its `forward`.

    Parameters
    ----------
    layer : object
        Anything with `forward(x)` and `backward(dy)`: a layer, a whole network, a layer of your own. Or a loss, with
        `forward(y, target)` and `backward()`. Its parameters and their gradients are found where people keep them:
        in `params` and `grads`, in attributes `W` and `dW`, in objects with `value` and `grad`. It is copied, not changed.
    x : ndarray or tuple of int
        The point at which to check, with the parameters as they are. Or its shape, and x and the parameters are drawn:
        small integers, small fractions, and floats of all signs and sizes. Then dx is judged once more where x lies on
        kinks, 0, ±1 and ties: any value between the two slopes is right there. Integers are indices, and have no slope.
    target : ndarray, optional
        What a loss compares with.
    method : {"auto", "exact", "complex", "richardson"}
        "auto" is exact where the layer proves to allow it, and Richardson's elsewhere. "complex" is for layers that can
        be applied to complex numbers.
    step : float
        h of the exact check, a power of two.
    nudge : ndarray, optional
        Where x sits on a kink, convention says which slope counts: that at x + nudge, a nudge less than any gap in x.
    seed : int
        Of what is drawn; each array has its own stream of random numbers.
    between : (float, float), optional
        Where x is drawn from, if numbers of any sign and size make no sense.
    points : int, optional
        At how many points of floats every verdict is confirmed: fourteen, and more for a layer of few coordinates, which
        meets fewer cases at each.
    axes : str, optional
        What the axes of x are called in the report, a letter each, as in "nhwc".
    geometries : sequence of dict, optional
        Then `layer` is a class, made with each of these arguments and checked: [{"stride": 1}, {"stride": 2}]. There
        is a report for each, and together they print as "right at stride=1; wrong at stride=2".

    Returns
    -------
    Report
        `.verdict`, `.ok`, `.max_error`, `.worst`; print it, or show it in a notebook.

    Raises
    ------
    NotExact
        If method="exact" is asked for, and the layer is no polynomial of degree two, or rounds.
    InputError
        If there is nothing that could be checked; the message says what was found and what is expected.
    """
    if geometries is not None:
        how = {"target": target, "method": method, "step": step, "seed": seed, "between": between, "points": points, "axes": axes}
        return check_geometries(partial(check, nudge=nudge, **how), layer, x, geometries)
    if method not in ("auto", *METHODS):
        raise unknown("method", method, ("auto", *METHODS))
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise InputError(f"seed={seed!r}; expected a whole number, at least 0")
    if not isinstance(step, int | float) or np.frexp(step)[0] != 0.5:
        raise InputError(f"step={step}; expected a power of two, as 0.5 is, or the steps themselves are rounded")
    if points is not None and (isinstance(points, bool) or not isinstance(points, int | np.integer) or points < 1):
        raise InputError(f"points={points!r}; expected a whole number, at least 1")
    checked_layer(layer, target is not None)
    given = checked_array("x", x) if isinstance(x, np.ndarray) else None
    shape = checked_shape(x) if given is None else given.shape
    if given is not None and not given.size:
        raise InputError(f"x has shape {shape}: there is no coordinate to check")
    if nudge is not None and not (isinstance(nudge, np.ndarray) and nudge.dtype.kind in "fi" and nudge.shape == shape):
        raise InputError(f"nudge={shown(nudge)}; expected an array of numbers of the shape of x, {shape}")
    if axes is not None and (not isinstance(axes, str) or len(axes) != len(shape)):
        raise InputError(f"axes={axes!r}; expected a letter for each of the {len(shape)} axes of x, as in nhwc")
    with left_alone(layer, int(seed)), one_blas_thread():  # small products are faster so, and the same on any machine
        dtype = _dtype_of(layer, given)
        domain = domain_of(between)
        example = float_point(shape, {}, seed, 0, domain=domain)["x"].astype(dtype) if given is None else given
        trial = Trial(_subject(layer, example, target), shape, given, dtype, nudge, step, int(seed), domain, points)
        report = _checked(trial, method)
    for finding in report.findings:
        finding.axes = axes if finding.array == "x" else None
    return report


def _dtype_of(layer: object, given: np.ndarray | None) -> np.dtype:
    """Return the dtype of x, or that of the first parameter."""
    if given is not None and given.dtype.kind == "f":
        return given.dtype
    return next((place.array.dtype for place in places(layer) if place.array.dtype.kind == "f"), np.dtype(float))


def _subject(layer: object, example: np.ndarray, target: np.ndarray | None) -> Subject:
    try:
        return Subject(layer, example, target)
    except CallFailed as error:
        if "IndexError" in str(error) and example.dtype.kind == "f":
            raise InputError(f"{error}; if x holds indices, pass them: x=np.array([[0, 2], [1, 1]])") from error
        raise


def _checked(trial: Trial, method: str) -> Report:
    subject = trial.subject
    if subject.varies:
        reason = "forward is random: it gives different results for the same x, even with every generator put back"
        return Report(subject.name, "none", [], not_checked=[reason])
    report = None
    if method in ("auto", "exact") and trial.domain is ANY:
        report = _exactly(trial)
        if report is None and method == "exact":
            step = f"over steps of {trial.step} it is no parabola, or is rounded"
            raise NotExact(f"{subject.name} cannot be checked exactly: {step}")
    trial.find_domain()
    if report is None:
        report = _measured(trial, "complex" if method == "complex" else "richardson")
    if not report.wrong_arrays:
        _confirm(trial, report)
    x_may_move = trial.given is None or report.n_kinks
    if trial.domain is ANY and subject.has_dx and x_may_move and not report.wrong_arrays:
        _judge_ties(trial, report)
    _say_what_is_missing(trial, report)
    return report


def _exactly(trial: Trial) -> Report | None:
    """Make the report without tolerance; None where the layer does not allow one."""
    subject = trial.subject
    if not all(_is_polynomial(trial, bits) for bits in (1, 5)):
        return None
    for attempt in range(ATTEMPTS if trial.given is None else 1):
        try:
            values = trial.integers(attempt)
            bench = Bench(subject, values)
            dy = trial.upstream(bench.forward())
            beside = Bench(subject, values | {"x": trial.beside(bench.x)})
            slopes = exact_slopes(beside, dy, trial.step)
        except (NotExact, CallFailed):  # one point may lie on a kink, another will not
            continue
        return _compared(trial, "exact", bench, dy, slopes)
    return None


def _is_polynomial(trial: Trial, bits: int) -> bool:
    """Whether the layer is one on fractions; a few draws are tried, for one may lie on a kink."""
    for attempt in range(FRACTIONS if trial.given is None else 1):
        values, h = trial.fractions(bits, attempt)
        try:
            bench = Bench(trial.subject, values, trial.subject.wide)
            told = is_polynomial(bench, trial.upstream(bench.forward()), h, trial.seed + attempt)
        except CallFailed:
            return False
        if told is not None:
            return told
    return False


def _compared(trial: Trial, method: str, bench: Bench, dy: np.ndarray, slopes: dict[str, np.ndarray]) -> Report:
    """Compare the gradients of the second pass with exact slopes."""
    first, second = floats.pass_of(bench, dy)
    findings = []
    for name, slope in slopes.items():
        finding = Finding(name, second.gradients.get(name), slope, np.zeros(slope.shape, bool), exercised=slope != 0)
        findings.append(finding)
        trial.exercised.note(name, slope != 0)
    return _explained(trial, Report(trial.subject.name, method, findings, first.faults | second.faults), bench, dy)


def _explained(trial: Trial, report: Report, bench: Bench, dy: np.ndarray, k: int = 0) -> Report:
    """Add what the errors of each array usually mean, tried at other points of the same regime, too."""
    if any(finding.wrong.any() for finding in report.findings):
        turned = {name: w.copy() for name, w in bench.arrays.items()} | {"x": np.flip(bench.x).copy()}
        try:
            earlier = Bench(trial.subject, turned, trial.subject.wide, k).backward(-np.flip(dy)).gradients
        except CallFailed:
            earlier = {}
        others = [
            Point(*tried, floats.upstream_of(trial.subject, tried[1], trial.seed, j))
            for j in range(k + len(REGIMES), k + 4 * len(REGIMES), len(REGIMES)) if (tried := trial.bench(j))
        ]
        explain(report.findings, Point(bench, bench.forward(), dy), others, earlier)
    return report


def _measured(trial: Trial, method: str) -> Report:
    """Every coordinate of every array at one point, by the complex step or by Richardson's extrapolation."""
    subject = trial.subject
    n_tried = len(REGIMES) * (20 if subject.is_random else 1)  # with what a mask drops, forward may divide by zero
    for k in range(n_tried):
        values = trial.floats(k)
        if trial.given is not None or trial.bench(k) is not None:
            break
    else:
        reason = "forward gives no finite numbers, neither for x of any sign and size, nor between 0 and 1; give x"
        return Report(subject.name, "none", [], not_checked=[reason])
    own = Bench(subject, values, n_drawn=k)
    dy = floats.upstream_of(subject, own.forward(), trial.seed, k)
    first, second = floats.pass_of(own, dy)
    slopes = Bench(subject, values | {"x": trial.beside(own.x)}, complex if method == "complex" else subject.wide, k)
    findings = [floats.by_coordinates(slopes, name, second.gradients.get(name), dy) for name in slopes.arrays]
    for finding in findings:
        if finding.exercised is not None:
            trial.exercised.note(finding.array, finding.exercised & ~finding.wrong)
        else:
            trial.exercised.note(finding.array, finding.numeric != 0)
    return _explained(trial, Report(subject.name, method, findings, first.faults | second.faults), own, dy, k)


def _confirm(trial: Trial, report: Report) -> None:
    """Try the layer on floats of all signs and sizes; where it is wrong there, that is what the report shows."""
    first = int(trial.given is not None and report.method == "exact")  # there, every coordinate has been seen at point 0
    last = first + trial.n_points
    wrong = floats.confirm(range(first, last), trial.bench, trial.seed, trial.exercised)
    names = [finding.array for finding in report.findings]
    if not wrong and trial.subject.is_random and not trial.exercised.all_of(names):  # other masks may show what these dropped
        wrong = floats.confirm(range(last, last + 3 * trial.n_points), trial.bench, trial.seed, trial.exercised)
    if wrong:
        regime = f"where x is {regime_of(trial.exercised.failed).name}" if trial.given is None else "near x"
        report.notes.append(f"it is wrong {regime}")
        wrong_names = {finding.array for finding in wrong}
        findings = [finding for finding in report.findings if finding.array not in wrong_names] + wrong
        report.findings = sorted(findings, key=lambda finding: finding.array != "x")
        k = trial.exercised.failed
        at = trial.bench(k)
        if at is not None:
            bench, y = at
            _explained(trial, report, bench, floats.upstream_of(trial.subject, y, trial.seed, k), k)


def _judge_ties(trial: Trial, report: Report) -> None:
    x = tied_x(trial.shape, trial.seed).astype(trial.dtype) if trial.given is None else trial.given
    try:
        y = Bench(trial.subject, {"x": x}, trial.subject.wide).forward()
        judge_ties(report, trial.subject, x, trial.upstream(y), (trial.step, trial.seed))
    except CallFailed:
        return


def _say_what_is_missing(trial: Trial, report: Report) -> None:
    """Count what has been exercised, and say what has not been checked at all."""
    subject = trial.subject
    if trial.domain is not ANY:
        report.notes.append(f"x was drawn from {trial.domain.name}")
    report.not_checked += [f"forward depends on {name}, of which backward leaves no gradient" for name in subject.unchecked]
    if not subject.has_dx and not report.findings:
        report.not_checked.append("x are integers, and there are no parameters: nothing has a slope")
    if report.wrong_arrays:
        return
    bench = None
    for finding in (finding for finding in report.findings if finding.sides is None):
        finding.exercised = trial.exercised.seen.get(finding.array, np.zeros(finding.numeric.shape, bool))
        if not finding.exercised.any() and not np.all(finding.kinks):
            bench = bench or Bench(subject, trial.floats(0), subject.wide)
            if floats.depends(bench, finding.array, trial.seed):
                report.not_checked.append(f"every slope with respect to {finding.array} was 0 at every point, which proves nothing")
            elif subject.is_random:
                report.not_checked.append(f"the random numbers drawn leave nothing of {finding.array}; give a larger shape")
            else:
                report.notes.append(f"forward does not depend on {finding.array}: a gradient of 0 is right")
