"""From plays to values (README, part D): one function for each rule.

The two rules for stars are those of the original (OpenMRS, 2016), with two bugs fixed: its loop missed the last window of
plays, and it read the times as local times. Neither gives less than 3 stars, so a model of such stars learns little about
dislike.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.number[Any]]

DAY = 24 * 60 * 60  # seconds
MONTH = 30 * DAY


def plays(n: Values) -> Values:
    """(D1) The number of plays n, as it is."""
    return n  # (D1)


def log1p(n: Values) -> Values:
    """(D2) log(1 + n): the hundredth play says less than the second."""
    value: Values = np.log1p(n, dtype=np.float64)  # (D2)
    return value


def binary(n: Values) -> Values:
    """(D3) 1 for what was played at all, 0 for a count of 0."""
    n = np.ceil(n)  # a mean of plays may lie between 0 and 1, and counts as played
    value: Values = np.minimum(n, 1)  # (D3)
    return value


def stars_from_counts(n: Values) -> Values:
    """(D4) 3 for one play, 4 for two to four, 5 for five and more (OpenMRS 2016, for the Taste Profile).

    Parameters
    ----------
    n : array
        Numbers of plays, from 1 up.
    """
    return np.select([n >= 5, n >= 2], [5.0, 4.0], 3.0)  # (D4)


def stars_from_times(times: NDArray[np.int64], first: NDArray[np.int64]) -> Values:
    """(D5) Stars for each pair of user and song, by the number of plays and how close together they are.

    Parameters
    ----------
    times : array of int64, shape (n_plays,)
        Seconds; the plays of a pair are next to each other, in ascending order.
    first : array of int, shape (n_pairs,)
        Where the plays of each pair begin.

    Returns
    -------
    array of float, shape (n_pairs,)
        3 for one play, 5 for more than ten; between these 5 if two consecutive plays are less than 24 hours apart or
        four lie within 30 days, else 4 (OpenMRS 2016, for Last.fm 1K).
    """
    n = np.diff(np.append(first, len(times)))  # (pairs,)
    pair = np.repeat(np.arange(len(first)), n)  # (plays,)
    soon = pair[1:][(pair[1:] == pair[:-1]) & (times[1:] - times[:-1] < DAY)]  # (D5)
    often = pair[3:][(pair[3:] == pair[:-3]) & (times[3:] - times[:-3] <= MONTH)]  # (D5)
    eager = np.zeros(len(first), dtype=bool)
    eager[soon] = eager[often] = True
    return np.select([(n > 10) | eager, n > 1], [5.0, 4.0], 3.0)  # (D5)


def plays_and_skips(n: Values, s: Values) -> Values:
    """(D6) The logarithm of plays over skips: below 0 where a song was abandoned more often than it was played.

    Parameters
    ----------
    n, s : array
        Numbers of plays and of skips. Without skips, this is (D2).
    """
    value: Values = np.log1p(n, dtype=np.float64) - np.log1p(s, dtype=np.float64)  # (D6)
    return value


OF_COUNTS: dict[str, Callable[[Values], Values]] = {rule.__name__: rule for rule in (plays, log1p, binary, stars_from_counts)}
