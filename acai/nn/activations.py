"""What happens to each number by itself: ReLU (N3), tanh (N10), dropout (N11), and back (N7.6, N7.7, N7.8)."""

from numbers import Real

import numpy as np

from acai.errors import InputError
from acai.nn.fast.batches import over_batch
from acai.nn.layer import FLOATS, Layer, checked_seed


class ReLU(Layer):
    """The rectified linear unit, max(0, x) (N3), for any shape. Its slope at 0 is taken to be 0."""

    def _forward(self, x: np.ndarray) -> np.ndarray:
        y = np.empty_like(x)
        over_batch(lambda x, y: np.maximum(x, 0, out=y), x, y)  # (N3)
        return y

    def _backward(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        from acai.nn.fast import kernels

        dx = np.empty_like(x)
        over_batch(kernels.where_positive, dy, y, dx)  # (N7.6): y = max(0, x), so y > 0 says the same as x > 0
        return dx


class Tanh(Layer):
    """The hyperbolic tangent (N10), which presses every number into (−1, 1), for any shape."""

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return np.tanh(x)  # (N10)

    def _backward(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy * (1 - y * y)  # (N7.7)


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
        if not isinstance(rate, Real) or not 0 <= rate < 1:
            raise InputError(f"rate={rate!r}; expected a probability of at least 0 and below 1")
        super().__init__(rate=rate, seed=seed)
        self.rng = np.random.default_rng(checked_seed(seed))

    def _forward(self, x: np.ndarray) -> np.ndarray:
        self._mask = (self.rng.random(x.shape) >= self.rate) / x.dtype.type(1 - self.rate)
        return x * self._mask  # (N11)

    def _backward(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy * self._mask  # (N7.8)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """x as it is."""
        return self._checked("predict: x", x, self.axes, FLOATS)

    def get_state(self) -> dict[str, object]:
        """Where the generator of the masks is."""
        return self.rng.bit_generator.state

    def set_state(self, state: dict[str, object]) -> None:
        """Put the generator where it was when `get_state` returned `state`."""
        try:
            self.rng.bit_generator.state = state
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise InputError(f"{self}: no state of a generator ({type(error).__name__}: {error}); see get_state") from None
