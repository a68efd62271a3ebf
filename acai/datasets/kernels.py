"""The inner loops of reading: the fields of a block of lines → numbers. Each one is a plain pass over the lines.

They are compiled when a first file is read, never in parallel, and cached. `bounds[line, f]` is where field f of a line
begins and `bounds[line, f + 1] - gap` is where it ends, `gap` being the length of the separator.
A kernel that dislikes a line writes `code` to `problem[line]`; the kernels after it leave that line alone.
"""

import numpy as np
from numba import njit

Array = np.ndarray
POINT, ZERO = 46, 48  # as bytes
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ / golden ratio (Knuth 1973, section 6.4)
HALF_WORD = np.uint64(32)
# what an ISO 8601 time looks like: 0 stands for any digit
TIME = np.frombuffer(b"0000-00-00T00:00:00Z", dtype=np.uint8)


@njit(cache=True)
def parse_numbers(block: Array, bounds: Array, gap: int, field: int, numbers: Array, problem: Array, code: int) -> None:
    """Decimal numbers without sign or exponent, up to 15 digits: read exactly as `float` reads them."""
    for line in range(len(numbers)):
        if problem[line]:
            continue
        digits, n_digits, n_decimals, n_points, fine = 0, 0, 0, 0, True
        for at in range(bounds[line, field], bounds[line, field + 1] - gap):
            digit = np.int64(block[at]) - ZERO
            if 0 <= digit <= 9:
                digits = 10 * digits + digit
                n_digits += 1
                n_decimals += n_points
            elif block[at] == POINT:
                n_points += 1
            else:
                fine = False
        if fine and 1 <= n_digits <= 15 and n_points <= 1:
            numbers[line] = digits / 10.0**n_decimals  # both exact in float64, so that the quotient is rounded once
        else:
            problem[line] = code


@njit(cache=True)
def parse_times(block: Array, bounds: Array, gap: int, field: int, times: Array, problem: Array, code: int) -> None:
    """`2009-05-04T23:08:57Z` → seconds since 1970, in UTC; the calendar is the Gregorian one."""
    part = np.zeros(len(TIME), dtype=np.int64)  # part[i]: the number that ends at character i
    for line in range(len(times)):
        if problem[line]:
            continue
        start = bounds[line, field]
        fine = bounds[line, field + 1] - gap - start == len(TIME)
        for i in range(len(TIME)):
            if not fine:
                break
            if TIME[i] == ZERO:
                digit = np.int64(block[start + i]) - ZERO
                fine = 0 <= digit <= 9
                part[i] = digit + (10 * part[i - 1] if i > 0 and TIME[i - 1] == ZERO else 0)
            else:
                fine = block[start + i] == TIME[i]
        year, month, day, hour, minute, second = part[3], part[6], part[9], part[12], part[15], part[18]
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        month_length = 30 + (month + month // 8) % 2 if month != 2 else 28 + leap
        if not (fine and 1 <= month <= 12 and 1 <= day <= month_length and hour < 24 and minute < 60 and second < 60):
            problem[line] = code
            continue
        # count days in years that begin in March, so that the leap day comes last
        y = year - (month <= 2)
        m = (month + 9) % 12
        days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + day - 719469
        times[line] = 86400 * days + 3600 * hour + 60 * minute + second


@njit(cache=True)
def intern(
    block: Array, bounds: Array, gap: int, fields: Array, problem: Array,
    key: Array, slots: Array, pool: Array, offsets: Array, n_ids: int, codes: Array,
) -> int:
    """Give every id a number, in order of appearance; returns how many there are now.

    An id (some fields of a line, with a zero between two) is copied to `key` and padded with zeros to whole words of 8 bytes.
    Id number c has the words `pool[offsets[c]:offsets[c + 1]]`; the numbers are in `slots`, a hash table with open
    addressing.
    """
    words = key.view(np.uint64)
    mask = np.uint64(len(slots) - 1)
    for line in range(len(codes)):
        if problem[line]:
            continue
        length = 0
        for f in fields:
            if length:
                key[length] = 0
                length += 1
            for at in range(bounds[line, f], bounds[line, f + 1] - gap):
                key[length] = block[at]
                length += 1
        n_words = (length + 7) // 8
        for at in range(length, 8 * n_words):
            key[at] = 0
        slot = np.int64(hash_of(words, 0, n_words) & mask)
        while slots[slot] >= 0:
            c = slots[slot]
            if offsets[c + 1] - offsets[c] == n_words:
                same = True
                for w in range(n_words):
                    same = same and pool[offsets[c] + w] == words[w]
                if same:
                    break
            slot = (slot + 1) & np.int64(mask)
        if slots[slot] < 0:
            slots[slot] = n_ids
            for w in range(n_words):
                pool[offsets[n_ids] + w] = words[w]
            offsets[n_ids + 1] = offsets[n_ids] + n_words
            n_ids += 1
        codes[line] = slots[slot]
    return n_ids


@njit(cache=True)
def hash_of(words: Array, start: int, end: int) -> np.uint64:
    """Multiplicative hashing, a word at a time."""
    h = np.uint64(end - start)
    for w in range(start, end):
        h = (h ^ words[w]) * MULTIPLIER
        h ^= h >> HALF_WORD
    return h


@njit(cache=True)
def fill_slots(slots: Array, pool: Array, offsets: Array, n_ids: int) -> None:
    """Enter ids 0 … n_ids − 1 into an empty hash table."""
    mask = np.uint64(len(slots) - 1)
    for c in range(n_ids):
        slot = np.int64(hash_of(pool, offsets[c], offsets[c + 1]) & mask)
        while slots[slot] >= 0:
            slot = (slot + 1) & np.int64(mask)
        slots[slot] = c
