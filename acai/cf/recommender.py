"""What every recommender does, whatever it has learnt: predict, recommend, find similar songs."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acai.arrays import check_codes
from acai.cf.inputs import Codes, as_list, check_pairs, codes_of_pairs, columns_and_values, expect_ratings
from acai.cf.learnt import State, expect_finite, read_learnt
from acai.cf.lists import Best, Reason, best_columns, blocks_of_users, left_out, most_similar, named_lists
from acai.cf.plays import warn_of_plays
from acai.cf.saving import parts_of
from acai.errors import InputError
from acai.files import Contents, save_npz
from acai.ratings import Ratings
from acai.settings import Limits, changed_settings, check_settings, checked, current_settings, expect_settings

KIND = "a model saved by acai"


@dataclass
class Recommender(ABC):
    """A model of what listeners think of songs. Ids go in and come out; rows and columns stay inside.

    A subclass is a dataclass whose fields are its settings. It must define `_learn` and `_predict_pairs`. It may define a
    faster `_score_rows`, `_score_newcomer` for listeners who were not in the training data and, if it can compare songs
    or users, `_similarities` and `_user_similarities`. `state` names what it learns; `acai.load(path, TheSubclass)` reads it.
    """

    # the attributes that `_learn` makes and `save` stores: arrays, numbers (float) and lists of numbers (list)
    state: ClassVar[State] = {}

    def __post_init__(self) -> None:
        """Check the settings; the model is not fitted yet."""
        self._ratings: Ratings | None = None
        self.titles: Mapping[Hashable, str] = {}  # of songs, where they are known: `save` stores them
        self._settings_when_fitted: dict[str, object] = {}
        self._check()

    @property
    def predicts_ratings(self) -> bool:
        """Whether predictions are ratings; if not, they are preferences on a scale of their own."""
        return True

    @property
    def ratings(self) -> Ratings:
        """What the model was fitted on; an InputError if it is not fitted, or if its settings were changed since."""
        if self._ratings is None:
            raise InputError(f"this {type(self).__name__} is not fitted; call fit(ratings) first")
        expect_settings(self, self._settings_when_fitted)
        return self._ratings

    def is_fitted_on(self, ratings: Ratings) -> bool:
        """Tell whether the model was fitted on this very object, with the settings that it has now."""
        return self._ratings is ratings and not changed_settings(self, self._settings_when_fitted)

    @classmethod
    def setting_names(cls) -> list[str]:
        """List the settings that a file stores."""
        return [field.name for field in dataclasses.fields(cls) if field.repr]

    def _check(self) -> None:
        """Refuse settings that make no sense, when the model is made and before it learns."""
        check_settings(self)

    def fit(self, ratings: Ratings, progress: bool = False) -> Self:
        """Learn from `ratings`.

        Parameters
        ----------
        ratings : Ratings
            What to learn from.
        progress : bool
            Show a progress bar.

        Returns
        -------
        Recommender
            The model itself.

        Raises
        ------
        InputError
            If what it learnt is not finite; the message names the settings to change.
        """
        with self._fitting(ratings):
            self._learn(ratings, progress)
        return self

    @contextmanager
    def _fitting(self, ratings: Ratings) -> Iterator[None]:
        """Check what is given before learning and what was learnt after it. If anything fails, the model is not fitted."""
        self._check()
        if expect_ratings(ratings).n_ratings == 0:
            raise InputError("there is no rating to learn from; at least one is needed")
        if self.predicts_ratings:
            warn_of_plays(type(self).__name__, ratings.csr.data)
        self._ratings = None
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
                yield
        except MemoryError as error:
            raise InputError(f"{self!r} on {ratings!r} needs more memory than there is ({error})") from error
        expect_finite(self, self.state, ratings.csr.data)
        self._finalise(ratings)

    @abstractmethod
    def _learn(self, ratings: Ratings, progress: bool) -> None:
        """Make what `state` names."""

    def _finalise(self, ratings: Ratings) -> None:
        """Get ready to predict, once `state` is there: learnt, or read from a file."""
        self._ratings, self._settings_when_fitted = ratings, current_settings(self)

    @abstractmethod
    def _predict_pairs(self, u: Codes, i: Codes) -> NDArray[Any]:
        """Predict r̂ for each pair of a row and a column; −1 stands for an unknown one."""

    def _score_rows(self, rows: Codes) -> NDArray[Any]:
        """Score all songs for each of these users, the higher the better: shape (len(rows), n_songs)."""
        n = self.ratings.n_songs
        return np.broadcast_to(self._predict_pairs(rows[:, None], np.arange(n)), (len(rows), n))

    def _scratch_bytes(self) -> int:
        """Tell how many bytes `_score_rows` takes, apart from those that grow with the number of users."""
        return 0

    def _score_newcomer(self, i: Codes, r: NDArray[np.float64]) -> NDArray[Any]:
        """Score all songs, shape (n_songs,), for a listener who was not in the training data, and gave songs `i` the values r."""
        raise InputError(f"{type(self).__name__} cannot recommend to listeners who were not in the training data")

    def _similarities(self, i: int) -> NDArray[np.float64]:
        """Compute how similar each song is to song `i`: shape (n_songs,); −∞ for one that has nothing in common with it."""
        raise InputError(f"{type(self).__name__} does not compare songs; expected a model of neighbours or of latent factors")

    def _user_similarities(self, u: int) -> NDArray[np.float64]:
        """Compute how similar each user is to user `u`: shape (n_users,); −∞ for one who has nothing in common with them."""
        raise InputError(f"{type(self).__name__} does not compare users; expected a model of neighbours or of latent factors")

    def predict(self, users: Iterable[Hashable], songs: Iterable[Hashable]) -> NDArray[np.float64]:
        """Predict what each user will think of the song beside it.

        Parameters
        ----------
        users, songs : iterable of hashable
            Ids, pair by pair. An unknown id, on which the model was not fitted, is no error: the model falls back on what
            is known, as its own description says. But it is one if none of the users and none of the songs is known, or if
            a known id is given as another type: 42 instead of "42".

        Returns
        -------
        ndarray, shape (n_pairs,), float64
            Predicted ratings, clipped to the range of the ratings in the training data; from a model of play counts,
            preferences.
        """
        return self.predict_codes(*codes_of_pairs(users, songs, self.ratings))

    def predict_codes(self, u: ArrayLike, i: ArrayLike) -> NDArray[np.float64]:
        """Predict as `predict` does, for rows and columns of R instead of ids; −1 stands for an unknown one."""
        r_hat: NDArray[np.float64] = np.asarray(self._predict_pairs(*check_pairs(u, i, self.ratings)), dtype=np.float64)
        return np.clip(r_hat, *self._range())

    def recommend(
        self, user: Hashable | Mapping[Hashable, float], n: int = 10, exclude_rated: bool = True,
        candidates: Iterable[Hashable] | None = None, exclude: Iterable[Hashable] = (),
    ) -> list[tuple[Hashable, float]]:
        """Recommend the `n` best songs to one user.

        Parameters
        ----------
        user : hashable, or mapping of song to value
            An id that the model was fitted on; or, for a listener who was not in the training data, what they rated or
            played: {song: value, …}.
        n : int
            How many songs at most.
        exclude_rated : bool
            Leave out what the user rated or played.
        candidates, exclude : iterable of hashable
            Recommend only songs among `candidates`, if given, and none of `exclude`. Ids that the model does not know are
            ignored, unless it knows none of them.

        Returns
        -------
        list of (song, score)
            The best first; of equal scores, the song that comes first in R. A score is what `predict` predicts, rounded to
            float32; where several predictions are clipped to the same end of the range, the higher r̂ is better.
        """
        known, n = self.ratings, checked("n", n)
        exclude_rated = checked("exclude_rated", exclude_rated, bool, Limits())
        out = left_out(known, candidates, exclude)
        if isinstance(user, Mapping):
            i, r = columns_and_values(user, known)
            scores = np.array(self._score_newcomer(i, r), dtype=np.float32)[None]  # (1, n_songs)
            out = np.concatenate([out, i]) if exclude_rated else out
        else:
            ((_, scores),) = self.score_blocks([known.row(user)], exclude_rated)
        scores[:, out] = -np.inf
        (songs,) = self._lists(*best_columns(scores, n))
        return songs

    def recommend_all(  # noqa: PLR0913 - the arguments of `recommend`, and those of many users
        self, users: Iterable[Hashable] | None = None, n: int = 10, exclude_rated: bool = True, memory: int = 2**28,
        progress: bool = False, candidates: Iterable[Hashable] | None = None, exclude: Iterable[Hashable] = (),
    ) -> Iterator[tuple[Hashable, list[tuple[Hashable, float]]]]:
        """Recommend the `n` best songs to each of `users` (by default all), one after another: `dict(model.recommend_all())`.

        As many users are taken at a time as fit into `memory` bytes, at least one. The rest is as for `recommend`.
        """
        known, n = self.ratings, checked("n", n)
        exclude_rated = checked("exclude_rated", exclude_rated, bool, Limits())
        out = left_out(known, candidates, exclude)
        rows = [known.row(user) for user in (known.users if users is None else as_list(users, "users"))]
        options = checked("memory", memory), progress
        for block, columns, best in self._best(np.array(rows, np.intp), n, exclude_rated, out, options):
            for u, songs in zip(block.tolist(), self._lists(columns, best)):
                yield known.users[u], songs

    def _best(self, rows: Codes, n: int, exclude_rated: bool, out: Codes, options: tuple[int, bool]) -> Iterator[Best]:
        """Find the `n` best songs of a block of users at a time, and their scores, both of shape (block, n)."""
        for block, scores in self.score_blocks(rows, exclude_rated, *options):
            scores[:, out] = -np.inf
            yield block, *best_columns(scores, n)

    def _lists(self, columns: Codes, best: NDArray[np.floating[Any]]) -> Iterator[list[tuple[Hashable, float]]]:
        """Yield the list of each row of songs, with scores that are clipped as predictions are; −1 stands for no song."""
        return named_lists(columns, np.clip(best.astype(np.float64), *self._range()), self.ratings.songs)

    def _range(self) -> tuple[float, float]:
        """Return the range that predictions are clipped to: that of the ratings in the training data."""
        r = self.ratings.csr.data
        return (float(r.min()), float(r.max())) if self.predicts_ratings else (-math.inf, math.inf)

    def score_blocks(
        self, rows: ArrayLike, exclude_rated: bool = True, memory: int = 2**28, progress: bool = False
    ) -> Iterator[tuple[Codes, NDArray[np.float32]]]:
        """Score all songs for a block of rows of R at a time: yields (rows, scores); a song that is left out scores −∞."""
        known = self.ratings
        codes = check_codes(rows, known.n_users, "user rows")
        for block in blocks_of_users(codes, known.n_songs, checked("memory", memory) - self._scratch_bytes(), progress):
            scores = np.array(self._score_rows(block), dtype=np.float32, order="C")  # (block, n_songs)
            if exclude_rated:
                rated = known.csr[block]
                scores[np.repeat(np.arange(len(block)), np.diff(rated.indptr)), rated.indices] = -np.inf
            yield block, scores

    def similar(
        self, song: Hashable, n: int = 10, candidates: Iterable[Hashable] | None = None, exclude: Iterable[Hashable] = ()
    ) -> list[tuple[Hashable, float]]:
        """Find the `n` songs most similar to `song`, as (song, similarity), the most similar first, without `song` itself.

        `candidates` and `exclude` are as for `recommend`.
        """
        known, n = self.ratings, checked("n", n)
        i = known.column(song)
        similarities = np.array(self._similarities(i), dtype=np.float64)
        similarities[[i, *left_out(known, candidates, exclude)]] = -np.inf
        return most_similar(similarities, n, known.songs)

    def similar_users(self, user: Hashable, n: int = 10) -> list[tuple[Hashable, float]]:
        """Find the `n` users most similar to `user`, as (user, similarity), the most similar first, without `user`.

        In a model of similar users, these are the neighbours that its predictions come from.
        """
        known, n = self.ratings, checked("n", n)
        u = known.row(user)
        similarities = np.array(self._user_similarities(u), dtype=np.float64)
        similarities[u] = -np.inf
        return most_similar(similarities, n, known.users)

    def explain(self, user: Hashable, song: Hashable) -> list[Reason]:
        """List what a prediction was made from, and what each part contributed to it."""
        raise InputError(f"{type(self).__name__} gives no reasons; expected a model of neighbours or of latent factors")

    def fold_in(self, rated: Mapping[Hashable, float]) -> NDArray[Any]:
        """Compute the latent factors of a listener who was not in the training data; only factor models have any."""
        raise InputError(f"{type(self).__name__} has no latent factors; expected a factor model, which has P and Q")

    def save(self, path: str | Path) -> None:
        """Save the model, its settings and what it was fitted on in a `.npz` file, which `acai.load` reads.

        The file includes the ratings with their times and notes, and `titles` if there are any; it never holds a pickle.
        """
        save_npz(path, KIND, **parts_of(self))

    def _read_state(self, contents: Contents, ratings: Ratings) -> None:
        """Read what `state` names from a file, checked to fit the ratings and the settings."""
        vars(self).update(read_learnt(contents, self.state, self._axis_lengths(ratings)))

    def _axis_lengths(self, ratings: Ratings) -> dict[str, int]:
        """Tell the length of each axis that `Learnt` may name."""
        return {"m": ratings.n_users, "n": ratings.n_songs, "n + 1": ratings.n_songs + 1}
