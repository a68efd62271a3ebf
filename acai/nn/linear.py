"""The linear layer (N4) and its way back (N7.9, N7.10, N7.11); and `Flatten`, which stands before it."""

import math

import numpy as np

from acai.nn.layer import Layer, float_dtype, initial_params, size
from acai.threads import one_blas_thread


class Flatten(Layer):
    """(N, C, H, W) → (N, C·H·W): the numbers of a sample in one row, in the order in which they lie."""

    def _forward(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def _backward(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy.reshape(x.shape)


class Linear(Layer):
    """(N, in) → (N, out): y = x Wᵀ + b (N4).

    Parameters
    ----------
    in_features, out_features : int
        The length of a sample before and after.
    seed : int or None
        Of the random weights; None draws others every time. The bias starts at zero.
    dtype : type
        np.float32 or np.float64; the input must have it too.
    init : {"he", "glorot"}
        The size of the random weights; see `acai.nn.layer.initial_params`.
    """

    def __init__(
        self, in_features: int, out_features: int, seed: int | None = None, dtype: type = np.float32, init: str = "he"
    ) -> None:
        O, D = shape = self.weight_shape(in_features, out_features)
        super().__init__(in_features=D, out_features=O, dtype=float_dtype(dtype).name, init=init)
        self.params = initial_params(shape, init, seed, dtype)
        self.axes = "N", D

    @staticmethod
    def weight_shape(in_features: int, out_features: int, **others: object) -> tuple[int, int]:
        """(out, in)."""
        return size("out_features", out_features, 1), size("in_features", in_features, 1)

    @one_blas_thread()
    def _forward(self, x: np.ndarray) -> np.ndarray:
        W, b = self.params["W"], self.params["b"]
        return x @ W.T + b  # (N4)

    @one_blas_thread()
    def _backward(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        self.grads["W"] = dy.T @ x  # (N7.10)
        self.grads["b"] = dy.sum(axis=0)  # (N7.11)
        return dy @ self.params["W"]  # (N7.9)
