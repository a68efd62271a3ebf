"""Delimited text → columns: the one reader beneath every data set.

A block of bytes is cut into lines at `\\n` and nowhere else, a line into fields at the separator and nowhere else:
there is no quoting, and a title may hold any letter that Unicode has. Ids become numbers as they pass, so that a log of
millions of lines is never held as text. The inner loops are in `kernels.py`.
"""

import codecs
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from acai.errors import InputError, check_count, unknown
from acai.settings import checked
from acai.tables.source import opened

BLOCK = 1 << 22  # bytes read at a time; also the longest line there may be
PIECE = 1 << 16  # bytes decoded at a time, to see that they are text: the letters stay in the cache
EXCERPT = 80  # how much of a faulty line a message shows
BOM = b"\xef\xbb\xbf"
ON_ERROR = ("raise", "skip")
LARGEST = np.finfo(np.float32).max
LARGEST_WHOLE = 2**53  # up to here float64 has every integer


class Lines:
    """A block of whole lines; field f of a line is `block[starts[f, line] : ends[f, line]]`."""

    def __init__(
        self, raw: bytes, fields: Sequence[str], separator: str, encoding: str, longest: int, filled: Sequence[int] = ()
    ) -> None:
        self.raw, self.fields = raw, fields
        cut, sign = raw.replace(b"\r\n", b"\n") if b"\r" in raw else raw, separator.encode()
        if len(sign) > 1:  # one byte will do, and no text has a NUL
            cut = cut.replace(sign, b"\0")
        self.block = np.frombuffer(cut, dtype=np.uint8)
        is_sign = self.block == (0 if len(sign) > 1 else ord(sign))
        marks = np.append(-1, np.flatnonzero((self.block == ord("\n")) | is_sign))  # where fields end
        last = np.flatnonzero(self.block[marks[1:]] == ord("\n")) + 1  # those that are the last of a line
        n_found = np.diff(last, prepend=0)  # (lines,)
        at = np.minimum(last - n_found + 1 + np.arange(len(fields))[:, None], last)  # (fields, lines)
        self.starts, self.ends = marks[at - 1] + 1, marks[at]

        self.fault = np.zeros(len(last), dtype=np.uint8)  # 0 while nothing is wrong with a line, then a place in …
        self.expected = [""]
        length = np.diff(marks[last], prepend=-1) - 1 + (n_found - 1) * (len(sign) - 1)  # before it was cut
        self.expect(length <= longest, f"a line of at most {longest:,} bytes")
        if b"\0" in raw or not _is_text(raw, encoding):
            lines = raw.split(b"\n")[:-1]
            self.expect(np.array([_is_text(line, encoding) for line in lines]), f"{encoding.upper()} text")
            self.expect(np.array([b"\0" not in line for line in lines]), "no NUL byte")
        self.expect(n_found == len(fields), f"{len(fields)} fields ({', '.join(fields)}), parted by {separator!r}")
        for f in filled:
            self.expect(self.ends[f] > self.starts[f], f"something as {fields[f]}")

    def expect(self, fine: np.ndarray, expected: str) -> None:
        """Where a line is not `fine`, remember what was expected of it; its first fault counts."""
        self.fault[(self.fault == 0) & ~fine] = len(self.expected)
        self.expected.append(expected)


@dataclass(frozen=True)
class Numbers:
    """A column of numbers from 0 up; whole ones if the type is, as for seconds since 1970."""

    field: int
    dtype: type = np.float32

    def read(self, lines: Lines) -> np.ndarray:
        """The column's values; a line that has none is faulty."""
        from acai.tables.kernels import decimals

        starts, ends = lines.starts[self.field], lines.ends[self.field]
        numbers, whole = decimals(lines.block, starts, ends), np.issubdtype(self.dtype, np.integer)
        for line in np.flatnonzero(np.isnan(numbers) & (lines.fault == 0)):  # rare spellings, such as 1e-3
            with suppress(ValueError):
                numbers[line] = float(lines.block[starts[line] : ends[line]].tobytes().replace(b"_", b"?"))
        largest = LARGEST_WHOLE if whole else LARGEST
        fine = (numbers >= 0) & (numbers <= largest) & ((np.floor(numbers) == numbers) | (not whole))
        lines.expect(fine, f"a {'whole ' * whole}number from 0 up as {lines.fields[self.field]}")
        return np.where(fine, numbers, 0).astype(self.dtype)


@dataclass(frozen=True)
class Times:
    """A column of times such as `2009-05-04T23:08:57Z`, kept as whole seconds since 1970 (UTC)."""

    field: int

    def read(self, lines: Lines) -> np.ndarray:
        """The column's values; a line that has none is faulty."""
        from acai.tables.kernels import clock

        year, month, day, hour, minute, second = clock(lines.block, lines.starts[self.field], lines.ends[self.field])
        months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
        days = months.astype("datetime64[D]") + (day - 1)
        fine = (year >= 0) & (1 <= month) & (month <= 12) & (days.astype("datetime64[M]") == months)
        fine &= (hour < 24) & (minute < 60) & (second < 60)
        lines.expect(fine, f"a time like 2009-05-04T23:08:57Z as {lines.fields[self.field]}")
        return 86400 * days.astype(np.int64) + 3600 * hour + 60 * minute + second


class Ids:
    """A column of ids, numbered in order of appearance; an id made of several fields becomes a tuple of them.

    The bytes of all ids lie end to end in `pool`, padded to whole words; `slots` finds them again (`kernels.intern`) by a
    hash with a random key, so that nobody can write a file whose ids all collide. The numbers do not depend on the key.
    """

    def __init__(self, *fields: int, may_be_empty: bool = False) -> None:
        self.fields, self.may_be_empty, self.n = list(fields), may_be_empty, 0
        self.slots, self.key = np.full(1 << 10, -1, dtype=np.int32), np.frombuffer(os.urandom(16), np.uint64)
        self.pool, self.offsets = np.zeros(1 << 13, dtype=np.uint8), np.zeros(1 << 10, dtype=np.int64)

    def read(self, lines: Lines) -> np.ndarray:
        """The number of the id on each line, int32; ids that are new get one, but for those on faulty lines."""
        from acai.tables.kernels import intern

        n, room = self.n + len(lines.fault), 8 * (int(self.offsets[self.n]) + len(lines.fault) + len(lines.raw) // 8)
        if room > len(self.pool):  # see to it that only new ids find a place; doubling keeps growth cheap
            self.pool.resize(2 * room, refcheck=False)
        if n >= len(self.offsets):
            self.offsets.resize(2 * n, refcheck=False)
        if 2 * n > len(self.slots):
            self.slots = np.full(1 << (4 * n).bit_length(), -1, dtype=np.int32)
            known = 8 * self.offsets[None, : self.n], 8 * self.offsets[None, 1 : self.n + 1]
            intern(self.pool, *known, np.zeros(self.n, np.uint8), self.slots, self.key, self.pool, self.offsets, 0)  # read again
        spans = lines.starts[self.fields], lines.ends[self.fields]
        codes, self.n = intern(lines.block, *spans, lines.fault, self.slots, self.key, self.pool, self.offsets, self.n)
        return codes

    def ids(self, encoding: str) -> list:
        """Every id, in the order of the numbers: a str, or a tuple of them."""
        pool, ends = memoryview(self.pool), (8 * self.offsets[: self.n + 1]).tolist()
        texts = (str(pool[start:end], encoding).rstrip("\0") for start, end in pairwise(ends))
        if len(self.fields) == 1:
            return list(texts)
        shared: dict[str, str] = {}  # an artist of a thousand songs is one str
        return [tuple(shared.setdefault(part, part) for part in text.split("\0")) for text in texts]


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
    if not separator or "\n" in separator or "\0" in separator:
        raise InputError(f"separator={separator!r}; expected one character or several, without a newline or NUL")
    block_size = checked("block_size", block_size)
    if on_error not in ON_ERROR:
        raise unknown("way to treat a faulty line (on_error)", on_error, ON_ERROR)
    ids = {name: column for name, column in columns.items() if isinstance(column, Ids)}
    ids_last = sorted(columns, key=lambda name: name in ids)  # when all faults are known: a faulty line's ids get no number
    filled = [f for column in ids.values() if not column.may_be_empty for f in column.fields]
    rows = {name: bytearray() for name in columns}  # grows in place, so that no column ever stands in memory twice
    with (
        opened(path, *names) as source,
        tqdm(total=source.size, desc=f"reading {source.name}", unit="B", unit_scale=True, disable=not progress) as bar,
    ):
        table = Table(source.label, source.name, first_line=1 + header)
        blocks = whole_lines(source.stream, block_size)
        first = next(blocks, b"").removeprefix(BOM)
        if not first:
            raise InputError(f"{table.label} is empty; expected lines of {len(fields)} fields: {', '.join(fields)}")
        if header:
            expected, found = separator.join(fields), first.decode(errors="replace").rstrip("\r\n")
            if found != expected:
                raise InputError(f"{table.label}, line 1: expected the header {expected!r}; found {found[:EXCERPT]!r}")
        n_lines = int(header)
        for raw in blocks if header else chain([first], blocks):
            bar.update(len(raw))
            lines = Lines(raw, fields, separator, encoding, block_size, filled)
            values = {name: columns[name].read(lines) for name in ids_last}
            fine = lines.fault == 0
            if not fine.all():
                _report(lines, n_lines + 1, table, on_error, separator)
            for name, column in values.items():
                rows[name] += column[fine].data
            table.n_rows += int(fine.sum())
            n_lines += len(fine)
            check_count(table.n_rows, "lines", table.label)
    if table.n_rows == 0:
        raise InputError(f"not one line could be used; {'; '.join(table.notes())}")
    table.columns = {name: np.frombuffer(rows[name], dtype=column.dtype) for name, column in values.items()}
    table.ids = {name: column.ids(encoding) for name, column in ids.items()}
    return table


def whole_lines(stream: BinaryIO, block_size: int = BLOCK) -> Iterator[bytes]:
    """The first line, then blocks that end with a newline; a line longer than a block is cut off."""
    block = b""
    while block := block + (end := stream.readline(block_size + 1)):
        yield block if block.endswith(b"\n") else block + b"\n"
        while end and not end.endswith(b"\n"):
            end = stream.readline(block_size)
        block = stream.read(block_size)


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
    expected = lines.expected[lines.fault[line]]
    header = " (is this a header? there must be none)" * (first + line == 1 and "from 0 up" in expected)
    found = f"{shown!r} ({n_fields} field{'s' * (n_fields > 1)})" if text else "an empty line"
    raise InputError(f"{table.label}, line {first + line}: expected {expected}; found {found}{header}")


def _is_text(raw: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(raw), PIECE):
            decoder.decode(raw[start : start + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
