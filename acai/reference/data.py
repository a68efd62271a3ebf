"""From plays to values (README part D), for one user's plays of one song; a play is its time in seconds."""

from collections.abc import Sequence
from math import log

DAY = 24 * 60 * 60


def plays(times: Sequence[int]) -> int:
    """(D1) The number of plays."""
    return len(times)  # (D1)


def log1p(times: Sequence[int]) -> float:
    """(D2) The logarithm of one more than the number of plays."""
    return log(1 + plays(times))  # (D2)


def binary(times: Sequence[int]) -> float:
    """(D3) One if the song was played at all."""
    return min(plays(times), 1)  # (D3)


def stars_from_counts(times: Sequence[int]) -> float:
    """(D4) Three stars for one play, four for two to four, five for more."""
    n = plays(times)
    return 5 if n >= 5 else 4 if n >= 2 else 3  # (D4)


def stars_from_times(times: Sequence[int]) -> float:
    """(D5) Stars by the number of plays, and by how close together they are. `times` may be in any order."""
    n = plays(times)
    t = sorted(times)
    two_in_a_day = any(t[j + 1] - t[j] < DAY for j in range(n - 1))  # (D5)
    four_in_a_month = any(t[j + 3] - t[j] <= 30 * DAY for j in range(n - 3))  # (D5)
    return 3 if n == 1 else 5 if n > 10 or two_in_a_day or four_in_a_month else 4  # (D5)


def plays_and_skips(times: Sequence[int], skips: Sequence[int]) -> float:
    """(D6) The logarithm of the plays, less that of the skips; each is one more than there are."""
    return log(1 + plays(times)) - log(1 + plays(skips))  # (D6)
