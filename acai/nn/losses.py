"""How wrong an answer is: the mean squared error (N5), the softmax loss (N6), and their gradients (N7.12, N7.13)."""

import numpy as np

from acai.errors import InputError


class MSE:
    """The mean of (y − t)² over every element (N5)."""

    def __init__(self) -> None:
        self._kept: np.ndarray | None = None

    def forward(self, y: np.ndarray, target: np.ndarray) -> float:
        """y and target of one shape → the loss."""
        target = np.asarray(target)
        if y.shape != target.shape:
            raise InputError(f"MSE.forward: target has shape {target.shape}, but y has {y.shape}; expected the same")
        difference = y - target.astype(y.dtype, copy=False)
        self._kept = difference
        with np.errstate(over="ignore", invalid="ignore"):
            loss = (difference * difference).sum() / max(y.size, 1)  # (N5)
        if not np.isfinite(loss):
            raise InputError(f"MSE: the loss is {loss}; look for NaN in y and target, or lower the learning rate")
        return loss.item()

    def backward(self) -> np.ndarray:
        """→ dy, of the shape of y."""
        if self._kept is None:
            raise InputError("MSE.backward: there is no forward to go back through; call forward first")
        return self._kept * self._kept.dtype.type(2 / max(self._kept.size, 1))  # (N7.12)

    def __repr__(self) -> str:
        return "MSE()"


class SoftmaxCrossEntropy:
    """−log softmax(y)_t, the mean over the batch (N6): how surprised the network is by the right class."""

    def __init__(self) -> None:
        self._kept: tuple[np.ndarray, np.ndarray] | None = None

    def forward(self, y: np.ndarray, target: np.ndarray) -> float:
        """y (N, classes), the scores, and target (N,), the numbers of the right classes → the loss."""
        target = np.asarray(target)
        if y.ndim != 2 or target.shape != y.shape[:1]:
            raise self._error(f"y has shape {y.shape} and target {target.shape}; expected (N, classes) and (N,)")
        if not np.issubdtype(target.dtype, np.integer):
            raise self._error(f"target is {target.dtype}; expected whole numbers, the classes")
        if len(target) and not (0 <= target.min() and target.max() < y.shape[1]):
            raise self._error(f"target goes from {target.min()} to {target.max()}; expected 0 to {y.shape[1] - 1}")
        if not np.isfinite(y).all():
            raise self._error("y has scores that are not finite; look for NaN in the input, or lower the learning rate")
        shifted = y - y.real.max(axis=1, keepdims=True)  # the same softmax, and no exp can overflow
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self._kept = np.exp(log_p), target
        return -log_p[np.arange(len(y)), target].sum().item() / max(len(y), 1)  # (N6)

    def backward(self) -> np.ndarray:
        """→ dy (N, classes); each row sums to zero."""
        if self._kept is None:
            raise InputError("SoftmaxCrossEntropy.backward: there is no forward to go back through; call forward first")
        p, target = self._kept
        dy = p.copy()
        dy[np.arange(len(p)), target] -= 1
        return dy / dy.dtype.type(max(len(p), 1))  # (N7.13)

    def __repr__(self) -> str:
        return "SoftmaxCrossEntropy()"

    def _error(self, what: str) -> InputError:
        return InputError(f"SoftmaxCrossEntropy.forward: {what}")
