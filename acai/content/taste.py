"""A model of one listener's taste: from a song's hidden features to what this listener makes of it."""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from acai.content.ears import Ridge
from acai.content.windows import Standardiser
from acai.errors import InputError
from acai.nn import MSE, SGD, Linear, Sequential, Tanh
from acai.ratings import Ratings


@dataclass
class TasteNetworks:
    """One small network for each listener, k → n_hidden → 1 (the `cf_mlp` of OpenMRS, 2016), built from our own layers.

    Where a factor model scores a song by p_u · q, a straight line, a network can like two kinds of songs and not what
    lies between them. Its targets keep their own scale: the original squashed them through tanh.

    Parameters
    ----------
    n_hidden : int
        Width of the hidden layer.
    n_epochs : int
        Steps of gradient descent with momentum (N8), each over all songs that have listeners.
    learning_rate, momentum, weight_decay : float
        Of the descent.
    seed : int
        All networks start from the same weights.
    """

    n_hidden: int = 8
    n_epochs: int = 60
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.02
    seed: int = 0

    def fit(self, Q: np.ndarray, ratings: Ratings, heard: np.ndarray, progress: bool = False) -> "TasteNetworks":
        """Learn every listener's taste.

        Parameters
        ----------
        Q : numpy.ndarray, shape (n_songs, k)
            Hidden features of every song of `ratings`.
        ratings : Ratings
            The values to learn; what a listener did not play counts as 0.
        heard : numpy.ndarray of int
            The columns of the songs to learn from.
        """
        Q, R = _prepared(Q, ratings, heard)
        self.inputs = Standardiser.of([Q.T])
        x = self.inputs(Q.T).T
        self.networks = []
        for r in tqdm(R, desc="learning tastes", unit="listener", disable=not progress):
            hidden, out = Linear(x.shape[1], self.n_hidden, self.seed), Linear(self.n_hidden, 1, self.seed + 1)
            network = Sequential([hidden, Tanh(), out])
            loss, optimizer = MSE(), SGD(network, self.learning_rate, self.momentum, self.weight_decay)
            for _ in range(self.n_epochs):
                loss.forward(network.forward(x), r[:, None])
                network.backward(loss.backward(), want_dx=False)
                optimizer.step()
            self.networks.append(network)
        return self

    def predict(self, Q: np.ndarray) -> np.ndarray:
        """What every listener makes of songs with these hidden features: shape (n_users, len(Q))."""
        x = self.inputs(np.asarray(Q, dtype=np.float32).T).T
        return np.stack([network.predict(x)[:, 0] for network in self.networks])


class TasteRidge:
    """A straight line for each listener: ridge regression (A7) on the same features and values, for comparison."""

    def fit(self, Q: np.ndarray, ratings: Ratings, heard: np.ndarray, progress: bool = False) -> "TasteRidge":
        """As `TasteNetworks.fit`."""
        Q, R = _prepared(Q, ratings, heard)
        self.ridge = Ridge().fit(Q, R.T)
        return self

    def predict(self, Q: np.ndarray) -> np.ndarray:
        """As `TasteNetworks.predict`."""
        return self.ridge.predict(np.asarray(Q)).T


def _prepared(Q: np.ndarray, ratings: Ratings, heard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The features of the songs to learn from, and the values of every listener: (len(heard), k), (n_users, len(heard))."""
    if len(Q) != ratings.n_songs:
        raise InputError(f"Q has {len(Q)} rows; expected one for each of the {ratings.n_songs} songs of the ratings")
    return np.asarray(Q, dtype=np.float32)[heard], ratings.csc[:, heard].toarray().astype(np.float32)
