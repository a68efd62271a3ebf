"""The Million Song Dataset (Bertin-Mahieux 2011) and the Echo Nest Taste Profile that belongs to it."""

import os
import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from acai.datasets.columns import Ids
from acai.datasets.rated import compared, read_ratings
from acai.datasets.source import opened
from acai.datasets.table import EXCERPT, read_table
from acai.errors import InputError
from acai.ratings import Ratings

PUBLISHED = {
    "train_triplets.txt": {"rows": 48_373_586, "users": 1_019_318, "songs": 384_546},
    "kaggle_visible_evaluation_triplets.txt": {"rows": 1_450_933, "users": 110_000},
    "unique_tracks.txt": {"rows": 1_000_000},
    "subset_unique_tracks.txt": {"rows": 10_000},
}
MISMATCH = re.compile(rb"(?:< )?ERROR: <(SO\w{16}) (TR\w{16})> ")


@dataclass(frozen=True, repr=False)
class Tracks:
    """The tracks of the Million Song Dataset, one entry each; several tracks may be the same song.

    Attributes
    ----------
    track_ids, song_ids, artists, titles : lists of str
    notes : tuple of str
        Where they come from, and how they differ from what was published.
    """

    track_ids: list[str]
    song_ids: list[str]
    artists: list[str]
    titles: list[str]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.track_ids)

    def __repr__(self) -> str:
        n_songs, n_artists = len(set(self.song_ids)), len(set(self.artists))
        return f"Tracks: {len(self):,} tracks of {n_songs:,} songs by {n_artists:,} artists"


def msd_tracks(path: str | os.PathLike, complete: bool = False, **options) -> Tracks:
    """Which tracks there are: a million, or the ten thousand of the subset.

    Parameters
    ----------
    path : path
        `unique_tracks.txt` or `subset_unique_tracks.txt`, or the folder or archive that has it.
    complete : bool
        Whether a difference from the published number is an error; else it is told in `notes`.
    **options
        `on_error="skip"` leaves faulty lines out, counts them and names them in `notes`; `progress=True` shows a bar.

    Returns
    -------
    Tracks
    """
    names = ["unique_tracks.txt", "subset_unique_tracks.txt"]
    fields = ("track", "song", "artist", "title")
    columns = {name: Ids(name, may_be_empty=name in ("artist", "title")) for name in fields}
    table = read_table(path, names, fields, columns, separator="<SEP>", **options)
    notes = table.notes() + compared(table.label, {"rows": table.n_rows}, PUBLISHED.get(table.name), complete)
    return Tracks(*map(table.texts, fields), tuple(notes))


def msd_mismatches(path: str | os.PathLike, accepted: str | os.PathLike | None = None) -> set[tuple[str, str]]:
    """The pairs (song, track) of which the makers found that the Taste Profile's song is not the track's.

    Parameters
    ----------
    path : path
        `sid_mismatches.txt`, or the folder that has it: 19,094 pairs.
    accepted : path, optional
        `sid_matches_manually_accepted.txt`: the pairs that were right after all, and are left out.

    Returns
    -------
    set of (str, str)
    """
    pairs = set()
    with opened(path, "sid_mismatches.txt") as source:
        for number, line in enumerate(source.stream.read().split(b"\n"), start=1):
            found = MISMATCH.match(line)
            if line.strip() and not found:
                raise InputError(
                    f"{source.label}, line {number}: expected 'ERROR: <SO… TR…> artist  -  title  !=  …'; "
                    f"found {line[:EXCERPT].decode(errors='backslashreplace')!r}"
                )
            if found:
                pairs.add((found[1].decode(), found[2].decode()))
    if not pairs:
        raise InputError(f"{path} is empty; expected lines 'ERROR: <SO… TR…> artist  -  title  !=  …'")
    if accepted is not None:
        with opened(accepted, "sid_matches_manually_accepted.txt") as source:  # a diff: its other lines are remarks
            again = {(a.decode(), b.decode()) for a, b in MISMATCH.findall(source.stream.read())}
        if not again:
            raise InputError(f"{accepted}: expected lines '< ERROR: <SO… TR…> …'; found none")
        pairs -= again
    return pairs


def taste_profile(path: str | os.PathLike, mismatches: Collection[tuple[str, str]] = (), **options) -> Ratings:
    """The Echo Nest Taste Profile: how often 1,019,318 users played 384,546 songs, 48,373,586 pairs.

    Parameters
    ----------
    path : path
        `train_triplets.txt` or the challenge's `kaggle_visible_evaluation_triplets.txt`, or the folder or archive with it.
    mismatches : collection of (song, track)
        What `msd_mismatches` gives: plays of these songs are dropped, for nobody knows which song was played.
    **options
        `complete=True` makes a difference from the published numbers an error, which is told in `Ratings.notes` else;
        `on_error="skip"` leaves faulty lines out, counts them and names them there; `progress=True` shows a bar.

    Returns
    -------
    Ratings
        Play counts.
    """
    names = ["train_triplets.txt", "kaggle_visible_evaluation_triplets.txt"]
    fields = ("user", "song", "count")
    ratings = read_ratings(path, names, fields, *fields, published=PUBLISHED, **options)
    if not mismatches:
        return ratings
    songs = {song for song, _ in mismatches}
    right = np.array([song not in songs for song in ratings.songs])
    kept = ratings.keep(right[ratings.csr.indices]).filter()
    note = f"dropped {ratings.n_ratings - kept.n_ratings:,} rows of {(~right).sum():,} songs that belong to the wrong track"
    return Ratings(kept.csr, kept.users, kept.songs, notes=[*ratings.notes, note])
