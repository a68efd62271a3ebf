"""The zoo: losses, each with `forward(y, target)` and `backward()`."""

import numpy as np


class MSE:
    def forward(self, y, t):
        self.d = y - t
        return np.mean(self.d**2)

    def backward(self):
        return 2 * self.d / self.d.size


class SumOfSquares:
    def forward(self, y, t):
        self.d = y - t
        return 0.5 * np.sum(self.d**2)

    def backward(self):
        return self.d


class L1:
    def forward(self, y, t):
        self.d = y - t
        return np.mean(np.abs(self.d))

    def backward(self):
        return np.sign(self.d) / self.d.size


class Huber:
    def __init__(self, delta=1.0):
        self.delta = delta

    def forward(self, y, t):
        self.d = y - t
        a = np.abs(self.d)
        return np.sum(np.where(a < self.delta, 0.5 * a**2, self.delta * (a - 0.5 * self.delta)))

    def backward(self):
        return np.where(np.abs(self.d) < self.delta, self.d, self.delta * np.sign(self.d))


class LogCosh:
    def forward(self, y, t):
        self.d = y - t
        return np.sum(np.logaddexp(self.d, -self.d) - np.log(2))

    def backward(self):
        return np.tanh(self.d)


class Quantile:
    def __init__(self, q=0.8):
        self.q = q

    def forward(self, y, t):
        self.d = t - y
        return np.sum(np.maximum(self.q * self.d, (self.q - 1) * self.d))

    def backward(self):
        return np.where(self.d > 0, -self.q, 1 - self.q)


class Hinge:
    def forward(self, y, t):
        self.y, self.t = y, t
        return np.maximum(0, 1 - t * y).sum()

    def backward(self):
        return -self.t * (self.t * self.y < 1)


class SquaredHinge:
    def forward(self, y, t):
        self.y, self.t = y, t
        return (np.maximum(0, 1 - t * y) ** 2).sum()

    def backward(self):
        return -2 * self.t * np.maximum(0, 1 - self.t * self.y)


class MultiClassHinge:
    def forward(self, y, t):
        self.rows, self.t = np.arange(len(y)), t
        self.margin = np.maximum(0, y - y[self.rows, t][:, None] + 1)
        self.margin[self.rows, t] = 0
        return self.margin.sum() / len(y)

    def backward(self):
        dy = (self.margin > 0).astype(float)
        dy[self.rows, self.t] -= dy.sum(axis=1)
        return dy / len(dy)


class BCEWithLogits:
    def forward(self, y, t):
        self.y, self.t = y, t
        return np.mean(np.maximum(y, 0) - y * t + np.log1p(np.exp(-np.abs(y))))

    def backward(self):
        return (1 / (1 + np.exp(-self.y)) - self.t) / self.y.size


class BCE:
    def forward(self, p, t):
        self.p, self.t = p, t
        return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))

    def backward(self):
        return (self.p - self.t) / (self.p * (1 - self.p)) / self.p.size


class SoftmaxCrossEntropy:
    def forward(self, y, t):
        e = np.exp(y - y.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.mean(np.log(self.p[np.arange(len(t)), t]))

    def backward(self):
        dy = self.p.copy()
        dy[np.arange(len(dy)), self.t] -= 1
        return dy / len(dy)


class SoftLabels:
    """Softmax cross-entropy with a distribution as the target."""

    def forward(self, y, t):
        z = y - y.max(axis=1, keepdims=True)
        self.log_p, self.t = z - np.log(np.exp(z).sum(axis=1, keepdims=True)), t
        return -np.sum(t * self.log_p)

    def backward(self):
        return np.exp(self.log_p) * self.t.sum(axis=1, keepdims=True) - self.t


class CrossEntropy:
    """On probabilities, one-hot targets."""

    def forward(self, p, t):
        self.p, self.t = p, t
        return -np.sum(t * np.log(p)) / len(p)

    def backward(self):
        return -self.t / self.p / len(self.p)


class NLL:
    """On log-probabilities."""

    def forward(self, y, t):
        self.shape, self.t = y.shape, t
        return -y[np.arange(len(t)), t].mean()

    def backward(self):
        dy = np.zeros(self.shape)
        dy[np.arange(len(dy)), self.t] = -1 / len(dy)
        return dy


class KL:
    """The divergence of a target distribution from log-probabilities."""

    def forward(self, y, t):
        self.t, self.n = t, len(y)
        return np.sum(t * (np.log(t) - y)) / self.n

    def backward(self):
        return -self.t / self.n


class Cosine:
    def forward(self, y, t):
        self.y, self.t = y, t
        self.ny, self.nt = np.linalg.norm(y, axis=1, keepdims=True), np.linalg.norm(t, axis=1, keepdims=True)
        self.cos = (y * t).sum(axis=1, keepdims=True) / (self.ny * self.nt)
        return np.sum(1 - self.cos)

    def backward(self):
        return -(self.t / (self.ny * self.nt) - self.cos * self.y / self.ny**2)


class PoissonNLL:
    def forward(self, y, t):
        self.y, self.t = y, t
        return np.mean(np.exp(y) - t * y)

    def backward(self):
        return (np.exp(self.y) - self.t) / self.y.size


class Focal:
    """Binary, on logits, with γ = 2."""

    def forward(self, y, t):
        self.s = 2 * t - 1
        self.p = 1 / (1 + np.exp(-self.s * y))
        return -np.sum((1 - self.p) ** 2 * np.log(self.p))

    def backward(self):
        q = 1 - self.p
        return -self.s * (q**3 - 2 * q**2 * self.p * np.log(self.p))


class Dice:
    def forward(self, p, t):
        self.p, self.t = p, t
        self.top, self.bottom = 2 * (p * t).sum() + 1, (p**2).sum() + (t**2).sum() + 1
        return 1 - self.top / self.bottom

    def backward(self):
        return -(2 * self.t * self.bottom - self.top * 2 * self.p) / self.bottom**2
