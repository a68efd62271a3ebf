"""Timing two sides fairly: in one process, in turns, with a pause before each turn; medians."""

import math
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

from acai.bench.row import Contest

PAUSE = 0.015  # seconds: the other side's threads may still spin for a few milliseconds, on a core that this side needs
SHORTEST = 0.05  # seconds that a turn takes: quick work is repeated until it does
BUDGET = 20.0  # seconds for one row; slow rows take longer, for they have `LEAST` turns, too
LEAST, MOST = 3, 15  # turns


class Times(NamedTuple):
    """Medians of all turns, in seconds, and the median of the turns' ratios; None without a second side."""

    ours: float
    theirs: float | None
    ratio: float | None
    n_turns: int


def take_turns(contest: Contest) -> Times:
    """Let both sides work in turns. A ratio of two times of one turn suffers least from what else the machine does."""
    sides = [side for side in (contest.ours, contest.theirs) if side is not None]
    began = time.perf_counter()
    first = [_seconds(side, 1, contest.clock) for side in sides]
    repeats = [max(1, math.ceil(SHORTEST / max(seconds, 1e-6))) for seconds in first]
    turns = [first] if repeats == [1] * len(sides) else []
    while len(turns) < MOST and not _is_enough(len(turns), time.perf_counter() - began):
        turns.append([_seconds(side, n, contest.clock) for side, n in zip(sides, repeats)])
    medians = [statistics.median(times) * contest.scale for times in zip(*turns)]
    if contest.theirs is None:
        return Times(medians[0], None, None, len(turns))
    return Times(medians[0], medians[1], statistics.median(a / b for a, b in turns), len(turns))


def _is_enough(n_turns: int, elapsed: float) -> bool:
    """Whether the budget is used up; a turn that takes all of it is the only one."""
    return elapsed > BUDGET and n_turns > 0 and (n_turns >= LEAST or elapsed > n_turns * BUDGET)


def _seconds(side: Callable[[], object], n: int, clock: Callable[[], float]) -> float:
    time.sleep(PAUSE)
    started = clock()
    for _ in range(n):
        side()
    return (clock() - started) / n
