"""The network (README part N): layers with `forward` and `backward`, losses, and an optimizer."""

from acai.nn.activations import Dropout, ReLU, Tanh
from acai.nn.conv import Conv2D
from acai.nn.linear import Flatten, Linear
from acai.nn.losses import MSE, SoftmaxCrossEntropy
from acai.nn.network import Sequential, load
from acai.nn.optimizer import SGD
from acai.nn.pool import GlobalPool, MaxPool2D

__all__ = [
    "MSE", "SGD", "Conv2D", "Dropout", "Flatten", "GlobalPool", "Linear", "MaxPool2D", "ReLU", "Sequential",
    "SoftmaxCrossEntropy", "Tanh", "load",
]
