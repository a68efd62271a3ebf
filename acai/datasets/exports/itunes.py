"""The library of iTunes and Apple Music, `Library.xml`: a property list with counts of plays and skips for each track.

It is read with Python's `expat` while it streams by: `plistlib` would first build the whole library in memory.
"""

from collections.abc import Iterator
from io import BufferedReader
from typing import Any
from xml.parsers import expat

from acai.datasets.exports.entries import NO_NAME, PODCAST, Entry, Export, name_of, seconds_of
from acai.errors import InputError
from acai.tables.streams import CHUNK, damaged

NOT_SONGS = ("Podcast", "Movie", "TV Show", "Has Video", "iTunesU", "Audiobook", "Music Video")
WANTED = {"Name", "Artist", "Album Artist", "Play Count", "Skip Count", "Play Date UTC", "Skip Date", *NOT_SONGS}
LONGEST_VALUE = 1 << 12  # characters
TRACK_DEPTH = 4  # plist, its dictionary, the dictionary of tracks, a track
BINARY = b"bplist"  # how a property list begins that is not XML
DEEPEST = 100
LIST_DEPTH = 2  # where the keys "Tracks" and "Playlists" are


def _tracks(stream: BufferedReader, label: str) -> Iterator[Entry | str]:
    parser = TrackParser(label)
    if stream.peek(len(BINARY)).startswith(BINARY):
        advice = "choose File > Library > Export Library… in Music or iTunes, which writes XML"
        raise InputError(f"{label} is a binary property list; {advice}")
    while chunk := stream.read(CHUNK):
        parser.feed(chunk)
        while parser.tracks:
            yield from _entries(parser.tracks.pop(0))
    parser.feed(b"", is_last=True)


def _entries(track: dict[str, str]) -> Iterator[Entry | str]:
    """Yield what is known of a track: one entry for its plays, one for its skips; none if it has neither."""
    n_plays, n_skips = _count(track, "Play Count"), _count(track, "Skip Count")
    if not n_plays and not n_skips:
        return
    if any(track.get(kind) == "true" for kind in NOT_SONGS):
        yield PODCAST
        return
    artist, title = name_of(track.get("Artist") or track.get("Album Artist")), name_of(track.get("Name"))
    if not artist or not title:
        yield NO_NAME
        return
    for n, date, ended in (n_plays, "Play Date UTC", "done"), (n_skips, "Skip Date", "skipped"):
        if n:
            yield Entry(artist, title, seconds_of(track.get(date)) or 0, ended=ended, n=n)


def _count(track: dict[str, str], key: str) -> int:
    text = track.get(key, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class TrackParser:
    """Turns pieces of a property list into its tracks: dictionaries of text, collected in `tracks`."""

    def __init__(self, label: str) -> None:
        self.label, self.tracks = label, list[dict[str, str]]()
        self.path: list[str] = []
        self.section = self.key = self.text = ""
        self.track: dict[str, str] = {}
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._refuse_entity

    def feed(self, piece: bytes, is_last: bool = False) -> None:
        """Parse one more piece of the file."""
        try:
            self.parser.Parse(piece, is_last)
        except (expat.ExpatError, ValueError, LookupError) as error:  # such as an encoding that does not exist
            raise damaged(self.label, error) from None

    def _start(self, element: str, _: Any) -> None:
        if not self.path and element != "plist":
            raise InputError(f"{self.label} is XML, but its first element is <{element[:50]}>; expected <plist>")
        self.path.append(element)
        self.text = ""
        if len(self.path) > DEEPEST:
            raise InputError(f"{self.label} nests more than {DEEPEST} elements; expected a music library: export it again")
        if len(self.path) == TRACK_DEPTH:
            self.track = {}

    def _end(self, element: str) -> None:
        depth = len(self.path)
        self.path.pop()
        if element == "key" and depth == LIST_DEPTH + 1:
            self.section = self.text
        elif self.section == "Tracks" and depth == TRACK_DEPTH and element == "dict":
            self.tracks.append(self.track)
        elif self.section == "Tracks" and depth == TRACK_DEPTH + 1:
            if element == "key":
                self.key = self.text
            elif self.key in WANTED:
                self.track[self.key] = self.text or element  # <true/> has no text
        self.text = ""

    def _characters(self, text: str) -> None:
        self.text = (self.text + text)[:LONGEST_VALUE]

    def _refuse_entity(self, *_: Any) -> None:
        raise InputError(f"{self.label} declares XML entities, which a music library has no use for; export it again")


ITUNES = Export("iTunes or Apple Music library", _tracks, counts_only=True)
