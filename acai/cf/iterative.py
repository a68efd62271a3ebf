"""Factor models that improve P and Q step by step: where they start, and the objective that they minimise (C8)."""

import numpy as np
from numpy.typing import NDArray

from acai.cf.factor_model import FactorModel, Floats, expect_finite_factors
from acai.cf.inputs import Codes
from acai.cf.statistics import entry_counts, mean
from acai.errors import InputError
from acai.ratings import Ratings
from acai.threads import map_blocks, one_blas_thread

ENTRIES = 20_000  # whose residuals a thread computes before it takes the next ones


class IterativeFactorModel(FactorModel):
    """A factor model that starts at random, or where another model ended, and improves in epochs.

    Attributes
    ----------
    n_epochs, reg, init_std, seed, init
        Settings of every subclass, which describes them.
    """

    n_epochs: int
    reg: float
    init_std: float
    seed: int
    init: FactorModel | None

    def _initialise(self, ratings: Ratings, biases: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Set P, Q, b_u, b_i and μ: to those of `init`, or to factors from N(0, init_std²) and biases of zero.

        Returns
        -------
        W, b : ndarray
            The rows of P above those of Q, and b_u above b_i. P, Q, b_u and b_i are views of them, so that to change W
            and b changes the model.
        """
        m, n = ratings.csr.shape
        self.history = []
        if self.init is None:
            W = np.random.default_rng(self.seed).normal(0, self.init_std, (m + n, self.n_factors)).astype(np.float32)
            b = np.zeros(m + n, np.float32)
            self.mu = mean(ratings) if biases else 0.0
        else:
            self._expect_fitting_init(ratings)
            W = np.concatenate([self.init.P, self.init.Q], dtype=np.float32)
            b = np.concatenate([self.init.b_u, self.init.b_i], dtype=np.float32)
            self.mu = self.init.mu
        W[np.concatenate(entry_counts(ratings)) == 0] = 0  # without ratings, noise would stay noise
        self.P, self.Q, self.b_u, self.b_i = W[:m], W[m:], b[:m], b[m:]
        return W, b

    def _expect_fitting_init(self, ratings: Ratings) -> None:
        """Raise an error unless `init` was fitted on the same axes with as many factors."""
        (m, n), init = ratings.csr.shape, self.init
        known = init.ratings if isinstance(init, FactorModel) else None
        if init is None or known is None or known.users != ratings.users or known.songs != ratings.songs:
            named = f"the class {init.__name__}" if isinstance(init, type) else type(init).__name__
            raise InputError(f"init={named}; expected a factor model that was fitted on the same users and songs")
        shapes = init.P.shape, init.Q.shape, init.b_u.shape, init.b_i.shape
        if shapes != ((m, self.n_factors), (n, self.n_factors), (m,), (n,)):
            found = f"init has P of shape {init.P.shape} and Q of shape {init.Q.shape}"
            expected = f"({m}, {self.n_factors}) and ({n}, {self.n_factors})"
            raise InputError(f"{found}; expected {expected}: give both models the same n_factors")


class DescentModel(IterativeFactorModel):
    """A factor model that descends on (C8), with biases or without.

    Attributes
    ----------
    biases
        A setting of every subclass, which describes it.
    """

    biases: bool

    def _fold_in(self, i: Codes, r: NDArray[np.float64]) -> tuple[Floats, float]:
        """Solve (C8) for p, and for the listener's own bias if the model has biases, with Q fixed."""
        A = self._coefficients(i)
        k = A.shape[1]
        with one_blas_thread():  # least squares with the ridge as k more rows needs no inverse of AᵀA, which may not exist
            x = np.linalg.lstsq(self._with_ridge(A), np.append(self._rest(i, r), np.zeros(k)), rcond=None)[0]
        with np.errstate(over="ignore"):
            p = expect_finite_factors(x[: self.n_factors].astype(self.Q.dtype))
        return p, float(x[-1]) if k > self.n_factors else 0.0

    def _influence(self, i: Codes, r: NDArray[np.float64], j: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute by how much r̂(j) changes as r(i) does, and as its contribution e times that: what `_fold_in` makes of e."""
        A = self._coefficients(i)
        with one_blas_thread():
            s = (self._coefficients(np.array([j])) @ np.linalg.pinv(self._with_ridge(A)))[0, : len(i)]
        return s, s * self._rest(i, r)

    def _coefficients(self, i: Codes) -> NDArray[np.float64]:
        """Tell what the unknowns of a new listener are multiplied by in r̂ of songs `i`: q for p, and 1 for the bias."""
        Q = self.Q[i].astype(np.float64)
        has_biases = self.biases or self.b_u.any() or self.b_i.any()  # or those of `init`, which stay as they were
        return np.column_stack([Q, np.ones(len(i))]) if has_biases else Q

    def _rest(self, i: Codes, r: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute what is left of r for the unknowns of a new listener to explain."""
        rest: NDArray[np.float64] = r - self.mu - self.b_i[i]
        return rest

    def _with_ridge(self, A: NDArray[np.float64]) -> NDArray[np.float64]:
        """Put λ |I(u)| under A as more rows, whose right-hand sides are zero."""
        return np.concatenate([A, np.sqrt(max(self.reg, 1e-9) * len(A)) * np.eye(A.shape[1])])


def residuals(model: FactorModel, ratings: Ratings) -> Floats:
    """Compute e = r − r̂ of every known entry, in the order of `ratings.csr.data`."""
    R, u = ratings.csr, ratings.user_codes
    parts = [slice(start, start + ENTRIES) for start in range(0, R.nnz, ENTRIES)]
    return np.concatenate(map_blocks(lambda some: R.data[some] - model._predict_pairs(u[some], R.indices[some]), parts))


def objective(model: FactorModel, ratings: Ratings, reg: float) -> float:
    """(C8) F = ½ Σ_{(u,i) known} [ e(u,i)² + λ (‖p_u‖² + ‖q_i‖² + b(u)² + b(i)²) ], with e = r − r̂ of `model`.

    Source: Koren, Bell, Volinsky 2009. Each known entry pulls its own two rows, so a row counts as often as it has
    ratings, and F is the sum of the F_j of (C10).
    """
    norms = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # the callers check that the sum is finite
        for P, b, n in zip((model.P, model.Q), (model.b_u, model.b_i), entry_counts(ratings)):
            norms += float(n.astype(np.float64) @ (np.einsum("xf,xf->x", P, P) + np.square(b)))  # (C8)
        squares = np.square(residuals(model, ratings)).sum(dtype=np.float64)  # (C8)
        return float(0.5 * (squares + reg * norms))  # (C8)
