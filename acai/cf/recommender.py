"""What every recommender does, whatever it has learnt: predict, recommend, find similar songs."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acai.cf.inputs import as_list, codes_of, expect_ratings
from acai.cf.saving import parts_of
from acai.errors import InputError, check_codes, unknown
from acai.files import Contents, save_npz
from acai.ratings import Ratings
from acai.settings import Limits, check_settings, checked

KIND = "a model saved by acai"
SCORE_BYTES = 64  # that a score takes at worst, with the products and masks that it comes from
Codes = NDArray[np.integer[Any]]  # rows or columns of R


class Learnt(NamedTuple):
    """A learnt array, as `_learn` makes it and a file stores it: its axes and the types it may have.

    An axis is "m" (users), "n" (songs), "n + 1", "k" (`n_factors`), or any other word, which stands for one length.
    """

    axes: tuple[str, ...]
    dtypes: tuple[str, ...] = ("float32", "float64")


@dataclass
class Recommender(ABC):
    """A model of what listeners think of songs. Ids go in and come out; rows and columns stay inside.

    A subclass is a dataclass whose fields are its settings. It must define `_learn` and `_predict_pairs`. It may define
    a faster `_score_rows` and, if it can compare songs, `_similarities`.
    """

    # the attributes that `_learn` makes and `save` stores: arrays, numbers (float) and lists of numbers (list)
    state: ClassVar[Mapping[str, Learnt | type[float] | type[list[float]]]] = {}

    def __post_init__(self) -> None:
        """Check the settings; the model is not fitted yet."""
        self._ratings: Ratings | None = None
        self.titles: Mapping[Hashable, str] = {}  # of songs, where they are known: `save` stores them
        self._check()

    @property
    def predicts_ratings(self) -> bool:
        """Whether predictions are ratings; if not, they are preferences on a scale of their own."""
        return True

    @property
    def ratings(self) -> Ratings:
        """What the model was fitted on; an InputError if it is not fitted."""
        if self._ratings is None:
            raise InputError(f"this {type(self).__name__} is not fitted; call fit(ratings) first")
        return self._ratings

    def is_fitted_on(self, ratings: Ratings) -> bool:
        """Tell whether the model was fitted on this very object."""
        return self._ratings is ratings

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
        self._ratings = None
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
                yield
        except MemoryError as error:
            raise InputError(f"{self!r} on {ratings!r} needs more memory than there is ({error})") from error
        self._expect_finite(ratings.csr.data)
        self._finalise(ratings)

    def _expect_finite(self, r: NDArray[np.float32]) -> None:
        """Raise an error if anything that was learnt is infinite or NaN."""
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

    def _finalise(self, ratings: Ratings) -> None:
        """Get ready to predict, once `state` is there: learnt, or read from a file."""
        self._ratings = ratings

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

    def _similarities(self, i: int) -> NDArray[np.float64]:
        """Compute how similar each song is to song `i`: shape (n_songs,)."""
        raise InputError(f"{type(self).__name__} does not compare songs; expected a model of neighbours or of latent factors")

    def predict(self, users: Iterable[Hashable], songs: Iterable[Hashable]) -> NDArray[np.float64]:
        """Predict what each user will think of the song beside it.

        Parameters
        ----------
        users, songs : iterable of hashable
            Ids, pair by pair. An unknown id, on which the model was not fitted, is no error: the model falls back on what
            is known, as its own description says.

        Returns
        -------
        ndarray, shape (n_pairs,), float64
            Predicted ratings, clipped to the range of the ratings in the training data; from a model of play counts,
            preferences.

        Raises
        ------
        InputError
            If none of the users and none of the songs is known, or an unknown id is a known one as another type, such as 42
            and "42".
        """
        known, users, songs = self.ratings, as_list(users, "users"), as_list(songs, "songs")
        u, i = codes_of(users, known.user_rows, "user"), codes_of(songs, known.song_columns, "song")
        if len(u) != len(i):
            raise InputError(f"users and songs go in pairs; there are {len(u)} users and {len(i)} songs")
        if len(u) and max(u.max(), i.max()) < 0:
            raise InputError(f"none of these users and songs is known: {unknown('user', users[0], known.user_rows)}")
        return self.predict_codes(u, i)

    def predict_codes(self, u: ArrayLike, i: ArrayLike) -> NDArray[np.float64]:
        """Predict as `predict` does, for rows and columns of R instead of ids; −1 stands for an unknown one."""
        known = self.ratings
        rows = check_codes(u, known.n_users, "user rows", True)
        columns = check_codes(i, known.n_songs, "song columns", True)
        if len(rows) != len(columns):
            raise InputError(f"user rows and song columns go in pairs; there are {len(rows)} rows and {len(columns)} columns")
        r_hat: NDArray[np.float64] = np.asarray(self._predict_pairs(rows, columns), dtype=np.float64)
        r = known.csr.data
        return np.clip(r_hat, r.min(), r.max()) if self.predicts_ratings else r_hat

    def recommend(self, user: Hashable, n: int = 10, exclude_rated: bool = True) -> list[tuple[Hashable, float]]:
        """Recommend the `n` best songs to one user.

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
            The best first; of equal scores, the song that comes first in R.

        Raises
        ------
        InputError
            If there is no such user, or n < 1.
        """
        row, n, exclude_rated = self.ratings.row(user), checked("n", n), checked("exclude_rated", exclude_rated, bool, Limits())
        ((_, scores),) = self.score_blocks([row], exclude_rated)
        (songs,) = self._best_songs(scores, n)
        return songs

    def recommend_all(
        self, users: Iterable[Hashable] | None = None, n: int = 10, exclude_rated: bool = True,
        memory: int = 2**28, progress: bool = False,
    ) -> Iterator[tuple[Hashable, list[tuple[Hashable, float]]]]:
        """Recommend the `n` best songs to each of `users` (by default all), one after another: `dict(model.recommend_all())`.

        Takes as many users at a time as their scores fit into `memory` bytes (at least one). The rest is as for
        `recommend`.
        """
        known, n, exclude_rated = self.ratings, checked("n", n), checked("exclude_rated", exclude_rated, bool, Limits())
        rows = [known.row(user) for user in (known.users if users is None else as_list(users, "users"))]
        for block, scores in self.score_blocks(np.array(rows, np.intp), exclude_rated, memory, progress):
            for u, songs in zip(block, self._best_songs(scores, n)):
                yield known.users[u], songs

    def _best_songs(self, scores: NDArray[np.float32], n: int) -> Iterator[list[tuple[Hashable, float]]]:
        """Yield the `n` best songs of each row of scores, as (song, score)."""
        from acai.cf import kernels

        names = self.ratings.songs
        columns, best = kernels.top_n(scores, min(n, scores.shape[1]))
        for of_user, its_scores in zip(columns.tolist(), best.tolist()):
            yield [(names[i], score) for i, score in zip(of_user, its_scores) if i >= 0]

    def score_blocks(
        self, rows: ArrayLike, exclude_rated: bool = True, memory: int = 2**28, progress: bool = False
    ) -> Iterator[tuple[Codes, NDArray[np.float32]]]:
        """Score all songs for a block of rows of R at a time: yields (rows, scores); a song that is left out scores −∞."""
        from tqdm import tqdm

        known = self.ratings
        codes = check_codes(rows, known.n_users, "user rows")
        size = max(1, (checked("memory", memory) - self._scratch_bytes()) // (SCORE_BYTES * known.n_songs))
        for start in tqdm(range(0, len(codes), size), desc="recommending", unit="block", disable=not progress):
            block = codes[start : start + size]
            scores = np.array(self._score_rows(block), dtype=np.float32, order="C")  # (block, n_songs)
            if exclude_rated:
                rated = known.csr[block]
                scores[np.repeat(np.arange(len(block)), np.diff(rated.indptr)), rated.indices] = -np.inf
            yield block, scores

    def similar(self, song: Hashable, n: int = 10) -> list[tuple[Hashable, float]]:
        """Find the `n` songs most similar to `song`, as (song, similarity), the most similar first, without `song` itself."""
        i, n = self.ratings.column(song), checked("n", n)
        similarities = np.array(self._similarities(i), dtype=np.float64)
        similarities[i] = -np.inf
        order = np.argsort(-similarities, kind="stable")[:n]
        return [(self.ratings.songs[j], float(similarities[j])) for j in order if similarities[j] > -np.inf]

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
        lengths = self._axis_lengths(ratings)
        for name, learnt in self.state.items():
            if isinstance(learnt, Learnt):
                array = contents.array(name, tuple(lengths.get(axis) for axis in learnt.axes), learnt.dtypes)
                lengths.update(zip(learnt.axes, array.shape))
                setattr(self, name, array)
            elif learnt is float:
                number = float(contents.value(name, Real))  # type: ignore[type-abstract]
                if not math.isfinite(number):
                    raise contents.fault(f"{name} is {number}; expected a finite number")
                setattr(self, name, number)
            else:
                setattr(self, name, list(contents.sequence(name, Real)))  # type: ignore[type-abstract]

    def _axis_lengths(self, ratings: Ratings) -> dict[str, int]:
        """Tell the length of each axis that `Learnt` may name."""
        return {"m": ratings.n_users, "n": ratings.n_songs, "n + 1": ratings.n_songs + 1}
