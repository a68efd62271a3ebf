"""What the pattern of a gradient's errors usually means."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np

from acai.gradcheck.report import Finding

Shapes = Sequence[tuple[str, tuple[int, ...]]]


@np.errstate(divide="ignore", invalid="ignore")
def hint(finding: Finding, earlier: np.ndarray | None, ones: np.ndarray | None, shapes: Shapes = ()) -> str:
    """Say what an error of this pattern usually is; "" if nothing is wrong, or the pattern is unknown.

    Parameters
    ----------
    finding : Finding
        What was found about one array.
    earlier, ones : ndarray or None
        The same gradient in the pass before this one, and for an upstream gradient of ones.
    shapes : sequence of (str, tuple of int)
        What arrays there are, and their shapes: a factor may be made up of their dimensions.
    """
    a, b, wrong = finding.analytic, finding.numeric, finding.wrong
    if not wrong.any():
        return ""
    if a is None:
        return "backward returns nothing; expected dx" if finding.array == "x" else f"backward leaves no {finding.array!r} in grads"
    if a.shape != b.shape:
        turned = a.ndim == 2 and np.array_equal(a.T, b)
        if turned:
            return "it is the transpose of the right one"
        values = ": right values in the wrong shape" if a.size == b.size and np.allclose(a.ravel(), b.ravel(), rtol=1e-6) else ""
        return f"its shape is {a.shape}; expected {b.shape}{values}"
    a, b, wrong = np.atleast_1d(a, b, wrong)
    if not np.isfinite([a, b]).all():
        return "some of it is not finite: something overflows, or is divided by zero"

    def same(p: np.ndarray | np.generic | None, q: np.ndarray | np.generic) -> bool:
        rounding = finding.tolerance * np.abs(b).max()
        return p is not None and p.shape == q.shape and np.allclose(p, q, rtol=max(finding.tolerance, 1e-12), atol=rounding)

    def first_alone(axis: int) -> bool:
        return a.ndim > axis + 1 and a.shape[axis] > 1 and not wrong.take(0, axis).any()

    largest = np.abs(b).argmax()
    factor, part = a.flat[largest] / (b.flat[largest] or 1.0), a[wrong][0] / b[wrong][0]
    ratio, simple = (Fraction(float(np.clip(f, -1e300, 1e300))).limit_denominator(1000) for f in (factor, part))
    # One number is always some multiple of another: there only k, k/2, 1/k and 2/k tell, what a missing 2 or N leaves.
    tells = wrong.sum() > 1 or (min(abs(simple.numerator), simple.denominator) <= 2 and same(part, np.float64(simple)))
    partly = tells and not wrong.all() and same(a[wrong], part * b[wrong])
    inside = wrong[..., 1:-1] if a.ndim < 3 or a.shape[-2] == 1 else wrong[..., 1:-1, 1:-1]
    patterns = (
        (not a.any(), "it is zero everywhere: the upstream gradient never arrives, or the result is not kept"),
        (same(ones, a), "the upstream gradient dy has no influence on it"),
        (same(earlier, a), "it is the gradient of an earlier pass: forward does not renew what backward uses"),
        (same(earlier, a - b), "it is added to the gradient of the pass before: `=` is meant, not `+=`"),
        (same(-a, b), "the sign is turned round"),
        (tells and same(a, factor * b), f"it is {ratio} times the right one everywhere: {_made_up(ratio, shapes)}"),
        *((same(p, q), said) for said, p, q in _moves(a, b)),
        *((same(np.broadcast_to(p, a.shape), a), said) for said, p in _reduced(b)),
        (_is_last_alone(a, b, same), "only the last step of axis 1 (time) has a gradient: it is not handed back to those before"),
        (first_alone(0), "only entry 0 of axis 0 (the batch, for x) is right"),
        (a.ndim > 2 and inside.size and not inside.any(), "only the borders are wrong: look at the padding"),
        (first_alone(1), "only entry 0 of axis 1 (the channel) is right"),
        (not a[wrong].any(), "where it is wrong it is zero: what should arrive is dropped, or written over"),
        (not b[wrong].any(), "where it is wrong it should be zero: something arrives from nowhere; look at the mask"),
        (_is_nearly(a, b), "it is off by less than two in a hundred everywhere: an ε, or a digit of a constant"),
        (partly, f"where it is wrong it is {part:.6g} times the right one, elsewhere it is right"),
    )
    return next((said for seen, said in patterns if seen), "")


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


def _is_last_alone(a: np.ndarray, b: np.ndarray, same: Callable[..., bool]) -> bool:
    """Whether all but the last step of axis 1 is zero, and the last one right."""
    return a.ndim > 2 and a.shape[1] > 1 and not a[:, :-1].any() and bool(b[:, :-1].any()) and same(a[:, -1], b[:, -1])


def _is_nearly(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether every number is off by less than two in a hundred."""
    return bool(a.size > 1 and (np.abs(a - b) <= 0.02 * np.abs(b)).all())


def exchanged(findings: Sequence[Finding]) -> None:
    """Say of two arrays that each has the gradient of the other, if that is so."""
    for one, other in combinations([finding for finding in findings if finding.wrong.any() and finding.fits], 2):
        if one.numeric.shape == other.numeric.shape:
            pairs = ((one.analytic, other.numeric), (other.analytic, one.numeric))
            if all(np.allclose(np.asarray(p), q, rtol=1e-6, atol=1e-9 * np.abs(q).max(initial=0.0)) for p, q in pairs):
                one.hint = f"it is the gradient of {other.array}: the two are exchanged"
                other.hint = f"it is the gradient of {one.array}: the two are exchanged"


def of_the_jacobian(finding: Finding, dy: np.ndarray, own_slope: Callable[[tuple[int, ...]], float]) -> str:
    """Say what is wrong with dx where y has the shape of x; "" if nothing can be verified.

    Parameters
    ----------
    dy : ndarray
        The upstream gradient.
    own_slope : callable
        ∂y/∂x of a coordinate by itself.
    """
    a, b = np.asarray(finding.analytic), finding.numeric
    if not finding.fits or b.shape != dy.shape or not np.isfinite(a).all():
        return ""
    close = {"rtol": 1e-5, "atol": 1e-6 * np.abs(b).max(initial=0.0)}
    if all(np.isclose(a[at], own_slope(at) * dy[at], **close) for at in np.ndindex(a.shape)):
        return "only the diagonal of the Jacobian is used: each x has an influence on other y, too"
    ratio = a / dy
    for axis in range(a.ndim) if a.any() else ():
        if a.shape[axis] > 1 and np.allclose(ratio, ratio.mean(axis=axis, keepdims=True), rtol=1e-6):
            return f"it is dy times a constant along axis {axis}: a mean or a variance over it is taken for a constant"
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
