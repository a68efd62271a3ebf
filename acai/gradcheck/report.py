"""What a gradient check found: which array, where, and how wrong."""

from dataclasses import dataclass, field

import numpy as np

AXES = {1: "i", 2: "ni", 3: "nct", 4: "nchw"}
WEIGHT_AXES = AXES | {2: "oi", 4: "ocpq"}
HOW = {
    "exact": "every coordinate, no tolerance",
    "complex": "every coordinate by the complex step",
    "richardson": "every coordinate by Richardson's extrapolation",
    "adjoint": "the adjoint identity",
    "steps": "every parameter after a few steps",
    "none": "nothing was compared",
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
    allowed : ndarray or None
        By how much the two may differ at each coordinate, where slopes are not exact: what rounding may have done to
        either. None where `tolerance` says it all.
    exercised : ndarray of bool or None
        Where the slope was not zero at some point. Elsewhere, that both are zero proves nothing. None if not known.
    axes : str or None
        What the axes are called, a letter each; None for what they usually are.
    """

    array: str
    analytic: np.ndarray | None
    numeric: np.ndarray
    kinks: np.ndarray | bool = False
    tolerance: float = 0.0
    sides: tuple[np.ndarray, np.ndarray] | None = None
    hint: str = ""
    allowed: np.ndarray | None = None
    exercised: np.ndarray | None = None
    axes: str | None = None

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
            error = np.abs(np.asarray(self.analytic) - self.numeric) / scale
        return np.where(self.kinks, 0.0, np.nan_to_num(error, nan=np.inf, posinf=np.inf))

    @property
    def wrong(self) -> np.ndarray:
        """Where the two differ by more than they may."""
        if self.allowed is None or not self.fits:
            return np.asarray(self.error > self.tolerance)
        with np.errstate(invalid="ignore", over="ignore"):
            agree = np.abs(np.asarray(self.analytic) - self.numeric) <= self.allowed  # what is not finite does not
        return np.asarray(~agree & ~np.asarray(self.kinks, bool))

    @property
    def on_kinks(self) -> np.ndarray:
        """Where the slopes on the two sides of a kink differ and the value was judged between them."""
        low, high = self.sides or (self.numeric, self.numeric)
        on_kinks: np.ndarray = ~self.kinks & (high - low > self.tolerance * np.abs([low, high]).max(initial=0.0))
        return on_kinks

    @property
    def worst(self) -> tuple[int, ...]:
        """The coordinate of the largest error."""
        return tuple(int(k) for k in np.unravel_index(np.argmax(self.error), self.error.shape))

    def __str__(self) -> str:
        """Write the finding in one or a few lines."""
        n, size = int(self.wrong.sum()), self.wrong.size
        kinks = int(np.sum(self.kinks))
        at = self.worst
        if self.sides is not None:
            judged = f"WRONG: {n} of {size} outside" if n else "any value accepted between"
            verdict = f"at zeros and ties: {self.on_kinks.sum()} on kinks, {judged} the slopes of the two sides"
        else:
            equal = f"agrees to {self.error.max(initial=0.0):.1e}" if self.tolerance else "equal"
            verdict = f"{'WRONG' if n else equal}: {n or size} of {size} coordinates"
            verdict += f"; {kinks} lie on a kink, where there is no slope to compare with" if kinks else ""
            if not n and self.exercised is not None and not self.exercised.all():
                verdict += f"; {int(self.exercised.sum())} of {size} exercised, the slopes of the others are 0"
        lines = [f"  {self.array:<4} {verdict}"]
        if n and self.fits:
            a, b = np.asarray(self.analytic)[at], self.numeric[at]
            slope = f"the slope is {b:.10g}" + (f", ratio {a / b:.6g}" if b else "")
            if self.sides is not None:
                slope = "any value from {:.10g} to {:.10g} is right".format(*(side[at] for side in self.sides))
            axes = ", ".join(self.axes or (AXES if self.array == "x" else WEIGHT_AXES).get(len(at), "?"))
            lines.append(f"       worst at ({axes}) = {at}: backward says {a:.10g}, {slope}")
        lines += [f"       hint: {self.hint}"] if self.hint else []
        lines += ["       where (shaded by error):", *(f"       {row}" for row in _heat_map(self.error))] if n else []
        return "\n".join(lines)


@dataclass(repr=False)
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
        What else `backward` does that it should not, by array: it overwrites x, dy or a parameter.
    on_ties : dict of str to str
        What is wrong on ties alone, by array, besides the numbers.
    not_checked : list of str
        What has not been checked, and why.
    notes : list of str
        Other useful facts: where x had to lie, what forward does not depend on.
    """

    layer: str
    method: str
    findings: list[Finding]
    faults: dict[str, str] = field(default_factory=dict)
    on_ties: dict[str, str] = field(default_factory=dict)
    not_checked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """One of "equal", "agrees", "right except on ties", "side effect", "wrong" and "not checked"."""
        if any(finding.wrong.any() and finding.sides is None for finding in self.findings):
            return "wrong"
        if self.faults:
            return "side effect"
        if self.on_ties or any(finding.wrong.any() for finding in self.findings):
            return "right except on ties"
        if self.not_checked or not self.findings:
            return "not checked"
        return "equal" if all(finding.tolerance == 0 for finding in self.findings if finding.sides is None) else "agrees"

    @property
    def ok(self) -> bool:
        """Whether everything has been checked and is right: the verdict is "equal" or "agrees"."""
        return self.verdict in ("equal", "agrees")

    @property
    def wrong_arrays(self) -> list[str]:
        """The names of the arrays whose gradient is wrong."""
        wrong = [finding.array for finding in self.findings if finding.wrong.any()]
        return list(dict.fromkeys([*wrong, *self.faults, *self.on_ties]))

    def as_dict(self) -> dict[str, object]:
        """Everything that a program may want to know, as JSON can hold it."""
        arrays = [
            {
                "array": finding.array, "coordinates": int(finding.numeric.size), "wrong": int(finding.wrong.sum()),
                "exercised": None if finding.exercised is None else int(finding.exercised.sum()),
                "on_ties": finding.sides is not None, "max_error": min(float(finding.error.max(initial=0.0)), 1e308),
                "worst": list(finding.worst), "hint": finding.hint,
            }
            for finding in self.findings
        ]
        said = {"faults": self.faults | self.on_ties, "not_checked": self.not_checked, "notes": self.notes}
        return {"layer": self.layer, "verdict": self.verdict, "ok": self.ok, "method": self.method, "arrays": arrays, **said}

    @property
    def max_error(self) -> float:
        """The largest error of all: 0.0 where all is equal."""
        return float(max((finding.error.max(initial=0.0) for finding in self.findings), default=0.0))

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
        """Write the verdict and all findings."""
        words = {"equal": "right", "agrees": "right", "wrong": "NOT right", "side effect": "NOT right, it has a side effect"}
        lines = [f"{self.layer}: {words.get(self.verdict, self.verdict)} ({HOW[self.method]})", *map(str, self.findings)]
        lines += [f"  fault: {fault}" for fault in (*self.faults.values(), *self.on_ties.values())]
        lines += [f"  not checked: {reason}" for reason in self.not_checked]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        """Show the report at a prompt as it is printed: all its arrays would fill the screen."""
        return str(self)

    def _repr_png_(self) -> bytes:
        from acai.gradcheck.picture import png

        return png(self.findings)


def _heat_map(error: np.ndarray) -> list[str]:
    """Rows of shades, darker where the error is larger: (n, c, h, w) becomes n·h rows of c·w, at most 16 of 64."""
    if error.ndim > 4:
        error = error.reshape(-1, *error.shape[-3:])
    N, C, H, W = (1,) * (4 - error.ndim) + error.shape
    grid = np.minimum(error, 1e300).reshape(N, C, H, W).transpose(0, 2, 1, 3).reshape(N * H, C * W)[:16, :64]
    shades = np.ceil(4 * grid / (grid.max(initial=0.0) or 1.0)).astype(int)
    return ["".join("·░▒▓█"[shade] for shade in row) for row in shades]
