"""New songs meet listeners: who will like what nobody has played yet."""

from collections.abc import Hashable, Mapping

import numpy as np

from acai.errors import InputError, place_of, real_numbers
from acai.settings import Limits, checked


class NewSongs:
    """Songs placed by their sound among listeners placed by their plays.

    Parameters
    ----------
    model : factor model
        Fitted: its `P` are the listeners, its `ratings` name them.
    Q_hat : mapping of song id to numpy.ndarray of shape (k,)
        What an `AudioToFactors` tells of each song; songs with and without plays alike.
    lam : float
        How many plays the ear is worth: the λ of (A6), > 0.
    """

    def __init__(self, model: object, Q_hat: Mapping[Hashable, np.ndarray], lam: float = 10.0) -> None:
        if getattr(model, "ratings", None) is None or not hasattr(model, "P"):
            raise InputError(f"{type(model).__name__} has no latent factors; expected a fitted factor model, such as ALS")
        if not isinstance(Q_hat, Mapping) or not Q_hat:
            raise InputError("there is not one new song; expected {song: latent factors, …}")
        k = model.P.shape[1]
        self.model, self.lam, self.songs = model, checked("lam", lam, float, Limits(more_than=0)), list(Q_hat)
        self.Q_hat = np.empty((len(Q_hat), k))
        for j, (song, q) in enumerate(Q_hat.items()):
            if np.shape(q) != (k,):
                raise InputError(f"song {song!r} has hidden features of shape {np.shape(q)}; the model has {k} of them")
            self.Q_hat[j] = _finite(q, f"the hidden features of song {song!r}")
        self._places = {song: j for j, song in enumerate(self.songs)}

    def recommend_new(
        self, user: Hashable, n: int = 10, heard: Mapping[Hashable, Mapping[Hashable, float]] | None = None
    ) -> list[tuple[Hashable, float]]:
        """The `n` songs among the new ones that this listener will like best, as (song, score), by score p_u · q̂ (A5).

        Parameters
        ----------
        user : hashable
            A listener whom the model knows.
        n : int
            How many songs.
        heard : mapping of song to {user: value}, optional
            What the first few listeners made of some of the songs; their features are then those of (A6).
        """
        p_u = self.model.P[self.model.ratings.row(user)]
        Q = self.Q_hat.copy()
        for song, values in (heard or {}).items():
            Q[self._place(song)] = self.hidden_features(song, values)
        return _best(self.songs, Q @ p_u, n)  # (A5)

    def listeners_for(self, song: Hashable, n: int = 10) -> list[tuple[Hashable, float]]:
        """The `n` listeners who will like a new song best, as (user, score)."""
        return _best(self.model.ratings.users, self.model.P @ self.Q_hat[self._place(song)], n)  # (A5)

    def similar_by_sound(self, song: Hashable, n: int = 10) -> list[tuple[Hashable, float]]:
        """The `n` songs that the same people would like, by their sound, as (song, cosine of the angle of their q̂)."""
        i = self._place(song)
        length = np.linalg.norm(self.Q_hat, axis=1)
        cosine = self.Q_hat @ self.Q_hat[i] / np.maximum(length * length[i], 1e-12)
        cosine[i] = -np.inf  # a song is always most like itself
        return _best(self.songs, cosine, n)[: len(self.songs) - 1]

    def hidden_features(self, song: Hashable, values: Mapping[Hashable, float]) -> np.ndarray:
        """What sound and first listeners say together (A6): the ear's q̂ with no plays, the listeners' own q with many.

        Parameters
        ----------
        song : hashable
            One of the new songs.
        values : mapping of user to value
            What listeners whom the model knows made of it, on the scale that the model predicts (for plays: 1).

        Returns
        -------
        numpy.ndarray, shape (k,)
        """
        q_hat = self.Q_hat[self._place(song)]
        if not isinstance(values, Mapping):
            raise InputError(f"listeners' values are a {type(values).__name__}; expected {{user: value, …}}")
        if not values:
            return q_hat
        P = self.model.P[[self.model.ratings.row(user) for user in values]].astype(np.float64)
        r = _finite([*values.values()], f"what listeners made of song {song!r}")
        if r.shape != (len(values),):
            raise InputError(f"listeners' values for song {song!r} have shape {r.shape}; expected one number for each listener")
        return q_hat + np.linalg.solve(P.T @ P + self.lam * np.eye(len(q_hat)), P.T @ (r - P @ q_hat))  # (A6)

    def _place(self, song: Hashable) -> int:
        return place_of(song, self._places, "new song")


def _finite(values: object, what: str) -> np.ndarray:
    found = real_numbers(values, what)
    if not np.isfinite(found).all():
        raise InputError(f"{what} must be finite; found {found[~np.isfinite(found)][0]}")
    return found


def _best(names: list[Hashable] | tuple[Hashable, ...], scores: np.ndarray, n: int) -> list[tuple[Hashable, float]]:
    order = np.argsort(-scores, kind="stable")[: checked("n", n)]
    return [(names[j], float(scores[j])) for j in order]
