"""MovieLens (GroupLens, University of Minnesota): ratings of films, the classic of recommending."""

import os

from acai.datasets.columns import Ids
from acai.datasets.rated import read_ratings
from acai.datasets.source import opened
from acai.datasets.table import read_table
from acai.ratings import Ratings

FIELDS = ("user", "item", "rating", "timestamp")


def movielens_100k(path: str | os.PathLike, **options) -> Ratings:
    """100,000 ratings, 1 to 5, of 1,682 films by 943 users.

    Parameters
    ----------
    path : path
        `u.data`, or the folder or `ml-100k.zip` that has it.
    **options
        `complete=True` makes a difference from the published numbers an error, which is told in `Ratings.notes` else;
        `on_error="skip"` leaves faulty lines out, counts them and names them there; `progress=True` shows a bar.

    Returns
    -------
    Ratings
        With times. Ids are the text that stands in the file, so user 42 is `"42"`; `movielens_titles` names the films.
    """
    published = {"rows": 100_000, "users": 943, "songs": 1_682}
    return read_ratings(path, ["u.data"], FIELDS, *FIELDS, published=published, **options)


def movielens_1m(path: str | os.PathLike, **options) -> Ratings:
    """1,000,209 ratings, 1 to 5, of 3,706 films by 6,040 users: `ratings.dat`, or the folder or `ml-1m.zip` that has it.

    Parameters and result are those of `movielens_100k`.
    """
    published = {"rows": 1_000_209, "users": 6_040, "songs": 3_706}
    return read_ratings(path, ["ratings.dat"], FIELDS, *FIELDS, separator="::", published=published, **options)


def movielens_titles(path: str | os.PathLike) -> dict[str, str]:
    """The titles of the films by their ids: `u.item` or `movies.dat` (both Latin-1), or the folder or archive with it."""
    names = ["u.item", "movies.dat"]
    with opened(path, *names) as source:
        is_1m = b"::" in source.stream.readline(1 << 16)
    rest = ["genres"] if is_1m else [f"field {f}" for f in range(3, 25)]
    columns = {"id": Ids("id"), "title": Ids("title", may_be_empty=True)}
    separator = "::" if is_1m else "|"
    table = read_table(path, names, ["id", "title", *rest], columns, separator=separator, encoding="latin-1")
    return dict(zip(table.texts("id"), table.texts("title")))
