"""Any delimited file of user, song and value: its first lines show how to read it."""

from collections.abc import Sequence
from typing import Unpack

from acai.datasets.layouts import as_latin_1, layout_of
from acai.datasets.rated import ReadOptions, rated
from acai.errors import InputError, shown
from acai.ratings import Ratings
from acai.settings import Limits, checked
from acai.tables.first_lines import LATIN_1
from acai.tables.reader import OtherEncoding
from acai.tables.source import FilePath


def triplets(
    path: FilePath, separator: str | None = None, columns: Sequence[int | str] | None = None, header: bool | None = None,
    combine: str | None = None, **options: Unpack[ReadOptions],
) -> Ratings:
    """Read any delimited file of user, song and value, and perhaps time.

    What is not said here is found out from the first lines, and `Ratings.notes` tells how the file was interpreted.

    Parameters
    ----------
    path : path
        The file, also as `.gz`, `.zip` or `.tar.gz` with only this file inside. It is UTF-8, UTF-16 or, if it cannot be
        either, Latin-1. Fields may be quoted as in RFC 4180, and numbers may have decimal commas.
    separator : str, optional
        What separates two fields; by default whatever splits the first lines into three or more: a tab, `<SEP>`, `::`, `;`,
        `,`, `|` or a space; also a semicolon or a comma with a space after it. A first line such as `sep=;` says it.
    columns : three or four ints or names, optional
        Which fields are the user, the song, the value and the time: counted from 0, or as line 1 names them. By default they
        are recognised by their names (`userId`, `item`, `plays`, `timestamp` and others), or else are the first three, and
        the fourth if it holds times; a column of row numbers, as pandas writes it, is left out. Times are ISO text,
        dates with points, which have the day first (4.5.2009 23:08), or seconds, milliseconds, microseconds or nanoseconds
        since 1970.
    header : bool, optional
        Whether the first line names the fields.
    combine : {None, "sum", "mean", "max", "min", "first", "last", "count"}
        What to do if a pair occurs more than once. With None that is an error.
    **options
        `on_error="skip"` leaves faulty lines out, and counts and lists them in `Ratings.notes`; `progress=True` shows a
        progress bar.

    Returns
    -------
    Ratings
        Ids are text as in the file, so user 42 is `"42"`.
    """
    if separator is not None and not (isinstance(separator, str) and separator):
        raise InputError(f"separator={shown(separator)}; expected text, such as ','")
    if header is not None:
        header = checked("header", header, bool, Limits())
    layout = layout_of(path, separator, columns, header)
    try:
        return rated(path, layout, combine, **options)
    except OtherEncoding:  # only a line far from the first ones shows it
        return rated(path, as_latin_1(layout, LATIN_1), combine, **options)
