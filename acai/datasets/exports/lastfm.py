"""Last.fm's history as the common exporters write it: CSV with or without a header, in any order of columns."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader

from acai.datasets.exports.entries import NO_DATE, NO_NAME, UNREADABLE, Entry, Export, name_of, seconds_of

LONGEST_LINE = 1 << 16  # bytes
ARTIST = ("artist", "artist name", "artist_name", "artistname")
TITLE = ("track", "track name", "track_name", "trackname", "title", "song", "name")
TIME = ("uts", "date", "utc_time", "time", "timestamp", "datetime", "played at", "listened_at")  # the first that is there


@dataclass(frozen=True)
class Layout:
    """Where the fields of a line are."""

    separator: str
    n_fields: int
    artist: int
    title: int
    time: int
    has_header: bool


def layout_of(beginning: bytes) -> Layout | None:
    """Recognise such a file by its header, or else by lines of artist, album, title and date; None if it is another."""
    lines = [_text(line) for line in beginning[:LONGEST_LINE].split(b"\n")[:50]]
    for separator in ",;\t":
        header = [_plain(name) for name in _fields(lines[0].removeprefix("\ufeff"), separator)]
        artist, title, time = (_place_of(names, header) for names in (ARTIST, TITLE, TIME))
        if min(artist, title, time) >= 0:
            return Layout(separator, len(header), artist, title, time, has_header=True)
    rows = [_fields(line, ",") for line in lines if line.strip()]
    is_dated = any(len(row) == 4 and not row[3].isdigit() and seconds_of(row[3]) is not None for row in rows)
    return Layout(",", 4, 0, 2, 3, has_header=False) if is_dated else None


def _place_of(names: Sequence[str], header: list[str]) -> int:
    """Find the first of these names in a header; −1 if none is there."""
    return next((header.index(name) for name in names if name in header), -1)


def _scrobbles(stream: BufferedReader, label: str) -> Iterator[Entry | str]:
    layout = layout_of(stream.peek(LONGEST_LINE))
    if layout is None:
        return
    if layout.has_header:
        stream.readline(LONGEST_LINE)
    while line := stream.readline(LONGEST_LINE):
        text = _text(line)
        if text.strip():
            yield _entry(_fields(text, layout.separator), layout)


def _entry(row: Sequence[str], layout: Layout) -> Entry | str:
    if len(row) != layout.n_fields:
        return UNREADABLE
    names = name_of(row[layout.artist]), name_of(row[layout.title])
    if not all(names):
        return NO_NAME
    time = row[layout.time].strip()
    seconds = seconds_of(time)
    if seconds is None:
        return UNREADABLE if time else NO_DATE
    return Entry(*names, seconds)


def _plain(name: str) -> str:
    """Write the name of a column plainly: some exporters add the name of the user, as in `Date#ann`."""
    return name.partition("#")[0].strip().casefold()


def _text(line: bytes) -> str:
    """Decode a line: UTF-8 or, where it is none, Windows-1252."""
    line = line.rstrip(b"\r\n")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _fields(line: str, separator: str) -> list[str]:
    """Split one line; each line is taken for itself, so that a stray quotation mark spoils no other."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


LASTFM = Export("Last.fm, CSV", _scrobbles)
