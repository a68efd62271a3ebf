"""How wrong an output is: the mean squared error (N5), the softmax loss (N6), and their gradients (N7.12, N7.13)."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acai.errors import InputError
from acai.nn.layer import FloatArray


class Loss(ABC):
    """What follows the last layer: `forward` compares its output y with a target, `backward` starts the backward pass.

    As in a layer, the mathematics is in `_forward(y, target)` and `_backward(y, target)`.
    """

    _cache: tuple[FloatArray, NDArray[Any]] | None = None

    @abstractmethod
    def _forward(self, y: FloatArray, target: NDArray[Any]) -> float:
        """Compute the loss; refuse a target that does not fit y."""

    @abstractmethod
    def _backward(self, y: FloatArray, target: NDArray[Any]) -> FloatArray:
        """Compute dy."""

    def forward(self, y: FloatArray, target: ArrayLike) -> float:
        """Compute the loss of y. Copies of y and the target are kept, because `backward` needs them."""
        right = np.asarray(target)
        loss = self._forward(y, right)
        self._cache = y.copy(), right.copy()
        return loss

    def backward(self) -> FloatArray:
        """Compute dy, the gradient of the loss with respect to the last y."""
        if self._cache is None:
            raise InputError(f"{self}.backward: there is no forward to go back through; call forward(y, target) first")
        return self._backward(*self._cache)

    def __repr__(self) -> str:
        """Show the class."""
        return f"{type(self).__name__}()"


class MSE(Loss):
    """The mean of (y − t)² over every element (N5); y and target have the same shape."""

    def _forward(self, y: FloatArray, target: NDArray[Any]) -> float:
        if y.shape != target.shape:
            raise InputError(f"{self}.forward: target has shape {target.shape}, but y has {y.shape}; expected the same")
        with np.errstate(over="ignore", invalid="ignore"):
            difference: FloatArray = y - target.astype(y.dtype, copy=False)  # (N5)
            loss: float = ((difference * difference).sum() / max(difference.size, 1)).item()  # (N5)
        if not np.isfinite(loss):
            raise InputError(f"{self}: the loss is {loss}; look for NaN in y and target, or lower the learning rate")
        return loss

    def _backward(self, y: FloatArray, target: NDArray[Any]) -> FloatArray:
        difference: FloatArray = y - target.astype(y.dtype, copy=False)  # (N7.12)
        return difference * (2 / max(difference.size, 1))  # (N7.12)


class SoftmaxCrossEntropy(Loss):
    """−log softmax(y)_t, the mean over the batch (N6): how surprised the network is by the right class.

    y has shape (N, classes): the scores. target has shape (N,): the number of the right class of each sample.
    """

    def _forward(self, y: FloatArray, target: NDArray[Any]) -> float:
        wrong = None
        if y.ndim != 2 or target.shape != y.shape[:1]:
            wrong = f"y has shape {y.shape} and target {target.shape}; expected (N, classes) and (N,)"
        elif not np.issubdtype(target.dtype, np.integer):
            wrong = f"target is {target.dtype}; expected integers, the classes"
        elif len(target) and not (0 <= target.min() and target.max() < y.shape[1]):
            wrong = f"target goes from {target.min()} to {target.max()}; expected 0 to {y.shape[1] - 1}"
        elif not np.isfinite(y).all():
            wrong = "y has scores that are not finite; look for NaN in the input, or lower the learning rate"
        if wrong:
            raise InputError(f"{self}.forward: {wrong}")
        log_p = self._log_softmax(y)  # (N6)
        loss: float = -log_p[np.arange(len(y)), target].sum().item() / max(len(y), 1)  # (N6)
        return loss

    def _backward(self, y: FloatArray, target: NDArray[Any]) -> FloatArray:
        p = np.exp(self._log_softmax(y))  # (N7.13)
        dy: FloatArray = p.copy()
        dy[np.arange(len(p)), target] -= 1  # (N7.13)
        return dy / max(len(p), 1)  # (N7.13)

    @staticmethod
    def _log_softmax(y: FloatArray) -> FloatArray:
        shifted = y - y.real.max(axis=1, keepdims=True)  # (N6); the same softmax, and no exp can overflow
        log_p: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # (N6)
        return log_p
