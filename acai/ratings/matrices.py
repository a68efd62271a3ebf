"""From a matrix with a row for each user to R: SciPy's sparse formats, arrays and wide data frames."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.arrays import real_numbers
from acai.errors import InputError
from acai.ratings.building import as_values, number_ids

if TYPE_CHECKING:
    from acai.ratings.matrix import Ratings

PADDED = ("bsr", "dia")  # formats that store zeros where nothing was said
EXPECTED = "expected a table of numbers with a row for each user and a column for each song"


class Known(NamedTuple):
    """The known entries of a matrix, and how they were told from the others."""

    rows: NDArray[np.integer[Any]]
    columns: NDArray[np.integer[Any]]
    values: NDArray[Any]
    notes: list[str]


def from_matrix(
    cls: "type[Ratings]", A: Any, users: Iterable[Hashable] | None = None, songs: Iterable[Hashable] | None = None,
    combine: str | None = None,
) -> "Ratings":
    """Build R from a matrix with a row for each user and a column for each song.

    Which entries are known depends on what the matrix is:

    - of a SciPy matrix or array, in any format, those that it stores, so that a stored zero is a known zero; only the
      formats `bsr` and `dia` fill up with zeros, which do not count;
    - of an array with NaN (or masked entries), all others, and a zero is a known zero;
    - of an array without NaN, those that are not zero.

    `notes` says what was left out.

    Parameters
    ----------
    A : sparse matrix, array or DataFrame, shape (n_users, n_songs)
        Of a wide pandas DataFrame, the index and the columns are the ids.
    users, songs : iterable of hashable, optional
        The ids of the rows and of the columns; by default their numbers from 0.
    combine : {None, "sum", "mean", "max", "min", "first", "last", "count"}
        What to do if a sparse matrix stores an entry more than once: with None that is an error; SciPy itself adds them up.

    Returns
    -------
    Ratings
    """
    columns = getattr(A, "columns", None)
    if songs is None and columns is not None:
        songs = list(columns)
    if users is None and columns is not None and hasattr(A, "index"):
        users = A.index
    table = A if sparse.issparse(A) else _dense(A)
    if table.ndim != 2:
        raise InputError(f"A has shape {table.shape}; {EXPECTED}")
    known = _stored(table) if sparse.issparse(table) else _filled(table)
    user_ids, song_ids = _axis(users, table.shape[0], "users"), _axis(songs, table.shape[1], "songs")
    return cls.from_codes(known.rows, known.columns, known.values, user_ids, song_ids, combine, notes=known.notes)


def _stored(A: Any) -> Known:
    """Find the entries that a sparse matrix stores."""
    coo = A.tocoo()
    values = as_values(coo.data, "the entries of A")
    missing = np.isnan(values)
    notes = [f"left out {np.count_nonzero(missing):,} stored entries that are NaN"] if missing.any() else []
    kept = ~missing & (values != 0) if A.format in PADDED else ~missing
    return Known(coo.row[kept], coo.col[kept], values[kept], notes)


def _filled(A: NDArray[Any]) -> Known:
    """Find the known entries of a dense array."""
    missing = np.isnan(A)
    has_gaps = bool(missing.any())
    known = ~missing if has_gaps else A != 0
    rows, columns = known.nonzero()
    unknown = "NaN, and a zero is a known zero" if has_gaps else "0, as there is no NaN"
    notes = [] if known.all() else [f"left out {A.size - len(rows):,} of {A.size:,} entries: not known is {unknown}"]
    return Known(rows, columns, A[known], notes)


def _dense(A: Any) -> NDArray[Any]:
    """Convert to an array of floats, NaN where an entry is masked or missing."""
    if hasattr(A, "columns") and hasattr(A, "index"):
        try:
            A = A.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise InputError(f"A is a {type(A).__name__} that does not hold numbers alone ({error}); {EXPECTED}") from error
    if np.ma.isMaskedArray(A):
        A = np.where(np.ma.getmaskarray(A), np.nan, real_numbers(A.data, "the entries of A"))
    return real_numbers(A, "the entries of A")


def _axis(ids: Iterable[Hashable] | None, n: int, what: str) -> Sequence[Hashable]:
    """Check the ids of one axis, or number it."""
    if ids is None:
        return range(n)
    codes, different = number_ids(ids)
    if len(codes) != n:
        raise InputError(f"A has {n:,} {'rows' if what == 'users' else 'columns'}; expected as many {what}, not {len(codes):,}")
    if len(different) < n:
        raise InputError(f"{n:,} {what} have {len(different):,} different ids; expected a different id for each")
    return different
