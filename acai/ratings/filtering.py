"""Which users and songs have enough entries: dropping one may leave others with too few, so this takes several rounds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.settings import Limits, checked


class Minimums(NamedTuple):
    """The least that a user or a song must have."""

    plays_per_user: float  # the sum of a user's entries
    songs_per_user: int
    users_per_song: int

    def checked(self) -> "Minimums":
        """Refuse anything but finite numbers, and counts from 0."""
        counts = Limits(at_least=0)
        return Minimums(
            checked("min_plays_per_user", self.plays_per_user, float, Limits()),
            checked("min_songs_per_user", self.songs_per_user, limits=counts),
            checked("min_users_per_song", self.users_per_song, limits=counts),
        )


def with_enough(
    R: sparse.csr_array, row: NDArray[np.int32], least: Minimums
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Choose the entries, users and songs that are left when nobody has too few; `row` is the row of each entry."""
    n_users, n_songs = R.shape
    entries = np.ones(R.nnz, dtype=bool)
    n_left = -1
    while n_left != np.count_nonzero(entries):
        n_left = int(np.count_nonzero(entries))
        users = np.bincount(row[entries], R.data[entries], minlength=n_users) >= least.plays_per_user
        users &= np.bincount(row[entries], minlength=n_users) >= least.songs_per_user
        songs = np.bincount(R.indices[entries], minlength=n_songs) >= least.users_per_song
        entries &= users[row] & songs[R.indices]
    return entries, users, songs
