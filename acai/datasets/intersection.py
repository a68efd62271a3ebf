"""Last.fm 1K ∩ Million Song Dataset: which of the songs that were played are songs of which the sound is described.

The original joined artist and title byte for byte. Here a song that finds no namesake that way is tried again under rules
that forgive more and more, and what each rule added is reported.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import numpy as np

from acai.datasets.listening_log import ListeningLog
from acai.datasets.msd import Tracks
from acai.errors import InputError

BRACKETS = re.compile(r"(?<=\S)(\s*(\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}))+\s*$")  # "(Live)" at the end, but not alone
GUESTS = re.compile(r"\s*[(\[]?\b(feat|featuring|ft)\b\.?\s.*$")  # "feat. somebody", in brackets or not


def exact(text: str) -> str:
    """The same letters and signs, one by one."""
    return text


def letters(text: str) -> str:
    """Unicode NFKC, case folded, runs of white space made one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def punctuation(text: str) -> str:
    """As `letters`, and apostrophes left out, "&" read as "and", other signs as spaces."""
    text = letters(text)
    return " ".join("".join(map(_spoken, text)).split()) or text  # "???" is a title, too


def suffixes(text: str) -> str:
    """As `punctuation`, without brackets at the end ("(Live)", "[Remastered]") and without guests ("feat. …")."""
    text = letters(text)
    return punctuation(BRACKETS.sub("", GUESTS.sub("", text) or text))


@cache
def _spoken(sign: str) -> str:
    """How a sign is read."""
    if sign in "'’‘`´&":
        return " and " if sign == "&" else ""
    return sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " "


RULES = (exact, letters, punctuation, suffixes)


@dataclass(frozen=True)
class Added:
    """What one rule added to what the rules before it had matched."""

    rule: str
    n_songs: int
    n_plays: int
    n_ambiguous: int  # of these songs, how many had several namesakes that are different songs; the first was taken


@dataclass(frozen=True, repr=False)
class Intersection:
    """The plays of songs that both data sets know.

    Attributes
    ----------
    log : ListeningLog
        These plays alone; its songs are song ids of the Million Song Dataset, its users all users of the given log.
    tracks : dict
        The track id of each of these songs.
    names : dict
        The song id of each (artist, title) of the given log that was matched.
    added : list of Added
        What each rule added, in the order in which they were tried.
    n_plays, n_songs : int
        How many plays and songs the given log had.
    """

    log: ListeningLog
    tracks: dict[str, str]
    names: dict[tuple[str, str], str]
    added: list[Added]
    n_plays: int
    n_songs: int

    def __repr__(self) -> str:
        lines = [f"{'rule':<12}{'songs':>12}{'ambiguous':>12}{'plays':>14}"]
        lines += [f"{a.rule:<12}{a.n_songs:>12,}{a.n_ambiguous:>12,}{a.n_plays:>14,}" for a in self.added]
        lines += [f"{'together':<12}{len(self.names):>12,}{'':>12}{self.log.n_plays:>14,}"]
        return "\n".join([*lines, f"{'of':<12}{self.n_songs:>12,}{'':>12}{self.n_plays:>14,}"])


def intersect(log: ListeningLog, tracks: Tracks, mismatches: Collection[tuple[str, str]] = ()) -> Intersection:
    """Match the songs of a listening log with the tracks of the Million Song Dataset by artist and title.

    Parameters
    ----------
    log : ListeningLog
        With songs (artist, title), as `lastfm_1k` gives it.
    tracks : Tracks
        As `msd_tracks` gives it.
    mismatches : collection of (song, track)
        As `msd_mismatches` gives it: pairs that are not to be used.

    Returns
    -------
    Intersection

    Raises
    ------
    InputError
        If nothing at all matches.
    """
    wrong = set(mismatches)
    plays = np.bincount(log.song_codes, minlength=log.n_songs)
    matched: dict[int, tuple[str, str]] = {}  # the log's song number → (song, track)
    added = []
    for rule in RULES:
        by = cache(rule)  # an artist has many songs
        heard: dict[tuple[str, str], list[int]] = {}
        for i, (artist, title) in enumerate(log.songs):
            if i not in matched:
                heard.setdefault((by(artist), rule(title)), []).append(i)
        new: dict[int, tuple[str, str]] = {}
        ambiguous: set[int] = set()
        for song, track, artist, title in zip(tracks.song_ids, tracks.track_ids, tracks.artists, tracks.titles):
            if (song, track) not in wrong:
                for i in heard.get((by(artist), rule(title)), ()):
                    if new.setdefault(i, (song, track))[0] != song:
                        ambiguous.add(i)
        matched |= new
        added.append(Added(rule.__name__, len(new), int(plays[list(new)].sum()), len(ambiguous)))
    if not matched:
        raise InputError(f"none of {log.n_songs:,} songs of the log is among {len(tracks):,} tracks, by artist and title")

    track_of: dict[str, str] = {}  # several names of one song become one
    for i in sorted(matched):
        track_of.setdefault(*matched[i])
    number = {song: j for j, song in enumerate(track_of)}
    code = np.array([number[matched[i][0]] if i in matched else -1 for i in range(log.n_songs)], dtype=np.int32)
    left = log.keep(code[log.song_codes] >= 0)
    notes = (*log.notes, *(f"matched by {a.rule}: {a.n_songs:,} songs, {a.n_plays:,} plays" for a in added))
    left = ListeningLog(left.user_codes, code[left.song_codes], left.times, log.users, list(track_of), notes)
    return Intersection(left, track_of, {log.songs[i]: matched[i][0] for i in matched}, added, log.n_plays, log.n_songs)
