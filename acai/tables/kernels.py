"""The inner loops of reading: a block of bytes → fields → numbers. Each one is a plain pass over the lines.

They are compiled when a first file is read, never in parallel, and cached. Field f of a line is
`block[starts[f, line] : ends[f, line]]`.
"""

import numpy as np

from acai.compiling import njit

Array = np.ndarray
POINT, ZERO = b".0"
FORM = np.frombuffer(b"0000-00-00T00:00:00Z", dtype=np.uint8)  # of a time; 0 stands for any digit
INITIAL = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)  # of SipHash


@njit()
def decimals(block: Array, starts: Array, ends: Array) -> Array:
    """Numbers without sign or exponent, up to 15 digits, read exactly as `float` reads them; NaN for anything else."""
    numbers = np.full(len(starts), np.nan)
    for line in range(len(starts)):
        digits, n_digits, n_decimals, n_points = 0, 0, 0, 0
        for at in range(starts[line], ends[line]):
            digit = np.int64(block[at]) - ZERO
            if 0 <= digit <= 9:
                digits = 10 * digits + digit
                n_digits += 1
                n_decimals += n_points
            else:
                n_points += 1 if block[at] == POINT else 2
        if 1 <= n_digits <= 15 and n_points <= 1:
            numbers[line] = digits / 10.0**n_decimals  # both exact in float64, so that the quotient is rounded once
    return numbers


@njit()
def clock(block: Array, starts: Array, ends: Array) -> Array:
    """Year, month, day, hour, minute and second of times of the FORM; year −1 for anything else."""
    parts = np.zeros((6, len(starts)), dtype=np.int64)
    for line in range(len(starts)):
        fine, p = ends[line] - starts[line] == len(FORM), 0
        for at in range(len(FORM) if fine else 0):
            digit = np.int64(block[starts[line] + at]) - ZERO
            if FORM[at] == ZERO:
                fine = fine and 0 <= digit <= 9
                parts[p, line] = 10 * parts[p, line] + digit
            else:
                fine = fine and digit == np.int64(FORM[at]) - ZERO
                p += 1
        if not fine:
            parts[0, line] = -1
    return parts


@njit()
def sip_round(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One round of SipHash (Aumasson, Bernstein 2012): without the key, nobody can tell which ids will collide."""
    a, c = a + b, c + d
    b, d = rotate(b, 13) ^ a, rotate(d, 16) ^ c
    a, c = rotate(a, 32) + d, c + b
    d, b = rotate(d, 21) ^ a, rotate(b, 17) ^ c
    return a, b, rotate(c, 32), d


@njit()
def rotate(x: np.uint64, n: int) -> np.uint64:
    """The 64 bits of x, moved to the left by n places, those that fall off put back on the right."""
    return (x << np.uint64(n)) | (x >> np.uint64(64 - n))


@njit()
def intern(
    block: Array, starts: Array, ends: Array, fault: Array, slots: Array, key: Array, pool: Array, offsets: Array, n_ids: int
) -> tuple[Array, int]:
    """The number of the id on each line, in order of appearance, and how many ids there are now; not of lines with a fault.

    An id is some fields of a line, with a zero between two, and zeros behind up to a whole word of 8 bytes. Id number c
    is the words of `pool` from `offsets[c]` to `offsets[c + 1]`; the numbers are in `slots`, a hash table with open
    addressing; its hash is SipHash-1-3 with a secret `key` of two words.
    """
    words, mask = pool.view(np.uint64), np.uint64(len(slots) - 1)
    k0, k1 = key[0], key[1]
    codes = np.zeros(starts.shape[1], dtype=np.int32)
    for line in range(len(codes)):
        if fault[line]:
            continue
        first = offsets[n_ids]
        end = 8 * first  # an id is written where it will stay if it is new
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
        n_words = (end >> 3) - first
        a, b = k0 ^ np.uint64(INITIAL[0]), k1 ^ np.uint64(INITIAL[1])
        c, d = k0 ^ np.uint64(INITIAL[2]), k1 ^ np.uint64(INITIAL[3])
        for w in range(first, first + n_words):
            d ^= words[w]
            a, b, c, d = sip_round(a, b, c, d)
            a ^= words[w]
        c ^= np.uint64(0xFF)
        for _ in range(3):
            a, b, c, d = sip_round(a, b, c, d)
        h = a ^ b ^ c ^ d
        slot = np.int64(h & mask)
        while slots[slot] >= 0:
            other = offsets[slots[slot]]
            same = offsets[slots[slot] + 1] - other == n_words
            for w in range(n_words):
                same = same and words[other + w] == words[first + w]
            if same:
                break
            slot = (slot + 1) & np.int64(mask)
        if slots[slot] < 0:
            slots[slot] = n_ids
            n_ids += 1
            offsets[n_ids] = end >> 3
        codes[line] = slots[slot]
    return codes, n_ids
