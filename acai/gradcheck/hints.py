"""What the pattern of a gradient's errors usually means."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np

from acai.gradcheck.report import Finding


@np.errstate(divide="ignore", invalid="ignore")
def hint(finding: Finding, earlier: np.ndarray | None, ones: np.ndarray | None) -> str:
    """What an error of this pattern usually is; "" if nothing is wrong, or no pattern known.

    Parameters
    ----------
    finding : Finding
        What was found about one array.
    earlier, ones : ndarray or None
        The same gradient in the pass before this one, and for an upstream gradient of ones.
    """
    a, b, wrong = finding.analytic, finding.numeric, finding.wrong
    if not wrong.any():
        return ""
    if a is None:
        return "backward returns nothing; expected dx" if finding.array == "x" else f"backward leaves no {finding.array!r} in grads"
    if a.shape != b.shape:
        turned = a.ndim == 2 and np.array_equal(a.T, b)
        return "it is the transpose of the right one" if turned else f"its shape is {a.shape}; expected {b.shape}"
    a, b, wrong = np.atleast_1d(a, b, wrong)
    if not np.isfinite([a, b]).all():
        return "some of it is not finite: something overflows, or is divided by zero"

    def same(p: np.ndarray | None, q: np.ndarray) -> bool:
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
    alike = a.ndim > 1 and len(a) > 1 and (a == a[:1]).all() and not (b == b[:1]).all()
    inside = wrong[..., 1:-1] if a.ndim < 3 or a.shape[-2] == 1 else wrong[..., 1:-1, 1:-1]
    patterns = (
        (not a.any(), "it is zero everywhere: the upstream gradient never arrives, or the result is not kept"),
        (same(ones, a), "the upstream gradient dy has no influence on it"),
        (same(earlier, a), "it is the gradient of an earlier pass: forward does not renew what backward uses"),
        (same(earlier, a - b), "it is added to the gradient of the pass before: `=` is meant, not `+=`"),
        (same(-a, b), "the sign is turned round"),
        (tells and same(a, factor * b), f"it is {ratio} times the right one everywhere: a factor is missing or too many (2? N?)"),
        *((same(p, q), said) for said, p, q in _moves(a, b)),
        (alike, "all entries of axis 0 (the batch, for x) are the same: they are mixed, or the first is used for all"),
        (first_alone(0), "only entry 0 of axis 0 (the batch, for x) is right: the others are mixed up with it"),
        (a.ndim > 2 and inside.size and not inside.any(), "only the borders are wrong: look at the padding"),
        (first_alone(1), "only entry 0 of axis 1 (the channel) is right: channels are mixed, or one is used for all"),
        (not a[wrong].any(), "where it is wrong it is zero: what should arrive is dropped, or written over"),
        (not b[wrong].any(), "where it is wrong it should be zero: something arrives from nowhere; look at the mask"),
        (partly, f"where it is wrong it is {part:.6g} times the right one, elsewhere it is right"),
    )
    return next((said for seen, said in patterns if seen), "")


def _moves(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The ways in which right numbers may stand in wrong places: what to say, and which two arrays are the same then."""
    for k, other in combinations(range(a.ndim), 2):
        yield f"axes {k} and {other} are exchanged: it is transposed", a.swapaxes(k, other), b
    for axes in [*combinations(range(a.ndim), 1), *combinations(range(a.ndim), 2)]:
        yield f"it is flipped along axis {' and '.join(map(str, axes))}", np.flip(a, axes), b
    for k in range(a.ndim):
        for p, q in ((a, b), (b, a)) if a.shape[k] > 3 and np.count_nonzero(b) > 4 else ():
            said = f"it is moved by one along axis {k}: look at stride, padding and where ranges begin"
            yield said, np.delete(p, 0, k), np.delete(q, -1, k)
