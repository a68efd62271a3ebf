"""The Acai game (BerryAI 2016, MIT licence): what 44 people thought of 505 songs. Tiny, and real."""

import json
import os
from collections import Counter

from acai.datasets.rated import compared
from acai.datasets.source import opened
from acai.errors import InputError
from acai.ratings import Ratings


def acai_game(path: str | os.PathLike, complete: bool = False) -> Ratings:
    """835 ratings, 1 to 5, of 505 songs by 44 users, some of whom rated a single song.

    Parameters
    ----------
    path : path
        `acai_game_user_ratings.json`, a JSON object `{user: {song: rating}}`, or the folder or archive that has it.
    complete : bool
        Whether a difference from the published numbers is an error; else it is told in `Ratings.notes`.

    Returns
    -------
    Ratings
        Songs are Spotify ids; `acai_game_titles` names them.
    """
    data, label = _json(path, "acai_game_user_ratings.json")
    triplets = []
    for user, rated in data.items():
        if not isinstance(rated, dict):
            raise InputError(f"{label}, user {user!r}: expected {{song: rating, …}}; found {rated!r}")
        for song, rating in rated.items():
            if isinstance(rating, bool) or not isinstance(rating, int | float) or not 1 <= rating <= 5:
                raise InputError(f"{label}, user {user!r}, song {song!r}: expected a rating from 1 to 5; found {rating!r}")
            triplets.append((user, song, rating))
    if not triplets:
        raise InputError(f"{label} has not one rating; expected {{user: {{song: rating, …}}, …}}")
    ratings = Ratings.from_triplets(*zip(*triplets))
    found = {"rows": ratings.n_ratings, "users": ratings.n_users, "songs": ratings.n_songs}
    notes = compared(label, found, {"rows": 835, "users": 44, "songs": 505}, complete)
    return Ratings(ratings.csr, ratings.users, ratings.songs, notes=[f"{label}: {ratings.n_ratings:,} rows", *notes])


def acai_game_titles(path: str | os.PathLike) -> dict[str, str]:
    """"artist: title" of the songs of the Acai game by their ids: `tracks.json`, or the folder or archive that has it."""
    tracks, label = _json(path, "tracks.json")
    try:
        return {song: f"{', '.join(track['artists'])}: {track['name']}" for song, track in tracks.items()}
    except (KeyError, TypeError) as error:
        raise InputError(f"{label}: expected {{song: {{name: …, artists: […]}}, …}}; {error!r}") from error


def _json(path: str | os.PathLike, name: str) -> tuple[dict, str]:
    with opened(path, name) as source:
        raw, label = source.stream.read(), source.label

    def each_once(pairs: list[tuple[str, object]]) -> dict:  # JSON lets a name occur twice, and the first would be lost
        for name, n in Counter(name for name, _ in pairs).items():
            if n > 1:
                raise InputError(f"{label}: expected each name once in an object; found {name!r} again")
        return dict(pairs)

    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=each_once)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{label}, line {line}: expected UTF-8 text; found {raw[error.start : error.end]!r}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{label}, line {error.lineno}: expected JSON; {error.msg}") from error
    if not isinstance(data, dict):
        raise InputError(f"{label}: expected a JSON object {{…}}; found a {type(data).__name__}")
    return data, label
