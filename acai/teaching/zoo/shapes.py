"""The zoo: linear layers, what rearranges, what sorts, and what drops at random."""

import numpy as np


class Dense:
    def __init__(self, D=4, O=3):
        rng = np.random.default_rng(0)
        self.W, self.b = rng.normal(size=(D, O)), np.zeros(O)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T


class DenseOverTime:
    """(N, T, D) → (N, T, O)."""

    def __init__(self, D=4, O=3):
        self.params, self.grads = {"W": np.random.default_rng(0).normal(size=(D, O)), "b": np.zeros(O)}, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        self.grads["W"] = np.einsum("ntd,nto->do", self.x, dy)
        self.grads["b"] = dy.sum(axis=(0, 1))
        return dy @ self.params["W"].T


class WeightDecayDense:
    """With an L2 penalty that is part of the gradient of W only through its own output."""

    def __init__(self, D=4, O=3):
        self.W = np.random.default_rng(0).normal(size=(D, O))

    def forward(self, x):
        self.x = x
        return np.append((x @ self.W).ravel(), 0.5 * np.sum(self.W**2))

    def backward(self, dy):
        dz = dy[:-1].reshape(len(self.x), -1)
        self.dW = self.x.T @ dz + dy[-1] * self.W
        return dz @ self.W.T


class Bias:
    def __init__(self, C=3):
        self.params, self.grads = [np.zeros(C)], [None]

    def forward(self, x):
        return x + self.params[0][:, None, None]

    def backward(self, dy):
        self.grads[0] = dy.sum(axis=(0, 2, 3))
        return dy


class ScaleShift:
    def __init__(self, D=4):
        self.gamma, self.beta = np.ones(D), np.zeros(D)

    def forward(self, x):
        self.x = x
        return self.gamma * x + self.beta

    def backward(self, dy):
        self.dgamma = (dy * self.x).sum(axis=0)
        self.dbeta = dy.sum(axis=0)
        return dy * self.gamma


class Residual:
    def __init__(self, D=4):
        self.W = np.random.default_rng(0).normal(size=(D, D))

    def forward(self, x):
        self.x, self.z = x, x @ self.W
        return x + np.maximum(self.z, 0)

    def backward(self, dy):
        dz = dy * (self.z > 0)
        self.dW = self.x.T @ dz
        return dy + dz @ self.W.T


class Highway:
    def __init__(self, D=4):
        rng = np.random.default_rng(0)
        self.W, self.V = rng.normal(size=(D, D)), rng.normal(size=(D, D))

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W)
        self.g = 1 / (1 + np.exp(-x @ self.V))
        return self.g * self.h + (1 - self.g) * x

    def backward(self, dy):
        dh = dy * self.g * (1 - self.h**2)
        dg = dy * (self.h - self.x) * self.g * (1 - self.g)
        self.dW, self.dV = self.x.T @ dh, self.x.T @ dg
        return dh @ self.W.T + dg @ self.V.T + dy * (1 - self.g)


class Bilinear:
    """y = x_l · W · x_r for the two halves of x."""

    def __init__(self, D=4, O=3):
        self.D, self.W = D, np.random.default_rng(0).normal(size=(O, D // 2, D // 2))

    def forward(self, x):
        self.l, self.r = x[:, : self.D // 2], x[:, self.D // 2 :]
        return np.einsum("ni,oij,nj->no", self.l, self.W, self.r)

    def backward(self, dy):
        self.dW = np.einsum("no,ni,nj->oij", dy, self.l, self.r)
        dl = np.einsum("no,oij,nj->ni", dy, self.W, self.r)
        dr = np.einsum("no,oij,ni->nj", dy, self.W, self.l)
        return np.concatenate([dl, dr], axis=1)


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class Transpose:
    def forward(self, x):
        return x.transpose(0, 2, 3, 1)

    def backward(self, dy):
        return dy.transpose(0, 3, 1, 2)


class ZeroPad:
    def forward(self, x):
        return np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)))

    def backward(self, dy):
        return dy[:, :, 1:-1, 2:-2]


class Upsample:
    def forward(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3)

    def backward(self, dy):
        N, C, H, W = dy.shape
        return dy.reshape(N, C, H // 2, 2, W // 2, 2).sum(axis=(3, 5))


class PixelShuffle:
    def forward(self, x):
        N, C, H, W = x.shape
        return x.reshape(N, C // 4, 2, 2, H, W).transpose(0, 1, 4, 2, 5, 3).reshape(N, C // 4, 2 * H, 2 * W)

    def backward(self, dy):
        N, C, H, W = dy.shape
        return dy.reshape(N, C, H // 2, 2, W // 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(N, 4 * C, H // 2, W // 2)


class CumSum:
    def forward(self, x):
        return np.cumsum(x, axis=1)

    def backward(self, dy):
        return np.cumsum(dy[:, ::-1], axis=1)[:, ::-1]


class Sort:
    def forward(self, x):
        self.order = np.argsort(x, axis=-1, kind="stable")
        return np.take_along_axis(x, self.order, axis=-1)

    def backward(self, dy):
        dx = np.zeros_like(dy)
        np.put_along_axis(dx, self.order, dy, axis=-1)
        return dx


class Median:
    def forward(self, x):
        self.shape = x.shape
        self.middle = np.argsort(x, axis=-1, kind="stable")[..., x.shape[-1] // 2, None]
        return np.take_along_axis(x, self.middle, axis=-1)[..., 0]

    def backward(self, dy):
        dx = np.zeros(self.shape)
        np.put_along_axis(dx, self.middle, dy[..., None], axis=-1)
        return dx


class TopK:
    def __init__(self, k=2):
        self.k = k

    def forward(self, x):
        self.shape = x.shape
        self.best = np.argsort(-x, axis=-1, kind="stable")[..., : self.k]
        return np.take_along_axis(x, self.best, axis=-1)

    def backward(self, dy):
        dx = np.zeros(self.shape)
        np.put_along_axis(dx, self.best, dy, axis=-1)
        return dx


class Dropout:
    """Inverted, from NumPy's global generator."""

    def forward(self, x):
        self.mask = (np.random.rand(*x.shape) < 0.6) / 0.6
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class DropoutOwn:
    """From a generator of its own, not scaled while training."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        self.keep = self.rng.random(x.shape) > 0.3
        return x * self.keep

    def backward(self, dy):
        return dy * self.keep


class SpatialDropout:
    """Whole channels at a time; with a flag that says whether it is training."""

    def forward(self, x, train=True):
        self.mask = np.random.binomial(1, 0.7, size=x.shape[:2])[:, :, None, None] / 0.7 if train else 1.0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask
