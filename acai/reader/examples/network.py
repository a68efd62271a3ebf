"""Worked examples of part N: each layer on a few small integers, forward and backward."""

import numpy as np

from acai import nn
from acai.reader.examples.registry import example_of
from acai.reference import nn as loops

X = np.array([[[[1.0, 2, 0], [3, -1, 2], [0, 1, 4]]]])  # one sample, one channel, 3 × 3
ROW = np.array([[2.0, -1.0, 3.0]])
DY = np.array([[1.0, -2.0, 4.0]])
SCORES = np.array([[2.0, 1.0, -1.0]])


def _conv() -> nn.Conv2D:
    conv = nn.Conv2D(1, 1, (2, 2), dtype=np.float64)
    conv.params["W"][...] = np.array([[[[1.0, -1], [2, 3]]]])
    conv.params["b"][...] = 0.5
    return conv


@example_of("N1")
def conv() -> tuple[object, object]:
    """Move a kernel of 2 × 2 over 3 × 3 numbers."""
    layer = _conv()
    return loops.conv(X, layer.params["W"], layer.params["b"], (1, 1), (0, 0)), layer.forward(X)


@example_of("N7.1", "N7.2", "N7.3")
def conv_backward() -> tuple[object, object]:
    """Send a gradient of 2 × 2 back."""
    layer, dy = _conv(), np.array([[[[1.0, -2], [3, 0]]]])
    layer.forward(X)
    dx, dW, db = loops.conv_backward(dy, X, layer.params["W"], (1, 1), (0, 0))
    found = layer.backward(dy)
    return [*dx.ravel(), *dW.ravel(), *db], [*found.ravel(), *layer.grads["W"].ravel(), *layer.grads["b"]]


@example_of("N2")
def max_pool() -> tuple[object, object]:
    """Take the largest of each 2 × 2."""
    return loops.max_pool(X, (2, 2), (1, 1), (0, 0)), nn.MaxPool2D((2, 2), (1, 1)).forward(X)


@example_of("N7.4")
def max_pool_backward() -> tuple[object, object]:
    """Send each gradient to the largest."""
    layer, dy = nn.MaxPool2D((2, 2), (1, 1)), np.array([[[[1.0, -2], [3, 5]]]])
    layer.forward(X)
    return loops.max_pool(X, (2, 2), (1, 1), (0, 0), dy), layer.backward(dy)


@example_of("N3")
def relu() -> tuple[object, object]:
    """Cut off what is negative."""
    return loops.relu(ROW), nn.ReLU().forward(ROW)


@example_of("N7.6")
def relu_backward() -> tuple[object, object]:
    """Let the gradient through where x is positive."""
    layer = nn.ReLU()
    layer.forward(ROW)
    return loops.relu(ROW, DY), layer.backward(DY)


def _linear() -> nn.Linear:
    linear = nn.Linear(3, 2, dtype=np.float64)
    linear.params["W"][...] = np.array([[1.0, 0, 2], [-1, 3, 1]])
    linear.params["b"][...] = np.array([0.5, -0.5])
    return linear


@example_of("N4")
def linear() -> tuple[object, object]:
    """Compute two outputs from three inputs."""
    layer = _linear()
    return loops.linear(ROW, layer.params["W"], layer.params["b"]), layer.forward(ROW)


@example_of("N7.9", "N7.10", "N7.11")
def linear_backward() -> tuple[object, object]:
    """Send two gradients back."""
    layer, dy = _linear(), np.array([[2.0, -1.0]])
    layer.forward(ROW)
    dx, dW, db = loops.linear_backward(dy, ROW, layer.params["W"])
    found = layer.backward(dy)
    return [*dx.ravel(), *dW.ravel(), *db], [*found.ravel(), *layer.grads["W"].ravel(), *layer.grads["b"]]


@example_of("N5", "N7.12")
def mse() -> tuple[object, object]:
    """Compare three outputs with their targets."""
    layer, target = nn.MSE(), np.array([[1.0, 0.0, 3.0]])
    loss, dy = loops.mse(ROW, target)
    return [loss, *dy.ravel()], [layer.forward(ROW, target), *layer.backward().ravel()]


@example_of("N6", "N7.13")
def softmax() -> tuple[object, object]:
    """Compare three scores with the correct class, the second."""
    layer, target = nn.SoftmaxCrossEntropy(), np.array([1])
    loss, dy = loops.softmax_cross_entropy(SCORES, target)
    return [loss, *dy.ravel()], [layer.forward(SCORES, target), *layer.backward().ravel()]


@example_of("N9")
def global_pool() -> tuple[object, object]:
    """Take the L2 norm of three time steps."""
    x = ROW.reshape(1, 1, 1, 3)
    return loops.global_pool(x, "l2").ravel(), nn.GlobalPool(["l2"]).forward(x).ravel()


@example_of("N7.5")
def global_pool_backward() -> tuple[object, object]:
    """Send a gradient through the L2 norm."""
    x, dy, layer = ROW.reshape(1, 1, 1, 3), np.array([[[2.0]]]), nn.GlobalPool(["l2"])
    layer.forward(x)
    return loops.global_pool(x, "l2", dy), layer.backward(dy.reshape(1, 1))


@example_of("N10")
def tanh() -> tuple[object, object]:
    """Press three numbers between −1 and 1."""
    return loops.tanh(ROW), nn.Tanh().forward(ROW)


@example_of("N7.7")
def tanh_backward() -> tuple[object, object]:
    """Send the gradient back through tanh."""
    layer = nn.Tanh()
    layer.forward(ROW)
    return loops.tanh(ROW, DY), layer.backward(DY)


@example_of("N11")
def dropout() -> tuple[object, object]:
    """Drop a quarter."""
    y = nn.Dropout(0.25, seed=3).forward(ROW)
    return loops.dropout(ROW, y == 0, 0.25), y


@example_of("N7.8")
def dropout_backward() -> tuple[object, object]:
    """Send the gradient through the same mask."""
    layer = nn.Dropout(0.25, seed=3)
    y = layer.forward(ROW)
    return loops.dropout(DY, y == 0, 0.25), layer.backward(DY)


@example_of("N7")
def backpropagation() -> tuple[object, object]:
    """Send a gradient through two layers."""
    network = nn.Sequential([_linear(), nn.ReLU()])
    network.forward(ROW)
    dy = np.array([[2.0, -1.0]])
    return loops.backpropagation(network.layers, dy), network.backward(dy)
