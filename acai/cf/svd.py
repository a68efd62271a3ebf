"""Singular value decomposition (C5 to C7), the oldest factor model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.factor_model import MOST_FACTORS, FactorModel, Floats, expect_finite_factors
from acai.cf.inputs import Codes
from acai.cf.learnt import Learnt
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
    entry of the largest magnitude is positive. A song without ratings has the global mean.

    Parameters
    ----------
    n_factors : int
        k, below the number of users and of songs.
    damping : float
        β ≥ 0: the song means that fill the gaps are drawn towards the global mean, as if by β more ratings of it. Without
        it, a song that a single person gave 5 stars gets 5 from everybody who did not rate it.

    Attributes
    ----------
    sigma : ndarray, shape (n_factors,)
        The singular values.
    """

    state: ClassVar = {**FactorModel.state, "sigma": Learnt(("k",))}
    n_factors: int = setting(10, at_least=1, at_most=MOST_FACTORS)
    damping: float = setting(5.0, at_least=0, at_most=1e12)

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
        """Compute M, σ and N of the filled R, the largest singular value first.

        (C5) has min(m, n) singular values, and (C6) keeps the first k. ARPACK computes those k and no others, so that both
        equations are one line here; `acai.cf.plain` has them apart.
        """
        from scipy.sparse.linalg import aslinearoperator, svds

        R, r_bar = ratings.csr, means(ratings, "songs", self.damping)
        m, n = R.shape
        if not R.data.any():  # ARPACK refuses a matrix of zeros; any orthogonal columns are its singular vectors
            return np.eye(m, self.n_factors)[:, ::-1], np.zeros(self.n_factors), np.eye(n, self.n_factors)[:, ::-1]
        S = sparse.csr_array((R.data - r_bar[R.indices], R.indices, R.indptr), shape=R.shape)
        filled = aslinearoperator(S) + aslinearoperator(np.ones((m, 1))) @ aslinearoperator(r_bar[None])
        with one_blas_thread():
            M, sigma, N_T = svds(filled, k=self.n_factors, v0=np.ones(min(m, n)))  # (C5, C6)
        return M[:, ::-1], sigma[::-1].copy(), N_T[::-1].T  # svds puts the smallest first

    def _fold_in(self, i: Codes, r: NDArray[np.float64]) -> tuple[Floats, float]:
        """Compute the row of P that the listener's filled row of R gives: times N_k Σ_k⁻¹."""
        row = means(self.ratings, "songs", self.damping)
        row[i] = r
        N, inverse = self._directions()
        with one_blas_thread():
            return expect_finite_factors(row @ N * inverse), 0.0

    def _directions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute N_k and Σ_k⁻¹, with zeros for a singular value of zero: such a factor changes no prediction."""
        inverse = np.zeros_like(self.sigma)
        large = self.sigma > 1e-12 * self.sigma.max()  # the others are directions that the filled R does not have
        inverse[large] = 1 / self.sigma[large]
        return self.Q * inverse, inverse

    def _influence(self, i: Codes, r: NDArray[np.float64], j: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute N_k(i) · N_k(j), by which r̂(j) changes as the listener's row of R does in place i."""
        N, _ = self._directions()
        s = N[i] @ N[j]
        return s, s * (r - means(self.ratings, "songs", self.damping)[i])
