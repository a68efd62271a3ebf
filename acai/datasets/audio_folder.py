"""A person's own folder of music."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from acai.errors import InputError

# Those that cannot be decoded (the last three) are listed all the same, so that their owner hears why they are missing.
ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".m4a", ".aac", ".wma")


@dataclass(frozen=True)
class AudioFolder:
    """The sound files under one folder.

    Attributes
    ----------
    root : Path
        The folder.
    tracks : tuple of str
        The file of each track, relative to `root` and with forward slashes, in the order in which a person counts:
        "a/track2.ogg" before "a/track10.ogg".
    """

    root: Path
    tracks: tuple[str, ...]

    @property
    def paths(self) -> dict[str, Path]:
        """The path of each track, in order."""
        return {track: self.root / track for track in self.tracks}

    @property
    def classes(self) -> dict[str, str]:
        """The first sub-folder's name of each track that lies in one: its genre, artist or album."""
        return {track: track.split("/")[0] for track in self.tracks if "/" in track}

    def __len__(self) -> int:
        return len(self.tracks)

    def __repr__(self) -> str:
        return f"AudioFolder: {len(self)} tracks in {len(set(self.classes.values()))} sub-folders of {self.root}"


def audio_folder(path: str | os.PathLike) -> AudioFolder:
    """Find the sound files under a folder, at any depth; hidden files and folders are passed over.

    Parameters
    ----------
    path : path
        The folder. Its files are found by their endings (wav, flac, ogg, mp3, …) and not opened.

    Returns
    -------
    AudioFolder

    Raises
    ------
    InputError
        If the folder is missing, is not a folder, or holds no sound file.
    """
    root = Path(path)
    if not root.is_dir():
        raise InputError(f"{root} is not a folder of audio files" if root.exists() else f"there is no folder {root}")
    tracks = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        found = [name for name in files if name.lower().endswith(ENDINGS) and not name.startswith(".")]
        tracks += [(Path(folder) / name).relative_to(root).as_posix() for name in found]
    if not tracks:
        raise InputError(f"there is no audio file in {root} (looked for {', '.join(ENDINGS)})")
    return AudioFolder(root, tuple(sorted(tracks, key=_as_counted)))


def _as_counted(track: str) -> tuple[list, str]:
    """A sorting key under which numbers count as numbers: the odd places of the list are the runs of digits."""
    parts = re.split(r"(\d+)", track.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], track
