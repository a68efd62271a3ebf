"""Any delimited file of user, song and value."""

import os
from collections.abc import Sequence

from acai.datasets.rated import read_ratings
from acai.datasets.source import opened
from acai.datasets.table import BOM, EXCERPT
from acai.errors import InputError
from acai.ratings import Ratings

SEPARATORS = ("\t", "<SEP>", "::", ",", ";", "|", " ")


def triplets(
    path: str | os.PathLike, separator: str | None = None, columns: Sequence[int] = (0, 1, 2), header: bool = False,
    combine: str | None = None, **options,
) -> Ratings:
    """Read any delimited file of user, song and value.

    Parameters
    ----------
    path : path
        The file, also as `.gz`, `.zip` or `.tar.gz` with only this file inside.
    separator : str, optional
        What stands between two fields; without it, whatever parts the first line into three or more: a tab, `<SEP>`,
        `::`, `,`, `;`, `|` or a space, in this order. There is no quoting: a separator always separates.
    columns : three ints
        Where on the line the user, the song and the value stand, counted from 0.
    header : bool
        Whether the first line names the fields.
    combine : {None, "sum", "mean", "max", "min", "first", "last", "count"}
        What to do where a pair occurs more than once. With None that is an error.
    **options
        `on_error="skip"` leaves faulty lines out, counts them and names them in `Ratings.notes`; `progress=True` shows a bar.

    Returns
    -------
    Ratings
        Ids are the text that stands in the file, so user 42 is `"42"`.
    """
    with opened(path) as source:
        first = source.stream.readline(1 << 16).removeprefix(BOM).decode(errors="replace").rstrip("\r\n")
    if separator is None:
        separator = next((s for s in SEPARATORS if first.count(s) >= 2), None)
    if not separator:
        raise InputError(
            f"{path}, line 1: expected user, song and value with a separator between them; found {first[:EXCERPT]!r}"
        )
    names = first.split(separator)
    if len(columns) != 3 or not all(0 <= c < len(names) for c in columns):
        expected = f"three numbers from 0 to {len(names) - 1}, as line 1 has {len(names)} fields"
        raise InputError(f"columns={tuple(columns)}; expected {expected}")
    fields = names if header and len(set(names)) == len(names) else [f"field {f + 1}" for f in range(len(names))]
    options |= {"combine": combine, "separator": separator, "header": names if header else ()}
    return read_ratings(path, (), fields, *(fields[c] for c in columns), **options)
