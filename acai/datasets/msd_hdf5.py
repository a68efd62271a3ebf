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


@dataclass(frozen=True, eq=False)
class SongFile:
    """One song of the Million Song Dataset. A number that is missing there is NaN here.

    Attributes
    ----------
    track_id, song_id, artist, title : str
    year : float
        NaN where the file says 0.
    duration : float
        Seconds.
    tempo, loudness : float
        Beats a minute; decibels.
    key, mode : int
        0 (C) to 11 (B); 0 for minor, 1 for major.
    starts : array, shape (segments,)
        Where the segments begin, in seconds.
    timbre, pitches : arrays, shape (segments, 12)
        What each segment sounds like.
    """

    track_id: str
    song_id: str
    artist: str
    title: str
    year: float
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
        import h5py  # noqa: F401
    except ImportError as error:
        raise InputError("HDF5 files need h5py: pip install 'acai[msd]'") from error
    path = Path(path)
    n = 0
    for n, (label, file) in enumerate(_files(path), start=1):  # noqa: B007
        yield _song(label, file)
    if n == 0:
        raise InputError(f"{path} has no file that ends in .h5")


def _files(path: Path) -> Iterator[tuple[str, Path | BinaryIO]]:
    if path.is_dir():
        yield from ((str(file), file) for file in sorted(path.rglob("*.h5")))
    elif path.suffix == ".h5":
        yield str(path), path
    elif not path.exists():
        raise InputError(f"{path} does not exist")
    else:
        try:
            with tar_members(path) as members:
                for member in members:
                    if member.isfile() and member.name.endswith(".h5") and not Path(member.name).name.startswith("._"):
                        yield f"{path}: {member.name}", io.BytesIO(members.extractfile(member).read())
        except BROKEN as error:
            raise InputError(f"{path} is no archive, is damaged or was cut off ({error})") from error


def _song(label: str, file: Path | BinaryIO) -> SongFile:
    import h5py

    try:
        with h5py.File(file, "r") as h5:
            metadata, analysis, musicbrainz = (
                h5[group]["songs"][0] for group in ("metadata", "analysis", "musicbrainz")
            )
            return SongFile(
                track_id=analysis["track_id"].decode(),
                song_id=metadata["song_id"].decode(),
                artist=metadata["artist_name"].decode(),
                title=metadata["title"].decode(),
                year=float(musicbrainz["year"]) or float("nan"),
                duration=float(analysis["duration"]),
                tempo=float(analysis["tempo"]),
                loudness=float(analysis["loudness"]),
                key=int(analysis["key"]),
                mode=int(analysis["mode"]),
                starts=h5["analysis/segments_start"][:],
                timbre=h5["analysis/segments_timbre"][:],
                pitches=h5["analysis/segments_pitches"][:],
            )
    except (OSError, KeyError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise InputError(
            f"{label}: expected an HDF5 file of the Million Song Dataset (groups metadata, analysis, musicbrainz); {error}"
        ) from error
