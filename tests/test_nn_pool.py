"""MaxPool2D and GlobalPool against the loops of acai.reference, and the routing of their gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_geometry import DTYPES, geometries, whole

from acai import gradcheck, nn
from acai.errors import InputError
from acai.reference import nn as reference


@given(geometries(pooling=True), DTYPES, st.integers(1, 9))
def test_max_pool_equals_the_loops_ties_included(g, dtype, largest):
    pool, x = nn.MaxPool2D(g.window, g.stride, g.padding), whole(g.shape, 1, dtype, largest)
    y = pool.forward(x)
    assert y.dtype == dtype
    assert np.array_equal(y, reference.max_pool(x, g.window, g.stride, g.padding))
    dy = whole(y.shape, 2, dtype)
    dx = pool.backward(dy)
    assert np.array_equal(dx, reference.max_pool(x, g.window, g.stride, g.padding, dy))
    assert dx.sum() == dy.sum()  # every number of dy is added to one place


@settings(max_examples=20)
@given(geometries(pooling=True))
def test_max_pool_gradients_are_exact(g):
    report = gradcheck.check(nn.MaxPool2D(g.window, g.stride, g.padding), g.shape, method="exact")
    assert report.ok, report


@settings(max_examples=20)
@given(geometries(pooling=True), st.integers(0, 100))
def test_max_pool_routes_a_tie_to_its_first_maximum(g, seed):
    x = 1.0 + 2 * np.random.default_rng(seed).integers(0, 2, g.shape)
    first = -np.arange(x.size).reshape(x.shape) * 2.0**-12
    report = gradcheck.check(nn.MaxPool2D(g.window, g.stride, g.padding), x, method="exact", nudge=first, step=2.0**-14)
    assert report.ok, report


def test_max_pool_moves_by_its_own_size_by_default():
    x = np.arange(24, dtype=np.float32).reshape(1, 1, 4, 6)
    assert np.array_equal(nn.MaxPool2D((2, 3)).predict(x)[0, 0], [[8, 11], [20, 23]])


def test_padding_is_never_the_maximum():
    x = np.full((1, 1, 2, 2), -5, np.float32)
    assert (nn.MaxPool2D(2, 1, 1).predict(x) == -5).all()


def test_max_pool_keeps_nan():
    x = np.zeros((1, 1, 1, 6), np.float32)
    x[0, 0, 0, 1] = np.nan
    assert np.array_equal(nn.MaxPool2D((1, 3)).predict(x)[0, 0, 0], [np.nan, 0], equal_nan=True)


def test_max_pool_is_the_same_on_any_number_of_threads_and_for_each_sample_alone(monkeypatch):
    x, pool = np.random.default_rng(0).normal(size=(9, 16, 5, 400)).astype(np.float32), nn.MaxPool2D((2, 4), 3, 1)
    results = []
    for n in (1, 4):
        monkeypatch.setattr("acai.threads.n_threads", lambda n=n: n)
        y = pool.forward(x)
        results.append((y, pool.backward(np.cos(y))))
    assert all(np.array_equal(a, b) for a, b in zip(*results))
    assert np.array_equal(pool.predict(x[8:])[0], results[0][0][8])
    assert np.array_equal(pool.predict(np.asfortranarray(x)), results[0][0])


@given(geometries(), st.sampled_from(["mean", "max", "l2"]))
def test_global_pool_agrees_with_the_loops(g, kind):
    pool, x = nn.GlobalPool([kind]), whole(g.shape, 1, largest=3)
    y, loops, at = pool.forward(x), reference.global_pool(x), ["mean", "max", "l2"].index(kind)
    np.testing.assert_allclose(y, loops[at].reshape(g.N, -1), rtol=1e-14)
    dy = whole((g.N, g.C, g.H), 2)
    all_dy = np.zeros_like(loops)
    all_dy[at] = dy
    dx = reference.global_pool_backward(all_dy, x, loops)
    np.testing.assert_allclose(pool.backward(dy.reshape(g.N, -1)), dx, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kinds", [("mean", "max"), ("max", "mean"), ("max",)])
@settings(max_examples=8)
@given(n=st.integers(1, 3), c=st.integers(1, 3), h=st.integers(1, 3), log_t=st.integers(0, 3))
def test_global_mean_and_max_are_exact_over_powers_of_two(kinds, n, c, h, log_t):
    report = gradcheck.check(nn.GlobalPool(kinds), (n, c, h, 2**log_t), method="exact")
    assert report.ok, report


@settings(max_examples=15)
@given(geometries())
def test_global_pool_by_the_complex_step(g):
    report = gradcheck.check(nn.GlobalPool(), g.shape, method="complex")
    assert report.ok and report.max_error < 1e-13, report


def test_global_pool_puts_its_summaries_side_by_side_and_takes_any_length():
    pool, x = nn.GlobalPool(), np.array([[[[3.0, 4, 0, 0]], [[1, 1, 1, 1]]]])
    assert np.array_equal(pool.predict(x), [[1.75, 1, 4, 1, 2.5, 1]])
    assert pool.predict(np.ones((2, 3, 1, 7))).shape == pool.predict(np.ones((2, 3, 1, 70))).shape == (2, 9)


def test_the_norm_of_silence_has_no_gradient():
    pool = nn.GlobalPool(["l2"])
    pool.forward(np.zeros((1, 1, 1, 4)))
    assert np.array_equal(pool.backward(np.ones((1, 1))), np.zeros((1, 1, 1, 4)))


@pytest.mark.parametrize("mistake, message", [
    (lambda: nn.MaxPool2D(2, padding=2), r"padding must be less than pool_size"),
    (lambda: nn.MaxPool2D(2, stride=0), r"stride=0; expected an integer, at least 1"),
    (lambda: nn.MaxPool2D(0), r"pool_size=0; expected an integer, at least 1"),
    (lambda: nn.MaxPool2D(3).forward(np.zeros((1, 1, 2, 5))),
     r"MaxPool2D\(.*\)\.forward: x has shape .*expected at least the window's 3 × 3"),
    (lambda: nn.MaxPool2D(3).forward(np.zeros((2, 5))), r"x has shape \(2, 5\); expected \(N, C, H, W\)"),
    (lambda: nn.MaxPool2D(1).forward(np.zeros((1, 1, 2, 5), int)), r"x is int64; expected float32 or float64"),
    (lambda: nn.MaxPool2D(2).backward(np.zeros((1, 1, 1, 1))), r"no forward to go back through"),
    (lambda: nn.GlobalPool(["median"]), r"no kind of summary 'median'; there is: mean, max, l2"),
    (lambda: nn.GlobalPool().forward(np.zeros((1, 2, 1, 0))), r"expected at least one time step"),
])
def test_mistakes_are_named(mistake, message):
    with pytest.raises(InputError, match=message):
        mistake()


def test_empty_batches():
    for layer, shape in ((nn.MaxPool2D(2), (0, 3, 2, 3)), (nn.GlobalPool(), (0, 36))):
        y = layer.forward(np.zeros((0, 3, 4, 6)))
        assert y.shape == shape
        assert layer.backward(y).shape == (0, 3, 4, 6)
