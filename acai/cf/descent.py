"""Two ways down the hill of the objective (C8): classic gradient descent (C9), and stochastic with momentum (C10)."""

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy import sparse

from acai.cf.factor_model import MOST_FACTORS, FactorModel, objective, residuals
from acai.cf.given import expect_ratings, expect_same_axes
from acai.cf.recommender import how_many
from acai.errors import InputError
from acai.ratings import Ratings
from acai.settings import setting

MOST_MOMENTUM = 0.9999  # αᵗ then takes t = 576,000 steps to vanish, and a table of as many entries


@dataclass
class GradientDescent(FactorModel):
    """Matrix factorisation by classic gradient descent over the known entries (C9), with the original's bold driver.

        w ← w − η ∇F(w)

    where F is the objective (C8). The bold driver (Battiti 1989) spares one from choosing η: it grows after each step
    that made F smaller; a step that did not is taken back, and η halved.

    Parameters
    ----------
    n_factors : int
        k, the number of hidden features.
    n_epochs : int
        How many steps to try.
    learning_rate : float
        η at first. The gradient is a sum over all entries, so this is far smaller than for `SGD`.
    reg : float
        λ.
    bold_driver : bool
        Or keep η as it is.
    growth : float
        What the bold driver multiplies η by after success.
    biases, init_std, seed, init
        As for `SGD`.

    Attributes
    ----------
    history : list of float
        The objective after each step (of a step taken back: the objective of before).
    steps : list of float
        η of each step.
    """

    n_factors: int = setting(10, at_least=1, at_most=MOST_FACTORS)
    n_epochs: int = setting(100, at_least=0)
    learning_rate: float = setting(1e-4, more_than=0)
    reg: float = setting(0.02, at_least=0)
    bold_driver: bool = setting(True)
    growth: float = setting(1.05, at_least=1)
    biases: bool = setting(False)
    init_std: float = setting(0.1, at_least=0, at_most=1000)
    seed: int = setting(0, at_least=0)
    init: FactorModel | None = field(default=None, repr=False)

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        from tqdm import tqdm

        W, b = self._start(ratings, self.biases)  # P above Q, and b_u above b_i: to move W and b moves the model
        self.steps = []
        eta, F = self.learning_rate, objective(self, ratings, self.reg)
        for epoch in tqdm(range(self.n_epochs), desc="gradient descent", unit="epoch", disable=not progress):
            W_before, b_before = W.copy(), b.copy()
            dW, db = self._gradient(ratings, W, b)
            W -= np.float32(eta) * dW  # (C9)
            b -= np.float32(eta) * db  # (C9)
            self.steps.append(eta)
            F_new = objective(self, ratings, self.reg)
            if not self.bold_driver:
                _expect_descent(self, epoch, F_new, F, " or bold_driver=True")
            elif F_new < F:
                eta *= self.growth
            else:
                W[:], b[:], F_new, eta = W_before, b_before, F, eta / 2
            F = F_new
            self.history.append(F)

    def _gradient(self, ratings: Ratings, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """∇F, (C8) differentiated: by W and by the biases."""
        E = sparse.csr_array((residuals(self, ratings), ratings.csr.indices, ratings.csr.indptr), shape=ratings.csr.shape)
        n = np.concatenate(how_many(ratings)).astype(np.float32)
        dW = self.reg * n[:, None] * W - np.concatenate([E @ self.Q, E.T @ self.P])  # (m + n, k)
        db = self.reg * n * b - np.concatenate([E.sum(axis=1), E.sum(axis=0)])  # (m + n,)
        return dW, self.biases * db


@dataclass
class SGD(FactorModel):
    """Matrix factorisation by stochastic gradient descent with momentum (C10; Rumelhart, Hinton, Williams 1986).

    One known entry at a time:

        Δw ← α Δw − η ∇F_j(w),    w ← w + Δw

    where F_j is the part of the objective (C8) that belongs to entry j. *Every* parameter moves at every step, though
    ∇F_j is zero for all but two rows. An untouched row's Δw only shrinks by α each time, so the steps that it missed
    have a closed form, which is applied when the row is next needed: the exact equation, at the cost of the two touched
    rows.

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
        α, from 0 (plain SGD) to .9999: an update then lives on for ten thousand steps.
    biases : bool
        Predict μ + b(u) + b(i) + p_u·q_i instead of p_u·q_i alone.
    init_std : float
        The spread of the normal distribution that P and Q start from.
    shuffle : bool
        Take the entries in a new random order in each epoch, as the theory has it, and not user by user. With a
        momentum of .7 or more it pays. User by user is twice as fast, since it reads memory in order, and without
        momentum just as good.
    seed : int
        Of the start and of the shuffling.
    decay : float
        The learning rate is multiplied by this after each epoch.
    patience : int or None
        Stop when the RMSE on `validation` has not improved for that many epochs, and go back to the best.
    init : FactorModel or None
        Start from the factors and biases of this model, fitted on the same axes, rather than at random.

    Attributes
    ----------
    validation_history : list of float
        The RMSE on the validation ratings after each epoch, where there are any.
    """

    n_factors: int = setting(100, at_least=1, at_most=MOST_FACTORS)
    n_epochs: int = setting(20, at_least=0)
    learning_rate: float = setting(0.005, more_than=0)
    reg: float = setting(0.02, at_least=0)
    momentum: float = setting(0.0, at_least=0, at_most=MOST_MOMENTUM)
    biases: bool = setting(True)
    init_std: float = setting(0.1, at_least=0, at_most=1000)
    shuffle: bool = setting(False)
    seed: int = setting(0, at_least=0)
    decay: float = setting(1.0, more_than=0)
    patience: int | None = setting(None, at_least=1)
    init: FactorModel | None = field(default=None, repr=False)

    def fit(self, ratings: Ratings, progress: bool = False, validation: Ratings | None = None) -> Self:
        """Descend.

        Parameters
        ----------
        ratings : Ratings
            What to learn from.
        progress : bool
            Show a bar.
        validation : Ratings or None
            Ratings of the same users and songs, in the same order, to measure on after every epoch:
            `validation_history` gets their RMSE.

        Raises
        ------
        InputError
            If the descent diverges; it names the epoch.
        """
        if self.patience is not None and validation is None:
            raise InputError(f"patience={self.patience} needs ratings to measure on: fit(train, validation=valid)")
        if validation is not None:
            expect_same_axes(expect_ratings(validation), expect_ratings(ratings), "ratings and validation")
            if validation.n_ratings == 0:
                raise InputError("validation has not one rating; expected some to measure on, or validation=None")
        return super().fit(ratings, progress, validation=validation)

    def _learn(self, ratings: Ratings, progress: bool, validation: Ratings | None) -> None:
        from tqdm import tqdm

        from acai.cf import kernels

        W, b = self._start(ratings, self.biases)  # P above Q, and b_u above b_i: to move W and b moves the model
        rng = np.random.default_rng([self.seed, 1])
        u, i, r, m = ratings.user_codes, ratings.csr.indices, ratings.csr.data, ratings.n_users
        mu, eta, lam = np.float32(self.mu), np.float32(self.learning_rate), np.float32(self.reg)
        order = np.arange(len(r), dtype=np.int32)
        if self.momentum:
            delta_W, delta_b, done = np.zeros_like(W), np.zeros_like(b), np.zeros(len(b), np.int64)
            tables = decay_tables(self.momentum, np.float32)
        self.validation_history, best_W, best_b = [], W, b
        or_else = f" or momentum (now {self.momentum:g})" if self.momentum else ""

        for epoch in tqdm(range(self.n_epochs), desc="SGD", unit="epoch", disable=not progress):
            if self.shuffle:
                rng.shuffle(order)
            of_step = order, u, i, r, m, W, b, mu, eta, lam, self.biases
            if self.momentum:
                kernels.momentum_epoch(*of_step, delta_W, delta_b, done, epoch * len(r), *tables)
            else:
                kernels.sgd_epoch(*of_step)
            eta = np.float32(eta * self.decay)
            self.history.append(objective(self, ratings, self.reg))
            _expect_descent(self, epoch, self.history[-1], self.history[0], or_else)
            if validation is not None:
                r_hat = np.clip(self._pairs(validation.user_codes, validation.csr.indices), r.min(), r.max())
                e = np.subtract(validation.csr.data, r_hat, dtype=np.float64)
                self.validation_history.append(float(np.sqrt(np.mean(np.square(e)))))
                best = int(np.argmin(self.validation_history))
                if best == epoch:
                    best_W, best_b = W.copy(), b.copy()
                elif self.patience is not None and epoch - best >= self.patience:
                    break
        if self.patience is not None:
            W[:], b[:] = best_W, best_b


def _expect_descent(model: FactorModel, epoch: int, F: float, F_before: float, or_else: str) -> None:
    """An error if F has run away: beyond all numbers, or to over a thousand times `F_before`, where no mere bad step leads.

    `F_before` is that of the step before in `GradientDescent`, whose every step should descend, and that of the first epoch
    in `SGD`, which may rise for a while.
    """
    if not (math.isfinite(F) and F <= 1e3 * F_before):
        raise InputError(
            f"{type(model).__name__} diverged in epoch {epoch + 1}: the objective is {F:g}; "
            f"try a smaller learning_rate (now {model.learning_rate:g}){or_else}"
        )


def decay_tables(alpha: float, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """What t = 0, 1, 2, … steps without a gradient do: `w += moved[t] * delta_w; delta_w *= shrunk[t]`; last, the limits."""
    shrunk = alpha ** np.arange(2 + math.ceil(math.log(1e-25, alpha)))  # αᵗ, until it is too small to change a sum, even in float64
    shrunk[-1] = 0
    moved = alpha * (1 - shrunk) / (1 - alpha)  # α + α² + … + αᵗ
    return moved.astype(dtype), shrunk.astype(dtype)
