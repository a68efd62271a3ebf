"""A folder of your own music."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from acai.audio.recording import readable_name
from acai.errors import InputError

# The last three cannot be decoded; they are listed all the same, so that their owner is told why they are missing.
ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".m4a", ".aac", ".wma")


@dataclass(frozen=True)
class AudioFolder:
    """The sound files under one folder.

    Attributes
    ----------
    root : Path
        The folder.
    paths : dict of str to Path
        The file of each track. A track is named by its path relative to `root`, with forward slashes, as text that can be
        printed and saved (bytes that are not UTF-8 are escaped). They are in natural order: "a/track2.ogg" before
        "a/track10.ogg".
    skipped : dict of str to str
        The sub-folders that could not be read, and why.
    """

    root: Path
    paths: dict[str, Path]
    skipped: dict[str, str]

    @property
    def tracks(self) -> tuple[str, ...]:
        """The name of each track, in order."""
        return tuple(self.paths)

    @property
    def classes(self) -> dict[str, str]:
        """The first sub-folder of each track that is in one: its genre, artist or album."""
        return {track: track.split("/")[0] for track in self.tracks if "/" in track}

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.paths)

    def __repr__(self) -> str:
        """Show the numbers of tracks and sub-folders."""
        return f"AudioFolder: {len(self)} tracks in {len(set(self.classes.values()))} sub-folders of {self.root}"


def audio_folder(path: str | os.PathLike[str]) -> AudioFolder:
    """Find the sound files under a folder, at any depth; hidden files and folders are skipped.

    Parameters
    ----------
    path : path
        The folder. Its files are found by their extensions (wav, flac, ogg, mp3, …) and not opened.

    Returns
    -------
    AudioFolder

    Raises
    ------
    InputError
        If the folder is missing, is not a folder, or contains no sound file.
    """
    root = Path(path)
    if not root.is_dir():
        name = readable_name(root)
        raise InputError(f"{name} is not a folder of audio files" if root.exists() else f"there is no folder {name}")
    found: list[str] = []
    errors: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=errors.append):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        sounds = [name for name in files if name.lower().endswith(ENDINGS) and not name.startswith(".")]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in sounds]
    skipped = {readable_name(error.filename): f"cannot be read: {error.strerror}" for error in errors}
    if not found:
        unread = "".join(f"; {name} {reason}" for name, reason in skipped.items())
        raise InputError(f"there is no audio file in {readable_name(root)} (looked for {', '.join(ENDINGS)}){unread}")
    paths: dict[str, Path] = {}
    for file in sorted(found, key=_natural_order):
        track = readable_name(file)
        while track in paths:  # one name has bytes that are not text, another has their escape sequence
            track += "'"
        paths[track] = root / file
    return AudioFolder(root, paths, skipped)


def _natural_order(track: str) -> tuple[list[int | str], str]:
    """Return a sorting key that compares numbers as numbers: the odd elements of the list are the runs of digits."""
    parts = re.split(r"(\d+)", track.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], track
