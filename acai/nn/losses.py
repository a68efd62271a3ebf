"""How wrong an answer is: the mean squared error (N5), the softmax loss (N6), and their gradients (N7.12, N7.13).

A loss stands after the last layer: its `forward` is given the target too, and its `backward` starts the way down.
"""

import numpy as np

from acai.errors import InputError
from acai.nn.layer import Layer


class MSE(Layer):
    """The mean of (y − t)² over every element (N5)."""

    def forward(self, y: np.ndarray, target: np.ndarray) -> float:
        """y and target of one shape → the loss."""
        target = np.asarray(target)
        if y.shape != target.shape:
            raise InputError(f"{self}.forward: target has shape {target.shape}, but y has {y.shape}; expected the same")
        difference = y - target.astype(y.dtype, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = (difference * difference).sum() / max(y.size, 1)  # (N5)
        if not np.isfinite(loss):
            raise InputError(f"{self}: the loss is {loss}; look for NaN in y and target, or lower the learning rate")
        self._kept = (difference,)
        return loss.item()

    def backward(self) -> np.ndarray:
        """→ dy, of the shape of y."""
        (difference,) = self._recall()
        return difference * difference.dtype.type(2 / max(difference.size, 1))  # (N7.12)


class SoftmaxCrossEntropy(Layer):
    """−log softmax(y)_t, the mean over the batch (N6): how surprised the network is by the right class."""

    def forward(self, y: np.ndarray, target: np.ndarray) -> float:
        """y (N, classes), the scores, and target (N,), the numbers of the right classes → the loss."""
        target = np.asarray(target)
        wrong = None
        if y.ndim != 2 or target.shape != y.shape[:1]:
            wrong = f"y has shape {y.shape} and target {target.shape}; expected (N, classes) and (N,)"
        elif not np.issubdtype(target.dtype, np.integer):
            wrong = f"target is {target.dtype}; expected whole numbers, the classes"
        elif len(target) and not (0 <= target.min() and target.max() < y.shape[1]):
            wrong = f"target goes from {target.min()} to {target.max()}; expected 0 to {y.shape[1] - 1}"
        elif not np.isfinite(y).all():
            wrong = "y has scores that are not finite; look for NaN in the input, or lower the learning rate"
        if wrong:
            raise InputError(f"{self}.forward: {wrong}")
        shifted = y - y.real.max(axis=1, keepdims=True)  # the same softmax, and no exp can overflow
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self._kept = np.exp(log_p), target
        return -log_p[np.arange(len(y)), target].sum().item() / max(len(y), 1)  # (N6)

    def backward(self) -> np.ndarray:
        """→ dy (N, classes); each row sums to zero."""
        p, target = self._recall()
        dy = p.copy()
        dy[np.arange(len(p)), target] -= 1
        return dy / dy.dtype.type(max(len(p), 1))  # (N7.13)
