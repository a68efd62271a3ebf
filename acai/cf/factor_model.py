"""R ≈ P Qᵀ (C4): what all factor models share, and the objective that most of them make small (C8)."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from acai.cf.baselines import mean
from acai.cf.recommender import Learnt, Recommender, how_many
from acai.errors import InputError, real_numbers
from acai.ratings import Ratings
from acai.threads import one_blas_thread

MOST_FACTORS = 10_000  # more would fill the memory of any machine before it improved a prediction


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

    state: ClassVar = {
        "P": Learnt(("m", "k")), "Q": Learnt(("n", "k")), "mu": float, "b_u": Learnt(("m",)), "b_i": Learnt(("n",)),
        "history": list,
    }

    def _start(self, ratings: Ratings, biases: bool) -> tuple[np.ndarray, np.ndarray]:
        """Where descent starts: at `init`, or at factors from N(0, init_std²) and biases of zero.

        Returns W, the rows of P above those of Q, and b, which has b_u and b_i likewise; P, Q, b_u and b_i are views of them.
        """
        (m, n), init, self.history = ratings.csr.shape, self.init, []
        if init is None:
            W = np.random.default_rng(self.seed).normal(0, self.init_std, (m + n, self.n_factors)).astype(np.float32)
            b, self.mu = np.zeros(m + n, np.float32), mean(ratings) if biases else 0.0
        else:
            known = init._fitted() if isinstance(init, FactorModel) else None
            if known is None or known.users != ratings.users or known.songs != ratings.songs:
                named = f"the class {init.__name__}" if isinstance(init, type) else type(init).__name__
                raise InputError(f"init={named}; expected a factor model that was fitted on the same users and songs")
            shapes = init.P.shape, init.Q.shape, init.b_u.shape, init.b_i.shape
            if shapes != ((m, self.n_factors), (n, self.n_factors), (m,), (n,)):
                found = f"init has P of shape {init.P.shape} and Q of shape {init.Q.shape}"
                expected = f"({m}, {self.n_factors}) and ({n}, {self.n_factors})"
                raise InputError(f"{found}; expected {expected}: give both models the same n_factors")
            W, b = (np.concatenate(parts, dtype=np.float32) for parts in ((init.P, init.Q), (init.b_u, init.b_i)))
            self.mu = init.mu
        W[np.concatenate(how_many(ratings)) == 0] = 0  # noise, of which nothing would be learnt
        self.P, self.Q, self.b_u, self.b_i = W[:m], W[m:], b[:m], b[m:]
        return W, b

    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        from acai.cf import kernels

        return kernels.predict(u, i, self.P, self.Q, self.b_u, self.b_i, self.P.dtype.type(self.mu))  # (C4)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        with one_blas_thread():
            scores = self.P[rows] @ self.Q.T  # (C4)
        scores += self.b_i
        return scores + (self.mu + self.b_u[rows, None])

    def _likeness(self, i: int) -> np.ndarray:
        """The cosine between the hidden features."""
        norms = np.sqrt(np.einsum("if,if->i", self.Q, self.Q, dtype=np.float64))
        products = np.einsum("if,f->i", self.Q, self.Q[i], dtype=np.float64)
        return np.divide(products, norms * norms[i], out=np.zeros_like(norms), where=norms * norms[i] > 0)

    def _heard(self, heard: Mapping[Hashable, float]) -> tuple[np.ndarray, np.ndarray]:
        """The columns and values of a listener's songs."""
        known = self._fitted()
        if not isinstance(heard, Mapping) or not heard:
            raise InputError("the listener has not rated a single song; at least one is needed: {song: rating, …}")
        i = np.array([known.column(song) for song in heard], dtype=np.intp)
        r = real_numbers(list(heard.values()), "ratings")
        if r.shape != i.shape:
            raise InputError("each song has one rating; expected {song: rating, …}")
        if not np.isfinite(r).all():
            raise InputError(f"rating {r[~np.isfinite(r)][0]} is not a finite number")
        return i, r

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
        k = Q.shape[1]
        ridge = np.sqrt(max(self.reg, 1e-9) * len(i)) * np.eye(k)
        with one_blas_thread():  # least squares with the ridge as k more rows needs no inverse of QᵀQ, which may not exist
            p = np.linalg.lstsq(np.concatenate([Q, ridge]), np.append(e, np.zeros(k)))[0]
        return finite(p[: self.Q.shape[1]].astype(self.Q.dtype))


def finite(p: np.ndarray) -> np.ndarray:
    """The factors of a listener, unless their numbers were too large to compute with."""
    if not np.isfinite(p).all():
        raise InputError("the listener's ratings are too large for finite latent factors; expected values like those of the model")
    return p


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
        for P, b, n in zip((model.P, model.Q), (model.b_u, model.b_i), how_many(ratings)):
            norms += n.astype(np.float64) @ (np.einsum("xf,xf->x", P, P) + np.square(b))
        return float(0.5 * (np.square(residuals(model, ratings)).sum(dtype=np.float64) + reg * norms))  # (C8)
