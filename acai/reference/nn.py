"""README part N, the network, as loops over single numbers. Nothing here is fast, and nothing is clever.

A function under `np.vectorize` is written for one number, and applied to every number of an array.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of floats
Pair = tuple[int, int]  # vertical and horizontal


def places(x: Array, size: Pair, stride: Pair, padding: Pair) -> Pair:
    """Count the positions (H', W') of a window on images x (N, C, H, W)."""
    H, W = ((n + 2 * P - k) // s + 1 for n, k, s, P in zip(x.shape[2:], size, stride, padding))
    return H, W


def conv(x: Array, W: Array, b: Array, stride: Pair, padding: Pair) -> Array:
    """(N1) Convolution: y(n,o,i,j) = b_o + Σ_c,p,q W(o,c,p,q) x(n, c, i·s + p − P, j·s + q − P), x being 0 outside."""
    O, C, size = len(W), W.shape[1], W.shape[2:]
    y = np.zeros((len(x), O, *places(x, size, stride, padding)), x.dtype)
    for n, o, i, j in np.ndindex(y.shape):
        below = list(window(x, size, stride, padding, i, j))
        y[n, o, i, j] = b[o] + sum(W[o, c, p, q] * x[n, c, h, w] for p, q, h, w in below for c in range(C))  # (N1)
    return y


def conv_backward(dy: Array, x: Array, W: Array, stride: Pair, padding: Pair) -> tuple[Array, Array, Array]:
    """(N7.1) dx, (N7.2) dW and (N7.3) db: for each product in (N1), each factor receives dy times the other."""
    O, C, size = len(W), W.shape[1], W.shape[2:]
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(O, W.dtype)
    for n, o, i, j in np.ndindex(dy.shape):
        db[o] += dy[n, o, i, j]  # (N7.3)
        for c in range(C):
            for p, q, h, w in window(x, size, stride, padding, i, j):
                dx[n, c, h, w] += W[o, c, p, q] * dy[n, o, i, j]  # (N7.1)
                dW[o, c, p, q] += x[n, c, h, w] * dy[n, o, i, j]  # (N7.2)
    return dx, dW, db


def max_pool(x: Array, size: Pair, stride: Pair, padding: Pair, dy: Array | None = None) -> Array:
    """(N2) Max pooling; with `dy`, (N7.4) its dx: dy goes to the first position of the maximum."""
    y, dx = np.zeros((*x.shape[:2], *places(x, size, stride, padding)), x.dtype), np.zeros_like(x)
    for n, c, i, j in np.ndindex(y.shape):
        below = [(n, c, h, w) for _, _, h, w in window(x, size, stride, padding, i, j)]
        y[n, c, i, j] = max(x[at] for at in below)  # (N2)
        first = next(at for at in below if x[at] == y[n, c, i, j])  # (N7.4)
        dx[first] += 0 if dy is None else dy[n, c, i, j]  # (N7.4)
    return y if dy is None else dx


def window(x: Array, size: Pair, stride: Pair, padding: Pair, i: int, j: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield each (p, q) of the window of y(i, j) with the (h, w) of x under it; positions outside, where x is 0, are omitted."""
    for p, q in np.ndindex(size):
        h = i * stride[0] + p - padding[0]  # (N1, N2, N7.1, N7.2, N7.4)
        w = j * stride[1] + q - padding[1]  # (N1, N2, N7.1, N7.2, N7.4)
        if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
            yield p, q, h, w


@np.vectorize(otypes=[float])
def relu(x: float, dy: float | None = None) -> float:
    """(N3) max(0, x); with `dy`, (N7.6) its dx: dy where x > 0, and 0 elsewhere."""
    if dy is None:
        return max(0.0, x)  # (N3)
    return dy if x > 0 else 0.0  # (N7.6)


def linear(x: Array, W: Array, b: Array) -> Array:
    """(N4) y(n,o) = b_o + Σ_d W(o,d) x(n,d)."""
    y = np.zeros((len(x), len(W)), x.dtype)
    for n, o in np.ndindex(y.shape):
        y[n, o] = b[o] + sum(W[o, d] * x[n, d] for d in range(x.shape[1]))  # (N4)
    return y


def linear_backward(dy: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
    """(N7.9) dx, (N7.10) dW and (N7.11) db of the linear layer."""
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(len(W), W.dtype)
    for n, o in np.ndindex(dy.shape):
        db[o] += dy[n, o]  # (N7.11)
        for d in range(x.shape[1]):
            dx[n, d] += dy[n, o] * W[o, d]  # (N7.9)
            dW[o, d] += dy[n, o] * x[n, d]  # (N7.10)
    return dx, dW, db


def mse(y: Array, target: Array) -> tuple[float, Array]:
    """(N5) The mean of (y − t)² over every element, and (N7.12) dy = 2 (y − t) / their number."""
    N, D = y.shape
    loss = 0.0
    dy = np.zeros_like(y)
    for n, d in np.ndindex(N, D):
        difference = float(y[n, d] - target[n, d])  # (N5, N7.12)
        loss += difference**2 / (N * D)  # (N5)
        dy[n, d] = 2 * difference / (N * D)  # (N7.12)
    return loss, dy


def softmax_cross_entropy(y: Array, target: Array) -> tuple[float, Array]:
    """(N6) The mean of −log softmax(y)_t, and (N7.13) dy = (softmax(y) − 1 for the correct class) / N."""
    N, K = y.shape
    loss = 0.0
    dy = np.zeros_like(y)
    for n in range(N):
        m = max(y[n])  # (N6)
        total = sum(math.exp(y[n, k] - m) for k in range(K))  # (N6, N7.13)
        loss += -(y[n, target[n]] - m - math.log(total)) / N  # (N6)
        for k in range(K):
            p = math.exp(y[n, k] - m) / total  # (N7.13)
            dy[n, k] = (p - (k == target[n])) / N  # (N7.13)
    return loss, dy


def chain_rule(dy: Sequence[float], slopes: Sequence[Sequence[float]]) -> list[float]:
    """(N7) ∂F/∂x_j = Σ_i ∂F/∂y_i ∂y_i/∂x_j, where `slopes[i][j]` is ∂y_i/∂x_j; for a parameter w in place of x, it is the same."""
    return [sum(dy[i] * slopes[i][j] for i in range(len(dy))) for j in range(len(slopes[0]))]  # (N7)


class Differentiable(Protocol):
    """Whatever turns the gradient with respect to its output into the gradient with respect to its input."""

    def backward(self, dy: Array, /) -> Array:
        """Return the gradient with respect to the input."""


def backpropagation(layers: Sequence[Differentiable], dy: Array) -> Array:
    """(N7) The chain rule: each layer turns the gradient with respect to its output into that with respect to its input."""
    for layer in reversed(layers):
        dy = layer.backward(dy)  # (N7)
    return dy


def sgd_step(  # noqa: PLR0913 - (N8) has six symbols and two variants
    w: float, dw: float, delta_w: float, eta: float, alpha: float, lam: float = 0.0, nesterov: bool = False
) -> tuple[float, float]:
    """(N8) The step of one number: Δw ← α Δw − η (dw + λ w), w ← w + Δw; Nesterov's w ← w + α Δw − η (dw + λ w)."""
    g = dw + lam * w  # (N8)
    delta_w = alpha * delta_w - eta * g  # (N8)
    w = w + alpha * delta_w - eta * g if nesterov else w + delta_w  # (N8)
    return w, delta_w


def global_pool(x: Array) -> Array:
    """(N9) Mean, maximum and L2 norm (over √T) of each row of x (N, C, H, T), as an array (3, N, C, H)."""
    T = x.shape[3]
    y = np.zeros((3, *x.shape[:3]), x.dtype)
    for n, c, h in np.ndindex(x.shape[:3]):
        mean = sum(x[n, c, h, t] for t in range(T)) / T  # (N9)
        largest = max(x[n, c, h, t] for t in range(T))  # (N9)
        l2 = math.sqrt(sum(x[n, c, h, t] ** 2 for t in range(T)) / T)  # (N9)
        y[:, n, c, h] = mean, largest, l2
    return y


def global_pool_backward(dy: Array, x: Array, y: Array) -> Array:
    """(N7.5) The dx of global pooling, from dy and y, (3, N, C, H), and x (N, C, H, T)."""
    T = x.shape[3]
    dx = np.zeros_like(x)
    for n, c, h in np.ndindex(x.shape[:3]):
        dy_mean, dy_max, dy_l2 = dy[:, n, c, h]
        first = x[n, c, h].tolist().index(y[1, n, c, h])
        y_l2 = y[2, n, c, h]
        for t in range(T):
            slope = x[n, c, h, t] / (T * y_l2) if y_l2 > 0 else 0.0  # (N7.5)
            dx[n, c, h, t] = dy_mean / T + (t == first) * dy_max + slope * dy_l2  # (N7.5)
    return dx


@np.vectorize(otypes=[float])
def tanh(x: float, dy: float | None = None) -> float:
    """(N10) tanh(x); with `dy`, (N7.7) its dx = dy (1 − tanh² x)."""
    y = math.tanh(x)  # (N10)
    return y if dy is None else dy * (1 - y**2)  # (N7.7)


@np.vectorize(otypes=[float])
def dropout(x: float, dropped: bool, rate: float) -> float:
    """(N11) x / (1 − rate) where it is kept, and 0 where it is dropped."""
    return 0.0 if dropped else x / (1 - rate)  # (N11)


@np.vectorize(otypes=[float])
def dropout_backward(dy: float, dropped: bool, rate: float) -> float:
    """(N7.8) The dx of dropout: dy / (1 − rate) where x was kept, and 0 where it was dropped."""
    return 0.0 if dropped else dy / (1 - rate)  # (N7.8)
