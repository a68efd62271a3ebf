"""A block of bytes → lines → fields, and which lines are faulty."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass

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
    encoding : {"utf-8", "latin-1"}
    """

    fields: Sequence[str]
    names: Sequence[str] = ()
    separator: str = "\t"
    header: bool = False
    encoding: str = "utf-8"


class Lines:
    """A block of whole lines, split into fields: field f of a line is `block[starts[f, line] : ends[f, line]]`.

    `fault` has one number for each line: 0 if nothing is wrong with it, or the index in `expected` of what was expected.
    """

    def __init__(self, raw: bytes, form: TableFormat, longest: int = BLOCK, filled: Sequence[int] = ()) -> None:
        self.raw, self.fields = raw, form.fields
        separator = form.separator.encode()
        text = raw.replace(b"\r\n", b"\n") if b"\r" in raw else raw
        mark = separator
        if len(separator) > 1:  # a single byte is easier to find, and no valid text has a NUL
            mark = b"\0"
            text = text.replace(separator, mark)
        self.block = np.frombuffer(text, dtype=np.uint8)
        n_found, lengths = self._split(ord(mark))
        lengths += (n_found - 1) * (len(separator) - 1)  # as they were before each separator became one byte

        self.fault = np.zeros(len(n_found), dtype=np.uint8)
        self.expected = [""]
        self.require(lengths <= longest, f"a line of at most {longest:,} bytes")
        self._require_text(form.encoding)
        n_fields, listed = len(self.fields), ", ".join(self.fields)
        self.require(n_found == n_fields, f"{n_fields} fields ({listed}) separated by {form.separator!r}")
        for f in filled:
            self.require(self.ends[f] > self.starts[f], f"a non-empty {self.fields[f]}")

    def _split(self, mark: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the fields; returns how many fields each line has, and its length."""
        is_newline = self.block == ord("\n")
        marks = np.append(-1, np.flatnonzero(is_newline | (self.block == mark)))  # where fields end; the first begins after −1
        last = np.flatnonzero(is_newline[marks[1:]]) + 1  # which of the marks end a line
        n_found = np.diff(last, prepend=0)  # (lines,)
        which = np.minimum(last - n_found + 1 + np.arange(len(self.fields))[:, None], last)  # (fields, lines)
        self.starts, self.ends = marks[which - 1] + 1, marks[which]
        lengths: NDArray[np.intp] = np.diff(marks[last], prepend=-1) - 1
        return n_found, lengths

    def _require_text(self, encoding: str) -> None:
        if b"\0" not in self.raw and _is_text(self.raw, encoding):
            return
        lines = self.raw.split(b"\n")[:-1]
        self.require(np.array([_is_text(line, encoding) for line in lines]), f"{encoding.upper()} text")
        self.require(np.array([b"\0" not in line for line in lines]), "no NUL byte")

    def require(self, fine: NDArray[np.bool_], expected: str) -> None:
        """Where a line is not `fine`, remember what was expected of it, unless it had a fault before."""
        self.fault[(self.fault == 0) & ~fine] = len(self.expected)
        self.expected.append(expected)


def _is_text(raw: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(raw), PIECE):
            decoder.decode(raw[start : start + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
