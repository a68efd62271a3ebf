"""Playlists: an extended M3U file in UTF-8, which music players open."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from acai.errors import InputError
from acai.files import atomic_write

ENDINGS = (".m3u", ".m3u8")


def playlist_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a playlist; refuse a name by which no player would know it."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise InputError(f"{path} is no name for a playlist; expected one that ends in {' or '.join(ENDINGS)}")
    return Path(path)


def write_playlist(path: str | os.PathLike[str], files: Sequence[Path], titles: Mapping[Path, str]) -> None:
    """Write a playlist.

    A file in the playlist's folder, or below it, is named relative to that folder, so that both can be moved together;
    any other by its absolute path.

    Parameters
    ----------
    path : path
        The playlist, NAME.m3u or NAME.m3u8; it is written atomically.
    files : sequence of Path
        The sound files, in order.
    titles : mapping of Path to str
        What the player shows; for a file without a title, its name.
    """
    playlist = playlist_file(path)
    folder = Path(os.path.abspath(playlist)).parent
    lines = [b"#EXTM3U", b"#EXTENC:UTF-8"]
    for file in files:
        title = " ".join(titles.get(file, file.stem).split())  # a title has one line
        lines += [b"#EXTINF:-1," + title.encode("utf-8", "replace"), _entry(Path(os.path.abspath(file)), folder)]
    with atomic_write(playlist) as temporary:
        temporary.write_bytes(b"".join(line + b"\n" for line in lines))


def _entry(file: Path, folder: Path) -> bytes:
    """Name a file on a line of its own, in the bytes that the file system has."""
    if any(character in str(file) for character in "\n\r") or str(file) != str(file).strip():
        return file.as_uri().encode("ascii")  # players would break or strip the line
    if not file.is_relative_to(folder):
        return os.fsencode(file)
    name = os.fsencode(file.relative_to(folder))
    return b"./" + name if name.startswith((b"#", b" ")) or b"://" in name else name  # otherwise a comment, or an address
