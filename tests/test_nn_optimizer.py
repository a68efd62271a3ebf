"""SGD against (N8), step by step, and against the closed form of momentum on a quadratic."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acai import gradcheck, nn
from acai.errors import InputError
from acai.reference import nn as reference


@pytest.mark.parametrize("nesterov", [False, True])
def test_steps_are_exactly_those_of_the_equation(nesterov):
    report = gradcheck.check_steps(nn.SGD, n_steps=5, nesterov=nesterov)
    assert report.ok, report


@given(st.floats(0.01, 1), st.floats(0, 0.99), st.floats(0, 1), st.booleans())
def test_steps_follow_the_loops(eta, alpha, lam, nesterov):
    network = SimpleNamespace(params={"W": np.array([2.0]), "b": np.array([3.0])}, grads={})
    sgd = nn.SGD(network, eta, alpha, lam, nesterov)
    w, b, dw, db = 2.0, 3.0, 0.0, 0.0
    for gradient in (1.5, -0.5, 2.5):
        network.grads = {"W": np.array([gradient]), "b": np.array([2 * gradient])}
        sgd.step()
        w, dw = reference.sgd_step(w, gradient, dw, eta, alpha, lam, nesterov)
        b, db = reference.sgd_step(b, 2 * gradient, db, eta, alpha, 0.0, nesterov)
    assert network.params["W"][0] == pytest.approx(w, rel=1e-12)
    assert network.params["b"][0] == pytest.approx(b, rel=1e-12)


@given(st.floats(0.01, 0.5), st.floats(0, 0.9), st.floats(0.1, 2), st.booleans())
def test_momentum_on_a_quadratic_is_a_power_of_a_matrix(eta, alpha, curvature, nesterov):
    # f = ½ h w²: (w, Δw) is multiplied by one matrix at every step.
    m = np.array([[1 - eta * curvature, alpha], [-eta * curvature, alpha]])
    if nesterov:
        m[0] = [1 - (1 + alpha) * eta * curvature, alpha * alpha]
    network = SimpleNamespace(params={"W": np.ones(1)}, grads={})
    sgd = nn.SGD(network, eta, alpha, nesterov=nesterov)
    for _ in range(50):
        network.grads = {"W": curvature * network.params["W"]}
        sgd.step()
    expected = np.linalg.matrix_power(m, 50) @ [1.0, 0.0]
    assert network.params["W"][0] == pytest.approx(expected[0], rel=1e-9, abs=1e-12)


def test_the_learning_rate_decays_as_one_over_time():
    network = SimpleNamespace(params={"b": np.zeros(1)}, grads={"b": np.ones(1)})
    sgd = nn.SGD(network, 1.0, momentum=0.0, decay=1.0)
    for _ in range(4):
        sgd.step()
    assert network.params["b"][0] == pytest.approx(-(1 + 1 / 2 + 1 / 3 + 1 / 4))


def test_parameters_change_in_place_and_keep_their_type():
    linear = nn.Linear(3, 2, seed=0)
    W = linear.params["W"]
    before = W.copy()
    sgd = nn.SGD(linear, 0.1)
    linear.backward(linear.forward(np.ones((1, 3), np.float32)))
    sgd.step()
    assert linear.params["W"] is W and W.dtype == np.float32 and not np.array_equal(W, before)


@pytest.mark.parametrize("arguments, message", [
    ({"learning_rate": 0.0}, r"^learning_rate=0\.0; expected a finite number, more than 0$"),
    ({"learning_rate": float("inf")}, r"^learning_rate=inf"),
    ({"learning_rate": float("nan")}, r"^learning_rate=nan"),
    ({"learning_rate": "0.1"}, r"^learning_rate='0\.1'"),
    ({"learning_rate": 0.1, "momentum": 1.0}, r"^momentum=1\.0; expected a finite number, at least 0, less than 1$"),
    ({"learning_rate": 0.1, "momentum": -0.1}, r"^momentum=-0\.1"),
    ({"learning_rate": 0.1, "weight_decay": -1}, r"^weight_decay=-1; expected a finite number, at least 0$"),
    ({"learning_rate": 0.1, "weight_decay": float("inf")}, r"^weight_decay=inf"),
    ({"learning_rate": 0.1, "decay": float("inf")}, r"^decay=inf"),
    ({"learning_rate": 0.1, "decay": -1}, r"^decay=-1; expected a finite number, at least 0$"),
    ({"learning_rate": 0.1, "nesterov": 1}, r"^nesterov=1; expected True or False$"),
])
def test_mistakes_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        nn.SGD(nn.Linear(2, 2), **arguments)
    with pytest.raises(InputError, match="SGD of a NoneType; expected a network"):
        nn.SGD(None, 0.1)


def test_defaults_are_the_documented_ones():
    parameters = inspect.signature(nn.SGD).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    assert defaults == dict(momentum=0.9, weight_decay=0.0, nesterov=False, decay=0.0)


def test_a_step_before_any_backward_is_refused():
    with pytest.raises(InputError, match=r"SGD\.step: parameter 'W' has no gradient yet; call backward first"):
        nn.SGD(nn.Linear(2, 2), 0.1).step()
