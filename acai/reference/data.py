"""From plays to values (README part D), for one user's plays of one song; a play is its time in seconds."""

from collections.abc import Sequence
from math import log

DAY = 24 * 60 * 60


def plays(times: Sequence[int]) -> int:
    """(D1) The number of plays."""
    return len(times)


def log1p(times: Sequence[int]) -> float:
    """(D2) The logarithm of one more than the number of plays."""
    return log(1 + plays(times))


def binary(times: Sequence[int]) -> float:
    """(D3) One if the song was played at all."""
    return 1 if len(times) > 0 else 0


def stars_from_counts(times: Sequence[int]) -> float:
    """(D4) Three stars for one play, four for two to four, five for more."""
    n = plays(times)
    return 3 + (n >= 2) + (n >= 5)


def stars_from_times(times: Sequence[int]) -> float:
    """(D5) Stars by the number of plays, and by how close together they are. `times` may be in any order."""
    n = plays(times)
    t = sorted(times)
    if n == 1:
        return 3
    two_in_a_day = any(t[j + 1] - t[j] < DAY for j in range(n - 1))  # (D5)
    four_in_a_month = any(t[j + 3] - t[j] <= 30 * DAY for j in range(n - 3))  # (D5)
    return 5 if n > 10 or two_in_a_day or four_in_a_month else 4  # (D5)


def plays_and_skips(times: Sequence[int], skips: Sequence[int]) -> float:
    """(D6) The logarithm of the plays, less that of the skips; each is one more than there are."""
    return log(1 + plays(times)) - log(1 + plays(skips))
