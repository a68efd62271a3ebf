"""Times in the forms that people have them → whole seconds since 1970 (UTC)."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acai.errors import InputError, shown
from acai.ratings.building import column_of, kind_of

EXPECTED = "times must be whole seconds since 1970, or datetime64 without gaps"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_300_799  # the last second of the year 9999: what is later is not in seconds
UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}  # how many make a second
OF_UNIT = {"seconds": 1e11, "milliseconds": 1e14, "microseconds": 1e17, "nanoseconds": np.inf}  # what times of it stay below
WITH_POINTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? (\d{1,2}):(\d\d)(?::(\d\d))?)?", re.ASCII)  # 4.5.2009 23:08
DAY_IS_FIRST = "dates with points have the day first"
IN_UTC = "times that name no time zone are taken as UTC"


def as_seconds(times: Iterable[Any]) -> NDArray[np.int64]:
    """Convert integers, floats without a fraction, `datetime64` or `datetime` to whole seconds since 1970."""
    moments = times if hasattr(times, "__len__") else list(times)
    column = _of_datetimes(moments)
    if column is None:
        column = column_of(moments, EXPECTED)
    if column.dtype.kind == "M" and not np.isnat(column).any():
        return column.astype("datetime64[s]").astype(np.int64)
    if column.dtype.kind not in "iuf":
        raise InputError(f"{EXPECTED}; found {kind_of(column)}")
    late = column[np.abs(column) > LATEST]
    if len(late):
        unit = unit_of(late)
        advice = f": divide {unit} by {UNITS[unit]:,}" if unit != "seconds" else ""
        raise InputError(f"{EXPECTED}; found {late[0]!r}, which would lie beyond the year 9999{advice}")
    with np.errstate(invalid="ignore"):
        fine = np.floor(column) == column
    if not fine.all():
        raise InputError(f"{EXPECTED}; found {column[~fine][0]!r}")
    return column.astype(np.int64)


def interpreted(times: Any, what: str) -> tuple[NDArray[np.int64], list[str]]:
    """Convert a column of times that does not say what they are, such as one of a data frame.

    Parameters
    ----------
    times : list or array
        Numbers since 1970 in seconds, milliseconds, microseconds or nanoseconds; ISO text; dates such as 4.5.2009; `datetime`
        or `datetime64`.
    what : str
        What to call the column in a message.

    Returns
    -------
    seconds : array of int64
        Whole seconds since 1970; fractions of a second are dropped.
    notes : list of str
        How the times were interpreted.
    """
    moments = times if isinstance(times, np.ndarray) and times.dtype.kind in "Miuf" else [_parsed(value, what) for value in times]
    column = _of_datetimes(moments)
    if column is not None:
        has_zones = isinstance(moments, list) and all(getattr(moment, "tzinfo", None) for moment in moments)
        has_points = isinstance(moments, list) and any(isinstance(text, str) and WITH_POINTS.fullmatch(text) for text in times)
        notes = [DAY_IS_FIRST] if has_points else []
        return as_seconds(column), notes if has_zones else [*notes, IN_UTC]
    numbers = column_of(moments, f"{what} must hold times")
    if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        raise InputError(f"{what} must hold times: datetime64, ISO text, or numbers since 1970; found {kind_of(numbers)}")
    unit = unit_of(numbers)
    return as_seconds(np.floor(numbers / UNITS[unit])), [f"times are {unit} since 1970"]


def _parsed(moment: Any, what: str) -> Any:
    if not isinstance(moment, str):
        return moment
    try:
        return moment_of(moment)
    except ValueError:
        raise InputError(f"{what} has the time {shown(moment)}; expected ISO text, such as 2009-05-04T23:08:57Z") from None


def moment_of(text: str) -> datetime:
    """Read ISO text, or a date with points and perhaps a time of day: it has the day first. ValueError if it is neither."""
    found = WITH_POINTS.fullmatch(text)
    if found is None:
        return datetime.fromisoformat(text)
    day, month, year, hour, minute, second = (int(number or 0) for number in found.groups())
    return datetime(year, month, day, hour, minute, second)


def unit_of(numbers: NDArray[Any]) -> str:
    """Recognise the unit of times since 1970 by their size: as seconds, 10¹¹ is the year 5138."""
    typical = float(np.median(np.abs(numbers)))
    return next(unit for unit, limit in OF_UNIT.items() if typical < limit)


def _of_datetimes(moments: Iterable[Any]) -> NDArray[Any] | None:
    """Convert `datetime` and `date` objects to datetime64; None if there are others among them."""
    column = np.asarray(moments)
    if column.dtype.kind != "O" or not column.size or not all(isinstance(moment, date) for moment in column.flat):
        return None if column.dtype.kind != "M" else column
    if any(moment != moment for moment in column.flat):  # pandas.NaT is a datetime, too
        raise InputError(f"{EXPECTED}; found NaT")
    return np.array([second_of(moment) for moment in column.flat], dtype="datetime64[s]").reshape(column.shape)


def second_of(moment: date) -> int:
    """Count the whole seconds since 1970; a moment that names no time zone is in UTC."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(seconds=1)
