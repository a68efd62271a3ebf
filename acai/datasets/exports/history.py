"""Your own listening history, whichever service it comes from: recognised by content, and read as it streams by."""

import io
from collections.abc import Iterator
from pathlib import Path

from acai.audio.folder import ENDINGS
from acai.datasets.exports.collecting import Collected, Songs, to_log
from acai.datasets.exports.entries import Export
from acai.datasets.exports.itunes import BINARY, ITUNES
from acai.datasets.exports.json_items import first_items
from acai.datasets.exports.lastfm import LASTFM, layout_of
from acai.datasets.exports.listenbrainz import LISTENBRAINZ
from acai.datasets.exports.spotify import SPOTIFY_ACCOUNT, SPOTIFY_EXTENDED
from acai.datasets.listening_log import ListeningLog
from acai.errors import InputError
from acai.settings import Limits, checked
from acai.tables.archives import NotAFile
from acai.tables.source import FilePath, members

HEAD = 1 << 16  # bytes by which a file is recognised
OTHER_FILES = (*ENDINGS, ".jpg", ".jpeg", ".png", ".pdf", ".mp4", ".mov")  # not opened in a folder
SIGNS = (  # the keys that one of the first items has
    ({"endTime", "msPlayed"}, SPOTIFY_ACCOUNT), ({"ts", "ms_played"}, SPOTIFY_EXTENDED),
    ({"listened_at", "track_metadata"}, LISTENBRAINZ),
)
EXPECTED = (
    "expected an export of Last.fm (CSV), ListenBrainz (JSON lines, or the zip), Spotify (StreamingHistory*.json or "
    "Streaming_History_Audio_*.json, or the zip), or iTunes or Apple Music (Library.xml)"
)


def listening_history(path: FilePath, min_seconds: float = 30) -> ListeningLog:
    """Read your own listening history, as Last.fm, ListenBrainz, Spotify, iTunes or Apple Music export it.

    Parameters
    ----------
    path : path
        A file, the folder or the archive as it was downloaded. Files are recognised by what is in them; several, even of
        several services, are read as one history.
    min_seconds : float
        What was heard for a shorter time is a skip, unless the service says that the song came to its end. Spotify itself
        counts a play from 30 seconds on. Where a service records no time, every entry is a play.

    Returns
    -------
    ListeningLog
        Of one listener, `"you"`; a song is the pair (artist, title). Its `skips` are the songs that were abandoned, its
        `notes` say how each file was read and what was left out. The plays in a library of iTunes or Apple Music are
        counts, which all get the time of the last one; a time of 0 is unknown.

    Raises
    ------
    InputError
        If there is no such file, none is recognised, or it is damaged.
    """
    limit = 1000 * checked("min_seconds", min_seconds, float, Limits(at_least=0))
    songs = Songs()
    found: dict[str, Collected] = {}
    others: list[str] = []
    for label, stream in _files(Path(path)):
        export = recognised(stream.peek(HEAD))
        if export is None:
            others.append(Path(label).name)
            continue
        collected = found.setdefault(export.name, Collected(export, songs))
        collected.n_files += 1
        for entry in export.read(stream, label):
            collected.add(entry, limit)
    if not found:
        what = f"none of the {len(others)} files in {path} is" if len(others) > 1 else f"{path} is not"
        raise InputError(f"{what} a listening history that acai knows; {EXPECTED}")
    if SPOTIFY_EXTENDED.name in found:
        found.pop(SPOTIFY_ACCOUNT.name, None)  # its last year once more, to the minute
    return to_log(songs, list(found.values()), str(path), others)


def is_history(path: FilePath) -> bool:
    """Whether any file at this path is recognised as a listening history."""
    return any(recognised(stream.peek(HEAD)) for _, stream in _files(Path(path)))


def recognised(beginning: bytes) -> Export | None:
    """Recognise what exported a file by its first bytes; None if it is something else."""
    if b"<plist" in beginning[:2000] or beginning.startswith(BINARY):
        return ITUNES
    if items := first_items(beginning):
        keys = [item.keys() for item in items if isinstance(item, dict)]
        return next((export for signs, export in SIGNS if any(signs <= found for found in keys)), None)
    return None if layout_of(beginning) is None else LASTFM


def _files(path: Path) -> Iterator[tuple[str, io.BufferedReader]]:
    """Yield each file of a folder or an archive that may be a history, or the file itself, open for reading.

    The streams of archives return few bytes at a time; the buffer around them can show the beginning of the file.
    """
    paths = [path]
    if path.is_dir():
        paths = [file for file in sorted(path.rglob("*")) if file.is_file() and _is_candidate(file.relative_to(path))]
    elif not path.exists():
        raise InputError(f"{path} does not exist; {EXPECTED}")
    for file in paths:
        for member in members(file):
            if not isinstance(member, NotAFile) and (len(paths) == 1 or _is_candidate(Path(member.name))):
                # the stream of a member returns few bytes at a time, a buffer of its own shows the beginning of the file
                yield member.label, io.BufferedReader(member.stream, HEAD)


def _is_candidate(name: Path) -> bool:
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return not is_hidden and name.suffix.lower() not in OTHER_FILES
