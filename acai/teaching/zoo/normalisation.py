"""The zoo: what normalises."""

import numpy as np

EPSILON = 1e-5


class BatchNorm:
    def __init__(self, D=4):
        self.gamma, self.beta = np.ones(D), np.zeros(D)
        self.running_mean = np.zeros(D)

    def forward(self, x):
        mean = x.mean(axis=0)
        self.std = np.sqrt(x.var(axis=0) + EPSILON)
        self.xhat = (x - mean) / self.std
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        return self.gamma * self.xhat + self.beta

    def backward(self, dy):
        self.dgamma = (dy * self.xhat).sum(axis=0)
        self.dbeta = dy.sum(axis=0)
        d = dy * self.gamma
        return (d - d.mean(axis=0) - self.xhat * (d * self.xhat).mean(axis=0)) / self.std


class BatchNormSteps:
    """The staged version, every intermediate result by itself."""

    def __init__(self, D=4):
        self.params, self.grads = {"gamma": np.ones(D), "beta": np.zeros(D)}, {}

    def forward(self, x):
        self.centred = x - x.mean(axis=0)
        self.var = (self.centred**2).mean(axis=0)
        self.inv = 1 / np.sqrt(self.var + EPSILON)
        return self.params["gamma"] * self.centred * self.inv + self.params["beta"]

    def backward(self, dy):
        N, centred, inv = len(dy), self.centred, self.inv
        self.grads = {"gamma": (dy * centred * inv).sum(axis=0), "beta": dy.sum(axis=0)}
        dxhat = dy * self.params["gamma"]
        dvar = (dxhat * centred).sum(axis=0) * -0.5 * inv**3
        dcentred = dxhat * inv + dvar * 2 * centred / N
        return dcentred - dcentred.sum(axis=0) / N


class BatchNorm2D:
    def __init__(self, C=3):
        self.gamma, self.beta = np.ones((1, C, 1, 1)), np.zeros((1, C, 1, 1))

    def forward(self, x):
        axes = (0, 2, 3)
        self.std = np.sqrt(x.var(axis=axes, keepdims=True) + EPSILON)
        self.xhat = (x - x.mean(axis=axes, keepdims=True)) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, dy):
        axes = (0, 2, 3)
        self.dgamma = (dy * self.xhat).sum(axis=axes, keepdims=True)
        self.dbeta = dy.sum(axis=axes, keepdims=True)
        d = dy * self.gamma
        correction = self.xhat * (d * self.xhat).mean(axis=axes, keepdims=True)
        return (d - d.mean(axis=axes, keepdims=True) - correction) / self.std


class LayerNorm:
    def __init__(self, D=5):
        self.gamma, self.beta = np.ones(D), np.zeros(D)

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=-1, keepdims=True) + EPSILON)
        self.xhat = (x - x.mean(axis=-1, keepdims=True)) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, dy):
        rows = tuple(range(dy.ndim - 1))
        self.dgamma, self.dbeta = (dy * self.xhat).sum(axis=rows), dy.sum(axis=rows)
        d = dy * self.gamma
        correction = self.xhat * (d * self.xhat).mean(axis=-1, keepdims=True)
        return (d - d.mean(axis=-1, keepdims=True) - correction) / self.std


class GroupNorm:
    def __init__(self, C=4, G=2):
        self.G, self.gamma, self.beta = G, np.ones((1, C, 1, 1)), np.zeros((1, C, 1, 1))

    def forward(self, x):
        g = x.reshape(len(x), self.G, -1)
        self.std = np.sqrt(g.var(axis=2, keepdims=True) + EPSILON)
        self.flat = (g - g.mean(axis=2, keepdims=True)) / self.std
        self.xhat = self.flat.reshape(x.shape)
        return self.gamma * self.xhat + self.beta

    def backward(self, dy):
        self.dgamma = (dy * self.xhat).sum(axis=(0, 2, 3), keepdims=True)
        self.dbeta = dy.sum(axis=(0, 2, 3), keepdims=True)
        d = (dy * self.gamma).reshape(self.flat.shape)
        dx = d - d.mean(axis=2, keepdims=True) - self.flat * (d * self.flat).mean(axis=2, keepdims=True)
        return (dx / self.std).reshape(dy.shape)


class InstanceNorm:
    def forward(self, x):
        self.std = np.sqrt(x.var(axis=(2, 3), keepdims=True) + EPSILON)
        self.xhat = (x - x.mean(axis=(2, 3), keepdims=True)) / self.std
        return self.xhat

    def backward(self, dy):
        correction = self.xhat * (dy * self.xhat).mean(axis=(2, 3), keepdims=True)
        return (dy - dy.mean(axis=(2, 3), keepdims=True) - correction) / self.std


class RMSNorm:
    def __init__(self, D=5):
        self.params, self.grads = {"g": np.ones(D)}, {}

    def forward(self, x):
        self.x, self.rms = x, np.sqrt((x**2).mean(axis=-1, keepdims=True) + EPSILON)
        return self.params["g"] * x / self.rms

    def backward(self, dy):
        self.grads["g"] = (dy * self.x / self.rms).sum(axis=0)
        d = dy * self.params["g"]
        return d / self.rms - self.x * (d * self.x).mean(axis=-1, keepdims=True) / self.rms**3


class L2Normalise:
    def forward(self, x):
        self.norm = np.sqrt((x**2).sum(axis=1, keepdims=True))
        self.y = x / self.norm
        return self.y

    def backward(self, dy):
        return (dy - self.y * (dy * self.y).sum(axis=1, keepdims=True)) / self.norm


class Standardise:
    """Over everything at once, no ε."""

    def forward(self, x):
        self.std = x.std()
        self.y = (x - x.mean()) / self.std
        return self.y

    def backward(self, dy):
        return (dy - dy.mean() - self.y * (dy * self.y).mean()) / self.std


class WeightNormDense:
    def __init__(self, D=4, O=3):
        rng = np.random.default_rng(0)
        self.V, self.g = rng.normal(size=(D, O)), np.ones(O)

    def forward(self, x):
        self.x, self.norm = x, np.sqrt((self.V**2).sum(axis=0))
        self.unit = self.V / self.norm
        return x @ (self.g * self.unit)

    def backward(self, dy):
        dW = self.x.T @ dy
        self.dg = (dW * self.unit).sum(axis=0)
        self.dV = self.g / self.norm * (dW - self.unit * self.dg)
        return dy @ (self.g * self.unit).T
