"""ReLU, Tanh, Dropout, Flatten and Linear against the loops of acai.reference and the exact check."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from nn_geometry import DTYPES, whole

from acai import gradcheck, nn
from acai.errors import InputError
from acai.reference import nn as reference

SHAPES = array_shapes(min_dims=2, max_dims=4, max_side=5)


@given(SHAPES, DTYPES)
def test_relu_equals_the_loops_and_its_slope_at_zero_is_zero(shape, dtype):
    relu, x, dy = nn.ReLU(), whole(shape, 1, dtype, largest=2), whole(shape, 2, dtype)
    assert np.array_equal(relu.forward(x), reference.relu(x))
    assert np.array_equal(relu.backward(dy), reference.relu(x, dy))


@settings(max_examples=15)
@given(SHAPES)
def test_relu_flatten_and_dropout_are_exact(shape):
    for layer in (nn.ReLU(), nn.Flatten(), nn.Dropout(0.5, seed=1)):
        report = gradcheck.check(layer, shape, method="exact")
        assert report.ok, report


def test_relu_keeps_nan(monkeypatch):
    x = np.random.default_rng(0).normal(size=(9, 40_000)).astype(np.float32)
    x[3, 5] = np.nan
    results = []
    for n in (1, 4):
        monkeypatch.setattr("acai.threads.n_threads", lambda n=n: n)
        relu = nn.ReLU()
        results.append((relu.forward(x), relu.backward(x + 1)))
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*results))
    assert np.array_equal(results[0][0], np.maximum(x, 0), equal_nan=True)
    assert np.isnan(results[0][0][3, 5])


@settings(max_examples=30)
@given(SHAPES)
def test_tanh_by_the_complex_step_and_by_the_loops(shape):
    report = gradcheck.check(nn.Tanh(), shape, method="complex")
    assert report.ok and report.max_error < 1e-13, report
    tanh, x, dy = nn.Tanh(), whole(shape, 1, largest=2), whole(shape, 2)
    np.testing.assert_allclose(tanh.forward(x), reference.tanh(x), rtol=1e-15)
    np.testing.assert_allclose(tanh.backward(dy), reference.tanh(x, dy), rtol=1e-12, atol=1e-15)


@given(SHAPES, st.sampled_from([0.0, 0.25, 0.5]), DTYPES)
def test_dropout_scales_forward_and_backward_alike(shape, rate, dtype):
    dropout, x, dy = nn.Dropout(rate, seed=3), np.ones(shape, dtype), whole(shape, 2, dtype)
    y = dropout.forward(x)
    dropped = y == 0
    assert y.dtype == dtype
    np.testing.assert_allclose(y, reference.dropout(x, dropped, rate), rtol=1e-6)
    np.testing.assert_allclose(dropout.backward(dy), reference.dropout_backward(dy, dropped, rate), rtol=1e-6)
    assert np.array_equal(dropout.predict(x), x)


def test_dropout_drops_the_given_share_with_a_new_mask_each_time():
    dropout, x = nn.Dropout(0.3, seed=0), np.ones((100, 1000))
    first, second = dropout.forward(x), dropout.forward(x)
    assert (first == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert first.mean() == pytest.approx(1, abs=0.01)
    assert not np.array_equal(first, second)
    again = nn.Dropout(0.3, seed=0)
    assert np.array_equal(again.forward(x), first)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), DTYPES)
def test_linear_equals_the_loops(n, d, o, dtype):
    linear, x, dy = nn.Linear(d, o, dtype=dtype), whole((n, d), 1, dtype), whole((n, o), 2, dtype)
    W, b = linear.params["W"], linear.params["b"]
    W[...], b[...] = whole((o, d), 3), whole((o,), 4)
    y = linear.forward(x)
    assert y.dtype == dtype
    assert np.array_equal(y, reference.linear(x, W, b))
    dx, dW, db = reference.linear_backward(dy, x, W)
    assert np.array_equal(linear.backward(dy), dx)
    assert np.array_equal(linear.grads["W"], dW) and np.array_equal(linear.grads["b"], db)


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), DTYPES)
def test_linear_is_exact(n, d, o, dtype):
    report = gradcheck.check(nn.Linear(d, o, dtype=dtype), (n, d), method="exact")
    assert report.ok, report


def test_linear_satisfies_the_adjoint_identity_at_full_size():
    report = gradcheck.adjoint(nn.Linear(1728, 128, seed=0), whole((32, 1728), dtype=np.float32, largest=3))
    assert report.ok, report


@given(SHAPES, DTYPES)
def test_flatten_keeps_the_order_and_its_backward_restores_the_shape(shape, dtype):
    flatten, x = nn.Flatten(), whole(shape, 1, dtype)
    y = flatten.forward(x)
    assert np.array_equal(y, x.reshape(shape[0], -1))
    assert np.array_equal(flatten.backward(y), x)
    assert np.array_equal(flatten.forward(np.asfortranarray(x)), y)


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Tanh(), nn.Dropout(), nn.Flatten(), nn.Linear(6, 2, dtype=np.float64)])
def test_empty_batch_and_the_order_of_calls(layer):
    with pytest.raises(InputError, match=rf"{type(layer).__name__}\(.*\)\.backward: there is no forward to go back through"):
        layer.backward(np.zeros((2, 6)))
    y = layer.forward(np.zeros((0, 6)))
    assert layer.backward(y).shape == (0, 6)
    with pytest.raises(InputError, match=rf"{type(layer).__name__}\(.*\)\.backward: dy has shape \(3, 3\); expected \(0, "):
        layer.backward(np.zeros((3, 3)))


@pytest.mark.parametrize("layer", [
    nn.Conv2D(2, 3, (1, 2), stride=2, padding=(1, 0), dtype=np.float64, init="glorot"), nn.Linear(3, 2, init="glorot"),
    nn.MaxPool2D(2, stride=3, padding=1), nn.GlobalPool(["mean", "l2"]), nn.Dropout(0.25, seed=3),
])
def test_a_layer_can_be_rebuilt_from_its_arguments(layer):
    again = type(layer)(**layer.arguments)
    assert again.arguments == layer.arguments and repr(again) == repr(layer)
    assert all(getattr(layer, name) == value for name, value in layer.arguments.items())
    assert {name: w.dtype for name, w in again.params.items()} == {name: w.dtype for name, w in layer.params.items()}
    assert layer.arguments.get("init", "glorot") == "glorot"  # not the default


def test_the_masks_of_a_network_continue_from_its_state():
    network, other = (nn.Sequential([nn.Tanh(), nn.Dropout(seed=s), nn.ReLU(), nn.Dropout(seed=s + 1)]) for s in (0, 5))
    x = np.ones((20, 20))
    network.forward(x)
    state = network.get_state()
    assert list(state) == ["1", "3"]
    other.set_state(state)
    assert np.array_equal(other.forward(x), network.forward(x))
    assert nn.Sequential([nn.ReLU()]).get_state() == {}
    for wrong in ({}, {"1": state["1"]}, {**state, "4": state["3"]}, "13", {"0": state["1"], "3": state["3"]}):
        with pytest.raises(InputError, match=r"a state of the layers .*; expected 1, 3"):
            other.set_state(wrong)


def test_random_weights_have_the_requested_variance():
    """He: a variance of 2 / n_in. Glorot: uniform up to a² = 6 / (n_in + n_out), where each window is seen by n_out outputs."""
    for layer, n_in, n_out in (
        (lambda init: nn.Linear(300, 200, seed=1, init=init), 300, 200),
        (lambda init: nn.Conv2D(8, 30, (5, 4), seed=1, init=init), 8 * 20, 30 * 20),
    ):
        W = layer("he").params["W"]
        assert W.var() == pytest.approx(2 / n_in, rel=0.05) and abs(W.mean()) < 0.05 * W.std()
        W, a = layer("glorot").params["W"], np.sqrt(6 / (n_in + n_out))
        assert -a <= W.min() < -0.99 * a and 0.99 * a < W.max() <= a
        assert W.var() == pytest.approx(a**2 / 3, rel=0.05)
        assert not layer("glorot").params["b"].any()


def test_dropout_continues_from_a_state_with_the_same_masks():
    dropout, other, x = nn.Dropout(seed=0), nn.Dropout(seed=1), np.ones((20, 20))
    dropout.forward(x)
    state = dropout.get_state()
    expected = dropout.forward(x)
    other.set_state(state)
    assert np.array_equal(other.forward(x), expected) and not np.array_equal(other.forward(x), expected)
    for wrong in ({}, {"bit_generator": "PCG64"}, 3):
        with pytest.raises(InputError, match=r"Dropout\(.*\): this is not the state of a generator \(.*\); see get_state"):
            other.set_state(wrong)


@pytest.mark.parametrize("mistake, message", [
    (lambda: nn.Dropout(1.0), r"rate=1\.0; expected a finite number, at least 0, less than 1"),
    (lambda: nn.Linear(3, 0), r"out_features=0; expected an integer, at least 1"),
    (lambda: nn.Linear(3, 2**63), r"out_features=9223372036854775808; expected an integer, at least 1"),
    (lambda: nn.Linear(0, 3), r"in_features=0; expected an integer, at least 1"),
    (lambda: nn.Linear(3, 2).forward(np.zeros((2, 4), np.float32)),
     r"Linear\(in_features=3, out_features=2\)\.forward: x has shape \(2, 4\); expected \(N, 3\)"),
    (lambda: nn.Linear(3, 2).forward(np.zeros((2, 3))), r"x is float64; expected float32"),
    (lambda: nn.ReLU().forward([1.0]), r"ReLU\(\)\.forward: x is a list; expected a NumPy array"),
    (lambda: nn.Tanh().forward(np.zeros(3, int)), r"Tanh\(\)\.forward: x is int64"),
    (lambda: nn.Dropout().forward(3.0), r"Dropout\(\)\.forward: x is a float"),
    (lambda: nn.Flatten().forward(np.float64(3)), r"Flatten\(\)\.forward: x is a float64"),
])
def test_mistakes_are_named(mistake, message):
    with pytest.raises(InputError, match=message):
        mistake()
