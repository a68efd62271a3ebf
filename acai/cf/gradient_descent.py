"""Classic gradient descent (C9): every known entry at every step."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy import sparse

from acai.cf.factors import FactorModel
from acai.cf.objective import Objective
from acai.errors import InputError
from acai.ratings import Ratings


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

    n_factors: int = 10
    n_epochs: int = 100
    learning_rate: float = 1e-4
    reg: float = 0.02
    bold_driver: bool = True
    growth: float = 1.05
    biases: bool = False
    init_std: float = 0.1
    seed: int = 0
    init: FactorModel | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.learning_rate <= 0 or self.reg < 0 or self.growth < 1 or self.n_factors < 1 or self.n_epochs < 0:
            raise InputError(
                f"{self}: expected learning_rate > 0, reg ≥ 0, growth ≥ 1, n_factors ≥ 1 and n_epochs ≥ 0"
            )

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Descend; raises InputError, naming the epoch, if without bold driver the descent diverges."""
        from tqdm import tqdm

        self.ratings, self.steps = None, []
        self._start(ratings, self.biases, self.init_std, self.seed, self.init)
        objective = Objective(ratings, self.reg)
        eta, F = self.learning_rate, objective(self)
        for epoch in tqdm(range(self.n_epochs), desc="gradient descent", unit="epoch", disable=not progress):
            before = self.P, self.Q, self.b_u, self.b_i
            dP, dQ, db_u, db_i = self._gradient(objective, ratings)
            self.P, self.Q = self.P - np.float32(eta) * dP, self.Q - np.float32(eta) * dQ  # (C9)
            if self.biases:
                self.b_u, self.b_i = self.b_u - np.float32(eta) * db_u, self.b_i - np.float32(eta) * db_i  # (C9)
            self.steps.append(eta)
            F_new = objective(self)
            if self.bold_driver:
                if F_new < F:
                    eta *= self.growth
                else:
                    self.P, self.Q, self.b_u, self.b_i = before
                    F_new, eta = F, eta / 2
            elif not F_new < min(1e3 * F, 1e300):
                raise InputError(
                    f"gradient descent diverged in epoch {epoch + 1}: the objective is {F_new:g}; "
                    f"try a learning_rate smaller than {self.learning_rate:g}, or bold_driver=True"
                )
            F = F_new
            self.history.append(F)
        self._forget_unknown(ratings)
        self.ratings = ratings
        return self

    def _gradient(self, objective: Objective, ratings: Ratings) -> tuple[np.ndarray, ...]:
        """∇F, (C8) differentiated: by P, Q, b_u and b_i."""
        csr = ratings.csr
        e = objective.residuals(self)
        E = sparse.csr_array((e, csr.indices, csr.indptr), shape=csr.shape)
        n_u, n_i = objective.n_u.astype(np.float32), objective.n_i.astype(np.float32)
        dP = self.reg * n_u[:, None] * self.P - E @ self.Q  # (m, k)
        dQ = self.reg * n_i[:, None] * self.Q - E.T @ self.P  # (n, k)
        return dP, dQ, self.reg * n_u * self.b_u - E.sum(axis=1), self.reg * n_i * self.b_i - E.sum(axis=0)
