"""Your own music: who played what, and which file it is; what the files sound like."""

import os
import unicodedata
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from scipy import sparse

from acai.audio.features import extract
from acai.audio.folder import AudioFolder, audio_folder
from acai.audio.recording import Recording
from acai.audio.tags import Names
from acai.datasets.exports.history import is_history, listening_history
from acai.datasets.matching import FolderMatch, Song, match_folder, track_names
from acai.datasets.triplets import triplets
from acai.errors import InputError
from acai.ratings import Ratings
from acai.ratings.building import number_ids

RATE = 22050
SECONDS = 30  # length of an excerpt


@dataclass(frozen=True)
class Library:
    """A listening log and a folder of audio files, joined by the names of the tracks.

    Attributes
    ----------
    plays : Ratings
        Every song that was played or has audio has a column.
    sounds : mapping of str to numpy.ndarray, each (bands, frames)
        The log-mel spectrogram (A1, A2) of each track with audio.
    paths : mapping of str to path
        The file of each track.
    skipped : mapping of str to str
        Files that could not be used, and why.
    missing_audio : tuple of str
        Tracks of the log without usable audio: their plays count, their sound is unknown.
    audio : path
        The folder, as given.
    names : mapping of str to Names
        Artist and title of each track, from its tags or its path.
    skips : mapping of str to int
        How often the listener of a history abandoned each track.
    """

    plays: Ratings
    sounds: Mapping[str, np.ndarray]
    paths: Mapping[str, os.PathLike[str]]
    skipped: Mapping[str, str]
    missing_audio: tuple[str, ...]
    audio: str | os.PathLike[str]
    names: Mapping[str, Names] = field(default_factory=dict)
    skips: Mapping[str, int] = field(default_factory=dict)

    def songs_with_audio(self) -> list[str]:
        """List the songs with audio in the order of the axis."""
        return [str(song) for song in self.plays.songs if song in self.sounds]

    def name(self, song: str) -> str:
        """Return artist and title of a track, as one text."""
        return str(self.names.get(song, song))

    def beginning(self, song: str) -> tuple[np.ndarray, float]:
        """Read the first half minute of a song as (samples, rate)."""
        recording = Recording(self.paths[song], RATE)
        blocks = []
        for block in recording:
            blocks.append(block)
            if recording.n_samples >= SECONDS * RATE:
                break
        return np.concatenate(blocks)[: SECONDS * RATE], RATE

    def with_sound_only(self) -> tuple[Ratings, list[np.ndarray]]:
        """Return the plays of the songs with audio, and their spectrograms in the order of the axis."""
        songs = self.songs_with_audio()
        plays = self.plays.csc[:, [self.plays.column(song) for song in songs]].tocsr()
        return Ratings(plays, self.plays.users, songs), [self.sounds[song] for song in songs]


@dataclass(frozen=True)
class OwnMusic:
    """A listening log and a folder of audio files that have not been read yet.

    Attributes
    ----------
    log : Ratings
        Who played what, and how often; a song that is in the folder is named as its track.
    folder : AudioFolder
        The files, without further copies of songs that were played.
    audio : path
        The folder, as given.
    names, skips
        As in `Library`.
    match : FolderMatch or None
        How the songs of a history were found in the folder; None for a table, which names the tracks itself.
    """

    log: Ratings
    folder: AudioFolder
    audio: str | os.PathLike[str]
    names: Mapping[str, Names] = field(default_factory=dict)
    skips: Mapping[str, int] = field(default_factory=dict)
    match: FolderMatch | None = None

    def listen(self, width: int = 129, progress: bool = False) -> Library:
        """Compute the spectrograms of the whole folder. Tracks shorter than a window of `width` frames are skipped."""
        log = self.log
        played = [track for track in self.folder.tracks if track in log.song_columns]
        features = extract(self.folder.paths, progress=progress)
        short = {track for track in features if features[track].shape[1] < width}
        too_short = {track: f"is shorter than a window of {width} frames" for track in short}
        skipped = {**features.skipped, **too_short, **self.folder.skipped}
        sounds = {track: features[track] for track in features if track not in short}
        if not sounds.keys() & played:
            first = f"{played[0]} {skipped[played[0]]}"
            raise InputError(f"none of the {len(played)} files in {self.folder.root} that were played could be used: {first}")
        songs = [*log.songs, *(track for track in sounds if track not in log.song_columns)]
        R = sparse.csr_array((log.csr.data, log.csr.indices, log.csr.indptr), shape=(log.n_users, len(songs)))
        missing = tuple(str(song) for song in log.songs if song not in sounds)
        plays = Ratings(R, log.users, songs)
        return Library(plays, sounds, self.folder.paths, skipped, missing, self.audio, self.names, self.skips)


def own_music(plays: str | os.PathLike[str], audio: str | os.PathLike[str]) -> OwnMusic:
    """Read a listening log, and the names of the files in a folder.

    Parameters
    ----------
    plays : path
        Your listening history, as the service exports it (see `acai.datasets.listening_history`): its songs are found in
        the folder by tags or names of files (see `acai.datasets.matching`). Or a delimited file of user, track and number
        of plays (see `acai.datasets.triplets`): lines of the same user and track are added up, and a track is named after
        its file, relative to the folder: `artist/song.mp3`.
    audio : path
        The folder of audio files, at any depth.

    Raises
    ------
    InputError
        If no track of the log is in the folder.
    """
    if os.path.isdir(plays) or is_history(plays):
        return _from_history(plays, audio)
    log = triplets(plays, combine="sum")
    if log.csr.data.min() < 0:
        raise InputError(f"{plays} has the number of plays {log.csr.data.min():g}; expected 0 or more")
    folder = audio_folder(audio)
    spelled = {unicodedata.normalize("NFC", track): track for track in folder.tracks}
    log = _renamed(log, lambda song: _as_in_folder(str(song), folder, spelled))
    if not any(track in log.song_columns for track in folder.tracks):
        names = f"the log names {log.songs[0]!r}, the folder has {folder.tracks[0]!r}"
        advice = "name the tracks in the log as the files are named, relative to the folder"
        raise InputError(f"no track in {plays} was found in {audio}: {names}; {advice}")
    return OwnMusic(log, folder, audio, track_names(folder))


def _as_in_folder(song: str, folder: AudioFolder, spelled: Mapping[str, str]) -> str:
    """Spell the name of a track as the folder does: "é" may be one character or two there, and macOS writes two."""
    return song if song in folder.paths else spelled.get(unicodedata.normalize("NFC", song), song)


def _from_history(plays: str | os.PathLike[str], audio: str | os.PathLike[str]) -> OwnMusic:
    log = listening_history(plays)
    folder = audio_folder(audio)
    match = match_folder(log, folder)
    played = log.to_ratings()
    first = cast(Song, played.favourites(played.users[0])[0][0])
    if not any(played.csc[:, [played.column(song)]].nnz for song in match.track_of):
        names = f"the history has {str(Names(*first))!r}, the folder has {str(match.names[folder.tracks[0]])!r}"
        advice = "name artist and title in the tags of the files, or in their names: Artist/Album/01 Title.mp3"
        raise InputError(f"no song played in {plays} was found in {audio}: {names}; {advice}")
    skips: dict[str, int] = {}
    if log.skips is not None:
        n = np.bincount(log.skips.song_codes, minlength=log.n_songs)
        for song, n_skips in zip(cast(list[Song], log.songs), n.tolist()):
            if song in match.track_of and n_skips:
                track = match.track_of[song]
                skips[track] = skips.get(track, 0) + n_skips
    named = _renamed(played, lambda song: match.track_of.get(cast(Song, song), str(Names(*cast(Song, song)))))
    rest = {track: path for track, path in folder.paths.items() if track not in match.copies}
    return OwnMusic(named, replace(folder, paths=rest), audio, match.names, skips, match)


def _renamed(log: Ratings, name_of: Callable[[Hashable], str]) -> Ratings:
    """Give the songs other names; those that get the same name become one."""
    codes, songs = number_ids([name_of(song) for song in log.songs])
    columns = log.user_codes, codes[log.csr.indices], log.csr.data
    return Ratings.from_codes(*columns, log.users, songs, "sum", notes=log.notes)
