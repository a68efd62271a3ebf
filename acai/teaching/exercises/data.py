"""The exercises of notebook 01: from a listening log to R."""

import numpy as np

from acai.datasets.rules import DAY
from acai.reference.data import stars_from_times
from acai.teaching.exercises import task
from acai.teaching.exercises.judging import asked, judge


@task("01-long-tail", 5)
def long_tail(answer: object) -> None:
    """The share of all plays that the most played songs have.

    How many songs are the head? `round(head * len(plays))`.
    Which are they? Sort the plays; `np.sort` goes upwards, so the most played stand at the end.
    Add up the head's plays and divide by the sum of all.
    """
    rng = np.random.default_rng(2)
    for n, head in ((20, 0.1), (50, 0.2), (40, 0.05), (28, 0.1)):
        plays = rng.permutation(np.round(1000 / np.arange(1, n + 1)))
        top, total, up = round(head * n), plays.sum(), np.sort(plays)
        judge(asked(answer, plays, head), up[-top:].sum() / total, {
            "the head is `round(head * n)` songs; `int` cuts off what is behind the point, and 2.8 songs become 2.":
                up[n - int(head * n) :].sum() / total,
            "you took the songs as they come. Sort them first: the head is the most played.": plays[:top].sum() / total,
            "you took the least played. `np.sort` goes upwards, so the head is at its end.": up[:top].sum() / total,
            "that is a percentage; a share lies between 0 and 1.": 100 * up[-top:].sum() / total,
            "that is the number of plays of the head. Divide by all plays.": up[-top:].sum(),
            "that is the share of the tail; 1 minus it is asked for.": up[:-top].sum() / total,
            "that is the mean of the head's plays, over all plays: add them up.": up[-top:].mean() / total,
        }, f"{n} songs and a head of {head:.0%}")  # fmt: skip


@task("01-counts", 10)
def counts(answer: object) -> None:
    """From a log to the matrix of play counts (D1).

    Begin with `np.zeros((m, n))`. For every play, one number in it must grow by one: which?
    A loop over `zip(users, songs)` is all right. If it is to be fast, look up `np.add.at`.
    `N[users, songs] += 1` looks right and is not: of a pair that occurs twice, NumPy adds only one.
    """
    rng = np.random.default_rng(1)
    for m, n in ((5, 5), (4, 7), (9, 3)):
        users, songs = rng.integers(0, m, 40), rng.integers(0, n, 40)
        plays = np.zeros((m, n))
        np.add.at(plays, (users, songs), 1)
        judge(asked(answer, users, songs, m, n), plays, {
            "nobody plays a song more than once, you say: `N[users, songs] += 1` adds only one to a pair, however often it "
            "stands in the log. Loop over the plays, or use `np.add.at`.": plays > 0,
            "users and songs are exchanged: users go downwards, songs to the right.": plays.T,
            "these are the shares of all plays. The number of plays is asked for.": plays / plays.sum(),
            "nothing has been counted: all of it is 0.": 0 * plays,
        }, f"40 plays by {m} users of {n} songs")  # fmt: skip


@task("01-stars", 5)
def stars(answer: object) -> None:
    """Stars from counts (D4).

    Three cases: five plays or more, two or more, and the rest.
    `np.where(condition, a, b)` chooses entry by entry, and b may be another `np.where`.
    """
    n = np.array([1.0, 2, 3, 4, 5, 6, 10, 1, 100])
    judge(asked(answer, n), np.select([n >= 5, n >= 2], [5, 4], 3), {
        "five plays are worth 5 stars already: n ≥ 5.": np.select([n > 5, n >= 2], [5, 4], 3),
        "two plays are worth 4 stars already: n ≥ 2.": np.select([n >= 5, n > 2], [5, 4], 3),
        "both borders are one too high: n ≥ 5 and n ≥ 2.": np.select([n > 5, n > 2], [5, 4], 3),
        "every song with two plays or more gets 4: the second condition overwrites the first.": np.select([n >= 2], [4], 3),
        "every play is a star, up to five. (D4) never gives less than 3.": np.minimum(n, 5),
    }, "n = [1 2 3 4 5 6 10 1 100]")  # fmt: skip


@task("01-stars-by-time", 30)
def stars_by_time(answer: object) -> None:
    """Stars from the times of plays (D5).

    Do the easy cases first: one play, and more than ten. `np.diff(times)` gives the waits between plays.
    Less than a day apart: is any wait below 24 · 60 · 60 seconds?
    Four plays within 30 days: from which play to which is that? `times[3:] - times[:-3]` has every such span.
    Try it on four plays whose last three are close together, and on three plays whose last two are: is the end looked at?
    """
    rng = np.random.default_rng(3)
    days = [np.cumsum(rng.exponential(wait, n)) for n in range(1, 13) for wait in (1.5, 12, 12, 40)]
    days += [np.array(d) for d in ([0, 1], [0, 40, 40.5], [0, 0.5, 40], [0, 9, 18, 30], [0, 50, 59, 68, 77], [0, 8, 16, 24, 90])]
    days += [20.0 * np.arange(10)]
    cases = [(DAY * d).astype(np.int64) for d in days]
    n_plays = np.array([len(t) for t in cases])
    soon = lambda less=np.less, end=None: np.array([less(np.diff(t), DAY)[:end].any() for t in cases])
    spans = lambda t, n: t[n - 1 :] - t[: max(0, len(t) - n + 1)]
    within = lambda n=4, end=None: np.array([(spans(t, n) <= 30 * DAY)[:end].any() for t in cases])
    rule = lambda eager, many=10: np.select([n_plays == 1, (n_plays > many) | eager], [3, 5], 4)
    too_soon = "you stop too soon: {} never looked at. (The original of this program made the same mistake.)"
    judge([asked(answer, times) for times in cases], [stars_from_times(times) for times in cases], {
        too_soon.format("the last play is"): rule(soon(end=-1) | within(end=-1)),
        too_soon.format("the last four plays are, as four,"): rule(soon() | within(end=-1)),
        too_soon.format("the last wait, between the last two plays, is"): rule(soon(end=-1) | within()),
        "ten plays are not more than ten.": rule(soon() | within(), 9),
        "you never ask whether two plays in a row are less than a day apart.": rule(within()),
        "you never ask whether four plays lie within 30 days.": rule(soon()),
        "*four* plays within 30 days: from the first to the fourth, `times[3:] - times[:-3]`. You took three.":
            rule(soon() | within(3)),
        "*four* plays within 30 days: from the first to the fourth, `times[3:] - times[:-3]`. You took five.":
            rule(soon() | within(5)),
        "more than ten plays are 5 stars, however far apart.": rule(soon() | within(), np.inf),
        "exactly a day apart is not less than a day.": rule(soon(np.less_equal) | within()),
    }, [f"plays on the days {d.round(1)}" for d in days])  # fmt: skip
