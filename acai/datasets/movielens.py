"""MovieLens (GroupLens, University of Minnesota): ratings of films, the classic of recommending."""

import os

from acai.datasets.triplets import read_ratings
from acai.ratings import Ratings

FIELDS = ("user", "item", "rating", "timestamp")


def movielens_100k(path: str | os.PathLike, on_error: str = "raise", progress: bool = False) -> Ratings:
    """100,000 ratings of 1,682 films by 943 users: `u.data`, or the folder or `ml-100k.zip` that has it.

    Parameters
    ----------
    path : path
    on_error : {"raise", "skip"}
        With "skip", faulty lines are left out, counted and named in `Ratings.notes`.
    progress : bool
        Show a bar.

    Returns
    -------
    Ratings
        Ids are the text that stands in the file, so user 42 is `"42"`.
    """
    return read_ratings(path, ["u.data"], FIELDS, "user", "item", "rating", on_error=on_error, progress=progress)


def movielens_1m(path: str | os.PathLike, on_error: str = "raise", progress: bool = False) -> Ratings:
    """1,000,209 ratings of 3,706 films by 6,040 users: `ratings.dat`, or the folder or `ml-1m.zip` that has it.

    Parameters and result are those of `movielens_100k`.
    """
    return read_ratings(
        path, ["ratings.dat"], FIELDS, "user", "item", "rating", separator="::", on_error=on_error, progress=progress
    )
