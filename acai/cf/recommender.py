"""What every recommender does, whatever it has learnt: predict, recommend, find songs alike."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import numpy as np

from acai.cf.given import as_list, codes_of, expect_ratings
from acai.errors import InputError, check_codes
from acai.files import Contents, save_npz
from acai.ratings import Ratings
from acai.settings import check_settings, checked

KIND = "a model saved by acai"
SCORE = 64  # bytes that a score takes at worst, with the products and masks that it comes from


class Learnt(NamedTuple):
    """What `_learn` makes and a file keeps: an array, by its axes and the types it may have.

    An axis is "m" (users), "n" (songs), "n + 1", "k" (`n_factors`), or any other word, which stands for one length.
    """

    axes: tuple[str, ...]
    dtypes: tuple[str, ...] = ("float32", "float64")


class Recommender(ABC):
    """A model of what listeners think of songs. Ids go in and come out; rows and columns stay inside.

    A subclass is a dataclass: its fields are its settings. It fills in `_learn` and `_pairs`, a quicker `_scores`
    where there is one, and, where it knows of likeness between songs, `_likeness`.

    Attributes
    ----------
    ratings : Ratings
        What it was fitted on.
    """

    ratings: Ratings | None = None
    predicts_ratings: ClassVar[bool] = True  # or else a preference, on a scale of its own
    # the attributes that `_learn` makes and `save` keeps: arrays, numbers (float) and lists of numbers (list)
    state: ClassVar[Mapping[str, Learnt | type[float] | type[list]]] = {}

    def __post_init__(self) -> None:
        self._check()

    def _check(self) -> None:
        """Refuse settings that make no sense, when the model is made and before it learns."""
        check_settings(self)

    def fit(self, ratings: Ratings, progress: bool = False, **more: Ratings | None) -> Self:
        """Learn from `ratings`, showing a progress bar if `progress`; returns the model itself. `SGD` takes `more`.

        Raises
        ------
        InputError
            If what it learnt is not finite; the message names the settings to change.
        """
        self._check()
        known = expect_ratings(ratings)
        if known.n_ratings == 0:
            raise InputError("there is not one rating to learn from; at least one is needed")
        self.ratings = None  # should anything go wrong, it is not half fitted
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
                self._learn(known, progress, **more)
        except MemoryError as error:
            raise InputError(f"{self!r} on {known!r} needs more memory than there is ({error})") from error
        self._expect_finite(known.csr.data)
        return self._ready(known)

    def _expect_finite(self, r: np.ndarray) -> None:
        """An error if anything that was learnt is infinite or NaN."""
        for name in self.state:
            if not np.isfinite(getattr(self, name)).all():
                settings = [f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.type is float]
                raise InputError(
                    f"{type(self).__name__} learnt a {name} that is not finite, from values of {r.min():g} to {r.max():g}; "
                    f"try more moderate settings (now {', '.join(settings)}) or rescale the values with ratings.map"
                )

    @abstractmethod
    def _learn(self, ratings: Ratings, progress: bool) -> None:
        """Make what `state` names."""

    def _ready(self, ratings: Ratings) -> Self:
        """The model, which has learnt or was read from a file, made ready for use."""
        self.ratings = ratings
        return self

    @abstractmethod
    def _pairs(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        """r̂ of each pair of a row and a column; −1 stands for one that is not known."""

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        """What orders the songs for each of these users: shape (len(rows), n_songs)."""
        n = self.ratings.n_songs
        return np.broadcast_to(self._pairs(rows[:, None], np.arange(n)), (len(rows), n))

    def _holds(self) -> int:
        """How many bytes `_scores` takes besides those that grow with the number of users asked for."""
        return 0

    def _likeness(self, i: int) -> np.ndarray:
        """How much each song is like song `i`: shape (n_songs,)."""
        raise InputError(f"{type(self).__name__} knows nothing of likeness between songs; ItemKNN and the factor models do")

    def predict(self, users: Iterable[Hashable], songs: Iterable[Hashable]) -> np.ndarray:
        """What each user will think of the song beside it.

        Parameters
        ----------
        users, songs : iterable of hashable
            Ids, pair by pair. One that the model was not fitted on is no error: the prediction does without what is
            not known of it (how, the model's own description says).

        Returns
        -------
        ndarray, shape (n_pairs,), float64
            Predicted ratings, clipped to the range of the ratings in the training data; from a model of play counts,
            preferences.
        """
        known = self._fitted()
        u, i = codes_of(users, known.user_rows, "users"), codes_of(songs, known.song_columns, "songs")
        if len(u) != len(i):
            raise InputError(f"users and songs go in pairs; there are {len(u)} users and {len(i)} songs")
        return self.predict_codes(u, i)

    def predict_codes(self, u: np.ndarray, i: np.ndarray) -> np.ndarray:
        """As `predict`, for rows and columns of R instead of ids; −1 stands for one that is not known."""
        known = self._fitted()
        u, i = check_codes(u, known.n_users, "user rows", True), check_codes(i, known.n_songs, "song columns", True)
        if len(u) != len(i):
            raise InputError(f"user rows and song columns go in pairs; there are {len(u)} rows and {len(i)} columns")
        r = known.csr.data
        r_hat = np.asarray(self._pairs(u, i), dtype=np.float64)
        return np.clip(r_hat, r.min(), r.max()) if self.predicts_ratings else r_hat

    def recommend(self, user: Hashable, n: int = 10, exclude_rated: bool = True) -> list[tuple[Hashable, float]]:
        """The `n` best songs for one user.

        Parameters
        ----------
        user : hashable
            An id that the model was fitted on.
        n : int
            How many songs at most.
        exclude_rated : bool
            Leave out what the user rated or played in the training data.

        Returns
        -------
        list of (song, score)
            The best first; of equal scores, the song that stands first in R.

        Raises
        ------
        InputError
            If nobody of that id is known, or n < 1.
        """
        return next(self.recommend_all([user], n, exclude_rated))[1]

    def recommend_all(
        self, users: Iterable[Hashable] | None = None, n: int = 10, exclude_rated: bool = True,
        memory: int = 2**28, progress: bool = False,
    ) -> Iterator[tuple[Hashable, list[tuple[Hashable, float]]]]:
        """The `n` best songs for each of `users` (all of them by default), as they come: `dict(model.recommend_all())`.

        Takes as many users at a time as their scores fit into `memory` bytes (at least one). The rest is as for
        `recommend`.
        """
        known = self._fitted()
        rows = np.array([known.row(user) for user in (known.users if users is None else as_list(users, "users"))], dtype=np.intp)
        for block, columns, scores in self.top(rows, n, exclude_rated, memory, progress):
            for u, best, s in zip(block, columns.tolist(), scores.tolist()):
                yield known.users[u], [(known.songs[i], score) for i, score in zip(best, s) if i >= 0]

    def top(
        self, rows: np.ndarray, n: int = 10, exclude_rated: bool = True, memory: int = 2**28, progress: bool = False
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """As `recommend_all`, for rows of R, in blocks: yields (rows, columns, scores).

        Columns and scores have shape (block, n), or less where there are less songs; short lists are filled up with
        column −1.
        """
        from acai.cf.kernels import top_n

        n = checked("n", n)
        for block, scores in self.score_blocks(rows, exclude_rated, memory, progress):
            yield block, *top_n(scores, min(n, scores.shape[1]))

    def score_blocks(
        self, rows: np.ndarray, exclude_rated: bool = True, memory: int = 2**28, progress: bool = False
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The scores of all songs, −∞ where one is left out, for a block of rows of R at a time: yields (rows, scores)."""
        from tqdm import tqdm

        known = self._fitted()
        rows = check_codes(rows, known.n_users, "user rows")
        size = max(1, (checked("memory", memory) - self._holds()) // (SCORE * known.n_songs))
        for start in tqdm(range(0, len(rows), size), desc="recommending", unit="block", disable=not progress):
            block = rows[start : start + size]
            scores = np.array(self._scores(block), dtype=np.float32, order="C")  # (block, n_songs)
            if exclude_rated:
                rated = known.csr[block]
                scores[np.repeat(np.arange(len(block)), np.diff(rated.indptr)), rated.indices] = -np.inf
            yield block, scores

    def similar(self, song: Hashable, n: int = 10) -> list[tuple[Hashable, float]]:
        """The `n` songs most like `song`, with their likeness, the most alike first; `song` itself is left out."""
        i, n = self._fitted().column(song), checked("n", n)
        likeness = np.array(self._likeness(i), dtype=np.float64)
        likeness[i] = -np.inf
        order = np.argsort(-likeness, kind="stable")[:n]
        return [(self.ratings.songs[j], float(likeness[j])) for j in order if likeness[j] > -np.inf]

    def fold_in(self, heard: Mapping[Hashable, float]) -> np.ndarray:
        """The hidden features of a listener who was not in the training data; only factor models have any."""
        raise InputError(f"{type(self).__name__} has no hidden features; SVD, GradientDescent, SGD and ALS fold listeners in")

    def save(self, path: str | Path) -> None:
        """Keep the model, its settings and what it was fitted on in a `.npz` file, which `acai.load` reads.

        Its ratings stand in it with their times and notes; never a pickle.
        """
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "init"}
        learnt = {f"learnt {name}": getattr(self, name) for name in self.state}
        save_npz(path, KIND, model=type(self).__name__, settings=settings, **self._fitted().parts(), **learnt)

    def _read_state(self, contents: Contents, ratings: Ratings) -> None:
        """Take over from a file what `state` names, once it is known to fit the ratings and the settings."""
        lengths = {"m": ratings.n_users, "n": ratings.n_songs, "n + 1": ratings.n_songs + 1}
        if hasattr(self, "n_factors"):
            lengths["k"] = self.n_factors
        for name, learnt in self.state.items():
            if learnt is float:
                value = float(contents.value(name, Real))
                if not math.isfinite(value):
                    raise contents.fault(f"{name} is {value}; expected a finite number")
            elif learnt is list:
                value = list(contents.sequence(name, Real))
            else:
                value = contents.array(name, tuple(lengths.get(axis) for axis in learnt.axes), learnt.dtypes)
                lengths.update(zip(learnt.axes, value.shape))
            setattr(self, name, value)

    def _fitted(self) -> Ratings:
        if self.ratings is None:
            raise InputError(f"this {type(self).__name__} has not learnt anything yet; call fit(ratings) first")
        return self.ratings


def how_many(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """The number of known entries of each user, and of each song."""
    return np.diff(ratings.csr.indptr), np.bincount(ratings.csr.indices, minlength=ratings.n_songs)
