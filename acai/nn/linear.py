"""The linear layer (N4) and its way back (N7.9, N7.10, N7.11); and `Flatten`, which stands before it."""

import numpy as np

from acai.nn.layer import Layer, initial_weights, size
from acai.nn.parallel import one_blas_thread


class Flatten(Layer):
    """(N, C, H, W) → (N, C·H·W): the numbers of a sample in one row, in the order in which they lie."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(N, …) → (N, D)."""
        x = self._input(x)
        y = x.reshape(len(x), int(np.prod(x.shape[1:])))
        self._kept = x.shape, y
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """(N, D) → (N, …)."""
        shape, y = self._recall()
        return self._upstream(dy, y).reshape(shape)


class Linear(Layer):
    """y = x Wᵀ + b (N4).

    Parameters
    ----------
    in_features, out_features : int
        The length of a sample before and after.
    seed : int or None
        Of the random weights; None draws others every time. The bias starts at zero.
    dtype : type
        np.float32 or np.float64; the input must have it too.
    init : {"he", "glorot"}
        The size of the random weights; see `acai.nn.layer.initial_weights`.
    """

    def __init__(
        self, in_features: int, out_features: int, seed: int | None = None, dtype: type = np.float32, init: str = "he"
    ) -> None:
        D, O = size("in_features", in_features, 1), size("out_features", out_features, 1)
        super().__init__(in_features=D, out_features=O, dtype=np.dtype(dtype).name, init=init)
        W = initial_weights((O, D), D, O, init, seed, dtype)
        self.params = {"W": W, "b": np.zeros(O, W.dtype)}

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(N, in) → (N, out)."""
        W, b = self.params["W"], self.params["b"]
        x = self._input(x, ("N", W.shape[1]))
        with one_blas_thread():
            y = x @ W.T + b  # (N4)
        self._kept = x, y
        return y

    def backward(self, dy: np.ndarray, want_dx: bool = True) -> np.ndarray | None:
        """dy (N, out) → dx (N, in); leaves dW and db in `grads`. `want_dx=False` spares dx."""
        x, y = self._recall()
        dy = self._upstream(dy, y)
        with one_blas_thread():
            self.grads["W"] = dy.T @ x  # (N7.10)
            self.grads["b"] = dy.sum(axis=0)  # (N7.11)
            return dy @ self.params["W"] if want_dx else None  # (N7.9)
