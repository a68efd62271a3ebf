"""The data sets as they come: each reader takes the file, the extracted folder, or the archive as it was downloaded.

`READERS` has, by the name that the command line knows, every reader that gives `Ratings`.
"""

from acai.datasets.audio_folder import audio_folder
from acai.datasets.lastfm import hetrec_lastfm
from acai.datasets.movielens import movielens_1m, movielens_100k
from acai.datasets.synthetic import synthetic
from acai.datasets.triplets import triplets

READERS = {
    "movielens-100k": movielens_100k,
    "movielens-1m": movielens_1m,
    "hetrec-lastfm": hetrec_lastfm,
    "triplets": triplets,
}
__all__ = ["READERS", "audio_folder", "hetrec_lastfm", "movielens_1m", "movielens_100k", "synthetic", "triplets"]

