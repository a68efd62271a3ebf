"""What a gradient check found: which array, where, how wrong, and what such a pattern usually means."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

import numpy as np

AXES = {1: "i", 2: "ni", 3: "nct", 4: "nchw"}
WEIGHT_AXES = AXES | {2: "oi", 4: "ocpq"}
HOW = {
    "exact": "every coordinate, no tolerance",
    "complex": "every coordinate by the complex step",
    "richardson": "every coordinate by Richardson's extrapolation",
    "adjoint": "the adjoint identity",
    "steps": "every parameter after a few steps",
}


@dataclass
class Finding:
    """One array: what `backward` says beside what the slope of `forward` is.

    Attributes
    ----------
    array : str
        "x", or the name of a parameter.
    analytic : ndarray or None
        From `backward`; None if it left nothing.
    numeric : ndarray
        The slope of `forward`.
    kinks : ndarray of bool
        Where `forward` has no slope, so that there is no verdict.
    tolerance : float
        0 where the two must be equal; otherwise relative to the largest number in the array.
    sides : (ndarray, ndarray) or None
        Of a finding on kinks: the least and the largest value that is accepted; `numeric` is the nearest to `analytic`.
    hint : str
        What the pattern of the errors suggests.
    """

    array: str
    analytic: np.ndarray | None
    numeric: np.ndarray
    kinks: np.ndarray | bool = False
    tolerance: float = 0.0
    sides: tuple[np.ndarray, np.ndarray] | None = None
    hint: str = ""

    @property
    def fits(self) -> bool:
        """Whether `backward` left an array of the right shape."""
        return self.analytic is not None and self.analytic.shape == self.numeric.shape

    @property
    def error(self) -> np.ndarray:
        """|analytic − numeric|, for floats over the largest |numeric|; infinite where nothing can be compared."""
        if not self.fits:
            return np.full(self.numeric.shape, np.inf)
        scale = max(np.abs(self.numeric).max(initial=0.0), 1e-300) if self.tolerance else 1.0
        with np.errstate(invalid="ignore", over="ignore"):
            error = np.abs(self.analytic - self.numeric) / scale
        return np.where(self.kinks, 0.0, np.nan_to_num(error, nan=np.inf, posinf=np.inf))

    @property
    def wrong(self) -> np.ndarray:
        """Where the two differ."""
        return self.error > self.tolerance

    @property
    def on_kinks(self) -> np.ndarray:
        """Where the slopes on the two sides of a kink differ and the value was judged between them."""
        low, high = self.sides or (self.numeric, self.numeric)
        return ~self.kinks & (high - low > self.tolerance * np.abs([low, high]).max(initial=0.0))

    @property
    def worst(self) -> tuple[int, ...]:
        """The coordinate of the largest error."""
        return tuple(int(k) for k in np.unravel_index(np.argmax(self.error), self.error.shape))

    def __str__(self) -> str:
        n, size, kinks, at = int(self.wrong.sum()), self.wrong.size, int(np.sum(self.kinks)), self.worst
        if self.sides is not None:
            judged = f"WRONG: {n} of {size} outside" if n else "any value accepted between"
            verdict = f"at zeros and ties: {self.on_kinks.sum()} on kinks, {judged} the slopes of the two sides"
        else:
            equal = f"agrees to {self.error.max(initial=0.0):.1e}" if self.tolerance else "equal"
            verdict = f"{'WRONG' if n else equal}: {n or size} of {size} coordinates"
            verdict += f"; {kinks} lie on a kink, where there is no slope to compare with" if kinks else ""
        lines = [f"  {self.array:<4} {verdict}"]
        if n and self.fits:
            a, b = self.analytic[at], self.numeric[at]
            slope = f"the slope is {b:.10g}" + (f", ratio {a / b:.6g}" if b else "")
            if self.sides is not None:
                slope = "any value from {:.10g} to {:.10g} is right".format(*(side[at] for side in self.sides))
            axes = ", ".join((AXES if self.array == "x" else WEIGHT_AXES).get(len(at), "?"))
            lines.append(f"       worst at ({axes}) = {at}: backward says {a:.10g}, {slope}")
        lines += [f"       hint: {self.hint}"] if self.hint else []
        lines += ["       where (shaded by error):", *(f"       {row}" for row in _heat_map(self.error))] if n else []
        return "\n".join(lines)


@dataclass
class Report:
    """All that a check found about one layer. It prints well, and a notebook shows it as a picture.

    Attributes
    ----------
    layer : str
    method : str
        "exact", "complex", "richardson", "adjoint" or "steps".
    findings : list of Finding
        One for x, one for each parameter, and perhaps one more for x on kinks.
    faults : dict of str to str
        What is wrong besides the numbers, by array.
    """

    layer: str
    method: str
    findings: list[Finding]
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything compared is right."""
        return not self.wrong_arrays

    @property
    def wrong_arrays(self) -> list[str]:
        """The names of the arrays whose gradient is wrong."""
        wrong = [finding.array for finding in self.findings if finding.wrong.any()]
        return list(dict.fromkeys([*wrong, *self.faults]))

    @property
    def max_error(self) -> float:
        """The largest error of all: 0.0 where all is equal."""
        return float(max(finding.error.max(initial=0.0) for finding in self.findings))

    @property
    def worst(self) -> tuple[str, tuple[int, ...]]:
        """The array and the coordinate of the largest error."""
        finding = max(self.findings, key=lambda finding: finding.error.max(initial=0.0))
        return finding.array, finding.worst

    @property
    def n_kinks(self) -> int:
        """How many coordinates lie on a kink."""
        return int(sum(np.sum(finding.kinks) for finding in self.findings if finding.sides is None))

    def __str__(self) -> str:
        first = f"{self.layer}: {'right' if self.ok else 'NOT right'} ({HOW[self.method]})"
        return "\n".join([first, *map(str, self.findings), *(f"  fault: {fault}" for fault in self.faults.values())])

    @np.errstate(all="ignore")
    def _repr_png_(self) -> bytes:
        from matplotlib.figure import Figure

        from acai.plots import error_map

        picture, figure = io.BytesIO(), Figure(figsize=(4 * len(self.findings), 3.5), layout="constrained")
        for axis, finding in zip(figure.subplots(1, len(self.findings), squeeze=False)[0], self.findings):
            error_map(finding, axis)
        figure.savefig(picture, format="png", dpi=90)
        return picture.getvalue()


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
        return p is not None and p.shape == q.shape and np.allclose(p, q, rtol=max(finding.tolerance, 1e-12), atol=0)

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


def _heat_map(error: np.ndarray) -> list[str]:
    """Rows of shades, darker where the error is larger: (n, c, h, w) becomes n·h rows of c·w, at most 16 of 64."""
    if error.ndim > 4:
        error = error.reshape(-1, *error.shape[-3:])
    N, C, H, W = (1,) * (4 - error.ndim) + error.shape
    grid = np.minimum(error, 1e300).reshape(N, C, H, W).transpose(0, 2, 1, 3).reshape(N * H, C * W)[:16, :64]
    shades = np.ceil(4 * grid / (grid.max(initial=0.0) or 1.0)).astype(int)
    return ["".join("·░▒▓█"[shade] for shade in row) for row in shades]
