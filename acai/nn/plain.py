"""Layers as a student writes them: plain NumPy, one line for each equation, correct, easy to break (`acai.teaching.bugs`)."""

import numpy as np

from acai.nn.layer import FloatArray

Pair = tuple[int, int]


def padded(x: FloatArray, padding: Pair, value: float = 0.0) -> FloatArray:
    """Return x with a frame around each feature map; `np.pad` does the same but takes ten times as long for a small x."""
    (N, C, H, W), (pH, pW) = x.shape, padding
    framed: FloatArray = np.full((N, C, H + 2 * pH, W + 2 * pW), value, dtype=x.dtype)
    framed[:, :, pH : pH + H, pW : pW + W] = x
    return framed


class Conv:
    """Convolution (N1), one tap (p, q) of the kernel after the other; with dilation."""

    def __init__(  # noqa: PLR0913 - each is a symbol of the equation
        self, C: int = 2, O: int = 3, kernel: Pair = (2, 2), stride: Pair = (1, 1), padding: Pair = (0, 0),
        dilation: Pair = (1, 1), seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.params: dict[str, FloatArray] = {"W": rng.normal(size=(O, C, *kernel)), "b": rng.normal(size=O)}
        self.grads: dict[str, FloatArray] = {}

    def forward(self, x: FloatArray) -> FloatArray:  # noqa: PLR0914 - each is a symbol of the equation
        W, b = self.params["W"], self.params["b"]
        (O, _, kH, kW), (N, _, H, width) = W.shape, x.shape
        (sH, sW), (pH, pW), (dH, dW_) = self.stride, self.padding, self.dilation
        self.shape = x.shape
        self.x = padded(x, (pH, pW))
        H_out = (H + 2 * pH - dH * (kH - 1) - 1) // sH + 1
        W_out = (width + 2 * pW - dW_ * (kW - 1) - 1) // sW + 1
        y = np.zeros((N, O, H_out, W_out))
        for p, q in np.ndindex(kH, kW):
            rows, columns = slice(p * dH, p * dH + sH * H_out, sH), slice(q * dW_, q * dW_ + sW * W_out, sW)  # (N1)
            y += np.einsum("oc,nchw->nohw", W[:, :, p, q], self.x[:, :, rows, columns])  # (N1)
        y += b[:, None, None]  # (N1)
        return y

    def backward(self, dy: FloatArray) -> FloatArray:  # noqa: PLR0914 - each is a symbol of the equation
        W = self.params["W"]
        (H, width), (H_out, W_out), (kH, kW) = self.shape[2:], dy.shape[2:], W.shape[2:]
        (sH, sW), (pH, pW), (dH, dW_) = self.stride, self.padding, self.dilation
        dx, dW = np.zeros_like(self.x), np.zeros_like(W)
        for p, q in np.ndindex(kH, kW):
            top, left = p * dH, q * dW_
            rows, columns = slice(top, top + sH * H_out, sH), slice(left, left + sW * W_out, sW)  # (N7.1, N7.2)
            dx[:, :, rows, columns] += np.einsum("oc,nohw->nchw", W[:, :, p, q], dy)  # (N7.1)
            dW[:, :, p, q] += np.einsum("nohw,nchw->oc", dy, self.x[:, :, rows, columns])  # (N7.2)
        self.grads["W"] = dW
        self.grads["b"] = dy.sum(axis=(0, 2, 3))  # (N7.3)
        return dx[:, :, pH : pH + H, pW : pW + width]  # (N7.1)


class MaxPool:
    """Max pooling (N2): the windows' numbers in one stack, the first largest is remembered."""

    def __init__(self, size: Pair = (2, 2), stride: Pair = (2, 2), padding: Pair = (0, 0)) -> None:
        self.size, self.stride, self.padding = size, stride, padding

    def forward(self, x: FloatArray) -> FloatArray:
        (H, W), (kH, kW), (sH, sW), (pH, pW) = x.shape[2:], self.size, self.stride, self.padding
        x_padded = padded(x, (pH, pW), -np.inf)
        H_out, W_out = (H + 2 * pH - kH) // sH + 1, (W + 2 * pW - kW) // sW + 1
        self.places = [(slice(p, p + sH * H_out, sH), slice(q, q + sW * W_out, sW)) for p, q in np.ndindex(kH, kW)]  # (N2)
        self.stack = np.array([x_padded[:, :, rows, columns] for rows, columns in self.places])  # (N2)
        self.first = self.stack.argmax(axis=0)  # (N7.4)
        self.shape, self.padded_shape = x.shape, x_padded.shape
        y: FloatArray = self.stack.max(axis=0)  # (N2)
        return y

    def backward(self, dy: FloatArray) -> FloatArray:
        (H, W), (pH, pW) = self.shape[2:], self.padding
        dx = np.zeros(self.padded_shape)
        for t, (rows, columns) in enumerate(self.places):
            dx[:, :, rows, columns] += dy * (self.first == t)  # (N7.4)
        return dx[:, :, pH : pH + H, pW : pW + W]


class ReLU:
    """Rectification (N3)."""

    def forward(self, x: FloatArray) -> FloatArray:
        self.x = x.copy()
        return np.maximum(x, 0)  # (N3)

    def backward(self, dy: FloatArray) -> FloatArray:
        return dy * (self.x > 0)  # (N7.6)


class Linear:
    """The linear layer (N4)."""

    def __init__(self, D: int = 4, O: int = 4, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.params: dict[str, FloatArray] = {"W": rng.normal(size=(O, D)), "b": rng.normal(size=O)}
        self.grads: dict[str, FloatArray] = {}

    def forward(self, x: FloatArray) -> FloatArray:
        self.x = x.copy()
        return x @ self.params["W"].T + self.params["b"]  # (N4)

    def backward(self, dy: FloatArray) -> FloatArray:
        self.grads["W"] = dy.T @ self.x  # (N7.10)
        self.grads["b"] = dy.sum(axis=0)  # (N7.11)
        return dy @ self.params["W"]  # (N7.9)


class Softmax:
    """Softmax as a layer of its own: y = exp x / Σ exp x along each row."""

    def forward(self, x: FloatArray) -> FloatArray:
        e = np.exp(x - x.real.max(axis=1, keepdims=True))
        y: FloatArray = e / e.sum(axis=1, keepdims=True)
        self.y = y
        return y

    def backward(self, dy: FloatArray) -> FloatArray:
        dx: FloatArray = self.y * (dy - (dy * self.y).sum(axis=1, keepdims=True))
        return dx
