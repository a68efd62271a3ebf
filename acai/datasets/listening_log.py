"""A listening log: who played what, and when; and that of a thousand listeners of Last.fm (Celma 2010)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Self, Unpack

import numpy as np
from numpy.typing import NDArray

from acai.datasets import rules
from acai.datasets.rated import ReadOptions, compared
from acai.errors import InputError, unknown
from acai.ratings import Ratings, splits
from acai.tables.columns import Ids, Times
from acai.tables.lines import TableFormat
from acai.tables.reader import read_table
from acai.tables.source import FilePath

LOG = "userid-timestamp-artid-artname-traid-traname.tsv"
LASTFM_1K = TableFormat(("user", "time", "artist MBID", "artist", "track MBID", "title"), [LOG])
PROFILES = TableFormat(("#id", "gender", "age", "country", "registered"), ["userid-profile.tsv"], header=True)
ENDED = np.datetime64("2010-01-01T00:00:00", "s").astype(np.int64)  # the log was collected in 2009


@dataclass(frozen=True, repr=False, eq=False)
class ListeningLog:
    """Plays, one entry each.

    Attributes
    ----------
    user_codes, song_codes : arrays of int32, shape (n_plays,)
        Who played what: indices into `users` and `songs`.
    times : array of int64, shape (n_plays,)
        When, in seconds since 1970 (UTC); `log.times.view("datetime64[s]")` shows them as dates.
    users, songs : sequences
        The ids. A song of Last.fm 1K is the pair (artist, title).
    notes : tuple of str
        Where the plays come from, what was left out, and how they differ from the published numbers.
    ms_played : array of int32, shape (n_plays,), or None
        How long each was heard, in milliseconds, where that is known; −1 where it is not.
    skips : ListeningLog or None
        The entries that are no plays because the song was soon abandoned, where these are known; with the same axes.
    """

    user_codes: NDArray[np.int32]
    song_codes: NDArray[np.int32]
    times: NDArray[np.int64]
    users: Sequence[Hashable]
    songs: Sequence[Hashable]
    notes: tuple[str, ...] = ()
    ms_played: NDArray[np.int32] | None = None
    skips: Self | None = None

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
        """Turn all plays of a pair into one value.

        Parameters
        ----------
        rule : {"plays", "log1p", "binary", "stars_from_counts", "stars_from_times", "plays_and_skips"}
            A function of `acai.datasets.rules`: (D1) to (D6). The last one also values songs that were only skipped.

        Returns
        -------
        Ratings
            With the axes of this log, and without times: to train on the past, split the log first.
        """
        known = [*rules.OF_COUNTS, "stars_from_times", "plays_and_skips"]
        if rule not in known:
            raise unknown("rule", rule, known, n=len(known))
        if rule == "plays_and_skips":
            return self._plays_and_skips()
        once = np.broadcast_to(np.float32(1), self.n_plays)
        columns = (self.user_codes, self.song_codes, once, self.users, self.songs)
        n = Ratings.from_codes(*columns, "count", notes=self.notes)
        if rule in rules.OF_COUNTS:
            return n.map(rules.OF_COUNTS[rule])
        order = np.lexsort((self.times, self.song_codes, self.user_codes))  # pairs as in R, their plays by time
        first = np.cumsum(n.csr.data, dtype=np.int64) - n.csr.data.astype(np.int64)
        return n.map(lambda counts: rules.stars_from_times(self.times[order], first))

    def _plays_and_skips(self) -> Ratings:
        """Value every pair that was played or skipped by (D6)."""
        skips = self.keep(np.zeros(self.n_plays, dtype=bool)) if self.skips is None else self.skips
        users = np.concatenate([self.user_codes, skips.user_codes])
        songs = np.concatenate([self.song_codes, skips.song_codes])
        is_play = np.arange(len(users)) < self.n_plays
        n = Ratings.from_codes(users, songs, is_play.astype(np.float32), self.users, self.songs, "sum", notes=self.notes)
        s = Ratings.from_codes(users, songs, (~is_play).astype(np.float32), self.users, self.songs, "sum")
        return n.map(lambda counts: rules.plays_and_skips(counts, s.csr.data))

    def keep(self, chosen: NDArray[np.bool_]) -> Self:
        """Select the plays where `chosen`, of shape (n_plays,) and type bool, is true; axes and skips stay as they are."""
        chosen = np.asarray(chosen)
        if chosen.dtype != bool or chosen.shape != (self.n_plays,):
            found = f"an array of {chosen.dtype} of shape {chosen.shape}"
            raise InputError(f"{found} does not choose among the plays; expected bool and ({self.n_plays},)")
        columns = self.user_codes[chosen], self.song_codes[chosen], self.times[chosen]
        ms_played = None if self.ms_played is None else self.ms_played[chosen]
        return type(self)(*columns, self.users, self.songs, self.notes, ms_played, self.skips)

    def split_by_time(self, test: float = 0.2) -> tuple[Self, Self]:
        """Train on the past, test on what came after: the latest `test` of the plays, and those of the same second."""
        latest = splits.latest_share(self.times, test)
        train, test_log = self.keep(~latest), self.keep(latest)
        if self.skips is None:
            return train, test_log
        is_late = self.skips.times >= test_log.times.min()
        return replace(train, skips=self.skips.keep(~is_late)), replace(test_log, skips=self.skips.keep(is_late))

    def leave_last_out(self, k: int = 1, seed: int = 0) -> tuple[Self, Self]:
        """Hold out the `k` latest plays of every user who has more than `k`; of plays in the same second, `seed` chooses."""
        order = np.argsort(self.user_codes, kind="stable")
        indptr = np.append(0, np.cumsum(np.bincount(self.user_codes, minlength=self.n_users))).astype(np.int32)
        latest = np.zeros(self.n_plays, dtype=bool)
        latest[order] = splits.latest_k_of_each_row(indptr, self.times[order], k, seed)
        train, test = self.keep(~latest), self.keep(latest)
        if self.skips is None:
            return train, test
        first_held_out = np.full(self.n_users, np.iinfo(np.int64).max)
        np.minimum.at(first_held_out, test.user_codes, test.times)
        is_late = self.skips.times >= first_held_out[self.skips.user_codes]
        return replace(train, skips=self.skips.keep(~is_late)), replace(test, skips=self.skips.keep(is_late))

    def __repr__(self) -> str:
        """Show the sizes in one line."""
        if not self.n_plays:
            return f"ListeningLog: no plays of {self.n_songs:,} songs by {self.n_users:,} users"
        first, last = (str(np.datetime64(int(moment), "s"))[:10] for moment in (self.times.min(), self.times.max()))
        return f"ListeningLog: {self.n_plays:,} plays of {self.n_songs:,} songs by {self.n_users:,} users, {first} to {last}"


def lastfm_1k(path: FilePath, complete: bool = False, **options: Unpack[ReadOptions]) -> ListeningLog:
    """Read Last.fm 1K (Celma 2010): every play of 992 listeners up to 2009, 19,150,868 of them.

    Parameters
    ----------
    path : path
        `userid-timestamp-artid-artname-traid-traname.tsv`, or the folder or `lastfm-dataset-1K.tar.gz` that has it.
    complete : bool
        Whether a difference from the published numbers is an error; otherwise it is one of the `notes`.
    **options
        `on_error="skip"` leaves faulty lines out, and counts and lists them in `notes`; `progress=True` shows a progress bar.

    Returns
    -------
    ListeningLog
        A song is the pair (artist, title): MusicBrainz ids are missing too often to tell songs apart by them.
    """
    table = read_table(path, LASTFM_1K, {"user": Ids(0), "time": Times(1), "song": Ids(3, 5)}, **options)
    users, times = table.ids["user"], table.columns["time"]
    notes = table.notes() + compared(table.label, LOG, {"rows": table.n_rows, "users": len(users)}, complete)
    late = times >= ENDED
    if late.any():
        line = table.line_of(int(late.argmax()))
        n_late = int(late.sum())
        found = "1 play is" if n_late == 1 else f"{n_late:,} plays are"
        notes.append(f"{found} dated after the log was collected: line {line}, …")
    return ListeningLog(table.columns["user"], table.columns["song"], times, users, table.ids["song"], tuple(notes))


def lastfm_1k_profiles(path: FilePath, on_error: str = "raise") -> dict[str, dict[str, str]]:
    """Read the profiles of the listeners of Last.fm 1K: gender, age, country and registered, by user; "" where none was given.

    Parameters
    ----------
    path : path
        `userid-profile.tsv`, or the folder or `lastfm-dataset-1K.tar.gz` that has it.
    on_error : {"raise", "skip"}
    """
    fields = PROFILES.fields
    columns = {name: Ids(f, may_be_empty=f > 0) for f, name in enumerate(fields)}
    table = read_table(path, PROFILES, columns, on_error=on_error)
    rows = zip(*map(table.texts, fields))
    return {user: dict(zip(fields[1:], profile)) for user, *profile in rows}
