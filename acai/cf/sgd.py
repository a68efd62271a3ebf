"""Stochastic gradient descent with momentum (C10)."""

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from acai.cf.factors import FactorModel
from acai.cf.objective import Objective
from acai.errors import InputError
from acai.ratings import Ratings


@dataclass
class SGD(FactorModel):
    """Matrix factorisation by stochastic gradient descent with momentum (C10; Rumelhart, Hinton, Williams 1986).

    One known entry at a time:

        Δw ← α Δw − η ∇F_j(w),    w ← w + Δw

    where F_j is the part of the objective (C8) that belongs to entry j. *Every* parameter moves at every step, though
    ∇F_j is zero for all but two rows. An untouched row's Δw only shrinks by α each time, so the steps that it missed
    have a closed form,
    which is applied when the row is next needed: the exact equation, at the cost of the two touched rows.

    Parameters
    ----------
    n_factors : int
        k, the number of hidden features.
    n_epochs : int
        How many times to go through all known entries.
    learning_rate : float
        η.
    reg : float
        λ, how strongly parameters are pulled towards zero, at each of their ratings.
    momentum : float
        α, from 0 (plain SGD) to below 1.
    biases : bool
        Predict μ + b(u) + b(i) + p_u·q_i instead of p_u·q_i alone.
    init_std : float
        The spread of the normal distribution that P and Q start from.
    shuffle : bool
        Take the entries in a new random order in each epoch, as the theory has it, and not user by user. With a
        momentum of
        .7 or more it pays. User by user is twice as fast, since it reads memory in order, and without momentum just
        as good.
    seed : int
        Of the start and of the shuffling.
    decay : float
        The learning rate is multiplied by this after each epoch.
    patience : int or None
        Stop when the RMSE on `validation` has not improved for that many epochs, and go back to the best.
    init : FactorModel or None
        Start from the factors and biases of this model, fitted on the same axes, rather than at random.
    """

    n_factors: int = 100
    n_epochs: int = 20
    learning_rate: float = 0.005
    reg: float = 0.02
    momentum: float = 0.0
    biases: bool = True
    init_std: float = 0.1
    shuffle: bool = False
    seed: int = 0
    decay: float = 1.0
    patience: int | None = None
    init: FactorModel | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum={self.momentum}; expected 0 (none) or more, below 1")
        if self.learning_rate <= 0 or self.reg < 0 or self.n_factors < 1 or self.n_epochs < 0:
            raise InputError(
                f"{self}: expected learning_rate > 0, reg ≥ 0, n_factors ≥ 1 and n_epochs ≥ 0"
            )

    def fit(self, ratings: Ratings, progress: bool = False, validation: Ratings | None = None) -> Self:
        """Descend.

        Parameters
        ----------
        ratings : Ratings
            What to learn from.
        progress : bool
            Show a bar.
        validation : Ratings or None
            Ratings of the same users and songs, to measure on after every epoch: `validation_history` gets their RMSE.

        Raises
        ------
        InputError
            If the descent diverges; it names the epoch.
        """
        from tqdm import tqdm

        from acai.cf import kernels

        if self.patience is not None and validation is None:
            raise InputError(f"patience={self.patience} needs ratings to measure on: fit(train, validation=valid)")
        self.ratings = None
        self._start(ratings, self.biases, self.init_std, self.seed, self.init)
        objective = Objective(ratings, self.reg)
        rng = np.random.default_rng([self.seed, 1])
        u, i, r = ratings.user_codes, ratings.csr.indices, ratings.csr.data
        w = (self.P, self.Q, self.b_u, self.b_i)
        if self.momentum:
            dw = tuple(np.zeros_like(x) for x in w)
            done = (np.zeros(len(self.P), np.int64), np.zeros(len(self.Q), np.int64))
            moved, shrunk = decay_tables(self.momentum, np.float32)
        mu, eta, lam = np.float32(self.mu), np.float32(self.learning_rate), np.float32(self.reg)
        order = np.arange(len(r), dtype=np.int32)
        self.validation_history = []
        best, best_epoch, kept = np.inf, 0, ()

        for epoch in tqdm(range(self.n_epochs), desc="SGD", unit="epoch", disable=not progress):
            if self.shuffle:
                rng.shuffle(order)
            if self.momentum:
                kernels.momentum_epoch(order, u, i, r, w, mu, dw, done, epoch * len(r), moved, shrunk, eta, lam, self.biases)
            else:
                kernels.sgd_epoch(order, u, i, r, *w, mu, eta, lam, self.biases)
            self.history.append(objective(self))
            if not self.history[-1] <= min(1e3 * self.history[0], 1e300):
                raise InputError(
                    f"SGD diverged in epoch {epoch + 1}: the objective is {self.history[-1]:g}; "
                    f"try a smaller learning_rate (now {self.learning_rate:g}) or momentum (now {self.momentum:g})"
                )
            eta = np.float32(eta * self.decay)
            if validation is not None:
                self.validation_history.append(_rmse_on(self, ratings, validation))
                if self.validation_history[-1] < best:
                    best, best_epoch, kept = self.validation_history[-1], epoch, [x.copy() for x in w]
                elif self.patience is not None and epoch - best_epoch >= self.patience:
                    break
        if self.patience is not None and kept:
            self.P, self.Q, self.b_u, self.b_i = kept
        self._forget_unknown(ratings)
        self.ratings = ratings
        return self


def decay_tables(alpha: float, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """What t = 0, 1, 2, … steps without a gradient do: `w += moved[t] * dw; dw *= shrunk[t]`; last, the limits."""
    shrunk = alpha ** np.arange(2 + math.ceil(math.log(1e-25, alpha)))  # αᵗ
    shrunk[-1] = 0
    moved = alpha * (1 - shrunk) / (1 - alpha)  # α + α² + … + αᵗ
    return moved.astype(dtype), shrunk.astype(dtype)


def _rmse_on(model: FactorModel, ratings: Ratings, validation: Ratings) -> float:
    """The error on `validation` half-way through training."""
    from acai.metrics import rmse

    r_hat = np.clip(model._pairs(validation.user_codes, validation.csr.indices), ratings.csr.data.min(), ratings.csr.data.max())
    return rmse(validation.csr.data, r_hat)
