"""A person's own music: who played what, and what it sounds like."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from acai.audio.features import extract
from acai.audio.folder import audio_folder
from acai.datasets.rated import triplets
from acai.errors import InputError
from acai.ratings import Ratings


@dataclass(frozen=True)
class Library:
    """A listening log and a folder of sound files, joined by the names of the tracks.

    Attributes
    ----------
    plays : Ratings
        Every song that was played or can be heard has a column.
    sounds : mapping of str to numpy.ndarray, each (bands, frames)
        The log-mel spectrogram (A1, A2) of each track that can be heard.
    paths : mapping of str to path
        Its file.
    skipped : mapping of str to str
        Files that could not be used, and why.
    unheard_of : tuple of str
        Tracks of the log that are not in the folder: their plays tell of tastes, their sound tells nothing.
    """

    plays: Ratings
    sounds: Mapping[str, np.ndarray]
    paths: Mapping[str, os.PathLike]
    skipped: Mapping[str, str]
    unheard_of: tuple[str, ...]

    def with_sound_only(self) -> tuple[Ratings, list[np.ndarray]]:
        """The plays of songs that can be heard, and their spectrograms in the order of the axis."""
        songs = [song for song in self.plays.songs if song in self.sounds]
        heard = self.plays.csc[:, [self.plays.column(song) for song in songs]].tocsr()
        return Ratings(heard, self.plays.users, songs), [self.sounds[song] for song in songs]


def own_music(plays: str | os.PathLike, audio: str | os.PathLike, width: int = 129, progress: bool = False) -> Library:
    """Read a listening log and listen to a folder.

    Parameters
    ----------
    plays : path
        A delimited file of user, track and number of plays (see `acai.datasets.triplets`), without a header; lines of the
        same user and track are summed up. A track is named as its file is, relative to the folder: `artist/song.mp3`.
    audio : path
        The folder of sound files, at any depth.
    width : int
        Tracks shorter than so many frames are skipped, for no window of theirs can be heard.
    progress : bool
        Show a bar.

    Returns
    -------
    Library

    Raises
    ------
    InputError
        If none of the tracks in the log is in the folder, or none of these can be used.
    """
    log, folder = triplets(plays, combine="sum"), audio_folder(audio)
    played = [track for track in folder.tracks if track in log.song_columns]
    if not played:
        names = f"the log names {log.songs[0]!r}, the folder has {folder.tracks[0]!r}"
        advice = "name the tracks in the log as the files are named, relative to the folder"
        raise InputError(f"no track of {plays} is in {audio}: {names}; {advice}")
    features = extract(folder.paths, progress=progress)
    short = {track for track in features if features[track].shape[1] < width}
    skipped = {**features.skipped, **{track: f"is shorter than a window of {width} frames" for track in short}}
    sounds = {track: features[track] for track in features if track not in short}
    if not sounds.keys() & played:
        first = f"{played[0]} {skipped[played[0]]}"
        raise InputError(f"none of the {len(played)} files in {folder.root} that were played could be used: {first}")
    songs = [*log.songs, *(track for track in sounds if track not in log.song_columns)]
    R = sparse.csr_array((log.csr.data, log.csr.indices, log.csr.indptr), shape=(log.n_users, len(songs)))
    unheard_of = tuple(song for song in log.songs if song not in sounds)
    return Library(Ratings(R, log.users, songs), sounds, folder.paths, skipped, unheard_of)
