"""Layers and losses of `acai.nn` with random geometries: the rows of the scoreboard of `acai gradcheck`."""

from typing import NamedTuple

import numpy as np

from acai import nn
from acai.gradcheck.geometries import CheckOptions

EXACT: CheckOptions = {"method": "exact"}
SMOOTH: CheckOptions = {"method": "complex"}


class Case(NamedTuple):
    """A layer with its input, or the shape of it, and the options of its check."""

    name: str
    layer: object
    x: tuple[int, ...] | np.ndarray
    options: CheckOptions
    target: np.ndarray | None = None


def random_cases(rng: np.random.Generator) -> list[Case]:
    """Draw one case for every row."""
    dtype = str(rng.choice(["float32", "float64"]))
    N, C, O, H, W, T = _draw(rng, 1, 4, 6)
    windows = _window_cases(N, C, O, dtype, rng)
    relu = _relu_cases((N, C, T), rng)
    powers = tuple(2**k for k in _draw(rng, 0, 2, 4))  # a mean over a power of two is exact
    return [
        *windows,
        Case("GlobalPool, mean, max", nn.GlobalPool(("mean", "max")), powers, EXACT),
        Case("GlobalPool, L2", nn.GlobalPool(("l2",)), (N, C, H, T), SMOOTH),
        *relu,
        Case("Tanh", nn.Tanh(), (N, C, T), SMOOTH),
        Case("Dropout", nn.Dropout(0.5, seed=T), (N, C, T), EXACT),
        Case("Flatten", nn.Flatten(), (N, C, H, W), EXACT),
        Case("Linear", nn.Linear(C, O, dtype=dtype), (N, C), EXACT),
        Case("MSE", nn.MSE(), powers[:3], EXACT, rng.integers(-9, 10, powers[:3]).astype(float)),
        Case("SoftmaxCrossEntropy", nn.SoftmaxCrossEntropy(), (N, C), SMOOTH, rng.integers(0, C, N)),
        Case("a whole network", _network(C, O, T), (2, C, 3, 4), {"method": "exact", "step": 2.0**-8}),
    ]


def _draw(rng: np.random.Generator, least: int, most: int, n: int) -> list[int]:
    return [int(k) for k in rng.integers(least, most + 1, n)]


def _window_cases(N: int, C: int, O: int, dtype: str, rng: np.random.Generator) -> list[Case]:
    kernel, stride, padding = _draw(rng, 1, 3, 2), _draw(rng, 1, 3, 2), _draw(rng, 0, 2, 2)
    more = _draw(rng, 0, 5, 2)
    image = [max(1, k - 2 * p) + m for k, p, m in zip(kernel, padding, more)]
    pool = nn.MaxPool2D(kernel, stride, [min(p, k - 1) for p, k in zip(padding, kernel)])
    pooled = (N, C, *(k + m for k, m in zip(kernel, more)))
    tied = 2.0 * rng.integers(0, 2, pooled) + 1
    nudge = -np.arange(tied.size).reshape(pooled) * 2.0**-12  # the first of equals is largest, by a tiny margin
    on_ties: CheckOptions = {"method": "exact", "nudge": nudge, "step": 2.0**-14}
    return [
        Case("Conv2D", nn.Conv2D(C, O, kernel, stride, padding, dtype=dtype), (N, C, *image), EXACT),
        Case("MaxPool2D", pool, pooled, EXACT),
        Case("MaxPool2D, with ties", pool, tied, on_ties),
    ]


def _relu_cases(shape: tuple[int, ...], rng: np.random.Generator) -> list[Case]:
    signs = rng.integers(-1, 2, shape).astype(float)
    nudge = np.full(shape, -0.25)  # by convention, the slope at 0 is the one below it
    options: CheckOptions = {"method": "exact", "nudge": nudge, "step": 0.125}
    return [Case("ReLU", nn.ReLU(), shape, EXACT), Case("ReLU, at zero", nn.ReLU(), signs, options)]


def _network(C: int, O: int, T: int) -> nn.Sequential:
    conv = nn.Conv2D(C, O, 2, padding=(0, 1), dtype=float)
    return nn.Sequential([conv, nn.ReLU(), nn.MaxPool2D((1, 2)), nn.Flatten(), nn.Linear(4 * O, T, dtype=float)])
