r"""Delimited text → columns: the one reader beneath every data set.

A block of bytes is split into lines at `\n` and nowhere else, and a line into fields at the separator and nowhere else;
only inside quotation marks, in formats that have them, neither counts. A title may have any character of Unicode. Ids become
numbers as they are read, so that a log of millions of lines is never stored as text. The inner loops are in `kernels.py`.
"""

import csv
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from acai.arrays import check_count
from acai.errors import InputError, unknown
from acai.settings import checked
from acai.tables.columns import Ids, Numbers, Seconds, Times
from acai.tables.encodings import BOM, in_utf8
from acai.tables.lines import BLOCK, Lines, TableFormat
from acai.tables.source import FilePath, opened

EXCERPT = 80  # how much of a faulty line a message shows
ON_ERROR = ("raise", "skip")


class OtherEncoding(InputError):
    """A file without a single character of UTF-8 beyond ASCII is not UTF-8: read it again, as Latin-1."""


@dataclass
class Table:
    """What a file contains: an array for each column, the ids behind the numbers, and which lines were skipped."""

    label: str
    name: str
    first_line: int
    n_rows: int = 0
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    ids: dict[str, list[Hashable]] = field(default_factory=dict)
    skipped: dict[str, list[int]] = field(default_factory=dict)  # what was expected → the lines that have something else
    continued: list[int] = field(default_factory=list)  # the lines that begin inside a quoted field

    def texts(self, column: str) -> list[str]:
        """List a column of text, row by row."""
        ids = [str(name) for name in self.ids[column]]
        return [ids[code] for code in self.columns[column].tolist()]

    def line_of(self, row: int) -> int:
        """Compute the line number that a row had in the file."""
        line = row + self.first_line
        for other in sorted(chain(self.continued, *self.skipped.values())):
            line += other <= line
        return line

    def notes(self) -> list[str]:
        """Say where the rows come from, and what was skipped."""
        notes = [f"{self.label}: {self.n_rows:,} rows"]
        for expected, lines in self.skipped.items():
            listed = ", ".join(map(str, lines[:5])) + (", …" if len(lines) > 5 else "")
            notes.append(skipped_note(len(lines), expected, listed))
        return notes


def skipped_note(n: int, expected: str, listed: str) -> str:
    """Say how many lines were skipped, and why."""
    return f"{n:,} line{'s' if n > 1 else ''} skipped: expected {expected} (line {listed})"


def read_table(
    path: FilePath, form: TableFormat, columns: Mapping[str, Ids | Numbers | Seconds | Times],
    on_error: str = "raise", progress: bool = False, block_size: int = BLOCK,
) -> Table:
    """Read some columns of a delimited file.

    Parameters
    ----------
    path : path
        The file, the folder or the archive: see `source.opened`.
    form : TableFormat
        What the file is called and looks like.
    columns : mapping of str to Ids, Numbers, Seconds or Times
        How to read each column, by its name in the table.
    on_error : {"raise", "skip"}
        Whether a faulty line is an error, or is skipped and listed in `Table.skipped`.
    progress : bool
        Show a progress bar.
    block_size : int
        Bytes to read at a time; no line may be longer.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        With the file, the line, what was expected there and what was found.
    """
    if not form.separator or "\n" in form.separator or "\0" in form.separator:
        raise InputError(f"separator={form.separator!r}; expected one or more characters, none of them a newline or NUL")
    block_size = checked("block_size", block_size)
    if on_error not in ON_ERROR:
        raise unknown("way to treat a faulty line (on_error)", on_error, ON_ERROR)
    ids = {name: column for name, column in columns.items() if isinstance(column, Ids)}
    filled = [f for column in ids.values() if not column.may_be_empty for f in column.fields]
    rows = {name: bytearray() for name in columns}  # grows in place, so that there is never a second copy of a column
    dtypes: dict[str, np.dtype[Any]] = {}
    with (
        opened(path, *form.names) as source,
        tqdm(total=source.size, desc=f"reading {source.name}", unit="B", unit_scale=True, disable=not progress) as bar,
    ):
        table = Table(source.label, source.name, first_line=1 + form.n_before + form.header)
        first, rest, may_be_latin_1 = table.first_line, b"", form.or_latin_1
        stream = in_utf8(source.stream, source.label)
        for _ in range(form.n_before):
            stream.readline(block_size)
        blocks = _without_header(whole_lines(stream, block_size), form, table.label)
        for raw in chain(blocks, [b""]):  # the last one closes whatever is open
            bar.update(len(raw))
            if not raw and not rest:
                break
            lines = Lines(rest + raw, form, block_size, filled, is_last=not raw)
            rest = lines.rest
            if may_be_latin_1 and not lines.is_text and lines.raw.decode(errors="ignore").isascii():
                raise OtherEncoding(f"{table.label} is not UTF-8 text")
            may_be_latin_1 = may_be_latin_1 and lines.raw.isascii()
            values = {name: column.read(lines) for name, column in columns.items() if name not in ids}
            # ids come last, since those on faulty lines get no number
            values |= {name: column.read(lines) for name, column in ids.items()}
            fine = lines.fault == 0
            if not fine.all():
                _report(lines, first, table, on_error)
            for name, value in values.items():
                rows[name] += value[fine].data
                dtypes[name] = value.dtype
            table.n_rows += int(fine.sum())
            first = _next_line(lines, first, table)
            check_count(table.n_rows, "lines", table.label)
    if table.n_rows == 0:
        raise InputError(f"no line could be used; {'; '.join(table.notes())}")
    table.columns = {name: np.frombuffer(rows[name], dtype=dtypes[name]) for name in columns}
    table.ids = {name: column.ids(form.encoding) for name, column in ids.items()}
    return table


def whole_lines(stream: BinaryIO, block_size: int = BLOCK) -> Iterator[bytes]:
    """Yield the first line, then blocks that end with a newline; a line longer than a block is cut off."""
    start = b""
    while True:
        end = stream.readline(block_size + 1)
        block = start + end
        if not block:
            return
        yield block if block.endswith(b"\n") else block + b"\n"
        while end and not end.endswith(b"\n"):
            end = stream.readline(block_size)
        start = stream.read(block_size)


def _without_header(blocks: Iterator[bytes], form: TableFormat, label: str) -> Iterator[bytes]:
    """Check that there is a first line, and that it is the header if there must be one; returns the blocks of data."""
    first = next(blocks, b"").removeprefix(BOM)
    if not first:
        raise InputError(f"{label} is empty; expected lines of {len(form.fields)} fields: {', '.join(form.fields)}")
    if not form.header:
        return chain([first], blocks)
    if form.header_is_known:
        return blocks
    expected, found = form.separator.join(form.fields), first.decode(errors="replace").rstrip("\r\n")
    names = next(csv.reader([found], delimiter=form.separator), []) if form.quoted else found.split(form.separator)
    if names != list(form.fields):
        raise InputError(f"{label}, line 1: expected the header {expected!r}; found {found[:EXCERPT]!r}")
    return blocks


def _next_line(lines: Lines, first: int, table: Table) -> int:
    """Compute the number of the line after these, and remember which lines of the file begin inside a quoted field."""
    if lines.begins is None:
        return first + len(lines.fault)
    n_lines = lines.raw.count(b"\n")
    if n_lines > len(lines.fault):
        inside = np.setdiff1d(np.arange(n_lines), lines.numbers(), assume_unique=True)
        table.continued += (first + inside).tolist()
    return first + n_lines


def _report(lines: Lines, first: int, table: Table, on_error: str) -> None:
    """Raise an error for the first faulty line of a block that begins with line `first`, or list all faulty lines."""
    faulty, numbers = np.flatnonzero(lines.fault).tolist(), (first + lines.numbers()).tolist()
    if on_error == "skip":
        for line in faulty:
            table.skipped.setdefault(lines.expected[lines.fault[line]], []).append(numbers[line])
        return
    line = faulty[0]
    text = lines.sources()[line].rstrip(b"\r")
    expected = lines.expected[lines.fault[line]]
    found = "an empty line"
    if text:
        excerpt = text[:EXCERPT].decode(errors="backslashreplace") + ("…" if len(text) > EXCERPT else "")
        n_fields = lines.n_found[line]
        found = f"{excerpt!r} ({n_fields} field{'s' if n_fields > 1 else ''})"
    raise InputError(f"{table.label}, line {numbers[line]}: expected {expected}; found {found}")
