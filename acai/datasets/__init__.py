"""The data sets as published: each reader takes the file, the extracted folder, or the archive as it was downloaded.

`READERS` has every reader that returns `Ratings`, and `TITLES` those that return the titles of songs, by the name of the
data set on the command line; all take a path.
"""

from collections.abc import Callable
from typing import Unpack

from acai.audio.folder import audio_folder
from acai.datasets.acai_game import acai_game, acai_game_titles
from acai.datasets.exports.history import listening_history
from acai.datasets.fma import fma
from acai.datasets.intersection import intersect
from acai.datasets.listening_log import ListeningLog, lastfm_1k, lastfm_1k_profiles
from acai.datasets.matching import match_folder
from acai.datasets.movielens import (
    movielens_1m,
    movielens_25m,
    movielens_32m,
    movielens_100k,
    movielens_latest,
    movielens_titles,
)
from acai.datasets.msd import msd_hdf5, msd_mismatches, msd_tracks
from acai.datasets.rated import (
    ReadOptions,
    hetrec_artists,
    hetrec_lastfm,
    taste_profile,
)
from acai.datasets.synthetic import synthetic
from acai.datasets.triplets import triplets
from acai.ratings import Ratings
from acai.tables.source import FilePath


def _lastfm_1k_plays(path: FilePath, complete: bool = False, **options: Unpack[ReadOptions]) -> Ratings:
    return lastfm_1k(path, complete, **options).to_ratings()


READERS: dict[str, Callable[..., Ratings]] = {
    "movielens-100k": movielens_100k, "movielens-1m": movielens_1m, "movielens-latest-small": movielens_latest,
    "movielens-latest": movielens_latest, "movielens-25m": movielens_25m, "movielens-32m": movielens_32m,
    "hetrec-lastfm": hetrec_lastfm, "lastfm-1k": _lastfm_1k_plays,
    "taste-profile": taste_profile, "acai-game": acai_game, "triplets": triplets,
}
TITLES: dict[str, Callable[[FilePath], dict[str, str]]] = {
    **{name: movielens_titles for name in READERS if name.startswith("movielens")},
    "hetrec-lastfm": hetrec_artists, "acai-game": acai_game_titles,
}
__all__ = [  # noqa: RUF022 (by kind, not by letter)
    "movielens_100k", "movielens_1m", "movielens_latest", "movielens_25m", "movielens_32m",
    "hetrec_lastfm", "taste_profile", "acai_game", "triplets", "lastfm_1k", "ListeningLog", "listening_history", "match_folder",
    "msd_tracks", "msd_mismatches", "msd_hdf5", "intersect", "fma", "audio_folder", "synthetic",
    "movielens_titles", "hetrec_artists", "acai_game_titles", "lastfm_1k_profiles", "READERS", "TITLES",
]
