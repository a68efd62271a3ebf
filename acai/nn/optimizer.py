"""Stochastic gradient descent with momentum on a network (N8)."""

from typing import Protocol

import numpy as np

from acai.errors import InputError
from acai.nn.layer import FloatArray
from acai.settings import Limits, checked


class Trainable(Protocol):
    """What an optimizer asks for: a network, or a layer that learns."""

    @property
    def params(self) -> dict[str, FloatArray]:
        """The parameters by name; they are changed in place."""

    @property
    def grads(self) -> dict[str, FloatArray]:
        """The gradient of the loss with respect to each, after `backward`."""


class SGD:
    """Δw ← α Δw − η (∇w + λ w), w ← w + Δw (N8), for every parameter of the network, in place.

    This is the optimizer, which trains any network; `acai.cf.SGD` is a recommender, which learns P and Q by the same rule.

    Parameters
    ----------
    network : Sequential or layer
        Or any object whose `params` are to be changed by its `grads`.
    learning_rate : float
        η > 0.
    momentum : float
        0 ≤ α < 1: how much of the last step is added to the next (Polyak 1964).
    weight_decay : float
        λ ≥ 0: pulls the weights to zero. Biases, the parameters called "b", are not decayed: they shift the output, they
        do not make it steeper.
    nesterov : bool
        Nesterov's form (1983): w changes by α Δw − η (∇w + λ w) with the new Δw, which looks one step of momentum ahead.
    decay : float
        δ ≥ 0: the learning rate of step t = 0, 1, … is η / (1 + δ t).

    Attributes
    ----------
    velocity : dict of str to ndarray
        Δw of the last step, for every parameter.
    """

    def __init__(
        self, network: Trainable, learning_rate: float, momentum: float = 0.9, weight_decay: float = 0.0,
        nesterov: bool = False, decay: float = 0.0,
    ) -> None:
        if not hasattr(network, "params"):
            raise InputError(f"SGD of a {type(network).__name__}; expected a network, or a layer with params and grads")
        self.network = network
        self.learning_rate: float = checked("learning_rate", learning_rate, float, Limits(more_than=0))
        self.momentum: float = checked("momentum", momentum, float, Limits(at_least=0, less_than=1))
        self.weight_decay: float = checked("weight_decay", weight_decay, float, Limits(at_least=0))
        self.decay: float = checked("decay", decay, float, Limits(at_least=0))
        self.nesterov: bool = checked("nesterov", nesterov, bool, Limits())
        self.n_steps = 0
        self.velocity = {name: np.zeros_like(w) for name, w in network.params.items()}

    def step(self) -> None:
        """Change every parameter once, by the gradients of the last `backward`."""
        grads = self.network.grads
        alpha, lam = self.momentum, self.weight_decay
        eta = self.learning_rate / (1 + self.decay * self.n_steps)
        for name, w in self.network.params.items():
            if name not in grads:
                raise InputError(f"SGD.step: parameter {name!r} has no gradient yet; call backward first")
            g = grads[name] if name.split(".")[-1] == "b" else grads[name] + lam * w  # (N8)
            delta_w = self.velocity[name]
            delta_w *= alpha  # (N8)
            delta_w -= eta * g  # (N8)
            w += (alpha * delta_w - eta * g) if self.nesterov else delta_w  # (N8)
        self.n_steps += 1
