"""From plays to values (README part D), as loops over the plays of one user of one song; a play is its time in seconds."""

from collections.abc import Sequence
from math import log


def plays(times: Sequence[int]) -> float:
    """(D1) The number of plays."""
    n = 0
    for _ in times:
        n += 1
    return n


def log1p(times: Sequence[int]) -> float:
    """(D2) The logarithm of one more than the number of plays."""
    return log(1 + plays(times))


def binary(times: Sequence[int]) -> float:
    """(D3) One for what was played at all."""
    for _ in times:
        return 1
    return 0


def stars_from_counts(times: Sequence[int]) -> float:
    """(D4) Three stars for one play, four for two to four, five for more."""
    n = plays(times)
    if n >= 5:
        return 5
    if n >= 2:
        return 4
    return 3


def stars_from_times(times: Sequence[int]) -> float:
    """(D5) Stars by the number of plays, and by how near to each other they are. `times` may come in any order."""
    n = plays(times)
    if n == 1:
        return 3
    if n > 10:
        return 5
    t = sorted(times)
    for j in range(n - 1):
        if t[j + 1] - t[j] < 24 * 60 * 60:
            return 5
    for j in range(n - 3):
        if t[j + 3] - t[j] <= 30 * 24 * 60 * 60:
            return 5
    return 4
