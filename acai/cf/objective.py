"""The objective that the factor models of ratings descend (C8)."""

import numpy as np

from acai.cf.factors import FactorModel
from acai.ratings import Ratings


class Objective:
    """(C8) F = ½ Σ_{(u,i) known} [ e(u,i)² + λ (‖p_u‖² + ‖q_i‖² + b(u)² + b(i)²) ], with e = r − r̂.

    Source: Koren, Bell, Volinsky 2009.

    Each known entry pulls its own two rows, so a row counts as often as it has ratings, and F is the sum of the F_j
    of (C10).

    Parameters
    ----------
    ratings : Ratings
        The known entries.
    reg : float
        λ.
    """

    def __init__(self, ratings: Ratings, reg: float) -> None:
        self.csr = ratings.csr
        self.lam = reg
        self.n_u = np.diff(ratings.csr.indptr).astype(np.float64)  # the number of ratings of each user
        self.n_i = np.bincount(ratings.csr.indices, minlength=ratings.n_songs).astype(np.float64)  # and of each song
        self.e = np.empty_like(ratings.csr.data)

    def residuals(self, model: FactorModel) -> np.ndarray:
        """e = r − r̂ of every known entry, in the order of `ratings.csr.data`; the next call overwrites it."""
        from acai.cf import kernels

        csr = self.csr
        kernels.residuals(
            csr.indptr, csr.indices, csr.data, model.P, model.Q, model.b_u, model.b_i, np.float32(model.mu), self.e
        )
        return self.e

    def __call__(self, model: FactorModel) -> float:
        """F at the parameters of `model`."""
        norms = 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # whoever descends looks at the sum
            loss = np.square(self.residuals(model)).sum(dtype=np.float64)
            for w, b, n in ((model.P, model.b_u, self.n_u), (model.Q, model.b_i, self.n_i)):
                norms += n @ (np.einsum("xf,xf->x", w, w) + np.square(b))
        return float(0.5 * (loss + self.lam * norms))  # (C8)
