"""Ratings from what people have in memory: data frames of every library, matrices of every format, times of every kind."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from acai import InputError
from acai.cf import SGD
from acai.ratings import Ratings

NOON = dt.datetime(2009, 5, 4, 12)
SECONDS = 1241438400  # of NOON in UTC


def as_dict(ratings):
    return {(user, song): value for user, song, value in ratings.triplets()}


COLUMNS = {"who": ["ann", "bob", "ann"], "what": [1, 2, 2], "stars": [1.0, None, 3.5], "when": [NOON] * 3}


def pandas_frame(change=lambda frame: frame):
    pandas = pytest.importorskip("pandas")
    return change(pandas.DataFrame(COLUMNS).assign(stars=[1.0, np.nan, 3.5]))


def polars_frame(change=lambda frame, polars: frame):
    polars = pytest.importorskip("polars")
    return change(polars.DataFrame(COLUMNS), polars)


def arrow_table(change=lambda table: table):
    pyarrow = pytest.importorskip("pyarrow")
    return change(pyarrow.table(COLUMNS))


FRAMES = {
    "a dictionary of lists": lambda: COLUMNS,
    "a dictionary of arrays": lambda: {**COLUMNS, "what": np.array([1, 2, 2]), "when": np.array([NOON] * 3, "M8[us]")},
    "a masked array": lambda: {**COLUMNS, "stars": np.ma.array([1, 9, 3.5], mask=[0, 1, 0])},
    "a structured array": lambda: np.array(
        [("ann", 1, 1, NOON), ("bob", 2, np.nan, NOON), ("ann", 2, 3.5, NOON)],
        [("who", "U3"), ("what", int), ("stars", float), ("when", "M8[s]")],
    ),
    "pandas": pandas_frame,
    "pandas, categorical": lambda: pandas_frame(lambda frame: frame.astype({"who": "category", "what": "category"})),
    "pandas, nullable": lambda: pandas_frame(lambda frame: frame.convert_dtypes()),
    "pandas, objects": lambda: pandas_frame(lambda frame: frame.astype(object)),
    "pandas, with a level of the index": lambda: pandas_frame(lambda frame: frame.set_index("who")),
    "pandas, with levels of the index": lambda: pandas_frame(lambda frame: frame.set_index(["what", "who", "when"])),
    "pandas, in nanoseconds": lambda: pandas_frame(lambda frame: frame.astype({"when": "M8[ns]"})),
    "pandas, numbered in nanoseconds": lambda: pandas_frame(lambda frame: frame.assign(when=SECONDS * 10**9 + 7)),
    "pandas, ISO text": lambda: pandas_frame(lambda frame: frame.assign(when="2009-05-04T14:00:00+02:00")),
    "pandas, time zone": lambda: pandas_frame(
        lambda frame: frame.assign(when=frame["when"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    ),
    "polars": polars_frame,
    "polars, categorical": lambda: polars_frame(lambda frame, pl: frame.with_columns(pl.col("who").cast(pl.Categorical))),
    "polars, decimal": lambda: polars_frame(lambda frame, pl: frame.with_columns(pl.col("stars").cast(pl.Decimal(9, 2)))),
    "polars, time zone": lambda: polars_frame(
        lambda frame, pl: frame.with_columns(pl.col("when").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"))
    ),
    "pyarrow": arrow_table,
    "pyarrow, a dictionary column": lambda: arrow_table(
        lambda table: table.set_column(0, "who", table["who"].combine_chunks().dictionary_encode())
    ),
    "pyarrow, a batch": lambda: arrow_table(lambda table: table.to_batches()[0]),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_of_data_frame_gives_the_same(kind):
    ratings = Ratings.from_dataframe(FRAMES[kind](), user="who", song="what", value="stars", time="when")
    assert as_dict(ratings) == {("ann", 1): 1, ("ann", 2): 3.5}
    assert type(ratings.songs[0]) is int and ratings.users == ("ann",)
    assert ratings.times.tolist() == [SECONDS] * 2
    assert ratings.notes[0] == "left out 1 of 3 rows, which have no stars"


@pytest.mark.parametrize("column", ["who", "what", "when"])
@pytest.mark.parametrize("gap", [None, np.nan, "NA", "NaT"])
def test_a_missing_id_or_time_is_refused(column, gap):
    if isinstance(gap, str):
        gap = getattr(pytest.importorskip("pandas"), gap)
    frame = {"who": ["a", "b"], "what": ["x", "y"], "stars": [1, 2], "when": [5, 6]}
    frame[column] = [frame[column][0], gap]
    message = rf"column '{column}' is empty in 1 row, first in row 1; .* df\.dropna\(subset=\['{column}'\]\)"
    with pytest.raises(InputError, match=message):
        Ratings.from_dataframe(frame, "who", "what", "stars", "when")


def test_a_column_of_floats_with_a_gap_makes_no_phantom_users():
    frame = pandas_frame(lambda frame: frame.assign(who=[1, np.nan, np.nan]))
    with pytest.raises(InputError, match="column 'who' is empty in 1 row, first in row 2"):
        Ratings.from_dataframe(frame, "who", "what", "stars")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ([1, 2], "a list has no named columns; expected a pandas or Polars DataFrame"),
        ({"who": ["a"], "what": ["x"]}, "no column 'stars'; there is: who, what"),
        ({"who": ["a"], "what": ["x"], "stars": ["5"]}, "column 'stars' must be numbers; found text"),
        ({"who": ["a"], "what": ["x", "y"], "stars": [5, 4]}, "column 'who' has 1 rows, and that of the values 2"),
        ({"who": ["a"], "what": ["x"], "stars": [np.nan]}, "there is no rating: of 1 rows, none has a stars"),
        ({"who": ["a", "a"], "what": ["x", "x"], "stars": [1, 2]}, "say how to combine them"),
        ({"who": ["a"], "what": ["x"], "stars": [np.inf]}, "is not a finite number"),
    ],
)
def test_what_is_no_data_frame_of_ratings_is_refused(frame, message):
    with pytest.raises(InputError, match=message):
        Ratings.from_dataframe(frame, user="who", song="what", value="stars")


def test_a_lazy_frame_and_a_doubled_name_are_refused():
    with pytest.raises(InputError, match=r"a LazyFrame has no rows yet; .* call collect\(\) first"):
        Ratings.from_dataframe(polars_frame().lazy(), "who", "what", "stars")
    with pytest.raises(InputError, match="more than one column is called 'who'"):
        frame = pandas_frame(lambda frame: frame.set_axis(["who", "what", "stars", "who"], axis=1))
        Ratings.from_dataframe(frame, "who", "what", "stars")


UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("first", [1, 946_684_800, SECONDS, 4_000_000_000])
def test_the_unit_of_numbered_times_is_recognised(unit, first):
    if first == 1 and unit != "seconds":
        return  # nobody can tell
    frame = {"u": ["a", "b"], "s": ["x", "y"], "r": [1, 2], "t": [first * UNITS[unit], (first + 1) * UNITS[unit]]}
    ratings = Ratings.from_dataframe(frame, "u", "s", "r", "t")
    assert ratings.times.tolist() == [first, first + 1] and ratings.notes == (f"times are {unit} since 1970",)
    if unit != "seconds":
        with pytest.raises(InputError, match=f"divide {unit} by {UNITS[unit]:,}"):
            Ratings.from_triplets(frame["u"], frame["s"], frame["r"], times=frame["t"])


def test_dates_with_points_have_the_day_first():
    """The oracle is the calendar: 13 May, and 4 May rather than 5 April."""
    frame = {"u": ["a", "b"], "s": ["x", "y"], "r": [1, 2], "t": ["4.5.2009 23:08", "13.05.2009"]}
    ratings = Ratings.from_dataframe(frame, "u", "s", "r", "t")
    days = [dt.datetime(2009, 5, 4, 23, 8, tzinfo=dt.UTC), dt.datetime(2009, 5, 13, tzinfo=dt.UTC)]
    assert ratings.times.tolist() == [day.timestamp() for day in days] and "dates with points have the day first" in ratings.notes


@pytest.mark.parametrize("times", ["4/5/2009", "31.4.2009", "yesterday", b"5", object(), np.timedelta64(5, "s")])
def test_a_column_that_holds_no_times_is_refused(times):
    with pytest.raises(InputError, match=r"column 't' (has the time|must hold times)"):
        Ratings.from_dataframe({"u": ["a"], "s": ["x"], "r": [1], "t": [times]}, "u", "s", "r", "t")


MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1), timezones=st.timezones() | st.none())


@given(st.lists(MOMENTS, min_size=1, max_size=5))
@settings(max_examples=50)
def test_times_of_any_zone_are_seconds_in_utc(moments):
    expected = [int((m if m.tzinfo else m.replace(tzinfo=dt.UTC)).timestamp() // 1) for m in moments]
    columns = ["u"] * len(moments), range(len(moments)), [1] * len(moments)
    assert Ratings.from_triplets(*columns, times=moments).times.tolist() == expected
    frame = dict(zip("usr", columns)) | {"t": [moment.isoformat() for moment in moments]}
    assert Ratings.from_dataframe(frame, "u", "s", "r", "t").times.tolist() == expected


# ------------------------------------------------------------------ matrices

FORMATS = [f"{name}_{kind}" for name in ("csr", "csc", "coo", "dok", "lil", "dia", "bsr") for kind in ("array", "matrix")]
TABLES = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.sampled_from([0, 0, 1.5, -2, 5]), min_size=n, max_size=n), min_size=1, max_size=4)
).filter(lambda rows: any(map(any, rows)))


@given(TABLES)
@settings(max_examples=15)
def test_every_format_of_scipy_gives_the_same(rows):
    table = np.array(rows)
    expected = {(u, i): table[u, i] for u, i in zip(*table.nonzero())}
    for name in FORMATS:
        assert as_dict(Ratings.from_matrix(getattr(sparse, name)(table))) == expected, name


@given(TABLES)
@settings(max_examples=30)
def test_nan_marks_the_gaps_and_without_it_zero_does(rows):
    table = np.array(rows)
    expected = {(u, i): table[u, i] for u, i in zip(*table.nonzero())}
    for zeros in (table, rows):
        assert as_dict(Ratings.from_matrix(zeros)) == expected
    assert as_dict(Ratings.from_matrix(np.where(table == 0, np.nan, table))) == expected
    assert as_dict(Ratings.from_matrix(np.ma.masked_equal(table, 0))) == expected
    one_gap = np.vstack([table, np.full(len(rows[0]), np.nan)])
    assert as_dict(Ratings.from_matrix(one_gap)) == {pair: table[pair] for pair in np.ndindex(*table.shape)}


def test_what_was_left_out_of_a_matrix_is_noted():
    table = np.array([[5.0, 0], [0, 3]])
    assert Ratings.from_matrix(table).notes == ("left out 2 of 4 entries: not known is 0, as there is no NaN",)
    table[0, 1] = np.nan
    assert Ratings.from_matrix(table).notes == ("left out 1 of 4 entries: not known is NaN, and a zero is a known zero",)
    stored = sparse.csr_array(table)
    assert Ratings.from_matrix(stored).notes == ("left out 1 stored entries that are NaN",)


def test_a_stored_zero_is_known_and_a_repeated_entry_refused():
    stored = sparse.csr_array(([0.0, 4.0], [0, 2], [0, 2]), shape=(1, 3))
    assert as_dict(Ratings.from_matrix(stored)) == {(0, 0): 0, (0, 2): 4}
    twice = sparse.coo_array(([1.0, 2.0], ([0, 0], [0, 0])), shape=(1, 1))
    with pytest.raises(InputError, match="say how to combine them: combine='sum'"):
        Ratings.from_matrix(twice)
    assert as_dict(Ratings.from_matrix(twice, combine="sum")) == {(0, 0): 3}


def test_the_ids_of_a_matrix():
    table = np.array([[5, 0], [0, 3]])
    expected = {("ann", "x"): 5, ("bob", "y"): 3}
    assert as_dict(Ratings.from_matrix(table, users=["ann", "bob"], songs="xy")) == expected
    assert Ratings.from_matrix(table).users == (0, 1)
    pandas = pytest.importorskip("pandas")
    wide = pandas.DataFrame(table, index=["ann", "bob"], columns=["x", "y"])
    frames = wide, wide.where(wide > 0), wide.astype("Int64").mask(wide == 0), wide.astype(pandas.SparseDtype(float, 0))
    for frame in frames:
        assert as_dict(Ratings.from_matrix(frame)) == expected


@pytest.mark.parametrize(
    ("A", "options", "message"),
    [
        ([1, 2], {}, r"A has shape \(2,\); expected a table of numbers with a row for each user"),
        ([["a"]], {}, "the entries of A must be real numbers; found <U1"),
        ([[1], [2, 3]], {}, "the entries of A must be real numbers"),
        (None, {}, r"A has shape \(\)"),
        (sparse.csr_array([[1j]]), {}, "the entries of A must be numbers; found complex numbers"),
        ([[np.inf]], {}, "is not a finite number"),
        ([[np.nan]], {}, "there is no rating"),
        ([[1], [2]], {"users": ["a"]}, "A has 2 rows; expected as many users, not 1"),
        ([[1], [2]], {"songs": ["a", "b"]}, "A has 1 columns; expected as many songs, not 2"),
        ([[1], [2]], {"users": ["a", "a"]}, "2 users have 1 different ids"),
    ],
)
def test_what_is_no_matrix_of_ratings_is_refused(A, options, message):
    with pytest.raises(InputError, match=message):
        Ratings.from_matrix(A, **options)


def test_the_advice_for_a_table_works():
    with pytest.raises(InputError, match=r"from_dataframe\(df, user=….*or from an array .*Ratings\.from_matrix\(A\)"):
        SGD().fit(sparse.csr_matrix([[5.0, 1.0]]))
    SGD(n_epochs=1).fit(Ratings.from_matrix(sparse.csr_matrix([[5.0, 1.0]])))
