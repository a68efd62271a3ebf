"""Your own music: who played what, what it sounds like, and which unplayed songs suit whom."""

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from acai.audio.features import extract
from acai.audio.folder import AudioFolder, audio_folder
from acai.audio.recording import Recording
from acai.cf import ALS
from acai.content import AudioToFactors, ColdStartRecommender
from acai.datasets.rated import triplets
from acai.errors import InputError
from acai.ratings import Ratings

MIN_SONGS = 4  # to train an `AudioToFactors`
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
    """

    plays: Ratings
    sounds: Mapping[str, np.ndarray]
    paths: Mapping[str, os.PathLike[str]]
    skipped: Mapping[str, str]
    missing_audio: tuple[str, ...]
    audio: str | os.PathLike[str]

    def songs_with_audio(self) -> list[str]:
        """List the songs with audio in the order of the axis."""
        return [str(song) for song in self.plays.songs if song in self.sounds]

    def played_and_unplayed(self) -> tuple[list[str], list[str]]:
        """Split the songs with audio into those that somebody has played and those that nobody has: see `split_by_plays`."""
        return split_by_plays(self.songs_with_audio(), self.plays, self.audio)

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
        Who played what, and how often.
    folder : AudioFolder
        The files.
    audio : path
        The folder, as given.
    """

    log: Ratings
    folder: AudioFolder
    audio: str | os.PathLike[str]

    def listen(self, width: int = 129, progress: bool = False) -> Library:
        """Compute the spectrograms of the whole folder. Tracks shorter than a window of `width` frames are skipped."""
        log = self.log
        played = [track for track in self.folder.tracks if track in log.song_columns]
        features = extract(self.folder.paths, progress=progress)
        short = {track for track in features if features[track].shape[1] < width}
        skipped = {**features.skipped, **{track: f"is shorter than a window of {width} frames" for track in short}}
        sounds = {track: features[track] for track in features if track not in short}
        if not sounds.keys() & played:
            first = f"{played[0]} {skipped[played[0]]}"
            raise InputError(f"none of the {len(played)} files in {self.folder.root} that were played could be used: {first}")
        songs = [*log.songs, *(track for track in sounds if track not in log.song_columns)]
        R = sparse.csr_array((log.csr.data, log.csr.indices, log.csr.indptr), shape=(log.n_users, len(songs)))
        missing = tuple(str(song) for song in log.songs if song not in sounds)
        return Library(Ratings(R, log.users, songs), sounds, self.folder.paths, skipped, missing, self.audio)


def own_music(plays: str | os.PathLike[str], audio: str | os.PathLike[str]) -> OwnMusic:
    """Read a listening log, and the names of the files in a folder.

    Parameters
    ----------
    plays : path
        A delimited file of user, track and number of plays (see `acai.datasets.triplets`), without a header; lines of the
        same user and track are added up. A track is named after its file, relative to the folder: `artist/song.mp3`.
    audio : path
        The folder of audio files, at any depth.

    Raises
    ------
    InputError
        If no track of the log is in the folder.
    """
    log = triplets(plays, combine="sum")
    folder = audio_folder(audio)
    if not any(track in log.song_columns for track in folder.tracks):
        names = f"the log names {log.songs[0]!r}, the folder has {folder.tracks[0]!r}"
        advice = "name the tracks in the log as the files are named, relative to the folder"
        raise InputError(f"no track of {plays} is in {audio}: {names}; {advice}")
    return OwnMusic(log, folder, audio)


def split_by_plays(
    songs: Sequence[str], plays: Ratings, audio: str | os.PathLike[str]
) -> tuple[list[str], list[str]]:
    """Split songs into those with and without plays; refuse too few to train on, or none to recommend."""
    n = dict(zip(plays.songs, np.diff(plays.csc.indptr)))
    played = [song for song in songs if n.get(song)]
    unplayed = [song for song in songs if not n.get(song)]
    if not unplayed:
        raise InputError(f"every track of {audio} has been played already; add some that nobody has played")
    if len(played) < MIN_SONGS:
        expected = f"expected at least {MIN_SONGS}, 2 to train on and 2 to validate on"
        raise InputError(f"of the tracks of {audio} with audio, {len(played)} have been played; {expected}")
    return played, unplayed


@dataclass(frozen=True)
class Recommendations:
    """What one listener played, and the songs that nobody has played that suit them best.

    Attributes
    ----------
    played : list of (song, number of plays)
        What the listener played, the most played first.
    best : list of (song, score)
        What is recommended, best first.
    Q : numpy.ndarray, shape (number of training songs, k)
        The latent factors of the training songs.
    audio_model : AudioToFactors
        The fitted network.
    """

    played: list[tuple[str, float]]
    best: list[tuple[str, float]]
    Q: np.ndarray
    audio_model: AudioToFactors

    @property
    def warning(self) -> str:
        """Why not to trust the recommendations; empty if the network learnt something."""
        score = max(epoch.score for epoch in self.audio_model.history)
        if score > 0:
            return ""
        found = f"on held-out songs the network predicts worse than their mean (R² {score:.2f})"
        return f"Warning: {found}: {len(self.Q)} songs are too few to train on. Do not trust the ranking."


def recommend(
    library: Library, user: str, n_factors: int = 10, n_epochs: int = 40, *, seed: int = 0, progress: bool = False
) -> Recommendations:
    """Train on the songs that were played, and recommend the others to one listener."""
    log = library.plays
    sounds = library.sounds
    played, unplayed = library.played_and_unplayed()
    model = ALS(n_factors=n_factors, reg=10.0, seed=seed).fit(log, progress=progress)  # P, Q (C11)
    Q = model.Q[[log.column(song) for song in played]]
    network = AudioToFactors(n_epochs=n_epochs, seed=seed).fit([sounds[song] for song in played], Q, progress=progress)
    network.expect_complete_training()
    Q_hat = network.predict([sounds[song] for song in unplayed])  # (A4)
    best = ColdStartRecommender(model, dict(zip(unplayed, Q_hat))).recommend(user, n=5)
    return Recommendations(_named(log.favourites(user)), _named(best), Q, network)


def _named(songs: list[tuple[Hashable, float]]) -> list[tuple[str, float]]:
    return [(str(song), value) for song, value in songs]
