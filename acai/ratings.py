"""Ratings: the matrix R (C4) with its axes named."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Self

import numpy as np
from scipy import sparse

from acai.errors import InputError, unknown

COMBINE = {"sum": np.add, "max": np.maximum, "min": np.minimum}


class Ratings:
    """What `n_users` listeners are known to think of `n_songs` songs: R, of which only the known entries are stored.

    An entry may be a rating or a number of plays; an entry of zero is a known zero, not a gap.
    Build one with `Ratings.from_triplets`; every method returns a new one and leaves this one as it is.

    Attributes
    ----------
    csr : scipy.sparse.csr_array, shape (n_users, n_songs), float32
        R by rows; the song numbers within a row ascend.
    users, songs : tuple
        The ids, in the order of the axes.
    """

    def __init__(self, csr: sparse.csr_array, users: Sequence[Hashable], songs: Sequence[Hashable]) -> None:
        if csr.shape != (len(users), len(songs)):
            raise InputError(f"R has shape {csr.shape}, but {len(users)} users and {len(songs)} songs are named")
        self.csr = csr
        self.users = tuple(users)
        self.songs = tuple(songs)

    @classmethod
    def from_triplets(
        cls, users: Iterable[Hashable], songs: Iterable[Hashable], values: Iterable[float], combine: str | None = None
    ) -> Self:
        """Build R from three columns of equal length: who, what, how much.

        Parameters
        ----------
        users, songs : iterable of hashable
            Ids of any kind: lists, arrays, data-frame columns. They get their place on the axis in order of appearance.
        values : iterable of float
            Ratings or play counts; finite.
        combine : {None, "sum", "max", "min", "mean", "last"}
            What to do where a pair occurs more than once. With None that is an error.

        Returns
        -------
        Ratings

        Raises
        ------
        InputError
            If the columns differ in length, are empty, hold a value that is not finite, or repeat a pair without `combine`.
        """
        user_codes, user_ids = _intern(users)
        song_codes, song_ids = _intern(songs)
        values = np.asarray(values if hasattr(values, "__len__") else list(values), dtype=np.float32)
        return cls.from_codes(user_codes, song_codes, values, user_ids, song_ids, combine)

    @classmethod
    def from_codes(
        cls,
        user_codes: np.ndarray,
        song_codes: np.ndarray,
        values: np.ndarray,
        users: Sequence[Hashable],
        songs: Sequence[Hashable],
        combine: str | None = None,
    ) -> Self:
        """Build R from ids that are numbered already: `users[user_codes[j]]` gave `songs[song_codes[j]]` `values[j]`."""
        if not len(user_codes) == len(song_codes) == len(values):
            raise InputError(
                "users, songs and values must be equally long; "
                f"they have {len(user_codes)}, {len(song_codes)} and {len(values)} entries"
            )
        if len(values) == 0:
            raise InputError("there is not one rating; at least one (user, song, value) is needed")
        if combine not in (None, "mean", "last", *COMBINE):
            raise unknown("way to combine", combine, ["mean", "last", *COMBINE])
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            j = bad[0]
            raise InputError(
                f"value {values[j]} of user {users[user_codes[j]]!r} for song {songs[song_codes[j]]!r} (entry {j}) "
                "is not a finite number"
            )
        coo = sparse.coo_array(
            (np.asarray(values, np.float32), (np.asarray(user_codes, np.int32), np.asarray(song_codes, np.int32))),
            shape=(len(users), len(songs)),
        )
        coo.has_canonical_format = True  # or SciPy would add repeated pairs up before anyone had asked for it
        csr = coo.tocsc().tocsr()  # two counting sorts: by user, then by song, then in the order given
        return cls(_combine_repeated(csr, combine, users, songs), users, songs)

    @property
    def n_users(self) -> int:
        """m, the number of users."""
        return self.csr.shape[0]

    @property
    def n_songs(self) -> int:
        """n, the number of songs."""
        return self.csr.shape[1]

    @property
    def n_ratings(self) -> int:
        """The number of known entries."""
        return self.csr.nnz

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
        """The row of a user; an unknown one is an error that says which exist."""
        if user not in self.user_rows:
            raise unknown("user", user, self.users)
        return self.user_rows[user]

    def column(self, song: Hashable) -> int:
        """The column of a song; an unknown one is an error that says which exist."""
        if song not in self.song_columns:
            raise unknown("song", song, self.songs)
        return self.song_columns[song]

    @cached_property
    def user_codes(self) -> np.ndarray:
        """The row of every known entry, in the order of `csr.data`: shape (n_ratings,), int32."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(self.csr.indptr))

    def triplets(self) -> Iterator[tuple[Hashable, Hashable, float]]:
        """Every known entry as (user, song, value), row by row."""
        for u, i, value in zip(self.user_codes.tolist(), self.csr.indices.tolist(), self.csr.data.tolist()):
            yield self.users[u], self.songs[i], value

    def map(self, rule: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The same entries with other values: `plays.map(np.log1p)`."""
        data = np.asarray(rule(self.csr.data), dtype=np.float32)
        csr = sparse.csr_array((data, self.csr.indices, self.csr.indptr), shape=self.csr.shape)
        return type(self)(csr, self.users, self.songs)

    def keep(self, chosen: np.ndarray) -> Self:
        """The entries where `chosen`, of shape (n_ratings,) and type bool, is true; the axes stay as they are."""
        counts = np.add.reduceat(np.append(chosen, False), self.csr.indptr[:-1], dtype=np.int64)
        counts[np.diff(self.csr.indptr) == 0] = 0  # reduceat gives an empty row its neighbour's first entry
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(self.csr.indptr.dtype)
        csr = sparse.csr_array((self.csr.data[chosen], self.csr.indices[chosen], indptr), shape=self.csr.shape)
        return type(self)(csr, self.users, self.songs)

    def split(self, test: float = 0.2, seed: int = 0) -> tuple[Self, Self]:
        """Part the known entries at random.

        Parameters
        ----------
        test : float
            The share that goes to the test set, strictly between 0 and 1.
        seed : int
            The same seed gives the same parts.

        Returns
        -------
        train, test : Ratings
            Both with the axes of this one.
        """
        n_test = _n_test(test, self.n_ratings, "ratings")
        in_test = np.zeros(self.n_ratings, dtype=bool)
        in_test[np.random.default_rng(seed).permutation(self.n_ratings)[:n_test]] = True
        return self.keep(~in_test), self.keep(in_test)

    def folds(self, n: int, seed: int = 0) -> Iterator[tuple[Self, Self]]:
        """Part the known entries at random into `n` folds as equal as can be; yields (train, test), each fold being the test once."""
        if not 2 <= n <= self.n_ratings:
            raise InputError(f"n={n} folds of {self.n_ratings} ratings; expected from 2 to the number of ratings")
        fold = np.empty(self.n_ratings, dtype=np.int32)
        fold[np.random.default_rng(seed).permutation(self.n_ratings)] = np.arange(self.n_ratings) % n
        for f in range(n):
            yield self.keep(fold != f), self.keep(fold == f)

    def split_songs(self, test: float = 0.2, seed: int = 0) -> tuple[Self, Self]:
        """Hold songs out whole: every entry of a chosen song goes to the test set, as if nobody had ever heard it.

        Parameters
        ----------
        test : float
            The share of the songs that is held out, strictly between 0 and 1.
        seed : int
            The same seed gives the same songs.

        Returns
        -------
        train, test : Ratings
            Both with the axes of this one; no song has entries in both.
        """
        n_test = _n_test(test, self.n_songs, "songs")
        held_out = np.zeros(self.n_songs, dtype=bool)
        held_out[np.random.default_rng(seed).permutation(self.n_songs)[:n_test]] = True
        in_test = held_out[self.csr.indices]
        return self.keep(~in_test), self.keep(in_test)

    def __repr__(self) -> str:
        return (
            f"Ratings: {self.n_ratings:,} known entries, {self.n_users:,} users × {self.n_songs:,} songs, "
            f"{self.density:.2%} known"
        )


def _intern(ids: Iterable[Hashable]) -> tuple[np.ndarray, list[Hashable]]:
    """Number the ids in order of appearance: the codes (int32), and the ids in the order of their numbers."""
    ids = ids.tolist() if hasattr(ids, "tolist") else list(ids)  # NumPy's scalars become plain Python ones
    numbers: dict[Hashable, int] = {}
    codes = np.fromiter((numbers.setdefault(name, len(numbers)) for name in ids), dtype=np.int32, count=len(ids))
    return codes, list(numbers)


def _n_test(share: float, n: int, of: str) -> int:
    if not 0 < share < 1:
        raise InputError(f"test={share}; expected the share of the {of} to hold out, between 0 and 1")
    n_test = round(share * n)
    if not 0 < n_test < n:
        raise InputError(f"test={share} of {n} {of} leaves one side empty")
    return n_test


def _combine_repeated(csr: sparse.csr_array, combine: str | None, users: Sequence, songs: Sequence) -> sparse.csr_array:
    """`csr` with each pair once. Its repeated pairs stand side by side, in the order in which they were given."""
    starts = np.ones(csr.nnz, dtype=bool)
    starts[1:] = csr.indices[1:] != csr.indices[:-1]
    starts[csr.indptr[:-1][np.diff(csr.indptr) > 0]] = True  # a new row is a new pair, whatever the song
    if starts.all():
        return csr
    if combine is None:
        j = int(np.flatnonzero(~starts)[0])
        u = int(np.searchsorted(csr.indptr, j, side="right")) - 1
        raise InputError(
            f"user {users[u]!r} has more than one value for song {songs[csr.indices[j]]!r} "
            f"({int((~starts).sum())} repeated pairs in all); say how to combine them: combine='sum', 'max', 'min', 'mean' or 'last'"
        )
    first = np.flatnonzero(starts)
    counts = np.diff(np.append(first, csr.nnz))
    if combine == "last":
        data = csr.data[first + counts - 1]
    elif combine == "mean":
        data = np.add.reduceat(csr.data, first, dtype=np.float64) / counts
    else:
        data = COMBINE[combine].reduceat(csr.data, first)
    indptr = np.searchsorted(first, csr.indptr).astype(csr.indptr.dtype)
    return sparse.csr_array((data.astype(np.float32), csr.indices[first], indptr), shape=csr.shape)
