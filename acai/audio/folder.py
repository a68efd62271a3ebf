"""A folder of your own music."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from acai.audio import conversion
from acai.audio.recording import readable_name
from acai.errors import InputError

DECODED = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")
ENDINGS = (*DECODED, *conversion.ENDINGS)  # the others are listed, too, so that their owner is told how to convert them
NO_MUSIC = ("__MACOSX", "$RECYCLE.BIN", "#recycle", "@Recycle", "@eaDir")  # what systems and network drives keep in a folder


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
        The sub-folders that could not be read, and hidden sound files, and why.
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
    """Find the sound files under a folder, at any depth; hidden files and folders are skipped, and so is the rubbish bin.

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
    hidden: list[str] = []
    errors: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=errors.append):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NO_MUSIC]
        for name in files:
            if name.lower().endswith(ENDINGS):
                place = hidden if name.startswith(".") else found
                place.append((Path(folder) / name).relative_to(root).as_posix())
    skipped = {readable_name(error.filename): f"cannot be read: {error.strerror}" for error in errors}
    if hidden:  # named once: on a drive that a Mac wrote to, there may be a "._song.mp3" for each song
        all_of_them = f", one of {len(hidden):,}" if len(hidden) > 1 else ""
        skipped[readable_name(min(hidden))] = f"is a hidden file{all_of_them}: its name begins with a dot"
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
