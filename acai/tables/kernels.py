"""The inner loops of reading: a block of bytes → fields → numbers. Each one is a plain pass over the lines.

They are compiled when a first file is read, never in parallel, and cached. Field f of a line is
`block[starts[f, line] : ends[f, line]]`. Quoted fields have their own kernel, in `quoting.py`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.compiling import njit

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Ints = NDArray[np.intp]
ZERO, MINUS = b"0-"
INITIAL = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)  # of SipHash


class IdTable(NamedTuple):
    """All ids so far: id number c is the words of `pool` from `offsets[c]` to `offsets[c + 1]`.

    An id is some fields of a line, with a zero between two, and zeros up to a whole word of 8 bytes. `slots` is a hash table
    of the numbers with open addressing; its hash has a secret `key` of two words.
    """

    slots: NDArray[np.int32]
    key: Words
    pool: Bytes
    offsets: NDArray[np.int64]


@njit()
def decimals(block: Bytes, starts: Ints, ends: Ints, point: int) -> NDArray[np.float64]:
    """Read numbers without exponent, up to 15 digits, exactly as `float` reads them; NaN for anything else."""
    numbers = np.full(len(starts), np.nan)
    for line in range(len(starts)):
        digits, sign = np.int64(0), 1
        n_digits = n_decimals = n_points = 0
        for at in range(starts[line], ends[line]):
            digit = np.int64(block[at]) - ZERO
            if 0 <= digit <= 9:
                digits = 10 * digits + digit
                n_digits += 1
                n_decimals += n_points
            elif block[at] == MINUS and at == starts[line]:
                sign = -1
            else:
                n_points += 1 if block[at] == point else 2
        if 1 <= n_digits <= 15 and n_points <= 1:
            numbers[line] = sign * (digits / 10.0**n_decimals)  # both exact in float64, so that the quotient is rounded once
    return numbers


@njit()
def clock(block: Bytes, starts: Ints, ends: Ints, form: Bytes) -> NDArray[np.int64]:
    """Read the numbers of times of a form, from the year to the second and perhaps its fraction, an offset's hours and minutes.

    In a form, which has no more than these nine numbers, 0 stands for any digit. The year is −1 for anything else.
    """
    parts = np.zeros((9, len(starts)), dtype=np.int64)
    for line in range(len(starts)):
        p = 0
        fine = ends[line] - starts[line] == len(form)
        for at in range(len(form) if fine else 0):
            digit = np.int64(block[starts[line] + at]) - ZERO
            if form[at] == ZERO:
                fine = fine and 0 <= digit <= 9
                parts[p, line] = 10 * parts[p, line] + digit
            else:
                fine = fine and digit == np.int64(form[at]) - ZERO
                p += 1
        if not fine:
            parts[0, line] = -1
    return parts


@njit()
def intern(block: Bytes, starts: Ints, ends: Ints, fault: Bytes, table: IdTable, n_ids: int) -> tuple[NDArray[np.int32], int]:
    """Give the id on each line a number, except on faulty lines; returns the numbers and how many ids there are now."""
    slots, key, pool, offsets = table
    words = pool.view(np.uint64)
    codes = np.zeros(starts.shape[1], dtype=np.int32)
    for line in range(len(codes)):
        if fault[line]:
            continue
        end = 8 * offsets[n_ids]  # an id is written where it will stay if it is new
        for f in range(len(starts)):
            if f > 0:
                pool[end] = 0
                end += 1
            for at in range(starts[f, line], ends[f, line]):
                pool[end] = block[at]
                end += 1
        while end & 7:
            pool[end] = 0
            end += 1
        slot = find_slot(slots, offsets, words, n_ids, end >> 3, key)
        if slots[slot] < 0:
            slots[slot] = n_ids
            n_ids += 1
            offsets[n_ids] = end >> 3
        codes[line] = slots[slot]
    return codes, n_ids


@njit()
def find_slot(
    slots: NDArray[np.int32], offsets: NDArray[np.int64], words: Words, n_ids: int, last: int, key: Words
) -> np.int64:
    """Find the slot of the id in the words from `offsets[n_ids]` to before `last`: its own, or an empty one if it is new.

    The hash is SipHash-1-3 (Aumasson, Bernstein 2012): without the key, nobody can tell which ids will collide.
    """
    first = offsets[n_ids]
    a, b = key[0] ^ np.uint64(INITIAL[0]), key[1] ^ np.uint64(INITIAL[1])
    c, d = key[0] ^ np.uint64(INITIAL[2]), key[1] ^ np.uint64(INITIAL[3])
    for w in range(first, last):
        d ^= words[w]
        a, b, c, d = sip_round(a, b, c, d)
        a ^= words[w]
    c ^= np.uint64(0xFF)
    for _ in range(3):
        a, b, c, d = sip_round(a, b, c, d)
    mask = len(slots) - 1
    slot = np.int64((a ^ b ^ c ^ d) & np.uint64(mask))
    while slots[slot] >= 0:
        other = offsets[slots[slot]]
        same = offsets[slots[slot] + 1] - other == last - first
        for w in range(last - first):
            same = same and words[other + w] == words[first + w]
        if same:
            break
        slot = (slot + 1) & mask
    return slot


@njit()
def sip_round(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Mix the four words of the state of SipHash once."""
    a, c = a + b, c + d
    b, d = rotate(b, 13) ^ a, rotate(d, 16) ^ c
    a, c = rotate(a, 32) + d, c + b
    d, b = rotate(d, 21) ^ a, rotate(b, 17) ^ c
    return a, b, rotate(c, 32), d


@njit()
def rotate(x: np.uint64, n: int) -> np.uint64:
    """Rotate the 64 bits of x to the left by n places."""
    return (x << np.uint64(n)) | (x >> np.uint64(64 - n))
