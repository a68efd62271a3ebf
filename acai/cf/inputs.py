"""What users pass to a model: ratings, parts of ratings with the same axes, ids."""

from collections.abc import Hashable, Iterable, Mapping
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from acai.errors import InputError, shown
from acai.ratings import Ratings


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
    """Look up the number of each id; −1 for an unknown one."""
    try:
        return np.fromiter(map(numbers.get, as_list(ids, what), repeat(-1)), dtype=np.intp)
    except TypeError as error:
        raise InputError(f"one of the {what} cannot be an id: {error}") from None


def as_list(ids: Iterable[Hashable], what: str) -> list[Hashable]:
    """Turn a column of ids into a list."""
    if isinstance(ids, str):
        raise InputError(f"{what} is the single string {ids!r}; expected a list of ids: [{ids!r}]")
    try:
        found = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    except TypeError:
        found = None
    if not isinstance(found, list):
        raise InputError(f"{what} is {shown(ids)}; expected a list of ids")
    return found
