"""A file appears complete or not at all; nothing is replaced but a regular file; nothing is removed but acai's leftovers."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading

import pytest

from acai import InputError
from acai.files import atomic_write, remove_leftovers

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has neither locks, links nor modes like these")
KILLED = """
import os, signal, sys
from acai.files import atomic_write
with atomic_write(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def may_write_anywhere():
    """Whether we have root's rights: root has not without its capabilities, as in .ci/run."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o500)
        return os.access(folder, os.W_OK)


MAY_WRITE_ANYWHERE = may_write_anywhere()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def kill_a_writer_of(path):
    done = subprocess.run([sys.executable, "-c", KILLED, path], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL


LONG = ["x" * 251 + ".npz", "é" * 127, "a." + "x" * 253, "." + "x" * 254]


@pytest.mark.parametrize("name", ["thing.json", "thing", ".hidden", "two.dots.npz", *LONG])
def test_a_file_appears_when_it_is_complete(tmp_path, name):
    path = tmp_path / "deep" / name
    with atomic_write(path) as temporary:
        temporary.write_text("1")
        assert not path.exists() and temporary.parent == path.parent
        assert temporary.suffix == path.suffix or len(path.suffix) > 32
    assert path.read_text() == "1" and names(path.parent) == [name]


def test_a_block_that_fails_leaves_everything_as_it_was(tmp_path):
    path = tmp_path / "thing.txt"
    for before in [], ["thing.txt"]:
        with pytest.raises(ZeroDivisionError), atomic_write(path) as temporary:
            temporary.write_text(str(1 / 0))
        assert names(tmp_path) == before
        path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as temporary:
        raise KeyboardInterrupt
    assert path.read_text() == "old" and names(tmp_path) == ["thing.txt"]


@posix
@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic_write(tmp_path / "new"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == mode


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_an_existing_file_keeps_its_mode_and_what_replaces_it_is_private_meanwhile(tmp_path, mode):
    path = tmp_path / "old"
    path.write_text("old")
    path.chmod(mode)
    with atomic_write(path) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        temporary.write_text("new")
    assert stat.S_IMODE(path.stat().st_mode) == mode and path.read_text() == "new"


@posix
@pytest.mark.skipif(not MAY_WRITE_ANYWHERE, reason="only root can give files away")
def test_an_existing_file_keeps_its_owner(tmp_path):
    path = tmp_path / "old"
    path.write_text("old")
    os.chown(path, 1234, 4321)
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert (path.stat().st_uid, path.stat().st_gid, path.read_text()) == (1234, 4321, "new")


@posix
def test_links_are_followed_and_survive(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real").write_text("old")
    for link, target in ("link", "there/real"), ("chain", "link"), ("dangling", "there/new"):
        (tmp_path / link).symlink_to(target)
        with atomic_write(tmp_path / link) as temporary:
            temporary.write_text(link)
        assert (tmp_path / link).is_symlink() and (tmp_path / link).read_text() == link
    assert names(tmp_path / "there") == ["new", "real"] and (tmp_path / "there" / "real").read_text() == "chain"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"), atomic_write(tmp_path / "loop"):
        pytest.fail("the block ran")


def named_pipe(path):
    os.mkfifo(path)


def listening_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@posix
@pytest.mark.parametrize("make, kind", [
    (named_pipe, "a named pipe"), (listening_socket, "a socket"), (os.mkdir, "a directory"),
    (lambda path: os.symlink("/dev/null", path), "a device"), (lambda path: os.symlink(".", path), "a directory"),
])
def test_nothing_but_a_regular_file_is_replaced(tmp_path, monkeypatch, make, kind):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    make("thing")
    before = os.lstat("thing")
    with pytest.raises(InputError, match=f"^thing is {kind}; expected a regular file"), atomic_write("thing"):
        pytest.fail("the block ran")
    assert os.lstat("thing").st_mode == before.st_mode and os.listdir() == ["thing"]


@posix
def test_what_becomes_a_pipe_while_the_block_runs_is_not_replaced(tmp_path):
    with pytest.raises(InputError, match="is a named pipe"), atomic_write(tmp_path / "thing"):
        os.mkfifo(tmp_path / "thing")
    assert names(tmp_path) == ["thing"]


@pytest.mark.parametrize("path, message", [
    ("", "is a directory"), ("new/", "names a folder"), (".", "is a directory"), ("a\0b", "cannot be the name of a file")
])
def test_a_path_that_names_no_file_is_refused(tmp_path, monkeypatch, path, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message), atomic_write(path):
        pytest.fail("the block ran")
    assert not os.listdir()


@posix
@pytest.mark.skipif(MAY_WRITE_ANYWHERE, reason="root may write anywhere")
def test_without_permission_nothing_changes(tmp_path):
    path = tmp_path / "thing"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError), atomic_write(path):
        pytest.fail("the block ran")
    path.chmod(0o644)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError), atomic_write(path):
            pytest.fail("the block ran")
    finally:
        tmp_path.chmod(0o755)
    assert path.read_text() == "old" and names(tmp_path) == ["thing"]


@posix
def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    program = (
        "import resource, signal, sys\n"
        "from acai.files import atomic_write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "with atomic_write(sys.argv[1]) as temporary:\n"
        "    temporary.write_bytes(bytes(2000))\n"
    )
    path = tmp_path / "thing"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60, check=False)
    assert "OSError: [Errno 27]" in done.stderr and path.read_text() == "old" and names(tmp_path) == ["thing"]


@posix
@pytest.mark.parametrize("name", ["thing.npz", "x" * 255])
def test_the_next_write_removes_what_a_killed_writer_left_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    kill_a_writer_of(path)
    (leftover,) = names(tmp_path)
    assert leftover.startswith(".acai-tmp-0-") and not path.exists()
    mine = [".thing-abcd.npz", ".thing.npz", ".acai-tmp-0-other.npz", ".acai-tmp-0-thing", "acai-tmp-0-thing.npz"]
    for own in mine:
        (tmp_path / own).write_text("the user's")
        os.utime(tmp_path / own, (1e9, 1e9))
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == sorted([*mine, name]) and path.read_text() == "whole"


@posix
def test_leftovers_of_a_folder_are_removed_but_not_those_of_the_living(tmp_path):
    kill_a_writer_of(tmp_path / "a.npy")
    kill_a_writer_of(tmp_path / "b")
    mine = [".git-credentials", ".pre-commit-config.yaml", ".acai-tmp", ".acai-tmp-x", ".acai-tmp-0-", "acai-tmp-0-a"]
    for own in mine:
        (tmp_path / own).write_text("the user's")
        os.utime(tmp_path / own, (1e9, 1e9))
    (tmp_path / ".acai-tmp-0-folder").mkdir()
    (tmp_path / "target").write_text("the user's")
    (tmp_path / ".acai-tmp-0-link").symlink_to("target")
    with atomic_write(tmp_path / "alive.npy") as temporary:
        temporary.write_text("7")
        remove_leftovers(tmp_path)
        assert temporary.read_text() == "7"
    assert names(tmp_path) == sorted([*mine, ".acai-tmp-0-folder", ".acai-tmp-0-link", "alive.npy", "target"])


@posix
def test_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path, together, seen = tmp_path / "thing", threading.Barrier(24), []

    def write(n):
        for _ in range(5):
            with atomic_write(path) as temporary:
                temporary.write_text(str(n) * 1000)
                together.wait(timeout=60)  # 24 at once: more than there are names that each write looks at
            seen.append(path.read_text())

    threads = [threading.Thread(target=write, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 120 and all(len(text) in (1000, 2000) and len(set(text)) <= 2 for text in seen)
    assert names(tmp_path) == ["thing"]


@posix
def test_what_is_not_promised(tmp_path):
    """As the README says: leftovers beyond the 16th of one file stay, and the other names of a hard link keep the old contents."""
    for n in (0, 15, 16):
        (tmp_path / f".acai-tmp-{n}-thing").write_text("half")
    (tmp_path / "thing").write_text("old")
    os.link(tmp_path / "thing", tmp_path / "other name")
    with atomic_write(tmp_path / "thing") as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == [".acai-tmp-16-thing", "other name", "thing"]
    assert ((tmp_path / "thing").read_text(), (tmp_path / "other name").read_text()) == ("new", "old")


def test_without_locks_only_what_is_old_counts_as_left_over(tmp_path, monkeypatch):
    monkeypatch.setattr("acai.atomic.fcntl", None)  # as on Windows
    (tmp_path / ".acai-tmp-0-thing").write_text("somebody is at it")
    (tmp_path / ".acai-tmp-1-thing").write_text("left over")
    os.utime(tmp_path / ".acai-tmp-1-thing", (1e9, 1e9))
    with atomic_write(tmp_path / "thing") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == [".acai-tmp-0-thing", "thing"] and (tmp_path / "thing").read_text() == "whole"
