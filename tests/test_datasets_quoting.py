"""Quoted fields against Python's csv module, UTF-16, MovieLens in its newer form, and what a Mac adds to an archive."""

import csv
import io
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acai import InputError, datasets
from acai.tables import quoting
from acai.tables.columns import Ids, Numbers
from acai.tables.lines import TableFormat
from acai.tables.reader import read_table

TEXT = st.text(st.sampled_from('ab",\n\r ;é\u2028坂'), min_size=1, max_size=6)
ROWS = st.lists(st.tuples(TEXT, TEXT, st.integers(-9, 9)), min_size=1, max_size=9)
QUOTED = TableFormat(("user", "song", "count"), separator=",", quoted=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quoting")


def written(rows, quoting=csv.QUOTE_MINIMAL, end="\n", separator=","):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return file.getvalue()


def read(path, raw, form=QUOTED, **options):
    path.write_bytes(raw)
    columns = {"user": Ids(0), "song": Ids(1), "count": Numbers(2, np.float64, may_be_negative=True)}
    table = read_table(path, form, columns, **options)
    return table, list(zip(table.texts("user"), table.texts("song"), table.columns["count"].tolist()))


@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]), st.integers(1, 300))
def test_what_the_csv_module_writes_is_read_back(folder, rows, style, end, block_size):
    longest = max(len(written([row], csv.QUOTE_ALL).encode()) for row in rows)
    table, found = read(folder / "t.csv", written(rows, style, end).encode(), block_size=max(longest + 1, block_size))
    assert found == rows
    line = 1
    for row, (user, song, _) in enumerate(rows):  # a newline in a field begins another line of the file
        assert table.line_of(row) == line
        line += 1 + user.count("\n") + song.count("\n")


BITS = st.lists(st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"a", b"1", b"\xff", b"\0"]), max_size=40).map(b"".join)


@given(BITS, st.sampled_from([8, 1000]))
@example(b'"', 8)
@example(b'a,"b\n', 8)
@settings(max_examples=200)
def test_any_quotation_marks_are_read_or_refused(folder, raw, block_size):
    try:
        read(folder / "any.csv", raw, on_error="skip", block_size=block_size)
    except InputError as error:
        assert "any.csv" in str(error)


@given(BITS, st.integers(0, 20))
@settings(max_examples=50)
def test_the_kernel_does_the_same_uncompiled(raw, longest_open):
    block = np.frombuffer(raw + b"\n", np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        compiled = quoting.unquoted(block, ord(","), longest_open)
        patch.setattr(quoting, "field", quoting.field.py_func)
        for ours, theirs in zip(quoting.unquoted.py_func(block, ord(","), longest_open), compiled):
            assert np.array_equal(ours, theirs)


def test_a_stray_quotation_mark_spoils_one_line(folder):
    raw = b'ann,"Heroes,3\nbob,5" single,1\n"cleo","a ""b""\nc",4\n"x"y,z,1\nann,"So What",2\n'
    message = r"line 1: expected a field that begins with a quotation mark to end with one; found 'ann,\"Heroes,3' \(1 field\)"
    with pytest.raises(InputError, match=message):
        read(folder / "stray.csv", raw)
    table, rows = read(folder / "stray.csv", raw, on_error="skip")
    assert rows == [("bob", '5" single', 1), ("cleo", 'a "b"\nc', 4), ("ann", "So What", 2)]
    assert table.skipped == {"a field that begins with a quotation mark to end with one": [1, 5]} and table.continued == [4]
    assert [table.line_of(row) for row in range(3)] == [2, 3, 6]


def test_a_quotation_mark_that_is_never_closed_takes_no_more_than_a_line(folder):
    raw = b'ann,"' + b"x" * 400 + b"\n" + b"bob,song,1\n" * 200
    for block_size in (410, 500, 1 << 22):
        table, rows = read(folder / "open.csv", raw, on_error="skip", block_size=block_size)
        assert rows == [("bob", "song", 1)] * 200 and [*table.skipped.values()] == [[1]]


def test_a_faulty_line_after_long_ones_is_named(folder):
    raw = b'ann,"a\nb",1\nbob,c\n'
    with pytest.raises(InputError, match=r"line 3: expected 3 fields .* found 'bob,c' \(2 fields\)"):
        read(folder / "f.csv", raw)
    with pytest.raises(InputError, match=r"line 2: expected UTF-8 text; found"):
        read(folder / "f.csv", b'"ann",a,1\n"bob","\xff",1\n')


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_utf_16_is_converted_as_it_is_read(folder, encoding):
    rows = [("坂本", "Sigur Rós", 3.0), ("b", "c", 2.0)] * 9
    _table, found = read(folder / "u.csv", "\n".join(",".join(map(str, row)) for row in [("a", "b", 1.0), *rows]).encode(encoding))
    assert found == [("a", "b", 1.0), *rows]
    if encoding.startswith("utf-16"):
        with pytest.raises(InputError, match=r"expected UTF-16-.E text throughout; truncated data"):
            read(folder / "u.csv", "a,b,1\n".encode(encoding) + b"x")


# ------------------------------------------------------------------ MovieLens


MOVIES = [("1", "Toy Story (1995)", "Comedy"), ("11", "American President, The (1995)", "Drama"), ("3", 'The "Who"', "x|y")]


def write_movielens(folder):
    folder.mkdir()
    lines = ["userId,movieId,rating,timestamp", "1,1,4.0,964982703", "1,11,0.5,964981247", "2,3,5.0,1", ""]
    (folder / "ratings.csv").write_text("\r\n".join(lines))
    (folder / "movies.csv").write_text("movieId,title,genres\r\n" + written(MOVIES, end="\r\n"), newline="")
    return folder


@pytest.mark.parametrize("reader", [datasets.movielens_latest, datasets.movielens_25m, datasets.movielens_32m])
def test_movielens_in_its_newer_form(tmp_path, reader):
    folder = write_movielens(tmp_path / "ml-latest-small")
    ratings = reader(folder)
    assert list(ratings.triplets()) == [("1", "1", 4), ("1", "11", 0.5), ("2", "3", 5)]
    assert ratings.times.tolist() == [964982703, 964981247, 1]
    assert datasets.movielens_titles(folder) == {movie: title for movie, title, _ in MOVIES}
    if reader is datasets.movielens_latest:
        message = "complete=True, but no numbers are published"
    else:
        message = r"is not complete: (25,000,095 rows, 162,541|32,000,204 rows, 200,948) users were published"
    with pytest.raises(InputError, match=message):
        reader(folder, complete=True)


def test_every_movielens_has_a_name_and_a_place(tmp_path):
    names = {name for name in datasets.READERS if name.startswith("movielens")}
    assert names == {f"movielens-{edition}" for edition in ("100k", "1m", "latest-small", "latest", "25m", "32m")}
    from acai.datasets.catalogue import CATALOGUE

    assert names <= set(CATALOGUE) and names <= set(datasets.TITLES)
    assert all(datasets.READERS[name] is getattr(datasets, CATALOGUE[name].reader) for name in names)


# ------------------------------------------------------------------ what systems add

JUNK = ["__MACOSX/._ratings.csv", "__MACOSX/set/._ratings.csv", ".DS_Store", "set/.DS_Store", "set/Thumbs.db"]
JUNK += ["desktop.ini", "set/._a"]


@pytest.mark.parametrize("name", ["ratings.csv", "set/ratings.csv"])
def test_what_a_mac_or_windows_adds_to_an_archive_is_no_file(tmp_path, name):
    files = dict.fromkeys(JUNK[:4], b"\0\5\x16\7") | {name: b"ann,x,3\n"} | dict.fromkeys(JUNK[4:], b"\0\5\x16\7")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for member, content in files.items():
            archive.writestr(member, content)
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    for path in (tmp_path / "a.zip", tmp_path / "a.tar.gz"):
        assert list(datasets.triplets(path).triplets()) == [("ann", "x", 3)]


def test_a_file_of_the_right_name_among_what_a_mac_adds_is_not_taken(tmp_path):
    folder = write_movielens(tmp_path / "ml")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "ratings.csv").write_bytes(b"\0\5\x16\7")
    with zipfile.ZipFile(tmp_path / "ml.zip", "w") as archive:
        for name in ("__MACOSX/ratings.csv", "ratings.csv"):
            archive.write(folder / name, name)
    for path in (folder, tmp_path / "ml.zip"):
        assert datasets.movielens_latest(path).n_ratings == 3
