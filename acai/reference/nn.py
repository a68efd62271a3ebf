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


def window(x: Array, size: Pair, stride: Pair, padding: Pair, i: int, j: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield each (p, q) of the window of y(i, j) with the (h, w) of x under it; positions outside, where x is 0, are omitted."""
    for p, q in np.ndindex(size):
        h, w = i * stride[0] + p - padding[0], j * stride[1] + q - padding[1]
        if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
            yield p, q, h, w


def conv(x: Array, W: Array, b: Array, stride: Pair, padding: Pair) -> Array:
    """(N1) Convolution: y(n,o,i,j) = b_o + Σ_c,p,q W(o,c,p,q) x(n, c, i·s + p − P, j·s + q − P), x being 0 outside."""
    O, C, size = len(W), W.shape[1], W.shape[2:]
    y = np.zeros((len(x), O, *places(x, size, stride, padding)), x.dtype)
    for n, o, i, j in np.ndindex(y.shape):
        below = list(window(x, size, stride, padding, i, j))
        y[n, o, i, j] = b[o] + sum(W[o, c, p, q] * x[n, c, h, w] for p, q, h, w in below for c in range(C))
    return y


def conv_backward(dy: Array, x: Array, W: Array, stride: Pair, padding: Pair) -> tuple[Array, Array, Array]:
    """(N7.1) dx, (N7.2) dW and (N7.3) db: for each product in (N1), each factor receives dy times the other."""
    O, C, size = len(W), W.shape[1], W.shape[2:]
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(O, W.dtype)
    for n, o, i, j in np.ndindex(dy.shape):
        db[o] += dy[n, o, i, j]
        for c in range(C):
            for p, q, h, w in window(x, size, stride, padding, i, j):
                dx[n, c, h, w] += W[o, c, p, q] * dy[n, o, i, j]
                dW[o, c, p, q] += x[n, c, h, w] * dy[n, o, i, j]
    return dx, dW, db


def max_pool(x: Array, size: Pair, stride: Pair, padding: Pair, dy: Array | None = None) -> Array:
    """(N2) Max pooling; with `dy`, (N7.4) its dx: dy goes to the first position of the maximum."""
    y, dx = np.zeros((*x.shape[:2], *places(x, size, stride, padding)), x.dtype), np.zeros_like(x)
    for n, c, i, j in np.ndindex(y.shape):
        below = [(n, c, h, w) for _, _, h, w in window(x, size, stride, padding, i, j)]
        y[n, c, i, j] = max(x[at] for at in below)  # (N2)
        best = next(at for at in below if x[at] == y[n, c, i, j])  # the first, where several are equal
        dx[best] += 0 if dy is None else dy[n, c, i, j]
    return y if dy is None else dx


@np.vectorize(otypes=[float])
def relu(x: float, dy: float | None = None) -> float:
    """(N3) max(0, x); with `dy`, (N7.6) its dx: dy where x > 0, and 0 elsewhere."""
    if dy is None:
        return max(0.0, x)
    return dy if x > 0 else 0.0


def linear(x: Array, W: Array, b: Array) -> Array:
    """(N4) y(n,o) = b_o + Σ_d W(o,d) x(n,d)."""
    y = np.zeros((len(x), len(W)), x.dtype)
    for n, o in np.ndindex(y.shape):
        y[n, o] = b[o] + sum(W[o, d] * x[n, d] for d in range(x.shape[1]))
    return y


def linear_backward(dy: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
    """(N7.9) dx, (N7.10) dW and (N7.11) db of the linear layer."""
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(len(W), W.dtype)
    for n, o in np.ndindex(dy.shape):
        db[o] += dy[n, o]
        for d in range(x.shape[1]):
            dx[n, d] += dy[n, o] * W[o, d]
            dW[o, d] += dy[n, o] * x[n, d]
    return dx, dW, db


def mse(y: Array, target: Array) -> tuple[float, Array]:
    """(N5) The mean of (y − t)² over every element, and (N7.12) dy = 2 (y − t) / their number."""
    loss = 0.0
    dy = np.zeros_like(y)
    for at in np.ndindex(y.shape):
        difference = float(y[at] - target[at])
        loss += difference**2 / y.size
        dy[at] = 2 * difference / y.size
    return loss, dy


def softmax_cross_entropy(y: Array, target: Array) -> tuple[float, Array]:
    """(N6) The mean of −log softmax(y)_t, and (N7.13) dy = (softmax(y) − 1 for the correct class) / N."""
    N, K = y.shape
    loss = 0.0
    dy = np.zeros_like(y)
    for n in range(N):
        highest = max(y[n])
        total = sum(math.exp(y[n, k] - highest) for k in range(K))
        loss += (math.log(total) + highest - y[n, target[n]]) / N
        for k in range(K):
            dy[n, k] = (math.exp(y[n, k] - highest) / total - (k == target[n])) / N
    return loss, dy


class Differentiable(Protocol):
    """Whatever turns the gradient with respect to its output into the gradient with respect to its input."""

    def backward(self, dy: Array, /) -> Array:
        """Return the gradient with respect to the input."""


def backpropagation(layers: Sequence[Differentiable], dy: Array) -> Array:
    """(N7) The chain rule: each layer turns the gradient with respect to its output into that with respect to its input."""
    for layer in reversed(layers):
        dy = layer.backward(dy)
    return dy


def sgd_step(  # noqa: PLR0913 - (N8) has six symbols and two variants
    w: float, dw: float, delta_w: float, eta: float, alpha: float, lam: float = 0.0, nesterov: bool = False
) -> tuple[float, float]:
    """(N8) The step of one number: Δw ← α Δw − η (dw + λ w), w ← w + Δw; Nesterov's w ← w + α Δw − η (dw + λ w)."""
    g = dw + lam * w
    delta_w = alpha * delta_w - eta * g
    return (w + alpha * delta_w - eta * g if nesterov else w + delta_w), delta_w


def global_pool(x: Array, kind: str, dy: Array | None = None) -> Array:
    """(N9) Mean, maximum or L2 norm (over √T) of each row of x (N, C, H, T); with `dy` (N, C, H), (N7.5) its dx."""
    T = x.shape[3]
    y, dx = np.zeros(x.shape[:3], x.dtype), np.zeros_like(x)
    for n, c, h in np.ndindex(y.shape):
        row = x[n, c, h].tolist()
        mean = sum(x[n, c, h, t] for t in range(T)) / T  # (N9)
        largest = max(x[n, c, h, t] for t in range(T))  # (N9)
        l2 = math.sqrt(sum(x[n, c, h, t] ** 2 for t in range(T)) / T)  # (N9)
        first = row.index(largest)
        y[n, c, h] = {"mean": mean, "max": largest, "l2": l2}[kind]
        for t in range(T):
            slope = {"mean": 1 / T, "max": t == first, "l2": row[t] / (T * l2) if l2 > 0 else 0.0}[kind]
            dx[n, c, h, t] = slope * (0 if dy is None else dy[n, c, h])
    return y if dy is None else dx


@np.vectorize(otypes=[float])
def tanh(x: float, dy: float | None = None) -> float:
    """(N10) tanh(x); with `dy`, (N7.7) its dx = dy (1 − tanh² x)."""
    return math.tanh(x) if dy is None else dy * (1 - math.tanh(x) ** 2)


@np.vectorize(otypes=[float])
def dropout(x: float, dropped: bool, rate: float) -> float:
    """(N11) x / (1 − rate) where it is kept, and 0 where it is dropped; (N7.8) applied to dy, this is its dx."""
    return 0.0 if dropped else x / (1 - rate)
