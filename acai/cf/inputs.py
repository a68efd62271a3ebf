"""What users pass to a model: ratings, parts of ratings with the same axes, ids."""

from collections.abc import Hashable, Iterable, Mapping
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acai.arrays import check_codes, real_numbers
from acai.errors import InputError, shown, texts_of, unknown
from acai.ratings import Ratings
from acai.ratings.building import LARGEST_VALUE

Codes = NDArray[np.integer[Any]]  # rows or columns of R


def expect_ratings(given: object) -> Ratings:
    """Return `given` if it is `Ratings`; otherwise raise an error that says how to build them."""
    if isinstance(given, Ratings):
        return given
    raise InputError(
        f"a model learns from Ratings, not from {type(given).__name__}; build them from three columns, "
        "Ratings.from_triplets(users, songs, values), from a data frame, Ratings.from_dataframe(df, user=…, song=…, value=…), "
        "or from an array or a SciPy matrix with a row for each user, Ratings.from_matrix(A)"
    )


def expect_same_axes(part: Ratings, of: Ratings, names: str) -> None:
    """Raise an error unless both have the same users and songs in the same order; `names` says what they are."""
    if part.users != of.users or part.songs != of.songs:
        raise InputError(
            f"{names} have different users or songs, or the same in another order; "
            "expected two parts of one Ratings, as ratings.split() gives"
        )


def codes_of(ids: Iterable[Hashable], numbers: Mapping[Hashable, int], what: str) -> NDArray[np.intp]:
    """Look up the number of each id; −1 for an unknown one, unless it is a known one as another type: '42' instead of 42."""
    names = as_list(ids, f"{what}s")
    try:
        codes = np.fromiter(map(numbers.get, names, repeat(-1)), dtype=np.intp, count=len(names))
    except TypeError as error:
        raise InputError(f"one of the {what}s cannot be an id: {error}") from None
    kinds = set(map(type, numbers)) if (codes < 0).any() else set()
    of_other_kinds = {names[j] for j in np.flatnonzero(codes < 0) if type(names[j]) not in kinds}
    if of_other_kinds:
        texts = texts_of(numbers)
        for name in of_other_kinds:
            if not texts_of([name]).isdisjoint(texts):
                raise unknown(what, name, numbers)
    return codes


def codes_of_pairs(
    users: Iterable[Hashable], songs: Iterable[Hashable], known: Ratings
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Look up the rows and columns of users and the songs beside them; raise an error if none of either is known."""
    names = as_list(users, "users")
    u, i = codes_of(names, known.user_rows, "user"), codes_of(songs, known.song_columns, "song")
    if len(u) != len(i):
        raise InputError(f"users and songs go in pairs; there are {len(u)} users and {len(i)} songs")
    if len(u) and max(u.max(), i.max()) < 0:
        raise InputError(f"none of these users and songs is known: {unknown('user', names[0], known.user_rows)}")
    return u, i


def check_pairs(u: ArrayLike, i: ArrayLike, known: Ratings) -> tuple[Codes, Codes]:
    """Check rows and columns of R that go in pairs; −1 stands for an unknown one."""
    rows = check_codes(u, known.n_users, "user rows", True)
    columns = check_codes(i, known.n_songs, "song columns", True)
    if len(rows) != len(columns):
        raise InputError(f"user rows and song columns go in pairs; there are {len(rows)} rows and {len(columns)} columns")
    return rows, columns


def expect_some_known(ids: Iterable[Hashable], numbers: Mapping[Hashable, int], what: str) -> NDArray[np.intp]:
    """Look up the number of each id as `codes_of` does, but raise an error if there are ids and none is known."""
    names = as_list(ids, f"{what}s")
    codes = codes_of(names, numbers, what)
    if len(codes) and codes.max() < 0:
        raise unknown(what, names[0], numbers)
    return codes


def as_list(ids: Iterable[Hashable], what: str) -> list[Hashable]:
    """Turn a column of ids into a list."""
    if isinstance(ids, str | bytes):
        raise InputError(f"{what} is the single id {shown(ids)}; expected a list of ids: [{shown(ids)}]")
    shape = getattr(ids, "shape", ())
    if len(shape) > 1:
        raise InputError(f"{what} is a table of shape {shape}; expected a single column of ids")
    try:
        found = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    except TypeError:
        found = None
    if not isinstance(found, list):
        raise InputError(f"{what} is {shown(ids)}; expected a list of ids")
    return found


def columns_and_values(rated: Mapping[Hashable, float], known: Ratings) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Turn a new listener's {song: rating} into columns and values, in the order of the columns."""
    if not isinstance(rated, Mapping) or not rated:
        raise InputError("the listener has not rated a single song; at least one is needed: {song: rating, …}")
    i = np.array([known.column(song) for song in rated], dtype=np.intp)
    r = real_numbers(list(rated.values()), "ratings")
    if r.shape != i.shape:
        raise InputError("each song has one rating; expected {song: rating, …}")
    if not np.isfinite(r).all():
        raise InputError(f"rating {r[~np.isfinite(r)][0]} is not a finite number")
    if (np.abs(r) > LARGEST_VALUE).any():
        largest = f"expected up to ±{LARGEST_VALUE:g}, as in the training data"
        raise InputError(f"rating {r[np.abs(r) > LARGEST_VALUE][0]:g} is too large; {largest}")
    return i, r
