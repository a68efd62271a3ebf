"""Layers that treat each number by itself: ReLU (N3), tanh (N10), dropout (N11), and their backward passes (N7.6 to N7.8)."""

from typing import Any

import numpy as np

from acai.errors import InputError
from acai.nn.fast.batches import map_batch_chunks
from acai.nn.layer import FLOATS, FloatArray, Layer, checked_seed
from acai.settings import Limits, checked


class ReLU(Layer):
    """The rectified linear unit, max(0, x) (N3), for any shape. Its slope at 0 is taken to be 0."""

    def _forward(self, x: FloatArray) -> FloatArray:
        from acai.nn.fast import kernels

        out = np.empty_like(x)
        map_batch_chunks(kernels.rectify, x, out)  # (N3)
        return out

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        from acai.nn.fast import kernels

        out = np.empty_like(x)
        map_batch_chunks(kernels.pass_where_positive, dy, y, out)  # (N7.6): y = max(0, x), so y > 0 says the same as x > 0
        return out


class Tanh(Layer):
    """The hyperbolic tangent (N10), which maps every number into (−1, 1), for any shape."""

    def _forward(self, x: FloatArray) -> FloatArray:
        return np.tanh(x)  # (N10)

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        return dy * (1 - y * y)  # (N7.7)


class Dropout(Layer):
    """While training, set numbers to zero at random and scale the others by 1 / (1 − rate) (N11).

    Srivastava et al. 2014, as inverted dropout: the scaling keeps the mean, so that `predict` has nothing to do.

    Parameters
    ----------
    rate : float
        The probability that a number is dropped: 0 ≤ rate < 1.
    seed : int or None
        Seed of the masks; each `forward` draws the next one. With None, they are different every time.
    """

    _mask: FloatArray

    def __init__(self, rate: float = 0.5, seed: int | None = None) -> None:
        super().__init__()
        self.rate: float = checked("rate", rate, float, Limits(at_least=0, less_than=1))
        self.seed = checked_seed(seed)
        self.rng = np.random.default_rng(self.seed)

    def _forward(self, x: FloatArray) -> FloatArray:
        self._mask = (self.rng.random(x.shape) >= self.rate) / x.dtype.type(1 - self.rate)  # (N11)
        return x * self._mask  # (N11)

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        return dy * self._mask  # (N7.8)

    def predict(self, x: FloatArray) -> FloatArray:
        """Return x unchanged."""
        return self._checked("predict: x", x, self.axes, FLOATS)

    def get_state(self) -> dict[str, Any]:
        """Return the state of the generator that draws the masks."""
        return dict(self.rng.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Set the generator to a state that `get_state` returned."""
        try:
            self.rng.bit_generator.state = state
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise InputError(f"{self}: this is not the state of a generator ({reason}); see get_state") from None
