"""From a table with the columns user, song, value (and time) to `Ratings`: the step that most readers share."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from acai.building import RepeatedPair
from acai.datasets.columns import Ids, Numbers
from acai.datasets.table import read_table
from acai.errors import InputError
from acai.ratings import Ratings


def read_ratings(
    path: str | os.PathLike, names: Sequence[str], fields: Sequence[str],
    user: str, song: str, value: str, time: str | None = None, combine: str | None = None,
    published: Mapping | None = None, complete: bool = False, on_error: str = "raise", **options,
) -> Ratings:
    """Read `Ratings` from a delimited file.

    Parameters
    ----------
    path, names, fields, on_error, **options
        As in `read_table`.
    user, song, value, time : str
        Which of the fields they are; a time is in whole seconds since 1970.
    combine : str, optional
        As in `Ratings.from_triplets`. Without it a repeated pair is a faulty line.
    published : mapping, optional
        The numbers of "rows", "users" and "songs" that the makers of the data set state, or these by the file's name.
    complete : bool
        Whether a difference from them is an error; else it is a note.
    """
    columns = {"user": Ids(user), "song": Ids(song), "value": Numbers(value)}
    if time is not None:
        columns["time"] = Numbers(time, np.int64, whole=True)
    table = read_table(path, names, fields, columns, on_error=on_error, **options)
    notes, times = table.notes(), table.columns.get("time")
    arguments = (*(table.columns[name] for name in ("user", "song", "value")), table.ids["user"], table.ids["song"])
    try:
        ratings = Ratings.from_codes(*arguments, combine, times)
    except RepeatedPair as error:
        first, second = map(table.line_of, error.rows)
        if on_error == "raise":
            raise InputError(
                f"{table.label}, line {second}: expected each pair of user and song once; "
                f"found user {error.user!r} and song {error.song!r}, as on line {first} already"
            ) from error
        ratings = Ratings.from_codes(*arguments, "first", times)
        n_repeated = table.n_rows - ratings.n_ratings
        notes.append(f"{n_repeated:,} skipped for want of a pair not seen before: line {second}, …")
    if published is not None:
        published = published if "rows" in published else published.get(table.name)
    found = {"rows": table.n_rows, "users": ratings.n_users, "songs": ratings.n_songs}
    notes += compared(table.label, found, published, complete)
    return Ratings(ratings.csr, ratings.users, ratings.songs, ratings.times, notes)


def compared(label: str, found: Mapping[str, int], published: Mapping[str, int] | None, complete: bool) -> list[str]:
    """How what was found differs from what was published: one note, or an error where the data set should be `complete`."""
    if published is None:
        if complete:
            raise InputError(f"{label}: complete=True, but no numbers are published for a file of this name")
        return []
    stated = ", ".join(f"{n:,} {what}" for what, n in published.items())
    differences = ", ".join(
        f"{abs(found[what] - n):,} {what} {'more' if found[what] > n else 'fewer'}"
        for what, n in published.items()
        if found[what] != n
    )
    if differences and complete:
        raise InputError(f"{label} is not complete: {stated} were published; it has {differences}")
    return [f"published: {stated}; here: {differences or 'the same'}"]
