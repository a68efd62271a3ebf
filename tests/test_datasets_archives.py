"""Archives and compressed files from strangers: every lie they can tell ends in one sentence, quickly and in little memory."""

import bz2
import gzip
import io
import lzma
import os
import random
import shutil
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import pytest

from acai import InputError, datasets
from acai.datasets.unpack import unpack
from acai.tables import streams
from acai.tables.source import members, opened

LINES = "".join(f"u{j % 7}\ts{j}\t{j % 5 + 1}\t{j}\n" for j in range(3000)).encode()
COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def write(folder, name, raw):
    (folder / name).write_bytes(raw)
    return folder / name


def tar_bytes(*entries, mode="w", **options):
    """A tar archive of (name, content) or of whole headers with their content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as archive:
        for name, content in entries:
            header = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            header.size = header.size or len(content)
            archive.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


def zip_bytes(*entries, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def header(name="u.data", size=0, kind=tarfile.REGTYPE, pax=None):
    """A header with whatever it claims, and nothing behind it."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.pax_headers = size, kind, pax or {}
    return info.tobuf(tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT)


def central(raw, at, **changes):
    """A zip archive with other numbers in the first entry of its list of files."""
    start = raw.index(b"PK\1\2")
    form, place = {"flags": ("<H", 8), "method": ("<H", 10), "size": ("<I", 24), "disk": ("<H", 34), "offset": ("<I", 42)}[at]
    return raw[: start + place] + struct.pack(form, *changes.values()) + raw[start + place + struct.calcsize(form) :]


# ------------------------------------------------------------------ compressed files


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compressed_files_are_read_to_their_real_end(tmp_path, suffix):
    compress = COMPRESS[suffix]
    expected = list(datasets.movielens_100k(write(tmp_path, "u.data", LINES)).triplets())
    whole = compress(LINES)
    parts = compress(LINES[:20_000]) + compress(LINES[20_000:])
    for raw in (whole, parts, whole + b"\0" * 1024, parts + b"\0" * 300_000):
        assert list(datasets.movielens_100k(write(tmp_path, f"u.data.{suffix}", raw)).triplets()) == expected
    for raw in (whole[:-1], whole[: len(whole) // 2], whole + b"garbage", whole + b"\0\0x", parts[:-3], whole[:12]):
        with pytest.raises(InputError, match=r"u\.data\.\w+ is damaged, or its download was cut off \(.*\); download it again"):
            datasets.movielens_100k(write(tmp_path, f"u.data.{suffix}", raw))


@pytest.mark.parametrize("suffix", COMPRESS)
def test_every_tar_archive_has_the_same_rules(tmp_path, suffix):
    raw = tar_bytes(("set/README", b"read me"), ("set/u.data", LINES))
    path = write(tmp_path, f"a.tar.{suffix}", COMPRESS[suffix](raw))
    assert datasets.movielens_100k(path).n_ratings == 3000
    path = write(tmp_path, "nameless", path.read_bytes())
    assert datasets.movielens_100k(path).n_ratings == 3000
    path = write(tmp_path, f"b.tar.{suffix}", COMPRESS[suffix](raw[: raw.index(LINES[:20]) + 2000]))
    with pytest.raises(InputError, match="is damaged, or its download was cut off"):
        datasets.movielens_100k(path)


def bomb(compress, n, unit=b"\0" * (1 << 20)):
    """`n` times a MiB, compressed."""
    if compress is gzip.compress:
        coder = zlib.compressobj(9, zlib.DEFLATED, 31)
    else:
        coder = bz2.BZ2Compressor() if compress is bz2.compress else lzma.LZMACompressor()
    return b"".join(coder.compress(unit) for _ in range(n)) + coder.flush()


READ_WHOLE = ["acai_game", "acai_game_titles", "msd_mismatches", "fma", "triplets", "lastfm_1k", "msd_tracks"]


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """A few kilobytes that unpack to 24 MiB; the limit is made smaller where they are used."""
    folder = tmp_path_factory.mktemp("bombs")
    return [write(folder, f"x.{suffix}", bomb(compress, 24)) for suffix, compress in COMPRESS.items()]


@pytest.mark.parametrize("reader", READ_WHOLE)
def test_a_bomb_is_refused_in_bounded_memory(bombs, reader, monkeypatch):
    monkeypatch.setattr(streams, "GRACE", 1 << 20)
    monkeypatch.setattr(streams, "RATIO", 1)
    read = getattr(datasets, reader)
    with pytest.raises(InputError):  # once without being measured: imports and compiled kernels take memory, too
        read(bombs[0])
    for path in bombs:
        tracemalloc.start()
        with pytest.raises(InputError) as error:
            read(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert str(path) in str(error.value) and len(str(error.value)) < 700
        assert peak < (12 << 20)


@pytest.mark.parametrize("form", ["gz", "bz2", "xz", "tar.gz", "zip"])
def test_no_file_unpacks_to_more_than_it_may(tmp_path, monkeypatch, form):
    monkeypatch.setattr(streams, "GRACE", 1 << 12)
    content = b"ann\tblackbird\t3\n" * 30_000
    whole = tar_bytes(("mine.tsv", content)) if form == "tar.gz" else content
    raw = zip_bytes(("mine.tsv", content)) if form == "zip" else COMPRESS[form.removeprefix("tar.")](whole)
    path = write(tmp_path, f"mine.tsv.{form}" if "." not in form else f"a.{form}", raw)
    monkeypatch.setattr(streams, "RATIO", len(whole) // len(raw) + 1)
    assert datasets.triplets(path, combine="sum").n_ratings == 1
    monkeypatch.setattr(streams, "RATIO", len(whole) // len(raw) // 2)
    with pytest.raises(InputError, match=r"(unpacks to more than|says that .* has) .*made to fill memory or disk"):
        datasets.triplets(path, combine="sum")
    if form in ("zip", "tar.gz"):
        with pytest.raises(InputError, match="made to fill memory or disk"):
            unpack(path, tmp_path / "set")
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_xz_file_cannot_ask_for_terabytes(tmp_path, monkeypatch):
    path = write(tmp_path, "u.data.xz", lzma.compress(LINES, preset=9))
    monkeypatch.setattr(streams, "DICTIONARY", 1 << 16)
    with pytest.raises(InputError, match=r"is damaged.*Memory usage limit"):
        datasets.movielens_100k(path)


# ------------------------------------------------------------------ tar


HOSTILE_TARS = {
    "a size of 2⁶²": header(size=1 << 62) + LINES,
    "a size of 2⁶² behind the file": tar_bytes(("x", b"1"))[:1024] + header("y", 1 << 62),
    "a size of 2⁶² in an extended header": header("u.data", pax={"size": str(1 << 62)}) + LINES,
    "a negative size": header("u.data", pax={"size": "-1"}) + LINES,
    "a negative size in binary": header()[:124] + b"\xff" * 12 + header()[136:],
    "a huge header": header(size=1 << 24, kind=tarfile.XHDTYPE) + b"1" * (1 << 24),
    "an extended header of nonsense": header(size=512, kind=tarfile.XHDTYPE) + b"9 a=b".ljust(512, b"x"),
    "an extended header that leads nowhere": header(size=512, kind=tarfile.XHDTYPE) + b"0 a=b\n".ljust(512, b"x"),
    "an endless sparse map": header(pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}) + b"9" * 5120,
    "a long name that is cut off": header(size=5000, kind=tarfile.GNUTYPE_LONGNAME) + b"n" * 600,
    "an old sparse file": header(size=512, kind=tarfile.GNUTYPE_SPARSE)[:482] + b"\1" + header()[483:] + b"\1" * 5120,
    "a damaged header in the middle": tar_bytes(("x", b"1"))[:1024] + b"x" * 512 + tar_bytes(("u.data", LINES)),
    "no end": tar_bytes(("x", b"1"))[:1024],
    "a part of a header": tar_bytes(("x", b"1"))[:1100].rstrip(b"\0") + header()[:100],
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("lie", HOSTILE_TARS)
def test_a_tar_archive_that_lies(tmp_path, lie, compressed):
    raw = HOSTILE_TARS[lie]
    path = write(tmp_path, "a.tar.gz" if compressed else "a.tar", gzip.compress(raw) if compressed else raw)
    with pytest.raises(InputError, match=r"is damaged|made to fill memory|a sparse file"):
        datasets.movielens_100k(path)
    with pytest.raises(InputError, match=r"is damaged|made to fill memory|a sparse file"):
        unpack(path, tmp_path / "set")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_archives_as_python_writes_them(tmp_path, form):
    folder = tarfile.TarInfo("set")
    folder.type = tarfile.DIRTYPE
    long = "set/" + "é" * 40 + "/" + "n" * 45 if form == tarfile.USTAR_FORMAT else "set/" + "é" * 100 + "/" + "n" * 120
    entries = {long: b"1" * 512, "set/empty": b"", "set/u.data": LINES}
    path = write(tmp_path, "a.tar.gz", gzip.compress(tar_bytes((folder, b""), *entries.items(), format=form)))
    assert datasets.movielens_100k(path).n_ratings == 3000
    unpacked = unpack(path, tmp_path / "new")
    found = {file.relative_to(unpacked).as_posix(): file.read_bytes() for file in unpacked.rglob("*") if file.is_file()}
    assert found == entries


NO_FILES = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, b"V"]


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_not_a_file_is_not_read(tmp_path, kind):
    path = write(tmp_path, "a.tar", header("set/u.data", kind=kind) + tar_bytes(("x", b"1")))
    with pytest.raises(InputError, match=r"set/u\.data is a (link|device|pipe|sparse file|special file); expected a file"):
        datasets.movielens_100k(path)
    mismatch = f"ERROR: <SO{'A' * 16} TR{'B' * 16}> a\n".encode()
    path = write(tmp_path, "b.tar", header("l", kind=kind) + tar_bytes(("sid_mismatches.txt", mismatch)))
    assert datasets.msd_mismatches(path) == {("SO" + "A" * 16, "TR" + "B" * 16)}  # what is beside it is


def test_fma_from_a_tar_archive(tmp_path):
    rows = b",album,artist,set,set,track,track,track\n,title,name,split,subset,genre_top,listens,title\ntrack_id,,,,,,,\n"
    rows += b"2,AWOL,AWOL,training,small,Hip-Hop,1293,Food\n"
    path = write(tmp_path, "fma_metadata.tar", tar_bytes(("fma_metadata/tracks.csv", rows)))
    assert [clip.title for clip in datasets.fma(path)] == ["Food"]


# ------------------------------------------------------------------ zip

GOOD_ZIP = zip_bytes(("u.data", LINES))
TWO = zip_bytes(("u.data", LINES), ("v.data", LINES))
SECOND = TWO.rindex(b"PK\1\2") + 42  # where the list of files says where the second begins
HOSTILE_ZIPS = {
    "encrypted": (central(GOOD_ZIP, "flags", flags=1), "is encrypted, and acai asks for no password"),
    "an unknown method": (central(GOOD_ZIP, "method", method=99), "is compressed with method 99; expected deflate"),
    "deflate64": (central(GOOD_ZIP, "method", method=9), "is compressed with deflate64; expected deflate"),
    "lzma": (zip_bytes(("u.data", LINES), method=zipfile.ZIP_LZMA), "is compressed with lzma; expected deflate"),
    "several disks": (central(GOOD_ZIP, "disk", disk=3), "is on disk 4 of several; join the parts"),
    "one on top of another": (TWO[:SECOND] + b"\0" * 4 + TWO[SECOND + 4 :], "lies on top of another file"),
    "larger than it can be": (central(GOOD_ZIP, "size", size=0xFFFFFFF0), "says that 'u.data' has .* made to fill memory or disk"),
    "larger than it is": (central(GOOD_ZIP, "size", size=len(LINES) + 1), r"it ends after .* of"),
    "smaller than it is": (central(GOOD_ZIP, "size", size=len(LINES) - 7), "is damaged"),
    "outside of the file": (central(GOOD_ZIP, "offset", offset=0xFFFFFF0), "is damaged"),
    "without an end": (GOOD_ZIP[:-20], "is damaged"),
    "only the first part": (b"PK\7\10" + GOOD_ZIP[4:], "is damaged"),
    "a name that is no text": (central(GOOD_ZIP, "flags", flags=0x800).replace(b"u.data", b"\xff.data"), "is damaged|has no file"),
}


@pytest.mark.parametrize("lie", HOSTILE_ZIPS)
def test_a_zip_archive_that_lies(tmp_path, lie):
    raw, message = HOSTILE_ZIPS[lie]
    path = write(tmp_path, "a.zip", raw)
    with pytest.raises(InputError, match=message):
        datasets.movielens_100k(path)
    if "has no file" not in message:
        with pytest.raises(InputError, match=message):
            unpack(path, tmp_path / "set")
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice(tmp_path):
    path = write(tmp_path, "a.zip", zip_bytes(("u.data", LINES), ("u.data", LINES[:100])))
    with pytest.raises(InputError, match=r"a\.zip holds 'u\.data' 2 times; expected each file once"):
        datasets.movielens_100k(path)
    for first, second in ("aa", ("a", "a/b"), ("a/b", "a"), ("./a", "a")):
        path = write(tmp_path, "a.tar", tar_bytes((first, b"1"), (second, b"2")))
        with pytest.raises(InputError, match="twice, or as a file and a folder; nothing was unpacked"):
            unpack(path, tmp_path / "set")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tar", "a.zip"]


def test_a_link_in_a_zip_archive(tmp_path):
    link = zipfile.ZipInfo("u.data")
    link.external_attr = 0o120777 << 16
    path = write(tmp_path, "a.zip", zip_bytes((link, b"/etc/passwd")))
    with pytest.raises(InputError, match=r"u\.data is a link; expected a file"):
        datasets.movielens_100k(path)
    with pytest.raises(InputError, match=r"'u\.data', a link; nothing was unpacked"):
        unpack(path, tmp_path / "set")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_an_empty_archive_says_so(tmp_path, name):
    raw = zip_bytes() if name == "a.zip" else tar_bytes()
    path = write(tmp_path, name, gzip.compress(raw) if name.endswith("gz") else raw)
    for read in (datasets.movielens_100k, datasets.triplets, lambda path: unpack(path, tmp_path / "set")):
        with pytest.raises(InputError, match=rf"{name} is an archive without a file in it"):
            read(path)


@pytest.mark.parametrize("read", [*datasets.READERS.values(), datasets.fma, datasets.msd_tracks, unpack], ids=lambda f: f.__name__)
def test_pipes_and_devices_are_refused_without_opening_them(tmp_path, read):
    """To open a pipe is to wait until somebody writes to it, and /dev/zero never ends."""
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.zip")
    for path in (tmp_path / "pipe", tmp_path / "pipe.zip", "/dev/null", "/dev/zero"):
        with pytest.raises(InputError, match="is a pipe or a device; expected a file"):
            read(path, tmp_path / "new") if read is unpack else read(path)


def test_a_folder_instead_of_a_file(tmp_path):
    (tmp_path / "x.h5").mkdir()
    with pytest.raises(InputError, match="is a folder; expected a file"):
        list(datasets.msd_hdf5(tmp_path))


def test_unpacking_needs_room(tmp_path, monkeypatch):
    path = write(tmp_path, "a.zip", GOOD_ZIP)
    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(InputError, match=r"bytes, the disk has 1 left; free some space: nothing was unpacked"):
        unpack(path, tmp_path / "set")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]


def test_what_a_killed_unpacking_left_is_removed(tmp_path):
    left = tmp_path / ".set.acai-unpacking" / "deep"
    left.mkdir(parents=True)
    (left / "u.data").write_bytes(b"half")
    assert (unpack(write(tmp_path, "a.zip", GOOD_ZIP), tmp_path / "set") / "u.data").read_bytes() == LINES
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zip", "set"]


# ------------------------------------------------------------------ acai's own bugs; fuzzing


def test_a_bug_of_acais_own_is_no_fault_of_the_file(tmp_path, monkeypatch):
    def bug(*_, **__):
        raise KeyError("a bug")

    for name in ("a.zip", "a.tar.gz"):
        raw = GOOD_ZIP if name == "a.zip" else gzip.compress(tar_bytes(("u.data", LINES)))
        with pytest.raises(KeyError, match="a bug"), opened(write(tmp_path, name, raw), "u.data"):
            bug()
    monkeypatch.setattr("acai.tables.reader.whole_lines", bug)
    with pytest.raises(KeyError, match="a bug"):
        datasets.movielens_100k(tmp_path / "a.zip")
    monkeypatch.setattr(streams.Decompressed, "read", lambda self, n: None.nothing)
    with pytest.raises(AttributeError):
        datasets.movielens_100k(tmp_path / "a.tar.gz")


def damaged(raw, rng):
    """Some bytes flipped, cut out, doubled or put in another place."""
    raw = bytearray(raw)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at, size = rng.randrange(len(raw)), rng.choice([1, 1, 4, 12, 100])
        way = rng.randrange(5)
        if way == 0:
            raw[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            raw[at : at + size] = rng.randbytes(size)
        elif way == 2:
            del raw[at : at + size]
        elif way == 3:
            raw[at:at] = raw[at : at + size]
        else:
            raw[at : at + size] = rng.choice([b"\0", b"\xff", b"9"]) * size
        if not raw:
            return b""
    return bytes(raw)


ARCHIVES = {
    "a.zip": zip_bytes(("set/README", b"read me"), ("set/u.data", LINES[:4000])),
    "a.tar": tar_bytes(("set/README", b"read me"), ("set/" + "n" * 150, b""), ("set/u.data", LINES[:4000])),
    "b.tar": tar_bytes(("set/é", b"read me"), ("set/" + "n" * 150, b""), ("set/u.data", LINES[:4000]), format=tarfile.PAX_FORMAT),
    "a.tar.gz": gzip.compress(tar_bytes(("set/README", b"read me"), ("set/u.data", LINES[:4000]))),
    "u.data.gz": gzip.compress(LINES[:4000]),
    "u.data.bz2": bz2.compress(LINES[:4000]),
    "u.data.xz": lzma.compress(LINES[:4000]),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_damaged_archive_is_read_or_refused(tmp_path, name):
    rng = random.Random(name)
    for j in range(60):
        path = write(tmp_path, name, damaged(ARCHIVES[name], rng))
        try:
            datasets.movielens_100k(path, on_error="skip")
            list(members(path))
        except InputError as error:
            assert str(tmp_path) in str(error)
        if not name.startswith("u.data"):
            try:
                unpack(path, tmp_path / str(j))
            except InputError:
                assert sorted(entry.name for entry in tmp_path.iterdir() if not entry.name.isdigit()) == [name]


SMALL = [("a", b"read"), ("u.data", b"1\t2\t3\t4\n" * 3)]
PROTECTED = {
    "stored.zip": zip_bytes(*SMALL, method=zipfile.ZIP_STORED),
    "deflated.zip": zip_bytes(*SMALL),
    "a.tar.gz": gzip.compress(tar_bytes(*SMALL, format=tarfile.USTAR_FORMAT), mtime=0),
    "a.tar.bz2": bz2.compress(tar_bytes(*SMALL, format=tarfile.USTAR_FORMAT)),
    "a.tar.xz": lzma.compress(tar_bytes(*SMALL, format=tarfile.USTAR_FORMAT)),
}


@pytest.mark.parametrize("name", PROTECTED)
def test_no_flipped_bit_of_an_archive_with_checksums_changes_what_is_in_it(tmp_path, name):
    """Oracle: what was put in. Both ways of reading: every member, and one file by its name."""
    raw = PROTECTED[name]
    for at in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[at // 8] ^= 1 << at % 8
        path = write(tmp_path, name, bytes(flipped))
        try:
            everything = [(member.name, member.stream.read()) for member in members(path)]
            with opened(path, "u.data") as source:
                one = source.stream.read()
        except InputError:
            continue
        assert everything == SMALL and one == SMALL[1][1]


def test_an_entry_of_a_zip_archive_cannot_swallow_the_next(tmp_path):
    raw = bytearray(zip_bytes(*SMALL, ("more", b"more")))
    second = raw.index(b"PK\1\2", raw.index(b"PK\1\2") + 1)
    raw[second + 32 : second + 34] = struct.pack("<H", 46 + len("more"))  # the length of its comment
    with pytest.raises(InputError, match="its list of files has 2 entries instead of 3"):
        list(members(write(tmp_path, "a.zip", bytes(raw))))


def test_a_file_in_a_zip_archive_cannot_pass_for_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"'u\.dat/' is a folder by its name, of 24 bytes"):
        list(members(write(tmp_path, "a.zip", zip_bytes(*SMALL).replace(b"u.data", b"u.dat/"))))


def test_a_file_without_a_name_in_a_zip_archive_is_no_accident(tmp_path):
    """Python 3.11's own test for folders fails at an empty name."""
    raw = zip_bytes(("ab", b"content")).replace(b"ab", b"\0b")
    assert [member.name for member in members(write(tmp_path, "a.zip", raw))] == [""]
    with pytest.raises(InputError, match="not a file name"):
        unpack(tmp_path / "a.zip", tmp_path / "unpacked")


def test_many_files_in_a_zip_archive_are_all_there(tmp_path):
    n = 65_540  # more than the 16 bits of the field that counts them
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for j in range(n):
            archive.writestr(zipfile.ZipInfo(str(j)), b"")
    assert sum(1 for _ in members(tmp_path / "a.zip")) == n
