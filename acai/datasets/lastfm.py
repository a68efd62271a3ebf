"""Last.fm: plays of artists (HetRec 2011)."""

import os

from acai.datasets.triplets import read_ratings
from acai.ratings import Ratings


def hetrec_lastfm(path: str | os.PathLike, on_error: str = "raise", progress: bool = False) -> Ratings:
    """HetRec 2011 (Cantador, Brusilovsky, Kuflik 2011): how often 1,892 users played 17,632 artists, 92,834 pairs.

    Parameters
    ----------
    path : path
        `user_artists.dat`, or the folder or `hetrec2011-lastfm-2k.zip` that has it.
    on_error : {"raise", "skip"}
        With "skip", faulty lines are left out, counted and named in `Ratings.notes`.
    progress : bool
        Show a bar.

    Returns
    -------
    Ratings
        Play counts; the "songs" are artists. Ids are the text that stands in the file, so user 2 is `"2"`.
    """
    fields = ("userID", "artistID", "weight")
    return read_ratings(path, ["user_artists.dat"], fields, *fields, header=True, on_error=on_error, progress=progress)
