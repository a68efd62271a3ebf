"""Entries of a history → columns → a `ListeningLog`: what is a play, what a skip, and what is there twice."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acai.datasets.exports.entries import INTERRUPTED, SILENT, Entry, Export
from acai.datasets.listening_log import ListeningLog
from acai.errors import InputError

YOU = "you"
MOST = 10_000_000  # plays or skips of one person: 500 a day for half a century
LISTED = 3  # files that a note names
DAY = 24 * 60 * 60  # seconds


class Songs:
    """Songs, each (artist, title), numbered in order of appearance."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, str], int] = {}

    def code(self, artist: str, title: str) -> int:
        """Return the number of a song; a new one gets the next."""
        return self.codes.setdefault((artist, title), len(self.codes))


class Columns:
    """Entries as columns of numbers, which take a tenth of the memory of the entries."""

    def __init__(self) -> None:
        self.song, self.time, self.ms, self.n = array("i"), array("q"), array("i"), array("i")

    def add(self, song: int, entry: Entry) -> None:
        """Append one entry."""
        self.song.append(song)
        self.time.append(entry.time)
        self.ms.append(entry.ms_played)
        self.n.append(entry.n)

    def table(self) -> NDArray[np.int64]:
        """Return the columns song, time, ms played and n: shape (entries, 4)."""
        columns = [np.array(column, dtype=np.int64) for column in (self.song, self.time, self.ms, self.n)]
        return np.stack(columns, axis=1)


@dataclass
class Collected:
    """What the files of one service contain."""

    export: Export
    songs: Songs
    n_files: int = 0
    n_entries: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    plays: Columns = field(default_factory=Columns)
    skips: Columns = field(default_factory=Columns)

    def add(self, entry: Entry | str, limit: float) -> None:
        """Decide whether an entry is a play, a skip or neither; `limit` is in milliseconds."""
        self.n_entries += 1
        if isinstance(entry, str):
            self.left_out[entry] += 1
        elif _is_play(entry, limit):
            self.plays.add(self.songs.code(entry.artist, entry.title), entry)
        elif entry.ms_played == 0:
            self.left_out[SILENT] += 1
        elif entry.ended == "interrupted":
            self.left_out[INTERRUPTED] += 1
        else:
            self.skips.add(self.songs.code(entry.artist, entry.title), entry)

    def once(self, columns: Columns) -> NDArray[np.int64]:
        """Return the table of some entries without repeated ones: the same song at the same known time, heard as long."""
        table = columns.table()
        if self.export.counts_only:
            return table
        _, first = np.unique(table[:, :3], axis=0, return_index=True)
        keep = table[:, 1] < DAY  # on 1 January 1970: not known
        keep[first] = True
        self.left_out["repeated entries"] += int((~keep).sum())
        kept: NDArray[np.int64] = table[keep]
        return kept

    def notes(self) -> list[str]:
        """Say how many entries were read, and what was left out."""
        files = "1 file" if self.n_files == 1 else f"{self.n_files:,} files"
        what = "tracks with plays or skips" if self.export.counts_only else "entries"
        left_out = [f"left out: {reason} ({n:,})" for reason, n in self.left_out.items() if n]
        return [f"{self.export.name}: {files}, {self.n_entries:,} {what}", *left_out]


def _is_play(entry: Entry, limit: float) -> bool:
    """Whether a song was heard to its end or for long enough; where nobody measured, whether it was not skipped."""
    if entry.ended == "done":
        return True
    return entry.ms_played >= limit if entry.ms_played >= 0 else entry.ended != "skipped"


def to_log(songs: Songs, collected: Sequence[Collected], where: str, others: Sequence[str]) -> ListeningLog:
    """Join what was collected to the log of one listener."""
    plays = np.concatenate([part.once(part.plays) for part in collected])
    skips = np.concatenate([part.once(part.skips) for part in collected])
    notes = [note for part in collected for note in part.notes()]
    if others:
        more = ", …" if len(others) > LISTED else ""
        notes.append(f"not recognised as a history: {', '.join(others[:LISTED])}{more}")
    if not len(plays):
        raise InputError(f"{where} has no play of a song; found: {'; '.join(notes)}; skips: {len(skips):,}")
    n_undated = int(plays[plays[:, 1] < DAY, 3].sum())
    if n_undated:
        notes.append(f"plays without a date, or dated 1970, which count although their time is unknown: {n_undated:,}")
    if len(skips):
        notes.append(f"skips, of songs abandoned before they counted as played: {int(skips[:, 3].sum()):,}")

    used = np.unique(np.concatenate([plays[:, 0], skips[:, 0]]))
    names = list(songs.codes)
    ids = [names[code] for code in used]
    return _columns_to_log(plays, used, ids, tuple(notes), _columns_to_log(skips, used, ids, (), None))


def _columns_to_log(
    table: NDArray[np.int64], used: NDArray[np.int64], ids: list[tuple[str, str]], notes: tuple[str, ...],
    skips: ListeningLog | None,
) -> ListeningLog:
    """Make a log in order of time, in which an entry that stands for n has n rows."""
    n_rows = int(table[:, 3].sum())
    if n_rows > MOST:
        raise InputError(f"{n_rows:,} plays or skips by one person; expected at most {MOST:,}: is this your own history?")
    rows = np.repeat(table[:, :3], table[:, 3], axis=0)
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    songs = np.searchsorted(used, rows[:, 0]).astype(np.int32)
    ms_played = rows[:, 2].astype(np.int32)
    return ListeningLog(np.zeros(len(rows), np.int32), songs, rows[:, 1].copy(), [YOU], ids, notes, ms_played, skips)
