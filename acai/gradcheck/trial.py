"""One subject and the points at which it is tried: drawn, or around the x that was given."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from acai.gradcheck.floats import Exercised, bench_at
from acai.gradcheck.points import (
    ANY,
    DOMAINS,
    REGIMES,
    Domain,
    float_point,
    integer_point,
    size_of,
    small_point,
    stream,
    upstream,
)
from acai.gradcheck.subject import Bench, Subject


@dataclass
class Trial:
    """One subject, and the points at which it is tried.

    Attributes
    ----------
    given : ndarray or None
        x, where the person who asks has given one; otherwise it is drawn.
    """

    subject: Subject
    shape: tuple[int, ...]
    given: np.ndarray | None
    dtype: np.dtype
    nudge: np.ndarray | None
    step: float
    seed: int
    domain: Domain = ANY
    points: int | None = None
    exercised: Exercised = field(default_factory=Exercised)
    _benches: dict[tuple[str, int], tuple[Bench, np.ndarray] | None] = field(default_factory=dict)

    @property
    def n_points(self) -> int:
        """At how many points of floats a verdict is confirmed."""
        n_coordinates = int(np.prod(self.shape)) + sum(w.size for w in self.params.values())
        return self.points or int(np.clip(240 // n_coordinates, 2 * len(REGIMES), 40))

    @cached_property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters as the layer has them."""
        return Bench(self.subject, {"x": np.zeros(self.shape, self.dtype)}).arrays_without_x()

    def integers(self, attempt: int) -> dict[str, np.ndarray]:
        """Draw x and the parameters for the check without tolerance."""
        if self.given is not None:
            return {"x": self.given}
        return self._typed(integer_point(self.shape, self.params, self.seed, attempt))

    def fractions(self, bits: int, attempt: int) -> tuple[dict[str, np.ndarray], float]:
        """Draw x and the parameters where a function that saturates does not; return the step, too."""
        if self.given is not None:
            return {"x": self.beside(self.given) * self.dtype.type(2.0**-bits)}, self.step * 2.0**-bits
        values = small_point(self.shape, self.params, self.seed, bits, attempt)
        return self._typed(values), float(np.abs(values["x"]).min()) / 2

    def floats(self, k: int) -> dict[str, np.ndarray]:
        """Draw x and the parameters at the k-th point of floats."""
        if self.given is None:
            target = self.subject.target
            centre: np.ndarray | float = 0.0
            if isinstance(target, np.ndarray) and target.shape == self.shape and target.dtype.kind == "f":
                centre = target
            return self._typed(float_point(self.shape, self.params, self.seed, k, centre, self.domain))
        if k == 0 or not self.subject.has_dx:
            x = self.given
        else:
            rng = stream("x, floats", self.seed, k)
            size = size_of(np.abs(self.given))
            x = self.given * rng.uniform(0.8, 1.2, self.shape) + (self.given == 0) * size * rng.uniform(1e-3, 3e-3, self.shape)
        values = {"x": x}
        for name, w in self.params.items() if k > 1 else ():
            values[name] = w * stream(f"{name}, floats", self.seed, k).uniform(0.7, 1.3, w.shape)
        return self._typed(values)

    def bench(self, k: int) -> tuple[Bench, np.ndarray] | None:
        """Create a bench at the k-th point of floats, and y there; None where `forward` is not finite."""
        which = self.domain.name, k
        if which not in self._benches:
            self._benches[which] = bench_at(self.subject, self.floats(k), k)
        return self._benches[which]

    def find_domain(self) -> None:
        """Let x lie anywhere, if forward is finite at most points there; otherwise where it is finite."""
        if self.given is not None or self.domain is not ANY:
            return
        for domain in DOMAINS:
            self.domain = domain
            n_finite = sum(self.bench(k) is not None for k in range(len(REGIMES)))
            if n_finite >= 4:
                return
        self.domain = ANY

    def upstream(self, y: np.ndarray) -> np.ndarray:
        """Draw dy as integers; a loss that returns one value per sample is summed."""
        dy = upstream(y, self.seed, -1, largest=9 if y.dtype.itemsize < 8 else None)
        if self.subject.is_loss:
            dy[...] = dy.flat[0]
        return dy

    def beside(self, x: np.ndarray) -> np.ndarray:
        """Add the nudge to x, if there is one."""
        return x if self.nudge is None else x + self.nudge

    def _typed(self, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: value if value.dtype.kind in "iub" else value.astype(self.dtype) for name, value in values.items()}
