"""The Million Song Dataset's HDF5 files: what is known of each song, and what its sound is like. They hold no audio."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from acai.datasets.source import BROKEN, tar_members
from acai.errors import InputError

PLACES = {  # our name → where it stands
    "track_id": ("analysis", "track_id"), "song_id": ("metadata", "song_id"),
    "artist": ("metadata", "artist_name"), "title": ("metadata", "title"), "year": ("musicbrainz", "year"),
    "duration": ("analysis", "duration"), "tempo": ("analysis", "tempo"), "loudness": ("analysis", "loudness"),
    "key": ("analysis", "key"), "mode": ("analysis", "mode"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SongFile:
    """One song of the Million Song Dataset. A number that is missing there is NaN here, but for the year, which is 0.

    Attributes
    ----------
    track_id, song_id, artist, title : str
    year, key, mode : int
        The key is 0 (C) to 11 (B), the mode 0 for minor, 1 for major.
    duration, tempo, loudness : float
        Seconds, beats a minute, decibels.
    starts : array, shape (segments,)
        Where the segments begin, in seconds.
    timbre, pitches : arrays, shape (segments, 12)
        What each segment sounds like.
    """

    track_id: str
    song_id: str
    artist: str
    title: str
    year: int
    duration: float
    tempo: float
    loudness: float
    key: int
    mode: int
    starts: np.ndarray
    timbre: np.ndarray
    pitches: np.ndarray


def msd_hdf5(path: str | os.PathLike) -> Iterator[SongFile]:
    """Read HDF5 files of the Million Song Dataset one after the other.

    Parameters
    ----------
    path : path
        One `.h5` file, a folder with them at any depth, or `millionsongsubset.tar.gz`, which is read without unpacking.

    Yields
    ------
    SongFile

    Raises
    ------
    InputError
        If h5py is not installed, if there is no such file, or at the first one that is not as it should be.
    """
    try:
        import h5py
    except ImportError as error:
        raise InputError("HDF5 files need h5py: pip install 'acai[msd]'") from error
    none = True
    for label, file in _files(Path(path)):
        none = False
        try:
            with h5py.File(file, "r") as h5:
                one = {name: h5[group]["songs"][0][field] for name, (group, field) in PLACES.items()}
                one = {name: v.decode() if isinstance(v, bytes) else v.item() for name, v in one.items()}
                segments = (h5[f"analysis/segments_{name}"][:] for name in ("start", "timbre", "pitches"))
                yield SongFile(**one, **dict(zip(("starts", "timbre", "pitches"), segments)))
        except (OSError, KeyError, ValueError, IndexError) as error:
            groups = "groups metadata, analysis, musicbrainz"
            raise InputError(f"{label}: expected an HDF5 file of the Million Song Dataset ({groups}); {error}") from error
    if none:
        raise InputError(f"{path} has no file that ends in .h5")


def _files(path: Path) -> Iterator[tuple[str, Path | BinaryIO]]:
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if path.is_dir() or path.suffix == ".h5":
        yield from ((str(file), file) for file in (sorted(path.rglob("*.h5")) if path.is_dir() else [path]))
        return
    try:
        with tar_members(path) as members:
            for member in members:
                if member.isfile() and member.name.endswith(".h5") and not Path(member.name).name.startswith("._"):
                    yield f"{path}: {member.name}", io.BytesIO(members.extractfile(member).read())
    except BROKEN as error:
        raise InputError(f"{path} is no archive, is damaged or was cut off ({error})") from error
