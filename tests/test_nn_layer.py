"""What a layer and a loss must declare, and that a layer of your own may declare less."""

import numpy as np
import pytest

from acai import nn
from acai.nn.layer import Layer, RandomLayer
from acai.nn.losses import Loss

LAYERS = [
    nn.Conv2D(2, 3, (1, 2), seed=0), nn.Dropout(0.2, seed=0), nn.Flatten(), nn.GlobalPool(), nn.Linear(3, 2, seed=0),
    nn.MaxPool2D(1), nn.ReLU(), nn.Tanh(),
]
INPUTS = {"Conv2D": (2, 2, 3, 4), "Linear": (5, 3)}


@pytest.mark.parametrize("base", [Layer, Loss])
def test_a_layer_or_loss_without_its_mathematics_cannot_be_made(base):
    with pytest.raises(TypeError, match=r"abstract methods? '?_backward'?(, '?_forward'?)?"):
        base()
    half = type("Half", (base,), {"_forward": lambda self, x, target=None: x})
    with pytest.raises(TypeError, match="_backward"):
        half()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_want_dx_changes_nothing_but_dx(layer):
    x = np.random.default_rng(0).normal(size=INPUTS.get(type(layer).__name__, (2, 3, 4, 5))).astype(np.float32)
    dy = np.ones_like(layer.forward(x))
    assert layer.backward(dy).shape == x.shape
    grads = {name: dw.copy() for name, dw in layer.grads.items()}
    assert layer.backward(dy, want_dx=False) is None
    assert grads.keys() == layer.grads.keys() == layer.params.keys()
    assert all(np.array_equal(layer.grads[name], dw) for name, dw in grads.items())


def test_a_network_asks_only_its_first_layer_to_leave_dx_out():
    class First:
        def forward(self, x):
            return 2 * x

        def backward(self, dy):
            self.dy = dy
            return 2 * dy

    first = First()
    network = nn.Sequential([first, nn.Linear(3, 2, seed=0, dtype=float)])
    network.forward(np.ones((4, 3)))
    assert network.backward(np.ones((4, 2)), want_dx=False) is None
    assert np.array_equal(first.dy, np.ones((4, 2)) @ network.params["1.W"])


def test_arguments_are_the_attributes_of_the_same_names():
    conv = nn.Conv2D(2, 3, 4, stride=(1, 2), seed=5)
    assert conv.arguments == {
        "in_channels": 2, "out_channels": 3, "kernel_size": (4, 4), "stride": (1, 2), "padding": (0, 0), "dtype": "float32",
        "init": "he",
    }
    assert nn.ReLU().arguments == {} and nn.Dropout(0.5, seed=1).arguments == {"rate": 0.5, "seed": 1}


def test_only_layers_that_draw_random_numbers_have_a_state():
    assert [type(layer).__name__ for layer in LAYERS if isinstance(layer, RandomLayer)] == ["Dropout"]


@pytest.mark.parametrize("loss, y, target", [
    (nn.MSE(), np.ones((2, 3)), np.zeros((2, 3))), (nn.SoftmaxCrossEntropy(), np.ones((2, 3)), np.array([0, 2])),
])
def test_a_loss_is_not_affected_by_later_changes_of_its_inputs(loss, y, target):
    loss.forward(y, target)
    expected = loss.backward()
    y[:], target[:] = 7, 1
    assert np.array_equal(loss.backward(), expected)
