"""Conv2D against the loops of acai.reference, scipy's correlation, and the properties that a convolution has."""

import numpy as np
import pytest
from hypothesis import given, settings
from nn_geometry import DTYPES, Geometry, geometries, whole
from scipy import signal

from acai import gradcheck, nn
from acai.errors import InputError
from acai.reference import nn as reference


def filled(g: Geometry, dtype: type = np.float64) -> nn.Conv2D:
    conv = nn.Conv2D(g.C, g.O, g.window, g.stride, g.padding, dtype=dtype)
    for seed, w in enumerate(conv.params.values()):
        w[...] = whole(w.shape, seed + 1, dtype)
    return conv


@given(geometries(), DTYPES)
def test_forward_and_backward_equal_the_loops(g, dtype):
    conv, x = filled(g, dtype), whole(g.shape, dtype=dtype)
    W, b = conv.params["W"], conv.params["b"]
    y = conv.forward(x)
    assert y.dtype == dtype
    assert np.array_equal(y, reference.conv(x, W, b, g.stride, g.padding))
    dy = whole(y.shape, 3, dtype)
    dx, dW, db = reference.conv_backward(dy, x, W, g.stride, g.padding)
    assert np.array_equal(conv.backward(dy), dx)
    assert np.array_equal(conv.grads["W"], dW)
    assert np.array_equal(conv.grads["b"], db)


@settings(max_examples=25)
@given(geometries(), DTYPES)
def test_gradients_are_exact(g, dtype):
    report = gradcheck.check(nn.Conv2D(g.C, g.O, g.window, g.stride, g.padding, dtype=dtype), g.shape, method="exact")
    assert report.ok, report


@settings(max_examples=30)
@given(geometries())
def test_stride_one_is_scipys_correlation(g):
    conv, x = nn.Conv2D(g.C, g.O, g.window, dtype=np.float64), whole((g.N, g.C, g.H + 3, g.W + 3))
    conv.params["W"][...] = whole(conv.params["W"].shape, 1)
    y = conv.forward(x)
    for n, o in np.ndindex(y.shape[:2]):
        expected = signal.correlate(x[n], conv.params["W"][o], mode="valid", method="direct")[0]
        assert np.array_equal(y[n, o], expected)


@given(geometries())
def test_linear_in_x(g):
    conv, x1, x2 = filled(g), whole(g.shape, 5), whole(g.shape, 6)
    conv.params["b"][...] = 0
    assert np.array_equal(conv.predict(2 * x1 - 3 * x2), 2 * conv.predict(x1) - 3 * conv.predict(x2))


@given(geometries())
def test_moving_the_input_by_the_stride_moves_the_output_by_one(g):
    conv = nn.Conv2D(g.C, g.O, g.window, g.stride, dtype=np.float64)
    conv.params["W"][...] = whole(conv.params["W"].shape, 1)
    (sH, sW), (kH, kW) = g.stride, g.window
    x = whole((g.N, g.C, kH + 3 * sH, kW + 3 * sW))
    assert np.array_equal(conv.predict(x)[:, :, 1:, 1:], conv.predict(x[:, :, sH:, sW:])[:, :, :3, :3])


@settings(max_examples=30)
@given(geometries(), DTYPES)
def test_layout_of_the_input_in_memory_does_not_matter(g, dtype):
    conv, x = filled(g, dtype), whole(g.shape, dtype=dtype)
    y = conv.forward(x)
    dy = whole(y.shape, 3, dtype)
    dx, dW = conv.backward(dy), conv.grads["W"]
    spread = np.zeros((g.N, g.C, 2 * g.H, g.W), dtype)
    spread[:, :, ::2] = x
    for other in (np.asfortranarray(x), x[:, :, ::-1].copy()[:, :, ::-1], spread[:, :, ::2]):
        assert np.array_equal(conv.forward(other), y)
        assert np.array_equal(conv.backward(np.asfortranarray(dy)), dx)
        assert np.array_equal(conv.grads["W"], dW)


@settings(max_examples=30)
@given(geometries())
def test_float32_is_close_to_float64(g):
    rng = np.random.default_rng(0)
    double = nn.Conv2D(g.C, g.O, g.window, g.stride, g.padding, seed=1, dtype=np.float64)
    single = nn.Conv2D(g.C, g.O, g.window, g.stride, g.padding, seed=1)
    x = rng.normal(size=g.shape)
    y = double.forward(x)
    np.testing.assert_allclose(single.forward(x.astype(np.float32)), y, rtol=1e-5, atol=1e-5 * np.abs(y).max())


@given(geometries(), DTYPES)
def test_a_batch_of_one_is_a_row_of_the_batch(g, dtype):
    conv, rng = filled(g, dtype), np.random.default_rng(0)
    x = rng.normal(size=(5, *g.shape[1:])).astype(dtype)
    y = conv.predict(x)
    for n in range(len(x)):
        assert np.array_equal(conv.predict(x[n : n + 1])[0], y[n])


def test_an_empty_batch_has_an_empty_output_and_zero_gradients():
    conv = nn.Conv2D(2, 3, (2, 2), padding=1, seed=0)
    y = conv.forward(np.zeros((0, 2, 4, 5), np.float32))
    assert y.shape == (0, 3, 5, 6)
    assert conv.backward(y).shape == (0, 2, 4, 5)
    assert not conv.grads["W"].any() and conv.grads["W"].shape == (3, 2, 2, 2)
    assert not conv.grads["b"].any()


@pytest.mark.parametrize("arguments, shape", [
    ((1, 32, (128, 4)), (9, 1, 128, 250)),   # a spectrogram, and a kernel of the same height
    ((128, 32, (1, 4)), (9, 128, 1, 250)),   # the bands as channels
    ((3, 16, 3, 1, 1), (9, 3, 32, 32)),      # a picture
    ((2, 3, (3, 4), (2, 3), (1, 2)), (9, 2, 40, 61)),
])
def test_at_full_size_the_adjoint_identity_holds_and_threads_change_no_bit(arguments, shape, monkeypatch):
    conv = nn.Conv2D(*arguments, seed=0)
    report = gradcheck.adjoint(conv, whole(shape, dtype=np.float32, largest=3))
    assert report.ok, report
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(np.float32)
    results = []
    for n in (1, 2, 5):
        monkeypatch.setattr("acai.threads.n_threads", lambda n=n: n)
        y = conv.forward(x)
        dx = conv.backward(np.cos(y))
        results.append([y, dx, conv.grads["W"], conv.grads["b"]])
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))
    for n in (0, 8):  # samples of different chunks are in their places
        assert np.array_equal(conv.predict(x[n : n + 1])[0], results[0][0][n])


def test_chunks_of_a_batch_add_up_to_its_gradient():
    conv, x = nn.Conv2D(2, 3, (3, 3), padding=1, dtype=np.float64), whole((40, 2, 30, 30))
    conv.forward(x)
    dy = whole((40, 3, 30, 30), 1)
    conv.backward(dy)
    dW, db = conv.grads["W"], conv.grads["b"]
    sums = [0, 0]
    for n in range(40):
        conv.forward(x[n : n + 1])
        conv.backward(dy[n : n + 1])
        sums = [sums[0] + conv.grads["W"], sums[1] + conv.grads["b"]]
    assert np.array_equal(dW, sums[0]) and np.array_equal(db, sums[1])


@given(geometries())
def test_without_dx_the_other_gradients_are_the_same(g):
    conv, x = filled(g), whole(g.shape)
    dy = whole(conv.forward(x).shape, 3)
    conv.backward(dy)
    dW, db = conv.grads["W"], conv.grads["b"]
    assert conv.backward(dy, want_dx=False) is None
    assert np.array_equal(conv.grads["W"], dW) and np.array_equal(conv.grads["b"], db)


def test_nan_affects_only_the_outputs_whose_window_contains_it():
    conv, x = nn.Conv2D(1, 1, (2, 2), seed=0), np.ones((1, 1, 4, 6), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = conv.forward(x)
    assert np.isnan(y[0, 0, 0, 0])
    assert np.isfinite(y).sum() == y.size - 1


@pytest.mark.parametrize("layer, variance", [
    (nn.Conv2D(5, 400, (3, 4), seed=0, init="he", dtype=np.float64), 2 / 60),
    (nn.Conv2D(5, 400, (3, 4), seed=0, init="glorot", dtype=np.float64), 2 / (60 + 4800)),  # 400 outputs at 12 places see an input
    (nn.Linear(60, 2000, seed=0, init="he", dtype=np.float64), 2 / 60),
    (nn.Linear(60, 2000, seed=0, init="glorot", dtype=np.float64), 2 / (60 + 2000)),
])
def test_initial_weights_have_the_variance_that_preserves_signals(layer, variance):
    W = layer.params["W"]
    assert W.var() == pytest.approx(variance, rel=0.02)
    assert abs(W.mean()) < 5 * np.sqrt(variance / W.size)


def test_seeds():
    assert np.array_equal(nn.Conv2D(1, 2, 3, seed=4).params["W"], nn.Conv2D(1, 2, 3, seed=4).params["W"])
    assert not np.array_equal(nn.Conv2D(1, 2, 3, seed=4).params["W"], nn.Conv2D(1, 2, 3, seed=5).params["W"])
    assert not np.array_equal(nn.Conv2D(1, 2, 3).params["W"], nn.Conv2D(1, 2, 3).params["W"])


def conv32() -> nn.Conv2D:
    return nn.Conv2D(2, 3, (2, 4), seed=0)


@pytest.mark.parametrize("mistake, message", [
    (lambda: conv32().forward(np.zeros((1, 3, 5, 5), np.float32)),
     r"Conv2D\(.*\)\.forward: x has shape \(1, 3, 5, 5\); expected \(N, 2, H, W\)"),
    (lambda: conv32().forward(np.zeros((2, 5, 5), np.float32)), r"x has shape \(2, 5, 5\); expected \(N, 2, H, W\)"),
    (lambda: conv32().forward(np.zeros((1, 2, 5, 5))), r"x is float64; expected float32: convert it with \.astype"),
    (lambda: conv32().forward([[1.0]]), r"x is a list; expected a NumPy array"),
    (lambda: conv32().forward(np.zeros((1, 2, 5, 3), np.float32)), r"padding 5 × 3; expected at least the window's 2 × 4"),
    (lambda: conv32().backward(np.zeros((1, 3, 4, 2), np.float32)), r"backward: there is no forward to go back through"),
    (lambda: nn.Conv2D(0, 3, 2), r"in_channels=0; expected an integer, at least 1"),
    (lambda: nn.Conv2D(3, 0, 2), r"out_channels=0; expected an integer, at least 1"),
    (lambda: nn.Conv2D(1, 3, 2, stride=(1, 0)), r"stride=0; expected an integer, at least 1"),
    (lambda: nn.Conv2D(1, 3, (2, 0)), r"kernel_size=0; expected an integer, at least 1"),
    (lambda: nn.Conv2D(1, 3, 2.5), r"kernel_size=2\.5; expected an integer"),
    (lambda: nn.Conv2D(1, 3, (2, 2, 2)), r"kernel_size=\(2, 2, 2\); expected an integer"),
    (lambda: nn.Conv2D(1, 3, 2, padding=-1), r"padding=-1; expected an integer, at least 0"),
    (lambda: nn.Conv2D(1, 3, 2, stride=True), r"stride=True; expected an integer"),
    (lambda: nn.Conv2D(1, 3, 2, dtype=np.int32), r"dtype=int32; expected float32 or float64"),
    (lambda: nn.Conv2D(1, 3, 2, init="xavier"), r"no initialisation 'xavier'; there is: he, glorot"),
])
def test_mistakes_are_named(mistake, message):
    with pytest.raises(InputError, match=message):
        mistake()


def test_a_dy_of_the_wrong_shape_or_type_is_named():
    conv = conv32()
    conv.forward(np.zeros((1, 2, 5, 5), np.float32))
    with pytest.raises(InputError, match=r"backward: dy has shape \(1, 3, 4, 3\); expected \(1, 3, 4, 2\)"):
        conv.backward(np.zeros((1, 3, 4, 3), np.float32))
    with pytest.raises(InputError, match=r"backward: dy is float64; expected float32"):
        conv.backward(np.zeros((1, 3, 4, 2)))


def test_predict_is_forward_and_keeps_nothing():
    conv, x = conv32(), np.ones((1, 2, 5, 5), np.float32)
    assert np.array_equal(conv.predict(x), conv.forward(x))
    conv.predict(x)
    with pytest.raises(InputError, match="no forward"):
        conv.backward(np.zeros((1, 3, 4, 2), np.float32))
