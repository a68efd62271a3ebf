"""What a gradient check found: which array, where, how wrong, and what such a pattern usually means."""

import io
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

AXES = {1: "i", 2: "ni", 3: "nct", 4: "nchw"}


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
    hint : str
        What the pattern of the errors suggests.
    sides : (ndarray, ndarray) or None
        Of a finding on kinks: the least and the largest value that is accepted; `numeric` is the nearest to `analytic`.
    """

    array: str
    analytic: np.ndarray | None
    numeric: np.ndarray
    kinks: np.ndarray
    tolerance: float
    hint: str = ""
    sides: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def error(self) -> np.ndarray:
        """|analytic − numeric|, for floats over the largest |numeric|; infinite where nothing can be compared."""
        if self.analytic is None or self.analytic.shape != self.numeric.shape:
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
        low, high = (self.numeric, self.numeric) if self.sides is None else self.sides
        return ~self.kinks & (high - low > self.tolerance * max(np.abs(high).max(initial=0.0), np.abs(low).max(initial=0.0)))

    @property
    def worst(self) -> tuple[int, ...]:
        """The coordinate of the largest error."""
        return tuple(int(k) for k in np.unravel_index(np.argmax(self.error), self.error.shape))

    def __str__(self) -> str:
        n, kinks = int(self.wrong.sum()), int(self.kinks.sum())
        verdict = "equal" if self.tolerance == 0 else f"agrees to {self.error.max(initial=0.0):.1e}"
        lines = [f"  {self.array:<4} {'WRONG' if n else verdict}: {n or self.wrong.size} of {self.wrong.size} coordinates"]
        if self.sides is not None:
            judged = f"WRONG: {n} of {self.wrong.size} outside" if n else "any value accepted between"
            lines = [f"  {self.array:<4} at zeros and ties: {self.on_kinks.sum()} on kinks, {judged} the slopes of the two sides"]
        elif kinks:
            lines[0] += f"; {kinks} lie on a kink, where there is no slope to compare with"
        if n and self.analytic is not None and self.analytic.shape == self.numeric.shape:
            a, b = self.analytic[self.worst], self.numeric[self.worst]
            axes = "".join(AXES.get(self.error.ndim, "?"))
            if self.array != "x":
                axes = {2: "oi", 4: "ocpq"}.get(self.error.ndim, axes)
            ratio = f", ratio {a / b:.6g}" if b else ""
            place = f"({', '.join(axes)}) = {self.worst}"
            slope = f"the slope is {b:.10g}{ratio}"
            if self.sides is not None:
                slope = f"any value from {self.sides[0][self.worst]:.10g} to {self.sides[1][self.worst]:.10g} is right"
            lines.append(f"       worst at {place}: backward says {a:.10g}, {slope}")
        if self.hint:
            lines.append(f"       hint: {self.hint}")
        if n:
            lines += ["       where (shaded by error):", *(f"       {row}" for row in heat_map(self.error))]
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
        One for x, one for each parameter.
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
        return not self.faults and not any(finding.wrong.any() for finding in self.findings)

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
        return int(sum(finding.kinks.sum() for finding in self.findings if finding.sides is None))

    def explain(self, earlier: dict[str, np.ndarray], ones: dict[str, np.ndarray]) -> None:
        """Give each wrong array its hint, from its pattern and from the gradients of two other passes."""
        for finding in self.findings:
            if finding.wrong.any():
                finding.hint = hint(finding, earlier.get(finding.array), ones.get(finding.array))

    def __str__(self) -> str:
        how = {
            "exact": "every coordinate, no tolerance",
            "complex": "every coordinate by the complex step",
            "richardson": "every coordinate by Richardson's extrapolation",
            "adjoint": "the adjoint identity",
            "steps": "every parameter after a few steps",
        }[self.method]
        lines = [f"{self.layer}: {'right' if self.ok else 'NOT right'} ({how})", *(str(f) for f in self.findings)]
        return "\n".join([*lines, *(f"  fault: {fault}" for fault in self.faults.values())])

    def _repr_png_(self) -> bytes:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 2.2 * len(self.findings)), layout="constrained")
        for row, finding in zip(np.atleast_2d(figure.subplots(len(self.findings), 3)), self.findings):
            shown = finding.numeric if finding.analytic is None else np.nan_to_num(finding.analytic)
            largest = np.abs(finding.numeric).max(initial=0.0) or 1.0
            error = np.nan_to_num(finding.error, posinf=2 * largest)
            parts = (("backward", shown), ("slope of forward", finding.numeric), ("error", error))
            for axis, (title, values) in zip(row, parts):
                top = error.max(initial=0.0) or 1.0  # without it, a map of zeros would be drawn in the middle colour
                colours = {"cmap": "magma", "vmin": 0, "vmax": top}
                if title != "error":
                    colours = {"cmap": "RdBu", "vmin": -largest, "vmax": largest}
                figure.colorbar(axis.imshow(_flat(values), aspect="auto", **colours), ax=axis)
                axis.set(title=f"{finding.array}: {title}", xticks=[], yticks=[])
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=90)
        return picture.getvalue()


def hint(finding: Finding, earlier: np.ndarray | None, ones: np.ndarray | None) -> str:
    """What an error of this pattern usually is; "" if it has no pattern that is known."""
    a, b, wrong = finding.analytic, finding.numeric, finding.wrong
    if a is None and finding.array == "x":
        return "backward returns nothing; expected dx"
    if a is None:
        return f"backward leaves no {finding.array!r} in grads"
    if a.shape != b.shape:
        turned = a.ndim == 2 and np.array_equal(a.T, b)
        return "it is the transpose of the right one" if turned else f"its shape is {a.shape}; expected {b.shape}"
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return "some of it is not finite: something overflows, or is divided by zero"

    def same(p: np.ndarray | None, q: np.ndarray) -> bool:
        return p is not None and p.shape == q.shape and np.allclose(p, q, rtol=max(finding.tolerance, 1e-12), atol=0)

    if not a.any():
        return "it is zero everywhere: the upstream gradient never arrives, or the result is not kept"
    if same(ones, a):
        return "the upstream gradient dy has no influence on it"
    if same(earlier, a):
        return "it is the gradient of an earlier pass: forward does not renew what backward uses"
    if earlier is not None and same(a - earlier, b):
        return "it is added to the gradient of the pass before: `=` is meant, not `+=`"
    if same(-a, b):
        return "the sign is turned round"
    if b.any() and same(a * (np.abs(b).max() / np.abs(a).max()), b):
        ratio = Fraction(float(np.abs(a).max() / np.abs(b).max())).limit_denominator(1000)
        return f"it is {ratio} times the right one everywhere: a factor is missing or too many (2? N? the number of elements?)"
    for axes in ((0, 1), (-2, -1)):
        if a.ndim >= 2 and a.shape[axes[0]] == a.shape[axes[1]] and same(a.swapaxes(*axes), b):
            return f"axes {axes[0] % a.ndim} and {axes[1] % a.ndim} are exchanged: it is transposed"
    for axes in ((0,), (1,), (-1,), (-2,), (-2, -1)):
        if a.ndim >= 3 and same(np.flip(a, axes), b):
            return f"it is flipped along axis {' and '.join(str(k % a.ndim) for k in axes)}"
    for axis in range(a.ndim - 1, max(a.ndim - 3, -1), -1):
        for by in (-1, 1):
            inner = [slice(None)] * a.ndim
            inner[axis] = slice(1, -1)
            core = b[tuple(inner)]
            if a.shape[axis] > 3 and np.count_nonzero(core) > 4 and same(np.roll(a, by, axis)[tuple(inner)], core):
                return f"it is moved by one along axis {axis}: look at stride, padding and where ranges begin"
    if a.ndim >= 2 and len(a) > 1:
        if all(same(a[n], a[0]) for n in range(1, len(a))) and not all(same(b[n], b[0]) for n in range(1, len(b))):
            return "all entries of axis 0 (the batch, for x) have the same one: they are mixed, or the first is used for all"
        if not wrong[0].any():
            return "only entry 0 of axis 0 (the batch, for x) is right: the others are mixed up with it"
    if a.ndim >= 3:
        edges = np.ones(a.shape[-2:], bool)
        edges[1:-1 if a.shape[-2] > 2 else None, 1:-1] = False
        edges = edges if a.shape[-2] > 1 else np.isin(np.arange(a.shape[-1]), (0, a.shape[-1] - 1))[None]
        if not edges.all() and not wrong[..., ~edges].any():
            return "only the borders are wrong: look at the padding"
        if a.shape[1] > 1 and not wrong[:, 0].any():
            return "only entry 0 of axis 1 (the channel) is right: channels are mixed, or one is used for all"
    if not a[wrong].any():
        return "where it is wrong it is zero: some of what should arrive is dropped, or written over"
    if not b[wrong].any():
        return "where it is wrong it should be zero: something arrives where nothing came from; look at the mask"
    if b[wrong].all() and same(a[wrong] / b[wrong], np.full(wrong.sum(), (a[wrong] / b[wrong])[0])):
        return f"where it is wrong it is {(a[wrong] / b[wrong])[0]:.6g} times the right one, elsewhere it is right"
    return ""


def heat_map(error: np.ndarray, columns: int = 64) -> list[str]:
    """Rows of shades, darker where the error is larger; at most 16 rows, and as many columns as given."""
    grid = _flat(np.minimum(error, np.finfo(float).max))[:16, :columns]
    top = grid[np.isfinite(grid)].max(initial=0.0) or 1.0
    return ["".join("·░▒▓█"[int(np.ceil(4 * min(v / top, 1.0)))] for v in row) for row in grid]


def _flat(values: np.ndarray) -> np.ndarray:
    """As a picture: (n, c, h, w) becomes n·h rows and c·w columns."""
    if values.ndim == 4:
        n, c, h, w = values.shape
        return values.transpose(0, 2, 1, 3).reshape(n * h, c * w)
    return values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)
