"""The linear layer (N4) and its backward pass (N7.9 to N7.11); and `Flatten`, which comes before it."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from acai.nn.layer import FloatArray, Layer, float_dtype, initial_params
from acai.settings import checked
from acai.threads import one_blas_thread


class Flatten(Layer):
    """(N, C, H, W) → (N, C·H·W): the numbers of a sample in one row, in the order in which they are stored."""

    def _forward(self, x: FloatArray) -> FloatArray:
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        return dy.reshape(x.shape)


class Linear(Layer):
    """(N, in) → (N, out): y = x Wᵀ + b (N4).

    Parameters
    ----------
    in_features, out_features : int
        The length of a sample before and after.
    seed : int or None
        Seed of the random weights; with None, they are different every time. The bias starts at zero.
    dtype : type
        np.float32 or np.float64; the input must have the same.
    init : {"he", "glorot"}
        The size of the random weights; see `acai.nn.layer.initial_params`.
    """

    def __init__(
        self, in_features: int, out_features: int, seed: int | None = None, dtype: DTypeLike = np.float32, init: str = "he"
    ) -> None:
        super().__init__()
        shape = self.weight_shape(in_features, out_features)
        self.out_features, self.in_features = shape
        self.dtype = float_dtype(dtype).name
        self.init = init
        self.params = initial_params(shape, init, seed, dtype)
        self.axes = "N", self.in_features

    @staticmethod
    def weight_shape(in_features: int, out_features: int, **others: Any) -> tuple[int, int]:
        """Return (out, in)."""
        return checked("out_features", out_features), checked("in_features", in_features)

    @one_blas_thread()
    def _forward(self, x: FloatArray) -> FloatArray:
        W, b = self.params["W"], self.params["b"]
        return x @ W.T + b  # (N4)

    @one_blas_thread()
    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        self.grads["W"] = dy.T @ x  # (N7.10)
        self.grads["b"] = dy.sum(axis=0)  # (N7.11)
        return dy @ self.params["W"]  # (N7.9)
