"""The zoo: whole networks, and what puts a layer between neighbours."""

import numpy as np

from acai.teaching.zoo.activations import ReLU, Tanh
from acai.teaching.zoo.normalisation import LayerNorm
from acai.teaching.zoo.sequences import Attention
from acai.teaching.zoo.shapes import Dense, Flatten
from acai.teaching.zoo.windows import Conv2D, MaxPool


class Chain:
    """Layers one after another; the last may be a loss."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x, *target):
        for layer in self.layers[:-1]:
            x = layer.forward(x)
        return self.layers[-1].forward(x, *target)

    def backward(self, *dy):
        dx = self.layers[-1].backward(*dy)
        for layer in self.layers[-2::-1]:
            dx = layer.backward(dx)
        return dx


class Saturating:
    """A tanh that is flat for most numbers, stretched and moved to where its neighbour has something to do."""

    def __init__(self, centre=0.0, size=8.0):
        self.centre, self.size = centre, size

    def forward(self, x):
        self.t = np.tanh(2 * x)
        return self.centre + self.size * self.t

    def backward(self, dy):
        return 2 * self.size * dy * (1 - self.t**2)


class Tied:
    """max(y, −y): the two are equal at 0, where the slope is taken to be 1."""

    def forward(self, x):
        self.sign = np.where(x >= 0, 1.0, -1.0)
        return np.maximum(x, -x)

    def backward(self, dy):
        return dy * self.sign


class TwoLayerNet:
    """The network of every first assignment, written without layers."""

    def __init__(self, D=4, H=5, O=3):
        rng = np.random.default_rng(0)
        self.params = {"W1": rng.normal(size=(D, H)), "b1": np.zeros(H), "W2": rng.normal(size=(H, O)), "b2": np.zeros(O)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        self.z = x @ self.params["W1"] + self.params["b1"]
        self.h = np.maximum(self.z, 0)
        return self.h @ self.params["W2"] + self.params["b2"]

    def backward(self, dy):
        self.grads["W2"] = self.h.T @ dy
        self.grads["b2"] = dy.sum(axis=0)
        dz = dy @ self.params["W2"].T
        dz = dz * (self.z > 0)
        self.grads["W1"] = self.x.T @ dz
        self.grads["b1"] = dz.sum(axis=0)
        return dz @ self.params["W1"].T


class Autoencoder:
    """With tied weights: W is used twice, and its two gradients add up."""

    def __init__(self, D=4, H=3):
        self.W = np.random.default_rng(0).normal(size=(D, H))

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W)
        return self.h @ self.W.T

    def backward(self, dy):
        dz = dy @ self.W * (1 - self.h**2)
        self.dW = self.x.T @ dz + dy.T @ self.h
        return dz @ self.W.T


class LeNet(Chain):
    def __init__(self):
        super().__init__([Conv2D(1, 2, 3), ReLU(), MaxPool(2, 2), Flatten(), Dense(8, 3)])


class TransformerBlock(Chain):
    def __init__(self):
        super().__init__([LayerNorm(4), Attention(4), LayerNorm(4), Tanh()])


class DeepTanh(Chain):
    def __init__(self):
        super().__init__([Dense(4, 5), Tanh(), Dense(5, 5), Tanh(), Dense(5, 2)])
