"""Singular value decomposition (C5 to C7), the oldest factor model."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import aslinearoperator, svds

from acai.cf.factor_model import MOST_FACTORS, FactorModel, Floats, expect_finite_factors
from acai.cf.recommender import Learnt
from acai.cf.statistics import means
from acai.errors import InputError
from acai.ratings import Ratings
from acai.settings import setting
from acai.threads import one_blas_thread


@dataclass
class SVD(FactorModel):
    """The matrix of rank k closest to R with its gaps filled by the song means (C5, C6, C7; Sarwar et al. 2000).

        R = M Σ Nᵀ,    R_k = M_k Σ_k N_kᵀ,    P = M_k,    Q = N_k Σ_k

    The filled R is S + 1 r̄ᵀ, where S is sparse and holds how far each known entry is from its song's mean, and r̄ holds
    the means: it is multiplied by a vector without ever being stored. Singular values descend; in each column of N, the
    entry of the largest magnitude is positive.
    A song without ratings has the global mean.

    Parameters
    ----------
    n_factors : int
        k, below the number of users and of songs.

    Attributes
    ----------
    sigma : ndarray, shape (n_factors,)
        The singular values.
    """

    state: ClassVar = {**FactorModel.state, "sigma": Learnt(("k",))}
    n_factors: int = setting(10, at_least=1, at_most=MOST_FACTORS)

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        m, n = ratings.csr.shape
        if self.n_factors >= min(m, n):
            raise InputError(f"n_factors={self.n_factors}; expected less than the {m} users and the {n} songs")
        M, self.sigma, N = self._decompose(ratings)
        sign = np.sign(N[np.abs(N).argmax(axis=0), np.arange(self.n_factors)])
        self.P = np.ascontiguousarray(M * sign)  # (C7)
        self.Q = np.ascontiguousarray(N * sign * self.sigma)  # (C7)
        self.mu, self.b_u, self.b_i = 0.0, np.zeros(m), np.zeros(n)
        self.history = []

    def _decompose(self, ratings: Ratings) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Compute M, σ and N of the filled R, the largest singular value first."""
        R, r_bar = ratings.csr, means(ratings, "songs")
        m, n = R.shape
        if not R.data.any():  # ARPACK refuses a matrix of zeros; any orthogonal columns are its singular vectors
            return np.eye(m, self.n_factors)[:, ::-1], np.zeros(self.n_factors), np.eye(n, self.n_factors)[:, ::-1]
        S = sparse.csr_array((R.data - r_bar[R.indices], R.indices, R.indptr), shape=R.shape)
        filled = aslinearoperator(S) + aslinearoperator(np.ones((m, 1))) @ aslinearoperator(r_bar[None])
        with one_blas_thread():
            M, sigma, N_T = svds(filled, k=self.n_factors, v0=np.ones(min(m, n)))  # (C5, C6)
        return M[:, ::-1], sigma[::-1].copy(), N_T[::-1].T  # svds puts the smallest first

    def fold_in(self, rated: Mapping[Hashable, float]) -> Floats:
        """Compute the row of P of a listener who was not in the training data: their filled row of R times N_k Σ_k⁻¹.

        Parameters
        ----------
        rated : mapping of song to rating
            What is known of the listener; the model must have been fitted on every song in it.

        Returns
        -------
        ndarray, shape (n_factors,)
            p; order the songs by `model.Q @ p`. The ratings of a user of the training data give that user's row of P, with
            zeros where the singular value is zero: such a factor changes no prediction.
        """
        i, r = self._columns_and_values(rated)
        row = means(self.ratings, "songs")
        row[i] = r
        inverse = np.zeros_like(self.sigma)
        large = self.sigma > 1e-12 * self.sigma.max()  # the others are directions that the filled R does not have
        inverse[large] = 1 / self.sigma[large]
        with one_blas_thread():
            return expect_finite_factors(row @ (self.Q * inverse) * inverse)
