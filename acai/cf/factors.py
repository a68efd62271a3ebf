"""What the factor models share: R ≈ P Qᵀ (C4), with or without biases, and the objective (C8)."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from acai.cf.baselines import mean
from acai.cf.recommender import Recommender, how_many
from acai.errors import InputError
from acai.ratings import Ratings


@dataclass
class FactorModel(Recommender):
    """R ≈ P Qᵀ (C4); with biases, r̂(u,i) = μ + b(u) + b(i) + p_u·q_i.

    Where a user or a song is not known, the terms that belong to it are left out.

    Attributes
    ----------
    P, Q : ndarray, shapes (n_users, n_factors) and (n_songs, n_factors)
        The hidden features. A row of which nothing is known is zero.
    mu : float
        The global mean; 0 in a model without biases.
    b_u, b_i : ndarray, shapes (n_users,) and (n_songs,)
        The biases; zeros in a model without.
    history : list of float
        The objective after each epoch.
    """

    state: ClassVar[tuple[str, ...]] = ("P", "Q", "mu", "b_u", "b_i", "history")

    @property
    def w(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All parameters, as (C9) and (C10) have them: P, Q, b_u and b_i."""
        return self.P, self.Q, self.b_u, self.b_i

    @w.setter
    def w(self, parts: Iterable[np.ndarray]) -> None:
        self.P, self.Q, self.b_u, self.b_i = parts

    def _start(self, ratings: Ratings, biases: bool) -> None:
        """The point from which descent starts: that of `init`, or factors from N(0, init_std²) and biases of zero."""
        self.history, init, sizes = [], self.init, ratings.csr.shape
        if init is None:
            rng = np.random.default_rng(self.seed)
            factors = [rng.normal(0, self.init_std, (size, self.n_factors)) for size in sizes]  # (m, k), (n, k)
            self.w = [part.astype(np.float32) for part in (*factors, *map(np.zeros, sizes))]
            self.mu = mean(ratings) if biases else 0.0
            return
        known = init._fitted()
        if not isinstance(init, FactorModel) or known.users != ratings.users or known.songs != ratings.songs:
            raise InputError(f"init={type(init).__name__}; expected a factor model that was fitted on the same users and songs")
        self.w, self.mu = [np.array(part, np.float32) for part in init.w], init.mu

    def _forget_unknown(self, ratings: Ratings) -> None:
        """Rows without a single rating still hold their random start: noise, not knowledge."""
        for part, n in zip((self.P, self.Q), how_many(ratings)):
            part[n == 0] = 0

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        from acai.cf import kernels

        r_hat = np.empty(len(u), self.P.dtype)
        u, i = np.asarray(u, np.int32), np.asarray(i, np.int32)
        kernels.predict(u, i, *self.w, self.P.dtype.type(self.mu), r_hat)  # (C4)
        return r_hat

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        with threadpool_limits(1, "blas"):  # so that the bits do not hang on the number of threads
            scores = self.P[rows] @ self.Q.T  # (C4)
        scores += self.b_i
        scores += self.mu + self.b_u[rows, None]
        return scores

    def _likeness(self, i: int) -> np.ndarray:
        """The cosine between the hidden features."""
        norms = np.sqrt(np.einsum("if,if->i", self.Q, self.Q))
        return np.einsum("if,f->i", self.Q, self.Q[i]) / np.maximum(norms * norms[i], 1e-30)

    def _heard(self, heard: Mapping[Hashable, float]) -> tuple[np.ndarray, np.ndarray]:
        """The columns and values of a listener's songs, in the order of the columns."""
        known = self._fitted()
        if not heard:
            raise InputError("the listener has not rated a single song; at least one is needed: {song: rating, …}")
        i = np.array([known.column(song) for song in heard], dtype=np.intp)
        r = np.array(list(heard.values()), dtype=np.float64)
        if not np.isfinite(r).all():
            raise InputError(f"rating {r[~np.isfinite(r)][0]} is not a finite number")
        order = np.argsort(i)
        return i[order], r[order]

    def fold_in(self, heard: Mapping[Hashable, float]) -> np.ndarray:
        """The hidden features of a listener who was not in the training data: (C8) solved for p while Q stands still.

        Parameters
        ----------
        heard : mapping of song to rating
            What is known of the listener; every song must be one that the model was fitted on.

        Returns
        -------
        ndarray, shape (n_factors,)
            p; order the songs by `model.Q @ p + model.b_i`.
        """
        i, r = self._heard(heard)
        Q, e = self.Q[i].astype(np.float64), r - self.mu - self.b_i[i]
        if self.mu:  # the listener's own bias is one more unknown, of which the song's side is 1
            Q = np.column_stack([Q, np.ones(len(i))])
        ridge = max(self.reg, 1e-9) * len(i) * np.eye(Q.shape[1])
        return np.linalg.solve(Q.T @ Q + ridge, Q.T @ e)[: self.Q.shape[1]].astype(self.Q.dtype)


def residuals(model: FactorModel, ratings: Ratings) -> np.ndarray:
    """e = r − r̂ of every known entry, in the order of `ratings.csr.data`."""
    return ratings.csr.data - model._pairs(ratings.user_codes, ratings.csr.indices)


def objective(model: FactorModel, ratings: Ratings, reg: float) -> float:
    """(C8) F = ½ Σ_{(u,i) known} [ e(u,i)² + λ (‖p_u‖² + ‖q_i‖² + b(u)² + b(i)²) ], with e = r − r̂, at the parameters of `model`.

    Source: Koren, Bell, Volinsky 2009. Each known entry pulls its own two rows, so a row counts as often as it has
    ratings, and F is the sum of the F_j of (C10).
    """
    norms = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # whoever descends looks at the sum
        for W, b, n in zip(model.w[:2], model.w[2:], how_many(ratings)):
            norms += n.astype(np.float64) @ (np.einsum("xf,xf->x", W, W) + np.square(b))
        return float(0.5 * (np.square(residuals(model, ratings)).sum(dtype=np.float64) + reg * norms))  # (C8)
