"""Delimited text → columns: the one reader beneath every data set.

A block of bytes is cut into lines at `\\n` and nowhere else, a line into fields at the separator and nowhere else:
there is no quoting, and a title may hold any letter that Unicode has. Ids become numbers as they pass, so that a log of
millions of lines is never held as text. The columns are in `columns.py`, the inner loops in `kernels.py`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from acai.datasets.columns import Ids, Lines, Numbers, Times
from acai.datasets.source import opened
from acai.errors import InputError, unknown

BLOCK = 1 << 22  # bytes read at a time; also the longest line there may be
EXCERPT = 80  # how much of a faulty line a message shows
BOM = b"\xef\xbb\xbf"
ON_ERROR = ("raise", "skip")


@dataclass
class Table:
    """What a file held: an array for each column, the ids behind those of codes, and which lines were left out."""

    label: str
    name: str
    first_line: int
    n_rows: int = 0
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    ids: dict[str, list] = field(default_factory=dict)
    skipped: dict[str, list[int]] = field(default_factory=dict)  # what was expected → the lines without it

    def texts(self, column: str) -> list[str]:
        """A column of ids or texts, row by row."""
        ids = self.ids[column]
        return [ids[code] for code in self.columns[column].tolist()]

    def line_of(self, row: int) -> int:
        """The line number that a row had in the file."""
        line = row + self.first_line
        for skipped in sorted(number for numbers in self.skipped.values() for number in numbers):
            line += skipped <= line
        return line

    def notes(self) -> list[str]:
        """Where the rows come from, and what was left out."""
        notes = [f"{self.label}: {self.n_rows:,} rows"]
        for expected, lines in self.skipped.items():
            listed = ", ".join(map(str, lines[:5])) + ", …" * (len(lines) > 5)
            notes.append(f"{len(lines):,} skipped for want of {expected}: line {listed}")
        return notes


def read_table(
    path: str | os.PathLike, names: Sequence[str], fields: Sequence[str], columns: Mapping[str, Ids | Numbers | Times],
    separator: str = "\t", header: bool = False, encoding: str = "utf-8",
    on_error: str = "raise", progress: bool = False, block_size: int = BLOCK,
) -> Table:
    """Read some columns of a delimited file.

    Parameters
    ----------
    path : path
        The file, the folder or the archive: see `source.opened`.
    names : sequence of str
        What the file is called in a folder or an archive.
    fields : sequence of str
        What stands on a line, from left to right. A line with more or fewer fields is faulty.
    columns : mapping of str to Ids, Numbers or Times
        What to make of them, by the name that it gets in the table.
    separator : str
        What stands between two fields: one character or several.
    header : bool
        Whether the first line has the names of the fields.
    encoding : {"utf-8", "latin-1"}
    on_error : {"raise", "skip"}
        Whether a faulty line is an error, or is left out and remembered in `Table.skipped`.
    progress : bool
        Show a bar.
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
    if on_error not in ON_ERROR:
        raise unknown("way to treat a faulty line (on_error)", on_error, ON_ERROR)
    ids = {name: column for name, column in columns.items() if isinstance(column, Ids)}
    rows = {name: bytearray() for name in columns}  # grows in place, so that no column ever stands in memory twice
    with opened(path, *names) as source, tqdm(total=source.size, unit="B", unit_scale=True, disable=not progress) as bar:
        bar.set_description(f"reading {source.name}")
        table = Table(source.label, source.name, first_line=1 + header)
        first = source.stream.readline(block_size)
        if not first:
            raise InputError(f"{table.label} is empty; expected lines of {len(fields)} fields: {', '.join(fields)}")
        if header:
            expected, found = separator.join(fields), first.removeprefix(BOM).decode(errors="replace").rstrip("\r\n")
            if found != expected:
                raise InputError(f"{table.label}, line 1: expected the header {expected!r}; found {found[:EXCERPT]!r}")
        n_lines = int(header)
        for raw in whole_lines(source.stream, block_size, b"" if header else first.removeprefix(BOM)):
            bar.update(len(raw))
            lines = Lines(raw, fields, separator, encoding, block_size)
            for column in ids.values():
                column.check(lines)
            values = {name: column.read(lines) for name, column in columns.items() if name not in ids}
            fine = lines.fault == 0
            if not fine.all():
                _report(lines, n_lines + 1, table, on_error, separator)
                values = {name: column[fine] for name, column in values.items()}
                lines.keep(fine)  # so that a faulty line's ids get no number
            values |= {name: column.read(lines) for name, column in ids.items()}
            for name, column in values.items():
                rows[name] += column.data
            table.n_rows += len(lines.fault)
            n_lines += len(fine)
    if table.n_rows == 0:
        raise InputError(f"not one line could be used; {'; '.join(table.notes())}")
    table.columns = {name: np.frombuffer(rows[name], dtype=column.dtype) for name, column in values.items()}
    table.ids = {name: column.ids(encoding) for name, column in ids.items()}
    return table


def whole_lines(stream: BinaryIO, block_size: int = BLOCK, rest: bytes = b"") -> Iterator[bytes]:
    """Blocks that end with a newline, `rest` being what was read before; a line longer than a block is cut off."""
    while chunk := stream.read(block_size):
        chunk = rest + chunk
        end = chunk.rfind(b"\n") + 1
        if end:
            yield chunk[:end]
        rest = chunk[end:]
        if len(rest) > block_size:
            yield rest[: block_size + 1] + b"\n"
            while rest and b"\n" not in rest:
                rest = stream.read(block_size)
            rest = rest[rest.find(b"\n") + 1 :]
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def _report(lines: Lines, first: int, table: Table, on_error: str, separator: str) -> None:
    """The faulty lines of a block that begins with line `first`: the first of them as an error, or all for the notes."""
    faulty = np.flatnonzero(lines.fault).tolist()
    if on_error == "skip":
        for line in faulty:
            table.skipped.setdefault(lines.expected[lines.fault[line]], []).append(first + line)
        return
    line = faulty[0]
    text = lines.raw.split(b"\n", line + 1)[line].rstrip(b"\r")
    shown = text[:EXCERPT].decode(errors="backslashreplace") + "…" * (len(text) > EXCERPT)
    n_fields = text.count(separator.encode()) + 1
    found = f"{shown!r} ({n_fields} field{'s' * (n_fields > 1)})" if text else "an empty line"
    raise InputError(f"{table.label}, line {first + line}: expected {lines.expected[lines.fault[line]]}; found {found}")
