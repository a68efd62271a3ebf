"""From a table with the columns user, song, value (and time) to `Ratings`: the step that most readers share."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from acai.building import RepeatedPair
from acai.datasets.columns import Ids, Numbers
from acai.datasets.table import Table, read_table
from acai.errors import InputError
from acai.ratings import Ratings


def read_ratings(
    path: str | os.PathLike,
    names: Sequence[str],
    fields: Sequence[str],
    user: str,
    song: str,
    value: str,
    time: str | None = None,
    combine: str | None = None,
    published: Mapping[str, int] | None = None,
    complete: bool = False,
    on_error: str = "raise",
    **options,
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
        The numbers of "rows", "users" and "songs" that the makers of the data set state.
    complete : bool
        Whether a difference from them is an error; else it is a note.
    """
    columns = {"user": Ids(user), "song": Ids(song), "value": Numbers(value)}
    if time is not None:
        columns["time"] = Numbers(time, np.int64, whole=True)
    table = read_table(path, names, fields, columns, on_error=on_error, **options)
    return to_ratings(table, combine, published, complete, on_error)


def to_ratings(
    table: Table, combine: str | None, published: Mapping[str, int] | None, complete: bool, on_error: str
) -> Ratings:
    """`Ratings` from a table with the columns user, song, value and perhaps time; see `read_ratings`."""
    notes = table.notes()
    if table.n_rows == 0:
        raise InputError(f"not one line could be used; {'; '.join(notes)}")
    user, song, value = (table.columns[name] for name in ("user", "song", "value"))
    arguments = (user, song, value, table.ids["user"], table.ids["song"])
    try:
        ratings = Ratings.from_codes(*arguments, combine, table.columns.get("time"))
    except RepeatedPair as error:
        first, second = (table.line_of(row) for row in error.rows)
        if on_error == "raise":
            raise InputError(
                f"{table.label}, line {second}: expected each pair of user and song once; "
                f"found user {error.user!r} and song {error.song!r}, as on line {first} already"
            ) from error
        ratings = Ratings.from_codes(*arguments, "first", table.columns.get("time"))
        n_repeated = table.n_rows - ratings.n_ratings
        notes.append(f"{n_repeated:,} skipped for want of a pair not seen before: line {second}, …")
    found = {"rows": table.n_rows, "users": ratings.n_users, "songs": ratings.n_songs}
    notes += compared(table.label, found, published, complete)
    return Ratings(ratings.csr, ratings.users, ratings.songs, ratings.times, notes)


def compared(label: str, found: Mapping[str, int], published: Mapping[str, int] | None, complete: bool) -> list[str]:
    """How what was found differs from what was published: one note, or an error where the data set should be `complete`."""
    if published is None and complete:
        raise InputError(f"{label}: complete=True, but no numbers are published for a file of this name")
    if published is None:
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
