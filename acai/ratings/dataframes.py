"""From a data frame to R: columns by name, of pandas, Polars, pyarrow or a dictionary; none of them is imported."""

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acai.errors import InputError, is_missing, shown, unknown
from acai.ratings.building import as_values, number_ids
from acai.ratings.moments import interpreted

if TYPE_CHECKING:
    from acai.ratings.matrix import Ratings

EXPECTED = "expected a pandas or Polars DataFrame, a pyarrow Table or a dictionary of columns"


def from_dataframe(  # noqa: PLR0913 - the names of four columns
    cls: "type[Ratings]", frame: Any, user: Hashable, song: Hashable, value: Hashable, time: Hashable | None = None,
    combine: str | None = None,
) -> "Ratings":
    """Build R from a data frame with a row for each rating.

    Parameters
    ----------
    frame : DataFrame, Table or dict
        Anything with named columns: a pandas or Polars DataFrame, a pyarrow Table, a structured array, a dictionary of
        lists or arrays.
    user, song, value, time : hashable
        The names of the columns, or of levels of a pandas index. A row whose value is missing (NaN, None, NA) is not a
        rating and is left out, which the notes say; a missing id or time is an error. Times may be `datetime64`, with or
        without a time zone, ISO text, dates such as 4.5.2009, or numbers since 1970; the notes say how they were interpreted.
    combine : {None, "sum", "mean", "max", "min", "first", "last", "count"}
        What to do if a pair occurs more than once, as in `Ratings.from_triplets`.

    Returns
    -------
    Ratings
    """
    values = _values(_column(frame, value), f"column {shown(value)}")
    ids = [_without_gaps(_column(frame, name), values, name) for name in (user, song)]
    notes, seconds = [], None
    n_missing = int(np.count_nonzero(np.isnan(values)))
    if n_missing == len(values):
        raise InputError(f"there is no rating: of {len(values):,} rows, none has a {value}")
    if n_missing:
        notes.append(f"left out {n_missing:,} of {len(values):,} rows, which have no {value}")
    if time is not None:
        moments = _without_gaps(_column(frame, time), values, time)
        seconds, how = interpreted(moments, f"column {shown(time)}")
        notes += how
    (user_codes, users), (song_codes, songs) = map(number_ids, ids)
    return cls.from_codes(user_codes, song_codes, values[~np.isnan(values)], users, songs, combine, seconds, notes)


def _column(frame: Any, name: Hashable) -> Any:
    """Find a column, or a level of the index, by its name."""
    names = _names(frame)
    levels = list(getattr(getattr(frame, "index", None), "names", None) or [])
    if name not in names and name in levels and name is not None:
        return frame.index.get_level_values(name)
    if name not in names:
        raise unknown("column", name, [*names, *(level for level in levels if level is not None)], n=20)
    try:
        column = frame[name]
    except (TypeError, NotImplementedError) as error:  # a LazyFrame of Polars
        raise InputError(f"a {type(frame).__name__} does not give its columns; {EXPECTED}: call collect() first") from error
    if getattr(column, "ndim", 1) != 1:
        raise InputError(f"more than one column is called {shown(name)}; expected a different name for each")
    return column


def _names(frame: Any) -> list[Hashable]:
    """List the names of the columns."""
    if hasattr(frame, "collect_schema") and not hasattr(frame, "__len__"):  # a LazyFrame: its columns would be expensive
        raise InputError(f"a {type(frame).__name__} has no rows yet; {EXPECTED}: call collect() first")
    for attribute in ("column_names", "columns", "keys"):
        names = getattr(frame, attribute, None)
        if names is not None:
            return list(names() if callable(names) else names)
    names = getattr(getattr(frame, "dtype", None), "names", None)
    if names is None:
        raise InputError(f"a {type(frame).__name__} has no named columns; {EXPECTED}")
    return list(names)


def _plain(column: Any) -> list[Any]:
    """Convert a column to a list of plain Python objects; the values of a categorical column are its categories."""
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            plain: list[Any] = getattr(column, method)()
            return plain
    return list(column)


def _values(column: Any, what: str) -> NDArray[np.floating[Any]]:
    """Convert a column to floats, NaN where a value is missing."""
    numbers: Iterable[Any] = column
    if np.ma.is_masked(column) or np.asarray(column).dtype.kind == "O":
        numbers = [np.nan if _is_gap(value) else value for value in _plain(column)]
    return as_values(numbers, what)


def _without_gaps(column: Any, values: NDArray[Any], name: Hashable) -> Any:
    """Select the rows that have a value, as an array or a list; refuse missing ids and times in them."""
    array = np.asarray(column)
    known = ~np.isnan(values)
    if len(array) != len(known):
        raise InputError(f"column {shown(name)} has {len(array):,} rows, and that of the values {len(known):,}")
    if array.dtype.kind in "biu" and not np.ma.is_masked(column):
        return array[known]
    if array.dtype.kind in "fM" and not np.ma.is_masked(column):
        rows = array[known]
        gaps = np.flatnonzero(known)[rows != rows]
    else:
        rows = _plain(column)
        gaps = np.array([row for row, value in enumerate(rows) if known[row] and _is_gap(value)])
        rows = [value for value, is_known in zip(rows, known.tolist()) if is_known]
    if len(gaps):
        found = f"column {shown(name)} is empty in {len(gaps):,} row{'s' if len(gaps) > 1 else ''}, first in row {gaps[0]}"
        raise InputError(f"{found}; expected no gap among ids and times: drop such rows, as with df.dropna(subset=[{shown(name)}])")
    return rows


def _is_gap(value: Any) -> bool:
    """Whether this is None, NaN, NaT or pandas.NA."""
    return value is None or is_missing(value)
