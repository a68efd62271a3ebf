"""Ratings in a folder, of which only what is in use has to be in memory.

The folder holds R twice, so that users and songs can both be read one after another:

    ratings.npz            a file of `acai.files`: ids, notes, and where in the other files each user and each song begins
    songs_of_users.npy     int32: the songs of the first user, ascending, then those of the second, and so on
    values_of_users.npy    float32: what the user thought of each
    users_of_songs.npy     int32: the users of the first song, ascending, then those of the second, and so on
    values_of_songs.npy    float32
    times.npy              int64: when each of the `values_of_users` was made; only if that is known

`numpy.load` can read them all. Mapped into memory, a file costs no memory of the process: the operating system reads the
part that is used, and forgets it when memory is needed for something else.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.arrays import check_count
from acai.atomic import atomic_folder, regular_file
from acai.errors import InputError
from acai.files import Contents, load_npz, save_npz
from acai.ratings.building import checked_csr, column_counts, stored_ids
from acai.settings import Limits, checked

if TYPE_CHECKING:
    from acai.ratings.matrix import Ratings

KIND = "ratings saved by acai in a folder"
VERSION = 1
HEADER = 128  # bytes at the beginning of each .npy file
BYTES = 32  # that an entry takes, at most, while songs are collected
SONGS_OF_USERS, VALUES_OF_USERS, TIMES = "songs_of_users.npy", "values_of_users.npy", "times.npy"
USERS_OF_SONGS, VALUES_OF_SONGS = "users_of_songs.npy", "values_of_songs.npy"
DTYPES = {SONGS_OF_USERS: "<i4", VALUES_OF_USERS: "<f4", USERS_OF_SONGS: "<i4", VALUES_OF_SONGS: "<f4", TIMES: "<i8"}
Append = Callable[[NDArray[Any]], None]


def save_folder(ratings: "Ratings", path: str | os.PathLike[str], memory: int = 2**28) -> None:
    """Write a folder that `Ratings.load(path, mmap=True)` maps into memory; `write_folder` describes the arguments."""
    write_folder(type(ratings), path, [ratings], memory)


def write_folder(
    cls: "type[Ratings]", path: str | os.PathLike[str], blocks: "Iterable[Ratings]", memory: int = 2**28
) -> None:
    """Write a folder that `Ratings.load(path, mmap=True)` maps into memory, from blocks of users, one block after another.

    Parameters
    ----------
    path : path
        The folder; nothing may have this name yet. It appears when it is complete.
    blocks : iterable of Ratings
        Some users at a time, such as a generator that reads them from somewhere: each user with all entries in one block.
        All blocks have the same songs in the same order, and either all or none have times.
    memory : int
        How many bytes may be used while the songs are collected. What was written by users is read about
        32 × entries / memory times for that.

    Raises
    ------
    InputError
        If `path` exists, `blocks` are not Ratings, a user is in two of them, they do not fit together, or there is none.
    OSError
        If the disk is full; nothing is then left at `path`.
    """
    memory = checked("memory", memory)
    if not isinstance(blocks, Iterable):
        raise InputError(f"blocks is an object of the class {type(blocks).__name__}; expected a list or a generator of Ratings")
    with atomic_folder(path) as folder:
        axes = _write_users(cls, folder, blocks)
        shape = len(axes.users), len(axes.songs)
        parts = *(_column(folder / name, axes.starts[-1], True) for name in (VALUES_OF_USERS, SONGS_OF_USERS)), axes.starts
        starts_of_songs = _write_songs(folder, sparse.csr_array(parts, shape=shape), memory)
        save_npz(folder / "ratings.npz", KIND, version=VERSION, users=axes.users, songs=axes.songs, notes=axes.notes,
                 has_times=axes.has_times, starts_of_users=axes.starts, starts_of_songs=starts_of_songs)  # fmt: skip


class Axes(NamedTuple):
    """What is known of R when all blocks are written; the entries of user u are starts[u] to starts[u + 1]."""

    users: list[Any]
    songs: tuple[Any, ...]
    notes: list[str]
    has_times: bool
    starts: NDArray[np.int32]


def _write_users(cls: "type[Ratings]", folder: Path, blocks: "Iterable[Ratings]") -> Axes:
    """Write the entries of one block of users after another."""
    users: dict[Any, None] = {}
    notes: dict[str, None] = {}
    first, lengths, n_entries = None, [np.zeros(1, np.int64)], 0
    with ExitStack() as files:
        append = {name: files.enter_context(_growing(folder / name)) for name in (SONGS_OF_USERS, VALUES_OF_USERS)}
        for block in blocks:
            if not isinstance(block, cls):
                raise InputError(f"a block is an object of the class {type(block).__name__}; expected Ratings")
            if first is None:
                first = block
                if block.times is not None:
                    append[TIMES] = files.enter_context(_growing(folder / TIMES))
            _expect_fitting(block, first, users)
            users.update(dict.fromkeys(block.users))
            notes.update(dict.fromkeys(block.notes))
            n_entries += block.n_ratings
            check_count(max(n_entries, len(users)), "entries or users", "the blocks together")
            lengths.append(np.diff(block.csr.indptr))
            append[SONGS_OF_USERS](block.csr.indices)
            append[VALUES_OF_USERS](block.csr.data)
            if block.times is not None:
                append[TIMES](block.times)
    if first is None:
        raise InputError("there is no block of ratings; expected at least one")
    starts = np.cumsum(np.concatenate(lengths)).astype(np.int32)
    return Axes(list(users), tuple(first.songs), list(notes), first.times is not None, starts)


def _expect_fitting(block: "Ratings", first: "Ratings", users: dict[Any, None]) -> None:
    """Raise an error unless a block can follow those whose users are given, of which `first` is the first."""
    if block.songs != first.songs:
        raise InputError("two blocks have different songs, or the same in another order; expected the same for all blocks")
    if (block.times is None) != (first.times is None):
        raise InputError("one block has times and another has none; expected times in all blocks or in none")
    new = set(block.users)
    repeated = [user for user in block.users if user in users] if not users.keys().isdisjoint(new) else []
    if repeated:
        raise InputError(f"user {repeated[0]!r} is in two blocks; expected all entries of a user in one")
    if len(new) < block.n_users:
        raise InputError(f"{block.n_users} users have {len(new)} different ids; expected a different id for each")


def _write_songs(folder: Path, by_users: sparse.csr_array, memory: int) -> NDArray[np.int32]:
    """Write the entries of one song after another, as many songs at a time as memory allows; returns where each begins."""
    starts = np.append(0, np.cumsum(column_counts(by_users)))
    with _growing(folder / USERS_OF_SONGS) as append_users, _growing(folder / VALUES_OF_SONGS) as append_values:
        first = 0
        while first < by_users.shape[1]:
            last = int(np.searchsorted(starts, starts[first] + memory // BYTES, side="right")) - 1
            last = max(last, first + 1)
            some = by_users[:, first:last].tocsc()
            append_users(some.indices)
            append_values(some.data)
            first = last
    return starts.astype(np.int32)


def load_folder(cls: "type[Ratings]", path: str | os.PathLike[str], mmap: bool) -> "Ratings":
    """Map what `write_folder` wrote into memory, or read it; everything that compiled code relies on is checked."""
    mmap = checked("mmap", mmap, bool, Limits())
    if not os.path.isdir(path):
        found = "is a file, which cannot be mapped" if os.path.exists(path) else "does not exist"
        raise InputError(f"{path} {found}; expected {KIND}: ratings.save_folder(path) writes one, and so does Ratings.write_folder")
    contents = load_npz(Path(path, "ratings.npz"), KIND)
    if contents.value("version", int) != VERSION:
        raise contents.fault(f"its version is {contents.values['version']}; expected {VERSION}: upgrade acai")
    users, songs = stored_ids(contents, "users"), stored_ids(contents, "songs")
    by_users = _rows(contents, "users", (len(users), len(songs)), mmap)
    by_songs = _rows(contents, "songs", (len(songs), len(users)), mmap)
    for one, other in (by_users, by_songs), (by_songs, by_users):
        if not np.array_equal(column_counts(one), np.diff(other.indptr)):
            raise contents.fault("the entries by users are not those by songs: the files come from different folders")
    times = _column(Path(path, TIMES), by_users.nnz, mmap) if contents.value("has_times", bool) else None
    ratings = cls(by_users, users, songs, times, contents.sequence("notes", str))
    vars(ratings)["csc"] = by_songs.T
    return ratings


def _rows(contents: Contents, of: str, shape: tuple[int, int], mmap: bool) -> sparse.csr_array:
    """Read or map the entries by users or by songs, and check them."""
    starts = contents.array(f"starts_of_{of}", (shape[0] + 1,), ("int32",))
    names = (VALUES_OF_USERS, SONGS_OF_USERS) if of == "users" else (VALUES_OF_SONGS, USERS_OF_SONGS)
    if starts[0] != 0 or starts[-1] < 0:
        raise contents.fault(f"starts_of_{of} goes from {starts[0]} to {starts[-1]}; expected from 0 to the number of entries")
    values, indices = (_column(Path(contents.path).with_name(name), int(starts[-1]), mmap) for name in names)
    with contents.faults():
        return checked_csr(sparse.csr_array((values, indices, starts), shape=shape))


@contextmanager
def _growing(path: Path) -> Iterator[Append]:
    """Write a `.npy` file of one column part by part; its length is written last."""
    dtype, n = DTYPES[path.name], 0

    def append(values: NDArray[Any]) -> None:
        nonlocal n
        file.write(np.ascontiguousarray(values, dtype).data)
        n += len(values)

    with open(path, "xb") as file:
        file.write(_header(dtype, 0))
        yield append
        file.seek(0)
        file.write(_header(dtype, n))


def _header(dtype: str, n: int) -> bytes:
    """Make the beginning of a `.npy` file, format 1.0, of n numbers."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({n},), }}"
    return b"\x93NUMPY\x01\x00" + (HEADER - 10).to_bytes(2, "little") + f"{text:<{HEADER - 11}}\n".encode()


def _column(path: Path, n: int, mmap: bool) -> NDArray[Any]:
    """Map a file of n numbers that `_growing` wrote, or read it; refuse any other."""
    again = "it is damaged, or not of this folder: write the folder again with save_folder or write_folder"
    dtype = np.dtype(DTYPES[path.name])
    if regular_file(path) is None:
        raise InputError(f"{path}: there is no such file; expected {n:,} numbers of {dtype}: {again}")
    with open(path, "rb") as file:
        size, expected = os.fstat(file.fileno()).st_size, HEADER + n * dtype.itemsize
        if size != expected:
            raise InputError(f"{path} has {size:,} bytes; expected {expected:,} for {n:,} numbers of {dtype}: {again}")
        if (found := file.read(HEADER)) != _header(dtype.str, n):
            raise InputError(f"{path} begins with {found[:80]!r}; expected {_header(dtype.str, n).strip()!r}: {again}")
        if mmap and n:  # nothing cannot be mapped
            return np.memmap(file, dtype, "r", HEADER, (n,))
        return np.fromfile(file, dtype, n)
