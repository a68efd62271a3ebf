"""The Acai game (BerryAI 2016): a small data set in JSON, of ratings and of titles."""

import json
import re
from collections import Counter
from typing import Any

from acai.datasets.rated import compared
from acai.errors import InputError, shown
from acai.ratings import Ratings
from acai.tables.source import FilePath, opened, read_all

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # how JSON writes half a character


def acai_game(path: FilePath, complete: bool = False) -> Ratings:
    """Read the Acai game (BerryAI 2016, MIT licence): 835 ratings, 1 to 5, of 505 songs by 44 users. Tiny, and real.

    Parameters
    ----------
    path : path
        `acai_game_user_ratings.json`, a JSON object `{user: {song: rating}}`, or the folder or archive that has it.
    complete : bool
        Whether a difference from the published numbers is an error; otherwise it is one of `Ratings.notes`.

    Returns
    -------
    Ratings
        Songs are Spotify ids; `acai_game_titles` has their titles.
    """
    data, label = _json(path, "acai_game_user_ratings.json")
    users, songs, values = [], [], []
    for user, rated in data.items():
        if not isinstance(rated, dict):
            raise InputError(f"{label}, user {shown(user)}: expected {{song: rating, …}}; found {shown(rated)}")
        for song, rating in rated.items():
            if type(rating) not in (int, float) or not 1 <= rating <= 5:
                where = f"{label}, user {shown(user)}, song {shown(song)}"
                raise InputError(f"{where}: expected a rating from 1 to 5; found {shown(rating)}")
            users.append(user)
            songs.append(song)
            values.append(rating)
    if not values:
        raise InputError(f"{label} has no rating; expected {{user: {{song: rating, …}}, …}}")
    ratings = Ratings.from_triplets(users, songs, values)
    sizes = {"rows": ratings.n_ratings, "users": ratings.n_users, "songs": ratings.n_songs}
    notes = [f"{label}: {ratings.n_ratings:,} rows", *compared(label, "acai_game_user_ratings.json", sizes, complete)]
    return Ratings(ratings.csr, ratings.users, ratings.songs, notes=notes)


def acai_game_titles(path: FilePath) -> dict[str, str]:
    """Read "artist: title" of the songs of the Acai game by id, from `tracks.json` or the folder or archive that has it."""
    tracks, label = _json(path, "tracks.json")
    titles = {}
    for song, track in tracks.items():
        name, artists = (track.get("name"), track.get("artists")) if isinstance(track, dict) else (None, None)
        if not (isinstance(name, str) and isinstance(artists, list) and all(isinstance(artist, str) for artist in artists)):
            expected = '{"name": "…", "artists": ["…", …]}'
            raise InputError(f"{label}, song {shown(song)}: expected {expected}; found {shown(track)}")
        titles[song] = f"{', '.join(artists)}: {name}"
    return titles


def _json(path: FilePath, name: str) -> tuple[dict[str, Any], str]:
    """Read a JSON object whose names are all different, and the label of the file for messages."""
    with opened(path, name) as source:
        raw, label = read_all(source), source.label

    def each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:  # JSON allows repeated names; the first would be lost
        for name, n in Counter(name for name, _ in pairs).items():
            if n > 1:
                raise InputError(f"{label}: expected each name once in an object; found {shown(name)} again")
        return dict(pairs)

    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=each_once)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{label}, line {line}: expected UTF-8 text; found {raw[error.start : error.end]!r}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{label}, line {error.lineno}: expected JSON; {error.msg}") from error
    except InputError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:  # a number of 5,000 digits; brackets 5,000 deep
        reason = str(error) or "out of memory"
        raise InputError(f"{label}: expected JSON with short numbers and few levels; {reason}") from error
    if SURROGATE.search(raw) and re.search("[\ud800-\udfff]", json.dumps(data, ensure_ascii=False)):
        raise InputError(f"{label}: expected text in JSON; found half a character (a lone \\ud800 to \\udfff)")
    if not isinstance(data, dict):
        raise InputError(f"{label}: expected a JSON object {{…}}; found a {type(data).__name__}")
    return data, label
