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

from acai.datasets.columns import Column, Ids, Lines
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
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    ids: dict[str, list] = field(default_factory=dict)
    n_rows: int = 0
    first_line: int = 1
    skipped: dict[str, list[np.ndarray]] = field(default_factory=dict)  # what was expected → the lines without it

    def extend(self, values: Mapping[str, np.ndarray], share: float) -> None:
        """Add rows, with which `share` of the file is read.

        Columns get room for what is still to come, foreseen from the share; room that is not used yet costs no memory.
        """
        n_rows = self.n_rows
        for name, new in values.items():
            self.n_rows = n_rows + len(new)
            column = self.columns.get(name, new[:0])
            if self.n_rows > len(column):
                column = np.empty(int(1.1 * self.n_rows / share) + 1, dtype=new.dtype)
                column[:n_rows] = self.columns.get(name, new)[:n_rows]
                self.columns[name] = column
            column[n_rows : self.n_rows] = new

    def texts(self, column: str) -> list[str]:
        """A column of ids or texts, row by row."""
        ids = self.ids[column]
        return [ids[code] for code in self.columns[column].tolist()]

    @property
    def skipped_lines(self) -> np.ndarray:
        """The numbers of all lines that were left out, ascending."""
        return np.sort(np.concatenate([np.zeros(0, np.int64), *(part for parts in self.skipped.values() for part in parts)]))

    def line_of(self, row: int) -> int:
        """The line number that a row had in the file."""
        line, skipped = row + self.first_line, self.skipped_lines
        return int(line + np.searchsorted(skipped - np.arange(len(skipped)), line, side="right"))

    def notes(self) -> list[str]:
        """Where the rows come from, and what was left out."""
        notes = [f"{self.label}: {self.n_rows:,} rows"]
        for expected, lines in self.skipped.items():
            lines = np.concatenate(lines).tolist()
            listed = ", ".join(map(str, lines[:5])) + ", …" * (len(lines) > 5)
            notes.append(f"{len(lines):,} skipped for want of {expected}: line {listed}")
        return notes


def read_table(
    path: str | os.PathLike, names: Sequence[str], fields: Sequence[str], columns: Mapping[str, Column],
    separator: str = "\t", header: Sequence[str] = (), encoding: str = "utf-8",
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
    columns : mapping of str to Column
        What to make of them, by the name that it gets in the table.
    separator : str
        What stands between two fields: one character or several.
    header : sequence of str
        What the first line says instead, if it is no row.
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
    ids = [column for column in columns.values() if isinstance(column, Ids)]
    ids_last = sorted(columns, key=lambda name: columns[name] in ids)  # so that a faulty line's ids get no number
    with opened(path, *names) as source, tqdm(unit="B", unit_scale=True, disable=not progress) as bar:
        bar.total = source.size
        bar.set_description(f"reading {source.name}")
        table = Table(source.label, source.name, first_line=2 if header else 1)
        n_lines = 0
        for raw, too_long in whole_lines(source.stream, block_size):
            bar.update(len(raw))
            if n_lines == 0:
                raw = raw.removeprefix(BOM)
                if header:
                    raw, n_lines = _without_header(raw, header, separator, source.label), 1
            lines = Lines.cut(raw, fields, separator)
            lines.check_text(encoding, block_size if too_long else None)
            for column in ids:
                column.mark_empty(lines)
            values = {name: columns[name].read(lines) for name in ids_last}
            fine = lines.problem == 0
            if not fine.all():
                _report(lines, n_lines + 1, table, on_error, separator)
                values = {name: column[fine] for name, column in values.items()}
            table.extend(values, source.stream.tell() / source.size if source.size else 0.5)
            n_lines += len(fine)
    if n_lines == 0:
        raise InputError(f"{table.label} is empty; expected lines of {len(fields)} fields: {', '.join(fields)}")
    if table.n_rows == 0:
        raise InputError(f"not one line could be used; {'; '.join(table.notes())}")
    for name, column in columns.items():
        table.columns[name] = table.columns[name][: table.n_rows]
        if column in ids:
            table.ids[name] = column.ids(encoding)
    return table


def whole_lines(stream: BinaryIO, block_size: int = BLOCK) -> Iterator[tuple[bytes, bool]]:
    """Blocks that end with a newline; with True, the beginning of a line longer than `block_size`."""
    rest = b""
    while chunk := stream.read(block_size):
        chunk = rest + chunk
        end = chunk.rfind(b"\n") + 1
        if end:
            yield chunk[:end], False
        rest = chunk[end:]
        if len(rest) > block_size:
            yield rest[: EXCERPT + 1] + b"\n", True
            while rest and b"\n" not in rest:
                rest = stream.read(block_size)
            rest = rest[rest.find(b"\n") + 1 :]
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n", False


def _without_header(raw: bytes, header: Sequence[str], separator: str, label: str) -> bytes:
    first, _, rest = raw.partition(b"\n")
    expected, found = separator.join(header), first.decode(errors="replace").rstrip("\r")
    if found != expected:
        raise InputError(f"{label}, line 1: expected the header {expected!r}; found {found[:EXCERPT]!r}")
    return rest


def _report(lines: Lines, first: int, table: Table, on_error: str, separator: str) -> None:
    """The faulty lines of a block that begins with line `first`: the first of them as an error, or all for the notes."""
    faulty = np.flatnonzero(lines.problem)
    if on_error == "skip":
        for code in np.unique(lines.problem[faulty]):
            numbers = faulty[lines.problem[faulty] == code] + first
            table.skipped.setdefault(lines.expected[code - 1], []).append(numbers)
        return
    line = int(faulty[0])
    text = lines.raw.split(b"\n", line + 1)[line].rstrip(b"\r")
    shown = text[:EXCERPT].decode(errors="backslashreplace") + "…" * (len(text) > EXCERPT)
    n_fields = text.count(separator.encode()) + 1
    found = f"{shown!r} ({n_fields} field{'s' * (n_fields > 1)})" if text else "an empty line"
    expected = lines.expected[lines.problem[line] - 1]
    raise InputError(f"{table.label}, line {first + line}: expected {expected}; found {found}")
