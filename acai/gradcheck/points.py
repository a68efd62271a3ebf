"""Where a layer is tried: on small integers, on small fractions, on floats of every sign and size, and on ties.

Nothing here may come from `default_rng(seed)` itself: everybody draws data with that, and x would be the target. Each
array has a stream of random numbers of its own, named after it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from acai.errors import InputError


@dataclass(frozen=True)
class Domain:
    """Where x may lie: what that is called, and how floats of any sign and size are moved there."""

    name: str
    place: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Regime:
    """What is special about a point: how large x and the parameters are, and the sign of x, if it has but one."""

    name: str
    x_size: float
    w_size: float
    sign: int = 0

    @property
    def is_large(self) -> bool:
        """Whether some numbers are so large that what is computed from them may overflow."""
        return self.x_size == 0 or self.x_size > 1

    @property
    def is_centred(self) -> bool:
        """Whether x lies around the target of a loss: where it is small or large, but not where it has one sign."""
        return self.x_size != 1


ANY = Domain("numbers of any sign and size", lambda v: v)
DOMAINS = (
    ANY,
    Domain("positive numbers", lambda v: np.abs(v) + 0.05),
    Domain("numbers between 0 and 1", lambda v: 0.02 + 0.96 / (1 + np.exp(-np.clip(v, -3, 3)))),
    Domain("probabilities that add up to 1 along the last axis", lambda v: _softmax(v)),
)
REGIMES = (
    Regime("about 1", 1.0, 1.0),
    Regime("about 0.05", 0.05, 0.6),
    Regime("about 6", 6.0, 0.5),
    Regime("positive", 1.0, 0.8, 1),
    Regime("negative", 1.0, 0.8, -1),
    Regime("of very different sizes", 0.0, 1.0),
    Regime("about 30", 30.0, 4.0),
)


def regime_of(k: int) -> Regime:
    """Return the regime of the k-th point of floats: they take turns."""
    return REGIMES[k % len(REGIMES)]


def domain_of(between: tuple[float, float] | None) -> Domain:
    """Return the domain between two numbers; any numbers if there are none."""
    if between is None:
        return ANY
    try:
        low, high = (float(bound) for bound in between)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"between={between!r}; expected two numbers, the smaller first, as in (0, 1)")
    margin = 0.02 * (high - low)
    width = high - low - 2 * margin
    return Domain(f"numbers between {low:g} and {high:g}", lambda v: low + margin + width / (1 + np.exp(-np.clip(v, -4, 4))))


def stream(name: str, seed: int, *more: int) -> np.random.Generator:
    """Create the random generator for one purpose: the same for the same seed, and independent of all others."""
    return np.random.default_rng([crc32(name.encode()), seed, *more])


def _softmax(v: np.ndarray) -> np.ndarray:
    e = np.exp(np.clip(v, -3, 3) - v.max(axis=-1, keepdims=True).clip(-3, 3))
    p: np.ndarray = e / e.sum(axis=-1, keepdims=True)
    return p


def distinct_integers(shape: tuple[int, ...], rng: np.random.Generator, largest: int | None = None) -> np.ndarray:
    """Integers of both signs, never 0 and, unless `largest` forbids, never twice the same."""
    n = int(np.prod(shape))
    if largest is None or n <= 2 * largest:
        half = max(n // 2 + 1, 5)
        integers = rng.permutation(np.concatenate([np.arange(-half, 0), np.arange(1, half + 1)]))[:n]
    else:
        integers = rng.integers(1, largest + 1, n) * rng.choice([-1, 1], n)
    if n > 1 and (integers == integers[0]).all():
        integers[0] = -integers[0]
    return integers.reshape(shape).astype(float)


def odd_integers(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Odd integers, all different, about half of them negative."""
    n = int(np.prod(shape))
    return (2.0 * rng.permutation(n) - n + 1 - n % 2).reshape(shape)


def integer_point(shape: tuple[int, ...], params: dict[str, np.ndarray], seed: int, attempt: int) -> dict[str, np.ndarray]:
    """Draw x from odd integers, all different, and parameters from ±1, ±2 and ±3."""
    values = {"x": odd_integers(shape, stream("x, integers", seed, attempt))}
    for name, w in params.items():
        rng = stream(f"{name}, integers", seed, attempt)
        values[name] = rng.integers(1, 4, w.shape) * rng.choice([-1.0, 1.0], w.shape)
    return values


def small_point(shape: tuple[int, ...], params: dict[str, np.ndarray], seed: int, bits: int, attempt: int) -> dict[str, np.ndarray]:
    """Draw fractions whose denominators are powers of two: none is larger than 2^(1 − bits), all fit into few bits."""
    values = integer_point(shape, params, seed, 1000 * bits + attempt)
    n = max(int(np.prod(shape)), 2)
    values["x"] = values["x"] * 2.0 ** -(bits + int(np.ceil(np.log2(n))))
    return {name: w if name == "x" else w * 0.125 for name, w in values.items()}


def float_point(
    shape: tuple[int, ...], params: dict[str, np.ndarray], seed: int, k: int, centre: np.ndarray | float = 0.0,
    domain: Domain = ANY,
) -> dict[str, np.ndarray]:
    """Floats in the k-th regime.

    Parameters
    ----------
    centre : ndarray or float
        Around which x lies where it is small: the target of a loss that compares it with x.
    domain : Domain
        Where x may lie.
    """
    regime = regime_of(k)
    rng = stream("x, floats", seed, k)
    x = rng.normal(size=shape)
    if regime.x_size == 0:
        x *= 10.0 ** rng.uniform(-2.5, 0.7, shape)
    else:
        x *= regime.x_size
    x = regime.sign * np.abs(x) if regime.sign else x
    if regime.is_centred:
        x = x + centre
    values = {"x": domain.place(x)}
    for name, w in params.items():
        rng = stream(f"{name}, floats", seed, k)
        size = rng.uniform(0.3, 1.3, w.shape) * regime.w_size * (w.size**-0.25 if w.ndim > 1 else 1.0)
        values[name] = size * rng.choice([-1.0, 1.0], w.shape)
    return values


def tied_x(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Draw x from −1, 0, 0 and 1, with a 0 in front: zeros, and many ties."""
    x = stream("x, ties", seed).choice([-1.0, 0.0, 0.0, 1.0], shape)
    x.flat[:1] = 0
    return x


def upstream(y: np.ndarray, seed: int, k: int, largest: int | None = None) -> np.ndarray:
    """Draw dy: distinct integers of both signs (k < 0), or floats, never 0 and all different."""
    if k < 0:
        return distinct_integers(y.shape, stream("dy, integers", seed), largest).astype(y.real.dtype)
    rng = stream("dy, floats", seed, k)
    dy: np.ndarray = rng.uniform(0.5, 2.0, y.shape) * rng.choice([-1.0, 1.0], y.shape)
    return dy.astype(y.real.dtype)


def direction(w: np.ndarray, seed: int, *which: int) -> np.ndarray:
    """Where all coordinates of an array go at once: each by about its array's size, up or down."""
    rng = stream("directions", seed, *which)
    size = float(np.sqrt(np.mean(np.square(w)))) or 1.0
    moves: np.ndarray = size * rng.uniform(0.5, 1.5, w.shape) * rng.choice([-1.0, 1.0], w.shape)
    return moves


def size_of(w: np.ndarray) -> float:
    """How large the numbers of an array are, for the choice of a step; never 0."""
    size = float(np.sqrt(np.mean(np.square(w)))) if w.size else 1.0
    return size if np.isfinite(size) and size > 0 else 1.0
