"""Ratings: against dicts, the plainest matrix there is, and against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from acai import InputError, Ratings

IDS = st.one_of(st.integers(-5, 5), st.text("abü", max_size=2), st.tuples(st.sampled_from("xy"), st.integers(0, 2)))
VALUES = st.integers(0, 9).map(float)
TRIPLETS = st.lists(st.tuples(IDS, IDS, VALUES), min_size=1, max_size=30)
PAIRS = st.dictionaries(st.tuples(IDS, IDS), VALUES, min_size=1, max_size=30)


def build(triplets, **options):
    users, songs, values = zip(*triplets)
    return Ratings.from_triplets(users, songs, values, **options)


def as_dict(ratings):
    return {(user, song): value for user, song, value in ratings.triplets()}


def from_pairs(pairs):
    return build([(user, song, value) for (user, song), value in pairs.items()])


@given(PAIRS)
def test_holds_what_it_was_given(pairs):
    ratings = from_pairs(pairs)
    assert as_dict(ratings) == pairs
    assert ratings.n_ratings == len(pairs)
    assert ratings.users == tuple(dict.fromkeys(user for user, _ in pairs))  # in order of appearance
    assert ratings.songs == tuple(dict.fromkeys(song for _, song in pairs))
    assert ratings.density == len(pairs) / (ratings.n_users * ratings.n_songs)
    assert all(ratings.users[ratings.row(user)] == user for user in ratings.users)
    assert all(ratings.songs[ratings.column(song)] == song for song in ratings.songs)


@given(PAIRS)
def test_the_matrix_is_scipys(pairs):
    ratings = from_pairs(pairs)
    rows = [ratings.row(user) for user, _ in pairs]
    columns = [ratings.column(song) for _, song in pairs]
    R = sparse.coo_array((list(pairs.values()), (rows, columns)), shape=ratings.csr.shape)
    assert np.array_equal(ratings.csr.toarray(), R.toarray())
    assert np.array_equal(ratings.csc.toarray(), R.toarray())
    assert ratings.csr.has_sorted_indices and ratings.csc.has_sorted_indices
    assert (ratings.csr.data.dtype, ratings.csr.indices.dtype) == (np.float32, np.int32)
    assert (ratings.csc.data.dtype, ratings.csc.indices.dtype) == (np.float32, np.int32)
    assert np.array_equal(ratings.user_codes, R.tocsr().tocoo().row)


WAYS = {
    "sum": sum,
    "max": max,
    "min": min,
    "mean": lambda v: np.float32(sum(v) / len(v)),
    "first": lambda v: v[0],
    "last": lambda v: v[-1],
}


@given(TRIPLETS, st.sampled_from(sorted(WAYS)))
def test_repeated_pairs_are_combined_as_asked(triplets, combine):
    given_values = {}
    for user, song, value in triplets:
        given_values.setdefault((user, song), []).append(value)
    assert as_dict(build(triplets, combine=combine)) == {pair: WAYS[combine](v) for pair, v in given_values.items()}


@given(TRIPLETS)
def test_a_repeated_pair_is_an_error_unless_combined(triplets):
    if len({(user, song) for user, song, _ in triplets}) == len(triplets):
        build(triplets)
    else:
        with pytest.raises(InputError, match=r"more than one value for song .* say how to combine them"):
            build(triplets)


def test_columns_of_any_kind():
    expected = {("ann", 3): 1.0, ("bob", 4): 2.0}
    assert as_dict(Ratings.from_triplets(["ann", "bob"], [3, 4], [1, 2])) == expected
    assert as_dict(Ratings.from_triplets(np.array(["ann", "bob"]), np.array([3, 4]), np.array([1, 2]))) == expected
    assert as_dict(Ratings.from_triplets(iter(["ann", "bob"]), (i for i in (3, 4)), iter([1, 2]))) == expected
    pandas = pytest.importorskip("pandas", reason="compares with data-frame columns")
    frame = pandas.DataFrame({"u": ["ann", "bob"], "i": [3, 4], "r": [1, 2]})
    ratings = Ratings.from_triplets(frame.u, frame.i, frame.r)
    assert as_dict(ratings) == expected
    assert type(ratings.songs[0]) is int


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((["a"], ["x", "y"], [1, 2]), "equally long; they have 1, 2 and 2 entries"),
        (([], [], []), "not one rating"),
        ((["a", "b"], ["x", "y"], [1, float("nan")]), r"value nan of user 'b' for song 'y' \(entry 1\)"),
        ((["a"], ["x"], [float("inf")]), "is not a finite number"),
        ((["a"], [["x"]], [1]), r"\['x'\] cannot be an id"),
        ((["a"], ["x"], ["many"]), "values must be numbers"),
    ],
)
def test_bad_columns_fail_at_the_door(columns, message):
    with pytest.raises(InputError, match=message):
        Ratings.from_triplets(*columns)


def test_unknown_names_say_which_exist():
    ratings = build([(42, "Blackbird", 1), (43, "Yesterday", 2)])
    with pytest.raises(InputError, match="no song 'Blackbrid'; there is: Blackbird"):
        ratings.column("Blackbrid")
    with pytest.raises(InputError, match=r"ids here are of type int; '42' is a str"):
        ratings.row("42")
    with pytest.raises(InputError, match="no way to combine 'avg'"):
        build([(1, 1, 1)], combine="avg")


@given(PAIRS.filter(lambda pairs: len(pairs) > 1), st.floats(0.01, 0.99), st.integers(0, 3))
def test_split_parts_the_entries(pairs, test, seed):
    ratings = from_pairs(pairs)
    n_test = round(test * len(pairs))
    if n_test in (0, len(pairs)):
        with pytest.raises(InputError, match="leaves one side empty"):
            ratings.split(test, seed)
        return
    train, held_out = ratings.split(test, seed)
    assert as_dict(train) | as_dict(held_out) == pairs
    assert (train.n_ratings, held_out.n_ratings) == (len(pairs) - n_test, n_test)
    assert train.users == held_out.users == ratings.users and train.songs == held_out.songs == ratings.songs
    again, _ = ratings.split(test, seed)
    assert as_dict(again) == as_dict(train)


@given(PAIRS.filter(lambda pairs: len(pairs) > 1), st.data())
def test_every_entry_is_tested_in_one_fold(pairs, data):
    n = data.draw(st.integers(2, len(pairs)))
    tested = {}
    for train, test in from_pairs(pairs).folds(n, seed=1):
        assert as_dict(train) | as_dict(test) == pairs
        assert test.n_ratings in (len(pairs) // n, -(-len(pairs) // n))
        tested |= as_dict(test)
    assert tested == pairs


@given(PAIRS)
def test_song_split_holds_songs_out_whole(pairs):
    ratings = from_pairs(pairs)
    if ratings.n_songs < 3:
        return
    train, test = ratings.split_songs(0.4, seed=2)
    assert as_dict(train) | as_dict(test) == pairs
    assert not {song for _, song in as_dict(train)} & {song for _, song in as_dict(test)}
    n_test = round(0.4 * ratings.n_songs)
    assert len({song for _, song in as_dict(test)}) == n_test  # every song of this matrix has an entry


def test_map_changes_the_values_alone():
    ratings = build([("a", "x", 0), ("b", "y", 3)])
    assert as_dict(ratings.map(np.log1p)) == {("a", "x"): 0, ("b", "y"): np.log1p(np.float32(3))}
    assert as_dict(ratings) == {("a", "x"): 0, ("b", "y"): 3}


def test_a_zero_is_known():
    ratings = build([("a", "x", 0), ("b", "y", 3)])
    train, test = ratings.split(0.5)
    assert train.n_ratings == test.n_ratings == 1
