"""Data sets that are a matrix already, of ratings or of play counts: one function each, and the step that they share."""

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from numbers import Integral

import numpy as np

from acai.errors import InputError, shown
from acai.ratings import Ratings
from acai.ratings.building import RepeatedPair
from acai.settings import Limits, checked
from acai.tables.reader import BOM, EXCERPT, Ids, Numbers, read_table
from acai.tables.source import opened, read_all

SEPARATORS = ("\t", "<SEP>", "::", ",", ";", "|", " ")
MOVIELENS = ("user", "item", "rating", "timestamp")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # how JSON spells half a letter
PUBLISHED = {  # what the makers of each file say that it holds
    "u.data": {"rows": 100_000, "users": 943, "songs": 1_682},
    "ratings.dat": {"rows": 1_000_209, "users": 6_040, "songs": 3_706},
    "user_artists.dat": {"rows": 92_834, "users": 1_892, "songs": 17_632},
    "train_triplets.txt": {"rows": 48_373_586, "users": 1_019_318, "songs": 384_546},
    "kaggle_visible_evaluation_triplets.txt": {"rows": 1_450_933, "users": 110_000},
    "acai_game_user_ratings.json": {"rows": 835, "users": 44, "songs": 505},
    "userid-timestamp-artid-artname-traid-traname.tsv": {"rows": 19_150_868, "users": 992},
    "unique_tracks.txt": {"rows": 1_000_000},
    "subset_unique_tracks.txt": {"rows": 10_000},
}


def movielens_100k(path: str | os.PathLike, **options) -> Ratings:
    """100,000 ratings, 1 to 5, of 1,682 films by 943 users (GroupLens, University of Minnesota).

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
    return _rated(path, ["u.data"], MOVIELENS, (0, 1, 2, 3), **options)


def movielens_1m(path: str | os.PathLike, **options) -> Ratings:
    """1,000,209 ratings, 1 to 5, of 3,706 films by 6,040 users: `ratings.dat`, or the folder or `ml-1m.zip` that has it.

    Parameters and result are those of `movielens_100k`.
    """
    return _rated(path, ["ratings.dat"], MOVIELENS, (0, 1, 2, 3), separator="::", **options)


def movielens_titles(path: str | os.PathLike) -> dict[str, str]:
    """The titles of the films by their ids: `u.item` or `movies.dat` (both Latin-1), or the folder or archive with it."""
    names = ["u.item", "movies.dat"]
    with opened(path, *names) as source:
        is_1m = b"::" in source.stream.readline(1 << 16)
    rest = ["genres"] if is_1m else [f"field {f}" for f in range(3, 25)]
    return _names(path, names, ["id", "title", *rest], separator="::" if is_1m else "|", encoding="latin-1")


def hetrec_lastfm(path: str | os.PathLike, **options) -> Ratings:
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
        Play counts; the "songs" are artists, which `hetrec_artists` names. Ids are the text that stands in the file, so
        user 2 is `"2"`.
    """
    return _rated(path, ["user_artists.dat"], ("userID", "artistID", "weight"), (0, 1, 2), header=True, **options)


def hetrec_artists(path: str | os.PathLike) -> dict[str, str]:
    """The names of the artists of `hetrec_lastfm`, by their ids, from `artists.dat` or the folder or archive that has it."""
    return _names(path, ["artists.dat"], ["id", "name", "url", "pictureURL"], header=True)


def taste_profile(path: str | os.PathLike, mismatches: Collection[tuple[str, str]] = (), **options) -> Ratings:
    """The Echo Nest Taste Profile: how often 1,019,318 users played 384,546 songs, 48,373,586 pairs.

    Parameters
    ----------
    path : path
        `train_triplets.txt` or the challenge's `kaggle_visible_evaluation_triplets.txt`, or the folder or archive with it.
    mismatches : collection of (song, track)
        What `msd_mismatches` gives: plays of these songs are dropped, for nobody knows which song was played.
    **options
        `complete=True`, `on_error="skip"` and `progress=True`, as for `movielens_100k`.

    Returns
    -------
    Ratings
        Play counts.
    """
    names = ["train_triplets.txt", "kaggle_visible_evaluation_triplets.txt"]
    ratings = _rated(path, names, ("user", "song", "count"), (0, 1, 2), **options)
    if not mismatches:
        return ratings
    songs = {song for song, _ in mismatches}
    right = np.array([song not in songs for song in ratings.songs])
    kept = ratings.keep(right[ratings.csr.indices]).filter()
    note = f"dropped {ratings.n_ratings - kept.n_ratings:,} rows of {(~right).sum():,} songs that belong to the wrong track"
    return Ratings(kept.csr, kept.users, kept.songs, notes=[*ratings.notes, note])


def triplets(
    path: str | os.PathLike, separator: str | None = None, columns: Sequence[int] = (0, 1, 2), header: bool = False,
    combine: str | None = None, **options,
) -> Ratings:
    """Read any delimited file of user, song and value.

    Parameters
    ----------
    path : path
        The file, also as `.gz`, `.zip` or `.tar.gz` with only this file inside.
    separator : str, optional
        What stands between two fields; without it, whatever parts the first line into three or more: a tab, `<SEP>`,
        `::`, `,`, `;`, `|` or a space, in this order. There is no quoting: a separator always separates.
    columns : three ints
        Where on the line the user, the song and the value stand, counted from 0.
    header : bool
        Whether the first line names the fields.
    combine : {None, "sum", "mean", "max", "min", "first", "last", "count"}
        What to do where a pair occurs more than once. With None that is an error.
    **options
        `on_error="skip"` leaves faulty lines out, counts them and names them in `Ratings.notes`; `progress=True` shows a bar.

    Returns
    -------
    Ratings
        Ids are the text that stands in the file, so user 42 is `"42"`.
    """
    if separator is not None and not isinstance(separator, str):
        raise InputError(f"separator={shown(separator)}; expected text, such as ','")
    with opened(path) as source:
        first = source.stream.readline(1 << 16).removeprefix(BOM).decode(errors="replace").rstrip("\r\n")
    separator = separator or next((s for s in SEPARATORS if first.count(s) >= 2), None)
    if separator is None:
        expected = "user, song and value with a separator between them"
        raise InputError(f"{path}, line 1: expected {expected}; found {first[:EXCERPT]!r}")
    names = first.split(separator)
    given = columns.tolist() if isinstance(columns, np.ndarray) else columns
    chosen = [int(c) for c in given if _is_place(c, len(names))] if isinstance(given, Sequence) else []
    if len(chosen) != 3 or len(given) != 3:
        expected = f"three numbers from 0 to {len(names) - 1}, as line 1 has {len(names)} fields"
        raise InputError(f"columns={shown(columns)}; expected {expected}")
    header = checked("header", header, bool, Limits())
    fields = names if header else [f"field {f + 1}" for f in range(len(names))]
    return _rated(path, (), fields, chosen, combine=combine, separator=separator, header=header, **options)


def acai_game(path: str | os.PathLike, complete: bool = False) -> Ratings:
    """The Acai game (BerryAI 2016, MIT licence): 835 ratings, 1 to 5, of 505 songs by 44 users. Tiny, and real.

    Parameters
    ----------
    path : path
        `acai_game_user_ratings.json`, a JSON object `{user: {song: rating}}`, or the folder or archive that has it.
    complete : bool
        Whether a difference from the published numbers is an error; else it is told in `Ratings.notes`.

    Returns
    -------
    Ratings
        Songs are Spotify ids; `acai_game_titles` names them.
    """
    data, label = _json(path, "acai_game_user_ratings.json")
    entries = []
    for user, rated in data.items():
        if not isinstance(rated, dict):
            raise InputError(f"{label}, user {shown(user)}: expected {{song: rating, …}}; found {shown(rated)}")
        for song, rating in rated.items():
            if type(rating) not in (int, float) or not 1 <= rating <= 5:
                where = f"{label}, user {shown(user)}, song {shown(song)}"
                raise InputError(f"{where}: expected a rating from 1 to 5; found {shown(rating)}")
            entries.append((user, song, rating))
    if not entries:
        raise InputError(f"{label} has not one rating; expected {{user: {{song: rating, …}}, …}}")
    ratings = Ratings.from_triplets(*zip(*entries))
    sizes = {"rows": ratings.n_ratings, "users": ratings.n_users, "songs": ratings.n_songs}
    notes = [f"{label}: {ratings.n_ratings:,} rows", *compared(label, "acai_game_user_ratings.json", sizes, complete)]
    return Ratings(ratings.csr, ratings.users, ratings.songs, notes=notes)


def acai_game_titles(path: str | os.PathLike) -> dict[str, str]:
    """"artist: title" of the songs of the Acai game by their ids: `tracks.json`, or the folder or archive that has it."""
    tracks, label = _json(path, "tracks.json")
    titles = {}
    for song, track in tracks.items():
        name, artists = (track.get("name"), track.get("artists")) if isinstance(track, dict) else (None, None)
        if not (isinstance(name, str) and isinstance(artists, list) and all(isinstance(artist, str) for artist in artists)):
            expected = '{"name": "…", "artists": ["…", …]}'
            raise InputError(f"{label}, song {shown(song)}: expected {expected}; found {shown(track)}")
        titles[song] = f"{', '.join(artists)}: {name}"
    return titles


def _is_place(column: object, n: int) -> bool:
    """Whether this is the number of one of `n` columns."""
    return isinstance(column, Integral) and not isinstance(column, bool) and 0 <= column < n


def compared(label: str, name: str, found: Mapping[str, int], complete: bool) -> list[str]:
    """How what was found differs from what was published: one note, or an error where the data set should be `complete`."""
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


def _rated(
    path: str | os.PathLike, names: Sequence[str], fields: Sequence[str], columns: Sequence[int],
    combine: str | None = None, complete: bool = False, on_error: str = "raise", **options,
) -> Ratings:
    """The ratings in a delimited file (see `read_table`), of which `columns` are user, song, value and perhaps time.

    Without `combine` (as in `Ratings.from_triplets`) a repeated pair is a faulty line.
    """
    user, song, value, *time = columns
    kinds = {"user": Ids(user), "song": Ids(song), "value": Numbers(value)}
    if time:
        kinds["time"] = Numbers(*time, np.int64)
    table = read_table(path, names, fields, kinds, on_error=on_error, **options)
    users, songs, times = table.ids["user"], table.ids["song"], table.columns.get("time")
    sizes = {"rows": table.n_rows, "users": len(users), "songs": len(songs)}
    notes = table.notes() + compared(table.label, names[0] if len(names) == 1 else table.name, sizes, complete)
    entries = table.columns["user"], table.columns["song"], table.columns["value"], users, songs
    try:
        return Ratings.from_codes(*entries, combine, times, notes)
    except RepeatedPair as error:
        first, second = map(table.line_of, error.rows)
        if on_error == "raise":
            found = f"user {error.user!r} and song {error.song!r}, as on line {first} already"
            expected = "expected each pair of user and song once"
            raise InputError(f"{table.label}, line {second}: {expected}; found {found}") from error
        kept = Ratings.from_codes(*entries, "first", times)
        note = f"{table.n_rows - kept.n_ratings:,} skipped for want of a pair not seen before: line {second}, …"
        return Ratings(kept.csr, kept.users, kept.songs, kept.times, [*notes, note])


def _names(path: str | os.PathLike, names: Sequence[str], fields: Sequence[str], **options) -> dict[str, str]:
    """The second field by the first, an id."""
    table = read_table(path, names, fields, {"id": Ids(0), "name": Ids(1, may_be_empty=True)}, **options)
    return dict(zip(table.texts("id"), table.texts("name")))


def _json(path: str | os.PathLike, name: str) -> tuple[dict, str]:
    with opened(path, name) as source:
        raw, label = read_all(source), source.label

    def each_once(pairs: list[tuple[str, object]]) -> dict:  # JSON lets a name occur twice, and the first would be lost
        for name, n in Counter(name for name, _ in pairs).items():
            if n > 1:
                raise InputError(f"{label}: expected each name once in an object; found {shown(name)} again")
        return dict(pairs)

    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=each_once)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{label}, line {line}: expected UTF-8 text; found {raw[error.start : error.end]!r}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{label}, line {error.lineno}: expected JSON; {error.msg}") from error
    except InputError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:  # a number of 5,000 digits; brackets 5,000 deep
        raise InputError(f"{label}: expected JSON with short numbers and few levels; {str(error) or 'out of memory'}") from error
    if SURROGATE.search(raw) and re.search("[\ud800-\udfff]", json.dumps(data, ensure_ascii=False)):
        raise InputError(f"{label}: expected text in JSON; found half a letter (a lone \\ud800 to \\udfff)")
    if not isinstance(data, dict):
        raise InputError(f"{label}: expected a JSON object {{…}}; found a {type(data).__name__}")
    return data, label
