"""A network for each listener: from the latent factors of a song to how much this listener will like it."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from acai.arrays import real_numbers
from acai.content.windows import Standardiser
from acai.errors import InputError
from acai.nn import MSE, SGD, Linear, Sequential, Tanh
from acai.nn.layer import FloatArray
from acai.settings import check_settings, current_settings, expect_settings, setting


@dataclass
class TasteNetworks:
    """One small network for each listener, k → n_hidden → 1 (the `cf_mlp` of OpenMRS, 2016), built from acai's layers.

    A factor model scores a song by p_u · q, which is linear in q; a network can also learn to like two kinds of songs and
    not what lies between them. Its targets keep their own scale: the original squashed them through tanh.

    Parameters
    ----------
    n_hidden : int
        Width of the hidden layer.
    n_epochs : int
        Steps of gradient descent with momentum (N8), each over all songs that have listeners.
    learning_rate, momentum, weight_decay : float
        Settings of SGD (N8).
    seed : int
        Seed of the initial weights, which are the same for all listeners.

    Attributes
    ----------
    networks : list of Sequential or None
        One for each listener; None before `fit`, and after one that failed.
    inputs : Standardiser
        Statistics of the latent factors; set by `fit`.
    """

    n_hidden: int = setting(8, at_least=1, at_most=10_000)
    n_epochs: int = setting(60, at_least=1)
    learning_rate: float = setting(0.05, more_than=0)
    momentum: float = setting(0.9, at_least=0, less_than=1)
    weight_decay: float = setting(0.02, at_least=0)
    seed: int = setting(0, at_least=0)
    networks: list[Sequential] | None = field(default=None, init=False, repr=False, compare=False)
    inputs: Standardiser = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self)

    def fit(self, Q: ArrayLike, R: ArrayLike, progress: bool = False) -> Self:
        """Train the network of every listener.

        Parameters
        ----------
        Q : numpy.ndarray, shape (n_songs, k)
            The latent factors of the songs to learn from.
        R : numpy.ndarray, shape (n_users, n_songs)
            How much every listener liked them; 0 for songs that a listener did not play.
        """
        check_settings(self)
        Q, R = real_numbers(Q, "Q", np.float32), real_numbers(R, "R", np.float32)
        if Q.ndim != 2 or R.ndim != 2 or len(Q) != R.shape[1] or 0 in Q.shape:
            shapes = f"Q has shape {Q.shape} and R {R.shape}"
            raise InputError(f"{shapes}; expected (n_songs, k) and (n_users, n_songs): a row of Q for each of the songs of R")
        if not (np.isfinite(Q).all() and np.isfinite(R).all()):
            raise InputError("Q or R holds NaN or infinity; expected finite numbers")
        self.networks = None  # should anything go wrong, the model is not half fitted
        self.inputs = Standardiser.fit([Q.T])
        x = self.inputs.transform(Q.T).T
        networks = []
        for r in tqdm(R, desc="training the networks", unit="listener", disable=not progress):
            hidden = Linear(x.shape[1], self.n_hidden, seed=self.seed)
            network = Sequential([hidden, Tanh(), Linear(self.n_hidden, 1, seed=self.seed + 1)])
            loss = MSE()
            optimizer = SGD(network, self.learning_rate, self.momentum, self.weight_decay)
            for _ in range(self.n_epochs):
                loss.forward(network.forward(x), r[:, None])
                network.backward(loss.backward(), want_dx=False)
                optimizer.step()
            networks.append(network)
        self.networks, self._settings_when_fitted = networks, current_settings(self)
        return self

    def predict(self, Q: ArrayLike) -> FloatArray:
        """Predict how much every listener will like songs with these latent factors: shape (n_users, len(Q))."""
        if self.networks is None:
            raise InputError("these TasteNetworks are not fitted; call fit(Q, R) first")
        expect_settings(self, self._settings_when_fitted)
        x = self.inputs.transform(real_numbers(Q, "Q", np.float32).T).T
        return np.stack([network.predict(x)[:, 0] for network in self.networks])
