"""R ≈ P Qᵀ (C4): what all factor models share."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acai.cf.recommender import Codes, Learnt, Recommender
from acai.errors import InputError, real_numbers
from acai.ratings import Ratings
from acai.threads import one_blas_thread

MOST_FACTORS = 10_000  # more would fill the memory of any machine before it improved a prediction
Floats = NDArray[np.floating[Any]]  # float32 or float64, as the model needs


class FactorModel(Recommender):
    """R ≈ P Qᵀ (C4); with biases, r̂(u,i) = μ + b(u) + b(i) + p_u·q_i.

    For an unknown user or song, the terms that belong to it are left out.

    Attributes
    ----------
    n_factors : int
        k, the number of latent factors: a setting of every subclass.
    P, Q : ndarray, shapes (n_users, n_factors) and (n_songs, n_factors)
        The latent factors. The row of a user or song without ratings is zero.
    mu : float
        The global mean; 0 in a model without biases.
    b_u, b_i : ndarray, shapes (n_users,) and (n_songs,)
        The biases; zeros in a model without biases.
    history : list of float
        The objective after each epoch.
    """

    state: ClassVar = {
        "P": Learnt(("m", "k")), "Q": Learnt(("n", "k")), "mu": float, "b_u": Learnt(("m",)), "b_i": Learnt(("n",)),
        "history": list,
    }
    n_factors: int
    P: Floats
    Q: Floats
    mu: float
    b_u: Floats
    b_i: Floats
    history: list[float]

    def _predict_pairs(self, u: Codes, i: Codes) -> Floats:
        from acai.cf import kernels

        factors = kernels.Factors(self.P, self.Q, self.b_u, self.b_i, self.P.dtype.type(self.mu))
        return kernels.predict(u, i, factors)  # (C4)

    def _score_rows(self, rows: Codes) -> Floats:
        with one_blas_thread():
            scores: Floats = self.P[rows] @ self.Q.T  # (C4)
        scores += self.b_i
        return scores + (self.mu + self.b_u[rows, None])

    def _similarities(self, i: int) -> NDArray[np.float64]:
        """Compare songs by the cosine between their latent factors."""
        norms = np.sqrt(np.einsum("if,if->i", self.Q, self.Q, dtype=np.float64))
        products = np.einsum("if,f->i", self.Q, self.Q[i], dtype=np.float64)
        cosines: NDArray[np.float64] = np.zeros_like(norms)
        np.divide(products, norms * norms[i], out=cosines, where=norms * norms[i] > 0)
        return cosines

    @abstractmethod
    def fold_in(self, rated: Mapping[Hashable, float]) -> Floats:
        """Compute the latent factors of a listener who was not in the training data, from what they rated or played."""

    def _columns_and_values(self, rated: Mapping[Hashable, float]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Turn a listener's {song: rating} into columns and values."""
        if not isinstance(rated, Mapping) or not rated:
            raise InputError("the listener has not rated a single song; at least one is needed: {song: rating, …}")
        i = np.array([self.ratings.column(song) for song in rated], dtype=np.intp)
        r = real_numbers(list(rated.values()), "ratings")
        if r.shape != i.shape:
            raise InputError("each song has one rating; expected {song: rating, …}")
        if not np.isfinite(r).all():
            raise InputError(f"rating {r[~np.isfinite(r)][0]} is not a finite number")
        return i, r

    def _axis_lengths(self, ratings: Ratings) -> dict[str, int]:
        return {**super()._axis_lengths(ratings), "k": self.n_factors}


def expect_finite_factors(p: Floats) -> Floats:
    """Return the factors of a listener, unless the ratings were too large to compute with."""
    if not np.isfinite(p).all():
        raise InputError("the listener's ratings are too large for finite factors; expected values like those of the model")
    return p
