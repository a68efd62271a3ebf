"""From columns (who, what, how much, perhaps when) to R by rows: ids are numbered, and each pair occurs once."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.arrays import check_codes, check_count
from acai.errors import InputError, is_missing, shown, unknown
from acai.files import Contents

AT_ONCE = 2048  # ids numbered before their hashes are checked
COUNTED_AT_ONCE = 2**20  # entries
COLLISIONS = 1000  # ids that may share one hash; real data have a handful
LARGEST_VALUE = 1e31  # of a rating; beyond it, sums of several overflow in 32 bits
# how to combine the values of a repeated pair: "first" and "last" reduce the entries' numbers, "count" counts the entries
AGGREGATIONS: dict[str, np.ufunc] = {
    "sum": np.add, "mean": np.add, "max": np.maximum, "min": np.minimum, "first": np.minimum, "last": np.maximum,
    "count": np.add,
}
Codes = NDArray[np.integer[Any]]


class Entries(NamedTuple):
    """Entries as columns: the user `u[j]` gave the song `i[j]` the value `r[j]` at the time `t[j]`, if times are known."""

    u: Codes
    i: Codes
    r: NDArray[Any]
    t: NDArray[np.int64] | None


class RepeatedPair(InputError):
    """A pair has more than one value, and `combine` does not say what to do; `rows` are the first two of its entries."""

    def __init__(self, user: Hashable, song: Hashable, rows: tuple[int, int], n_repeated: int) -> None:
        self.user, self.song, self.rows = user, song, rows
        choices = ", ".join(f"combine={name!r}" for name in AGGREGATIONS)
        found = f"user {user!r} has more than one value for song {song!r} ({n_repeated} repeated pairs in all)"
        super().__init__(f"{found}; say how to combine them: {choices}")


def number_ids(ids: Iterable[Hashable]) -> tuple[NDArray[np.int32], list[Hashable]]:
    """Give ids numbers in order of appearance; returns the number of each, and the different ids in that order."""
    try:
        column = ids.tolist() if hasattr(ids, "tolist") else list(ids)  # NumPy's scalars become plain Python ones
    except TypeError as error:
        raise InputError(f"expected a column of ids, such as a list of them; {error}") from None
    if not isinstance(column, list):
        raise InputError(f"expected a column of ids, such as a list of them; found {column!r} alone")
    if isinstance(ids, np.ndarray) and (np.ma.is_masked(ids) or (ids.dtype.kind in "mM" and np.isnat(ids).any())):
        raise InputError("the column of ids has gaps; give missing ids a name, or drop their entries")
    shape = getattr(ids, "shape", ())
    if len(shape) > 1:
        raise InputError(f"expected a column of ids, such as a list of them; found a table of shape {shape}")
    check_count(len(column), "entries")
    codes = np.empty(len(column), dtype=np.int32)
    numbers: dict[Hashable, int] = {}
    hashes: Counter[int] = Counter()

    def number(name: Hashable) -> int:
        try:
            return numbers.setdefault(name, len(numbers))
        except TypeError as error:
            raise InputError(f"{shown(name)} cannot be an id: {error}") from None

    for start in range(0, len(column), AT_ONCE):
        n_known = len(numbers)
        some = column[start : start + AT_ONCE]
        codes[start : start + len(some)] = [number(name) for name in some]
        check_ids(islice(reversed(numbers), len(numbers) - n_known), hashes)
    return codes, list(numbers)


def check_ids(ids: Iterable[Hashable], hashes: Counter[int]) -> None:
    """Refuse ids that a dictionary cannot tell apart, or only in quadratic time; `hashes` counts those of earlier ids.

    Python hashes numbers and tuples by a public rule, so ids can be made to collide; its hashes of text have a random key.
    """
    new = [name for name in ids if type(name) is not str]
    for name in new:
        if is_missing(name):
            raise InputError(f"{name!r} cannot be an id: it stands for a gap; give missing ids a name, or drop their entries")
    hashes.update(map(hash, new))
    if new and max(hashes[hash(name)] for name in new) > COLLISIONS:
        raise InputError(f"more than {COLLISIONS:,} ids have the same hash, as {new[-1]!r} has; give them as text, with str()")


def as_values(values: Iterable[float], what: str = "values", dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
    """Convert a column to real numbers, or refuse it if that would lose more than the last digits.

    Booleans become 0 and 1. Text, complex numbers, dates, and missing or masked values are refused, and so is what is too
    large for `dtype`. Digits beyond its precision are rounded off: float32 has seven.

    Parameters
    ----------
    values : iterable of float
        A list, an array or a data-frame column.
    what : str
        What they are, for the message.
    dtype : type
        The type to convert them to.
    """
    column = column_of(values, f"{what} must be numbers")
    if column.dtype.kind not in "biuf":
        raise InputError(f"{what} must be numbers; found {kind_of(column)}: convert them first")
    with np.errstate(over="ignore"):
        converted: NDArray[Any] = column.astype(dtype, copy=False)
    lost = np.isinf(converted) & ~np.isinf(column)
    if lost.any():
        largest = np.finfo(dtype).max
        raise InputError(f"{what} must be numbers up to {largest:.3g}; found {column[lost][0]!r}: scale them down")
    return converted


def column_of(values: Iterable[Any], expected: str) -> NDArray[Any]:
    """Convert to a one-dimensional array; objects that are numbers, such as fractions, become floats."""
    if np.ma.is_masked(values):
        raise InputError(f"{expected}; found masked ones: drop them first")
    try:
        column: NDArray[Any] = np.asarray(values if hasattr(values, "__len__") else list(values))
        if column.dtype.kind == "O" and not any(isinstance(value, str | bytes) for value in column.flat):
            column = column.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{expected}; {error}") from error
    if column.ndim != 1:
        raise InputError(f"{expected} in one column; found an array of shape {column.shape}")
    return column.astype(np.float64) if column.size == 0 else column


def kind_of(column: NDArray[Any]) -> str:
    """Say in words what is in a column."""
    kinds = {"c": "complex numbers", "U": "text", "S": "bytes", "M": "dates", "m": "durations", "b": "booleans"}
    found = kinds.get(column.dtype.kind, "other objects")
    return f"{found}, as in {column[0]!r}"


def by_rows(
    entries: Entries, users: Sequence[Hashable], songs: Sequence[Hashable], combine: str | None
) -> tuple[sparse.csr_array, NDArray[np.int64] | None]:
    """Build R with ascending songs in each row, and one value for each pair.

    What is sorted is the number j of each entry, in place, so that a second copy of R never exists.

    Returns
    -------
    csr, times
        The times in the order of `csr.data`; None if the entries have none, or were counted.
    """
    _check_entries(entries, users, songs, combine)
    u, i, r, t = entries
    shape = (len(users), len(songs))
    order = np.zeros(len(r), dtype=np.int8) if combine == "count" else np.arange(len(r), dtype=np.int32)
    indptr, indices, order = _sorted(order, u, i, shape)
    starts = np.ones(len(order), dtype=bool)  # where another pair begins
    np.not_equal(indices[1:], indices[:-1], out=starts[1:])
    starts[indptr[:-1][np.diff(indptr) > 0]] = True  # a new row is a new pair, whatever the song
    if starts.all() and combine != "count":
        values = r[order]
        times = None if t is None else t[order]
    else:
        first = np.flatnonzero(starts)
        sizes = np.diff(np.append(first, len(order)))
        if combine is None:
            rows = _first_repetition(order, first, sizes)
            raise RepeatedPair(users[u[rows[0]]], songs[i[rows[0]]], rows, int(np.count_nonzero(sizes > 1)))
        values, times = _combine(entries, order, first, sizes, combine)
        indices = indices[first]
        indptr = np.searchsorted(first, indptr).astype(np.int32)
    return sparse.csr_array((values.astype(np.float32, copy=False), indices, indptr), shape=shape), times


def _check_entries(entries: Entries, users: Sequence[Hashable], songs: Sequence[Hashable], combine: str | None) -> None:
    """Raise an error unless R can be built from these columns."""
    u, i, r, t = entries
    if not len(u) == len(i) == len(r):
        raise InputError(f"users, songs and values must be equally long; they have {len(u)}, {len(i)} and {len(r)} entries")
    for n, what in ((len(r), "entries"), (len(users), "users"), (len(songs), "songs")):
        check_count(n, what)
    if t is not None and len(t) != len(r):
        raise InputError(f"there are {len(r)} values, but {len(t)} times")
    if len(r) == 0:
        raise InputError("there is no rating; at least one (user, song, value) is needed")
    check_codes(u, len(users), "user codes")
    check_codes(i, len(songs), "song codes")
    if not (r.min() >= -LARGEST_VALUE and r.max() <= LARGEST_VALUE):  # NaN is neither
        j = int(np.argmin((r >= -LARGEST_VALUE) & (r <= LARGEST_VALUE)))
        found = f"value {r[j]} of user {users[u[j]]!r} for song {songs[i[j]]!r} (entry {j})"
        raise InputError(f"{found} is not a finite number of at most ±{LARGEST_VALUE:g}")
    if combine is not None and not (isinstance(combine, str) and combine in AGGREGATIONS):
        raise unknown("way to combine", combine, AGGREGATIONS, n=len(AGGREGATIONS))


def checked_csr(csr: sparse.csr_array) -> sparse.csr_array:
    """Convert R to float32, and check its indices, because compiled code does not."""
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
        raise InputError(f"R is damaged: {error}; Ratings.from_triplets builds a valid one") from None
    if not fresh.has_canonical_format:
        raise InputError("the rows of R name a song twice, or songs out of order; call csr.sum_duplicates() first")
    if fresh.nnz and not (fresh.data.min() >= -LARGEST_VALUE and fresh.data.max() <= LARGEST_VALUE):
        bad = fresh.data[~(np.abs(fresh.data) <= LARGEST_VALUE)][0]
        raise InputError(f"R holds {bad:g}; expected finite values up to ±{LARGEST_VALUE:g}")
    fresh.indices = fresh.indices.astype(np.int32, copy=False)
    fresh.indptr = fresh.indptr.astype(np.int32, copy=False)
    return fresh


def _sorted(order: NDArray[Any], u: Codes, i: Codes, shape: tuple[int, int]) -> tuple[Codes, Codes, NDArray[Any]]:
    """Sort the entries by row and song; returns where each row begins, the songs, and the entries. Repetitions stay."""
    coo = sparse.coo_array((order, (u, i)), shape=shape)
    coo.has_canonical_format = True  # or SciPy would add up the entries of repeated pairs
    csr = coo.tocsr()
    csr.sort_indices()
    return csr.indptr, csr.indices, csr.data


def _first_repetition(order: NDArray[Any], first: NDArray[np.intp], sizes: NDArray[np.intp]) -> tuple[int, int]:
    """Find the first two entries of the pair that is the first to be repeated, for a reader of the columns."""
    order = order[np.lexsort((order, np.repeat(np.arange(len(first)), sizes)))]  # the entries of each pair as given
    several = first[sizes > 1]
    g = several[np.argmin(order[several + 1])]
    return int(order[g]), int(order[g + 1])


def _combine(
    entries: Entries, order: NDArray[Any], first: NDArray[np.intp], sizes: NDArray[np.intp], combine: str
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Combine the entries of each pair, which begin at `first`, into one value and one time."""
    _, _, r, t = entries
    if combine == "count":
        return sizes, None
    aggregate = AGGREGATIONS[combine]
    if combine in ("first", "last"):
        chosen = aggregate.reduceat(order, first)
        return r[chosen], None if t is None else t[chosen]
    values: NDArray[np.float64] = aggregate.reduceat(r[order], first, dtype=np.float64)
    if combine == "mean":
        values /= sizes
    return values, None if t is None else np.maximum.reduceat(t[order], first)


def column_counts(R: sparse.csr_array) -> NDArray[np.intp]:
    """Count the entries of each column, some at a time: `np.bincount` makes a copy, of twice the size, of what it counts."""
    counts = np.zeros(R.shape[1], np.intp)
    for start in range(0, R.nnz, COUNTED_AT_ONCE):
        counts += np.bincount(R.indices[start : start + COUNTED_AT_ONCE], minlength=len(counts))
    return counts


def stored_ids(contents: Contents, name: str) -> tuple[Hashable, ...]:
    """Read the ids of one axis from a file; they must all be different."""
    ids: tuple[Hashable, ...] = contents.sequence(name, Hashable)  # type: ignore[type-abstract]
    try:
        check_ids(ids, Counter())
        n_different = len(set(ids))
    except (TypeError, InputError) as error:
        raise contents.fault(f"{name} holds what cannot be an id: {error}") from None
    if n_different < len(ids):
        raise contents.fault(f"{name} has {len(ids)} entries, but only {n_different} different ids")
    return ids


def stored_rows(contents: Contents, shape: tuple[int, int]) -> sparse.csr_array:
    """Read R from a file: its rows one after another, with ascending songs in each row."""
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
