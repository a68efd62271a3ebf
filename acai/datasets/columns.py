"""Lines cut into fields, and the kinds of columns that can be made of them: ids, numbers, times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

import numpy as np


@dataclass
class Lines:
    """A block of whole lines; field f of a line is `raw[bounds[line, f] : bounds[line, f + 1] - gap]`."""

    raw: bytes
    block: np.ndarray  # the same bytes as numbers
    bounds: np.ndarray  # (lines, fields + 1)
    gap: int  # the length of the separator
    fields: Sequence[str]
    problem: np.ndarray  # (lines,): 0 while nothing is wrong with a line, then 1 + an index to `expected`
    expected: list[str] = field(default_factory=list)

    @classmethod
    def cut(cls, raw: bytes, fields: Sequence[str], separator: str) -> Self:
        """Find every field of a block that ends with a newline; a line with more or fewer of them is faulty."""
        block, gap, n_fields = np.frombuffer(raw, dtype=np.uint8), len(separator.encode()), len(fields)
        ends = np.flatnonzero(block == ord("\n"))  # (lines,)
        cuts = _places(block, separator.encode())  # (separators,)
        n_cuts = np.diff(np.searchsorted(cuts, ends), prepend=0)  # (lines,)
        fine = n_cuts == n_fields - 1
        bounds = np.zeros((len(ends), n_fields + 1), dtype=np.int32)
        bounds[1:, 0] = ends[:-1] + 1
        bounds[fine, 1:-1] = cuts[np.repeat(fine, n_cuts)].reshape(int(fine.sum()), n_fields - 1) + gap
        bounds[:, -1] = ends + gap
        bounds[:, -1] -= (block[ends - 1] == ord("\r")) & (ends > bounds[:, 0])  # CRLF
        lines = cls(raw, block, bounds, gap, fields, np.zeros(len(ends), dtype=np.uint8))
        lines.problem[~fine] = lines.expect(f"{n_fields} fields ({', '.join(fields)}), parted by {separator!r}")
        return lines

    def expect(self, expected: str) -> int:
        """The code to write to `problem` for a line that is not as `expected`."""
        self.expected.append(expected)
        return len(self.expected)

    def parse(self, kernel: Callable, field: str, dtype: type, expected: str) -> tuple[np.ndarray, int]:
        """What a kernel makes of one field on every line, and the code of the lines that it did not understand."""
        values, code = np.zeros(len(self.problem), dtype=dtype), self.expect(expected)
        kernel(self.block, self.bounds, self.gap, self.fields.index(field), values, self.problem, code)
        return values, code

    def check_text(self, encoding: str, too_long: int | None = None) -> None:
        """Mark the lines that are no text in this encoding, or hold a NUL; and a line longer than `too_long`."""
        if too_long is not None:
            self.problem[:] = self.expect(f"a line of at most {too_long:,} bytes")
        if b"\0" not in self.raw and _is_text(self.raw, encoding):
            return
        no_text, nul = self.expect(f"{encoding.upper()} text"), self.expect("no NUL byte")
        for line, text in enumerate(self.raw.split(b"\n")[:-1]):
            if not _is_text(text, encoding):
                self.problem[line] = no_text
            elif b"\0" in text:
                self.problem[line] = nul


class Numbers:
    """A column of numbers from 0 up; `whole` ones where only those make sense, as for seconds since 1970."""

    def __init__(self, field: str, dtype: type = np.float32, whole: bool = False) -> None:
        self.field, self.dtype, self.whole = field, dtype, whole

    def read(self, lines: Lines) -> np.ndarray:
        """The column's values; a line that has none is marked."""
        from acai.datasets.kernels import parse_numbers

        expected = f"a {'whole ' * self.whole}number from 0 up as {self.field}"
        numbers, code = lines.parse(parse_numbers, self.field, np.float64, expected)
        f = lines.fields.index(self.field)
        for line in np.flatnonzero(lines.problem == code):  # rare spellings, such as 1e-3: Python knows them all
            try:
                text = lines.raw[lines.bounds[line, f] : lines.bounds[line, f + 1] - lines.gap]
                numbers[line] = float(text.replace(b"_", b"?"))
            except ValueError:
                continue
            if 0 <= numbers[line] <= np.finfo(np.float32).max:
                lines.problem[line] = 0
        if self.whole:
            lines.problem[(lines.problem == 0) & (numbers % 1 != 0)] = code
        return np.where(lines.problem == 0, numbers, 0).astype(self.dtype)


class Times:
    """A column of times such as `2009-05-04T23:08:57Z`, kept as whole seconds since 1970 (UTC)."""

    def __init__(self, field: str) -> None:
        self.field = field

    def read(self, lines: Lines) -> np.ndarray:
        """The column's values; a line that has none is marked."""
        from acai.datasets.kernels import parse_times

        return lines.parse(parse_times, self.field, np.int64, f"a time like 2009-05-04T23:08:57Z as {self.field}")[0]


class Ids:
    """A column of ids, numbered in order of appearance; an id made of several fields becomes a tuple of them.

    The bytes of all ids lie end to end in `pool`, padded to whole words; `slots` finds them again (`kernels.intern`).
    """

    def __init__(self, *fields: str, may_be_empty: bool = False) -> None:
        self.fields, self.may_be_empty, self.n = fields, may_be_empty, 0
        self.slots = np.full(1 << 10, -1, dtype=np.int32)
        self.pool = np.zeros(1 << 10, dtype=np.uint64)
        self.offsets = np.zeros(1 << 10, dtype=np.int64)

    def mark_empty(self, lines: Lines) -> None:
        """Mark the lines on which a field is empty that may not be."""
        for f in () if self.may_be_empty else map(lines.fields.index, self.fields):
            empty = lines.bounds[:, f + 1] - lines.gap == lines.bounds[:, f]
            lines.problem[empty & (lines.problem == 0)] = lines.expect(f"something as {lines.fields[f]}")

    def read(self, lines: Lines) -> np.ndarray:
        """The number of the id on each line, int32; ids that are new get one."""
        from acai.datasets.kernels import intern

        n_lines, n_bytes = len(lines.problem), len(lines.raw)
        self._make_room(n_lines, n_bytes)
        codes, key = np.zeros(n_lines, dtype=np.int32), np.empty(8 * (n_bytes // 8 + 2), dtype=np.uint8)
        fields = np.array([lines.fields.index(name) for name in self.fields])
        known = self.slots, self.pool, self.offsets, self.n
        self.n = intern(lines.block, lines.bounds, lines.gap, fields, lines.problem, key, *known, codes)
        return codes

    def ids(self, encoding: str) -> list:
        """Every id, in the order of the numbers: a str, or a tuple of them."""
        ends = (8 * self.offsets[: self.n + 1]).tolist()
        raw = self.pool[: ends[-1] // 8].tobytes()
        texts = (raw[start:end].rstrip(b"\0").decode(encoding) for start, end in pairwise(ends))
        if len(self.fields) == 1:
            return list(texts)
        shared: dict[str, str] = {}  # an artist of a thousand songs is one str
        return [tuple(shared.setdefault(part, part) for part in text.split("\0")) for text in texts]

    def _make_room(self, n_lines: int, n_bytes: int) -> None:
        """See to it that `n_lines` new ids find a place, whatever their length; doubling keeps growth cheap."""
        from acai.datasets.kernels import fill_slots

        n_ids, n_words = self.n + n_lines, int(self.offsets[self.n]) + n_bytes // 8 + n_lines
        if n_words > len(self.pool):
            self.pool = np.concatenate([self.pool, np.zeros(2 * n_words - len(self.pool), dtype=np.uint64)])
        if n_ids + 1 > len(self.offsets):
            self.offsets = np.concatenate([self.offsets, np.zeros(2 * n_ids, dtype=np.int64)])
        if 2 * n_ids > len(self.slots):
            self.slots = np.full(1 << (4 * n_ids).bit_length(), -1, dtype=np.int32)
            fill_slots(self.slots, self.pool, self.offsets, self.n)


Column = Ids | Numbers | Times


def _places(block: np.ndarray, sign: bytes) -> np.ndarray:
    """Where `sign` begins in `block`, from left to right as `bytes.split` would find it."""
    places = np.flatnonzero(block[: len(block) - len(sign) + 1] == sign[0])
    for k in range(1, len(sign)):
        places = places[block[places + k] == sign[k]]
    if (np.diff(places) < len(sign)).any():  # ":::" has "::" once, and a ":"
        kept = [-len(sign)]
        for place in places.tolist():
            if place >= kept[-1] + len(sign):
                kept.append(place)
        places = np.array(kept[1:])
    return places


def _is_text(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
