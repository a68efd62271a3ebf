"""Ratings: the matrix R (C4) with its axes named."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.errors import InputError, place_of
from acai.ratings import building, dataframes, mapped, matrices, saving, splits
from acai.ratings.building import Codes, as_values
from acai.ratings.filtering import Minimums, with_enough
from acai.ratings.moments import as_seconds
from acai.ratings.summary import html_summary


@dataclass(repr=False, eq=False)
class Ratings:
    """What `n_users` listeners are known to think of `n_songs` songs: R, of which only the known entries are stored.

    An entry may be a rating or a number of plays; an entry of zero is a known zero, not a gap.
    Build one with `Ratings.from_triplets`, `from_dataframe`, `from_matrix` or a reader of `acai.datasets`; no method changes
    it, those that select or change entries return a new one.

    Attributes
    ----------
    csr : scipy.sparse.csr_array, shape (n_users, n_songs), float32
        R by rows; the song numbers within a row ascend.
    users, songs : tuple
        The ids, in the order of the axes.
    times : array of int64, shape (n_ratings,), or None
        When each entry of `csr.data` was made, in seconds since 1970 (UTC), where that is known.
    notes : tuple of str
        Where the entries come from, what was left out, and how they differ from the published numbers.
    """

    csr: sparse.csr_array
    users: Sequence[Hashable]
    songs: Sequence[Hashable]
    times: NDArray[np.int64] | None = None
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check that everything fits together."""
        self.users, self.songs, self.notes = tuple(self.users), tuple(self.songs), tuple(self.notes)
        n_users, n_songs = len(self.users), len(self.songs)
        shape = getattr(self.csr, "shape", None)
        if shape != (n_users, n_songs):
            raise InputError(f"R has shape {shape}, but {n_users} users and {n_songs} songs are named")
        if self.times is not None and getattr(self.times, "dtype", None) != np.int64:
            self.times = as_seconds(self.times)
        if self.times is not None and len(self.times) != self.csr.nnz:
            raise InputError(f"R has {self.csr.nnz} known entries, but there are {len(self.times)} times")
        self.csr = building.checked_csr(self.csr)

    @classmethod
    def from_triplets(
        cls, users: Iterable[Hashable], songs: Iterable[Hashable], values: Iterable[float],
        combine: str | None = None, times: Iterable[int] | None = None,
    ) -> Self:
        """Build R from three columns of equal length: who, what, how much.

        Parameters
        ----------
        users, songs : iterable of hashable
            Ids of any kind: lists, arrays, data-frame columns. Their order on the axis is the order of appearance.
        values : iterable of float
            Ratings or play counts; finite, up to ±1e31. They are stored as float32, to seven digits; text, complex numbers
            and dates are refused.
        combine : {None, "sum", "mean", "max", "min", "first", "last", "count"}
            What to do if a pair occurs more than once: with None that is an error, with "count" the value is how often.
        times : iterable of int, optional
            When, in whole seconds since 1970, or as `datetime64` (UTC). A combined entry has the time of its value with
            "first" and "last", no time with "count", and otherwise the latest of its times.

        Returns
        -------
        Ratings

        Raises
        ------
        InputError
            If the columns differ in length, are empty, hold a value that is not finite, or repeat a pair.
        """
        user_codes, user_ids = building.number_ids(users)
        song_codes, song_ids = building.number_ids(songs)
        seconds = None if times is None else as_seconds(times)
        return cls.from_codes(user_codes, song_codes, as_values(values), user_ids, song_ids, combine, seconds)

    @classmethod
    def from_codes(  # noqa: PLR0913 - the columns of `from_triplets`, and the ids of both axes
        cls, user_codes: Codes, song_codes: Codes, values: NDArray[Any], users: Sequence[Hashable],
        songs: Sequence[Hashable], combine: str | None = None, times: NDArray[np.int64] | None = None,
        notes: Iterable[str] = (),
    ) -> Self:
        """Build R from numbered ids: `users[user_codes[j]]` gave `songs[song_codes[j]]` the value `values[j]`."""
        csr, times = building.by_rows(building.Entries(user_codes, song_codes, values, times), users, songs, combine)
        return cls(csr, users, songs, times, tuple(notes))

    from_dataframe = classmethod(dataframes.from_dataframe)
    from_matrix = classmethod(matrices.from_matrix)

    @property
    def n_users(self) -> int:
        """m, the number of users."""
        return len(self.users)

    @property
    def n_songs(self) -> int:
        """n, the number of songs."""
        return len(self.songs)

    @property
    def n_ratings(self) -> int:
        """The number of known entries."""
        return int(self.csr.nnz)

    @property
    def density(self) -> float:
        """The share of R that is known, between 0 and 1."""
        return self.n_ratings / (self.n_users * self.n_songs)

    @cached_property
    def csc(self) -> sparse.csc_array:
        """R by columns."""
        return self.csr.tocsc()

    @cached_property
    def user_rows(self) -> dict[Hashable, int]:
        """The row of each user id."""
        return {user: row for row, user in enumerate(self.users)}

    @cached_property
    def song_columns(self) -> dict[Hashable, int]:
        """The column of each song id."""
        return {song: column for column, song in enumerate(self.songs)}

    def row(self, user: Hashable) -> int:
        """Look up the row of a user; for an unknown one, the error lists some that exist."""
        return place_of(user, self.user_rows, "user")

    def column(self, song: Hashable) -> int:
        """Look up the column of a song; for an unknown one, the error lists some that exist."""
        return place_of(song, self.song_columns, "song")

    @cached_property
    def user_codes(self) -> NDArray[np.int32]:
        """The row of every known entry, in the order of `csr.data`: shape (n_ratings,), int32."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(self.csr.indptr))

    def triplets(self) -> Iterator[tuple[Hashable, Hashable, float]]:
        """Yield every known entry as (user, song, value), row by row."""
        for u, i, value in zip(self.user_codes.tolist(), self.csr.indices.tolist(), self.csr.data.tolist()):
            yield self.users[u], self.songs[i], value

    def map(self, rule: Callable[[NDArray[np.float32]], NDArray[Any]]) -> Self:
        """Apply a rule to the values of all entries: `plays.map(np.log1p)`."""
        values = as_values(rule(self.csr.data))
        if len(values) != self.n_ratings:
            raise InputError(f"the rule makes {len(values):,} values of {self.n_ratings:,}; expected one for each")
        R = (values, self.csr.indices, self.csr.indptr)
        return replace(self, csr=sparse.csr_array(R, shape=self.csr.shape))

    def keep(self, chosen: NDArray[np.bool_]) -> Self:
        """Select the entries where `chosen`, of shape (n_ratings,) and type bool, is true; the axes stay as they are."""
        chosen = np.asarray(chosen)
        if chosen.dtype != bool or chosen.shape != (self.n_ratings,):
            found = f"an array of {chosen.dtype} of shape {chosen.shape}"
            raise InputError(f"{found} does not choose among the entries; expected bool and ({self.n_ratings},)")
        indptr = np.cumsum(np.append(False, chosen), dtype=np.int32)[self.csr.indptr]
        csr = sparse.csr_array((self.csr.data[chosen], self.csr.indices[chosen], indptr), shape=self.csr.shape)
        return replace(self, csr=csr, times=None if self.times is None else self.times[chosen])

    def filter(self, min_plays_per_user: float = 0, min_songs_per_user: int = 1, min_users_per_song: int = 1) -> Self:
        """Drop users and songs with too few entries, repeatedly, until all that are left have enough.

        Parameters
        ----------
        min_plays_per_user : float
            The minimum sum of a user's entries (for play counts; a sum of ratings means little).
        min_songs_per_user, min_users_per_song : int
            The minimum number of known entries of a user, and of a song. The defaults drop those without any.

        Returns
        -------
        Ratings
            With shorter axes, in the same order.
        """
        least = Minimums(min_plays_per_user, min_songs_per_user, min_users_per_song).checked()
        R = self.csr
        entries, users, songs = with_enough(R, self.user_codes, least)
        if not entries.any():
            raise InputError(
                f"nothing is left of {self.n_ratings:,} entries with min_plays_per_user={min_plays_per_user}, "
                f"min_songs_per_user={min_songs_per_user}, min_users_per_song={min_users_per_song}; lower them"
            )
        user_ids, song_ids = tuple(compress(self.users, users)), tuple(compress(self.songs, songs))
        times = None if self.times is None else self.times[entries]
        return type(self)(R[users][:, songs], user_ids, song_ids, times, self.notes)

    def favourites(self, user: Hashable) -> list[tuple[Hashable, float]]:
        """List what a user rated or played, as (song, value), the largest value first."""
        row = self.csr[[self.row(user)]]
        return [(self.songs[row.indices[j]], float(row.data[j])) for j in np.argsort(-row.data, kind="stable")]

    def split(self, test: float = 0.2, seed: int = 0) -> tuple[Self, Self]:
        """Split the known entries at random: (train, test), both with the same axes.

        Parameters
        ----------
        test : float
            The share that goes to the test set, strictly between 0 and 1.
        seed : int
            The same seed gives the same split.
        """
        return self._split_by_mask(splits.random_share(self.n_ratings, test, seed, "ratings"))

    def folds(self, n: int, seed: int = 0) -> Iterator[tuple[Self, Self]]:
        """Split the known entries at random into `n` equal folds; yields (train, test), each fold being the test set once."""
        fold = splits.random_fold(self.n_ratings, n, seed)
        for f in range(n):
            yield self._split_by_mask(fold == f)

    def split_by_time(self, test: float = 0.2) -> tuple[Self, Self]:
        """Train on the past, test on what came after.

        The test set is the latest entries: a share `test` of all, and any others with the same time as the earliest of
        these.
        """
        return self._split_by_mask(splits.latest_share(splits.expect_times(self.times), test))

    def leave_last_out(self, k: int = 1, seed: int = 0) -> tuple[Self, Self]:
        """Hold out the `k` latest entries of every user who has more than `k`; returns (train, test).

        Of entries with the same time, `seed` chooses.
        """
        times = splits.expect_times(self.times)
        return self._split_by_mask(splits.latest_k_of_each_row(self.csr.indptr, times, k, seed))

    def leave_k_out(self, k: int = 1, seed: int = 0) -> tuple[Self, Self]:
        """Hold out `k` random entries of every user who has more than `k`; returns (train, test)."""
        return self._split_by_mask(splits.k_of_each_row(self.csr.indptr, k, seed))

    def split_each_user(self, test: float = 0.2, seed: int = 0) -> tuple[Self, Self]:
        """Hold out a random share `test` of every user's entries, rounded; returns (train, test)."""
        return self._split_by_mask(splits.share_of_each_row(self.csr.indptr, test, seed))

    def split_songs(self, test: float = 0.2, seed: int = 0) -> tuple[Self, Self]:
        """Hold out all entries of a share `test` of the songs, as if nobody had ever heard them; returns (train, test)."""
        return self._split_by_mask(splits.random_share(self.n_songs, test, seed, "songs")[self.csr.indices])

    def without(self, other: "Ratings") -> Self:
        """Drop the entries whose pair of user and song is known in `other`, which has the same axes."""
        return self.keep(~splits.is_known(self, other))

    def _split_by_mask(self, in_test: NDArray[np.bool_]) -> tuple[Self, Self]:
        return self.keep(~in_test), self.keep(in_test)

    save, save_folder = saving.save, mapped.save_folder
    write_folder = classmethod(mapped.write_folder)
    load = classmethod(saving.load)
    parts = saving.parts
    from_contents = classmethod(saving.from_contents)

    def __repr__(self) -> str:
        """Show the sizes in one line."""
        sizes = f"{self.n_ratings:,} known entries, {self.n_users:,} users × {self.n_songs:,} songs"
        return f"Ratings: {sizes}, {self.density:.2%} known"

    def _repr_html_(self) -> str:
        return html_summary(self)
