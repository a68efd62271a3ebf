"""A block of bytes → lines → fields, and which lines are faulty."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 22  # bytes read at a time; also the longest line there may be
PIECE = 1 << 16  # bytes decoded at a time to see that they are text: the result stays in the cache


@dataclass(frozen=True)
class TableFormat:
    """What a delimited file looks like.

    Attributes
    ----------
    fields : sequence of str
        The fields of a line, from left to right. A line with more or fewer fields is faulty.
    names : sequence of str
        What the file is called in a folder or an archive; without names, it must be the only file there.
    separator : str
        What separates two fields: one character or several.
    header : bool
        Whether the first line has the names of the fields.
    header_is_known : bool
        Whether line 1 was looked at already, so that it need not be compared with the fields.
    encoding : {"utf-8", "latin-1", "cp1252"}
    or_latin_1 : bool
        Whether a file that turns out not to be UTF-8 may be Latin-1 instead; see `reader.OtherEncoding`.
    quoted : bool
        Whether a field that begins with a quotation mark ends with one (RFC 4180), and may have separators, newlines and
        doubled quotation marks inside; the separator must be one character.
    decimal : {".", ","}
        What separates the decimals of a number.
    n_before : int
        Lines before the first one, such as `sep=;`, which tells Excel what the separator is.
    """

    fields: Sequence[str]
    names: Sequence[str] = ()
    separator: str = "\t"
    header: bool = False
    header_is_known: bool = False
    encoding: str = "utf-8"
    or_latin_1: bool = False
    quoted: bool = False
    decimal: str = "."
    n_before: int = 0


class Lines:
    """A block of whole lines, split into fields: field f of a line is `block[starts[f, line] : ends[f, line]]`.

    Here a line is what becomes one row of the table; with a newline in a quoted field it is several lines of the file.
    `fault` has one number for each line: 0 if nothing is wrong with it, or the index in `expected` of what was expected.
    `rest` are the bytes after the last whole line, with a quotation mark that is still open.
    """

    def __init__(
        self, raw: bytes, form: TableFormat, longest: int = BLOCK, filled: Sequence[int] = (), is_last: bool = True
    ) -> None:
        self.form, self.fields = form, form.fields
        self.raw, self.rest = raw, b""
        self.begins: NDArray[np.intp] | None = None
        fine = None
        if form.quoted and b'"' in raw:
            n_found, lengths, fine = self._unquote(0 if is_last else longest)
        else:
            n_found, lengths = self._split()
        self.n_found = n_found
        self.fault = np.zeros(len(n_found), dtype=np.uint8)
        self.expected = [""]
        self.require(lengths <= longest, f"a line of at most {longest:,} bytes")
        self._require_text(form.encoding)
        if fine is not None:
            self.require(fine, "a field that begins with a quotation mark to end with one")
        n_fields, listed = len(self.fields), ", ".join(self.fields)
        self.require(n_found == n_fields, f"{n_fields} fields ({listed}) separated by {form.separator!r}")
        for f in filled:
            self.require(self.ends[f] > self.starts[f], f"a non-empty {self.fields[f]}")

    def _split(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the fields where nothing is quoted; returns how many fields each line has, and its length."""
        raw, separator = self.raw, self.form.separator.encode()
        text = raw.replace(b"\r\n", b"\n") if b"\r" in raw else raw
        mark = separator
        if len(separator) > 1:  # a single byte is easier to find, and no valid text has a NUL
            mark = b"\0"
            text = text.replace(separator, mark)
        self.block = np.frombuffer(text, dtype=np.uint8)
        is_newline = self.block == ord("\n")
        marks = np.flatnonzero(is_newline | (self.block == ord(mark)))  # where fields end
        n_found, lengths = self._between(marks, is_newline[marks])
        return n_found, lengths + (n_found - 1) * (len(separator) - 1)  # as they were before a separator became one byte

    def _unquote(self, longest_open: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Find the fields where some are quoted; also returns whether the quotation marks of each line match."""
        from acai.tables import quoting

        block = np.frombuffer(self.raw, dtype=np.uint8)
        found = quoting.unquoted(block, ord(self.form.separator), longest_open)
        self.raw, self.rest = self.raw[: found.end], self.raw[found.end :]
        self.block = found.text
        n_found, _ = self._between(found.marks, found.ends_line)
        self.begins = found.begins
        return n_found, np.diff(found.begins, append=found.end), ~found.is_broken

    def _between(self, marks: NDArray[np.intp], ends_line: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Set where each field starts and ends, from the places of the separators and newlines."""
        marks = np.append(-1, marks)  # the first field begins after −1
        last = np.flatnonzero(ends_line) + 1  # which of the marks end a line
        n_found = np.diff(last, prepend=0)  # (lines,)
        which = np.minimum(last - n_found + 1 + np.arange(len(self.fields))[:, None], last)  # (fields, lines)
        self.starts, self.ends = marks[which - 1] + 1, marks[which]
        lengths: NDArray[np.intp] = np.diff(marks[last], prepend=-1) - 1
        return n_found, lengths

    def _require_text(self, encoding: str) -> None:
        self.is_text = is_text(self.raw, encoding)
        if self.is_text and b"\0" not in self.raw:
            return
        lines = self.sources()
        self.require(np.array([is_text(line, encoding) for line in lines], bool), f"{encoding.upper()} text")
        self.require(np.array([b"\0" not in line for line in lines], bool), "no NUL byte")

    def require(self, fine: NDArray[np.bool_], expected: str) -> None:
        """Where a line is not `fine`, remember what was expected of it, unless it had a fault before."""
        self.fault[(self.fault == 0) & ~fine] = len(self.expected)
        self.expected.append(expected)

    def sources(self) -> list[bytes]:
        """List the lines as they are in the file, without the newline at their end."""
        if self.begins is None:
            return self.raw.split(b"\n")[:-1]
        places = [*self.begins.tolist(), len(self.raw)]
        return [self.raw[begin : end - 1] for begin, end in pairwise(places)]

    def numbers(self) -> NDArray[np.intp]:
        """Compute which lines of this block's text they begin on, counted from 0."""
        if self.begins is None:
            return np.arange(len(self.fault))
        newlines = np.flatnonzero(np.frombuffer(self.raw, dtype=np.uint8) == ord("\n"))
        return np.searchsorted(newlines, self.begins)


def is_text(raw: bytes, encoding: str) -> bool:
    """Whether these bytes are text in an encoding that extends ASCII."""
    if raw.isascii():
        return True
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(raw), PIECE):
            decoder.decode(raw[start : start + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
