"""Recommendations of new songs: who will like what nobody has played yet."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.arrays import real_numbers
from acai.errors import InputError, place_of
from acai.nn.layer import FloatArray
from acai.settings import Limits, checked

if TYPE_CHECKING:
    from acai.cf.factor_model import FactorModel


class ColdStartRecommender:
    """Scores of songs whose latent factors come from their sound, for listeners whose factors come from their plays.

    Parameters
    ----------
    model : factor model
        Fitted: its `P` holds the factors of the listeners, its `ratings` their ids.
    Q_hat : mapping of song id to numpy.ndarray of shape (k,)
        What an `AudioToFactors` predicts for each song, with or without plays.
    lam : float
        How many plays the prediction from audio is worth: the λ of (A6), > 0.
    """

    def __init__(self, model: "FactorModel", Q_hat: Mapping[Hashable, FloatArray], lam: float = 10.0) -> None:
        ratings = getattr(model, "ratings", None)
        if ratings is None or not hasattr(model, "P"):
            raise InputError(f"{type(model).__name__} has no latent factors; expected a fitted factor model, such as ALS")
        if not isinstance(Q_hat, Mapping) or not Q_hat:
            raise InputError("there are no new songs; expected {song: latent factors, …}")
        self.ratings = ratings
        self.P: FloatArray = model.P
        self.lam: float = checked("lam", lam, float, Limits(more_than=0))
        self.songs = list(Q_hat)
        k = self.P.shape[1]
        self.Q_hat: FloatArray = np.empty((len(Q_hat), k))
        for j, (song, q) in enumerate(Q_hat.items()):
            if np.shape(q) != (k,):
                raise InputError(f"song {song!r} has latent factors of shape {np.shape(q)}; the model has {k} of them")
            self.Q_hat[j] = _finite(q, f"the latent factors of song {song!r}")
        self._places = {song: j for j, song in enumerate(self.songs)}

    def recommend(
        self, user: Hashable, n: int = 10, plays: Mapping[Hashable, Mapping[Hashable, float]] | None = None
    ) -> list[tuple[Hashable, float]]:
        """Return the `n` new songs that this listener will like best, as (song, score), by the score p_u · q̂ (A5).

        Parameters
        ----------
        user : hashable
            A listener whom the model knows.
        n : int
            How many songs.
        plays : mapping of song to {user: value}, optional
            The first few plays of some of the songs; their factors are then those of (A6).
        """
        p_u = self.P[self.ratings.row(user)]
        Q = self.Q_hat.copy()
        for song, values in (plays or {}).items():
            Q[self._place(song)] = self.fold_in(song, values)
        return _best(self.songs, Q @ p_u, n)  # (A5)

    def listeners_for(self, song: Hashable, n: int = 10) -> list[tuple[Hashable, float]]:
        """Return the `n` listeners who will like a new song best, as (user, score)."""
        return _best(self.ratings.users, self.P @ self.Q_hat[self._place(song)], n)  # (A5)

    def similar_by_sound(self, song: Hashable, n: int = 10) -> list[tuple[Hashable, float]]:
        """Return the `n` songs whose sound appeals to the same people, as (song, cosine similarity of their q̂)."""
        i = self._place(song)
        length = np.linalg.norm(self.Q_hat, axis=1)
        cosine = self.Q_hat @ self.Q_hat[i] / np.maximum(length * length[i], 1e-12)
        cosine[i] = -np.inf  # a song is always most similar to itself
        return _best(self.songs, cosine, n)[: len(self.songs) - 1]

    def fold_in(self, song: Hashable, plays: Mapping[Hashable, float]) -> FloatArray:
        """Combine sound and first plays (A6): without plays the result is q̂; with many, the plays decide.

        Parameters
        ----------
        song : hashable
            One of the new songs.
        plays : mapping of user to value
            Values from listeners whom the model knows, on the scale that the model predicts (for plays: 1).

        Returns
        -------
        numpy.ndarray, shape (k,)
        """
        q_hat: FloatArray = self.Q_hat[self._place(song)]
        if not isinstance(plays, Mapping):
            raise InputError(f"the plays are a {type(plays).__name__}; expected {{user: value, …}}")
        if not plays:
            return q_hat
        P = self.P[[self.ratings.row(user) for user in plays]].astype(np.float64)
        r = _finite([*plays.values()], f"the plays of song {song!r}")
        if r.shape != (len(plays),):
            raise InputError(f"the plays of song {song!r} have shape {r.shape}; expected one number for each listener")
        q: FloatArray = q_hat + np.linalg.solve(P.T @ P + self.lam * np.eye(len(q_hat)), P.T @ (r - P @ q_hat))  # (A6)
        return q

    def _place(self, song: Hashable) -> int:
        return place_of(song, self._places, "new song")


def _finite(values: object, what: str) -> FloatArray:
    found = real_numbers(values, what)
    if not np.isfinite(found).all():
        raise InputError(f"{what} must be finite; found {found[~np.isfinite(found)][0]}")
    return found


def _best(names: Sequence[Hashable], scores: FloatArray, n: int) -> list[tuple[Hashable, float]]:
    order = np.argsort(-scores, kind="stable")[: checked("n", n)]
    return [(names[j], float(scores[j])) for j in order]
