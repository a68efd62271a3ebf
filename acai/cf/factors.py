"""What the factor models share: R ≈ P Qᵀ (C4), with or without biases."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from acai.cf.recommender import Recommender
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

    def _start(self, ratings: Ratings, biases: bool, init_std: float, seed: int, init: "FactorModel | None") -> None:
        """The point from which descent starts: that of `init`, or factors from N(0, init_std²) and biases of zero."""
        m, n = ratings.csr.shape
        self.history = []
        if init is not None:
            known = init._fitted()
            if not isinstance(init, FactorModel) or known.users != ratings.users or known.songs != ratings.songs:
                raise InputError(f"init={type(init).__name__}; expected a factor model that was fitted on the same users and songs")
            self.P, self.Q, self.b_u, self.b_i = (np.array(w, np.float32) for w in (init.P, init.Q, init.b_u, init.b_i))
            self.mu = init.mu
            return
        rng = np.random.default_rng(seed)
        self.P = rng.normal(0, init_std, (m, self.n_factors)).astype(np.float32)  # (m, k)
        self.Q = rng.normal(0, init_std, (n, self.n_factors)).astype(np.float32)  # (n, k)
        self.b_u, self.b_i = np.zeros(m, np.float32), np.zeros(n, np.float32)
        self.mu = float(ratings.csr.data.mean(dtype=np.float64)) if biases else 0.0

    def _forget_unknown(self, ratings: Ratings) -> None:
        """Rows without a single rating still hold their random start: noise, not knowledge."""
        self.P[np.diff(ratings.csr.indptr) == 0] = 0
        self.Q[np.bincount(ratings.csr.indices, minlength=ratings.n_songs) == 0] = 0

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        know_u, know_i = u >= 0, i >= 0
        r_hat = self.mu + np.where(know_u, self.b_u[u], 0.0) + np.where(know_i, self.b_i[i], 0.0)
        both = np.flatnonzero(know_u & know_i)
        for part in np.array_split(both, 1 + len(both) * self.P.shape[1] // 2**22):
            r_hat[part] += np.einsum("jf,jf->j", self.P[u[part]], self.Q[i[part]])  # (C4)
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
        Q = self.Q[i].astype(np.float64)
        e = r - self.mu - self.b_i[i]
        if self.mu:  # the listener's own bias is one more unknown, of which the song's side is 1
            Q = np.column_stack([Q, np.ones(len(i))])
        ridge = max(self.reg, 1e-9) * len(i) * np.eye(Q.shape[1])
        return np.linalg.solve(Q.T @ Q + ridge, Q.T @ e)[: self.Q.shape[1]].astype(self.Q.dtype)
