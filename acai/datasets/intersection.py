"""Last.fm 1K ∩ Million Song Dataset: which of the songs that were played are described in the Million Song Dataset.

The original joined artist and title byte for byte. Here a song without a match is tried again under more and more tolerant
rules, and what each rule added is reported.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np

from acai.datasets.listening_log import ListeningLog
from acai.datasets.msd import Tracks
from acai.errors import InputError

BRACKETS = re.compile(r"(?<=\S)(\s*(\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}))+\s*$")  # "(Live)" at the end, but not alone
GUESTS = re.compile(r"\s*[(\[]?\b(feat|featuring|ft)\b\.?\s.*$")  # "feat. somebody", in brackets or not


def exact(text: str) -> str:
    """Compare every character as it is."""
    return text


def letters(text: str) -> str:
    """Normalise to Unicode NFKC, fold case, and collapse white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def punctuation(text: str) -> str:
    """Apply `letters`, drop apostrophes, and read "&" as "and" and other punctuation as spaces."""
    text = letters(text)
    return " ".join("".join(map(_spoken, text)).split()) or text  # "???" is a title, too


def suffixes(text: str) -> str:
    """Apply `punctuation`, without brackets at the end ("(Live)", "[Remastered]") and without guests ("feat. …")."""
    text = letters(text)
    return punctuation(BRACKETS.sub("", GUESTS.sub("", text) or text))


@cache
def _spoken(sign: str) -> str:
    """Say how to read a punctuation mark."""
    if sign == "&":
        return " and "
    if sign in "'’‘`´":
        return ""
    return sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " "


RULES = (exact, letters, punctuation, suffixes)


@dataclass(frozen=True)
class Added:
    """What one rule matched in addition to the rules before it."""

    rule: str
    n_songs: int
    n_plays: int
    n_ambiguous: int  # how many of these songs matched several different songs; the first was taken


@dataclass(frozen=True, repr=False)
class Intersection:
    """The plays of songs that are in both data sets.

    Attributes
    ----------
    log : ListeningLog
        Only these plays; its songs are song ids of the Million Song Dataset, its users are all users of the given log.
    tracks : dict
        The track id of each of these songs.
    names : dict
        The song id of each (artist, title) of the given log that was matched.
    added : list of Added
        What each rule added, in the order in which they were applied.
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
        """Show what each rule added as a table."""
        lines = [f"{'rule':<12}{'songs':>12}{'ambiguous':>12}{'plays':>14}"]
        lines += [f"{a.rule:<12}{a.n_songs:>12,}{a.n_ambiguous:>12,}{a.n_plays:>14,}" for a in self.added]
        lines += [f"{'together':<12}{len(self.names):>12,}{'':>12}{self.log.n_plays:>14,}"]
        return "\n".join([*lines, f"{'of':<12}{self.n_songs:>12,}{'':>12}{self.n_plays:>14,}"])


def intersect(log: ListeningLog, tracks: Tracks, mismatches: Collection[tuple[str, str]] = ()) -> Intersection:
    """Match the songs of a listening log with the tracks of the Million Song Dataset by artist and title.

    Parameters
    ----------
    log : ListeningLog
        With songs (artist, title), as returned by `lastfm_1k`.
    tracks : Tracks
        As returned by `msd_tracks`.
    mismatches : collection of (song, track)
        As returned by `msd_mismatches`: pairs that must not be used.

    Returns
    -------
    Intersection

    Raises
    ------
    InputError
        If there is no match at all.
    """
    wrong = set(mismatches)
    usable = [row for row in zip(tracks.song_ids, tracks.track_ids, tracks.artists, tracks.titles) if row[:2] not in wrong]
    names = [(str(artist), str(title)) for artist, title in cast(Sequence[tuple[str, str]], log.songs)]
    plays = np.bincount(log.song_codes, minlength=log.n_songs)
    matched: dict[int, tuple[str, str]] = {}  # the log's song number → (song, track)
    added = []
    for rule in RULES:
        new, n_ambiguous = _match(rule, {i: name for i, name in enumerate(names) if i not in matched}, usable)
        matched |= new
        added.append(Added(rule.__name__, len(new), int(plays[list(new)].sum()), n_ambiguous))
    if not matched:
        found = f"none of the {log.n_songs:,} songs in the log matches any of the {len(tracks):,} tracks"
        raise InputError(f"{found}; expected artists and titles spelled alike in both")

    track_of: dict[str, str] = {}  # several names of one song become one
    for i in sorted(matched):
        song, track = matched[i]
        track_of.setdefault(song, track)
    notes = [f"matched by {a.rule}: {a.n_songs:,} songs, {a.n_plays:,} plays" for a in added]
    plays_of_both = _renamed(log, {i: song for i, (song, _) in matched.items()}, list(track_of), notes)
    song_of = {names[i]: song for i, (song, _) in matched.items()}
    return Intersection(plays_of_both, track_of, song_of, added, log.n_plays, log.n_songs)


def _renamed(log: ListeningLog, song_of: dict[int, str], songs: list[str], notes: list[str]) -> ListeningLog:
    """Keep the plays of the songs whose numbers are in `song_of`, under their new names."""
    number = {song: j for j, song in enumerate(songs)}
    code = np.full(log.n_songs, -1, dtype=np.int32)
    code[list(song_of)] = [number[song] for song in song_of.values()]
    kept = log.keep(code[log.song_codes] >= 0)
    return ListeningLog(kept.user_codes, code[kept.song_codes], kept.times, log.users, songs, (*log.notes, *notes))


def _match(
    rule: Callable[[str], str], names: dict[int, tuple[str, str]], tracks: list[tuple[str, str, str, str]]
) -> tuple[dict[int, tuple[str, str]], int]:
    """Match the names (artist, title) of some songs with tracks by one rule.

    Returns
    -------
    matched, n_ambiguous
        The (song, track) of each song's number, and how many songs matched several different songs.
    """
    rule_for_artists = cache(rule)  # an artist has many songs
    numbers: dict[tuple[str, str], list[int]] = {}
    for i, (artist, title) in names.items():
        numbers.setdefault((rule_for_artists(artist), rule(title)), []).append(i)
    matched: dict[int, tuple[str, str]] = {}
    ambiguous: set[int] = set()
    for song, track, artist, title in tracks:
        for i in numbers.get((rule_for_artists(artist), rule(title)), ()):
            if matched.setdefault(i, (song, track))[0] != song:
                ambiguous.add(i)
    return matched, len(ambiguous)
