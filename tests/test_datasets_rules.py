"""From plays to values: against the loops of `acai.reference.data`, and by hand where a rule turns."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acai import InputError
from acai.datasets import rules
from acai.datasets.listening_log import ListeningLog
from acai.reference import data as loops

HOUR, DAY = 3600, 86400
# Times near each other on purpose: a few days or hours apart, so that the rules' edges are met
TIMES = st.lists(
    st.builds(lambda d, h, s: d * DAY + h * HOUR + s, st.integers(0, 95), st.integers(0, 23), st.integers(-1, 1))
)
PLAYS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), TIMES.map(lambda t: t[:14])), min_size=1, max_size=6
)


def log_of(plays):
    """A log of (user, song, time), in the order given."""
    users, songs = (sorted({play[axis] for play in plays}) for axis in (0, 1))
    user, song = (
        np.array([ids.index(play[axis]) for play in plays], np.int32) for axis, ids in ((0, users), (1, songs))
    )
    return ListeningLog(user, song, np.array([time for *_, time in plays], np.int64), users, songs)


@given(PLAYS, st.sampled_from([*rules.OF_COUNTS, "stars_from_times"]), st.randoms(use_true_random=False))
def test_a_log_becomes_what_the_loops_say(given_plays, rule, random):
    times = {}
    for user, song, some in given_plays:
        times.setdefault((user, song), []).extend(some)
    times = {pair: some for pair, some in times.items() if some}
    plays = [(user, song, time) for (user, song), some in times.items() for time in some]
    if not plays:
        return
    random.shuffle(plays)
    ratings = log_of(plays).to_ratings(rule)
    loop = getattr(loops, rule)
    assert {(u, i): value for u, i, value in ratings.triplets()} == {
        pair: np.float32(loop(t)) for pair, t in times.items()
    }
    assert ratings.times is None


@pytest.mark.parametrize(
    ("times", "stars"),
    [
        ([0], 3),
        ([0, DAY], 4),  # 24 hours apart is not less than 24 hours
        ([0, DAY - 1], 5),
        ([0, 2 * DAY, 4 * DAY, 30 * DAY], 5),  # four within 30 days to the second
        ([0, 2 * DAY, 4 * DAY, 30 * DAY + 1], 4),
        ([0, 40 * DAY, 42 * DAY, 44 * DAY, 46 * DAY], 5),  # the last window, which the original missed
        ([40 * DAY * j for j in range(10)], 4),
        ([40 * DAY * j for j in range(11)], 5),
    ],
)
def test_boundaries_of_the_rule_of_times(times, stars):
    assert log_of([("a", "x", time) for time in reversed(times)]).to_ratings("stars_from_times").csr.data.tolist() == [
        stars
    ]
    assert loops.stars_from_times(times) == stars


@pytest.mark.parametrize(("n", "stars"), [(1, 3), (2, 4), (4, 4), (5, 5), (500, 5)])
def test_boundaries_of_the_rule_of_counts(n, stars):
    assert rules.stars_from_counts(np.array([n])).tolist() == [stars]
    assert loops.stars_from_counts(range(n)) == stars


def test_adjacent_pairs_are_not_mixed_up():
    plays = [
        ("a", "x", 0),
        ("a", "x", 50 * DAY),
        ("a", "y", 50 * DAY + 1),
        ("b", "x", 50 * DAY + 2),
        ("b", "x", 90 * DAY),
    ]
    ratings = log_of(plays).to_ratings("stars_from_times")
    assert dict(((u, i), v) for u, i, v in ratings.triplets()) == {("a", "x"): 4, ("a", "y"): 3, ("b", "x"): 4}


@given(PLAYS, PLAYS)
def test_skips_count_against_plays_as_the_loops_say(some_plays, some_skips):
    every = {"plays": {}, "skips": {}}
    for kind, given_pairs in ("plays", some_plays), ("skips", some_skips):
        for user, song, times in given_pairs:
            every[kind].setdefault((user, song), []).extend(times)
    entries = {kind: [(*pair, t) for pair, times in pairs.items() for t in times] for kind, pairs in every.items()}
    both = log_of(entries["plays"] + entries["skips"])
    if not both.n_plays:
        return
    is_play = np.arange(both.n_plays) < len(entries["plays"])
    log = replace(both.keep(is_play), skips=both.keep(~is_play))
    expected = {
        pair: np.float32(loops.plays_and_skips(every["plays"].get(pair, []), every["skips"].get(pair, [])))
        for pair in every["plays"].keys() | every["skips"].keys() if every["plays"].get(pair) or every["skips"].get(pair)
    }
    assert {(u, i): value for u, i, value in log.to_ratings("plays_and_skips").triplets()} == expected


@pytest.mark.parametrize(("n", "s", "value"), [(0, 0, 0), (3, 3, 0), (1, 0, np.log(2)), (0, 1, -np.log(2)), (5, 2, np.log(2))])
def test_boundaries_of_the_rule_of_skips(n, s, value):
    assert rules.plays_and_skips(np.array([n]), np.array([s]))[0] == pytest.approx(value)
    assert loops.plays_and_skips(range(n), range(s)) == pytest.approx(value)


def test_without_skips_the_rule_of_skips_is_the_logarithm():
    log = log_of([("a", "x", 0), ("a", "x", 9), ("b", "y", 3)])
    np.testing.assert_array_equal(log.to_ratings("plays_and_skips").csr.toarray(), log.to_ratings("log1p").csr.toarray())


def test_an_unknown_rule_says_which_exist():
    with pytest.raises(
        InputError, match="no rule 'stars'; there is: plays, log1p, binary, stars_from_counts, stars_from_times"
    ):
        log_of([("a", "x", 0)]).to_ratings("stars")


@given(st.lists(st.integers(0, 20), min_size=2, max_size=30), st.floats(0.05, 0.95))
def test_the_log_is_split_by_time(times, share):
    log = log_of([("a", f"x{j}", time) for j, time in enumerate(times)])
    n_test = max(round(share * len(times)), 1)
    moment = sorted(times)[-n_test]
    if moment == min(times):
        with pytest.raises(InputError, match="leaves none to train on"):
            log.split_by_time(share)
        return
    train, test = log.split_by_time(share)
    assert sorted([*train.times, *test.times]) == sorted(times)
    assert max(train.times) < moment == min(test.times)
    assert test.n_plays >= n_test
    assert train.songs == test.songs == log.songs


def test_the_picture_of_the_rules_shows_what_they_do():
    from matplotlib import pyplot as plt

    from acai import plots

    log = log_of([("a", "x", 0), ("b", "x", 0), ("a", "y", 0), ("a", "y", 9 * DAY)])
    figure = plots.rules(log)
    points = [panel.collections[0].get_offsets().data.tolist() for panel in figure.axes]
    expected = [[1, 1], [2, 2]], [[1, np.log1p(1)], [2, np.log1p(2)]], [[1, 1], [2, 1]], [[1, 3], [2, 4]], [[1, 3], [2, 4]]
    assert all(np.allclose(found, true) for found, true in zip(points, expected, strict=True))
    assert [panel.get_title() for panel in figure.axes][3] == "stars_from_counts (D4)"
    plt.close(figure)
