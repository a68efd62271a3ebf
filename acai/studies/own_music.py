"""A person's own music: who played what, what it sounds like, and what of the songs that nobody has played is for whom."""

import os
from collections.abc import Mapping, Sequence
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

ENOUGH = 4  # songs for an `AudioToFactors`
RATE, SECONDS = 22050, 30  # of the beginning of a song


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
    audio : path
        The folder, as it was named.
    """

    plays: Ratings
    sounds: Mapping[str, np.ndarray]
    paths: Mapping[str, os.PathLike]
    skipped: Mapping[str, str]
    unheard_of: tuple[str, ...]
    audio: str | os.PathLike

    def heard_and_unheard(self) -> tuple[list[str], list[str]]:
        """Of the songs with sound, those that somebody has played and those that nobody has: see `expect_both`."""
        return expect_both([song for song in self.plays.songs if song in self.sounds], self.plays, self.audio)

    def beginning(self, song: str) -> tuple[np.ndarray, float]:
        """The first half minute of a song as (samples, rate)."""
        recording = Recording(self.paths[song], RATE)
        blocks = []
        for block in recording:
            blocks.append(block)
            if recording.n_samples >= SECONDS * RATE:
                break
        return np.concatenate(blocks)[: SECONDS * RATE], RATE

    def with_sound_only(self) -> tuple[Ratings, list[np.ndarray]]:
        """The plays of songs that can be heard, and their spectrograms in the order of the axis."""
        songs = [song for song in self.plays.songs if song in self.sounds]
        heard = self.plays.csc[:, [self.plays.column(song) for song in songs]].tocsr()
        return Ratings(heard, self.plays.users, songs), [self.sounds[song] for song in songs]


@dataclass(frozen=True)
class OwnMusic:
    """A listening log and a folder of sound files of which nothing has been heard yet.

    Attributes
    ----------
    log : Ratings
        Who played what how often.
    folder : AudioFolder
        The files.
    audio : path
        The folder, as it was named.
    """

    log: Ratings
    folder: AudioFolder
    audio: str | os.PathLike

    def listen(self, width: int = 129, progress: bool = False) -> Library:
        """Listen to the whole folder. Tracks shorter than `width` frames are skipped, for no window of theirs can be heard."""
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
        unheard_of = tuple(song for song in log.songs if song not in sounds)
        return Library(Ratings(R, log.users, songs), sounds, self.folder.paths, skipped, unheard_of, self.audio)


def own_music(plays: str | os.PathLike, audio: str | os.PathLike) -> OwnMusic:
    """Read a listening log, and the names of the files in a folder.

    Parameters
    ----------
    plays : path
        A delimited file of user, track and number of plays (see `acai.datasets.triplets`), without a header; lines of the
        same user and track are summed up. A track is named as its file is, relative to the folder: `artist/song.mp3`.
    audio : path
        The folder of sound files, at any depth.

    Raises
    ------
    InputError
        If none of the tracks in the log is in the folder.
    """
    log, folder = triplets(plays, combine="sum"), audio_folder(audio)
    if not any(track in log.song_columns for track in folder.tracks):
        names = f"the log names {log.songs[0]!r}, the folder has {folder.tracks[0]!r}"
        advice = "name the tracks in the log as the files are named, relative to the folder"
        raise InputError(f"no track of {plays} is in {audio}: {names}; {advice}")
    return OwnMusic(log, folder, audio)


def expect_both(songs: Sequence[str], plays: Ratings, audio: str | os.PathLike) -> tuple[list[str], list[str]]:
    """The songs with and without plays: an error unless there are enough to learn from, and one at least to recommend."""
    n = dict(zip(plays.songs, np.diff(plays.csc.indptr)))
    heard, unheard = [song for song in songs if n.get(song)], [song for song in songs if not n.get(song)]
    if not unheard:
        raise InputError(f"every track of {audio} has been played already; add some that nobody has played")
    if len(heard) < ENOUGH:
        expected = f"expected at least {ENOUGH}, 2 to learn from and 2 to judge by"
        raise InputError(f"of the tracks of {audio} that can be heard, {len(heard)} have been played; {expected}")
    return heard, unheard


@dataclass(frozen=True)
class ForListener:
    """What of the songs that nobody has played is for one listener.

    Attributes
    ----------
    played : list of (song, number of plays)
        What the listener played, the most first.
    best : list of (song, score)
        What is recommended, the best first.
    Q : numpy.ndarray, shape (number of songs learnt from, k)
        The hidden features of the songs that were learnt from.
    ear : AudioToFactors
        The network, fitted.
    """

    played: list[tuple[str, float]]
    best: list[tuple[str, float]]
    Q: np.ndarray
    ear: AudioToFactors

    @property
    def caution(self) -> str:
        """Why not to trust it; empty if the network learnt something."""
        score = max(epoch.score for epoch in self.ear.history)
        if score > 0:
            return ""
        found = f"on songs kept aside the network tells less than their mean would (R² {score:.2f})"
        return f"Beware: {found}: {len(self.Q)} songs are too few to learn from. Do not trust the order."


def recommend(
    library: Library, user: str, n_factors: int = 10, n_epochs: int = 40, *, seed: int = 0, progress: bool = False
) -> ForListener:
    """Learn from what was played, listen to what was not, and choose for one listener."""
    log, sounds = library.plays, library.sounds
    heard, unheard = library.heard_and_unheard()
    model = ALS(n_factors=n_factors, reg=10.0, seed=seed).fit(log, progress=progress)  # P, Q (C11)
    Q = model.Q[[log.column(song) for song in heard]]
    ear = AudioToFactors(n_epochs=n_epochs, seed=seed).fit([sounds[song] for song in heard], Q, progress=progress)
    ear.expect_complete_training()
    Q_hat = ear.predict([sounds[song] for song in unheard])  # (A4)
    best = ColdStartRecommender(model, dict(zip(unheard, Q_hat))).recommend(user, n=5)
    return ForListener(log.favourites(user), best, Q, ear)
