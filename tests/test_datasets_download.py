"""Fetching, against a server on loopback that can misbehave; unpacking, against archives that want to leave their folder."""

import gzip
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile

import numpy as np
import pytest

from acai import InputError, cli
from acai.datasets.catalogue import CATALOGUE, DataSet, Remote
from acai.datasets.download import fetch, unpack

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = f"md5:{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT under any name but /nothing; the way it misbehaves is in `manner`; remembers which ranges were asked for."""

    manner = "good"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        asked, manner = self.headers["Range"], self.server.manner
        self.server.ranges.append(asked)
        if self.path == "/nothing":
            return self.send_error(404)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and manner != "no ranges" else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start + (manner == 'wrong part')}-{len(CONTENT) - 1}/{len(CONTENT)}"
            )
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end = start + 1_000_000 if manner == "breaks off" else len(CONTENT)
        self.wfile.write(CONTENT[start:end])


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


def test_cut_off_and_resumed(server, tmp_path):
    remote = Remote(f"{server.url}/a.bin", MD5)
    server.manner = "breaks off"
    kept = [0]
    for _ in range(2):
        with pytest.raises(InputError, match="bytes are kept: run the same again to go on"):
            fetch(remote, tmp_path)
        (part,) = tmp_path.iterdir()
        assert part.name == "a.bin.part" and part.read_bytes() == CONTENT[: part.stat().st_size]
        kept.append(part.stat().st_size)
    assert 900_000 < kept[1] <= 1_000_000 and kept[1] + 900_000 < kept[2]  # nearly all that came
    server.manner = "good"
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, *(f"bytes={start}-" for start in kept[1:])]
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_server_that_cannot_resume_starts_over(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:1000])
    server.manner = "no ranges"
    assert fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path).read_bytes() == CONTENT


def test_a_part_that_was_complete_already(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path).read_bytes() == CONTENT


def test_a_part_that_does_not_fit(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT + b"more")
    with pytest.raises(InputError, match="does not fit; it was removed, try again"):
        fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_server_that_sends_another_part(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:1000])
    server.manner = "wrong part"
    with pytest.raises(InputError, match="another part than the one that was asked for"):
        fetch(Remote(f"{server.url}/a.bin", MD5), tmp_path)


def test_not_found_and_nobody_there(server, tmp_path):
    with pytest.raises(InputError, match=r"/nothing could not be fetched \(404"):
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
        InputError, match=f"log.tsv inside has the checksum {inside}, expected md5:no; it was discarded"
    ):
        fetch(Remote(f"{server.url}/a.zip", contents={"log.tsv": "md5:no"}), tmp_path)
    assert not list(tmp_path.iterdir())


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
    with pytest.raises(InputError, match="'inside', a link or a device; nothing was unpacked"):
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
    assert f"● tiny                1 kB  {tmp_path / 'tiny.zip'}" in said and "terms:  be kind" in said
    (tmp_path / "file").touch()
    assert "is a file; expected the folder that has data sets" in complaint(capsys, "data", str(tmp_path / "file"))


def test_what_needs_a_login_says_how(capsys):
    assert "log in at https://www.kaggle.com/c/msdchallenge/data" in complaint(
        capsys, "download", "msd-challenge", "--yes"
    )


def test_the_catalogue_is_whole():
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
