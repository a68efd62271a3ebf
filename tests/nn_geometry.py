"""Shapes, strides and paddings for the tests of the network, drawn by hypothesis; and whole numbers to fill them with."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

DTYPES = st.sampled_from([np.float32, np.float64])


@dataclass(frozen=True)
class Geometry:
    """A window sliding over (N, C, H, W), to O channels."""

    N: int
    C: int
    O: int
    H: int
    W: int
    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.N, self.C, self.H, self.W


@st.composite
def geometries(draw: st.DrawFn, pooling: bool = False) -> Geometry:
    """Any that leave room for one window; for pooling, with less padding than window."""
    size = st.integers(1, 4)
    window = draw(st.tuples(size, size))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = tuple(draw(st.integers(0, k - 1 if pooling else 2)) for k in window)
    H, W = (draw(st.integers(max(1, k - 2 * p), 9)) for k, p in zip(window, padding))
    return Geometry(draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3)), H, W, window, stride, padding)


def whole(shape: tuple[int, ...], seed: int = 0, dtype: type = np.float64, largest: int = 9) -> np.ndarray:
    """Whole numbers from −largest to largest: every sum and product of a few of them is exact."""
    return np.random.default_rng(seed).integers(-largest, largest + 1, shape).astype(dtype)
