"""`datasets.triplets` reads what people have: every way in which a table is written, and how the notes say what it took it for."""

import csv
import datetime as dt
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acai import InputError, datasets
from acai.cli import main
from acai.tables import first_lines

T = 1241478537  # 2009-05-04T23:08:57Z
ML = "userId,movieId,rating,timestamp\n1,2,3.5,964982703\n2,2,1,964982704\n"
X = [("ann", "x", 3), ("bob", "y", -2)]
FILES = {  # what is in the file → the ratings, their times, what the notes say
    "plain": ("ann\tx\t3\nbob\ty\t-2\n", X, None, ()),
    "with a header": ("user\tsong\tplays\nann\tx\t3\nbob\ty\t-2\n", X, None, ("song is 'song', value is 'plays'",)),
    "with names that nobody knows": ("wer,was,r1\nann,x,3\nbob,y,-2\n", X, None, ("line 1 names the fields: user is 'wer'",)),
    "in another order": ("rating,user,what\n3,ann,x\n-2,bob,y\n", X, None, ("song is 'what', value is 'rating'",)),
    "MovieLens": (
        ML, [("1", "2", 3.5), ("2", "2", 1)], [964982703, 964982704], ("time is 'timestamp'", "times are seconds since 1970"),
    ),
    "Book-Crossing": (
        '"User-ID";"ISBN";"Book-Rating"\n"ann";"x";"3"\n"bob";"y";"-2"\n', X, None, ("song is 'ISBN'", "quotation marks around"),
    ),
    "four fields without a header": (
        "ann\tx\t3\t881250949\nbob\ty\t-2\t881250950\n", X, [881250949, 881250950], ("time is 'field 4'",),
    ),
    "a fourth field that is no time": ("ann\tx\t3\tfolk\nbob\ty\t-2\trock\n", X, None, ()),
    "an index of pandas": (
        ",user,song,rating\n0,ann,x,3\n1,bob,y,-2\n", X, None, ("the first field numbers the rows, and is left out",),
    ),
    "an index of pandas, unknown names": (",a,b,c\n0,ann,x,3\n1,bob,y,-2\n", X, None, ("the first field numbers the rows",)),
    "an index of pandas, read and written again": (
        "Unnamed: 0,user,song,r\n5,ann,x,3\n9,bob,y,-2\n", X, None, ("numbers the rows",),
    ),
    "an index of pandas without a header": (
        "0,ann,x,3\n1,bob,y,-2\n2,bob,z,1\n", [*X, ("bob", "z", 1)], None, ("field 1 numbers the rows",),
    ),
    "an index that is the user": (",song,rating\n17,x,3\n12,y,-2\n", [("17", "x", 3), ("12", "y", -2)], None, ("user is ''",)),
    "written by R": (
        '"user" "song" "value"\n"1" "ann" "x" 3\n"2" "bob" "y" -2\n', X, None, ("numbers the rows", "quotation marks"),
    ),
    "quoted": (
        'ann,"x, or ""y""",3\nbob,"y\nz",-2\n', [("ann", 'x, or "y"', 3), ("bob", "y\nz", -2)], None, ("quotation marks",),
    ),
    "quoted with tabs": ('ann\t"x\ty"\t3\nbob\ty\t-2\n', [("ann", "x\ty", 3), ("bob", "y", -2)], None, ("quotation marks",)),
    "titles that begin with a quotation mark": (
        'ann\t"Heroes" live\t3\nbob\t"Heroes\t-2\n', [("ann", '"Heroes" live', 3), ("bob", '"Heroes', -2)], None, (),
    ),
    "semicolons in a quoted field": ('ann,"x;y;z",3\nbob,"y;z;x",-2\n', [("ann", "x;y;z", 3), ("bob", "y;z;x", -2)], None, ()),
    "decimal commas": (
        "ann;x;3,5\nbob;y;-2,25\n", [("ann", "x", 3.5), ("bob", "y", -2.25)], None, ("numbers have decimal commas",),
    ),
    "decimal commas, two in a line": (
        "ann;x;3,5;0,1\nbob;y;-2;7,5\n", [("ann", "x", 3.5), ("bob", "y", -2)], None, ("decimal commas",),
    ),
    "decimal commas among commas": ('a,b,"3,5"\nb,c,"-2"\n', [("a", "b", 3.5), ("b", "c", -2)], None, ("decimal commas",)),
    "Jester": ("u1,j1,-9.95\nu1,j2,.5\nu2,j1,+3e-1\n", [("u1", "j1", -9.95), ("u1", "j2", 0.5), ("u2", "j1", 0.3)], None, ()),
    "spaces after commas": ("user, song, rating\nann, x, 3\nbob, y, -2\n", X, None, ("song is 'song'",)),
    "spaces": ("ann x 3\nbob y -2\n", X, None, ()),
    "a blank line at the end": ("ann,x,3\r\nbob,y,-2\r\n", X, None, ()),
    **{
        f"times like {text}": (f"user,song,rating,time\nann,x,3,{text}\nbob,y,-2,{text}\n", X, [seconds] * 2, (note,))
        for text, seconds, note in [
            ("2009-05-04T23:08:57Z", T, "ISO text"), ("2009-05-04 23:08:57", T, "no time zone are taken as UTC"),
            ("2009-05-04T23:08:57.999999", T, "ISO text"), ("2009-05-04 23:08:57.5Z", T, "ISO text"),
            ("2009-05-04 23:08", T - 57, "ISO text"),
            ("2009-05-05T01:08:57+02:00", T, "ISO text"), ("2009-05-04 17:38:57.25-05:30", T, "ISO text"),
            ("2009-05-05T01:08+02:00", T - 57, "ISO text"), ("2009-05-05T01:08:57+0200", T, "ISO text"),
            ("4.5.2009", T - 83337, "points have the day first"), ("04.05.2009 23:08", T - 57, "points have the day first"),
            ("4.5.2009 23:08:57", T, "points have the day first"),
            ("2009-05-04", T - 83337, "ISO text"), ("20090504", T - 83337, "ISO text"), ("1969-12-31 23:59:59", -1, "ISO text"),
            (f"{T}", T, "times are seconds"), (f"{T}.75", T, "times are seconds"), (f"{T}999", T, "times are milliseconds"),
            (f"{T}000001", T, "times are microseconds"), (f"{T}000000000", T, "times are nanoseconds"),
            ("7", 7, "times are seconds"),
        ]
    },
    "times of another kind": (
        "user,song,rating,date\nann,x,3,4/5/2009\nbob,y,-2,5/5/2009\n", X, None, ("date was not read: expected times",),
    ),
    "what separates the fields, for Excel": ("sep=;\nann;x;3\nbob;y;-2\n", X, None, ("line 1 says what separates the fields",)),
    "that, with a mark, in quotation marks, and a header": (
        '\ufeff"sep=|"\r\nuser|song|rating\r\nann|x|3\r\nbob|y|-2\r\n', X, None, ("line 2 names the fields: user is 'user'",),
    ),
    "that, as a name": ("sep=,song,rating\nann,x,3\nbob,y,-2\n", X, None, ("user is 'sep='",)),
}


def read(folder, text, encoding="utf-8", **options):
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return datasets.triplets(path, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("triplets")


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_as_what_it_is(folder, kind):
    text, triplets, times, notes = FILES[kind]
    ratings = read(folder, text)
    assert [*ratings.triplets()] == [(user, song, pytest.approx(value)) for user, song, value in triplets]
    assert (None if ratings.times is None else ratings.times.tolist()) == times
    said = "; ".join(ratings.notes[1:])
    assert all(note in said for note in notes) and bool(notes or "quotation" in said) == bool(said)


ENCODINGS = [("utf-8-sig", ()), ("utf-16", ("it is UTF-16",)), ("utf-16-le", ("it is UTF-16",)), ("utf-16-be", ("it is UTF-16",))]
ENCODINGS += [("latin-1", ("read as Latin-1",)), ("cp1252", ("read as Latin-1",)), ("utf-8", ())]


@pytest.mark.parametrize(("encoding", "notes"), ENCODINGS)
@pytest.mark.parametrize("n_before", [0, 7000])
def test_the_encoding_is_recognised_in_the_first_lines_and_after_them(folder, encoding, notes, n_before):
    song = "“Jóga”" if encoding != "latin-1" else "Jóga"
    text = "".join(f"ann,song {j},{j % 5}\n" for j in range(n_before)) + f"Björk,{song},3\n"
    ratings = read(folder, text, encoding)
    assert ratings.n_ratings == n_before + 1
    assert (ratings.users[-1], ratings.songs[-1]) == ("Björk", song)
    assert len(ratings.notes) == 1 + len(notes) and all(note in ratings.notes[-1] for note in notes)


def test_damaged_utf_8_is_not_taken_for_latin_1(folder):
    for before in ("Björk,Jóga,3\n", "Björk,Jóga,3\n" + "".join(f"ann,{j},{j}\n" for j in range(9000))):
        (folder / "d.csv").write_bytes(before.encode() + b"bob,\xff,3\n")
        with pytest.raises(InputError, match=r"d\.csv, line \d+: expected UTF-8 text; found 'bob"):
            datasets.triplets(folder / "d.csv")


@pytest.mark.parametrize("zone", [None, dt.UTC])
def test_columns_are_chosen_by_number_or_name(folder, zone):
    text = "when,plays,who,what\n2009-05-04 23:08:57,4,ann,x\n2009-05-04 23:08:57,5,bob,y\n"
    for columns in (("who", "what", "plays"), (2, 3, 1), ["who", 3, "plays"], np.array([2, 3, 1]), None):
        ratings = read(folder, text, columns=columns)
        assert [*ratings.triplets()] == [("ann", "x", 4), ("bob", "y", 5)]
    for columns in (("who", "what", "plays", "when"), (2, 3, 1, 0), None):
        assert read(folder, text, columns=columns).times.tolist() == [T, T]


COLUMNS = ["abc", 5, {0, 1, 2}, {}, (0, 1), (0, 1, 2, 0, 1), (0, 1, True), (0, 1, 2.0), (0, 1, [2]), (b"a", 1, 2), (0, 1, -1)]
COLUMNS += [(0, 1, 3), (None, 1, 2)]


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_of_a_wrong_kind_are_refused(folder, columns):
    with pytest.raises(InputError, match=r"columns=.*; expected three numbers"):
        read(folder, "ann,x,4\nbob,y,5\n", columns=columns)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b,c\nann,x,4\n", {"columns": ("a", "b", "stars")}, "no field 'stars'; there is: a, b, c"),
        ("a,b,c\nann,x,4\n", {"columns": ("a", "b", "c"), "header": False}, "but header=False: line 1 names no fields"),
        ("a,b,c,d\nann,x,4,z\n", {"columns": ("a", "b", "c", "d")}, "expected times like 2009-05-04T.* as d; found 'z'"),
        ("user,song,rating\nann,x,4\n", {"header": False}, "line 1: expected a number as field 3; found 'user,song,rating'"),
        ("user,song,rating\n", {}, "no line could be used"),
        ("id,userId,film_name,genre,rating\n1,2,b,c,4\n", {}, r"cannot tell which is the song: say columns=\('…', '…', '…'\)"),
        (",song,rating\n0,x,3\n1,y,2\n", {}, "cannot tell which is the user"),
        ("0,5,3,3\n1,5,4,2\n2,5,5,1\n", {}, r"field 1 counts the lines, .*: say columns=\(0, 1, 2\) or columns=\(1, 2, 3\)"),
        ("ann;x;1,234\nbob;y;2\n", {}, "field 3 has '1,234', which may be 1.234 or 1234"),
        ("ann,x,NaN\nbob,y,3\n", {}, "line 1: expected a number as field 3; found 'ann,x,NaN'"),
        ("ann,x,1\nbob,y,\n", {}, "line 2: expected a number as field 3; found 'bob,y,'"),
        ("ann,x,many\n", {}, "line 1: expected a number as field 3"),
        ("user,item,rating,time\na,x,1,7\nb,x,1,\n", {}, "line 3: expected a number as time"),
        ("a,b\nc,d\n", {"separator": ","}, "line 1: expected user, song and value with a separator between them"),
        ("a,b,1\n", {"separator": ""}, "separator=''; expected text"),
        ("a,b,1\n", {"header": "yes"}, "header='yes'; expected True or False"),
        ("user,song,rating,time\na,x,1,99999999999999999999999\n", {}, "line 2: expected a time before the year 10000 as time"),
    ],
)
def test_what_cannot_be_interpreted_is_refused(folder, text, options, message):
    with pytest.raises(InputError, match=message):
        read(folder, text, **options)


def test_the_command_line_takes_files_with_and_without_a_header(folder, capsys):
    text = "".join(f"u{j % 5},s{j % 7},{j % 3}\n" for j in range(35))
    (folder / "named.csv").write_text("user,song,rating\n" + text)
    (folder / "odd.csv").write_text("1,2,3\n" + text)
    named = ["--data", "triplets", str(folder / "named.csv")]
    odd = ["--data", "triplets", str(folder / "odd.csv"), "--header"]
    for data in (named, odd, [*named, "--header"]):
        main(["recommend", *data, "--user", "u1", "--model", "Popularity"])
        assert "35 known entries, 5 users × 7 songs" in capsys.readouterr().out
    main(["evaluate", *odd, "--models", "GlobalMean", "--metrics", "rmse"])
    main(["train", *odd, "--model", "GlobalMean", "--out", str(folder / "model.npz")])
    with pytest.raises(SystemExit):
        main(["evaluate", "--data", "acai-game", str(folder), "--header"])
    assert "--header is for --data triplets" in capsys.readouterr().err


# ------------------------------------------------------------------ what libraries write is read back

TEXT = st.text(st.sampled_from('ab",;\t\n\r é坂'), min_size=1, max_size=5).filter(lambda text: text.strip() == text)
ROWS = st.dictionaries(st.tuples(TEXT, TEXT), st.sampled_from([1.0, 2.5, -3.0, 40.0]), min_size=1, max_size=8)
MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2050, 1, 1)).map(lambda moment: moment.replace(microsecond=0))


@settings(max_examples=50)
@given(ROWS, st.sampled_from(",;\t|"), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_is_read_back(folder, rows, separator, quoting, end):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([("user", "song", "rating"), *((*pair, value) for pair, value in rows.items())])
    ratings = read(folder, file.getvalue())
    assert {(user, song): value for user, song, value in ratings.triplets()} == rows


@given(ROWS, st.data())
@settings(max_examples=25)
def test_what_pandas_writes_is_read_back(folder, rows, data):
    pandas = pytest.importorskip("pandas")
    moments = [data.draw(MOMENTS) for _ in rows]
    frame = pandas.DataFrame([(*pair, value) for pair, value in rows.items()], columns=["user", "item", "rating"])
    frame["timestamp"] = pandas.to_datetime(moments)
    options = {"sep": data.draw(st.sampled_from(",;\t")), "index": data.draw(st.booleans())}
    if options["sep"] != ",":
        options["decimal"] = data.draw(st.sampled_from(".,"))
    frame.to_csv(folder / "pandas.csv", encoding=data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])), **options)
    ratings = datasets.triplets(folder / "pandas.csv")
    assert {(user, song): value for user, song, value in ratings.triplets()} == rows
    seconds = {pair: int(moment.replace(tzinfo=dt.UTC).timestamp()) for pair, moment in zip(rows, moments)}
    assert {(user, song): time for (user, song, _), time in zip(ratings.triplets(), ratings.times.tolist())} == seconds


@given(ROWS, st.data())
@settings(max_examples=25)
def test_what_polars_writes_is_read_back(folder, rows, data):
    polars = pytest.importorskip("polars")
    moments = [data.draw(MOMENTS) for _ in rows]
    users, songs = zip(*rows)
    columns = {"user": users, "item": songs, "rating": list(rows.values()), "time": moments}
    polars.DataFrame(columns).write_csv(folder / "polars.csv", separator=data.draw(st.sampled_from(",;\t")))
    ratings = datasets.triplets(folder / "polars.csv")
    assert {(user, song): value for user, song, value in ratings.triplets()} == rows
    seconds = {pair: int(moment.replace(tzinfo=dt.UTC).timestamp()) for pair, moment in zip(rows, moments)}
    assert {(user, song): time for (user, song, _), time in zip(ratings.triplets(), ratings.times.tolist())} == seconds


@given(st.text(st.sampled_from('01ab,;\t"\n\r-.é'), max_size=60))
@settings(max_examples=100)
def test_whatever_the_first_lines_are_they_are_read_or_refused_by_name(folder, text):
    try:
        ratings = read(folder, text, on_error="skip")
        assert ratings.n_ratings > 0
    except InputError as error:
        assert "mine.csv" in str(error)


def test_few_bytes_are_looked_at(folder, monkeypatch):
    monkeypatch.setattr(first_lines, "SAMPLE", 30)
    text = "ann,x,3,1\n" * 3 + "ann,y,5\n"
    with pytest.raises(InputError, match="line 4: expected 4 fields"):
        read(folder, text, combine="sum")
