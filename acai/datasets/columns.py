"""Lines cut into fields, and the kinds of columns that can be made of them: ids, numbers, times."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

LARGEST = np.finfo(np.float32).max


class Lines:
    """A block of whole lines; field f of a line is `raw[starts[f, line] : ends[f, line]]`."""

    def __init__(self, raw: bytes, fields: Sequence[str], separator: str, encoding: str, longest: int) -> None:
        from acai.datasets.kernels import cut

        self.raw, self.block, self.fields = raw, np.frombuffer(raw, dtype=np.uint8), fields
        sign = np.frombuffer(separator.encode(), dtype=np.uint8)
        newlines, signs = np.flatnonzero(self.block == ord("\n")), np.flatnonzero(self.block == sign[0])
        self.starts, self.ends, n_found = cut(self.block, newlines, signs, sign, len(fields))  # (fields, lines)
        self.fault = np.zeros(len(newlines), dtype=np.uint8)  # 0 while nothing is wrong with a line, then a place in …
        self.expected = [""]
        self.expect(np.diff(newlines, prepend=-1) <= longest + 1, f"a line of at most {longest:,} bytes")
        if b"\0" in raw or not _is_text(raw, encoding):
            lines = raw.split(b"\n")[:-1]
            self.expect(np.array([_is_text(line, encoding) for line in lines]), f"{encoding.upper()} text")
            self.expect(np.array([b"\0" not in line for line in lines]), "no NUL byte")
        self.expect(n_found == len(fields), f"{len(fields)} fields ({', '.join(fields)}), parted by {separator!r}")

    def expect(self, fine: np.ndarray, expected: str) -> None:
        """Where a line is not `fine`, remember what was expected of it; its first fault counts."""
        self.fault[(self.fault == 0) & ~fine] = len(self.expected)
        self.expected.append(expected)

    def keep(self, fine: np.ndarray) -> None:
        """Leave the other lines out."""
        self.starts, self.ends, self.fault = self.starts[:, fine], self.ends[:, fine], self.fault[fine]


@dataclass(frozen=True)
class Numbers:
    """A column of numbers from 0 up; whole ones if the type is, as for seconds since 1970."""

    field: int
    dtype: type = np.float32

    def read(self, lines: Lines) -> np.ndarray:
        """The column's values; a line that has none is faulty."""
        from acai.datasets.kernels import decimals

        starts, ends = lines.starts[self.field], lines.ends[self.field]
        numbers, whole = decimals(lines.block, starts, ends), np.issubdtype(self.dtype, np.integer)
        for line in np.flatnonzero(np.isnan(numbers) & (lines.fault == 0)):  # rare spellings, such as 1e-3
            with suppress(ValueError):
                numbers[line] = float(lines.raw[starts[line] : ends[line]].replace(b"_", b"?"))
        fine = (numbers >= 0) & (numbers <= LARGEST) & ((np.floor(numbers) == numbers) | (not whole))
        lines.expect(fine, f"a {'whole ' * whole}number from 0 up as {lines.fields[self.field]}")
        return np.where(fine, numbers, 0).astype(self.dtype)


@dataclass(frozen=True)
class Times:
    """A column of times such as `2009-05-04T23:08:57Z`, kept as whole seconds since 1970 (UTC)."""

    field: int

    def read(self, lines: Lines) -> np.ndarray:
        """The column's values; a line that has none is faulty."""
        from acai.datasets.kernels import clock

        year, month, day, hour, minute, second = clock(lines.block, lines.starts[self.field], lines.ends[self.field])
        months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
        days = months.astype("datetime64[D]") + (day - 1)
        fine = (year >= 0) & (1 <= month) & (month <= 12) & (days.astype("datetime64[M]") == months)
        fine &= (hour < 24) & (minute < 60) & (second < 60)
        lines.expect(fine, f"a time like 2009-05-04T23:08:57Z as {lines.fields[self.field]}")
        return 86400 * days.astype(np.int64) + 3600 * hour + 60 * minute + second


class Ids:
    """A column of ids, numbered in order of appearance; an id made of several fields becomes a tuple of them.

    The bytes of all ids lie end to end in `pool`, padded to whole words; `slots` finds them again (`kernels.intern`).
    """

    def __init__(self, *fields: int, may_be_empty: bool = False) -> None:
        self.fields, self.may_be_empty, self.n = list(fields), may_be_empty, 0
        self.slots = np.full(1 << 10, -1, dtype=np.int32)
        self.pool, self.offsets = np.zeros(1 << 13, dtype=np.uint8), np.zeros(1 << 10, dtype=np.int64)

    def check(self, lines: Lines) -> None:
        """A line on which a field is empty that may not be is faulty."""
        for f in () if self.may_be_empty else self.fields:
            lines.expect(lines.ends[f] > lines.starts[f], f"something as {lines.fields[f]}")

    def read(self, lines: Lines) -> np.ndarray:
        """The number of the id on each line, int32; ids that are new get one."""
        from acai.datasets.kernels import intern

        n, room = self.n + len(lines.fault), 8 * (int(self.offsets[self.n]) + len(lines.fault) + len(lines.raw) // 8)
        if room > len(self.pool):  # see to it that only new ids find a place; doubling keeps growth cheap
            self.pool.resize(2 * room, refcheck=False)
        if n >= len(self.offsets):
            self.offsets.resize(2 * n, refcheck=False)
        if 2 * n > len(self.slots):
            self.slots = np.full(1 << (4 * n).bit_length(), -1, dtype=np.int32)
            known = 8 * self.offsets[None, : self.n], 8 * self.offsets[None, 1 : self.n + 1]
            intern(self.pool, *known, self.slots, self.pool, self.offsets, 0)  # the ids themselves, read again
        spans = lines.starts[self.fields], lines.ends[self.fields]
        codes, self.n = intern(lines.block, *spans, self.slots, self.pool, self.offsets, self.n)
        return codes

    def ids(self, encoding: str) -> list:
        """Every id, in the order of the numbers: a str, or a tuple of them."""
        pool = memoryview(self.pool)
        texts = (str(pool[start:end], encoding).rstrip("\0") for start, end in pairwise((8 * self.offsets[: self.n + 1]).tolist()))
        if len(self.fields) == 1:
            return list(texts)
        shared: dict[str, str] = {}  # an artist of a thousand songs is one str
        return [tuple(shared.setdefault(part, part) for part in text.split("\0")) for text in texts]


def _is_text(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
