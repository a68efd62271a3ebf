"""What the pattern of a gradient's errors usually means."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np

from acai.gradcheck.report import Finding

Shapes = Sequence[tuple[str, tuple[int, ...]]]
Same = Callable[[np.ndarray | np.generic | None, np.ndarray | np.generic], bool]


@dataclass
class Sample:
    """Some coordinates of a gradient at another point.

    Attributes
    ----------
    at : ndarray of int, shape (ndim, n)
        Which coordinates.
    a, b : ndarray, shape (n,)
        What `backward` says, and the slopes.
    tolerance : float
        What may be rounding.
    """

    at: np.ndarray
    a: np.ndarray
    b: np.ndarray
    tolerance: float

    @property
    def wrong(self) -> np.ndarray:
        """Which of them are wrong."""
        return ~self.near(self.a, self.b)

    def near(self, p: np.ndarray | float, q: np.ndarray | float) -> np.ndarray:
        """Compare numbers."""
        return np.asarray(np.abs(np.subtract(p, q)) <= self.tolerance)


Claim = Callable[[Sample], bool]  # what a pattern says about every point


@np.errstate(divide="ignore", invalid="ignore")
def of_numbers(finding: Finding, earlier: np.ndarray | None, ones: np.ndarray | None, shapes: Shapes = ()) -> str:
    """Say what an error usually is where every wrong number can be predicted: that all agree is proof. "" if none fits.

    Parameters
    ----------
    finding : Finding
        What was found about one array, of which something is wrong.
    earlier, ones : ndarray or None
        The same gradient in the pass before this one, and for an upstream gradient of ones.
    shapes : sequence of (str, tuple of int)
        What arrays there are, and their shapes: a factor may be made up of their dimensions.
    """
    if finding.analytic is None or not finding.fits:
        return _misshapen(finding)
    if not np.isfinite([finding.analytic, finding.numeric]).all():
        return "some of it is not finite: something overflows, or is divided by zero"
    return next((said for seen, said in _of_all_numbers(finding, earlier, ones, shapes) if seen), "")


@np.errstate(divide="ignore", invalid="ignore")
def of_places(finding: Finding, shows: Callable[[Claim], bool]) -> str:
    """Say what an error usually is by where it is: at one point this may be chance, so others have to show it, too.

    Parameters
    ----------
    shows : callable
        Whether other points bear out a claim.
    """
    if not finding.fits or not np.isfinite([np.asarray(finding.analytic), finding.numeric]).all():
        return ""
    return next((said for seen, said, claim in _of_places(finding) if seen and shows(claim)), "")


def _misshapen(finding: Finding) -> str:
    """Say what is wrong with a gradient that is missing, or has another shape."""
    a, b = finding.analytic, finding.numeric
    if a is None:
        return "backward returns nothing; expected dx" if finding.array == "x" else f"backward leaves no {finding.array!r} in grads"
    if a.ndim == 2 and np.array_equal(a.T, b):
        return "it is the transpose of the right one"
    has_values = a.size == b.size and np.allclose(a.ravel(), b.ravel(), rtol=1e-6)
    return f"its shape is {a.shape}; expected {b.shape}{': right values in the wrong shape' if has_values else ''}"


def _of_all_numbers(
    finding: Finding, earlier: np.ndarray | None, ones: np.ndarray | None, shapes: Shapes
) -> Iterator[tuple[bool, str]]:
    """Yield whether each pattern is seen, and what it means."""
    a, b = np.atleast_1d(np.asarray(finding.analytic), finding.numeric)
    same = _comparison(finding)
    yield not a.any(), "it is zero everywhere: the upstream gradient never arrives, or the result is not kept"
    yield same(ones, a), "the upstream gradient dy has no influence on it"
    yield same(earlier, a), "it is the gradient of an earlier pass: forward does not renew what backward uses"
    yield same(earlier, a - b), "it is added to the gradient of the pass before: `=` is meant, not `+=`"
    yield same(-a, b), "the sign is turned round"
    largest = np.abs(b).argmax()
    factor = a.flat[largest] / (b.flat[largest] or 1.0)
    ratio = _fraction(factor)
    if _tells(finding) and same(a, factor * b):
        yield True, f"it is {ratio} times the right one everywhere: {_made_up(ratio, shapes)}"
    for said, p, q in _moves(a, b):
        yield same(p, q), said
    for said, p in _reduced(b):
        yield same(np.broadcast_to(p, a.shape), a), said


def _of_places(finding: Finding) -> Iterator[tuple[bool, str, Claim]]:
    """Yield whether each pattern of places is seen, what it means, and what must then be true elsewhere."""
    a, b, wrong = np.atleast_1d(np.asarray(finding.analytic), finding.numeric, finding.wrong)
    if a.ndim > 2 and a.shape[1] > 1:
        T = a.shape[1]
        is_last_alone = not a[:, :-1].any() and bool(b[:, :-1].any()) and not wrong[:, -1].any()
        said = "only the last step of axis 1 (time) has a gradient: it is not handed back to those before"
        yield is_last_alone, said, lambda s: not s.a[s.at[1] < T - 1].any() and not s.wrong[s.at[1] == T - 1].any()
    yield _first_alone(wrong, 0, "only entry 0 of axis 0 (the batch, for x) is right")
    if a.ndim > 2:
        axes = (a.ndim - 1,) if a.shape[-2] == 1 else (a.ndim - 2, a.ndim - 1)
        inside = wrong[..., 1:-1] if len(axes) == 1 else wrong[..., 1:-1, 1:-1]
        are_borders = bool(inside.size) and not inside.any()
        yield are_borders, "only the borders are wrong: look at the padding", _inside_is_right(a.shape, axes)
    yield _first_alone(wrong, 1, "only entry 0 of axis 1 (the channel) is right")
    said = "where it is wrong it is zero: what should arrive is dropped, or written over"
    yield not a[wrong].any(), said, lambda s: not s.a[s.wrong].any()
    said = "where it is wrong it should be zero: something arrives from nowhere; look at the mask"
    yield not b[wrong].any(), said, lambda s: bool(s.near(s.b[s.wrong], 0.0).all())
    said = "it is off by less than two in a hundred everywhere: compare every ε and every constant with those in forward"
    is_nearly = a.size > 1 and bool((np.abs(a - b) <= 0.02 * np.abs(b)).all())
    yield is_nearly, said, lambda s: bool((np.abs(s.a - s.b) <= 0.02 * np.abs(s.b) + s.tolerance).all())
    part = a[wrong][0] / b[wrong][0]
    is_partly = _tells(finding) and not wrong.all() and _comparison(finding)(a[wrong], part * b[wrong])
    said = f"where it is wrong it is {part:.6g} times the right one, elsewhere it is right"
    yield is_partly, said, lambda s: bool(s.near(s.a[s.wrong], part * s.b[s.wrong]).all())


def _comparison(finding: Finding) -> Same:
    """Return what compares numbers of a gradient, with the tolerance of its finding."""
    rounding = finding.tolerance * np.abs(finding.numeric).max()
    close = {"rtol": max(finding.tolerance, 1e-12), "atol": rounding}

    def same(p: np.ndarray | np.generic | None, q: np.ndarray | np.generic) -> bool:
        return p is not None and p.shape == q.shape and np.allclose(p, q, **close)

    return same


def _fraction(factor: float) -> Fraction:
    return Fraction(float(np.clip(factor, -1e300, 1e300))).limit_denominator(1000)


def _tells(finding: Finding) -> bool:
    """Whether a factor between wrong numbers and right ones says something.

    One number is always some multiple of another: there only k, k/2, 1/k and 2/k tell, what a missing 2 or N leaves.
    """
    wrong = np.atleast_1d(finding.wrong)
    if wrong.sum() > 1:
        return True
    a, b = np.atleast_1d(np.asarray(finding.analytic), finding.numeric)
    factor = a[wrong][0] / b[wrong][0]
    simple = _fraction(factor)
    return min(abs(simple.numerator), simple.denominator) <= 2 and _comparison(finding)(factor, np.float64(simple))


def _first_alone(wrong: np.ndarray, axis: int, said: str) -> tuple[bool, str, Claim]:
    is_alone = False
    if wrong.ndim > axis + 1 and wrong.shape[axis] > 1:
        first, *others = np.moveaxis(wrong, axis, 0)
        is_alone = not first.any() and all(entry.any() for entry in others)
    return is_alone, said, lambda s: not s.wrong[s.at[axis] == 0].any() and bool((s.at[axis] == 0).any())


def _inside_is_right(shape: tuple[int, ...], axes: Sequence[int]) -> Claim:
    def claim(s: Sample) -> bool:
        inside = np.all([(s.at[axis] > 0) & (s.at[axis] < shape[axis] - 1) for axis in axes], axis=0)
        return bool(inside.any()) and not s.wrong[inside].any()

    return claim


def _made_up(ratio: Fraction, shapes: Shapes) -> str:
    """Which dimensions make up a factor, as 18 = 3·3·2 does; the shortest product there is."""
    n = max(abs(ratio.numerator), ratio.denominator)
    for length in (1, 2, 3, 4):
        for array, shape in shapes:
            choices = combinations(range(len(shape)), length)
            for axes in sorted(choices, key=lambda axes: (axes[-1] - axes[0], -axes[0])):  # neighbours first, as height and width
                if n > 2 and np.prod([shape[axis] for axis in axes]) == n:
                    product = "·".join(str(shape[axis]) for axis in axes)
                    sizes = f"{n} is the size" if length == 1 else f"{n} = {product}, the sizes"
                    return f"{sizes} of axis {' and '.join(map(str, axes))} of {array}"
    return "a factor is missing or too many (2? N?)"


def _reduced(b: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the ways in which a gradient may have been mixed along axis 0: what to say, and the numbers."""
    if b.ndim > 1 and len(b) > 1 and not np.allclose(b, b[:1]):
        yield "every entry of axis 0 (the batch, for x) is the sum over all entries of axis 0", b.sum(axis=0)
        yield "every entry of axis 0 (the batch, for x) is the mean over all entries of axis 0", b.mean(axis=0)
        yield "all entries of axis 0 (the batch, for x) are that of the first", b[0]


def exchanged(findings: Sequence[Finding]) -> None:
    """Say of two arrays that each has the gradient of the other, if that is so."""
    for one, other in combinations([finding for finding in findings if finding.wrong.any() and finding.fits], 2):
        if one.numeric.shape == other.numeric.shape:
            pairs = ((one.analytic, other.numeric), (other.analytic, one.numeric))
            if all(np.allclose(np.asarray(p), q, rtol=1e-6, atol=1e-9 * np.abs(q).max(initial=0.0)) for p, q in pairs):
                one.hint = f"it is the gradient of {other.array}: the two are exchanged"
                other.hint = f"it is the gradient of {one.array}: the two are exchanged"


def of_shapes_alike(finding: Finding, x: np.ndarray, dy: np.ndarray) -> str:
    """Say what is wrong with dx where y has the shape of x; "" if nothing can be verified."""
    a, b = np.asarray(finding.analytic), finding.numeric
    if finding.array != "x" or not finding.fits or b.shape != dy.shape or not np.isfinite(a).all():
        return ""
    same = _comparison(finding)
    if same(b - a, dy):
        return "dy itself is missing from it: the path that leads past the layer is dropped"
    if same(a - b, dy):
        return "dy is added to it once too often: no such path leads past the layer"
    ratio = a / dy
    for axis in range(a.ndim) if a.any() else ():
        if a.shape[axis] > 1 and np.allclose(ratio, ratio.mean(axis=axis, keepdims=True), rtol=1e-6):
            # If y does not change as all of x is moved, or scaled, together, a mean or a variance is what is taken from it
            slack = 1e-6 * np.abs(b).sum(axis=axis) * max(1.0, float(np.abs(x).max()))
            if (np.abs(b.sum(axis=axis)) <= slack).all() or (np.abs((b * x).sum(axis=axis)) <= slack).all():
                return f"it is dy times a constant along axis {axis}: a mean, a variance or a norm over it is taken for a constant"
    return ""


def _moves(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the ways in which correct numbers may be in wrong places: what to say, and which two arrays are then equal."""
    for k, other in combinations(range(a.ndim), 2):
        yield f"axes {k} and {other} are exchanged: it is transposed", a.swapaxes(k, other), b
    for axes in [*combinations(range(a.ndim), 1), *combinations(range(a.ndim), 2)]:
        yield f"it is flipped along axis {' and '.join(map(str, axes))}", np.flip(a, axes), b
    for k in range(a.ndim):
        for p, q in ((a, b), (b, a)) if a.shape[k] > 3 and np.count_nonzero(b) > 4 else ():
            said = f"it is moved by one along axis {k}: look at stride, padding and where ranges begin"
            yield said, np.delete(p, 0, k), np.delete(q, -1, k)
