"""Ratings in a folder: against the same ratings in memory, and against every way in which a folder can be wrong."""

import os
import shutil
import signal
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from forgery import forge
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from acai import InputError, Ratings
from acai.atomic import atomic_folder
from acai.cf import ALS, Popularity

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has neither locks nor these limits")
linux = pytest.mark.skipif(sys.platform != "linux", reason="how much memory a process has is read from /proc")


def made_up(m=30, n=20, seed=0, timed=True):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 50, (m, n)) * (rng.random((m, n)) < 0.4)
    R = sparse.csr_array(counts.astype(np.float32))
    times = rng.integers(0, 10**9, R.nnz) if timed else None
    return Ratings(R, [f"u{u}" for u in range(m)], [("song", i) for i in range(n)], times, ["MADE UP"])


def in_blocks(ratings, cuts):
    """The users from one cut to the next."""
    for first, last in pairwise([0, *sorted(cuts), ratings.n_users]):
        here = slice(ratings.csr.indptr[first], ratings.csr.indptr[last])
        times = None if ratings.times is None else ratings.times[here]
        yield Ratings(ratings.csr[first:last], ratings.users[first:last], ratings.songs, times, ratings.notes)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_same(found, expected):
    assert (found.users, found.songs, found.notes) == (expected.users, expected.songs, expected.notes)
    for one, other in (found.csr, expected.csr), (found.csc, expected.csc):
        for name in ("data", "indices", "indptr"):
            a, b = getattr(one, name), getattr(other, name)
            assert np.array_equal(a, b) and a.dtype == b.dtype
    assert np.array_equal(found.times, expected.times) if expected.times is not None else found.times is None


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.booleans(), st.lists(st.integers(0, 9), max_size=3),
       st.sampled_from([1, 200, 2**28]))  # fmt: skip
def test_a_folder_gives_back_what_was_written(tmp_path_factory, m, n, seed, timed, cuts, memory):
    """Also without any entry, in blocks without a user, and with songs collected one by one."""
    ratings = made_up(m, n, seed, timed)
    folder = tmp_path_factory.mktemp("ratings") / "folder"
    Ratings.write_folder(folder, in_blocks(ratings, [min(cut, m) for cut in cuts]), memory)
    for mmap in (True, False):
        assert_same(Ratings.load(folder, mmap=mmap), ratings)
    assert names(folder.parent) == ["folder"]


def test_every_file_is_one_that_numpy_reads(tmp_path):
    ratings = made_up()
    ratings.save_folder(tmp_path / "folder")
    expected = {
        "songs_of_users.npy": ratings.csr.indices, "values_of_users.npy": ratings.csr.data, "times.npy": ratings.times,
        "users_of_songs.npy": ratings.csc.indices, "values_of_songs.npy": ratings.csc.data,
    }
    assert names(tmp_path / "folder") == sorted([*expected, "ratings.npz"])
    for name, array in expected.items():
        assert np.array_equal(np.load(tmp_path / "folder" / name), array)
    with np.load(tmp_path / "folder" / "ratings.npz") as file:
        assert np.array_equal(file["starts_of_users"], ratings.csr.indptr)
        assert np.array_equal(file["starts_of_songs"], ratings.csc.indptr)


def test_mapped_entries_cannot_be_written_to(tmp_path):
    made_up().save_folder(tmp_path / "folder")
    mapped = Ratings.load(tmp_path / "folder", mmap=True)
    for array in (mapped.csr.data, mapped.csr.indices, mapped.csc.data, mapped.csc.indices, mapped.times):
        assert not array.flags.writeable


@pytest.mark.parametrize("steps", [None, 3])
def test_als_and_its_lists_are_the_same_bits_from_a_folder(tmp_path, steps):
    ratings = made_up(60, 50, timed=False)
    ratings.save_folder(tmp_path / "folder")
    mapped = Ratings.load(tmp_path / "folder", mmap=True)
    for model, other in (ALS(6, n_epochs=2, cg_steps=steps), ALS(6, n_epochs=2, cg_steps=steps)), (Popularity(), Popularity()):
        assert dict(model.fit(ratings).recommend_all()) == dict(other.fit(mapped).recommend_all())


# ------------------------------------------------------------------ what cannot be written


def another(ratings, **changes):
    parts = {"csr": ratings.csr, "users": ratings.users, "songs": ratings.songs, "times": ratings.times}
    return Ratings(**parts | changes)


@pytest.mark.parametrize("blocks, message", [
    (lambda r: [], "there is no block of ratings; expected at least one"),
    (lambda r: [r, r], "user 'u0' is in two blocks; expected all entries of a user in one"),
    (lambda r: [another(r, users=["u1"] * 30)], "30 users have 1 different ids; expected a different id for each"),
    (lambda r: [r, another(r, users=range(30), songs=range(20))], "two blocks have different songs, or the same in another"),
    (lambda r: [r, another(r, users=range(30), times=None)], "one block has times and another has none"),
    (lambda r: [another(r, users=[frozenset([u]) for u in range(30)])], "only text, numbers and tuples of them can be saved"),
])
def test_blocks_that_do_not_fit_leave_nothing(tmp_path, blocks, message):
    with pytest.raises(InputError, match=message):
        Ratings.write_folder(tmp_path / "folder", iter(blocks(made_up())))
    assert names(tmp_path) == []


@pytest.mark.parametrize("blocks, memory, message", [
    (5, 100, "blocks is an object of the class int; expected a list or a generator of Ratings"),
    (made_up(), 100, "blocks is an object of the class Ratings; expected a list or a generator of Ratings"),
    ([np.ones((2, 2))], 100, "a block is an object of the class ndarray; expected Ratings"),
    ("text", 100, "a block is an object of the class str; expected Ratings"),
    ([made_up(), None], 100, "a block is an object of the class NoneType; expected Ratings"),
    ([made_up()], 0, "memory=0; expected an integer, at least 1"),
    ([made_up()], 2e8, "memory=200000000.0; expected an integer, at least 1"),
    ([made_up()], "2", "memory='2'; expected an integer, at least 1"),
])
def test_what_is_not_a_list_of_ratings_is_refused_in_one_sentence(tmp_path, blocks, memory, message):
    with pytest.raises(InputError, match=message):
        Ratings.write_folder(tmp_path / "folder", blocks, memory)
    assert names(tmp_path) == []


def test_mmap_is_true_or_false(tmp_path):
    made_up().save_folder(tmp_path / "folder")
    with pytest.raises(InputError, match="mmap='yes'; expected True or False"):
        Ratings.load(tmp_path / "folder", mmap="yes")


def test_more_entries_than_int32_counts_are_refused_before_they_are_written(tmp_path, monkeypatch):
    blocks = list(in_blocks(made_up(), [10, 20]))
    monkeypatch.setattr("acai.arrays.LARGEST_COUNT", 100)
    with pytest.raises(InputError, match=r"the blocks together: .* entries or users; acai counts up to 100"):
        Ratings.write_folder(tmp_path / "folder", blocks)
    assert names(tmp_path) == []


def test_a_block_that_fails_leaves_nothing(tmp_path):
    def fails():
        yield from in_blocks(made_up(), [7])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Ratings.write_folder(tmp_path / "folder", fails())
    assert names(tmp_path) == []


def test_what_exists_is_never_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("folder", "file", "link"):
        with pytest.raises(InputError, match=f"{name} exists, and acai replaces no folder; choose another name"):
            made_up().save_folder(tmp_path / name)
    assert names(tmp_path) == ["file", "folder", "link"] and (tmp_path / "file").read_text() == "mine"


def run(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    one_thread = os.environ | {"NUMBA_NUM_THREADS": "1"}  # others would need memory when they are started
    return subprocess.run(command, env=one_thread, capture_output=True, text=True, timeout=60, check=False)


@posix
def test_a_full_disk_leaves_no_folder(tmp_path):
    program = (
        "import resource, signal, sys, numpy as np\n"
        "from acai import Ratings\n"
        "ratings = Ratings.from_matrix(np.ones((50, 40)))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "ratings.save_folder(sys.argv[1])\n"
    )
    done = run(program, tmp_path / "folder")
    assert "OSError: [Errno 27]" in done.stderr and names(tmp_path) == []


@posix
def test_the_next_write_removes_what_a_killed_writer_of_a_folder_left_and_nothing_else(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from acai.atomic import atomic_folder\n"
        "with atomic_folder(sys.argv[1]) as folder:\n"
        "    (folder / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run(program, tmp_path / "folder").returncode == -signal.SIGKILL
    assert names(tmp_path) == [".acai-tmp-0-folder"]
    (tmp_path / ".acai-tmp-1-folder").write_text("a file of the user")
    (tmp_path / ".acai-tmp-0-other").mkdir()
    with atomic_folder(tmp_path / "folder") as one, atomic_folder(tmp_path / "another") as other:
        assert names(one) == names(other) == []
    assert names(tmp_path) == [".acai-tmp-0-other", ".acai-tmp-1-folder", "another", "folder"]


@posix
def test_two_writers_of_one_folder_do_not_disturb_each_other(tmp_path):
    """The first to finish wins; the other fails, and what the first wrote stays."""
    with pytest.raises(OSError, match="folder"), atomic_folder(tmp_path / "folder") as one:
        (one / "who").write_text("slow")
        with atomic_folder(tmp_path / "folder") as other:
            (other / "who").write_text("fast")
    assert names(tmp_path) == ["folder"] and (tmp_path / "folder" / "who").read_text() == "fast"


def test_without_locks_only_a_folder_that_is_old_counts_as_left_over(tmp_path, monkeypatch):
    monkeypatch.setattr("acai.atomic.fcntl", None)  # as on Windows
    for name in (".acai-tmp-0-folder", ".acai-tmp-1-folder"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".acai-tmp-1-folder", (1e9, 1e9))
    with atomic_folder(tmp_path / "folder"):
        pass
    assert names(tmp_path) == [".acai-tmp-0-folder", "folder"]


# ------------------------------------------------------------------ what cannot be read


def test_files_and_folders_that_are_not_ours_are_refused(tmp_path):
    made_up().save(tmp_path / "r.npz")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("r.npz", "r.npz is a file, which cannot be mapped; expected .* ratings.save_folder"),
        ("nothing", "nothing does not exist; expected ratings saved by acai in a folder"),
        ("empty", "empty/ratings.npz: there is no such file; expected ratings saved by acai in a folder"),
    ):
        with pytest.raises(InputError, match=message):
            Ratings.load(tmp_path / name, mmap=True)
    shutil.copy(tmp_path / "r.npz", tmp_path / "empty" / "ratings.npz")
    with pytest.raises(InputError, match="this is ratings saved by acai; expected ratings saved by acai in a folder"):
        Ratings.load(tmp_path / "empty")


N = made_up().n_ratings
SIZE = 128 + 4 * N  # of a file


def overwrite(path, array):
    """Change the numbers of a file that begins as it should."""
    data = path.read_bytes()
    path.write_bytes(data[:128] + array.tobytes())


def swap(path):
    """Exchange the first two numbers."""
    array = np.load(path)
    array[[0, 1]] = array[[1, 0]]
    overwrite(path, array)


@pytest.mark.parametrize("change, message", [
    (lambda f: (f / "times.npy").unlink(), f"times.npy: there is no such file; expected {N} numbers of int64: it is damaged"),
    (lambda f: os.truncate(f / "values_of_users.npy", 500), f"values_of_users.npy has 500 bytes; expected {SIZE:,} for {N}"),
    (lambda f: os.truncate(f / "songs_of_users.npy", 0), f"songs_of_users.npy has 0 bytes; expected {SIZE:,} for {N} numbers"),
    (lambda f: (f / "users_of_songs.npy").write_bytes(bytes(SIZE)), r"users_of_songs.npy begins with .*\\x00.*; expected .*NUMPY"),
    (lambda f: shutil.copy(f / "values_of_users.npy", f / "songs_of_users.npy"), "songs_of_users.npy begins with .*<f4.*<i4"),
    (lambda f: np.save(f / "times.npy", np.array([{}] * N, object), allow_pickle=True), "times.npy has .* bytes; expected"),
    (lambda f: overwrite(f / "songs_of_users.npy", np.full(N, 20, np.int32)), "R is damaged"),
    (lambda f: overwrite(f / "users_of_songs.npy", np.full(N, -1, np.int32)), "R is damaged"),
    (lambda f: overwrite(f / "values_of_songs.npy", np.full(N, np.nan, np.float32)), "R holds nan"),
    (lambda f: swap(f / "songs_of_users.npy"), "songs out of order"),
    (lambda f: swap(f / "users_of_songs.npy"), "songs out of order"),
    (lambda f: forge(f / "ratings.npz", lambda a, v: v.update(version=2)), "its version is 2; expected 1: upgrade acai"),
    (lambda f: forge(f / "ratings.npz", lambda a, v: v.update(users=["a"])), r"starts_of_users is \(31,\) int32; expected \(2\)"),
    (lambda f: forge(f / "ratings.npz", lambda a, v: a["starts_of_users"].__setitem__(0, 1)), f"goes from 1 to {N}"),
    (lambda f: forge(f / "ratings.npz", lambda a, v: a["starts_of_users"].__setitem__(-1, -1)), "goes from 0 to -1"),
    (lambda f: forge(f / "ratings.npz", lambda a, v: a["starts_of_songs"].__setitem__(1, 2**31 - 1)), "R is damaged|out of order"),
    (lambda f: forge(f / "ratings.npz", lambda a, v: a["starts_of_users"].__setitem__(1, -5)), "R is damaged|out of order"),
])
def test_a_folder_whose_files_do_not_fit_together_is_refused(tmp_path, change, message):
    folder = tmp_path / "folder"
    made_up().save_folder(folder)
    change(folder)
    for mmap in (True, False):
        with pytest.raises(InputError, match=message):
            Ratings.load(folder, mmap=mmap)


def test_files_of_two_folders_are_not_mixed(tmp_path):
    for name, R in ("one", [[1, 1, 0], [0, 1, 1]]), ("other", [[1, 1, 0], [1, 0, 1]]):
        Ratings(sparse.csr_array(np.array(R, np.float32)), range(2), range(3)).save_folder(tmp_path / name)
    shutil.copy(tmp_path / "other" / "songs_of_users.npy", tmp_path / "one" / "songs_of_users.npy")
    with pytest.raises(InputError, match="the entries by users are not those by songs: the files come from different folders"):
        Ratings.load(tmp_path / "one", mmap=True)


@posix
@pytest.mark.parametrize("name", ["values_of_users.npy", "ratings.npz"])
def test_a_pipe_in_the_folder_is_not_waited_for(tmp_path, name):
    made_up().save_folder(tmp_path / "folder")
    (tmp_path / "folder" / name).unlink()
    os.mkfifo(tmp_path / "folder" / name)
    with pytest.raises(InputError, match="is a named pipe; expected a regular file"):
        Ratings.load(tmp_path / "folder", mmap=True)


# ------------------------------------------------------------------ memory

LIMITED = """
import resource, sys
from acai import Ratings
from acai.cf import ALS
ALS(n_factors=3, n_epochs=1).fit(Ratings.load(sys.argv[1], mmap=True))  # whatever is needed once: kernels, threads
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
limit = used + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    Ratings.load(sys.argv[2])
except MemoryError:
    print("does not fit into memory")
model = ALS(n_factors=3, n_epochs=1).fit(Ratings.load(sys.argv[2], mmap=True))
model.P.tofile(sys.argv[4])
"""


@linux
def test_als_learns_from_more_entries_than_fit_into_memory(tmp_path):
    """32 MB of entries, 10 MB of memory beyond what a tiny model takes: the same bits as with enough of it."""
    m, per_user = 2000, 1000
    songs = (2 * np.arange(per_user) + np.arange(m)[:, None] % 2).astype(np.int32)  # ascending in each row
    values = np.random.default_rng(0).integers(1, 9, songs.size).astype(np.float32)
    csr = sparse.csr_array((values, songs.ravel(), np.arange(0, songs.size + 1, per_user, dtype=np.int32)), shape=(m, m))
    ratings = Ratings(csr, range(m), range(m))
    ratings.save_folder(tmp_path / "large")
    made_up(300, 200, timed=False).save_folder(tmp_path / "small")
    done = run(LIMITED, tmp_path / "small", tmp_path / "large", 10**7, tmp_path / "P")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "does not fit into memory\n"
    expected = ALS(n_factors=3, n_epochs=1).fit(ratings).P
    assert np.array_equal(np.fromfile(tmp_path / "P", np.float32), expected.ravel())
