"""Random changes to bytes: what bad disks, broken copies and hostile people do to a file."""

from collections.abc import Sequence

import numpy as np

WORDS = (  # what a reader may stumble over
    b"", b"\0", b"\n", b"\r\n", b"\r", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xe2\x80\xa8", b"::", b"<SEP>", b"|", b",",
    b";", b" ", b'"', b"'", b"{", b"}", b"[", b"[" * 3000, b"-1", b"0", b"1e400", b"-0", b"nan", b"inf", b"1e-320", b"9" * 30,
    b"9223372036854775807", b"4294967296", b"3.5", b"1e9", b"x" * 5000, b"null", b"true", b"\\u0000", b"\x1b[31m", b"#",
    b"2009-02-30T25:61:61Z", b"9999-99-99T99:99:99Z", "１２".encode(), "é".encode("latin-1"), b"../../etc", b"\x1f\x8b", b"PK\3\4",
)


def damaged(raw: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one fault of the kind that disks and copies have; never the same as before."""
    while True:
        changed = _damaged_once(raw, rng)
        if changed != raw:
            return changed


def _damaged_once(raw: bytes, rng: np.random.Generator) -> bytes:
    n = len(raw)
    if n == 0:
        return rng.bytes(int(rng.integers(1, 64)))
    a, b = sorted(rng.integers(0, n + 1, 2).tolist())
    length = min(int(2 ** rng.uniform(0, 12)), n)
    start = int(rng.integers(0, n - length + 1))
    other = int(rng.integers(0, n - length + 1))
    kind = rng.integers(0, 9)
    if kind <= 2:  # one to eight bits
        changed = bytearray(raw)
        for bit in rng.integers(0, 8 * n, 1 if kind < 2 else int(rng.integers(2, 9))).tolist():
            changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)
    if kind == 3:
        return raw[:a]
    if kind == 4:
        return raw[:start] + bytes(length) + raw[start + length :]
    if kind == 5:  # two blocks change places
        first, second = sorted((start, other))
        if first + length > second:
            return raw[:a] + raw[b:]
        one, two = raw[first : first + length], raw[second : second + length]
        return raw[:first] + two + raw[first + length : second] + one + raw[second + length :]
    if kind == 6:
        return raw[:a] + rng.bytes(length) + raw[a:]
    if kind == 7:
        return raw[:start] + rng.bytes(length) + raw[start + length :]
    return raw[:start] + raw[other : other + length] + raw[start:]


def flipped(raw: bytes, bit: int) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def hostile(raw: bytes, rng: np.random.Generator, words: Sequence[bytes] = WORDS) -> bytes:
    """The bytes with one to four changes: faults as above, words that a reader may stumble over, lines that come twice."""
    for _ in range(int(rng.integers(1, 5))):
        kind, a = rng.integers(0, 6), int(rng.integers(0, len(raw) + 1))
        word = words[int(rng.integers(len(words)))]
        if kind == 0:
            raw = damaged(raw, rng)
        elif kind == 1:
            raw = raw[:a] + word + raw[a:]
        elif kind == 2:
            raw = raw[:a] + word + raw[a + int(rng.integers(1, 12)) :]
        else:
            raw = _with_other_lines(raw, word, kind, rng)
    return raw


def _with_other_lines(raw: bytes, word: bytes, kind: int, rng: np.random.Generator) -> bytes:
    """A line twice, a line less, or a field replaced by a word."""
    lines = raw.split(b"\n")
    line = int(rng.integers(len(lines)))
    if kind == 3:
        lines.insert(int(rng.integers(len(lines) + 1)), lines[line])
    elif kind == 4:
        del lines[line]
    else:
        for separator in (b"\t", b"::", b"<SEP>", b"|", b","):
            if separator in lines[line]:
                fields = lines[line].split(separator)
                fields[int(rng.integers(len(fields)))] = word
                lines[line] = separator.join(fields)
                break
    return b"\n".join(lines)
