"""Lines cut into fields, and the kinds of columns that can be made of them: ids, numbers, times."""

from collections.abc import Sequence
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
    fields: Sequence[str]
    separator: bytes
    problem: np.ndarray  # 0 while nothing is wrong with a line, then 1 + an index to `expected`
    expected: list[str] = field(default_factory=list)

    @classmethod
    def cut(cls, raw: bytes, fields: Sequence[str], separator: str) -> Self:
        """Find every field of a block that ends with a newline; a line with more or fewer of them is faulty."""
        from acai.datasets.kernels import cut

        block = np.frombuffer(raw, dtype=np.uint8)
        n_lines = raw.count(b"\n")
        bounds = np.zeros((n_lines, len(fields) + 1), dtype=np.int32)
        lines = cls(raw, block, bounds, fields, separator.encode(), np.zeros(n_lines, dtype=np.uint8))
        code = lines.expect(f"{len(fields)} fields ({', '.join(fields)}), parted by {separator!r}")
        cut(block, np.frombuffer(lines.separator, dtype=np.uint8), len(fields), bounds, lines.problem, code)
        return lines

    @property
    def gap(self) -> int:
        """The length of the separator."""
        return len(self.separator)

    def expect(self, expected: str) -> int:
        """The code to write to `problem` for a line that is not as `expected`."""
        self.expected.append(expected)
        return len(self.expected)

    def text(self, line: int, f: int) -> bytes:
        """What stands in one field."""
        return self.raw[self.bounds[line, f] : self.bounds[line, f + 1] - self.gap]

    def check_text(self, encoding: str, too_long: int | None = None) -> None:
        """Mark the lines that are no text in this encoding, or hold a NUL; and a line longer than `too_long`."""
        if too_long is not None:
            self.problem[:] = self.expect(f"a line of at most {too_long:,} bytes")
        try:
            if b"\0" not in self.raw:
                self.raw.decode(encoding)
                return
        except UnicodeDecodeError:
            pass
        no_text, nul = self.expect(f"{encoding.upper()} text"), self.expect("no NUL byte")
        for line, text in enumerate(self.raw.split(b"\n")[:-1]):
            if b"\0" in text:
                self.problem[line] = nul
            try:
                text.decode(encoding)
            except UnicodeDecodeError:
                self.problem[line] = no_text


class Numbers:
    """A column of numbers from 0 up; `whole` ones where only those make sense, as for seconds since 1970."""

    def __init__(self, field: str, dtype: type = np.float32, whole: bool = False) -> None:
        self.field, self.dtype, self.whole = field, dtype, whole

    def read(self, lines: Lines) -> np.ndarray:
        """The column's values; a line that has none is marked."""
        from acai.datasets.kernels import parse_numbers

        f = lines.fields.index(self.field)
        numbers = np.zeros(len(lines.problem))
        code = lines.expect(f"a {'whole ' * self.whole}number from 0 up as {self.field}")
        parse_numbers(lines.block, lines.bounds, lines.gap, f, numbers, lines.problem, code)
        for line in np.flatnonzero(lines.problem == code):  # rare spellings, such as 1e-3: Python knows them all
            try:
                numbers[line] = float(lines.text(line, f).replace(b"_", b"?"))
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

        times = np.zeros(len(lines.problem), dtype=np.int64)
        code = lines.expect(f"a time like 2009-05-04T23:08:57Z as {self.field}")
        parse_times(lines.block, lines.bounds, lines.gap, lines.fields.index(self.field), times, lines.problem, code)
        return times


class Ids:
    """A column of ids, numbered in order of appearance; an id made of several fields becomes a tuple of them.

    The bytes of all ids lie end to end in `pool`, padded to whole words; `slots` finds them again (`kernels.intern`).
    """

    def __init__(self, *fields: str) -> None:
        self.fields = fields
        self.n = 0
        self.slots = np.full(1 << 10, -1, dtype=np.int32)
        self.pool = np.zeros(1 << 10, dtype=np.uint64)
        self.offsets = np.zeros(1 << 10, dtype=np.int64)

    def mark_empty(self, lines: Lines) -> None:
        """An id may not be empty."""
        for name in self.fields:
            f = lines.fields.index(name)
            empty = lines.bounds[:, f + 1] - lines.gap == lines.bounds[:, f]
            lines.problem[empty & (lines.problem == 0)] = lines.expect(f"something as {name}")

    def read(self, lines: Lines) -> np.ndarray:
        """The number of the id on each line, int32; ids that are new get one."""
        from acai.datasets.kernels import intern

        self._make_room(len(lines.problem), len(lines.raw))
        codes = np.zeros(len(lines.problem), dtype=np.int32)
        fields = np.array([lines.fields.index(name) for name in self.fields])
        key = np.zeros(len(lines.raw) + 8, dtype=np.uint8)[: (len(lines.raw) + 8) // 8 * 8]
        self.n = intern(
            lines.block,
            lines.bounds,
            lines.gap,
            fields,
            lines.problem,
            key,
            self.slots,
            self.pool,
            self.offsets,
            self.n,
            codes,
        )
        return codes

    def ids(self, encoding: str) -> list:
        """Every id, in the order of the numbers: a str, or a tuple of them."""
        raw = self.pool.tobytes()
        ends = (8 * self.offsets[: self.n + 1]).tolist()
        texts = [raw[start:end].rstrip(b"\0").decode(encoding) for start, end in pairwise(ends)]
        if len(self.fields) == 1:
            return texts
        shared: dict[str, str] = {}  # an artist of a thousand songs is one str
        return [tuple(shared.setdefault(part, part) for part in text.split("\t")) for text in texts]

    def _make_room(self, n_lines: int, n_bytes: int) -> None:
        """See to it that `n_lines` new ids find a place, whatever their length; doubling keeps growth cheap."""
        from acai.datasets.kernels import fill_slots

        n_words = int(self.offsets[self.n]) + n_bytes // 8 + n_lines
        if n_words > len(self.pool):
            self.pool = np.concatenate([self.pool, np.zeros(2 * n_words - len(self.pool), dtype=np.uint64)])
        if self.n + n_lines + 1 > len(self.offsets):
            self.offsets = np.concatenate([self.offsets, np.zeros(2 * (self.n + n_lines), dtype=np.int64)])
        if 2 * (self.n + n_lines) > len(self.slots):
            self.slots = np.full(1 << (4 * (self.n + n_lines)).bit_length(), -1, dtype=np.int32)
            fill_slots(self.slots, self.pool, self.offsets, self.n)


class Texts(Ids):
    """A column of text that may be empty and is often the same: kept as ids are, each text once."""

    def mark_empty(self, lines: Lines) -> None:
        """Nothing is wrong with an empty one."""


Column = Ids | Numbers | Times
