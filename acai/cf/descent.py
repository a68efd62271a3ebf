"""Two ways to minimise the objective (C8): classic gradient descent (C9), and stochastic with momentum (C10)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.blocks import Int32s, in_order, user_by_user
from acai.cf.factor_model import MOST_FACTORS, FactorModel
from acai.cf.inputs import expect_ratings, expect_same_axes
from acai.cf.iterative import DescentModel, objective, residuals
from acai.cf.plays import advice
from acai.cf.statistics import entry_counts
from acai.errors import InputError
from acai.ratings import Ratings
from acai.settings import setting
from acai.threads import one_blas_thread, sweep_grid

MOST_MOMENTUM = 0.9999  # αᵗ then takes t = 576,000 steps to vanish, and the tables have as many entries
Float32s = NDArray[np.float32]


@dataclass
class GradientDescent(DescentModel):
    """Matrix factorisation by classic gradient descent over the known entries (C9), with the original's bold driver.

        w ← w − η ∇F(w)

    where F is the objective (C8). The bold driver (Battiti 1989) adapts η: it grows after each step that made F
    smaller; a step that did not is undone, and η is halved.

    Parameters
    ----------
    n_factors : int
        k, the number of latent factors.
    n_epochs : int
        How many steps to try.
    learning_rate : float
        η at first. The gradient is a sum over all entries, so this is far smaller than for `SGD`.
    reg : float
        λ.
    bold_driver : bool
        Whether to adapt η; otherwise it stays as it is.
    growth : float
        What the bold driver multiplies η by after a successful step.
    biases, init_std, seed, init
        As for `SGD`.

    Attributes
    ----------
    history : list of float
        The objective after each step (after an undone step: the objective before it).
    learning_rates : list of float
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

        W, b = self._initialise(ratings, self.biases)
        self.learning_rates: list[float] = []
        eta, F = self.learning_rate, objective(self, ratings, self.reg)
        for epoch in tqdm(range(self.n_epochs), desc="gradient descent", unit="epoch", disable=not progress):
            W_before, b_before = W.copy(), b.copy()
            dW, db = self._gradient(ratings, W, b)
            W -= np.float32(eta) * dW  # (C9)
            b -= np.float32(eta) * db  # (C9)
            self.learning_rates.append(eta)
            F_before, F = F, objective(self, ratings, self.reg)
            if not self.bold_driver:
                _expect_descent(self, epoch, F, F_before, ratings)
            elif F < F_before:
                eta *= self.growth
            else:
                W[:], b[:] = W_before, b_before
                F = F_before
                eta /= 2
            self.history.append(F)

    def _gradient(self, ratings: Ratings, W: Float32s, b: Float32s) -> tuple[Float32s, Float32s]:
        """Compute ∇F, (C8) differentiated, with respect to W and to the biases."""
        R = ratings.csr
        E = sparse.csr_array((residuals(self, ratings), R.indices, R.indptr), shape=R.shape)
        n = np.concatenate(entry_counts(ratings)).astype(np.float32)
        dW = self.reg * n[:, None] * W - np.concatenate([E @ self.Q, E.T @ self.P])  # (m + n, k)
        db = self.reg * n * b - np.concatenate([E.sum(axis=1), E.sum(axis=0)])  # (m + n,)
        return dW, self.biases * db


@dataclass
class SGD(DescentModel):
    """Matrix factorisation by stochastic gradient descent with momentum (C10; Rumelhart, Hinton, Williams 1986).

    One known entry at a time:

        Δw ← α Δw − η ∇F_j(w),    w ← w + Δw

    where F_j is the part of the objective (C8) that belongs to entry j. *Every* parameter moves at every step, although
    ∇F_j is zero for all but two rows. An untouched row moves by momentum alone, and its Δw shrinks by α each time, so
    the steps that it missed have a closed form, which is applied when the row is next needed: the exact equation, at
    the cost of the two touched rows.

    Parameters
    ----------
    n_factors : int
        k, the number of latent factors.
    n_epochs : int
        How many times to go through all known entries.
    learning_rate : float
        η.
    reg : float
        λ, how strongly each rating pulls its parameters towards zero.
    momentum : float
        α, from 0 (plain SGD) to .9999, with which an update has an effect for ten thousand steps.
    biases : bool
        Predict μ + b(u) + b(i) + p_u·q_i instead of p_u·q_i alone.
    init_std : float
        The standard deviation of the normal distribution that P and Q start from.
    shuffle : bool
        Take the entries in a new random order in each epoch, as the theory assumes, rather than user by user. It helps
        with a momentum of .7 or more. User by user is just as good without momentum, and several times as fast: it reads
        memory in order, on all cores.
    seed : int
        Seed of the random start and of the shuffling.
    decay : float
        The learning rate is multiplied by this after each epoch.
    patience : int or None
        Stop when the RMSE on `validation` has not improved for that many epochs, and restore the best parameters.
    init : FactorModel or None
        A warm start: begin with the factors and biases of this model, fitted on the same axes, rather than at random.

    Attributes
    ----------
    validation_history : list of float
        The RMSE on the validation ratings after each epoch; empty without validation ratings.
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
        """Learn from `ratings`.

        Parameters
        ----------
        ratings : Ratings
            What to learn from.
        progress : bool
            Show a progress bar.
        validation : Ratings or None
            Ratings of the same users and songs, in the same order, whose RMSE is measured after each epoch.

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
                raise InputError("validation has no ratings; expected at least one, or validation=None")
        with self._fitting(ratings):
            self._learn(ratings, progress, validation)
        return self

    @one_blas_thread()  # for all epochs at once: there is no matrix product to divide among threads
    def _learn(self, ratings: Ratings, progress: bool, validation: Ratings | None = None) -> None:
        from tqdm import tqdm

        W, b = self._initialise(ratings, self.biases)
        run_epoch = self._epoch_runner(ratings, W, b)
        eta = np.float32(self.learning_rate)
        self.validation_history: list[float] = []
        best_epoch, best_rmse, best_W, best_b = 0, math.inf, W, b
        for epoch in tqdm(range(self.n_epochs), desc="SGD", unit="epoch", disable=not progress):
            run_epoch(eta)
            eta = np.float32(eta * self.decay)
            self.history.append(objective(self, ratings, self.reg))
            _expect_descent(self, epoch, self.history[-1], self.history[0], ratings)
            if validation is not None:
                rmse = self._clipped_rmse(validation, ratings.csr.data)
                self.validation_history.append(rmse)
                if rmse < best_rmse:
                    best_epoch, best_rmse, best_W, best_b = epoch, rmse, W.copy(), b.copy()
                elif self.patience is not None and epoch - best_epoch >= self.patience:
                    break
        if self.patience is not None:
            W[:], b[:] = best_W, best_b

    def _epoch_runner(self, ratings: Ratings, W: Float32s, b: Float32s) -> Callable[[np.float32], None]:
        """Prepare a pass over the known entries; each call makes one pass with the learning rate that it is given."""
        from acai.cf import kernels

        R = ratings.csr
        known = kernels.KnownEntries(ratings.user_codes, R.indices, R.data, ratings.n_users)
        parameters = kernels.Parameters(W, b, np.float32(self.mu), self.biases)
        lam = np.float32(self.reg)
        rng = np.random.default_rng([self.seed, 1])
        blocks = [[in_order(ratings)]] if self.shuffle else user_by_user(ratings)
        momentum = None
        if self.momentum:
            moved, shrunk = momentum_tables(self.momentum, np.float32)
            n_steps = np.zeros(len(b), np.int64)
            momentum = kernels.Momentum(np.zeros_like(W), np.zeros_like(b), in_order(ratings), n_steps, moved, shrunk)

        def run_epoch(eta: np.float32) -> None:
            def take_steps(block: Int32s) -> None:
                if momentum is None:
                    kernels.sgd_steps(block, known, parameters, eta, lam)
                else:
                    kernels.momentum_steps(block, known, parameters, eta, lam, momentum)

            if self.shuffle:
                rng.shuffle(blocks[0][0])
                if momentum is not None:
                    momentum.turn[blocks[0][0]] = in_order(ratings)
            sweep_grid(take_steps, blocks)
            if momentum is not None:
                kernels.end_momentum_epoch(parameters, momentum)

        return run_epoch

    def _clipped_rmse(self, validation: Ratings, r: Float32s) -> float:
        """Measure the RMSE on `validation`, with predictions clipped to the range of the training data, r."""
        r_hat = np.clip(self._predict_pairs(validation.user_codes, validation.csr.indices), r.min(), r.max())
        e = np.subtract(validation.csr.data, r_hat, dtype=np.float64)
        return float(np.sqrt(np.mean(np.square(e))))


def _expect_descent(model: GradientDescent | SGD, epoch: int, F: float, F_before: float, ratings: Ratings) -> None:
    """Raise an error if F has diverged: it is not finite, or over a thousand times `F_before`, far beyond a mere bad step.

    `F_before` is the objective before the step in `GradientDescent`, whose every step should descend, and that of the first
    epoch in `SGD`, which may rise for a while.
    """
    if math.isfinite(F) and F <= 1e3 * F_before:
        return
    or_else = " or bold_driver=True"
    if isinstance(model, SGD):
        or_else = f" or momentum (now {model.momentum:g})" if model.momentum else ""
    smaller = f"try a smaller learning_rate (now {model.learning_rate:g}){or_else}"
    found = f"{type(model).__name__} diverged in epoch {epoch + 1}: the objective is {F:g}"
    raise InputError(f"{found}; {advice(ratings.csr.data) or smaller}")


def momentum_tables(alpha: float, dtype: type[np.floating[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Tabulate what t = 0, 1, 2, … steps without a gradient do: `w += moved[t] * delta_w; delta_w *= shrunk[t]`.

    The last entries are the limits.
    """
    # αᵗ, until it is too small to change a sum even in float64
    shrunk = alpha ** np.arange(2 + math.ceil(math.log(1e-25, alpha)))
    shrunk[-1] = 0
    moved = alpha * (1 - shrunk) / (1 - alpha)  # α + α² + … + αᵗ
    return moved.astype(dtype), shrunk.astype(dtype)
