"""FMA (Defferrard 2017): the Free Music Archive, music that may be downloaded, with its clips."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acai.errors import InputError, unknown
from acai.tables.archives import Source
from acai.tables.source import FilePath, opened

SILENT = {99134, 108925, 133297}  # the files of these tracks in fma_small have no sound
LONGEST = 1 << 20  # characters of a line
SUBSETS = ("small", "medium", "large")
COLUMNS = {  # our name → the two header rows
    "artist": ("artist", "name"), "title": ("track", "title"), "genre": ("track", "genre_top"),
    "listens": ("track", "listens"), "split": ("set", "split"), "subset": ("set", "subset"),
}


@dataclass(frozen=True)
class Clip:
    """One track of the Free Music Archive.

    Attributes
    ----------
    track_id, listens : int
    artist, title, genre : str
        The genre is "" where the archive gives none.
    split : str
        "training", "validation" or "test".
    subset : str
        The smallest subset that has it: "small", "medium", "large", or "" for the full data set.
    """

    track_id: int
    artist: str
    title: str
    genre: str
    listens: int
    split: str
    subset: str

    @property
    def path(self) -> Path:
        """The path of the clip in `fma_small/` and the larger sets: track 2 is `000/000002.mp3`."""
        return Path(f"{self.track_id // 1000:03d}") / f"{self.track_id:06d}.mp3"

    @property
    def has_sound(self) -> bool:
        """Whether the clip has any sound: three tracks have empty clips."""
        return self.track_id not in SILENT


def fma(path: FilePath, subset: str | None = None) -> list[Clip]:
    """Read what FMA's `tracks.csv` says about each track.

    Parameters
    ----------
    path : path
        `tracks.csv` (two header rows and an index row), or the folder or `fma_metadata.zip` that has it.
    subset : str, optional
        "small", "medium" or "large": the tracks whose clips are in `fma_small/` (8,000) and so on. Each includes the smaller
        ones.

    Returns
    -------
    list of Clip
    """
    if subset is not None and subset not in SUBSETS:
        raise unknown("subset", subset, SUBSETS)
    with opened(path, "tracks.csv") as source:
        rows = csv.reader(_lines(source), strict=True)
        expected = f"two header rows with {', '.join(map('/'.join, COLUMNS.values()))}, then 'track_id,…'"
        try:
            names = list(zip(next(rows, []), next(rows, [])))
            places = {name: names.index(column) for name, column in COLUMNS.items()}
            next(rows, []).index("track_id")
            expected = "a track with the fields of the header"
            clips = [_clip(row, places) for row in rows]
        except InputError:  # from the stream: it already says what is wrong
            raise
        except (csv.Error, IndexError, ValueError) as error:
            raise InputError(f"{source.label}, line {rows.line_num}: expected {expected}; {error}") from error
    return [clip for clip in clips if subset is None or clip.subset in SUBSETS[: SUBSETS.index(subset) + 1]]


def _clip(row: list[str], places: dict[str, int]) -> Clip:
    """Turn a row into a clip."""
    track_id, listens = int(row[0]), int(row[places["listens"]])
    if min(track_id, listens) < 0:
        raise ValueError("a number below 0")
    artist, title, genre = row[places["artist"]], row[places["title"]], row[places["genre"]]
    return Clip(track_id, artist, title, genre, listens, row[places["split"]], row[places["subset"]])


def _lines(source: Source) -> Iterator[str]:
    """Yield the lines of a CSV file with their line ends; a quoted field may span several."""
    text = io.TextIOWrapper(source.stream, encoding="utf-8-sig", newline="")
    while line := text.readline(LONGEST):
        if len(line) == LONGEST:
            raise InputError(f"{source.label} has a line of more than {LONGEST:,} characters; expected FMA's tracks.csv")
        yield line
