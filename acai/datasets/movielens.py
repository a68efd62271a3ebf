"""MovieLens (GroupLens, University of Minnesota): ratings of films, in the three forms that it has had over the years."""

from dataclasses import replace
from typing import Unpack

import numpy as np

from acai.datasets.layouts import Layout
from acai.datasets.rated import CompleteOptions, names_by_id, rated
from acai.ratings import Ratings
from acai.tables.columns import Numbers
from acai.tables.encodings import BOM
from acai.tables.lines import TableFormat
from acai.tables.source import FilePath, opened

FORM_100K = TableFormat(("user", "item", "rating", "timestamp"), ["u.data"])
FORM_1M = replace(FORM_100K, names=["ratings.dat"], separator="::")
FORM_CSV = TableFormat(("userId", "movieId", "rating", "timestamp"), ["ratings.csv"], ",", header=True)
MOVIELENS_100K = Layout(FORM_100K, 0, 1, Numbers(2), Numbers(3, np.int64))
MOVIELENS_1M = replace(MOVIELENS_100K, form=FORM_1M)
MOVIELENS_CSV = replace(MOVIELENS_100K, form=FORM_CSV)
REST = [f"field {f}" for f in range(3, 25)]
TITLES_100K = TableFormat(("id", "title", *REST), ["u.item"], separator="|", encoding="latin-1")
TITLES_1M = TableFormat(("id", "title", "genres"), ["movies.dat"], separator="::", encoding="latin-1")
TITLES_CSV = TableFormat(("movieId", "title", "genres"), ["movies.csv"], ",", header=True, quoted=True)


def movielens_100k(path: FilePath, **options: Unpack[CompleteOptions]) -> Ratings:
    """100,000 ratings, 1 to 5, of 1,682 films by 943 users (GroupLens, University of Minnesota).

    Parameters
    ----------
    path : path
        `u.data`, or the folder or `ml-100k.zip` that has it.
    **options
        `complete=True` makes any difference from the published numbers an error (otherwise it is one of `Ratings.notes`);
        `on_error="skip"` leaves faulty lines out, and counts and lists them there; `progress=True` shows a progress bar.

    Returns
    -------
    Ratings
        With times. Ids are text as in the file, so user 42 is `"42"`; `movielens_titles` has the titles.
    """
    return rated(path, MOVIELENS_100K, **options)


def movielens_1m(path: FilePath, **options: Unpack[CompleteOptions]) -> Ratings:
    """1,000,209 ratings, 1 to 5, of 3,706 films by 6,040 users: `ratings.dat`, or the folder or `ml-1m.zip` that has it.

    Parameters and result are those of `movielens_100k`.
    """
    return rated(path, MOVIELENS_1M, **options)


def movielens_latest(path: FilePath, **options: Unpack[CompleteOptions]) -> Ratings:
    """Ratings, 0.5 to 5, of films in the newer form of MovieLens: `ratings.csv`, or the folder or archive that has it.

    That is `ml-latest-small.zip`, with about 100,000 ratings, `ml-latest.zip`, with some 33 million, both of which change
    from time to time, and also `ml-20m.zip`. Parameters and result are those of `movielens_100k`, but no numbers are published.
    """
    return rated(path, replace(MOVIELENS_CSV, published="ml-latest"), **options)


def movielens_25m(path: FilePath, **options: Unpack[CompleteOptions]) -> Ratings:
    """25,000,095 ratings, 0.5 to 5, by 162,541 users: `ratings.csv`, or the folder or `ml-25m.zip` that has it.

    Parameters and result are those of `movielens_100k`.
    """
    return rated(path, replace(MOVIELENS_CSV, published="ml-25m"), **options)


def movielens_32m(path: FilePath, **options: Unpack[CompleteOptions]) -> Ratings:
    """32,000,204 ratings, 0.5 to 5, by 200,948 users: `ratings.csv`, or the folder or `ml-32m.zip` that has it.

    Parameters and result are those of `movielens_100k`.
    """
    return rated(path, replace(MOVIELENS_CSV, published="ml-32m"), **options)


def movielens_titles(path: FilePath) -> dict[str, str]:
    """Read the titles of the films by id: `u.item`, `movies.dat` or `movies.csv`, or the folder or archive that has it."""
    names = [*TITLES_100K.names, *TITLES_1M.names, *TITLES_CSV.names]
    with opened(path, *names) as source:
        first = source.stream.readline(1 << 16)
    if first.removeprefix(BOM).startswith(b"movieId"):
        form = TITLES_CSV
    else:
        form = TITLES_1M if b"::" in first else TITLES_100K
    return names_by_id(path, replace(form, names=names))
