"""Worked examples of part N: each layer on a few small integers, forward and backward."""

import numpy as np

from acai import nn
from acai.nn import plain
from acai.reader.examples.registry import example_of
from acai.reference import nn as loops

X = np.array([[[[1.0, 2, 0], [3, -1, 2], [0, 1, 4]], [[2, 0, 1], [1, 3, -2], [-1, 2, 0]]]])  # a sample, two channels of 3 × 3
KERNEL = np.array([[[[1.0, -1], [2, 3]], [[-2, 1], [1, 2]]]])  # one output channel, from two of the input
STRIDE, PADDING = (2, 1), (1, 0)  # down and across
DY = np.array([[[[1.0, -2], [3, 4]]]])
DY_POOLED = np.array([[[[1.0, -2], [3, 5]], [[2, -1], [-3, 4]]]])
ROWS = np.array([[2.0, -1.0, 3.0], [1.0, 4.0, -2.0]])  # two samples
DY_ROWS = np.array([[1.0, -2.0, 4.0], [3.0, 2.0, -1.0]])
DY_OUT = np.array([[2.0, -1.0], [1.0, 3.0]])
SCORES = np.array([[2.0, 1.0, -1.0], [0.5, -1.0, 1.5]])
CLASSES = np.array([1, 2])
TARGET = np.array([[1.0, 0.0, 3.0], [2.0, 2.0, -2.0]])


def _conv() -> nn.Conv2D:
    conv = nn.Conv2D(2, 1, (2, 2), stride=STRIDE, padding=PADDING, dtype=np.float64)
    conv.params["W"][...] = KERNEL
    conv.params["b"][...] = 0.5
    return conv


def _plain_conv() -> plain.Conv:
    conv = plain.Conv(2, 1, (2, 2), STRIDE, PADDING)
    conv.params["W"][...] = KERNEL
    conv.params["b"][...] = 0.5
    return conv


@example_of("N1")
def conv() -> tuple[object, object, object]:
    """Move a kernel of 2 × 2 over two channels of 3 × 3, two rows at a time."""
    layer = _conv()
    y = loops.conv(X, layer.params["W"], layer.params["b"], STRIDE, PADDING)
    return y, layer.forward(X), _plain_conv().forward(X)


@example_of("N7.1", "N7.2", "N7.3")
def conv_backward() -> tuple[object, object, object]:
    """Send a gradient of 2 × 2 back."""
    layer, other = _conv(), _plain_conv()
    layer.forward(X)
    other.forward(X)
    dx, dW, db = loops.conv_backward(DY, X, layer.params["W"], STRIDE, PADDING)
    return {"dx": dx, "dW": dW, "db": db}, _gradients(layer, DY), _gradients(other, DY)


def _gradients(layer: nn.Conv2D | nn.Linear | plain.Conv | plain.Linear, dy: np.ndarray) -> list[object]:
    """Return the gradients that a layer computes, that of x first."""
    return [layer.backward(dy), layer.grads["W"], layer.grads["b"]]


@example_of("N2")
def max_pool() -> tuple[object, object, object]:
    """Take the largest of each 2 × 2, two rows at a time."""
    y = nn.MaxPool2D((2, 2), STRIDE, PADDING).forward(X)
    return loops.max_pool(X, (2, 2), STRIDE, PADDING), y, plain.MaxPool((2, 2), STRIDE, PADDING).forward(X)


@example_of("N7.4")
def max_pool_backward() -> tuple[object, object, object]:
    """Send each gradient to the largest."""
    layer, other = nn.MaxPool2D((2, 2), STRIDE, PADDING), plain.MaxPool((2, 2), STRIDE, PADDING)
    layer.forward(X)
    other.forward(X)
    dx = loops.max_pool(X, (2, 2), STRIDE, PADDING, DY_POOLED)
    return dx, layer.backward(DY_POOLED), other.backward(DY_POOLED)


@example_of("N3")
def relu() -> tuple[object, object, object]:
    """Cut off what is negative."""
    return loops.relu(ROWS), nn.ReLU().forward(ROWS), plain.ReLU().forward(ROWS)


@example_of("N7.6")
def relu_backward() -> tuple[object, object, object]:
    """Let the gradient through where x is positive."""
    layer, other = nn.ReLU(), plain.ReLU()
    layer.forward(ROWS)
    other.forward(ROWS)
    return loops.relu(ROWS, DY_ROWS), layer.backward(DY_ROWS), other.backward(DY_ROWS)


def _linear(layer: nn.Linear | plain.Linear) -> nn.Linear | plain.Linear:
    """Give a layer of three inputs and two outputs its parameters."""
    layer.params["W"][...] = np.array([[1.0, 0, 2], [-1, 3, 1]])
    layer.params["b"][...] = np.array([0.5, -0.5])
    return layer


def _fast_linear() -> nn.Linear:
    layer = nn.Linear(3, 2, dtype=np.float64)
    _linear(layer)
    return layer


@example_of("N4")
def linear() -> tuple[object, object, object]:
    """Compute two outputs from three inputs."""
    layer = _fast_linear()
    y = loops.linear(ROWS, layer.params["W"], layer.params["b"])
    return y, layer.forward(ROWS), _linear(plain.Linear(3, 2)).forward(ROWS)


@example_of("N7.9", "N7.10", "N7.11")
def linear_backward() -> tuple[object, object, object]:
    """Send two gradients back, for each of two samples."""
    layer, other = _fast_linear(), _linear(plain.Linear(3, 2))
    layer.forward(ROWS)
    other.forward(ROWS)
    dx, dW, db = loops.linear_backward(DY_OUT, ROWS, layer.params["W"])
    return {"dx": dx, "dW": dW, "db": db}, _gradients(layer, DY_OUT), _gradients(other, DY_OUT)


@example_of("N5", "N7.12")
def mse() -> tuple[object, object]:
    """Compare three outputs of two samples with their targets."""
    layer = nn.MSE()
    loss, dy = loops.mse(ROWS, TARGET)
    return {"F": loss, "dy": dy}, [layer.forward(ROWS, TARGET), layer.backward()]


@example_of("N6", "N7.13")
def softmax() -> tuple[object, object]:
    """Compare three scores of two samples with the correct classes, the second and the third."""
    layer = nn.SoftmaxCrossEntropy()
    loss, dy = loops.softmax_cross_entropy(SCORES, CLASSES)
    return {"F": loss, "dy": dy}, [layer.forward(SCORES, CLASSES), layer.backward()]


SOUND = ROWS[:1].reshape(1, 1, 1, 3)  # one row of three time steps


@example_of("N9")
def global_pool() -> tuple[object, object]:
    """Take the mean, the maximum and the L2 norm of three time steps."""
    mean, largest, l2 = loops.global_pool(SOUND).ravel()
    return {"mean": mean, "max": largest, "L2": l2}, nn.GlobalPool().forward(SOUND)


@example_of("N7.5")
def global_pool_backward() -> tuple[object, object]:
    """Send a gradient through each of the three."""
    layer, dy = nn.GlobalPool(), np.array([3.0, -1.0, 2.0])
    layer.forward(SOUND)
    dx = loops.global_pool_backward(dy.reshape(3, 1, 1, 1), SOUND, loops.global_pool(SOUND))
    return dx, layer.backward(dy[None])


@example_of("N10")
def tanh() -> tuple[object, object]:
    """Press three numbers between −1 and 1."""
    return loops.tanh(ROWS), nn.Tanh().forward(ROWS)


@example_of("N7.7")
def tanh_backward() -> tuple[object, object]:
    """Send the gradient back through tanh."""
    layer = nn.Tanh()
    layer.forward(ROWS)
    return loops.tanh(ROWS, DY_ROWS), layer.backward(DY_ROWS)


@example_of("N11")
def dropout() -> tuple[object, object]:
    """Drop a quarter."""
    y = nn.Dropout(0.25, seed=3).forward(ROWS)
    return loops.dropout(ROWS, y == 0, 0.25), y


@example_of("N7.8")
def dropout_backward() -> tuple[object, object]:
    """Send the gradient through the same mask."""
    layer = nn.Dropout(0.25, seed=3)
    y = layer.forward(ROWS)
    return loops.dropout_backward(DY_ROWS, y == 0, 0.25), layer.backward(DY_ROWS)


@example_of("N7")
def backpropagation() -> tuple[object, object]:
    """Send a gradient through two layers, whose slopes are W and, after the ReLU, 1 where its input is positive."""
    linear = _fast_linear()
    network, dy = nn.Sequential([linear, nn.ReLU()]), DY_OUT[:1]
    slopes = np.diag([float(y > 0) for y in network.forward(ROWS[1:])[0]])
    of_linear = loops.chain_rule(dy[0].tolist(), slopes.tolist())
    dx = loops.chain_rule(of_linear, linear.params["W"].tolist())
    one_by_one = loops.backpropagation(network.layers, dy)
    return {"dx": dx}, network.backward(dy) + 0 * one_by_one
