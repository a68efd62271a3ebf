"""Layers as people write them, each with a way to be wrong, for the tests of what once fooled the gradient check."""

from types import SimpleNamespace

import numpy as np


class Elementwise:
    """y = f(x), and dx = times · slope(x, y) · dy."""

    def __init__(self, f, slope, times=1):
        self.f, self.slope, self.times = f, slope, times

    def forward(self, x):
        self.x, self.y = x, self.f(x)
        return self.y

    def backward(self, dy):
        return self.times * dy * self.slope(self.x, self.y)


class Softmax:
    def __init__(self, times=1):
        self.times = times

    def forward(self, x):
        e = np.exp(x - x.max(-1, keepdims=True))
        self.y = e / e.sum(-1, keepdims=True)
        return self.y

    def backward(self, dy):
        return self.times * self.y * (dy - (dy * self.y).sum(-1, keepdims=True))


class Attention:
    """Self-attention of one head; wrong: no gradient through the scores."""

    def __init__(self, D=4, drop_scores=False, scaled=True):
        rng = np.random.default_rng(0)
        self.params, self.grads = {name: rng.normal(size=(D, D)) for name in "QKV"}, {}
        self.drop_scores, self.d = drop_scores, np.sqrt(D) if scaled else 1.0

    def forward(self, x):
        self.x, p = x, self.params
        self.q, self.k, self.v = x @ p["Q"], x @ p["K"], x @ p["V"]
        self.softmax = Softmax()
        self.a = self.softmax.forward(self.q @ self.k.swapaxes(-1, -2) / self.d)
        return self.a @ self.v

    def backward(self, dy):
        dv, da = self.a.swapaxes(-1, -2) @ dy, dy @ self.v.swapaxes(-1, -2)
        dz = self.softmax.backward(da) / self.d * (not self.drop_scores)
        dq, dk, p = dz @ self.k, dz.swapaxes(-1, -2) @ self.q, self.params
        flat = self.x.reshape(-1, self.x.shape[-1])
        for name, g in zip("QKV", (dq, dk, dv)):
            self.grads[name] = flat.T @ g.reshape(flat.shape)
        return dq @ p["Q"].T + dk @ p["K"].T + dv @ p["V"].T


class RNN:
    """h_t = tanh(x_t Wx + h_{t-1} Wh + b); dx may be wrong by a factor."""

    def __init__(self, D=3, H=4, times=1):
        rng = np.random.default_rng(1)
        self.times, self.grads = times, {}
        self.params = {"Wx": rng.normal(size=(D, H)), "Wh": rng.normal(size=(H, H)), "b": rng.normal(size=H)}

    def forward(self, x):
        p, h = self.params, np.zeros((len(x), self.params["b"].size))
        self.x, self.hs = x, [h]
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ p["Wx"] + h @ p["Wh"] + p["b"])
            self.hs.append(h)
        return np.stack(self.hs[1:], 1)

    def backward(self, dy):
        p, dx, dh = self.params, np.zeros_like(self.x), 0.0
        self.grads = {name: np.zeros_like(w) for name, w in p.items()}
        for t in reversed(range(dy.shape[1])):
            dz = (dy[:, t] + dh) * (1 - self.hs[t + 1] ** 2)
            dx[:, t] = self.times * dz @ p["Wx"].T
            self.grads["Wx"] += self.x[:, t].T @ dz
            self.grads["Wh"] += self.hs[t].T @ dz
            self.grads["b"] += dz.sum(0)
            dh = dz @ p["Wh"].T
        return dx


class Huber:
    """Wrong by a factor where it is a square."""

    def __init__(self, times=1):
        self.times = times

    def forward(self, y, target):
        self.e = y - target
        a = abs(self.e)
        return float(np.where(a < 1, 0.5 * a * a, a - 0.5).sum())

    def backward(self):
        return np.where(abs(self.e) < 1, self.times * self.e, np.sign(self.e))


class CrossEntropyOnProbabilities:
    def __init__(self, times=1):
        self.times = times

    def forward(self, p, target):
        self.p, self.t = p, target
        return -np.sum(target * np.log(p) + (1 - target) * np.log(1 - p))

    def backward(self):
        return self.times * ((1 - self.t) / (1 - self.p) - self.t / self.p)


class Dropout:
    def __init__(self, draw, times=1):
        self.draw, self.times = draw, times

    def forward(self, x):
        self.mask = 2.0 * (self.draw(x.shape) > 0.5)
        return x * self.mask

    def backward(self, dy):
        return self.times * dy * self.mask


class Dense:
    """y = x W + b, its parameters and gradients in one of the places where people keep them."""

    def __init__(self, D, O, store="attributes", times=1):
        self.D, self.O, self.store, self.times = D, O, store, times
        self.ready = False
        if store != "lazily":
            self._make()

    def _make(self):
        W, b = np.random.default_rng(0).normal(size=(self.D, self.O)), np.ones(self.O)
        self.ready = True
        if self.store == "dictionary":
            self.params, self.grads = {"W": W, "b": b}, {}
        elif self.store == "list":
            self.params, self.grads = [W, b], [None, None]
        elif self.store == "objects":
            self.W, self.b = (SimpleNamespace(value=w, grad=np.zeros_like(w)) for w in (W, b))
        else:
            self.W, self.b = W, b

    def _weights(self):
        if self.store == "dictionary":
            return self.params["W"], self.params["b"]
        if self.store == "list":
            return self.params
        return (self.W.value, self.b.value) if self.store == "objects" else (self.W, self.b)

    def forward(self, x):
        if not self.ready:
            self._make()
        self.x = x
        W, b = self._weights()
        return x @ W + b

    def backward(self, dy):
        W, dW, db = self._weights()[0], self.times * self.x.T @ dy, dy.sum(0)
        dx = dy @ W.T
        if self.store == "dictionary":
            self.grads = {"W": dW, "b": db}
        elif self.store == "list":
            self.grads = [dW, db]
        elif self.store == "objects":
            self.W.grad, self.b.grad = dW, db
        elif self.store == "returned":
            return dx, dW, db
        elif self.store != "no gradients":
            self.dW, self.db = dW, db
        if self.store == "updates":
            self.W -= 0.1 * dW
        return dx


class Sort:
    def forward(self, x):
        self.order = np.argsort(x, -1, kind="stable")
        return np.take_along_axis(x, self.order, -1)

    def backward(self, dy):
        dx = np.zeros_like(dy)
        np.put_along_axis(dx, self.order, dy, -1)
        return dx


class Median:
    def forward(self, x):
        self.shape = x.shape
        self.middle = np.argsort(x, -1)[..., [x.shape[-1] // 2]]
        return np.take_along_axis(x, self.middle, -1)

    def backward(self, dy):
        dx = np.zeros(self.shape)
        np.put_along_axis(dx, self.middle, dy, -1)
        return dx


class MaskMaxPool:
    """2 × 2, the whole gradient to every maximum of a window."""

    def forward(self, x):
        N, C, H, W = self.shape = x.shape
        self.windows = x.reshape(N, C, H // 2, 2, W // 2, 2)
        self.y = self.windows.max((3, 5))
        return self.y

    def backward(self, dy):
        mask = self.windows == self.y[:, :, :, None, :, None]
        return (mask * dy[:, :, :, None, :, None]).reshape(self.shape)


class Embedding:
    """W[x]; wrong: a row that is used twice gets the last gradient alone."""

    def __init__(self, assign=False):
        self.W, self.assign = np.random.default_rng(0).normal(size=(5, 3)), assign

    def forward(self, x):
        self.x = x
        return self.W[x]

    def backward(self, dy):
        self.dW = np.zeros_like(self.W)
        if self.assign:
            self.dW[self.x] = dy
        else:
            np.add.at(self.dW, self.x, dy)
