"""Weighted factorisation of play counts, by alternating least squares (C11)."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from acai.cf.factor_model import MOST_FACTORS, FactorModel
from acai.errors import InputError
from acai.ratings import Ratings
from acai.settings import setting
from acai.threads import map_blocks, one_blas_thread

LEAST_PIVOT = 0.05  # of a row solved in single precision: its scores are then right to 1e-4, with usual settings to 1e-5
ROWS = 64  # that a thread solves at a time: enough to outweigh the hand-over, few enough to share out evenly


@dataclass
class ALS(FactorModel):
    """Weighted factorisation of play counts (C11; Hu, Koren, Volinsky 2008).

    Plays are not ratings: whoever played a song likes it (x = 1), the surer the more often, and whoever did not
    probably does not (x = 0), at confidence 1. P and Q minimise, over *all* entries of R,

        ½ Σ_{u,i} c(u,i) (x(u,i) − p_u·q_i)² + λ/2 (‖P‖² + ‖Q‖²),    c = 1 + α log(1 + r/ε)

    with the confidence of van den Oord, Dieleman and Schrauwen 2013. With Q fixed this is a least squares problem for
    each user, and with P fixed for each song: both are solved exactly, in turn. `predict` gives the preference p_u·q_i,
    near 1 for what is liked.

    Parameters
    ----------
    n_factors : int
        k, the number of hidden features.
    n_epochs : int
        How many times to solve for all songs and then for all users.
    reg : float
        λ > 0: without it, a song that nobody played has no best q.
    alpha, epsilon : float
        α > 0 and ε > 0 of the confidence.
    init_std : float
        The spread of the normal distribution that P starts from.
    seed : int
        Of that start.
    init : FactorModel or None
        Start from the P of this model, fitted on the same axes, rather than at random.
    """

    predicts_ratings = False
    n_factors: int = setting(50, at_least=1, at_most=MOST_FACTORS)
    n_epochs: int = setting(15, at_least=0)
    reg: float = setting(0.1, more_than=0)
    alpha: float = setting(2.0, more_than=0)
    epsilon: float = setting(1.0, more_than=0)
    init_std: float = setting(0.1, at_least=0, at_most=1000)
    seed: int = setting(0, at_least=0)
    init: FactorModel | None = field(default=None, repr=False)

    def _confidence(self, r: np.ndarray) -> np.ndarray:
        """c − 1: what a play count adds to the confidence of 1 that every entry has."""
        if len(r) and r.min() < 0:
            raise InputError(f"{r.min():g} plays; expected counts of 0 or more")
        with np.errstate(over="ignore"):
            c = (self.alpha * np.log1p(np.asarray(r, np.float64) / self.epsilon)).astype(np.float32)  # (C11)
        if not np.isfinite(c).all():
            raise InputError(
                f"alpha={self.alpha:g} and epsilon={self.epsilon:g} give {r.max():g} plays an infinite confidence; "
                "try a smaller alpha or a larger epsilon"
            )
        return c

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        from tqdm import tqdm

        # what was not played weighs as much as what is not known
        c = ratings.keep(ratings.csr.data != 0).map(self._confidence)
        self._start(ratings, biases=False)
        self.mu, self.b_u[:], self.b_i[:] = 0.0, 0, 0
        for _ in tqdm(range(self.n_epochs), desc="ALS", unit="epoch", disable=not progress):
            self._solve(c.csc.T, self.P, self.Q)
            loss = self._solve(c.csr, self.Q, self.P)
            self.history.append(loss + 0.5 * self.reg * float(np.square(self.Q, dtype=np.float64).sum()))

    def _solve(self, c: sparse.csr_array, Y: np.ndarray, X: np.ndarray) -> float:
        """Put into X the rows that fit a fixed Y best; returns their part of the objective."""
        from acai.cf import kernels

        with one_blas_thread():
            G = Y.T.astype(np.float64) @ Y + self.reg * np.eye(Y.shape[1])  # (k, k)
            eigenvalues = np.linalg.eigvalsh(G)
            well_conditioned = eigenvalues[0] > 1e-4 * eigenvalues[-1]  # or Woodbury's identity loses too many digits
            Z = (Y @ np.linalg.inv(G)).astype(np.float32) if well_conditioned else np.zeros_like(Y)
        least_pivot = LEAST_PIVOT if well_conditioned else math.inf
        loss = np.empty(len(X))

        def solve(rows: slice) -> None:
            kernels.als_solve(rows.start, rows.stop, c.indptr, c.indices, c.data, Y, G, Z, least_pivot, X, loss)  # (C11)

        map_blocks(solve, [slice(start, min(start + ROWS, len(X))) for start in range(0, len(X), ROWS)])
        if not np.isfinite(loss).all():
            raise InputError(
                "ALS's equations are too ill-conditioned to be solved in double precision; "
                f"try a larger reg (now {self.reg:g}) or a smaller alpha (now {self.alpha:g})"
            )
        return 0.5 * float(loss.sum())

    def fold_in(self, heard: Mapping[Hashable, float]) -> np.ndarray:
        """The hidden features of a listener who was not in the training data: (C11) solved for p while Q stands still.

        Parameters
        ----------
        heard : mapping of song to number of plays
            Every song must be one that the model was fitted on.

        Returns
        -------
        ndarray, shape (n_factors,)
            p; order the songs by `model.Q @ p`. The plays of a user of the training data give that user's row of P.
        """
        i, r = self._heard(heard)
        c = sparse.csr_array((self._confidence(r), (np.zeros_like(i), i)), shape=(1, len(self.Q)))
        c.eliminate_zeros()
        p = np.zeros((1, self.Q.shape[1]), np.float32)
        self._solve(c, self.Q, p)
        return p[0]
