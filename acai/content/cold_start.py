"""New songs meet listeners: who will like what nobody has played yet."""

from collections.abc import Hashable, Mapping

import numpy as np

from acai.errors import InputError, unknown


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
        if lam <= 0:
            raise InputError(f"lam={lam}; expected a number above 0")
        k = model.P.shape[1]
        for song, q in Q_hat.items():
            if np.shape(q) != (k,):
                raise InputError(f"song {song!r} has hidden features of shape {np.shape(q)}; the model has {k} of them")
        self.model, self.lam, self.songs = model, lam, list(Q_hat)
        self.Q_hat = np.array(list(Q_hat.values()), dtype=np.float64)

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
        return _best(self.songs, cosine, min(n, len(self.songs) - 1))

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
        if not values:
            return q_hat
        P = self.model.P[[self.model.ratings.row(user) for user in values]].astype(np.float64)
        r = np.array(list(values.values()), dtype=np.float64)
        return q_hat + np.linalg.solve(P.T @ P + self.lam * np.eye(len(q_hat)), P.T @ (r - P @ q_hat))  # (A6)

    def _place(self, song: Hashable) -> int:
        if song not in self.songs:
            raise unknown("new song", song, self.songs)
        return self.songs.index(song)


def _best(names: list[Hashable] | tuple[Hashable, ...], scores: np.ndarray, n: int) -> list[tuple[Hashable, float]]:
    order = np.argsort(-scores, kind="stable")[:n]
    return [(names[j], float(scores[j])) for j in order]
