"""Data sets that are already a matrix, of ratings or of play counts: some of them, and the step that they all share."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypedDict, Unpack

import numpy as np

from acai.datasets.layouts import Layout
from acai.errors import InputError
from acai.ratings import Ratings
from acai.ratings.building import RepeatedPair
from acai.tables.columns import Ids, Numbers, Seconds, Times
from acai.tables.lines import TableFormat
from acai.tables.reader import Table, read_table, skipped_note
from acai.tables.source import FilePath

HETREC = Layout(TableFormat(("userID", "artistID", "weight"), ["user_artists.dat"], header=True), 0, 1, Numbers(2))
HETREC_ARTISTS = TableFormat(("id", "name", "url", "pictureURL"), ["artists.dat"], header=True)
TRIPLETS = ["train_triplets.txt", "kaggle_visible_evaluation_triplets.txt"]
TASTE_PROFILE = Layout(TableFormat(("user", "song", "count"), TRIPLETS), 0, 1, Numbers(2))
PUBLISHED = {  # the numbers that the makers of each file published; of each data set, where several have one name
    "u.data": {"rows": 100_000, "users": 943, "songs": 1_682},
    "ratings.dat": {"rows": 1_000_209, "users": 6_040, "songs": 3_706},
    "ml-25m": {"rows": 25_000_095, "users": 162_541},
    "ml-32m": {"rows": 32_000_204, "users": 200_948},
    "user_artists.dat": {"rows": 92_834, "users": 1_892, "songs": 17_632},
    "train_triplets.txt": {"rows": 48_373_586, "users": 1_019_318, "songs": 384_546},
    "kaggle_visible_evaluation_triplets.txt": {"rows": 1_450_933, "users": 110_000},
    "acai_game_user_ratings.json": {"rows": 835, "users": 44, "songs": 505},
    "userid-timestamp-artid-artname-traid-traname.tsv": {"rows": 19_150_868, "users": 992},
    "unique_tracks.txt": {"rows": 1_000_000},
    "subset_unique_tracks.txt": {"rows": 10_000},
}


class ReadOptions(TypedDict, total=False):
    """Options of all readers of delimited files."""

    on_error: str  # "raise", or "skip": leave faulty lines out, and count and list them in the notes
    progress: bool  # show a progress bar


class CompleteOptions(ReadOptions, total=False):
    """Options of readers of data sets with published numbers."""

    complete: bool  # whether a difference from the published numbers is an error, rather than a note


def hetrec_lastfm(path: FilePath, **options: Unpack[CompleteOptions]) -> Ratings:
    """HetRec 2011 (Cantador, Brusilovsky, Kuflik): how often 1,892 users of Last.fm played 17,632 artists, 92,834 pairs.

    Parameters
    ----------
    path : path
        `user_artists.dat`, or the folder or `hetrec2011-lastfm-2k.zip` that has it.
    **options
        `complete=True`, `on_error="skip"` and `progress=True`, as for `movielens_100k`.

    Returns
    -------
    Ratings
        Play counts; the "songs" are artists, and `hetrec_artists` has their names. Ids are text as in the file, so user 2
        is `"2"`.
    """
    return rated(path, HETREC, **options)


def hetrec_artists(path: FilePath) -> dict[str, str]:
    """Read the names of the artists of `hetrec_lastfm` by id, from `artists.dat` or the folder or archive that has it."""
    return names_by_id(path, HETREC_ARTISTS)


def taste_profile(
    path: FilePath, mismatches: Collection[tuple[str, str]] = (), **options: Unpack[CompleteOptions]
) -> Ratings:
    """Read the Echo Nest Taste Profile: how often 1,019,318 users played 384,546 songs, 48,373,586 pairs.

    Parameters
    ----------
    path : path
        `train_triplets.txt` or the challenge's `kaggle_visible_evaluation_triplets.txt`, or the folder or archive with it.
    mismatches : collection of (song, track)
        As returned by `msd_mismatches`: plays of these songs are dropped, since nobody knows which song was played.
    **options
        `complete=True`, `on_error="skip"` and `progress=True`, as for `movielens_100k`.

    Returns
    -------
    Ratings
        Play counts.
    """
    ratings = rated(path, TASTE_PROFILE, **options)
    if not mismatches:
        return ratings
    songs = {song for song, _ in mismatches}
    right = np.array([song not in songs for song in ratings.songs])
    kept = ratings.keep(right[ratings.csr.indices]).filter()
    note = f"dropped {ratings.n_ratings - kept.n_ratings:,} rows of {(~right).sum():,} songs that belong to the wrong track"
    return Ratings(kept.csr, kept.users, kept.songs, notes=[*ratings.notes, note])


def compared(label: str, name: str, found: Mapping[str, int], complete: bool) -> list[str]:
    """Compare what was found with the published numbers: one note, or an error if the data set must be `complete`."""
    published = PUBLISHED.get(name)
    if published is None:
        if complete:
            raise InputError(f"{label}: complete=True, but no numbers are published for a file of this name")
        return []
    stated = ", ".join(f"{n:,} {what}" for what, n in published.items())
    more = {what: found[what] - n for what, n in published.items() if found[what] != n}
    differences = ", ".join(f"{abs(n):,} {what} {'more' if n > 0 else 'fewer'}" for what, n in more.items())
    if differences and complete:
        raise InputError(f"{label} is not complete: {stated} were published; it has {differences}")
    return [f"published: {stated}; here: {differences or 'the same'}"]


def rated(
    path: FilePath, layout: Layout, combine: str | None = None, complete: bool = False, **options: Unpack[ReadOptions]
) -> Ratings:
    """Read ratings from a delimited file.

    Without `combine` (as in `Ratings.from_triplets`) a repeated pair is a faulty line.
    """
    form = layout.form
    kinds: dict[str, Ids | Numbers | Seconds | Times] = {
        "user": Ids(layout.user), "song": Ids(layout.song), "value": layout.value
    }
    if layout.time is not None:
        kinds["time"] = layout.time
    table = read_table(path, form, kinds, **options)
    sizes = {"rows": table.n_rows, "users": len(table.ids["user"]), "songs": len(table.ids["song"])}
    name = layout.published or (form.names[0] if len(form.names) == 1 else table.name)
    notes = [*table.notes(), *layout.notes, *compared(table.label, name, sizes, complete)]
    try:
        return _from_table(table, combine, notes)
    except RepeatedPair as error:
        first, second = map(table.line_of, error.rows)
        if options.get("on_error", "raise") == "raise":
            found = f"user {error.user!r} and song {error.song!r}, as on line {first} already"
            expected = "expected each pair of user and song once"
            raise InputError(f"{table.label}, line {second}: {expected}; found {found}") from error
    kept = _from_table(table, "first", notes)
    note = skipped_note(table.n_rows - kept.n_ratings, "each pair of user and song once", f"{second}, …")
    return replace(kept, notes=[*notes, note])


def _from_table(table: Table, combine: str | None, notes: list[str]) -> Ratings:
    columns, ids = table.columns, table.ids
    codes = columns["user"], columns["song"]
    return Ratings.from_codes(*codes, columns["value"], ids["user"], ids["song"], combine, columns.get("time"), notes)


def names_by_id(path: FilePath, form: TableFormat) -> dict[str, str]:
    """Map the first field, an id, to the second; each id must occur once."""
    table = read_table(path, form, {"id": Ids(0), "name": Ids(1, may_be_empty=True)})
    names: dict[str, str] = {}
    for key, name in zip(table.texts("id"), table.texts("name")):
        if key in names:
            raise InputError(f"{path} names {key!r} twice; expected each id once: part of it may be doubled, download it again")
        names[key] = name
    return names
