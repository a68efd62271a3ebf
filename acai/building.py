"""From three columns (who, what, how much) to R by rows, with each pair once."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from acai.errors import InputError, unknown

# to combine the values of a repeated pair; "first" and "last" reduce the entries' numbers instead of their values
WAYS = {"sum": np.add, "mean": np.add, "max": np.maximum, "min": np.minimum, "first": np.minimum, "last": np.maximum}
WAYS |= {"count": np.add}  # of entries, whatever their values


class RepeatedPair(InputError):
    """A pair has more than one value, and nobody said how to combine them; `rows` are the first two of its entries."""

    def __init__(self, user: Hashable, song: Hashable, rows: tuple[int, int], n_repeated: int) -> None:
        self.user, self.song, self.rows = user, song, rows
        super().__init__(
            f"user {user!r} has more than one value for song {song!r} ({n_repeated} repeated pairs in all); "
            f"say how to combine them: {', '.join(f'combine={way!r}' for way in WAYS)}"
        )


@dataclass(frozen=True)
class Columns:
    """`users[u[j]]` gave `songs[i[j]]` the value `r[j]`, perhaps at the time `t[j]`."""

    u: np.ndarray
    i: np.ndarray
    r: np.ndarray
    t: np.ndarray | None
    users: Sequence[Hashable]
    songs: Sequence[Hashable]

    def check(self) -> None:
        """Columns must be equally long, not empty, and hold finite values."""
        n = len(self.r)
        if not len(self.u) == len(self.i) == n:
            raise InputError(
                f"users, songs and values must be equally long; they have {len(self.u)}, {len(self.i)} and {n} entries"
            )
        if self.t is not None and len(self.t) != n:
            raise InputError(f"there are {n} values, but {len(self.t)} times")
        if n == 0:
            raise InputError("there is not one rating; at least one (user, song, value) is needed")
        finite = np.isfinite(self.r)
        if not finite.all():
            j = int(np.argmin(finite))
            user, song = self.users[self.u[j]], self.songs[self.i[j]]
            raise InputError(f"value {self.r[j]} of user {user!r} for song {song!r} (entry {j}) is not a finite number")

    def by_rows(self, combine: str | None) -> tuple[sparse.csr_array, np.ndarray | None]:
        """R with ascending songs in each row, and the times in the same order.

        What is sorted is the number of each entry, in place, so that at no moment a second copy of R exists.
        """
        if combine is not None and combine not in WAYS:
            raise unknown("way to combine", combine, WAYS, n=len(WAYS))
        shape, n = (len(self.users), len(self.songs)), len(self.r)
        entry = np.zeros(n, dtype=np.int8) if combine == "count" else np.arange(n, dtype=np.int32)
        coo = sparse.coo_array((entry, (self.u, self.i)), shape=shape)
        coo.has_canonical_format = True  # or SciPy would add up the entries of repeated pairs
        csr = coo.tocsr()
        del coo, entry
        csr.sort_indices()
        indptr, indices, entry = csr.indptr, csr.indices, csr.data
        del csr
        starts = np.ones(len(entry), dtype=bool)  # where another pair begins
        np.not_equal(indices[1:], indices[:-1], out=starts[1:])
        starts[indptr[:-1][np.diff(indptr) > 0]] = True  # a new row is a new pair, whatever the song
        if starts.all() and combine != "count":
            r, t = self.r[entry], None if self.t is None else self.t[entry]
        else:
            first = np.flatnonzero(starts)
            r, t = self._combined(indptr, indices, entry, first, combine)
            indices, indptr = indices[first], np.searchsorted(first, indptr).astype(np.int32)
        return sparse.csr_array((r.astype(np.float32, copy=False), indices, indptr), shape=shape), t

    def _combined(
        self, indptr: np.ndarray, indices: np.ndarray, entry: np.ndarray, first: np.ndarray, combine: str | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """One value, and one time, for the entries of each pair, which begin at `first`."""
        sizes = np.diff(np.append(first, len(entry)))
        if combine is None:  # name the pair whose repetition comes first: where a reader of the columns would stumble
            entry = entry[np.lexsort((entry, np.repeat(np.arange(len(first)), sizes)))]  # of each pair as given
            several = first[sizes > 1]
            g = several[np.argmin(entry[several + 1])]
            user = self.users[int(np.searchsorted(indptr, g, side="right")) - 1]
            raise RepeatedPair(user, self.songs[indices[g]], (int(entry[g]), int(entry[g + 1])), len(several))
        if combine == "count":
            return sizes, None
        if combine in ("first", "last"):
            chosen = WAYS[combine].reduceat(entry, first)
            return self.r[chosen], None if self.t is None else self.t[chosen]
        r = WAYS[combine].reduceat(self.r[entry], first, dtype=np.float64)
        latest = None if self.t is None else np.maximum.reduceat(self.t[entry], first)
        return r / sizes if combine == "mean" else r, latest
