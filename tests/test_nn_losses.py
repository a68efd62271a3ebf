"""MSE and SoftmaxCrossEntropy against the loops of acai.reference, the complex step, and what softmax must satisfy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_geometry import DTYPES, whole

from acai import gradcheck, nn
from acai.errors import InputError
from acai.reference import nn as reference

ROWS, CLASSES = st.integers(1, 5), st.integers(1, 6)


@given(ROWS, CLASSES, DTYPES)
def test_mse_agrees_with_the_loops(n, k, dtype):
    y, target, mse = whole((n, k), 1, dtype), whole((n, k), 2, dtype), nn.MSE()
    loss, dy = reference.mse(y, target)
    assert mse.forward(y, target) == pytest.approx(loss, rel=1e-6)
    assert mse.backward().dtype == dtype
    np.testing.assert_allclose(mse.backward(), dy, rtol=1e-6)


@settings(max_examples=20)
@given(st.sampled_from([(1, 1), (2, 4), (4, 2, 2), (8,)]))
def test_mse_is_exact(shape):
    report = gradcheck.check(nn.MSE(), shape, target=whole(shape, 2), method="exact")
    assert report.ok, report


@settings(max_examples=30)
@given(ROWS, CLASSES, st.integers(0, 99))
def test_softmax_loss_agrees_with_the_loops_and_the_complex_step(n, k, seed):
    rng = np.random.default_rng(seed)
    y, target, softmax = rng.normal(0, 3, (n, k)), rng.integers(0, k, n), nn.SoftmaxCrossEntropy()
    loss, dy = reference.softmax_cross_entropy(y, target)
    assert softmax.forward(y, target) == pytest.approx(loss, rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(softmax.backward(), dy, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(softmax.backward().sum(axis=1), 0, atol=1e-15)
    report = gradcheck.check(softmax, y, target=target, method="complex")
    assert report.ok and report.max_error < 1e-13, report


@given(ROWS, CLASSES, st.sampled_from([-1000.0, -8.0, 1024.0]))
def test_softmax_does_not_change_when_all_scores_shift(n, k, by):
    y, target, softmax = whole((n, k), 1), np.arange(n) % k, nn.SoftmaxCrossEntropy()
    loss, dy = softmax.forward(y, target), softmax.backward()
    assert softmax.forward(y + by, target) == loss  # whole numbers move without rounding
    assert np.array_equal(softmax.backward(), dy)


@given(ROWS, CLASSES)
def test_float32_is_close_to_float64(n, k):
    y, target, softmax = np.random.default_rng(0).normal(size=(n, k)), np.zeros(n, int), nn.SoftmaxCrossEntropy()
    loss, dy = softmax.forward(y, target), softmax.backward()
    assert softmax.forward(y.astype(np.float32), target) == pytest.approx(loss, rel=1e-5, abs=1e-6)
    assert softmax.backward().dtype == np.float32
    np.testing.assert_allclose(softmax.backward(), dy, atol=1e-6)


def test_a_confident_wrong_prediction_has_a_large_but_finite_loss():
    assert nn.SoftmaxCrossEntropy().forward(np.array([[0.0, 2000.0]]), np.array([0])) == 2000


def test_an_empty_batch_has_zero_loss():
    softmax, mse = nn.SoftmaxCrossEntropy(), nn.MSE()
    assert softmax.forward(np.zeros((0, 3)), np.zeros(0, int)) == 0 and softmax.backward().shape == (0, 3)
    assert mse.forward(np.zeros((0, 3)), np.zeros((0, 3))) == 0 and mse.backward().shape == (0, 3)


@pytest.mark.parametrize("mistake, message", [
    (lambda: nn.MSE().forward(np.zeros((2, 3)), np.zeros((2, 1))),
     r"MSE\(\)\.forward: target has shape \(2, 1\), but y has \(2, 3\)"),
    (lambda: nn.MSE().forward(np.array([np.nan]), np.zeros(1)), r"MSE\(\): the loss is nan; look for NaN"),
    (lambda: nn.MSE().forward(np.array([np.inf]), np.array([np.inf])), r"MSE\(\): the loss is nan; look for NaN"),
    (lambda: nn.MSE().forward(np.array([1e30], np.float32), np.zeros(1)), r"MSE\(\): the loss is inf"),
    (lambda: nn.MSE().backward(), r"MSE\(\)\.backward: there is no forward"),
    (lambda: nn.SoftmaxCrossEntropy().backward(), r"SoftmaxCrossEntropy\(\)\.backward: there is no forward"),
    (lambda: nn.SoftmaxCrossEntropy().forward(np.zeros((2, 3)), np.zeros((2, 3))),
     r"y has shape \(2, 3\) and target \(2, 3\); expected"),
    (lambda: nn.SoftmaxCrossEntropy().forward(np.zeros((2, 3)), np.zeros(2)), r"target is float64; expected integers"),
    (lambda: nn.SoftmaxCrossEntropy().forward(np.zeros((2, 3)), np.array([0, 3])), r"target goes from 0 to 3; expected 0 to 2"),
    (lambda: nn.SoftmaxCrossEntropy().forward(np.zeros((2, 3)), np.array([-1, 2])), r"target goes from -1 to 2"),
    (lambda: nn.SoftmaxCrossEntropy().forward(np.array([[0, np.inf]]), np.array([1])), r"scores that are not finite"),
])
def test_mistakes_are_named(mistake, message):
    with pytest.raises(InputError, match=message):
        mistake()
