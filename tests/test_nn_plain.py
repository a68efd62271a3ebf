"""Part N in plain NumPy: equal to the loops and to the fast layers, number by number."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_geometry import geometries, whole

from acai import nn
from acai.nn import plain
from acai.reference import nn as reference

FEW = settings(max_examples=30)
BATCHES = st.tuples(st.integers(1, 4), st.integers(1, 5))


@FEW
@given(geometries())
def test_convolution(g):
    conv = plain.Conv(g.C, g.O, g.window, g.stride, g.padding)
    for seed, w in enumerate(conv.params.values()):
        w[...] = whole(w.shape, seed + 1)
    fast = nn.Conv2D(g.C, g.O, g.window, g.stride, g.padding, dtype=np.float64)
    for name, w in fast.params.items():
        w[...] = conv.params[name]
    x, kept = whole(g.shape), whole(g.shape)
    y = conv.forward(x)
    assert np.array_equal(y, reference.conv(x, *conv.params.values(), g.stride, g.padding))
    assert np.array_equal(y, fast.forward(x)) and np.array_equal(x, kept)
    dy = whole(y.shape, 3)
    dx, dW, db = reference.conv_backward(dy, x, conv.params["W"], g.stride, g.padding)
    for layer in (conv, fast):
        assert np.array_equal(layer.backward(dy), dx)
        assert np.array_equal(layer.grads["W"], dW) and np.array_equal(layer.grads["b"], db)


@FEW
@given(geometries(), st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_dilated_convolution_is_that_of_a_kernel_with_gaps(g, dilation):
    H, W = (n + (k - 1) * (d - 1) for n, k, d in zip((g.H, g.W), g.window, dilation))
    dilated = plain.Conv(g.C, g.O, g.window, g.stride, g.padding, dilation)
    dilated.params["W"][...] = whole(dilated.params["W"].shape, 1)
    size = tuple((k - 1) * d + 1 for k, d in zip(g.window, dilation))
    with_gaps = plain.Conv(g.C, g.O, size, g.stride, g.padding)
    with_gaps.params["W"][...] = 0
    with_gaps.params["W"][:, :, :: dilation[0], :: dilation[1]] = dilated.params["W"]
    with_gaps.params["b"][...] = dilated.params["b"][...] = whole(g.O, 2)
    x = whole((g.N, g.C, H, W))
    y = dilated.forward(x)
    assert np.array_equal(y, with_gaps.forward(x))
    dy = whole(y.shape, 3)
    assert np.array_equal(dilated.backward(dy), with_gaps.backward(dy))
    assert np.array_equal(dilated.grads["W"], with_gaps.grads["W"][:, :, :: dilation[0], :: dilation[1]])


@FEW
@given(geometries(pooling=True))
def test_max_pooling_gives_a_tie_to_the_first(g):
    """The numbers are so few that windows hold ties, and so low that the padding may not win."""
    pool, x = plain.MaxPool(g.window, g.stride, g.padding), whole(g.shape, largest=2) - 5
    y = pool.forward(x)
    dy = whole(y.shape, 1)
    fast = nn.MaxPool2D(g.window, g.stride, g.padding)
    assert np.array_equal(y, reference.max_pool(x, g.window, g.stride, g.padding)) and np.array_equal(y, fast.forward(x))
    dx = pool.backward(dy)
    assert np.array_equal(dx, reference.max_pool(x, g.window, g.stride, g.padding, dy))
    assert np.array_equal(dx, fast.backward(dy))


@FEW
@given(BATCHES, st.integers(1, 5), st.integers(0, 99))
def test_linear(shape, O, seed):
    layer, x, dy = plain.Linear(shape[1], O), whole(shape, seed), whole((shape[0], O), seed + 1)
    for name, w in layer.params.items():
        w[...] = whole(w.shape, seed + len(name))
    assert np.array_equal(layer.forward(x), reference.linear(x, *layer.params.values()))
    dx, dW, db = reference.linear_backward(dy, x, layer.params["W"])
    assert np.array_equal(layer.backward(dy), dx)
    assert np.array_equal(layer.grads["W"], dW) and np.array_equal(layer.grads["b"], db)


@FEW
@given(BATCHES, st.integers(0, 99))
def test_rectification_and_softmax(shape, seed):
    x, dy = whole(shape, seed, largest=2), whole(shape, seed + 1)
    relu, softmax = plain.ReLU(), plain.Softmax()
    assert np.array_equal(relu.forward(x), reference.relu(x)) and np.array_equal(relu.backward(dy), reference.relu(x, dy))
    y = softmax.forward(300 * x)  # exp(600) would overflow
    assert np.allclose(y.sum(axis=1), 1) and (y >= 0).all()
    y = softmax.forward(x)
    target = np.zeros(len(x), int)
    in_loops = reference.softmax_cross_entropy(x, target)[1] * len(x)  # softmax(x) − 1 for the first class
    assert np.allclose(y - np.eye(shape[1])[target], in_loops, atol=1e-12)
    Jacobian = [np.diag(row) - np.outer(row, row) for row in y]
    assert np.allclose(softmax.backward(dy), [J @ of_row for J, of_row in zip(Jacobian, dy)], atol=1e-12)


def test_by_default_they_are_small_and_start_at_random():
    conv, pool, linear = plain.Conv(), plain.MaxPool(), plain.Linear()
    assert conv.params["W"].shape == (3, 2, 2, 2) and linear.params["W"].shape == (4, 4)
    assert (conv.stride, conv.padding, conv.dilation) == ((1, 1), (0, 0), (1, 1))
    assert (pool.size, pool.stride, pool.padding) == ((2, 2), (2, 2), (0, 0))
    for layer, other in ((conv, plain.Conv(seed=1)), (linear, plain.Linear(seed=1))):
        for name, w in layer.params.items():
            assert len(np.unique(w)) == w.size and not np.array_equal(w, other.params[name])
            assert np.array_equal(w, type(layer)(seed=0).params[name])
