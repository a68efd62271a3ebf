"""One entry of a listening history, and the fields that every service writes in its own way: names and times."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from typing import NamedTuple

from acai.ratings.moments import WITH_POINTS

LONGEST_NAME = 500  # characters of a title or an artist
LATEST = 1 << 33  # seconds since 1970: the year 2242
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAY_FIRST = re.compile(r"(\d{1,2}) (\w{3})\w* (\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d))?")  # 31 Dec 2019 23:59, as Last.fm has it
ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(?: ?(Z|UTC|[+-]\d\d:?\d\d))?")

# why an entry is left out, as the notes say it
PODCAST = "podcasts, audiobooks and videos"
NO_NAME = "entries without artist or title"
NO_DATE = "entries without a date, such as what is playing now"
SILENT = "entries of 0 ms, which nobody heard"
INTERRUPTED = "entries that ended early by no choice of the listener"
UNREADABLE = "entries that cannot be read"


class Entry(NamedTuple):
    """One entry, as the service wrote it.

    `ended` is "done" if the song was heard to its end, "skipped" if it was not, by choice, "interrupted" if by no choice of
    the listener, and "" if the service does not say. `time` is in seconds since 1970 (UTC), `ms_played` −1 if unknown, and
    `n` the number of equal entries that this one stands for.
    """

    artist: str
    title: str
    time: int
    ms_played: int = -1
    ended: str = ""
    n: int = 1


@dataclass(frozen=True)
class Export:
    """What one service exports: `read` yields each entry of a file, or the reason why there is none."""

    name: str
    read: Callable[[BufferedReader, str], Iterator[Entry | str]]
    counts_only: bool = False  # whether the file has numbers of plays instead of single ones


def name_of(value: object) -> str:
    """Clean a title or the name of an artist; "" if it is none."""
    if not isinstance(value, str):
        return ""
    text = " ".join(value[:LONGEST_NAME].split())
    return text.encode("utf-8", "replace").decode("utf-8")  # JSON can have half a surrogate pair


def count_of(value: object) -> int:
    """Read a number from 0 up; −1 if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**31:
        return -1
    return int(value)


def seconds_of(value: object) -> int | None:
    """Read a time, written in one of the usual ways, as seconds since 1970 (UTC); None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not re.fullmatch(r"\d{1,16}", text):
            return _seconds_of_date(text)
        value = int(text)
    if not isinstance(value, int | float) or not 0 <= value < 1000 * LATEST:
        return None
    return int(value if value < LATEST else value // 1000)  # some write milliseconds


def _seconds_of_date(text: str) -> int | None:
    """Read a date with a time of day."""
    zone = None
    if found := DAY_FIRST.fullmatch(text):
        day, name, year, *clock = found.groups()
        month = MONTHS.index(name.lower()) + 1 if name.lower() in MONTHS else 0
    elif (found := WITH_POINTS.fullmatch(text)) and found[4]:  # with an hour
        day, number, year, *clock = found.groups()
        month = int(number)
    elif found := ISO.fullmatch(text):
        year, number, day, *clock, zone = found.groups()
        month = int(number)
    else:
        return None
    hour, minute, second = (int(part or 0) for part in clock)
    try:
        moment = datetime(int(year), month, int(day), hour, minute, second, tzinfo=UTC)
        return int((moment - _offset(zone)).timestamp())
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    """Return how far a time zone such as +01:00 is ahead of UTC."""
    if zone is None or zone[0] not in "+-":
        return timedelta()
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return ahead if zone[0] == "+" else -ahead
