"""A listening log: who played what, and when."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from acai import selection
from acai.datasets import rules
from acai.errors import unknown
from acai.ratings import Ratings


@dataclass(frozen=True, repr=False, eq=False)
class ListeningLog:
    """Plays, one entry each.

    Attributes
    ----------
    user_codes, song_codes : arrays of int32, shape (n_plays,)
        Who played what: places in `users` and `songs`.
    times : array of int64, shape (n_plays,)
        When, in seconds since 1970 (UTC); `log.times.view("datetime64[s]")` shows them as dates.
    users, songs : sequences
        The ids. A song of Last.fm 1K is the pair (artist, title).
    notes : tuple of str
        Where the plays come from, what was left out, and how they differ from what was published.
    """

    user_codes: np.ndarray
    song_codes: np.ndarray
    times: np.ndarray
    users: Sequence[Hashable]
    songs: Sequence[Hashable]
    notes: tuple[str, ...] = ()

    @property
    def n_plays(self) -> int:
        """The number of plays."""
        return len(self.times)

    @property
    def n_users(self) -> int:
        """m, the number of users."""
        return len(self.users)

    @property
    def n_songs(self) -> int:
        """n, the number of songs."""
        return len(self.songs)

    def to_ratings(self, rule: str = "plays") -> Ratings:
        """Make one value of all plays of a pair.

        Parameters
        ----------
        rule : {"plays", "log1p", "binary", "stars_from_counts", "stars_from_times"}
            A function of `acai.datasets.rules`: (D1) to (D5).

        Returns
        -------
        Ratings
            With the axes of this log, and without times: to train on the past, split the log first.
        """
        known = [*rules.OF_COUNTS, "stars_from_times"]
        if rule not in known:
            raise unknown("rule", rule, known, n=len(known))
        once = np.broadcast_to(np.float32(1), self.n_plays)
        columns = (self.user_codes, self.song_codes, once, self.users, self.songs)
        n = Ratings.from_codes(*columns, "count", notes=self.notes)
        if rule in rules.OF_COUNTS:
            return n.map(rules.OF_COUNTS[rule])
        order = np.lexsort((self.times, self.song_codes, self.user_codes))  # pairs as in R, their plays by time
        first = np.cumsum(n.csr.data, dtype=np.int64) - n.csr.data.astype(np.int64)
        return n.map(lambda counts: rules.stars_from_times(self.times[order], first))

    def keep(self, chosen: np.ndarray) -> Self:
        """The plays where `chosen`, of shape (n_plays,) and type bool, is true; the axes stay as they are."""
        columns = self.user_codes[chosen], self.song_codes[chosen], self.times[chosen]
        return type(self)(*columns, self.users, self.songs, self.notes)

    def split_by_time(self, test: float = 0.2) -> tuple[Self, Self]:
        """Train on the past, test on what came after: the latest `test` of the plays, and those of the same second."""
        latest = selection.latest_share(self.times, test)
        return self.keep(~latest), self.keep(latest)

    def __repr__(self) -> str:
        first, last = (str(np.datetime64(int(moment), "s"))[:10] for moment in (self.times.min(), self.times.max()))
        return f"ListeningLog: {self.n_plays:,} plays of {self.n_songs:,} songs by {self.n_users:,} users, {first} to {last}"
