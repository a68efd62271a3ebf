"""What happens to each number by itself: ReLU (N3), tanh (N10), dropout (N11), and back (N7.6, N7.7, N7.8)."""

import numpy as np

from acai.errors import InputError
from acai.nn.layer import Layer
from acai.nn.parallel import each_chunk


class ReLU(Layer):
    """The rectified linear unit, max(0, x) (N3). Its slope at 0 is taken to be 0."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Any shape → the same shape."""
        x = self._input(x)
        y = np.empty_like(x)

        def some(start: int, stop: int) -> None:
            np.maximum(x[start:stop], 0, out=y[start:stop])  # (N3)

        each_chunk(some, len(x), x[:1].nbytes)
        self._kept = (y,)
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Only what was above 0 lets its gradient through."""
        (y,) = self._recall()
        dy = self._upstream(dy, y)
        dx = np.empty_like(dy)

        def some(start: int, stop: int) -> None:
            np.multiply(dy[start:stop], y[start:stop] > 0, out=dx[start:stop])  # (N7.6)

        each_chunk(some, len(dy), dy[:1].nbytes)
        return dx


class Tanh(Layer):
    """The hyperbolic tangent (N10), which presses every number into (−1, 1)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Any shape → the same shape."""
        y = np.tanh(self._input(x))  # (N10)
        self._kept = (y,)
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """tanh' = 1 − tanh²."""
        (y,) = self._recall()
        return self._upstream(dy, y) * (1 - y * y)  # (N7.7)


class Dropout(Layer):
    """While training, set numbers to zero at random and enlarge the others by 1 / (1 − rate) (N11).

    Srivastava et al. 2014, in the form that keeps the mean while training, so that `predict` has nothing to do.

    Parameters
    ----------
    rate : float
        The probability of each number to be dropped: 0 ≤ rate < 1.
    seed : int or None
        Of the masks, each `forward` drawing the next; None draws others every time.
    """

    def __init__(self, rate: float = 0.5, seed: int | None = None) -> None:
        if not 0 <= rate < 1:
            raise InputError(f"rate={rate!r}; expected a probability of at least 0 and below 1")
        super().__init__(rate=rate, seed=seed)
        self.rate = rate
        self.rng = np.random.default_rng(seed)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Any shape → the same shape."""
        x = self._input(x)
        mask = (self.rng.random(x.shape) >= self.rate).astype(x.dtype) / x.dtype.type(1 - self.rate)
        y = x * mask  # (N11)
        self._kept = mask, y
        return y

    def predict(self, x: np.ndarray) -> np.ndarray:
        """x as it is."""
        return self._input(x)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """What was dropped gets nothing."""
        mask, y = self._recall()
        return self._upstream(dy, y) * mask  # (N7.8)
