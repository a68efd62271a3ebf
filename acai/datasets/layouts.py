"""Which field of a delimited file is the user, the song, the value and the time: by its names, or by how it looks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from acai.errors import InputError, shown, unknown
from acai.ratings.moments import DAY_IS_FIRST, IN_UTC, UNITS, WITH_POINTS, moment_of, unit_of
from acai.tables.columns import FORM, ZULU, Numbers, Seconds, Times
from acai.tables.first_lines import NUMBER, FirstLines, first_lines
from acai.tables.lines import TableFormat
from acai.tables.source import FilePath

ROLES = ("user", "song", "value", "time")
NAMED = {  # what people call each field, the more telling names first; case, spaces and punctuation do not count
    "user": "user userid username listener listenerid customer customerid reviewer reviewerid uid person member who",
    "song": "song songid track trackid item itemid movie movieid film filmid book bookid isbn product productid asin iid "
    "anime animeid joke jokeid game gameid artist artistid what title songtitle songname tracktitle trackname movietitle",
    "value": "rating ratings score stars value bookrating overall plays playcount playcounts listencount listens count weight r",
    "time": "timestamp time datetime date when ts unixreviewtime playedat listenedat createdat ratedat",
}
MISSING = ("", "nan", "na", "n/a", "null", "none", "inf")
INDEX = re.compile(r"(Unnamed: 0)?")  # what pandas calls a column of row numbers when it writes it, and when it reads it


@dataclass(frozen=True)
class Layout:
    """What a delimited file of ratings looks like, which fields it has them in, and what the notes say about that."""

    form: TableFormat
    user: int
    song: int
    value: Numbers
    time: Numbers | Seconds | Times | None = None
    published: str | None = None  # the data set whose published numbers apply, if the name of the file does not say it
    notes: tuple[str, ...] = ()


def layout_of(
    path: FilePath, separator: str | None, columns: Sequence[int | str] | None, header: bool | None
) -> Layout:
    """Find out from the first lines of a file how to read it; what `triplets` was told is taken as it is."""
    given = columns.tolist() if isinstance(columns, np.ndarray) else columns
    if given is not None and (isinstance(given, str) or not isinstance(given, Sequence)):
        raise InputError(f"columns={shown(columns)}; expected three numbers or names of fields, and perhaps a fourth for the time")
    first = first_lines(path, separator)
    try:
        return _layout(first, given, header)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _layout(first: FirstLines, columns: Sequence[int | str] | None, header: bool | None) -> Layout:
    is_named = _has_names(first.lines, columns) if header is None else header
    fields, rows = _fields(first.lines, is_named)
    rows = [row for row in rows if len(row) == len(fields)]
    places, notes = _guessed(fields, rows, is_named) if columns is None else (_given(columns, fields, is_named), [])
    point = _decimal([row[places[2]] for row in rows], fields[places[2]])
    when, how = None, [] if point == "." else ["numbers have decimal commas"]
    if len(places) == 4:
        when, time_notes = _time(places[3], fields[places[3]], [row[places[3]] for row in rows], columns is not None)
        how += time_notes
    if is_named or when is not None:
        named = [f"{role} is {fields[place]!r}" for role, place in zip(ROLES, places if when else places[:3])]
        notes.append((f"line {1 + first.n_before} names the fields: " if is_named else "") + ", ".join(named))
    form = TableFormat(
        fields, separator=first.separator, header=is_named, header_is_known=True, encoding=first.encoding, or_latin_1=True,
        quoted=first.quoted, decimal=point, n_before=first.n_before,
    )
    value = Numbers(places[2], may_be_negative=True)
    return Layout(form, places[0], places[1], value, when, notes=(*first.notes, *notes, *how))


def _has_names(lines: list[list[str]], columns: Sequence[int | str] | None) -> bool:
    """Whether line 1 names the fields: it has no number at all, and the other lines have one where it has the value's name."""
    if columns is not None and any(isinstance(column, str) for column in columns):
        return True
    first, others = lines[0], lines[1:]
    if any(NUMBER.fullmatch(cell) for cell in first):
        return False
    if {"user", "song", "value"} <= _roles(first).keys():
        return True
    if not others:
        return False
    values = list(range(len(first)))
    if columns is not None and len(columns) > 2 and _is_place(columns[2], len(first)):
        values = [int(columns[2])]
    return any(
        first[f].strip().lower() not in MISSING and all(NUMBER.fullmatch(line[f]) for line in others if len(line) > f)
        for f in values
    )


def _fields(lines: list[list[str]], is_named: bool) -> tuple[list[str], list[list[str]]]:
    """List the names of the fields, and the lines of data."""
    if not is_named:
        return [f"field {f + 1}" for f in range(len(lines[0]))], lines
    names, rows = lines[0], lines[1:]
    if rows and all(len(row) == len(names) + 1 for row in rows):  # R gives the column of row names no name
        names = ["", *names]
    return names, rows


def _roles(names: list[str]) -> dict[str, int]:
    """Find the fields whose names say what they are."""
    plain = [re.sub(r"[\W_]", "", name.lower()) for name in names]
    found = {}
    for role, words in NAMED.items():
        place = next((plain.index(word) for word in words.split() if word in plain), None)
        if place is not None:
            found[role] = place
    return found


def _guessed(fields: list[str], rows: list[list[str]], is_named: bool) -> tuple[list[int], list[str]]:
    """Choose the fields of user, song, value and perhaps time; also returns what to note."""
    roles = _roles(fields) if is_named else {}
    others = [f for f in range(len(fields)) if f not in roles.values()]
    notes = []
    if _numbers_rows(fields, rows, is_named):
        others = [f for f in others if f != 0]
        notes = [f"{'the first field' if is_named else fields[0]} numbers the rows, and is left out"]
    missing = [role for role in ROLES[:3] if role not in roles]
    if len(others) == len(missing) or (len(missing) == 3 and len(others) >= 3):
        roles |= dict(zip(missing, others))
    elif missing:
        listed = ", ".join(map(repr, fields))
        example = "columns=('…', '…', '…')"
        raise InputError(f"line 1 names the fields {listed}; cannot tell which is the {' and the '.join(missing)}: say {example}")
    if not is_named and len(others) > 3 and _looks_like_times([row[others[3]] for row in rows]):
        roles["time"] = others[3]
    return [roles[role] for role in ROLES if role in roles], notes


def _numbers_rows(fields: list[str], rows: list[list[str]], is_named: bool) -> bool:
    """Whether the first field is the index that pandas writes: it has no name, or counts 0, 1, 2, … before three others."""
    if len(fields) < 4:
        return is_named and INDEX.fullmatch(fields[0]) is not None and _ascend([row[0] for row in rows])
    if is_named:
        return INDEX.fullmatch(fields[0]) is not None
    if len(rows) < 3 or [row[0] for row in rows] != [str(row) for row in range(len(rows))]:
        return False
    if not all(NUMBER.fullmatch(row[3]) for row in rows) or _looks_like_times([row[3] for row in rows]):
        return False
    if all(NUMBER.fullmatch(row[2]) for row in rows):
        found = f"field 1 counts the lines, and both {fields[2]} and {fields[3]} hold numbers"
        raise InputError(f"{found}; cannot tell where the values are: say columns=(0, 1, 2) or columns=(1, 2, 3)")
    return True


def _ascend(cells: list[str]) -> bool:
    if not all(cell.isdecimal() and cell.isascii() for cell in cells):
        return False
    return bool((np.diff([float(cell) for cell in cells]) > 0).all())


def _given(columns: Sequence[int | str], fields: list[str], is_named: bool) -> list[int]:
    """Check the columns that were asked for."""
    n = len(fields)
    places = [fields.index(column) if isinstance(column, str) and column in fields else column for column in columns]
    if not is_named and any(isinstance(column, str) for column in places):
        raise InputError(f"columns={shown(columns)}, but header=False: line 1 names no fields; expected numbers from 0 to {n - 1}")
    for column in places:
        if isinstance(column, str):
            raise unknown("field", column, fields, n=n)
    if len(places) not in (3, 4) or not all(_is_place(column, n) for column in places):
        expected = f"expected three numbers from 0 to {n - 1}, as line 1 has {n} fields, or their names; a fourth is the time"
        raise InputError(f"columns={shown(columns)}; {expected}")
    return [int(column) for column in places]


def _is_place(column: object, n: int) -> bool:
    """Tell whether this is the number of one of `n` columns."""
    return isinstance(column, Integral) and not isinstance(column, bool) and 0 <= int(column) < n


def _decimal(cells: list[str], name: str) -> str:
    """Find out what separates decimals; `1,234` alone could be either number."""
    commas = [cell for cell in cells if "," in cell and NUMBER.fullmatch(cell)]
    if not commas or any("." in cell for cell in cells):
        return "."
    if all(re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", cell) for cell in commas):
        found = f"{name} has {commas[0]!r}, which may be {commas[0].replace(',', '.')} or {commas[0].replace(',', '')}"
        raise InputError(f"{found}; expected numbers without a comma among the thousands: write them without it, or with a point")
    return ","


def _looks_like_times(cells: list[str]) -> bool:
    """Whether these are ISO text, dates with points, or numbers since 1970 that lie between 1985 and 2100 in some unit."""
    if not cells:
        return False
    if all(re.fullmatch(r"\d+(\.0*)?", cell) for cell in cells):
        numbers = np.array([float(cell) for cell in cells])
        seconds = numbers / UNITS[unit_of(numbers)]
        return bool(((seconds > 4.7e8) & (seconds < 4.2e9)).all())
    return all(map(_is_moment, cells))


def _time(field: int, name: str, cells: list[str], must: bool) -> tuple[Seconds | Times | None, list[str]]:
    """Choose how to read a column of times, and say what they are; None, or an error if it `must`, if it holds none."""
    filled = [cell for cell in cells if cell]
    if filled and all(re.fullmatch(r"-?\d+(\.\d*)?", cell) for cell in filled) and not all(map(_is_day, filled)):
        unit = unit_of(np.array([float(cell) for cell in filled]))
        return Seconds(field, UNITS[unit]), [f"times are {unit} since 1970"]
    if filled and all(map(_is_moment, filled)):
        form = re.sub(r"\d", "0", filled[0])
        how = DAY_IS_FIRST if any(map(WITH_POINTS.fullmatch, filled)) else "times are ISO text"
        return Times(field, form if FORM.fullmatch(form) else ZULU, any_form=True), [f"{how}; {IN_UTC}"]
    expected = "times like 2009-05-04T23:08:57Z or 4.5.2009 23:08, or numbers since 1970"
    if must:
        found = next((cell for cell in filled if not _is_moment(cell)), "none")
        raise InputError(f"expected {expected}, as {name}; found {shown(found)}")
    return None, [f"{name} was not read: expected {expected}"]


def _is_moment(cell: str) -> bool:
    try:
        return moment_of(cell).year > 0
    except ValueError:
        return False


def _is_day(cell: str) -> bool:
    """Whether a number is a day such as 20090504, and not seconds since 1970, which it would be in August of that year."""
    return len(cell) == 8 and _is_moment(cell) and 1900 <= int(cell[:4]) <= 2100


def as_latin_1(layout: Layout, note: str) -> Layout:
    """Make the layout of a file that turned out to be Latin-1."""
    return replace(layout, form=replace(layout.form, encoding="cp1252", or_latin_1=False), notes=(*layout.notes, note))
