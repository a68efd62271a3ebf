"""R ≈ P Qᵀ (C4): what all factor models share."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acai.cf.inputs import Codes, columns_and_values
from acai.cf.learnt import Learnt
from acai.cf.lists import Reason
from acai.cf.recommender import Recommender
from acai.errors import InputError
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
        return cosines(self.Q, i)

    def _user_similarities(self, u: int) -> NDArray[np.float64]:
        return cosines(self.P, u)

    def fold_in(self, rated: Mapping[Hashable, float]) -> Floats:
        """Compute the latent factors of a listener who was not in the training data, with Q fixed.

        Parameters
        ----------
        rated : mapping of song to rating, or number of plays
            What is known of the listener; the model must have been fitted on every song in it.

        Returns
        -------
        ndarray, shape (n_factors,)
            p; `recommend(rated)` orders the songs by `model.Q @ p + model.b_i`. Where P is the exact solution (C7, C11), what
            is known of a user of the training data gives that user's row of P.
        """
        p, _ = self._fold_in(*columns_and_values(rated, self.ratings))
        return p

    @abstractmethod
    def _fold_in(self, i: Codes, r: NDArray[np.float64]) -> tuple[Floats, float]:
        """Compute the p and the bias of a listener who gave songs `i` the values r."""

    def _score_newcomer(self, i: Codes, r: NDArray[np.float64]) -> Floats:
        p, b = self._fold_in(i, r)
        with one_blas_thread():
            scores: Floats = self.Q @ p + self.b_i + (self.mu + b)
        return scores

    def explain(self, user: Hashable, song: Hashable) -> list[Reason]:
        """List which of the user's songs speak for this one, and which against it, the largest contribution first.

        Given Q, the best p is linear in what the user rated or played (`fold_in`), and so is the prediction: a sum with one
        term for each of these songs (Hu, Koren, Volinsky 2008), plus what is predicted for a listener of whom nothing is
        known: nothing from play counts; with biases, μ + b(i); with gaps filled, what the song means alone give. Where P is
        the exact solution (C7, C11), this sum is the prediction; after descent (C9, C10) it is close to it.
        """
        known = self.ratings
        row, j = known.csr[[known.row(user)]], known.column(song)
        similarities, contributions = self._influence(row.indices, row.data.astype(np.float64), j)
        reasons = zip(row.indices.tolist(), similarities.tolist(), row.data.tolist(), contributions.tolist())
        found = [Reason(known.songs[i], s, r, share) for i, s, r, share in reasons]
        return sorted(found, key=lambda reason: -reason.contribution)

    @abstractmethod
    def _influence(self, i: Codes, r: NDArray[np.float64], j: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute how similar each of songs `i` is to song `j` for this listener, and what it contributes to r̂."""

    def _axis_lengths(self, ratings: Ratings) -> dict[str, int]:
        return {**super()._axis_lengths(ratings), "k": self.n_factors}


def cosines(X: Floats, x: int) -> NDArray[np.float64]:
    """Compute the cosine between each row of latent factors and row `x`; 0 for rows of zeros."""
    norms = np.sqrt(np.einsum("xf,xf->x", X, X, dtype=np.float64))
    products = np.einsum("xf,f->x", X, X[x], dtype=np.float64)
    found: NDArray[np.float64] = np.zeros_like(norms)
    np.divide(products, norms * norms[x], out=found, where=norms * norms[x] > 0)
    return found


def expect_finite_factors(p: Floats) -> Floats:
    """Return the factors of a listener, unless the ratings were too large to compute with."""
    if not np.isfinite(p).all():
        raise InputError("the listener's ratings are too large for finite factors; expected values like those of the model")
    return p
