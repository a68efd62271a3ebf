"""Fields → columns: numbers, times, and ids that are numbered in order of appearance."""

import os
import re
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acai.ratings.moments import LATEST, moment_of, second_of
from acai.tables.lines import Lines

ZULU = "0000-00-00T00:00:00Z"
EXAMPLE = "2009-05-04T23:08:57Z"
OFFSET = re.compile(r"[+-]00:?00")
FORM = re.compile(  # of times that are read in compiled code
    rf"0000-00-00([T ]00:00(:00(\.0{{1,9}})?)?)?Z?|0000-00-00[T ]00:00:00(\.0{{1,9}})?{OFFSET.pattern}"
)
LARGEST = float(np.finfo(np.float32).max)
LARGEST_INTEGER = 2**53  # up to here float64 has every integer


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, of at least 0 unless they may be negative; integers if the type is, as for seconds since 1970."""

    field: int
    dtype: type[np.number[Any]] = np.float32
    may_be_negative: bool = False

    def read(self, lines: Lines) -> NDArray[Any]:
        """Read the column's values; a line without one is faulty."""
        from acai.tables import kernels

        starts, ends = lines.starts[self.field], lines.ends[self.field]
        decimal = lines.form.decimal.encode()
        numbers = kernels.decimals(lines.block, starts, ends, ord(decimal))
        for line in np.flatnonzero(np.isnan(numbers) & (lines.fault == 0)):  # rare spellings, such as 1e-3
            text = lines.block[starts[line] : ends[line]].tobytes()
            with suppress(ValueError):
                if b"_" not in text and (decimal == b"." or b"." not in text):  # Python would allow 1_000
                    numbers[line] = float(text.replace(decimal, b"."))
        is_integer = np.issubdtype(self.dtype, np.integer)
        largest = LARGEST_INTEGER if is_integer else LARGEST
        fine = (numbers >= (-largest if self.may_be_negative else 0)) & (numbers <= largest)
        if is_integer:
            fine &= np.floor(numbers) == numbers
        expected = f"{'an integer' if is_integer else 'a number'}{'' if self.may_be_negative else ' of at least 0'}"
        lines.require(fine, f"{expected} as {lines.fields[self.field]}")
        return np.where(fine, numbers, 0).astype(self.dtype)


@dataclass(frozen=True)
class Seconds:
    """A column of times as numbers since 1970, stored as whole seconds; milliseconds if there are 1000 `per_second`."""

    field: int
    per_second: int = 1

    def read(self, lines: Lines) -> NDArray[np.int64]:
        """Read the column's values; a line without one is faulty."""
        numbers = Numbers(self.field, np.float64, may_be_negative=True).read(lines)
        seconds = np.floor(numbers / self.per_second)
        fine = np.abs(seconds) <= LATEST
        lines.require(fine, f"a time before the year 10000 as {lines.fields[self.field]}")
        return np.where(fine, seconds, 0).astype(np.int64)


@dataclass(frozen=True)
class Times:
    """A column of times such as `2009-05-04T23:08:57Z`, stored as whole seconds since 1970 (UTC).

    `form` is the expected form, with 0 for any digit. With `any_form`, ISO text of other forms and dates with points, such as
    4.5.2009, are parsed by Python: slower.
    """

    field: int
    form: str = ZULU
    any_form: bool = False

    def read(self, lines: Lines) -> NDArray[np.int64]:
        """Read the column's values; a line without one is faulty."""
        from acai.tables import kernels

        starts, ends = lines.starts[self.field], lines.ends[self.field]
        parts = kernels.clock(lines.block, starts, ends, np.frombuffer(self.form.encode(), dtype=np.uint8))
        ahead = self._ahead(parts)
        year, month, day, hour, minute, second = parts[:6]
        months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
        days = months.astype("datetime64[D]") + (day - 1)
        fine = (year >= 0) & (month >= 1) & (month <= 12) & (days.astype("datetime64[M]") == months)
        fine &= (hour < 24) & (minute < 60) & (second < 60)
        seconds: NDArray[np.int64] = 86400 * days.astype(np.int64) + 3600 * hour + 60 * minute + second
        seconds -= ahead
        for line in np.flatnonzero(~fine & (lines.fault == 0)) if self.any_form else ():
            text = lines.block[starts[line] : ends[line]].tobytes().decode(errors="replace")
            with suppress(ValueError):
                seconds[line] = second_of(moment_of(text))
                fine[line] = True
        lines.require(fine, f"a time like {EXAMPLE[: len(self.form)]} as {lines.fields[self.field]}")
        return seconds

    def _ahead(self, parts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Compute how many seconds each time zone is ahead of UTC; where there is no such zone, the year becomes −1."""
        offset = OFFSET.search(self.form)
        if offset is None:
            return np.zeros_like(parts[0])
        hours, minutes = parts[7:] if "." in self.form else parts[6:8]
        if ":" not in offset[0]:
            hours, minutes = np.divmod(hours, 100)  # 0530 is read as one number
        parts[0, (hours >= 24) | (minutes >= 60)] = -1
        ahead: NDArray[np.int64] = 3600 * hours + 60 * minutes
        return ahead if "+" in self.form else -ahead


class Ids:
    """A column of ids, numbered in order of appearance; an id made of several fields becomes a tuple of them.

    The bytes of all ids are stored end to end in `pool`, padded to whole words; `slots` is a hash table of their numbers
    (`kernels.intern`). Its hash has a random key, so that nobody can write a file whose ids all collide. The numbers do not
    depend on the key.
    """

    def __init__(self, *fields: int, may_be_empty: bool = False) -> None:
        self.fields, self.may_be_empty, self.n = list(fields), may_be_empty, 0
        self.slots: NDArray[np.int32] = np.full(1 << 10, -1, dtype=np.int32)
        self.key = np.frombuffer(os.urandom(16), np.uint64)
        self.pool = np.zeros(1 << 13, dtype=np.uint8)
        self.offsets = np.zeros(1 << 10, dtype=np.int64)

    def read(self, lines: Lines) -> NDArray[np.int32]:
        """Read the number of the id on each line; new ids get the next numbers, except on faulty lines."""
        from acai.tables import kernels

        self._make_room(len(lines.fault), len(lines.raw))
        starts, ends = lines.starts[self.fields], lines.ends[self.fields]
        table = kernels.IdTable(self.slots, self.key, self.pool, self.offsets)
        codes, self.n = kernels.intern(lines.block, starts, ends, lines.fault, table, self.n)
        return codes

    def _make_room(self, n_lines: int, n_bytes: int) -> None:
        """Grow what is too small for a block in which every id is new; since sizes double, that is rare."""
        from acai.tables import kernels

        n_words = int(self.offsets[self.n]) + n_lines + n_bytes // 8
        if 8 * n_words > len(self.pool):
            self.pool.resize(16 * n_words, refcheck=False)
        n = self.n + n_lines
        if n >= len(self.offsets):
            self.offsets.resize(2 * n, refcheck=False)
        if 2 * n > len(self.slots):
            self.slots = np.full(1 << (4 * n).bit_length(), -1, dtype=np.int32)
            starts, ends = 8 * self.offsets[None, : self.n], 8 * self.offsets[None, 1 : self.n + 1]
            table = kernels.IdTable(self.slots, self.key, self.pool, self.offsets)
            kernels.intern(self.pool, starts, ends, np.zeros(self.n, np.uint8), table, 0)  # every id once more, from the pool

    def ids(self, encoding: str) -> list[Hashable]:
        """List every id in the order of the numbers: a str, or a tuple of them."""
        pool, ends = self.pool.data, (8 * self.offsets[: self.n + 1]).tolist()
        texts = (str(pool[start:end], encoding).rstrip("\0") for start, end in pairwise(ends))
        if len(self.fields) == 1:
            return list(texts)
        shared: dict[str, str] = {}  # an artist of a thousand songs is one str
        return [tuple(shared.setdefault(part, part) for part in text.split("\0")) for text in texts]
