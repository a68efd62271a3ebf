"""Singular value decomposition (C5 to C7), the oldest way to factors."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import aslinearoperator, svds

from acai.cf.baselines import means
from acai.cf.factor_model import MOST_FACTORS, FactorModel, finite
from acai.cf.recommender import Learnt
from acai.errors import InputError
from acai.ratings import Ratings
from acai.settings import setting
from acai.threads import one_blas_thread


@dataclass
class SVD(FactorModel):
    """The matrix of rank k that is nearest to R with its gaps filled by the song means (C5, C6, C7; Sarwar et al. 2000).

        R = M Σ Nᵀ,    R_k = M_k Σ_k N_kᵀ,    P = M_k,    Q = N_k Σ_k

    The filled R is S + 1 r̄ᵀ, where S is sparse and holds how far each known entry is from its song's mean, and r̄ holds
    the means: to multiply it by a vector takes no more than that. Singular values descend; of each column of N, the entry
    of the largest magnitude is positive.
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

    state: ClassVar = FactorModel.state | {"sigma": Learnt(("k",))}
    n_factors: int = setting(10, at_least=1, at_most=MOST_FACTORS)

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        m, n = ratings.csr.shape
        if self.n_factors >= min(m, n):
            raise InputError(f"n_factors={self.n_factors}; expected less than the {m} users and the {n} songs")
        r_bar, R = means(ratings, axis=1), ratings.csr
        S = sparse.csr_array((R.data - r_bar[R.indices], R.indices, R.indptr), shape=R.shape)
        filled = aslinearoperator(S) + aslinearoperator(np.ones((m, 1))) @ aslinearoperator(r_bar[None])
        if not R.data.any():  # ARPACK refuses a matrix of zeros; any orthogonal columns are its singular vectors
            M, sigma, N_T = np.eye(m, self.n_factors), np.zeros(self.n_factors), np.eye(self.n_factors, n)
        else:
            with one_blas_thread():
                M, sigma, N_T = svds(filled, k=self.n_factors, v0=np.ones(min(m, n)))  # (C5, C6)
        M, self.sigma, N = M[:, ::-1], sigma[::-1].copy(), N_T[::-1].T
        sign = np.sign(N[np.abs(N).argmax(axis=0), np.arange(self.n_factors)])
        self.P, self.Q = np.ascontiguousarray(M * sign), np.ascontiguousarray(N * sign * self.sigma)  # (C7)
        self.mu, self.b_u, self.b_i, self.history = 0.0, np.zeros(m), np.zeros(n), []

    def fold_in(self, heard: Mapping[Hashable, float]) -> np.ndarray:
        """The row of P of a listener who was not in the training data: their row of R, its gaps filled, times N_k Σ_k⁻¹.

        Parameters
        ----------
        heard : mapping of song to rating
            What is known of the listener; every song must be one that the model was fitted on.

        Returns
        -------
        ndarray, shape (n_factors,)
            p; order the songs by `model.Q @ p`. The ratings of a user of the training data give that user's row of P, with
            zeros where the singular value is zero: such a factor changes no prediction.
        """
        i, r = self._heard(heard)
        row = means(self.ratings, axis=1)
        row[i] = r
        negligible = self.sigma <= 1e-12 * self.sigma.max()  # directions that the filled R does not have
        inverse = np.divide(1, self.sigma, out=np.zeros_like(self.sigma), where=~negligible)
        with one_blas_thread():
            return finite(row @ (self.Q * inverse) * inverse)
