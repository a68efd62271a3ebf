"""The reader beneath every data set: against Python's own split, float and datetime, and against every way a file can be bad."""

import datetime
import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acai import InputError, datasets
from acai.tables import kernels
from acai.tables.columns import ZULU, Ids, Numbers, Times
from acai.tables.lines import BLOCK, Lines, TableFormat
from acai.tables.reader import read_table, whole_lines

# Everything that ends a line for str.splitlines, and what else has led readers astray: none of it may matter here
ODD = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\"',;|ß坂本é🎵 "
TEXT = st.text(
    st.one_of(st.sampled_from("ab" + ODD), st.characters(exclude_characters="\n\r\t\0", exclude_categories=["Cs"])),
    min_size=1,
)
ROWS = st.lists(st.tuples(TEXT, TEXT, st.integers(0, 10**15 - 1)), min_size=1, max_size=20)


def write(folder, text, name="plays.tsv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reading")


def read(path, separator="\t", header=False, encoding="utf-8", **options):
    columns = {"user": Ids(0), "song": Ids(1), "count": Numbers(2, np.float64)}
    form = TableFormat(("user", "song", "count"), separator=separator, header=header, encoding=encoding)
    table = read_table(path, form, columns, **options)
    return table, list(zip(table.texts("user"), table.texts("song"), table.columns["count"].tolist()))


def skipped_lines(table):
    return sorted(line for lines in table.skipped.values() for line in lines)


@given(
    ROWS,
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 200),
    st.sampled_from(["\t", "::", "<SEP>"]),
)
def test_reads_what_was_written(folder, rows, end, bom, ends_with_newline, block_size, separator):
    if any(separator[0] in user + song for user, song, _ in rows):
        separator = "\t"
    lines = [separator.join(map(str, row)) for row in rows]
    raw = b"\xef\xbb\xbf" * bom + (end.join(lines) + end * ends_with_newline).encode()
    block_size = max(block_size, max(len(line.encode()) for line in lines) + 5)
    table, found = read(write(folder, raw), separator=separator, block_size=block_size)
    assert found == [(user, song, float(n)) for user, song, n in rows]
    assert table.ids["user"] == list(dict.fromkeys(user for user, _, _ in rows))  # numbered in order of appearance
    assert table.columns["user"].dtype == np.int32


@given(st.lists(st.text("abc", min_size=1, max_size=20), min_size=1, max_size=300), st.integers(40, 400))
def test_ids_are_numbered_as_a_dict_would(folder, names, block_size):
    # more ids than the first hash table holds, in many blocks, so that it grows
    names = names + [f"{name}{j}" for j, name in enumerate(names)] + [f"{j:x}" for j in range(700)]
    raw = "".join(f"{name}\tx\t1\n" for name in names)
    table, _ = read(write(folder, raw), block_size=block_size)
    numbers = {}
    assert table.columns["user"].tolist() == [numbers.setdefault(name, len(numbers)) for name in names]
    assert table.ids["user"] == list(numbers)


NUMBERS = st.one_of(
    st.integers(0, 10**18).map(str),
    st.decimals(0, 10**9, places=6).map(str),
    st.floats(0, 1e30).map(repr),
    st.text("0123456789.eE+-_ x", min_size=1, max_size=8),
    st.sampled_from(["nan", "inf", "-1", "-0.5", "1_000", "٣", "", "1e39", "-0", "+5", " 7", ".5", "5.", "."]),
)


@given(st.lists(NUMBERS, min_size=1, max_size=10))
def test_numbers_are_read_as_python_reads_them(folder, texts):
    def expected(text):
        try:
            value = float(text) if text.isascii() and "_" not in text else -1
        except ValueError:
            return None
        return value if 0 <= value <= float(np.finfo(np.float32).max) else None

    fine = [value for value in map(expected, texts) if value is not None]
    path = write(folder, "".join(f"u\ts\t{text}\n" for text in [*texts, "1"]))
    table, rows = read(path, on_error="skip")
    assert [value for *_, value in rows] == [*fine, 1]
    faulty = [j + 1 for j, text in enumerate(texts) if expected(text) is None]
    assert skipped_lines(table) == faulty
    if faulty:
        line = faulty[0]
        with pytest.raises(
            InputError, match=rf"plays.tsv, line {line}: expected a number of at least 0 as count; found 'u\\ts"
        ):
            read(path)


MOMENTS = st.datetimes(datetime.datetime(1600, 1, 1), datetime.datetime(9999, 12, 31)).map(
    lambda t: t.replace(microsecond=0)
)


@given(
    st.one_of(
        MOMENTS.map(lambda t: t.isoformat() + "Z"),
        st.from_regex(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z", fullmatch=True),
    )
)
@example("2000-02-29T00:00:00Z")
@example("1900-02-29T00:00:00Z")
@example("2009-05-04T23:08:57")
@example("2009-05-04 23:08:57Z")
@example("2009-05-04T24:00:00Z")
@example("2009-5-4T23:08:57Z")
@example("")
def test_times_are_read_as_python_reads_them(folder, text):
    try:
        moment = (
            datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
            if len(text) == 20
            else None
        )
    except ValueError:
        moment = None
    path = write(folder, f"{text}\n2009-05-04T23:08:57Z\n", "times.txt")
    table = read_table(path, TableFormat(["time"]), {"time": Times(0)}, on_error="skip")
    assert table.columns["time"].tolist() == ([int(moment.timestamp())] if moment else []) + [1241478537]


@given(MOMENTS, st.sampled_from("+-"), st.sampled_from(["00:00", "01:00", "0530", "23:59", "24:00", "00:60"]), st.booleans())
def test_times_of_other_zones_are_read_as_python_reads_them(folder, moment, sign, ahead, has_fraction):
    """In compiled code: with `any_form`, Python reads what that does not, and would hide it."""
    text, fraction = moment.isoformat(), ".25" if has_fraction else ""
    text += f"{fraction}{sign}{ahead}"
    is_zone = ahead not in ("24:00", "00:60")  # Python 3.11 accepts the latter
    seconds = [int(datetime.datetime.fromisoformat(text).timestamp() // 1)] if is_zone else []
    path = write(folder, f"{text}\n2009-05-04T23:08:57{fraction}{sign}{'00:00' if ':' in ahead else '0000'}\n", "times.txt")
    times = Times(0, f"0000-00-00T00:00:00{'.00' if has_fraction else ''}{sign}{'00:00' if ':' in ahead else '0000'}")
    table = read_table(path, TableFormat(["time"]), {"time": times}, on_error="skip")
    assert table.columns["time"].tolist() == [*seconds, 1241478537]


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(1, 12))
def test_blocks_hold_whole_lines_and_lose_nothing(lines, block_size):
    lines = [line.replace(b"\n", b"") for line in lines]
    raw = b"".join(line + b"\n" for line in lines)
    found = []
    for block in whole_lines(io.BytesIO(raw), block_size):
        assert block.endswith(b"\n")
        found += block.split(b"\n")[:-1]
    # a line that fits its block comes whole; of one that does not, enough comes in its place to see that it is too long
    assert len(found) == len(lines)
    assert all(f == line or (len(f) > block_size and line.startswith(f)) for f, line in zip(found, lines))


def cut(raw, fields, separator):
    return Lines(raw, TableFormat(fields, separator=separator), 1000)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_the_kernels_do_the_same_uncompiled(rows):
    raw = "".join(f"{user}\t{song}\t4.5\t2009-05-04T23:08:57Z\n" for user, song in rows).encode()
    lines = cut(raw, ("user", "song", "n", "time"), "\t")
    n, block, starts, ends = len(rows), lines.block, lines.starts, lines.ends
    assert kernels.decimals.py_func(block, starts[2], ends[2], ord(".")).tolist() == [4.5] * n
    zulu = np.frombuffer(ZULU.encode(), np.uint8)
    assert kernels.clock.py_func(block, starts[3], ends[3], zulu).T.tolist() == [[2009, 5, 4, 23, 8, 57, 0, 0, 0]] * n
    assert Times(3).read(lines).tolist() == [1241478537] * n and not lines.fault.any()
    ids = Ids(0, 1)
    compiled = ids.read(lines)
    pool, offsets = np.zeros(16 * len(raw), np.uint8), np.zeros(n + 1, np.int64)
    table = kernels.IdTable(np.full(64, -1, np.int32), ids.key, pool, offsets)
    with np.errstate(over="ignore"), pytest.MonkeyPatch.context() as patch:  # hashing adds modulo 2⁶⁴
        for name in ("find_slot", "sip_round", "rotate"):
            patch.setattr(kernels, name, getattr(kernels, name).py_func)
        codes, n_ids = kernels.intern.py_func(block, starts[:2], ends[:2], lines.fault, table, 0)
    assert np.array_equal(codes, compiled) and n_ids == ids.n
    assert ids.ids("utf-8") == list(dict.fromkeys(rows))


@given(st.lists(st.text("ab:", max_size=9), min_size=1, max_size=6), st.sampled_from([":", "::", ":a:", "aa"]), st.integers(1, 3))
def test_lines_are_cut_as_split_cuts_them(texts, separator, n_fields):
    raw = "".join(f"{text}\n" for text in texts).encode()
    lines = cut(raw, [f"f{f}" for f in range(n_fields)], separator)
    for line, text in enumerate(texts):
        expected = text.split(separator)
        assert (lines.fault[line] == 0) == (len(expected) == n_fields)
        if len(expected) == n_fields:
            spans = zip(lines.starts[:, line], lines.ends[:, line])
            assert [lines.block[start:end].tobytes().decode() for start, end in spans] == expected


def test_ids_that_differ_only_at_the_end_are_different(folder):
    names = [f"{'x' * 100}{j}" for j in range(5000)]
    table, _ = read(write(folder, "".join(f"{name}\ts\t1\n" for name in names)))
    assert table.columns["user"].tolist() == list(range(5000))


def test_the_hash_is_siphash():
    # SipHash-2-4 of 00 … 0e under the key 00 … 0f, from its authors' paper, made of the same rounds
    word = [np.uint64(int.from_bytes(bytes(range(start, start + 8)), "little")) for start in (0, 8)]
    state = [np.uint64(initial) ^ word[j % 2] for j, initial in enumerate(kernels.INITIAL)]
    message = [word[0], np.uint64(int.from_bytes([*range(8, 15), 15], "little"))]
    with np.errstate(over="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "rotate", kernels.rotate.py_func)
        for m in message:
            state[3] ^= m
            state = kernels.sip_round.py_func(*kernels.sip_round.py_func(*state))
            state = [state[0] ^ m, *state[1:]]
        state[2] ^= np.uint64(0xFF)
        for _ in range(4):
            state = kernels.sip_round.py_func(*state)
    assert state[0] ^ state[1] ^ state[2] ^ state[3] == 0xA129CA6149BE45E5


def test_ids_that_were_made_to_collide_do_not(folder):
    # pairs of words that the hash before this one could not tell apart, whatever number it began with; 2¹⁴ ids of 28 words
    ids = Ids(0)
    flip = np.array([0, 1 << 63, 0, (1 << 63) | (1 << 31)], dtype=np.uint64)
    words = np.array([[*pair] for pair in (flip[::2], flip[1::2])]) ^ np.uint64(0x4141414141414141)
    raw = b"".join(
        b"".join(words[(n >> bit) & 1].tobytes() for bit in range(14)).replace(b"\xc1", b"\x42") + b"\n" for n in range(1 << 14)
    )
    codes = ids.read(Lines(raw, TableFormat(("id",), encoding="latin-1"), 1000))
    assert codes.tolist() == list(range(1 << 14))
    taken = np.flatnonzero(ids.slots >= 0)
    runs = np.split(taken, np.flatnonzero(np.diff(taken) > 1) + 1)
    assert max(map(len, runs)) < 200  # slots in a row; all collided, it would be 2¹⁴


def test_a_count_that_does_not_fit_is_refused(folder, monkeypatch):
    monkeypatch.setattr("acai.arrays.LARGEST_COUNT", 3)
    path = write(folder, GOOD * 4)
    with pytest.raises(InputError, match=r"plays.tsv: 4 lines; acai counts up to 3 of them: take a sample"):
        read(path)


def test_a_time_that_no_integer_holds_is_refused(folder):
    for number in ("1e30", "9007199254740994"):
        path = write(folder, f"{number}\n")
        with pytest.raises(InputError, match="line 1: expected an integer of at least 0"):
            read_table(path, TableFormat(["time"]), {"time": Numbers(0, np.int64)})


GOOD = "ann\tblackbird\t3\n"
BAD = {
    "too few fields": (
        "ann\t3\n",
        "expected 3 fields (user, song, count) separated by '\\t'; found 'ann\\t3' (2 fields)",
    ),
    "too many fields": (
        "a\tb\t3\t4\n",
        "expected 3 fields (user, song, count) separated by '\\t'; found 'a\\tb\\t3\\t4' (4 fields)",
    ),
    "an empty line": ("\n", "expected 3 fields (user, song, count) separated by '\\t'; found an empty line"),
    "an empty id": ("ann\t\t3\n", "expected a non-empty song; found 'ann\\t\\t3' (3 fields)"),
    "a negative value": ("a\tb\t-3\n", "expected a number of at least 0 as count; found 'a\\tb\\t-3' (3 fields)"),
    "not a number": ("a\tb\tNaN\n", "expected a number of at least 0 as count; found 'a\\tb\\tNaN' (3 fields)"),
    "no UTF-8": (b"a\xff\tb\t3\n", "expected UTF-8 text; found 'a\\\\xff\\tb\\t3' (3 fields)"),
    "a NUL": ("a\0\tb\t3\n", "expected no NUL byte; found 'a\\x00\\tb\\t3' (3 fields)"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_faulty_line_is_named(folder, bad, end):
    line, expected = BAD[bad]
    line = line if isinstance(line, bytes) else line.encode()
    raw = GOOD.encode() * 2 + line + b"bob\tyesterday\t1\n" + line
    path = write(folder, raw.replace(b"\n", end))
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == f"{path}, line 3: {expected}"
    table, rows = read(path, on_error="skip")
    assert rows == [("ann", "blackbird", 3)] * 2 + [("bob", "yesterday", 1)]
    assert skipped_lines(table) == [3, 5]
    assert table.ids["user"] == ["ann", "bob"] and table.ids["song"] == [
        "blackbird",
        "yesterday",
    ]  # nobody from a faulty line
    assert [table.line_of(row) for row in range(3)] == [1, 2, 4]
    assert table.notes()[1].startswith("2 lines skipped: expected ") and table.notes()[1].endswith(" (line 3, 5)")


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_or_refused(folder, raw):
    path = write(folder, raw, "any")
    try:
        read(path, on_error="skip", block_size=16)
    except InputError as error:
        assert str(path) in str(error)


READERS = ["movielens_100k", "movielens_1m", "hetrec_lastfm", "hetrec_artists", "lastfm_1k", "lastfm_1k_profiles", "taste_profile"]
READERS += ["msd_tracks", "msd_mismatches", "acai_game", "acai_game_titles", "fma", "triplets", "movielens_titles"]
READERS += ["listening_history"]
BITS = [b"\t", b"::", b"\n", b'"', b"{", b"}", b":", b",", b"1", b"a", b"\xff", b"\0"]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(BITS), max_size=30).map(b"".join))


@pytest.mark.parametrize("reader", READERS)
@given(raw=BYTES)
@example(raw=b'{"a": {"b": 1e400}}')
@example(raw=b'{"a": 1}')
@example(raw=b"PK\x03\x04")
@example(raw=b"\x1f\x8b\x08\x00")
@example(raw=b'{"a": {"b": ' + b"9" * 5000 + b"}}")
@example(raw=b'{"a":' + b"[" * 100_000)
@example(raw=b'{"\\ud800": {"b": 1}}')
@example(raw=b"BZh91AY&SY and no more")
@example(raw=b"\xfd7zXZ\0 and no more")
@settings(max_examples=30)
def test_whatever_a_file_holds_only_a_mistake_is_raised(folder, reader, raw):
    path = write(folder, raw, f"{reader}.bin")
    try:
        getattr(datasets, reader)(path)
    except InputError as error:
        assert str(path) in str(error)


class Endless(io.RawIOBase):
    """A file that is one line of a billion bytes, without the bytes."""

    def __init__(self, n):
        self.left, self.served = n, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(len(buffer), self.left)
        self.left -= size
        self.served += size
        buffer[:size] = b"x" * size
        return size


def test_a_line_of_a_billion_bytes_is_refused_before_it_is_read():
    stream = Endless(10**9)
    block = next(whole_lines(io.BufferedReader(stream)))
    assert BLOCK < len(block) - 1 <= BLOCK + 1  # enough to see that it is too long
    assert stream.served < 20 * 2**20


def test_a_line_that_is_too_long_is_named_and_skipped(folder):
    path = write(folder, GOOD + "x" * 5000 + "\n" + GOOD + "y" * 3000)
    with pytest.raises(InputError, match=r"line 2: expected a line of at most 1,000 bytes; found 'xxx.*…' \(1 field\)"):
        read(path, block_size=1000)
    table, rows = read(path, block_size=1000, on_error="skip")
    assert rows == [("ann", "blackbird", 3)] * 2
    assert skipped_lines(table) == [2, 4]


def test_a_long_line_is_not_made_short_by_its_separators(folder):
    for n in range(1, 30):  # whatever is left of the line when it is cut off
        path = write(folder, f"{'y' * n}<SEP>song<SEP>1\nann<SEP>{'x' * 900}<SEP>{'3' * 100}\nbob<SEP>song<SEP>1\n")
        with pytest.raises(InputError, match="line 2: expected a line of at most 1,000 bytes"):
            read(path, block_size=1000, separator="<SEP>")


def test_no_message_is_as_long_as_a_stranger_likes(folder):
    """Five thousand columns, each of which would be named."""
    path = folder / "wide.tsv"
    path.write_text("\t".join(f"c{n}" for n in range(5000)) + "\n1\t2\n")
    with pytest.raises(InputError, match=r"wide\.tsv, .*expected 5000 fields .* … .*found '1") as error:
        datasets.triplets(path, header=True)
    assert len(str(error.value)) < 1100


def test_a_repeated_pair_is_named_with_both_lines(tmp_path):
    path = write(tmp_path, "ann\tx\t3\nfaulty\nbob\tx\t1\nann\ty\t1\nbob\tx\t2\nann\tx\t9\n")
    with pytest.raises(InputError, match="line 2: expected 3 fields"):
        datasets.triplets(path)
    path = write(tmp_path, path.read_text().replace("faulty\n", ""))
    with pytest.raises(InputError) as error:
        datasets.triplets(path)
    assert str(error.value) == (
        f"{path}, line 4: expected each pair of user and song once; found user 'bob' and song 'x', as on line 2 already"
    )
    ratings = datasets.triplets(path, on_error="skip")
    assert list(ratings.triplets()) == [("ann", "x", 3), ("ann", "y", 1), ("bob", "x", 1)]  # the first of each
    assert "2 lines skipped: expected each pair of user and song once (line 4, …)" in ratings.notes
    assert datasets.triplets(path, combine="sum").csr.toarray().tolist() == [[12, 1], [3, 0]]


def test_the_line_of_a_repeated_pair_counts_the_skipped_ones_too(tmp_path):
    path = write(tmp_path, "ann\tx\t3\nfaulty\nbob\tx\t1\nann\tx\t9\n")
    assert "1 line skipped: expected each pair of user and song once (line 4, …)" in datasets.triplets(path, on_error="skip").notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected user, song and value with a separator between them; found ''"),
        ("ann blackbird\n", "expected user, song and value with a separator between them; found 'ann blackbird'"),
        ("ann\tx\tmany\n", "line 1: expected a number as field 3; found"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        datasets.triplets(write(tmp_path, text))


def test_an_empty_file(tmp_path):
    with pytest.raises(InputError, match=r"u.data is empty; expected lines of 4 fields: user, item, rating, timestamp"):
        datasets.movielens_100k(write(tmp_path, "", "u.data"))
    with pytest.raises(InputError, match=r"user_artists.dat is empty"):
        datasets.hetrec_lastfm(write(tmp_path, "", "user_artists.dat"))
    with pytest.raises(InputError, match=r"user_artists.dat, line 1: expected the header .* found ''"):
        datasets.hetrec_lastfm(write(tmp_path, b"\xef\xbb\xbf", "user_artists.dat"))  # a byte order mark alone
    with pytest.raises(InputError, match=r"no line could be used; .*user_artists.dat: 0 rows"):
        datasets.hetrec_lastfm(write(tmp_path, "userID\tartistID\tweight\r\n", "user_artists.dat"))


def test_a_folder_where_a_file_was_meant(tmp_path):
    with pytest.raises(InputError, match="is a folder; expected a file"):
        datasets.triplets(tmp_path)
    write(tmp_path, GOOD, "u.dat")
    with pytest.raises(InputError, match=r"has no file 'u.data'; there is: u.dat"):
        datasets.movielens_100k(tmp_path)


def test_a_file_that_is_not_there(tmp_path):
    write(tmp_path, GOOD, "plays.tsv")
    with pytest.raises(InputError, match=r"has no file 'play.tsv'; there is: plays.tsv") as error:
        datasets.triplets(tmp_path / "play.tsv")
    assert str(error.value).count("play.tsv") == 1


def archives(folder, raw, name="set/u.data"):
    """The same file in every wrapping."""
    (folder / "set").mkdir()
    (folder / name).write_bytes(raw)
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("set/README", "read me")
        archive.writestr(name, raw)
    for suffix, mode in (("tar.gz", "w:gz"), ("tar", "w")):
        with tarfile.open(folder / f"a.{suffix}", mode) as archive:
            archive.add(folder / "set", "set")
    (folder / "u.data.gz").write_bytes(gzip.compress(raw))
    return [folder / "set", folder / name, *(folder / f for f in ("a.zip", "a.tar.gz", "a.tar", "u.data.gz"))]


def test_every_wrapping_gives_the_same(tmp_path):
    raw = "".join(f"u{j % 7}\ts{j}\t{j % 5 + 1}\t{j}\n" for j in range(300)).encode()
    first, *others = [datasets.movielens_100k(path) for path in archives(tmp_path, raw)]
    for other in others:
        assert list(other.triplets()) == list(first.triplets())
        assert np.array_equal(other.times, first.times)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.tar",
        "a.tar.gz",
        "a.zip",
        "set",
        "u.data.gz",
    ]  # none unpacked


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_archive_says_so(tmp_path, share):
    rng = np.random.default_rng(0)
    raw = "".join(f"u{j % 7}\ts{j}\t{rng.integers(1, 6)}\t{rng.integers(1 << 30)}\n" for j in range(10000)).encode()
    for path in archives(tmp_path, raw)[2:]:
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(InputError, match=r"damaged|cut off|has no file"):
            datasets.movielens_100k(path, complete=True)


def test_an_archive_with_several_files_wants_a_name(tmp_path):
    path = archives(tmp_path, GOOD.encode(), "set/plays.tsv")[2]
    with pytest.raises(InputError, match=r"holds 2 files \(set/README, set/plays\.tsv"):
        datasets.triplets(path)
    (tmp_path / "set" / "README").write_text("read me")
    for name, several in (("one.tar.gz", False), ("two.tar.gz", True)):
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.add(tmp_path / "set" / "plays.tsv", "plays.tsv")
            if several:
                archive.add(tmp_path / "set" / "README", "README")
    assert datasets.triplets(tmp_path / "one.tar.gz").n_ratings == 1
    with pytest.raises(InputError, match=r"two\.tar\.gz holds 2 files"):
        datasets.triplets(tmp_path / "two.tar.gz")


def test_the_header_must_be_there(tmp_path):
    path = write(tmp_path, "2\t51\t13883\n", "user_artists.dat")
    with pytest.raises(
        InputError, match=r"line 1: expected the header 'userID\\tartistID\\tweight'; found '2\\t51\\t13883'"
    ):
        datasets.hetrec_lastfm(path)


def test_names_of_fields_are_a_header_on_the_first_line_only(tmp_path):
    header = "user\tsong\tplays\n"
    assert list(datasets.triplets(write(tmp_path, header + "a\tb\t1\n")).triplets()) == [("a", "b", 1)]
    with pytest.raises(InputError, match=r"line 2: expected a number as field 3; .*\(3 fields\)$"):
        datasets.triplets(write(tmp_path, "a\tb\t1\n" + header))


def test_texts_may_be_empty(tmp_path):
    columns = {"id": Ids(0), "text": Ids(1, may_be_empty=True)}
    table = read_table(write(tmp_path, "1\t\n2\tzwei\n3\t\n"), TableFormat(("id", "text")), columns)
    assert table.texts("text") == ["", "zwei", ""]


def test_an_unknown_on_error_is_refused():
    with pytest.raises(InputError, match=r"no way to treat a faulty line .*'ignore'; there is: raise, skip"):
        datasets.triplets(__file__, separator=" ", on_error="ignore")
