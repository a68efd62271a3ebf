"""The Million Song Dataset (Bertin-Mahieux 2011): its tracks, which are wrong, and their features. It has no audio."""

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from acai.datasets.rated import ReadOptions, compared
from acai.errors import InputError
from acai.tables.archives import Source
from acai.tables.columns import Ids
from acai.tables.lines import TableFormat
from acai.tables.reader import EXCERPT, read_table
from acai.tables.source import FilePath, members, opened, read_all

if TYPE_CHECKING:
    import h5py

TRACKS = TableFormat(
    ("track", "song", "artist", "title"), ["unique_tracks.txt", "subset_unique_tracks.txt"], separator="<SEP>"
)
MISMATCH = re.compile(rb"(?:< )?ERROR: <(SO\w{16}) (TR\w{16})> ")
IN_HDF5 = {  # our name → group and field in the file
    **{name: ("analysis", name) for name in ("track_id", "duration", "tempo", "loudness", "key", "mode")},
    "song_id": ("metadata", "song_id"), "artist": ("metadata", "artist_name"), "title": ("metadata", "title"),
    "year": ("musicbrainz", "year"),
}
SEGMENTS = {"starts": "start", "timbre": "timbre", "pitches": "pitches"}
LARGEST = 1 << 24  # bytes of one table; real ones have a few hundred kilobytes
HDF5_ERRORS = (  # what h5py raises at damaged files
    OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, OverflowError, MemoryError,
)


@dataclass(frozen=True, repr=False)
class Tracks:
    """The tracks of the Million Song Dataset, one entry each; several tracks may be the same song.

    Attributes
    ----------
    track_ids, song_ids, artists, titles : lists of str
    notes : tuple of str
        Where they come from, and how they differ from the published numbers.
    """

    track_ids: list[str]
    song_ids: list[str]
    artists: list[str]
    titles: list[str]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.track_ids)

    def __repr__(self) -> str:
        """Show the sizes in one line."""
        n_songs, n_artists = len(set(self.song_ids)), len(set(self.artists))
        return f"Tracks: {len(self):,} tracks of {n_songs:,} songs by {n_artists:,} artists"


def msd_tracks(path: FilePath, complete: bool = False, **options: Unpack[ReadOptions]) -> Tracks:
    """Read which tracks there are: a million, or the ten thousand of the subset.

    Parameters
    ----------
    path : path
        `unique_tracks.txt` or `subset_unique_tracks.txt`, or the folder or archive that has it.
    complete : bool
        Whether a difference from the published number is an error; otherwise it is one of the `notes`.
    **options
        `on_error="skip"` leaves faulty lines out, and counts and lists them in `notes`; `progress=True` shows a progress bar.

    Returns
    -------
    Tracks
    """
    columns = {name: Ids(f, may_be_empty=f > 1) for f, name in enumerate(TRACKS.fields)}
    table = read_table(path, TRACKS, columns, **options)
    notes = table.notes() + compared(table.label, table.name, {"rows": table.n_rows}, complete)
    tracks, songs, artists, titles = map(table.texts, TRACKS.fields)
    return Tracks(tracks, songs, artists, titles, tuple(notes))


def msd_mismatches(path: FilePath, accepted: FilePath | None = None) -> set[tuple[str, str]]:
    """Read the pairs (song, track) for which the makers found that the Taste Profile's song is not the track's.

    Parameters
    ----------
    path : path
        `sid_mismatches.txt`, or the folder that has it: 19,094 pairs.
    accepted : path, optional
        `sid_matches_manually_accepted.txt`: the pairs that turned out to be right; they are left out.

    Returns
    -------
    set of (str, str)
    """
    pairs = _mismatches(path, "sid_mismatches.txt", "ERROR: <SO… TR…> artist  -  title  !=  …")
    if accepted is not None:  # a diff: its other lines are comments
        pairs -= _mismatches(accepted, "sid_matches_manually_accepted.txt", "< ERROR: <SO… TR…> …", comments=True)
    return pairs


def _mismatches(path: FilePath, name: str, form: str, comments: bool = False) -> set[tuple[str, str]]:
    pairs = set()
    with opened(path, name) as source:
        for number, line in enumerate(read_all(source).split(b"\n"), start=1):
            found = MISMATCH.match(line)
            if found:
                pairs.add((found[1].decode(), found[2].decode()))
            elif line.strip() and not comments:
                shown = line[:EXCERPT].decode(errors="backslashreplace")
                raise InputError(f"{source.label}, line {number}: expected {form!r}; found {shown!r}")
    if not pairs:
        raise InputError(f"{path}: expected lines {form!r}; found none")
    return pairs


def msd_hdf5(path: FilePath) -> Iterator[SimpleNamespace]:
    """Read HDF5 files of the Million Song Dataset, one after another.

    Parameters
    ----------
    path : path
        One `.h5` file, a folder with them at any depth, or `millionsongsubset.tar.gz`, which is read without unpacking.

    Yields
    ------
    record
        One song, with `track_id`, `song_id`, `artist`, `title` (str); `year`, 0 where it is missing, `key` from 0 (C) to
        11 (B), `mode` 0 for minor, 1 for major (int); `duration` in seconds, `tempo` in beats a minute, `loudness` in
        decibels (float, NaN where missing); `starts`, shape (segments,): where the segments begin, in seconds; `timbre`
        and `pitches`, shape (segments, 12): what each segment sounds like.

    Raises
    ------
    InputError
        If h5py is not installed, if there is no such file, or at the first one that is not as expected.
    """
    path, n_songs = Path(path), 0
    for file in sorted(path.rglob("*.h5")) if path.is_dir() else [path]:
        for member in members(file):
            name = Path(member.name).name
            is_hdf5 = name.endswith(".h5") and not name.startswith("._")  # macOS leaves such files in archives
            if is_hdf5 and isinstance(member, Source):
                n_songs += 1
                yield _song(member)
    if n_songs == 0:
        raise InputError(f"{path} has no file that ends in .h5")


def _song(source: Source) -> SimpleNamespace:
    try:
        import h5py
    except ImportError as error:
        raise InputError("HDF5 files need h5py: pip install 'acai[msd]'") from error
    expected = "an HDF5 file of the Million Song Dataset (groups metadata, analysis, musicbrainz)"
    raw = io.BytesIO(read_all(source))
    one: dict[str, object] = {}
    try:
        with h5py.File(raw) as h5:
            for name, (group, field) in IN_HDF5.items():
                one[name] = _plain(_dataset(h5, f"{group}/songs")[0][field])
            for name, of_one in SEGMENTS.items():
                one[name] = _dataset(h5, f"analysis/segments_{of_one}")[:]
    except HDF5_ERRORS as error:
        raise InputError(f"{source.label}: expected {expected}; {error}") from error
    return SimpleNamespace(**one)


def _dataset(h5: "h5py.File", name: str) -> "h5py.Dataset":
    """Find a table in the file itself, and check that it is small before any part of it is read."""
    import h5py

    place = h5
    for part in name.split("/"):
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise KeyError(f"{name} is missing, or a link out of the file")
        place = place[part]
    if not isinstance(place, h5py.Dataset) or place.is_virtual or place.external:
        raise ValueError(f"{name} is no table in this file")
    n_bytes = max(place.size or 0, math.prod(place.chunks or ())) * place.dtype.itemsize
    if n_bytes > LARGEST or place.dtype.itemsize > LARGEST:
        raise ValueError(f"{name} has {n_bytes:,} bytes; at most {LARGEST:,} are expected")
    return place


def _plain(value: object) -> str | int | float:
    """Convert a field to a plain Python value."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    raise ValueError(f"found a {type(value).__name__} where text or a number is expected")
