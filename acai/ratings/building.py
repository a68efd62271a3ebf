"""From columns (who, what, how much, perhaps when) to R by rows: ids are numbered, and each pair occurs once; or from a file."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import islice

import numpy as np
from scipy import sparse

from acai.errors import InputError, check_codes, check_count, unknown
from acai.files import Contents

AT_ONCE = 2048  # ids numbered before their hashes are looked at
COLLISIONS = 1000  # ids that may share one hash; of honest ones, a handful does
# to combine the values of a repeated pair; "first" and "last" reduce the entries' numbers instead of their values
LARGEST_VALUE = 1e31  # of a rating; beyond it, sums of several overflow in 32 bits
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
    try:
        ids = ids.tolist() if hasattr(ids, "tolist") else list(ids)  # NumPy's scalars become plain Python ones
    except TypeError as error:
        raise InputError(f"expected a column of ids, such as a list of them; {error}") from None
    if not isinstance(ids, list):
        raise InputError(f"expected a column of ids, such as a list of them; found {ids!r} alone")
    check_count(len(ids), "entries")
    codes = np.empty(len(ids), dtype=np.int32)
    numbers: dict[Hashable, int] = {}
    hashes: Counter[int] = Counter()

    def number(name: Hashable) -> int:
        try:
            return numbers.setdefault(name, len(numbers))
        except TypeError as error:
            raise InputError(f"{name!r} cannot be an id: {error}") from None

    for start in range(0, len(ids), AT_ONCE):
        n_known, some = len(numbers), ids[start : start + AT_ONCE]
        codes[start : start + len(some)] = [number(name) for name in some]
        check_ids(islice(reversed(numbers), len(numbers) - n_known), hashes)
    return codes, list(numbers)


def check_ids(ids: Iterable[Hashable], hashes: Counter[int]) -> None:
    """Refuse ids that a dictionary cannot tell apart, or only in quadratic time; `hashes` counts those met before.

    Python's hashes of numbers and tuples follow a known rule, so that ids can be made that all collide; its hashes of text
    have a random key.
    """
    new = [name for name in ids if type(name) is not str]
    for name in new:
        if name != name:
            raise InputError(f"{name!r} cannot be an id: it is not equal to itself; give missing ids a name, or drop them")
    hashes.update(map(hash, new))
    if new and max(hashes[hash(name)] for name in new) > COLLISIONS:
        raise InputError(f"more than {COLLISIONS:,} ids have the same hash, as {new[-1]!r} has; give them as text, with str()")


def as_values(values: Iterable[float], what: str = "values", dtype: type = np.float32) -> np.ndarray:
    """A column of real numbers; a conversion that would lose more than the last digits is refused.

    Booleans become 0 and 1. Text, complex numbers, dates, missing or masked values are refused, and so is what is too large
    for `dtype`. Digits beyond its precision are rounded off: float32 has seven.

    Parameters
    ----------
    values : iterable of float
        A list, an array or a data-frame column.
    what : str
        What they are, for the message.
    dtype : type
        What they become.
    """
    column = _column(values, f"{what} must be numbers")
    if column.dtype.kind not in "biuf":
        raise InputError(f"{what} must be numbers; found {_kind(column)}: convert them first")
    with np.errstate(over="ignore"):
        converted = column.astype(dtype, copy=False)
    lost = np.isinf(converted) & ~np.isinf(column)
    if lost.any():
        largest = np.finfo(dtype).max
        raise InputError(f"{what} must be numbers up to {largest:.3g}; found {column[lost][0]!r}: scale them down")
    return converted


def as_seconds(times: Iterable[int]) -> np.ndarray:
    """A column of times as whole seconds since 1970 (int64), from integers, floats without a fraction, or `datetime64`."""
    column = _column(times, EXPECTED_TIMES)
    if column.dtype.kind == "M" and not np.isnat(column).any():
        return column.astype("datetime64[s]").astype(np.int64)
    if column.dtype.kind not in "iuf":
        raise InputError(f"{EXPECTED_TIMES}; found {_kind(column)}")
    with np.errstate(invalid="ignore"):
        fine = (np.abs(column) <= 2.0**53) & (np.floor(column) == column)
    if not fine.all():
        raise InputError(f"{EXPECTED_TIMES}; found {column[~fine][0]!r}")
    return column.astype(np.int64)


EXPECTED_TIMES = "times must be whole seconds since 1970, or datetime64 without gaps"


def _column(values: Iterable[float], expected: str) -> np.ndarray:
    """A one-dimensional array, of objects only where these are numbers of a kind that NumPy does not have."""
    if np.ma.is_masked(values):
        raise InputError(f"{expected}; found masked ones: drop them first")
    try:
        column = np.asarray(values if hasattr(values, "__len__") else list(values))
        if column.dtype.kind == "O" and not any(isinstance(value, str | bytes) for value in column.flat):
            column = column.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{expected}; {error}") from error
    if column.ndim != 1:
        raise InputError(f"{expected} in one column; found an array of shape {column.shape}")
    return column.astype(np.float64) if column.size == 0 else column


def _kind(column: np.ndarray) -> str:
    """What is in a column, in words."""
    kinds = {"c": "complex numbers", "U": "text", "S": "bytes", "M": "dates", "m": "durations", "b": "booleans"}
    found = kinds.get(column.dtype.kind, "other objects")
    return f"{found}, as in {column[0]!r}"


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
    for n, what in ((len(r), "entries"), (len(users), "users"), (len(songs), "songs")):
        check_count(n, what)
    if t is not None and len(t) != len(r):
        raise InputError(f"there are {len(r)} values, but {len(t)} times")
    if len(r) == 0:
        raise InputError("there is not one rating; at least one (user, song, value) is needed")
    check_codes(u, len(users), "user codes")
    check_codes(i, len(songs), "song codes")
    if not (r.min() >= -LARGEST_VALUE and r.max() <= LARGEST_VALUE):  # NaN is neither
        j = int(np.argmin((r >= -LARGEST_VALUE) & (r <= LARGEST_VALUE)))
        found = f"value {r[j]} of user {users[u[j]]!r} for song {songs[i[j]]!r} (entry {j})"
        raise InputError(f"{found} is not a finite number of at most ±{LARGEST_VALUE:g}")
    if combine is not None and not (isinstance(combine, str) and combine in WAYS):
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
    check_count(max(csr.nnz, *csr.shape), "entries, users or songs")
    if csr.indices.dtype.kind not in "iu" or csr.indptr.dtype.kind not in "iu":
        raise InputError(f"R is damaged: its indices are {csr.indices.dtype} and {csr.indptr.dtype}; expected integers")
    try:
        fresh = sparse.csr_array((csr.data.astype(np.float32, copy=False), csr.indices, csr.indptr), shape=csr.shape)
        fresh.check_format(full_check=True)
    except (ValueError, TypeError) as error:
        raise InputError(f"R is damaged: {error}; Ratings.from_triplets builds a sound one") from None
    if not fresh.has_canonical_format:
        raise InputError("the rows of R name a song twice, or songs out of order; call csr.sum_duplicates() first")
    if fresh.nnz and not (fresh.data.min() >= -LARGEST_VALUE and fresh.data.max() <= LARGEST_VALUE):
        bad = fresh.data[~(np.abs(fresh.data) <= LARGEST_VALUE)][0]
        raise InputError(f"R holds {bad:g}; expected finite values up to ±{LARGEST_VALUE:g}")
    fresh.indices, fresh.indptr = fresh.indices.astype(np.int32, copy=False), fresh.indptr.astype(np.int32, copy=False)
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
        check_ids(ids, Counter())
        n_different = len(set(ids))
    except (TypeError, InputError) as error:
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
