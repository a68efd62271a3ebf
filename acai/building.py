"""From columns (who, what, how much, perhaps when) to R by rows: ids are numbered, and each pair occurs once; or from a file."""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from scipy import sparse

from acai.errors import InputError, check_codes, unknown
from acai.files import Contents

# to combine the values of a repeated pair; "first" and "last" reduce the entries' numbers instead of their values
WAYS = {"sum": np.add, "mean": np.add, "max": np.maximum, "min": np.minimum, "first": np.minimum, "last": np.maximum}
WAYS |= {"count": np.add}  # of entries, whatever their values


class RepeatedPair(InputError):
    """A pair has more than one value, and nobody said how to combine them; `rows` are the first two of its entries."""

    def __init__(self, user: Hashable, song: Hashable, rows: tuple[int, int], n_repeated: int) -> None:
        self.user, self.song, self.rows = user, song, rows
        ways = ", ".join(f"combine={way!r}" for way in WAYS)
        found = f"user {user!r} has more than one value for song {song!r} ({n_repeated} repeated pairs in all)"
        super().__init__(f"{found}; say how to combine them: {ways}")


def intern(ids: Iterable[Hashable]) -> tuple[np.ndarray, list[Hashable]]:
    """Number the ids in order of appearance: the codes (int32), and the ids in the order of their numbers."""
    ids = ids.tolist() if hasattr(ids, "tolist") else list(ids)  # NumPy's scalars become plain Python ones
    numbers: dict[Hashable, int] = {}

    def number(name: Hashable) -> int:
        try:
            return numbers.setdefault(name, len(numbers))
        except TypeError as error:
            raise InputError(f"{name!r} cannot be an id: {error}") from None

    return np.fromiter(map(number, ids), np.int32, count=len(ids)), list(numbers)


def by_rows(
    u: np.ndarray, i: np.ndarray, r: np.ndarray, t: np.ndarray | None,
    users: Sequence[Hashable], songs: Sequence[Hashable], combine: str | None,
) -> tuple[sparse.csr_array, np.ndarray | None]:
    """R with ascending songs in each row, where `users[u[j]]` gave `songs[i[j]]` the value `r[j]` at the time `t[j]`.

    What is sorted is the number j of each entry, in place, so that at no moment a second copy of R exists.

    Returns
    -------
    csr, times
        The times in the order of `csr.data`; None if `t` is, and where entries were counted.
    """
    if not len(u) == len(i) == len(r):
        raise InputError(f"users, songs and values must be equally long; they have {len(u)}, {len(i)} and {len(r)} entries")
    if t is not None and len(t) != len(r):
        raise InputError(f"there are {len(r)} values, but {len(t)} times")
    if len(r) == 0:
        raise InputError("there is not one rating; at least one (user, song, value) is needed")
    check_codes(u, len(users), "user codes")
    check_codes(i, len(songs), "song codes")
    if not np.isfinite(r).all():
        j = int(np.argmin(np.isfinite(r)))
        raise InputError(f"value {r[j]} of user {users[u[j]]!r} for song {songs[i[j]]!r} (entry {j}) is not a finite number")
    if combine is not None and combine not in WAYS:
        raise unknown("way to combine", combine, WAYS, n=len(WAYS))

    shape = (len(users), len(songs))
    entry = np.zeros(len(r), dtype=np.int8) if combine == "count" else np.arange(len(r), dtype=np.int32)
    indptr, indices, entry = _sorted(entry, u, i, shape)
    starts = np.ones(len(entry), dtype=bool)  # where another pair begins
    np.not_equal(indices[1:], indices[:-1], out=starts[1:])
    starts[indptr[:-1][np.diff(indptr) > 0]] = True  # a new row is a new pair, whatever the song
    if starts.all() and combine != "count":
        r, t = r[entry], None if t is None else t[entry]
    else:
        first = np.flatnonzero(starts)
        sizes = np.diff(np.append(first, len(entry)))
        if combine is None:
            rows = _first_repetition(entry, first, sizes)
            raise RepeatedPair(users[u[rows[0]]], songs[i[rows[0]]], rows, np.count_nonzero(sizes > 1))
        r, t = _combined(r, t, entry, first, sizes, combine)
        indices, indptr = indices[first], np.searchsorted(first, indptr).astype(np.int32)
    return sparse.csr_array((r.astype(np.float32, copy=False), indices, indptr), shape=shape), t


def checked_csr(csr: sparse.csr_array) -> sparse.csr_array:
    """R in float32, once it is known that compiled code may follow its indices, which it does not check."""
    if not isinstance(csr, sparse.csr_array | sparse.csr_matrix) or csr.data.dtype.kind not in "fiub":
        kind = f"{type(csr).__name__} of {getattr(csr, 'dtype', 'anything')}"
        raise InputError(f"R is a {kind}; expected a scipy.sparse.csr_array of real numbers; Ratings.from_triplets builds one")
    if csr.indices.dtype.kind not in "iu" or csr.indptr.dtype.kind not in "iu":
        raise InputError(f"R is damaged: its indices are {csr.indices.dtype} and {csr.indptr.dtype}; expected integers")
    try:
        fresh = sparse.csr_array((csr.data.astype(np.float32, copy=False), csr.indices, csr.indptr), shape=csr.shape)
        fresh.check_format(full_check=True)
    except (ValueError, TypeError) as error:
        raise InputError(f"R is damaged: {error}; Ratings.from_triplets builds a sound one") from None
    if not fresh.has_canonical_format:
        raise InputError("the rows of R name a song twice, or songs out of order; call csr.sum_duplicates() first")
    if not np.isfinite(fresh.data).all():
        bad = fresh.data[~np.isfinite(fresh.data)][0]
        raise InputError(f"R holds {bad}; expected finite values that fit into 32 bits, below 3.4e38")
    return fresh


def _sorted(entry: np.ndarray, u: np.ndarray, i: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Where each row begins, the songs of the rows, ascending, and the entries likewise; repeated pairs stay as they are."""
    coo = sparse.coo_array((entry, (u, i)), shape=shape)
    coo.has_canonical_format = True  # or SciPy would add up the entries of repeated pairs
    csr = coo.tocsr()
    csr.sort_indices()
    return csr.indptr, csr.indices, csr.data


def _first_repetition(entry: np.ndarray, first: np.ndarray, sizes: np.ndarray) -> tuple[int, int]:
    """The first two entries of the pair whose repetition comes first: where a reader of the columns would stumble."""
    entry = entry[np.lexsort((entry, np.repeat(np.arange(len(first)), sizes)))]  # of each pair as given
    several = first[sizes > 1]
    g = several[np.argmin(entry[several + 1])]
    return int(entry[g]), int(entry[g + 1])


def _combined(
    r: np.ndarray, t: np.ndarray | None, entry: np.ndarray, first: np.ndarray, sizes: np.ndarray, combine: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """One value, and one time, for the entries of each pair, which begin at `first`."""
    if combine == "count":
        return sizes, None
    if combine in ("first", "last"):
        chosen = WAYS[combine].reduceat(entry, first)
        return r[chosen], None if t is None else t[chosen]
    r = WAYS[combine].reduceat(r[entry], first, dtype=np.float64)
    return r / sizes if combine == "mean" else r, None if t is None else np.maximum.reduceat(t[entry], first)


def stored_ids(contents: Contents, name: str) -> tuple[Hashable, ...]:
    """The ids of one axis, as a file has them: all different."""
    ids = contents.sequence(name, str | float | int | bool | tuple | None)
    try:
        n_different = len(set(ids))
    except TypeError as error:
        raise contents.fault(f"{name} holds what cannot be an id: {error}") from None
    if n_different < len(ids):
        raise contents.fault(f"{name} has {len(ids)} entries, but only {n_different} different ids")
    return ids


def stored_rows(contents: Contents, shape: tuple[int, int]) -> sparse.csr_array:
    """R, as a file has it: its rows one after another, and ascending songs in each row."""
    n_users, n_songs = shape
    data = contents.array("data", (None,), ("float32",))
    indices = contents.array("indices", data.shape, ("int32", "int64"))
    indptr = contents.array("indptr", (n_users + 1,), ("int32", "int64"))
    if indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
        raise contents.fault(f"indptr does not rise from 0 to the {len(indices)} known entries")
    if ((indices < 0) | (indices >= n_songs)).any():
        raise contents.fault(f"indices has a song number outside the {n_songs} songs")
    R = sparse.csr_array((data, indices, indptr), shape=shape)
    if not R.has_canonical_format:
        raise contents.fault("the song numbers of a row do not ascend")
    return R
