"""Functions in the style of the well-known courses, several geometries, and the assertion for tests."""

import numpy as np
import pytest
from hypothesis import given, settings

from acai import nn
from acai.gradcheck import assert_gradients, check, check_function
from acai.gradcheck.strategies import geometries


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(0)


def mean_backward(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw, db / len(dout)


def softmax_loss(x, y):
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    dx = p.copy()
    dx[np.arange(len(x)), y] -= 1
    return -np.log(p[np.arange(len(x)), y]).mean(), dx / len(x)


def dropout_forward(x, conf):
    mask = (np.random.default_rng(conf["seed"]).random(x.shape) < conf["p"]) / conf["p"] if conf["mode"] == "train" else 1.0
    return x * mask, mask


def dropout_backward(dout, mask):
    return dout * mask


def test_a_cache_and_gradients_in_the_order_of_the_arguments():
    report = check_function(affine_forward, affine_backward, (4, 2, 3), w=(6, 5), b=(5,))
    assert report.verdict == "equal" and [finding.array for finding in report.findings] == ["x", "w", "b"]
    backwards = check_function(affine_forward, affine_backward, (4, 2, 3), b=(5,), w=(6, 5))
    assert backwards.verdict == "equal"
    wrong = check_function(affine_forward, mean_backward, (4, 2, 3), w=(6, 5), b=(5,))
    assert wrong.wrong_arrays == ["b"] and "it is 1/4 times the right one everywhere" in str(wrong)


def test_arrays_that_are_given_are_the_point():
    x, w, b = (np.random.default_rng(1).normal(size=shape) for shape in ((4, 6), (6, 5), (5,)))
    report = check_function(affine_forward, affine_backward, x, w=w, b=b)
    assert report.verdict == "agrees" and report.max_error < 1e-10


def test_a_loss_and_its_gradient_in_one():
    assert check_function(softmax_loss, None, (4, 3), y=np.array([0, 2, 1, 1])).verdict == "agrees"
    twice = check_function(lambda x, y: (softmax_loss(x, y)[0], 2 * softmax_loss(x, y)[1]), None, (4, 3), y=np.array([0, 2, 1, 1]))
    assert twice.verdict == "wrong" and "it is 2 times the right one" in str(twice)

    def squares(x, t):
        return 0.5 * ((x - t) ** 2).sum(), x - t

    assert check_function(squares, None, (4, 3), t=np.ones((4, 3))).verdict == "equal"

    def two_gradients(x, w):
        return (x @ w).sum(), np.outer(np.ones(len(x)), w), {"unused": 1} and x.sum(0)

    assert check_function(two_gradients, None, (4, 3), w=(3,)).verdict == "equal"
    named = check_function(lambda x, w: ((x @ w).sum(), {"x": np.outer(np.ones(len(x)), w), "dw": x.sum(0)}), None, (4, 3), w=(3,))
    assert named.verdict == "equal" and len(named.findings) == 2


def test_settings_are_passed_on():
    conf = {"p": 0.5, "mode": "train", "seed": 1}
    assert check_function(dropout_forward, dropout_backward, (4, 3), conf=conf).verdict == "equal"
    assert check_function(dropout_forward, lambda dout, mask: dout, (4, 3), conf=conf).verdict == "wrong"


def test_what_backward_does_not_give_is_not_checked_or_wrong():
    report = check_function(affine_forward, lambda dout, cache: affine_backward(dout, cache)[:2], (4, 6), w=(6, 5), b=(5,))
    assert report.verdict == "wrong" and report.wrong_arrays == ["b"]


class Pool(nn.MaxPool2D):
    """Wrong where windows do not stand side by side."""

    def backward(self, dy):
        return super().backward(dy) * (1 if self.stride == (2, 2) else 3)


def test_geometries_are_told_apart():
    reports = check(lambda stride: Pool(2, stride), (2, 2, 6, 6), geometries=[{"stride": 2}, {"stride": 1}, {"stride": 3}])
    assert not reports.ok and str(reports).startswith("right at stride=2; wrong at stride=1, stride=3\nstride=1: ")
    assert check(nn.MaxPool2D, (1, 1, 4, 4), geometries=[{"pool_size": 2}, {"pool_size": 3, "x": (1, 1, 5, 5)}]).ok


def test_the_assertion_reads_like_the_report():
    assert_gradients(nn.Linear(3, 2, seed=0), (4, 3))
    with pytest.raises(AssertionError, match=r"(?s)NOT right.*x    WRONG: .*where \(shaded by error\)"):
        assert_gradients(Pool(2, 1), (2, 2, 6, 6))


@settings(max_examples=25)
@given(geometries(pooling=True))
def test_geometries_are_drawn_for_tests(g):
    assert_gradients(nn.MaxPool2D(g["kernel"], g["stride"], g["padding"]), g["x"])
