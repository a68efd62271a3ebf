"""A listening history and a music folder: which file is which song, by tags or else by the name of the file."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from acai.audio.folder import AudioFolder
from acai.audio.tags import Names, names_in_path, names_in_tags
from acai.datasets.intersection import RULES, letters, suffixes
from acai.datasets.listening_log import ListeningLog

# what Spotify appends to titles: " - Remastered 2012", " - Live at …", " - Radio Edit", " - 2011 Remaster"
VERSION = re.compile(
    r"\s[-–—]\s[^-–—]*\b(remaster(ed)?|live|mono|stereo|edit|mix|version|single|acoustic|demo|instrumental|bonus track|"
    r"original|from|feat)\b.*$"
)
OTHERS = re.compile(r"\s*[,;/&+]|\s(?:and|x|vs\.?|with|und|et|y)\s")  # "A, B", "A; B", "A & B": what follows the first artist
Song = tuple[str, str]


def versions(text: str) -> str:
    """Apply `suffixes`, without " - Remastered 2012" and the like at the end."""
    text = letters(text)
    return suffixes(VERSION.sub("", text) or text)


def first_artist(artist: str) -> str:
    """Apply `versions`, to the first of several artists, without "The": services and tags list them in different ways."""
    first = OTHERS.split(letters(artist).removeprefix("the "))[0]
    return versions(first) or versions(artist)


@dataclass(frozen=True)
class Match:
    """What one rule matched: songs, their plays, and how many further copies of these songs the folder has."""

    rule: str
    n_songs: int
    n_plays: int
    n_copies: int


@dataclass(frozen=True, repr=False)
class FolderMatch:
    """The songs of a history that are in a folder.

    Attributes
    ----------
    track_of : dict
        The track of each song (artist, title) that was matched.
    copies : set of str
        Further tracks with the same songs: other copies or versions of what was heard.
    names : dict of str to Names
        Artist and title of every track of the folder, from its tags or else its path.
    matches : list of Match
        What each rule matched, in the order in which they were applied.
    unmatched : list of ((artist, title), number of plays)
        The songs that are not in the folder, the most played first.
    n_songs, n_plays : int
        How many songs and plays the history has.
    """

    track_of: dict[Song, str]
    copies: set[str]
    names: dict[str, Names]
    matches: list[Match]
    unmatched: list[tuple[Song, int]]
    n_songs: int
    n_plays: int

    def __repr__(self) -> str:
        """Show what each rule matched as a table."""
        lines = [f"{'matched by':<26}{'songs':>8}{'plays':>10}{'copies':>8}"]
        lines += [f"{m.rule:<26}{m.n_songs:>8,}{m.n_plays:>10,}{m.n_copies:>8,}" for m in self.matches]
        n_plays = sum(m.n_plays for m in self.matches)
        lines += [f"{'together':<26}{len(self.track_of):>8,}{n_plays:>10,}{len(self.copies):>8,}"]
        return "\n".join([*lines, f"{'of':<26}{self.n_songs:>8,}{self.n_plays:>10,}"])


def track_names(folder: AudioFolder) -> dict[str, Names]:
    """Read artist and title of every track: those in its tags or, without them, the best guess from its path."""
    return _best_names(_tags(folder), _guesses(folder))


def _tags(folder: AudioFolder) -> dict[str, Names]:
    """Read the tags of the tracks that have any."""
    found = {track: names_in_tags(path) for track, path in folder.paths.items()}
    return {track: names for track, names in found.items() if names is not None}


def _guesses(folder: AudioFolder) -> dict[str, list[Names]]:
    """List what the path of each track may say about it."""
    return {track: names_in_path(path.relative_to(folder.root)) for track, path in folder.paths.items()}


def _best_names(tags: Mapping[str, Names], guesses: Mapping[str, list[Names]]) -> dict[str, Names]:
    return {track: tags.get(track, some[0]) for track, some in guesses.items()}


def match_folder(log: ListeningLog, folder: AudioFolder) -> FolderMatch:
    """Match the songs of a history with the files of a folder, by increasingly tolerant rules.

    First the tags are compared, then the names of files and folders: exactly; ignoring case and Unicode
    normalisation; without punctuation; without "(Live)" and "feat. …" (see `intersect`); without " - Remastered 2012";
    and by the first of several artists. Last, a file that names no artist is matched by its title, if only one artist in the
    history has such a song.

    Parameters
    ----------
    log : ListeningLog
        With songs (artist, title), as returned by `listening_history`.
    folder : AudioFolder
        As returned by `audio_folder`.
    """
    songs = cast(list[Song], list(log.songs))
    plays = dict(zip(songs, np.bincount(log.song_codes, minlength=log.n_songs).tolist()))
    tags = _tags(folder)
    guesses = _guesses(folder)
    track_of: dict[Song, str] = {}
    copies: set[str] = set()
    matches = []
    for label, key, candidates in _attempts(tags, guesses):
        open_songs = [song for song in songs if song not in track_of]
        found = _match(open_songs, key, candidates)
        extra = {track for tracks in found.values() for track in tracks[1:]}
        track_of |= {song: tracks[0] for song, tracks in found.items()}
        copies |= extra
        if found:
            matches.append(Match(label, len(found), sum(plays[song] for song in found), len(extra)))
    copies -= set(track_of.values())
    unmatched = sorted(((song, n) for song, n in plays.items() if song not in track_of and n), key=lambda entry: -entry[1])
    names = _best_names(tags, guesses)
    return FolderMatch(track_of, copies, names, matches, unmatched, len(songs), log.n_plays)


Key = Callable[[Names], Song]


def _attempts(
    tags: Mapping[str, Names], guesses: Mapping[str, list[Names]]
) -> Iterator[tuple[str, Key, list[tuple[str, Names]]]]:
    """Yield each way to match: what to call it, the key that must be the same, and (track, names) to compare with."""
    rules = (*RULES, versions)
    tagged = [(track, names) for track, names in tags.items() if names.artist]
    guessed = [(track, names) for track, some in guesses.items() for names in some if names.artist]
    nameless = [(track, names) for track, names in _best_names(tags, guesses).items() if not names.artist]
    for source, candidates in ("tags", tagged), ("file name", guessed):
        for rule in rules:
            yield f"{source}, {rule.__name__}", _key_of(rule), candidates
        yield f"{source}, first artist", lambda name: (first_artist(name.artist), versions(name.title)), candidates
    yield "title alone", lambda name: ("", versions(name.title)), nameless


def _key_of(rule: Callable[[str], str]) -> Key:
    return lambda name: (rule(name.artist), rule(name.title))


def _match(songs: list[Song], key: Key, candidates: list[tuple[str, Names]]) -> dict[Song, list[str]]:
    """Find the tracks with the same key as each song; a key without an artist must belong to one song."""
    tracks: dict[Song, list[str]] = {}
    for track, name in candidates:
        tracks.setdefault(key(name), []).append(track)
    found: dict[Song, list[str]] = {}
    wanted = {song: key(Names(*song)) for song in songs}
    n_wanting = Counter(wanted.values())
    for song, (artist, title) in wanted.items():
        is_certain = bool(artist) or n_wanting[artist, title] == 1
        if title and is_certain and (artist, title) in tracks:
            found[song] = list(dict.fromkeys(tracks[artist, title]))
    return found
