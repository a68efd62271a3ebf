"""Last.fm: the log of a thousand listeners (Celma 2010), and how often two thousand played which artists (HetRec 2011)."""

import os

import numpy as np

from acai.datasets.columns import Ids, Times
from acai.datasets.listening_log import ListeningLog
from acai.datasets.rated import compared, read_ratings
from acai.datasets.table import read_table
from acai.ratings import Ratings

LOG = "userid-timestamp-artid-artname-traid-traname.tsv"
PROFILES = "userid-profile.tsv"
ENDED = int(np.datetime64("2010-01-01T00:00:00", "s").astype(np.int64))  # the log was collected in 2009


def lastfm_1k(path: str | os.PathLike, complete: bool = False, **options) -> ListeningLog:
    """Last.fm 1K (Celma 2010): every play of 992 listeners up to 2009, 19,150,868 of them.

    Parameters
    ----------
    path : path
        `userid-timestamp-artid-artname-traid-traname.tsv`, or the folder or `lastfm-dataset-1K.tar.gz` that has it.
    complete : bool
        Whether a difference from the published numbers is an error; else it is told in `notes`.
    **options
        `on_error="skip"` leaves faulty lines out, counts them and names them in `notes`; `progress=True` shows a bar.

    Returns
    -------
    ListeningLog
        A song is the pair (artist, title): MusicBrainz ids are missing too often to tell songs apart by them.
    """
    fields = ("user", "time", "artist MBID", "artist", "track MBID", "title")
    columns = {"user": Ids("user"), "time": Times("time"), "song": Ids("artist", "title")}
    table = read_table(path, [LOG], fields, columns, **options)
    notes = table.notes()
    found = {"rows": table.n_rows, "users": len(table.ids["user"])}
    notes += compared(table.label, found, {"rows": 19_150_868, "users": 992}, complete)
    late = table.columns["time"] >= ENDED
    if late.any():
        line = table.line_of(int(late.argmax()))
        notes.append(f"{late.sum():,} plays are dated later than the log was collected: line {line}, …")
    plays = table.columns["user"], table.columns["song"], table.columns["time"]
    return ListeningLog(*plays, table.ids["user"], table.ids["song"], tuple(notes))


def lastfm_1k_profiles(path: str | os.PathLike, on_error: str = "raise") -> dict[str, dict[str, str]]:
    """Who the listeners of Last.fm 1K are: gender, age, country and registered, by user; "" where somebody did not say.

    Parameters
    ----------
    path : path
        `userid-profile.tsv`, or the folder or `lastfm-dataset-1K.tar.gz` that has it.
    on_error : {"raise", "skip"}
    """
    fields = ("#id", "gender", "age", "country", "registered")
    columns = {"#id": Ids("#id"), **{name: Ids(name, may_be_empty=True) for name in fields[1:]}}
    table = read_table(path, [PROFILES], fields, columns, header=fields, on_error=on_error)
    texts = zip(*(table.texts(name) for name in fields))
    return {user: dict(zip(fields[1:], profile)) for user, *profile in texts}


def hetrec_lastfm(path: str | os.PathLike, **options) -> Ratings:
    """HetRec 2011 (Cantador, Brusilovsky, Kuflik): how often 1,892 users played 17,632 artists, 92,834 pairs.

    Parameters
    ----------
    path : path
        `user_artists.dat`, or the folder or `hetrec2011-lastfm-2k.zip` that has it.
    **options
        `complete=True`, `on_error="skip"` and `progress=True`, as for `lastfm_1k`.

    Returns
    -------
    Ratings
        Play counts; the "songs" are artists, which `hetrec_artists` names. Ids are the text that stands in the file, so
        user 2 is `"2"`.
    """
    fields = ("userID", "artistID", "weight")
    published = {"rows": 92_834, "users": 1_892, "songs": 17_632}
    return read_ratings(path, ["user_artists.dat"], fields, *fields, header=fields, published=published, **options)


def hetrec_artists(path: str | os.PathLike) -> dict[str, str]:
    """The names of the artists of `hetrec_lastfm`, by their ids, from `artists.dat` or the folder or archive that has it."""
    fields = ("id", "name", "url", "pictureURL")
    columns = {"id": Ids("id"), "name": Ids("name", may_be_empty=True)}
    table = read_table(path, ["artists.dat"], fields, columns, header=fields)
    return dict(zip(table.texts("id"), table.texts("name")))
