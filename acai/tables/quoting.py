r"""Quoted fields (RFC 4180): separators, newlines and doubled quotation marks may be inside.

Only blocks that have a quotation mark are read with this kernel; all others take the faster way in `lines.py`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.compiling import njit
from acai.tables.kernels import Bytes, Ints

QUOTE, NEWLINE, RETURN = b'"\n\r'
PLAIN, OPEN, WRONG = 0, 1, 2  # a field is fine; its quotation mark is still open; text follows the one that closes it


class Unquoted(NamedTuple):
    """A block without its quotation marks.

    `marks` are the places in `text` where fields end, and `ends_line` says which of them end a line. Line number j begins at
    byte `begins[j]` of the block; it is broken if its quotation marks do not match, and is then a single field. The lines
    end before byte `end`; after it, a quotation mark is open that a later block may close.
    """

    text: Bytes
    marks: Ints
    ends_line: NDArray[np.bool_]
    begins: Ints
    is_broken: NDArray[np.bool_]
    end: int


@njit()
def unquoted(block: Bytes, separator: int, longest_open: int) -> Unquoted:
    """Remove the quotation marks of a block that ends with a newline.

    A line with marks that do not match ends at the next newline, so that one stray mark does not swallow what follows it. If
    the end of the block is reached while a mark is open, that line may be up to `longest_open` bytes long already.
    """
    n_marks = n_newlines = 0
    for byte in block:
        n_newlines += byte == NEWLINE
        n_marks += byte == NEWLINE or byte == separator
    text = np.empty(len(block), np.uint8)
    marks, ends_line = np.empty(n_marks, np.intp), np.empty(n_marks, np.bool_)
    begins, is_broken = np.empty(n_newlines, np.intp), np.zeros(n_newlines, np.bool_)
    n_lines = m = end = 0
    while end < len(block):
        at, to, first = end, 0 if m == 0 else marks[m - 1] + 1, m
        what = PLAIN
        while what == PLAIN and (m == first or not ends_line[m - 1]):
            at, to, what = field(block, at, separator, text, to)
            if what == PLAIN:
                text[to], marks[m], ends_line[m] = block[at], to, block[at] == NEWLINE
                at, to, m = at + 1, to + 1, m + 1
        if what == OPEN and len(block) - end <= longest_open:
            m = first
            break
        if what != PLAIN:
            is_broken[n_lines] = True
            at, to, m = end, 0 if first == 0 else marks[first - 1] + 1, first
            while block[at] != NEWLINE:
                text[to] = block[at]
                at, to = at + 1, to + 1
            text[to], marks[m], ends_line[m] = NEWLINE, to, True
            at, m = at + 1, m + 1
        begins[n_lines] = end
        n_lines, end = n_lines + 1, at
    last = 0 if m == 0 else marks[m - 1] + 1
    return Unquoted(text[:last], marks[:m], ends_line[:m], begins[:n_lines], is_broken[:n_lines], end)


@njit()
def field(block: Bytes, at: int, separator: int, text: Bytes, to: int) -> tuple[int, int, int]:
    """Copy the field that begins at `at`; returns where it ends, where its copy ends, and what became of it."""
    start = to
    if block[at] != QUOTE:
        while block[at] != separator and block[at] != NEWLINE:
            text[to] = block[at]
            at, to = at + 1, to + 1
        has_return = block[at] == NEWLINE and to > start and text[to - 1] == RETURN
        return at, to - has_return, PLAIN
    at += 1
    while at < len(block) and (block[at] != QUOTE or (at + 1 < len(block) and block[at + 1] == QUOTE)):
        at += block[at] == QUOTE
        text[to] = block[at]
        at, to = at + 1, to + 1
    if at + 1 >= len(block):
        return at, to, OPEN
    at += 1
    at += block[at] == RETURN and block[at + 1] == NEWLINE
    return at, to, PLAIN if block[at] == separator or block[at] == NEWLINE else WRONG
