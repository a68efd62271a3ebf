"""FMA (Defferrard 2017): music that may be downloaded, with its clips."""

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

from acai.datasets.source import opened
from acai.errors import InputError

SILENT = {99134, 108925, 133297}  # of these, fma_small has files without a sound
COLUMNS = {  # our name → the two header rows
    "artist": ("artist", "name"),
    "title": ("track", "title"),
    "genre": ("track", "genre_top"),
    "listens": ("track", "listens"),
    "split": ("set", "split"),
    "subset": ("set", "subset"),
}


@dataclass(frozen=True)
class Clip:
    """One track of the Free Music Archive.

    Attributes
    ----------
    track_id : int
    artist, title, genre : str
        The genre is "" where the archive gives none.
    listens : int
    split : str
        "training", "validation" or "test".
    subset : str
        The smallest set that has it: "small", "medium", "large", or "" for the full one.
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
        """Where the clip lies in `fma_small/` and its sisters: track 2 is `000/000002.mp3`."""
        return Path(f"{self.track_id // 1000:03d}") / f"{self.track_id:06d}.mp3"

    @property
    def has_sound(self) -> bool:
        """False for the three tracks whose clip is empty."""
        return self.track_id not in SILENT


def fma(path: str | os.PathLike, subset: str | None = None) -> list[Clip]:
    """What FMA's `tracks.csv` says of each track.

    Parameters
    ----------
    path : path
        `tracks.csv` (two header rows and an index row), or the folder or `fma_metadata.zip` that has it.
    subset : str, optional
        "small", "medium" or "large": the tracks whose clips are in `fma_small/` (8,000) and so on. Each holds the ones before.

    Returns
    -------
    list of Clip
    """
    order = ["small", "medium", "large"]
    if subset is not None and subset not in order:
        raise InputError(f"subset={subset!r}; expected one of {', '.join(order)}, or None for all tracks")
    clips = []
    with opened(path, "tracks.csv") as source:
        text = io.TextIOWrapper(source.stream, encoding="utf-8-sig", newline="")
        rows = csv.reader(text, strict=True)
        try:
            place = _header(source.label, [next(rows, []) for _ in range(3)])
            for row in rows:
                clips.append(_clip(row, place))
        except (csv.Error, ValueError, IndexError, UnicodeDecodeError) as error:
            raise InputError(
                f"{source.label}, line {rows.line_num}: expected a track as the header has it; {error}"
            ) from error
    wanted = order[: order.index(subset) + 1] if subset else None
    return [clip for clip in clips if wanted is None or clip.subset in wanted]


def _header(label: str, rows: list[list[str]]) -> dict[str, int]:
    above, below, index = rows
    names = list(zip(above, below))
    missing = [column for column in COLUMNS.values() if column not in names]
    if missing or not index or index[0] != "track_id":
        wanted = ", ".join(" / ".join(column) for column in missing)
        raise InputError(
            f"{label}, lines 1 to 3: expected FMA's two header rows and the row 'track_id,…'; missing: {wanted or 'track_id'}"
        )
    return {name: names.index(column) for name, column in COLUMNS.items()}


def _clip(row: list[str], place: dict[str, int]) -> Clip:
    fields = {name: row[column] for name, column in place.items()}
    return Clip(track_id=int(row[0]), **fields | {"listens": int(fields["listens"])})
