"""From three columns (who, what, how much) to R by rows, with each pair once."""

from collections.abc import Hashable, Sequence

import numpy as np
from scipy import sparse

from acai.errors import InputError, unknown

WAYS = ("sum", "mean", "max", "min", "first", "last")  # to combine the values of a repeated pair


class RepeatedPair(InputError):
    """A pair has more than one value, and nobody said how to combine them; `rows` are the first two of its entries."""

    def __init__(self, user: Hashable, song: Hashable, rows: tuple[int, int], n_repeated: int) -> None:
        self.user, self.song, self.rows, self.n_repeated = user, song, rows, n_repeated
        ways = ", ".join(f"combine={way!r}" for way in WAYS)
        super().__init__(
            f"user {user!r} has more than one value for song {song!r} ({n_repeated} repeated pairs in all); "
            f"say how to combine them: {ways}"
        )


def check_columns(
    user_codes: np.ndarray,
    song_codes: np.ndarray,
    values: np.ndarray,
    users: Sequence,
    songs: Sequence,
    times: np.ndarray | None,
) -> None:
    """Columns must be equally long, not empty, and hold finite values."""
    if not len(user_codes) == len(song_codes) == len(values):
        raise InputError(
            "users, songs and values must be equally long; "
            f"they have {len(user_codes)}, {len(song_codes)} and {len(values)} entries"
        )
    if times is not None and len(times) != len(values):
        raise InputError(f"there are {len(values)} values, but {len(times)} times")
    if len(values) == 0:
        raise InputError("there is not one rating; at least one (user, song, value) is needed")
    finite = np.isfinite(values)
    if not finite.all():
        j = int(np.argmin(finite))
        raise InputError(
            f"value {values[j]} of user {users[user_codes[j]]!r} for song {songs[song_codes[j]]!r} (entry {j}) "
            "is not a finite number"
        )


def by_rows(
    user_codes: np.ndarray,
    song_codes: np.ndarray,
    values: np.ndarray,
    times: np.ndarray | None,
    users: Sequence,
    songs: Sequence,
    combine: str | None,
) -> tuple[sparse.csr_array, np.ndarray | None]:
    """R as a csr_array with ascending songs in each row, and the times in the same order.

    What is sorted is the number of each entry, in place, so that at no moment a second copy of R exists.
    """
    if combine is not None and combine not in WAYS:
        raise unknown("way to combine", combine, WAYS, n=len(WAYS))
    coo = sparse.coo_array(
        (np.arange(len(values), dtype=np.int32), (user_codes, song_codes)), shape=(len(users), len(songs))
    )
    coo.has_canonical_format = True  # or SciPy would add up the entries of repeated pairs
    csr = coo.tocsr()
    del coo
    csr.sort_indices()
    indptr, indices, entry = csr.indptr, csr.indices, csr.data
    del csr

    starts = np.ones(len(entry), dtype=bool)  # where another pair begins
    np.not_equal(indices[1:], indices[:-1], out=starts[1:])
    starts[indptr[:-1][np.diff(indptr) > 0]] = True  # a new row is a new pair, whatever the song
    if starts.all():
        data = values[entry]
        times = None if times is None else times[entry]
    else:
        first = np.flatnonzero(starts)
        if combine is None:
            raise _repeated(indptr, indices, entry, first, users, songs)
        data, times = _combined(values, times, entry, first, combine)
        indices, indptr = indices[first], np.searchsorted(first, indptr).astype(np.int32)
    return sparse.csr_array(
        (data.astype(np.float32, copy=False), indices, indptr), shape=(len(users), len(songs))
    ), times


def _combined(
    values: np.ndarray, times: np.ndarray | None, entry: np.ndarray, first: np.ndarray, combine: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """One value, and one time, for the entries of each pair, which begin at `first`; `entry` says which they are."""
    chosen = (np.minimum if combine == "first" else np.maximum).reduceat(entry, first)
    if combine in ("first", "last"):
        return values[chosen], None if times is None else times[chosen]
    times = None if times is None else np.maximum.reduceat(times[entry], first)  # the latest
    if combine in ("max", "min"):
        return (np.maximum if combine == "max" else np.minimum).reduceat(values[entry], first), times
    data = np.add.reduceat(values[entry], first, dtype=np.float64)
    return data if combine == "sum" else data / np.diff(np.append(first, len(entry))), times


def _repeated(
    indptr: np.ndarray, indices: np.ndarray, entry: np.ndarray, first: np.ndarray, users: Sequence, songs: Sequence
) -> RepeatedPair:
    """The error for the pair whose repetition comes first: where a reader of the columns would stumble."""
    sizes = np.diff(np.append(first, len(entry)))
    entry = entry[
        np.lexsort((entry, np.repeat(np.arange(len(first)), sizes)))
    ]  # each pair's entries in the order given
    several = np.flatnonzero(sizes > 1)
    g = first[several[np.argmin(entry[first[several] + 1])]]
    u = int(np.searchsorted(indptr, g, side="right")) - 1
    return RepeatedPair(users[u], songs[indices[g]], (int(entry[g]), int(entry[g + 1])), len(several))
