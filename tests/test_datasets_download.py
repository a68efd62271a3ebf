"""Fetching, against a server on loopback that can misbehave; unpacking, against archives that want to leave their folder."""

import gzip
import hashlib
import http.server
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from acai import InputError, cli
from acai.datasets.catalogue import CATALOGUE, DataSet, Remote
from acai.datasets.download import fetch
from acai.datasets.unpack import unpack

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = f"md5:{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT under any name but /nothing; the way it misbehaves is in `manner`; remembers which ranges were asked for."""

    manner = "good"
    etag = '"one"'

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, code, headers, content=b""):
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        asked, manner, etag, n = self.headers["Range"], self.server.manner, self.server.etag, len(CONTENT)
        self.server.ranges.append(asked)
        if self.path == "/nothing":
            return self.answer(404, {})
        if manner in SHORT:
            return self.answer(*SHORT[manner])
        if asked and self.headers["If-Range"] != etag and manner != "ignores If-Range":
            asked = None
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and manner != "no ranges" else 0
        span = f"bytes {start + (manner == 'wrong part')}-{n - 1 - (manner == 'not to the end')}/{n + (manner == 'grown')}"
        headers = {"Content-Length": str(n - start), "ETag": etag} | ({"Content-Range": span} if start else {})
        if manner == "only a date":
            headers |= {"ETag": None, "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
        if manner == "no length":
            headers["Content-Length"] = None
        content = CONTENT[start:]
        if manner == "chunked":
            headers |= {"Content-Length": None, "Transfer-Encoding": "chunked"}
            self.protocol_version = "HTTP/1.1"
            content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
        self.close_connection = True
        if manner == "hangs":
            self.answer(200, headers, content[:500_000])
            time.sleep(1)
            return None
        self.answer(206 if start else 200, headers, content[:1_000_000] if manner in ("breaks off", "only a date") else content)


PAGE = b"<!DOCTYPE html><html>please log in</html>"
SHORT = {  # answers that are not the file
    "204": (204, {"Content-Length": None}), "empty 200": (200, {}), "301 to nowhere": (301, {}), "304": (304, {}), "300": (300, {}),
    "416": (416, {"Content-Range": "bytes */7"}), "500": (500, {}),
    "206 unasked": (206, {"Content-Range": "bytes 0-4/5"}, b"hello"),
    "gzipped": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"hello")), "page": (200, {"Content-Type": "text/html"}, PAGE),
    "two lengths": (200, {"Content-Length": "5, 6"}, b"hello"),
    "nonsense length": (200, {"Content-Length": "many"}, b"hello"), "too long a length": (200, {"Content-Length": "9"}, b"hello"),
    "a length of petabytes": (200, {"Content-Length": str(10**16)}, b"hello"), "to a file": (302, {"Location": "file:///etc/passwd"}),
    "round and round": (302, {"Location": "/again"}),
}


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_good_download(server, tmp_path):
    path = fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path / "data")
    assert path == tmp_path / "data" / "a.bin" and path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["a.bin"]
    fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path / "data")
    assert server.ranges == [None]  # not asked again for what is there


def test_a_damaged_file_is_fetched_again(server, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"damaged")
    assert fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path).read_bytes() == CONTENT


def test_a_wrong_checksum_discards_the_file(server, tmp_path):
    with pytest.raises(InputError, match=r"is not the file it should be, and was discarded: .*md5"):
        fetch(Remote(f"{server.url}/a.bin", f"md5:{'0' * 32}"), tmp_path)
    assert not list(tmp_path.iterdir())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def broken_off(server, folder, checksum=MD5):
    """A download that broke off, and what is kept of it."""
    server.manner = "breaks off"
    remote = Remote(f"{server.url}/a.bin", checksum)
    with pytest.raises(InputError, match="bytes are saved: run the same command again to resume"):
        fetch(remote, folder)
    server.manner = "good"
    server.ranges.clear()
    assert names(folder) == ["a.bin.part", "a.bin.part.json"]
    return remote, (folder / "a.bin.part").stat().st_size


def test_cut_off_and_resumed(server, tmp_path):
    remote, first = broken_off(server, tmp_path)
    assert (tmp_path / "a.bin.part").read_bytes() == CONTENT[:first] and 900_000 < first <= 1_000_000  # nearly all that came
    _, second = broken_off(server, tmp_path)
    assert first + 900_000 < second
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={second}-"]
    assert names(tmp_path) == ["a.bin"]


def test_a_date_will_do_to_resume(server, tmp_path):
    server.manner, server.etag = "only a date", "Mon, 01 Jan 2024 00:00:00 GMT"
    for _ in range(3):
        with pytest.raises(InputError, match="bytes are saved"):
            fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path)
    assert fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path).read_bytes() == CONTENT
    assert server.ranges[0] is None and None not in server.ranges[1:]


@pytest.mark.parametrize("etag", ['W/"one"', None])
def test_without_a_strong_etag_nothing_is_saved(server, tmp_path, etag):
    server.manner, server.etag = "breaks off", etag
    with pytest.raises(InputError, match="nothing is saved: run the same command again to start over"):
        fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path)
    assert not names(tmp_path)


@pytest.mark.parametrize("checksum", [MD5, None])
def test_a_file_that_changed_on_the_server_is_fetched_from_its_start(server, tmp_path, monkeypatch, checksum):
    remote, _ = broken_off(server, tmp_path, None)
    monkeypatch.setattr(f"{__name__}.CONTENT", CONTENT[::-1])
    server.etag = '"two"'
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("manner", ["ignores If-Range", "wrong part", "not to the end", "grown", "416"])
def test_a_part_of_another_version_is_never_mixed_in(server, tmp_path, manner):
    remote, _ = broken_off(server, tmp_path, None)
    server.manner = manner
    server.etag = '"two"' if manner == "ignores If-Range" else server.etag
    with pytest.raises(InputError, match="nothing is saved: run the same command again to start over"):
        fetch(remote, tmp_path)
    assert not names(tmp_path)
    server.manner = "good"
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("manner", sorted(SHORT.keys() - {"206 unasked"}))
def test_an_answer_that_is_no_file_loses_nothing(server, tmp_path, manner):
    (tmp_path / "new").mkdir()
    server.manner = manner
    with pytest.raises(InputError, match=r"could not be fetched|is not the file it should be|cannot be written"):
        fetch(Remote(f"{server.url}/a.zip"), tmp_path / "new")
    assert names(tmp_path / "new") in ([], ["a.zip.part"])
    (tmp_path / "new" / "a.zip.part").unlink(missing_ok=True)
    if manner not in ("416", "page", "gzipped", "empty 200", "two lengths", "nonsense length", "too long a length"):
        server.manner = "good"
        remote, had = broken_off(server, tmp_path / "new", None)  # what is there already survives a server that is down
        server.manner = manner
        with pytest.raises(InputError):
            fetch(remote, tmp_path / "new")
        if manner != "a length of petabytes":
            assert (tmp_path / "new" / "a.bin.part").stat().st_size == had


def test_a_206_that_nobody_asked_for(server, tmp_path):
    server.manner = "206 unasked"
    with pytest.raises(InputError, match="the server answered 206"):
        fetch(Remote(f"{server.url}/a.bin"), tmp_path)


def test_without_a_length_there_must_be_another_way_to_tell(server, tmp_path):
    server.manner = "no length"
    with pytest.raises(InputError, match="does not say how large it is, and no checksum is published"):
        fetch(Remote(f"{server.url}/a.bin"), tmp_path)
    assert fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path).read_bytes() == CONTENT
    server.manner = "chunked"
    assert fetch(Remote(f"{server.url}/b.bin"), tmp_path).read_bytes() == CONTENT


def test_a_size_in_the_catalogue_is_checked(server, tmp_path):
    with pytest.raises(InputError, match="it has 3,000,000 bytes, expected 3,000,001"):
        fetch(Remote(f"{server.url}/a.bin", size=3_000_001), tmp_path)
    assert not names(tmp_path)


def test_what_a_killed_download_leaves_is_used_or_removed(server, tmp_path):
    remote, had = broken_off(server, tmp_path)
    with open(tmp_path / "a.bin.part", "ab") as file:  # all of it had come, and only the new name was missing
        file.write(CONTENT[had:])
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [] and names(tmp_path) == ["a.bin"]
    for part, note in ((b"x" * 4_000_000, None), (b"junk", "[1]"), (b"junk", "{"), (b"", None)):
        (tmp_path / "a.bin").unlink()
        (tmp_path / "a.bin.part").write_bytes(part)
        if note:
            (tmp_path / "a.bin.part.json").write_text(note)
        assert fetch(remote, tmp_path).read_bytes() == CONTENT
        assert names(tmp_path) == ["a.bin"]
    (tmp_path / "a.bin.part").write_bytes(b"junk")  # beside a file that is complete
    fetch(remote, tmp_path)
    assert names(tmp_path) == ["a.bin"]


def test_many_at_once_fetch_it_once(server, tmp_path, capsys):
    with ThreadPoolExecutor(6) as pool:
        paths = list(pool.map(lambda _: fetch(Remote(f"{server.url}/a.bin"), tmp_path), range(6)))
    assert all(path.read_bytes() == CONTENT for path in paths)
    assert len(server.ranges) == 1 and names(tmp_path) == ["a.bin"]


KILLED = """
import sys
from acai.datasets.catalogue import Remote
from acai.datasets.download import fetch
fetch(Remote(sys.argv[1]), sys.argv[2])
"""


def test_a_download_that_dies_frees_its_lock(server, tmp_path):
    server.manner = "hangs"
    process = subprocess.Popen([sys.executable, "-c", KILLED, f"{server.url}/a.bin", str(tmp_path)])
    deadline = time.monotonic() + 60
    while not (tmp_path / "a.bin.part.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait(60)
    server.manner = "good"
    assert fetch(Remote(f"{server.url}/a.bin"), tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin"]


def test_only_regular_files_are_written(server, tmp_path):
    (tmp_path / "mine").write_bytes(b"precious")
    (tmp_path / "a.bin.part").symlink_to(tmp_path / "mine")
    with pytest.raises(InputError, match="cannot be written"):
        fetch(Remote(f"{server.url}/a.bin"), tmp_path)
    os.mkfifo(tmp_path / "b.bin")
    with pytest.raises(InputError, match="is a named pipe; expected a regular file"):
        fetch(Remote(f"{server.url}/b.bin"), tmp_path)
    assert (tmp_path / "mine").read_bytes() == b"precious"


def test_a_full_disk_says_so_and_keeps_what_came(server, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\); make room"):
        fetch(Remote(f"{server.url}/a.bin"), tmp_path)


def test_not_found_and_nobody_there(server, tmp_path):
    with pytest.raises(InputError, match=r"/nothing could not be fetched \(the server answered 404 Not Found"):
        fetch(Remote(f"{server.url}/nothing", MD5), tmp_path)
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="could not be fetched"):
        fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path)
    assert not list(tmp_path.iterdir())


def test_checksums_of_what_is_inside(server, tmp_path, monkeypatch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("set/log.tsv", "hello")
    monkeypatch.setattr(f"{__name__}.CONTENT", buffer.getvalue())
    inside = f"md5:{hashlib.md5(b'hello', usedforsecurity=False).hexdigest()}"
    assert fetch(Remote(f"{server.url}/a.zip", contents={"log.tsv": inside}), tmp_path).exists()
    with pytest.raises(
        InputError, match=f"log.tsv inside has the checksum {inside}, expected md5:no"
    ):
        fetch(Remote(f"{server.url}/a.zip", contents={"log.tsv": "md5:no"}), tmp_path)
    assert names(tmp_path) == ["a.zip"]  # what was there before is left alone


def zip_of(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def tar_of(path, entries, kind=tarfile.REGTYPE):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries.items():
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content) * (kind == tarfile.REGTYPE), "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_unpacking(tmp_path, make):
    archive = make(tmp_path / "a.archive", {"set/one": b"1", "set/deep/er/two": b"22", "set/..three": b"3"})
    folder = unpack(archive, tmp_path / "new" / "set")
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == {
        "set/one": b"1",
        "set/deep/er/two": b"22",
        "set/..three": b"3",
    }
    with pytest.raises(InputError, match=r"exists already; remove it to unpack a.archive again"):
        unpack(archive, folder)


@pytest.mark.parametrize("make", [zip_of, tar_of])
@pytest.mark.parametrize("name", ["../out", "set/../../out", "/tmp/out", "C:/out", "..\\out", "\\\\host\\share\\out"])
def test_a_hostile_archive_is_refused_whole(tmp_path, make, name):
    archive = make(tmp_path / "a.archive", {"good": b"1", name: b"evil"})
    with pytest.raises(InputError, match="which would leave the folder; nothing was unpacked"):
        unpack(archive, tmp_path / "inner" / "set")
    assert not list((tmp_path / "inner").iterdir()) and not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = tar_of(tmp_path / "a.tar.gz", {"inside": b""}, kind)
    with pytest.raises(InputError, match=r"'inside', a (link|device|pipe); nothing was unpacked"):
        unpack(archive, tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_a_damaged_archive_leaves_nothing(tmp_path, make):
    archive = make(tmp_path / "a.archive", {f"{j}": CONTENT[9000 * j : 9000 * (j + 1)] for j in range(5)})
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(InputError, match="is damaged, or its download was cut off"):
        unpack(archive, tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["a.archive"]


# ------------------------------------------------------------------ the commands


@pytest.fixture
def catalogue(server, monkeypatch):
    """A catalogue with one data set, on the server."""
    known = DataSet("1 kB", "be kind", "tests", "triplets", ("tiny.zip",), (Remote(f"{server.url}/tiny.zip"),))
    monkeypatch.setattr("acai.datasets.catalogue.CATALOGUE", {"tiny": known})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("tiny.tsv", "ann\tblackbird\t3\n")
    monkeypatch.setattr(f"{__name__}.CONTENT", buffer.getvalue())


def complaint(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(list(arguments))
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_acai_download(catalogue, tmp_path, capsys, monkeypatch):
    folder = str(tmp_path / "data")
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    assert "the terms were not accepted, and nothing was downloaded" in complaint(
        capsys, "download", "tiny", "--to", folder
    )
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr("builtins.input", lambda prompt: "Yes")
    cli.main(["download", "tiny", "--to", folder, "--unpack"])
    said = capsys.readouterr().out
    assert "tiny, 1 kB: tests\nterms: be kind\n" in said and "no checksum is published for it" in said
    assert (tmp_path / "data" / "tiny" / "tiny.tsv").read_text() == "ann\tblackbird\t3\n"
    assert "no data set 'tyni'; there is: tiny" in complaint(capsys, "download", "tyni")


def test_acai_data(catalogue, tmp_path, capsys):
    cli.main(["data", str(tmp_path)])
    assert "○ tiny" in capsys.readouterr().out
    cli.main(["download", "tiny", "--to", str(tmp_path), "--yes"])
    cli.main(["data", str(tmp_path)])
    said = capsys.readouterr().out
    assert f"● {'tiny':<24}{'1 kB':>8}  {tmp_path / 'tiny.zip'}" in said and "terms:  be kind" in said
    (tmp_path / "file").touch()
    assert "is a file; expected the folder with the data sets" in complaint(capsys, "data", str(tmp_path / "file"))


def test_what_needs_a_login_says_how(capsys):
    assert "log in at https://www.kaggle.com/c/msdchallenge/data" in complaint(
        capsys, "download", "msd-challenge", "--yes"
    )


def test_the_catalogue_is_complete():
    from acai import datasets

    for known in CATALOGUE.values():
        assert hasattr(datasets, known.reader)
        assert known.terms and known.good_for and known.signs and (known.files or known.by_hand)
        for remote in known.files:
            for sum in filter(None, [remote.checksum, *remote.contents.values()]):
                algorithm, digest = sum.split(":")
                assert len(bytes.fromhex(digest)) == hashlib.new(algorithm, usedforsecurity=False).digest_size


def test_gzip_is_taken_as_it_comes(server, tmp_path, monkeypatch):
    # a server must not be allowed to undo the compression on the way: sizes and checksums are those of the file
    monkeypatch.setattr(f"{__name__}.CONTENT", gzip.compress(b"hello"))
    assert gzip.decompress(fetch(Remote(f"{server.url}/a.gz"), tmp_path).read_bytes()) == b"hello"
