"""Two checks of another kind: the adjoint identity of a linear map, and the steps of an optimizer, word for word."""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from acai.errors import name_of
from acai.gradcheck.report import Finding, Report
from acai.reference.nn import sgd_step


def adjoint(layer: Any, x: np.ndarray, seed: int = 0) -> Report:
    """Check the adjoint identity of a linear map, for kernels at full size: ⟨dy, y⟩ = ⟨dx, x⟩ = ⟨dW, W⟩ where b = 0.

    Parameters
    ----------
    layer : Conv2D, Linear or another that is linear in x and in W
        Its parameters are replaced, in a copy, by small integers.
    x : ndarray
        The input; integers, small enough that all sums are exact in its dtype.
    """
    layer = copy.deepcopy(layer)
    rng = np.random.default_rng(seed)
    for name, w in layer.params.items():
        w[...] = 0 if name == "b" else rng.integers(-3, 4, w.shape)
    y = layer.forward(x)
    dy = rng.integers(-3, 4, y.shape).astype(y.dtype)
    pairs = {"x": (layer.backward(dy), x), **{name: (layer.grads[name], w) for name, w in layer.params.items() if name != "b"}}
    dy_y, *products = (np.asarray((p.astype(float) * q).sum()) for p, q in ((dy, y), *pairs.values()))
    return Report(name_of(layer), "adjoint", [Finding(name, product, dy_y) for name, product in zip(pairs, products)])


def check_steps(optimizer: Callable[..., Any], n_steps: int = 3, seed: int = 0, **arguments: object) -> Report:
    """Compare the steps of an optimizer with (N8), word for word.

    Parameters
    ----------
    optimizer : callable
        Called as acai's `SGD` is: `optimizer(network, learning_rate=…, momentum=…, weight_decay=…, **arguments)`.
        All three are powers of two, so that a few steps with integers are exact.
    n_steps : int
        How many steps to follow.
    """
    eta, alpha, lam = 0.5, 0.5, 0.25
    nesterov = bool(arguments.get("nesterov"))
    step: Callable[..., Any] = sgd_step  # written for one number, it holds for an array, too
    rng = np.random.default_rng(seed)
    params = {"W": rng.integers(-9, 10, (3, 4)).astype(float), "b": rng.integers(1, 10, 3).astype(float)}
    network = SimpleNamespace(params={name: w.copy() for name, w in params.items()}, grads={})
    descent = optimizer(network, learning_rate=eta, momentum=alpha, weight_decay=lam, **arguments)
    delta: dict[str, Any] = {"W": 0, "b": 0}
    for _ in range(n_steps):
        network.grads = {name: rng.integers(-9, 10, w.shape).astype(float) for name, w in params.items()}
        for name, dw in network.grads.items():
            decay = 0.0 if name == "b" else lam
            params[name], delta[name] = step(params[name], dw, delta[name], eta, alpha, decay, nesterov)  # (N8)
        descent.step()
    name = getattr(optimizer, "__name__", str(optimizer))
    return Report(name, "steps", [Finding(array, network.params[array], w) for array, w in params.items()])
