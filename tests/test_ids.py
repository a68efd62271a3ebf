"""Ids: what is known, what is not, and what only looks alike; and numbers that count something."""

import numpy as np
import pytest
from cf_cases import random_ratings
from test_cf_odd import quick

from acai import InputError, Ratings
from acai.cf import MODELS, Popularity
from acai.evaluation import cross_validate, evaluate

NUMBERS = random_ratings(m=12, n=9, per_user=5)
NUMBERS = Ratings(NUMBERS.csr, range(100, 112), range(9))
TEXT = Ratings(NUMBERS.csr, [str(user) for user in NUMBERS.users], [str(song) for song in NUMBERS.songs])
FLOATS = Ratings(NUMBERS.csr, [float(user) for user in NUMBERS.users], NUMBERS.songs)
GAPS = [float("nan"), np.float32("nan"), np.datetime64("NaT", "s"), ("a", float("nan")), (1, (2, float("nan")))]


@pytest.mark.parametrize("name", MODELS)
def test_ids_of_another_type_are_an_error_and_no_stranger(name):
    model = quick(name).fit(TEXT)
    for user, song in [(100, 0), (100, "0"), ("100", 0), (np.int64(100), "0"), (100.0, "0"), ("100", np.float32(3))]:
        with pytest.raises(InputError, match=r"no (user|song) .*; there is: .* \(ids here are of type str; .* is a \w+\)"):
            model.predict([user, "104"], [song, "4"])
        with pytest.raises(InputError, match="ids here are of type str"):
            model.predict(np.array([user]), [song])
    with pytest.raises(InputError, match="ids here are of type str"):
        dict(model.recommend_all([100]))


@pytest.mark.parametrize(("known", "user"), [(NUMBERS, "100"), (FLOATS, "100"), (FLOATS, "100.0")])
def test_the_other_way_round(known, user):
    with pytest.raises(InputError, match=f"no user '{user}'; .*is a str"):
        Popularity().fit(known).predict([user, known.users[1]], [0, 0])


def test_one_unknown_id_is_no_error_but_nothing_known_is():
    model = Popularity().fit(TEXT)
    share = model.predict(["100"], ["3"])[0]
    assert model.predict(["nobody", "100", "nobody"], ["3", "no song", "no song"]).tolist() == [share, 0, 0]
    assert model.predict(["nobody"], ["3"]).tolist() == [share]
    with pytest.raises(InputError, match="none of these users and songs is known: no user 'nobody'; there is: 100, "):
        model.predict(["nobody", "nobody else"], ["no song", "nor this"])
    assert model.predict([], []).shape == (0,)
    assert Popularity().fit(NUMBERS).predict([100.0, np.int8(101), True], [0, 0, 0]).shape == (3,)  # equal to known ones


@pytest.mark.parametrize("single", ["100", b"100"])
def test_one_id_is_no_list_of_ids(single):
    model = Popularity().fit(TEXT)
    all_of_it, user, song = (lambda: dict(model.recommend_all(single)), lambda: model.predict(single, ["1"]),
                             lambda: model.predict(["100"], single))
    for call in (all_of_it, user, song):
        with pytest.raises(InputError, match=r"(users|songs) is the single id b?'100'; expected a list of ids: \[b?'100'\]"):
            call()


def test_a_table_is_no_column():
    table = type("Table", (list,), {"shape": (3, 1)})(["user"])  # as a data frame: its elements are its column names
    with pytest.raises(InputError, match=r"found a table of shape \(3, 1\)"):
        Ratings.from_triplets(table, ["x"], [1])
    with pytest.raises(InputError, match=r"is a table of shape .*; expected a single column of ids"):
        Popularity().fit(TEXT).predict(table, ["1"])
    with pytest.raises(InputError, match=r"is a table of shape .*; expected a single column of ids"):
        Popularity().fit(NUMBERS).predict(np.array([[100]]), [1])


@pytest.mark.parametrize("gap", GAPS, ids=str)
@pytest.mark.parametrize("column", ["users", "songs"])
def test_a_gap_is_no_id(gap, column):
    columns = {"users": ["a", "b", "c"], "songs": ["x", "y", "z"]} | {column: ["a", gap, gap]}
    with pytest.raises(InputError, match="cannot be an id: it stands for a gap; give missing ids a name, or drop their entries"):
        Ratings.from_triplets(**columns, values=[1, 2, 3])


@pytest.mark.parametrize("column", [
    np.array([1.0, np.nan, np.nan]), np.ma.array([1, 2, 3], mask=[0, 1, 1]), np.array(["2020-01-01", "NaT", "NaT"], "M8[s]"),
])
def test_a_column_with_gaps_makes_no_phantoms(column):
    with pytest.raises(InputError, match=r"(stands for a gap|has gaps); give missing ids a name"):
        Ratings.from_triplets(column, ["x", "y", "z"], [1, 2, 3])


def test_columns_of_pandas_with_gaps_make_no_phantoms():
    pandas = pytest.importorskip("pandas")
    for gaps, kind in ((["a", None], "string"), (["a", None], "category"), ([1, np.nan], "float"), ([1, None], "Int64")):
        with pytest.raises(InputError, match="stands for a gap"):
            Ratings.from_triplets(pandas.Series(gaps).astype(kind), ["x", "y"], [1, 2])


@pytest.mark.parametrize("number", [np.int64(2), np.uint8(2), 2])
def test_integers_of_numpy_are_integers(number):
    model, (train, test) = quick("UserKNN").fit(NUMBERS), NUMBERS.split(0.5)
    assert len(model.recommend(100, n=number)) == 2 and len(model.similar(0, n=number)) <= 2
    assert all(len(found) == 2 for found in dict(model.recommend_all(n=number)).values())
    assert evaluate(Popularity(), train, test, k=number) == evaluate(Popularity(), train, test, k=2)
    assert cross_validate(Popularity(), NUMBERS, folds=number, which=["ndcg"])["ndcg"].shape == (2,)
    assert len(list(NUMBERS.folds(number))) == 2 and NUMBERS.leave_k_out(number)[1].n_ratings == 24


def test_what_cannot_be_looked_up_is_no_id():
    model = Popularity().fit(TEXT)
    for users, songs, what in [([["100"], "101"], ["1", "2"], "users"), (["100", "101"], [{}, "1"], "songs")]:
        with pytest.raises(InputError, match=f"one of the {what} cannot be an id: unhashable type"):
            model.predict(users, songs)
