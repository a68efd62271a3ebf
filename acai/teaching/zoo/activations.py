"""The zoo: functions of each number by itself, and softmax; right, and easy to break (`zoo.toml`)."""

import numpy as np
from scipy.special import erf


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class LeakyReLU:
    def __init__(self, slope=0.1):
        self.slope = slope

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy):
        return np.where(self.x > 0, dy, self.slope * dy)


class PReLU:
    def __init__(self):
        self.params, self.grads = {"a": np.array([0.25])}, {}

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.params["a"] * x)

    def backward(self, dy):
        self.grads["a"] = np.array([np.sum(dy * self.x * (self.x <= 0))])
        return np.where(self.x > 0, dy, self.params["a"] * dy)


class ELU:
    def __init__(self, alpha=1.5):
        self.alpha = alpha

    def forward(self, x):
        self.x = x
        self.y = np.where(x > 0, x, self.alpha * (np.exp(np.minimum(x, 0)) - 1))
        return self.y

    def backward(self, dy):
        return dy * np.where(self.x > 0, 1, self.y + self.alpha)


class SELU:
    alpha, scale = 1.6732632423543772, 1.0507009873554805

    def forward(self, x):
        self.x = x
        return self.scale * np.where(x > 0, x, self.alpha * (np.exp(np.minimum(x, 0)) - 1))

    def backward(self, dy):
        return dy * self.scale * np.where(self.x > 0, 1, self.alpha * np.exp(np.minimum(self.x, 0)))


class GELU:
    def forward(self, x):
        self.x = x
        self.cdf = 0.5 * (1 + erf(x / np.sqrt(2)))
        return x * self.cdf

    def backward(self, dy):
        pdf = np.exp(-self.x**2 / 2) / np.sqrt(2 * np.pi)
        return dy * (self.cdf + self.x * pdf)


class GELUTanh:
    def forward(self, x):
        self.x = x
        self.t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
        return 0.5 * x * (1 + self.t)

    def backward(self, dy):
        du = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * self.x**2)
        return dy * (0.5 * (1 + self.t) + 0.5 * self.x * (1 - self.t**2) * du)


class Sigmoid:
    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


class HardTanh:
    def forward(self, x):
        self.x = x
        return np.clip(x, -1, 1)

    def backward(self, dy):
        return dy * ((self.x > -1) & (self.x < 1))


class HardSigmoid:
    def forward(self, x):
        self.x = x
        return np.clip(0.2 * x + 0.5, 0, 1)

    def backward(self, dy):
        return 0.2 * dy * (np.abs(self.x) < 2.5)


class ReLU6:
    def forward(self, x):
        self.x = x
        return np.minimum(np.maximum(x, 0), 6)

    def backward(self, dy):
        return dy * (self.x > 0) * (self.x < 6)


class Softplus:
    def forward(self, x):
        self.x = x
        return np.logaddexp(0, x)

    def backward(self, dy):
        return dy / (1 + np.exp(-self.x))


class Softsign:
    def forward(self, x):
        self.x = x
        return x / (1 + np.abs(x))

    def backward(self, dy):
        return dy / (1 + np.abs(self.x)) ** 2


class SiLU:
    def forward(self, x):
        self.x, self.s = x, 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, dy):
        return dy * (self.s + self.x * self.s * (1 - self.s))


class Mish:
    def forward(self, x):
        self.x, self.t = x, np.tanh(np.logaddexp(0, x))
        return x * self.t

    def backward(self, dy):
        s = 1 / (1 + np.exp(-self.x))
        return dy * (self.t + self.x * (1 - self.t**2) * s)


class Exp:
    def forward(self, x):
        self.y = np.exp(x)
        return self.y

    def backward(self, dy):
        return dy * self.y


class Log:
    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, dy):
        return dy / self.x


class Sqrt:
    def forward(self, x):
        self.y = np.sqrt(x)
        return self.y

    def backward(self, dy):
        return dy / (2 * self.y)


class Square:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dy):
        return 2 * self.x * dy


class Cube:
    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, dy):
        return 3 * self.x**2 * dy


class Abs:
    def forward(self, x):
        self.x = x
        return np.abs(x)

    def backward(self, dy):
        return np.sign(self.x) * dy


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dy):
        return self.y * (dy - np.sum(dy * self.y, axis=-1, keepdims=True))


class LogSoftmax:
    def forward(self, x):
        z = x - x.max(axis=-1, keepdims=True)
        self.y = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        return self.y

    def backward(self, dy):
        return dy - np.exp(self.y) * dy.sum(axis=-1, keepdims=True)


class LogSumExp:
    def forward(self, x):
        m = x.max(axis=-1, keepdims=True)
        self.p = np.exp(x - m) / np.exp(x - m).sum(axis=-1, keepdims=True)
        return np.log(np.exp(x - m).sum(axis=-1)) + m[..., 0]

    def backward(self, dy):
        return dy[..., None] * self.p


class Maxout:
    def forward(self, x):
        self.pairs = x.reshape(*x.shape[:-1], -1, 2)
        self.best = self.pairs.argmax(axis=-1)
        return self.pairs.max(axis=-1)

    def backward(self, dy):
        dx = np.zeros(self.pairs.shape)
        np.put_along_axis(dx, self.best[..., None], dy[..., None], axis=-1)
        return dx.reshape(*dy.shape[:-1], -1)
