"""Ratings: against dicts, the plainest matrix there is, and against SciPy."""

import difflib
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from forgery import forge
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from acai import InputError, Ratings
from acai.errors import place_of

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
def test_contains_what_it_was_given(pairs):
    ratings = from_pairs(pairs)
    assert as_dict(ratings) == pairs
    assert ratings.n_ratings == len(pairs)
    assert ratings.users == tuple(dict.fromkeys(user for user, _ in pairs))  # in order of appearance
    assert ratings.songs == tuple(dict.fromkeys(song for _, song in pairs))
    assert ratings.density == len(pairs) / (ratings.n_users * ratings.n_songs)
    assert all(ratings.users[ratings.row(user)] == user for user in ratings.users)
    assert all(ratings.songs[ratings.column(song)] == song for song in ratings.songs)


@given(PAIRS)
def test_the_matrix_equals_scipys(pairs):
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
    "count": len,
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
        (([], [], []), "there is no rating"),
        ((["a", "b"], ["x", "y"], [1, float("nan")]), r"value nan of user 'b' for song 'y' \(entry 1\)"),
        ((["a"], ["x"], [float("inf")]), "is not a finite number"),
        ((["a", "b"], ["x", "x"], [1, -2**104]), r"value -2.028\d*e\+31 of user 'b' .*not a finite number of at most ±1e\+31"),
        ((["a"], [["x"]], [1]), r"\['x'\] cannot be an id"),
        ((["a"], ["x"], ["many"]), "values must be numbers"),
    ],
)
def test_bad_columns_are_refused(columns, message):
    with pytest.raises(InputError, match=message):
        Ratings.from_triplets(*columns)


LOSSY_VALUES = {
    "complex": (np.array([1 + 2j, 3]), r"found complex numbers, as in .*1\+2j"),
    "complex without an imaginary part": ([1 + 0j, 3], "found complex numbers"),
    "a complex object": (np.array([1j, 3], dtype=object), "values must be numbers"),
    "text": (["3", "4"], "found text, as in .*'3'"),
    "text objects": (np.array(["3", 4], dtype=object), "found other objects, as in '3'"),
    "bytes": ([b"3", b"4"], "found bytes"),
    "dates": (np.array(["2020-01-01"] * 2, "datetime64[D]"), "found dates"),
    "durations": (np.array([1, 2], "timedelta64[s]"), "found durations"),
    "a gap": ([3, None], "value nan of user 'b' for song 'y' .* is not a finite number"),
    "masked": (np.ma.array([1.0, 2.0], mask=[0, 1]), "found masked ones"),
    "a table": ([[1], [2]], r"in one column; found an array of shape \(2, 1\)"),
    "ragged": ([[1], [2, 3]], "values must be numbers"),
    "too large": ([1e39, 1], r"numbers up to 3.4e\+38; found .*1e\+39"),
    "an integer without an end": ([10**400, 1], "values must be numbers"),
    "records": (np.zeros(2, "i4,i4"), "found other objects"),
    "one number": (3, "values must be numbers"),
}
LOSSY_TIMES = {
    "fractions": [1.5, 2], "NaN": [np.nan, 2], "text": ["1", "2"], "complex": [1j, 2], "not a time": np.array(["NaT"] * 2, "M8[s]"),
    "beyond int64": np.array([2**63, 1], np.uint64), "a huge float": [1e300, 1], "beyond what floats can count": [2**60, 1.0],
}


@pytest.mark.parametrize("what", LOSSY_VALUES)
def test_values_that_a_cast_would_change_are_refused(what):
    values, message = LOSSY_VALUES[what]
    with pytest.raises(InputError, match=message):
        Ratings.from_triplets(["a", "b"], ["x", "y"], values)


@pytest.mark.parametrize("what", LOSSY_TIMES)
def test_times_that_a_cast_would_change_are_refused(what):
    with pytest.raises(InputError, match="times must be whole seconds since 1970, or datetime64 without gaps; found"):
        Ratings.from_triplets(["a", "b"], ["x", "y"], [1, 2], times=LOSSY_TIMES[what])


ONE_AND_ZERO = [True, False], np.array([1, 0], np.uint64), [Fraction(1), 0], np.array([1, 0], object), np.array([1, 0], ">i2")


@pytest.mark.parametrize("values", [*ONE_AND_ZERO, iter([1.0, 0])])
def test_values_of_other_kinds_mean_what_they_say(values):
    assert as_dict(Ratings.from_triplets(["a", "b"], ["x", "y"], values)) == {("a", "x"): 1, ("b", "y"): 0}


def test_values_have_seven_digits():
    assert as_dict(build([("a", "x", 2**24 + 1)])) == {("a", "x"): 2**24}  # as the docstring says


def test_times_may_be_datetime64():
    moments = np.array(["1970-01-01T00:01:00.9", "2009-05-04T23:08:57"], "datetime64[ns]")
    assert with_times([("a", "x", 1, moments[0]), ("b", "y", 1, moments[1])]).times.tolist() == [60, 1241478537]


def test_a_matrix_of_other_types_becomes_float32_or_is_refused():
    places = np.array([0], np.int64), np.array([0, 1], np.int64)
    ratings = Ratings(sparse.csr_array((np.array([3]), *places), shape=(1, 1)), ["a"], ["x"])
    assert (ratings.csr.dtype, ratings.csr.indices.dtype, ratings.csr.indptr.dtype) == (np.float32, np.int32, np.int32)
    with pytest.raises(InputError, match=r"R is a csr_array of complex128; expected .* of real numbers"):
        Ratings(sparse.csr_array((np.array([3j]), *places), shape=(1, 1)), ["a"], ["x"])
    with pytest.raises(InputError, match="found complex numbers"):
        ratings.map(lambda values: values * 1j)


@pytest.mark.parametrize(("ids", "message"), [(5, "expected a column of ids"), (np.array(5), "expected a column of ids"),
                                              ([float("nan")], "nan cannot be an id: it stands for a gap")])
def test_ids_that_cannot_be_hashed_or_compared_are_refused(ids, message):
    with pytest.raises(InputError, match=message):
        Ratings.from_triplets(ids, ["x"], [1])


def test_more_than_int32_can_count_is_refused(monkeypatch):
    monkeypatch.setattr("acai.arrays.LARGEST_COUNT", 3)
    assert build([("a", song, 1) for song in "xyz"]).n_ratings == 3
    with pytest.raises(InputError, match="these ratings: 4 entries; acai counts up to 3 of them"):
        build([("a", song, 1) for song in "wxyz"])
    with pytest.raises(InputError, match="4 songs; acai counts up to 3 of them"):
        Ratings.from_codes(np.zeros(1, np.int32), np.zeros(1, np.int32), np.ones(1), "a", "wxyz")
    csr = sparse.csr_array((np.ones(4, np.float64), np.arange(4), np.array([0, 4])), shape=(1, 4))
    with pytest.raises(InputError, match="4 entries, users or songs; acai counts"):
        Ratings(csr, "a", "wxyz")


def test_ids_that_were_made_to_collide_are_refused_before_they_take_quadratic_time(tmp_path):
    tuples = list(product([-1, -2], repeat=16))  # −1 and −2 have the same hash, and so do all of these 65,536
    numbers = [j * (2**61 - 1) for j in range(1, 60_000)]
    for ids in (tuples, numbers):
        with pytest.raises(InputError, match=r"more than 1,000 ids have the same hash, as .* has; give them as text, with str\(\)"):
            Ratings.from_triplets(ids, ids, np.ones(len(ids)))
    assert Ratings.from_triplets(map(str, tuples), ["x"] * len(tuples), np.ones(len(tuples))).n_users == len(tuples)
    honest = list(product(range(-20, 20), repeat=3))
    assert Ratings.from_triplets(honest, ["x"] * len(honest), np.ones(len(honest))).users == tuple(honest)
    ratings = Ratings.from_triplets(map(str, tuples[:3000]), ["x"] * 3000, np.ones(3000))
    replace(ratings, users=tuples[:3000]).save(tmp_path / "r.npz")
    with pytest.raises(InputError, match="more than 1,000 ids have the same hash"):
        Ratings.load(tmp_path / "r.npz")


def test_unknown_names_say_which_exist():
    ratings = build([(42, "Blackbird", 1), (43, "Yesterday", 2)])
    with pytest.raises(InputError, match="no song 'Blackbrid'; there is: Blackbird"):
        ratings.column("Blackbrid")
    with pytest.raises(InputError, match=r"ids here are of type int; '42' is a str"):
        ratings.row("42")
    with pytest.raises(InputError, match="no way to combine 'avg'"):
        build([(1, 1, 1)], combine="avg")


def test_an_unknown_name_is_compared_with_a_few_of_very_many(monkeypatch):
    def counting(word: str, possibilities: list[str], *arguments: object, **named: object) -> list[str]:
        compared.append(len(possibilities))
        assert all(len(name) <= 100 for name in [word, *possibilities])
        return close_matches(word, possibilities, *arguments, **named)

    compared: list[int] = []
    close_matches = difflib.get_close_matches
    monkeypatch.setattr("acai.errors.difflib.get_close_matches", counting)
    known = {f"{number:040x}": number for number in range(0, 2**160, 2**143)}  # a hundred thousand, as a data set has them
    with pytest.raises(InputError, match=r"no user 'abd[^']*'; there is: ab.*, … \(131,072 in all\)$"):
        place_of("abdx" + 36 * "0", known, "user")
    with pytest.raises(InputError) as error:
        place_of("x" * 10**6, {"y" * 10**6: 0}, "user")
    assert len(str(error.value)) < 300
    assert 0 < max(compared) <= 2000  # to compare it with all of them would take half a minute


@given(PAIRS.filter(lambda pairs: len(pairs) > 1), st.floats(0.01, 0.99), st.integers(0, 3))
def test_split_divides_the_entries(pairs, test, seed):
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
def test_song_split_holds_out_all_entries_of_a_song(pairs):
    ratings = from_pairs(pairs)
    if ratings.n_songs < 3:
        return
    train, test = ratings.split_songs(0.4, seed=2)
    assert as_dict(train) | as_dict(test) == pairs
    assert not {song for _, song in as_dict(train)} & {song for _, song in as_dict(test)}
    n_test = round(0.4 * ratings.n_songs)
    assert len({song for _, song in as_dict(test)}) == n_test  # every song of this matrix has an entry


def test_map_changes_only_the_values():
    ratings = build([("a", "x", 0), ("b", "y", 3)])
    assert as_dict(ratings.map(np.log1p)) == {("a", "x"): 0, ("b", "y"): np.log1p(np.float32(3))}
    assert as_dict(ratings) == {("a", "x"): 0, ("b", "y"): 3}


def test_an_entry_of_zero_is_a_known_entry():
    ratings = build([("a", "x", 0), ("b", "y", 3)])
    train, test = ratings.split(0.5)
    assert train.n_ratings == test.n_ratings == 1


# ------------------------------------------------------------------ times, filters, splits


TIMED = st.lists(st.tuples(IDS, IDS, VALUES, st.integers(-5, 20)), min_size=1, max_size=30)


def with_times(entries, **options):
    users, songs, values, times = zip(*entries)
    return Ratings.from_triplets(users, songs, values, times=times, **options)


@given(TIMED, st.sampled_from(sorted(set(WAYS) - {"count"})))
def test_times_go_with_their_entries(entries, combine):
    of_pair = {}
    for user, song, _, time in entries:
        of_pair.setdefault((user, song), []).append(time)
    which = {"first": lambda times: times[0], "last": lambda times: times[-1]}.get(combine, max)
    ratings = with_times(entries, combine=combine)
    assert dict(zip(as_dict(ratings), ratings.times.tolist())) == {
        pair: which(times) for pair, times in of_pair.items()
    }
    half = ratings.keep(np.arange(ratings.n_ratings) % 2 == 0)
    assert half.times.tolist() == ratings.times[::2].tolist()


@given(TIMED, st.floats(0.05, 0.95))
def test_split_by_time_trains_only_on_the_past(entries, share):
    ratings = with_times(entries, combine="last")
    n_test = max(round(share * ratings.n_ratings), 1)
    moment = sorted(ratings.times)[-n_test]
    if moment == ratings.times.min():
        with pytest.raises(InputError, match="leaves none to train on"):
            ratings.split_by_time(share)
        return
    train, test = ratings.split_by_time(share)
    assert as_dict(train) | as_dict(test) == as_dict(ratings)
    assert train.times.max() < moment == test.times.min()


@given(PAIRS, st.integers(1, 3), st.integers(0, 3))
def test_leave_k_out(pairs, k, seed):
    ratings = from_pairs(pairs)
    n_of = {user: sum(u == user for u, _ in pairs) for user in ratings.users}
    if max(n_of.values()) <= k:
        with pytest.raises(InputError, match=f"no user has more than {k} entries"):
            ratings.leave_k_out(k, seed)
        return
    train, test = ratings.leave_k_out(k, seed)
    assert as_dict(train) | as_dict(test) == pairs and train.n_ratings + test.n_ratings == len(pairs)
    for user in ratings.users:
        assert sum(u == user for u, _ in as_dict(test)) == (k if n_of[user] > k else 0)
    assert as_dict(ratings.leave_k_out(k, seed)[1]) == as_dict(test)


def test_leave_one_out_is_fair():
    # each of a user's four entries is held out about as often: 4 sigma around 250 of 1,000 seeds is ± 55
    ratings = build([("a", song, 1) for song in "wxyz"])
    held_out = [next(iter(as_dict(ratings.leave_k_out(1, seed)[1])))[1] for seed in range(1000)]
    assert all(195 < held_out.count(song) < 305 for song in "wxyz")


@given(PAIRS, st.integers(0, 12), st.integers(1, 3), st.integers(1, 3))
def test_filter_reaches_the_fixed_point(pairs, plays, songs_per_user, users_per_song):
    left = dict(pairs)
    while True:  # drop one offender at a time: the fixed point does not depend on the order
        users = {user: [v for (u, _), v in left.items() if u == user] for user, _ in left}
        songs = {song: sum(s == song for _, s in left) for _, song in left}
        poor = [u for u, v in users.items() if sum(v) < plays or len(v) < songs_per_user]
        rare = [s for s, n in songs.items() if n < users_per_song]
        if poor:
            left = {pair: v for pair, v in left.items() if pair[0] != poor[0]}
        elif rare:
            left = {pair: v for pair, v in left.items() if pair[1] != rare[0]}
        else:
            break
    thresholds = {
        "min_plays_per_user": plays,
        "min_songs_per_user": songs_per_user,
        "min_users_per_song": users_per_song,
    }
    if not left:
        with pytest.raises(InputError, match="nothing is left"):
            from_pairs(pairs).filter(**thresholds)
        return
    filtered = from_pairs(pairs).filter(**thresholds)
    assert as_dict(filtered) == left
    assert set(filtered.users) == {user for user, _ in left} and set(filtered.songs) == {song for _, song in left}
    assert filtered.csr.has_sorted_indices


def test_filter_drops_what_has_no_entries():
    ratings = with_times([("a", "x", 1, 7), ("b", "y", 2, 8)]).keep(np.array([False, True])).filter()
    assert (ratings.users, ratings.songs, ratings.times.tolist()) == (("b",), ("y",), [8])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.split(0), "test=0; expected the share of the ratings to hold out, between 0 and 1"),
        (lambda r: r.split_songs(1.5), "test=1.5; expected the share of the songs"),
        (lambda r: list(r.folds(1)), "n=1 folds of 2 ratings; expected at least 2 folds, at most one for each rating"),
        (lambda r: r.split_by_time(), "these ratings have no times"),
        (lambda r: r.leave_k_out(0), "k=0; expected an integer, at least 1"),
    ],
)
def test_impossible_splits_say_why(call, message):
    with pytest.raises(InputError, match=message):
        call(build([("a", "x", 1), ("b", "y", 2)]))


# ------------------------------------------------------------------ files and notebooks


@given(TIMED, st.booleans())
def test_saved_and_loaded_it_is_the_same(tmp_path_factory, entries, timed):
    ratings = with_times(entries, combine="sum")
    if not timed:
        ratings = Ratings(ratings.csr, ratings.users, ratings.songs, notes=["from nowhere"])
    path = tmp_path_factory.mktemp("saved") / "ratings.npz"
    ratings.save(path)
    again = Ratings.load(path)
    assert again.users == ratings.users and again.songs == ratings.songs and again.notes == ratings.notes
    assert [type(name) for name in again.users] == [type(name) for name in ratings.users]
    for a, b in zip(
        (again.csr.data, again.csr.indices, again.csr.indptr),
        (ratings.csr.data, ratings.csr.indices, ratings.csr.indptr),
    ):
        assert np.array_equal(a, b) and a.dtype == b.dtype
    assert (again.times is None) if not timed else np.array_equal(again.times, ratings.times)


def test_ids_that_cannot_be_saved_leave_no_file(tmp_path):
    ratings = Ratings.from_triplets([frozenset("a")], ["x"], [1])
    with pytest.raises(InputError, match="only text, numbers and tuples of them can be saved"):
        ratings.save(tmp_path / "r.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change, message", [
    (lambda a, v: v.pop("users"), "it holds no 'users'"),
    (lambda a, v: v.update(users=7), "users is '7', int; expected tuple"),
    (lambda a, v: v.update(users=["a", {}]), "users"),
    (lambda a, v: v.update(users=["a", [{}]]), "users holds what cannot be an id"),
    (lambda a, v: v.update(users=["a", "a"]), "users has 2 entries, but only 1 different ids"),
    (lambda a, v: v.update(songs=["x"]), "indices has a song number outside the 1 songs"),
    (lambda a, v: v.update(notes=[1]), "an element of notes is '1', int; expected str"),
    (lambda a, v: a.pop("data"), "it holds no array 'data'"),
    (lambda a, v: a.update(data=a["data"].astype(float)), r"data is \(3,\) float64; expected \(any\) float32"),
    (lambda a, v: a["data"].fill(np.inf), "data holds NaN or infinity"),
    (lambda a, v: a.update(indices=a["indices"][:-1]), r"indices is \(2,\) int32; expected \(3\)"),
    (lambda a, v: a["indices"].fill(-1), "indices has a song number outside"),
    (lambda a, v: a["indices"].fill(1), "the song numbers of a row do not ascend"),
    (lambda a, v: a.update(indices=a["indices"][::-1]), "the song numbers of a row do not ascend"),
    (lambda a, v: a.update(indptr=a["indptr"][:-1]), r"indptr is \(2,\) int32; expected \(3\)"),
    (lambda a, v: a["indptr"].__setitem__(0, 1), "indptr does not rise from 0"),
    (lambda a, v: a["indptr"].__setitem__(1, -1), "indptr does not rise from 0"),
    (lambda a, v: a["indptr"].__setitem__(-1, 2**31 - 1), "indptr does not rise from 0"),
    (lambda a, v: a.update(times=np.arange(2)), r"times is \(2,\) int64; expected \(3\) int64"),
])
def test_a_file_whose_contents_do_not_fit_together_is_refused(tmp_path, change, message):
    path = tmp_path / "r.npz"
    with_times([("a", "x", 1, 5), ("b", "y", 2, 6), ("a", "y", 2, 7)]).save(path)
    with pytest.raises(InputError, match=f"r.npz: not ratings saved by acai: .*{message}"):
        Ratings.load(forge(path, change))


def test_rows_without_entries_are_saved_and_loaded(tmp_path):
    csr = sparse.csr_array(([1, 2, 3], [1, 2, 0], [0, 0, 2, 2, 3, 3]), shape=(5, 3), dtype=np.float32)
    Ratings(csr, "abcde", "xyz").save(tmp_path / "r.npz")
    assert (Ratings.load(tmp_path / "r.npz").csr != csr).nnz == 0


def test_a_notebook_shows_sizes_density_and_the_long_tail():
    entries = [(f"u{u}", "hit", 2, 0) for u in range(9)] + [("u0", f"s{i}", 1, 86400) for i in range(11)]
    ratings = with_times(entries)
    ratings = Ratings(ratings.csr, ratings.users, ratings.songs, ratings.times, ["<made up>"])
    html = ratings._repr_html_()
    for shown in (
        "9 × 12",
        "20 (18.519%)",
        "1 to 2, mean 1.45",
        "median 1, from 1 to 12",
        "median 1, from 1 to 9",
        "1970-01-01 to 1970-01-02",
    ):
        assert f">{shown}<" in html
    assert (
        "the top 10% of songs" in html and "45% of the entries" in html
    )  # one song of twelve has nine entries of twenty
    assert "&lt;made up&gt;" in html


def test_ratings_that_could_not_be_loaded_are_not_made_or_not_saved(tmp_path):
    for indices in [1, 0], [1, 1]:
        R = sparse.csr_array((np.ones(2, np.float32), indices, [0, 2]), shape=(1, 2))
        with pytest.raises(InputError, match="name a song twice, or songs out of order"):
            Ratings(R, "a", "xy")
    with pytest.raises(InputError, match="2 songs have 1 different ids"):
        Ratings(sparse.csr_array(np.ones((1, 2), np.float32)), "a", "xx").save(tmp_path / "r.npz")
    with pytest.raises(InputError, match="R holds inf; expected finite values"):
        Ratings(sparse.csr_array(np.full((1, 1), np.inf, np.float32)), "a", "x").save(tmp_path / "r.npz")
    with pytest.raises(InputError, match=r"R holds 2e\+31; expected finite values up to ±1e\+31"):
        Ratings.from_triplets("aa", "xx", [1e31, 1e31], combine="sum")
    assert not list(tmp_path.iterdir())


def test_true_and_false_can_be_ids(tmp_path):
    Ratings.from_triplets([True, False], ["x", None], [1, 2]).save(tmp_path / "r.npz")
    again = Ratings.load(tmp_path / "r.npz")
    assert again.users == (True, False) and again.songs == ("x", None)


def test_the_axes_must_fit():
    with pytest.raises(InputError, match=r"R has shape \(1, 2\), but 1 users and 1 songs are named"):
        Ratings(sparse.csr_array(np.ones((1, 2), np.float32)), ["a"], ["x"])
    with pytest.raises(InputError, match="there are 1 values, but 2 times"):
        Ratings.from_triplets(["a"], ["x"], [1], times=[1, 2])


def test_large_matrices_are_built_without_a_second_copy():
    # SciPy's own triplet matrix is the oracle; the peak is counted in bytes an entry beyond the given columns (12)
    import tracemalloc

    rng = np.random.default_rng(0)
    n, shape = 400_000, (5_000, 3_000)
    pair = rng.choice(shape[0] * shape[1], n, replace=False)
    users, songs, values = (
        (pair // shape[1]).astype(np.int32),
        (pair % shape[1]).astype(np.int32),
        rng.random(n, dtype=np.float32),
    )
    tracemalloc.start()
    ratings = Ratings.from_codes(users, songs, values, range(shape[0]), range(shape[1]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    R = sparse.coo_array((values, (users, songs)), shape=shape).tocsr()
    R.sort_indices()
    assert np.array_equal(ratings.csr.indices, R.indices) and np.array_equal(ratings.csr.data, R.data)
    assert peak / n < 20  # R itself is 8 of these; two copies and the entries' numbers would be 20
