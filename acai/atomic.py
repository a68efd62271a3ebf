"""Files and folders that appear complete or not at all, and the leftovers of writers that were killed."""

import errno
import hashlib
import itertools
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from acai.errors import InputError

try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None  # type: ignore[assignment]

SLOTS = 16  # how many names of temporary files each write checks for leftovers, instead of listing the folder
LEFTOVER = re.compile(r"\.acai-tmp-\d+-.+", re.DOTALL)
DAY = 86400.0  # seconds after which a temporary file counts as abandoned where there are no locks
KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file through a temporary one, which replaces it if the block succeeds and is removed if it fails.

    Parameters
    ----------
    path : path
        The file. Its folder is created if it does not exist. A symbolic link is followed: its target is replaced. An
        existing file keeps its permissions and, where the system allows it, its owner.

    Yields
    ------
    Path
        The temporary file, which exists, in the same folder (a rename is atomic only within a file system) and with the
        same suffix. Write into it; do not replace it.

    Raises
    ------
    InputError
        Before the block runs, if `path` is not a regular file but a folder, a device, a pipe or a socket.
    OSError
        If the folder cannot be written to, or the disk is full. The file at `path` is then unchanged.

    Notes
    -----
    The temporary file is locked while its writer lives. If a writer is killed, the next write to the same file finds the
    lock free and removes the leftover. There is no fsync: a power failure may still lose what was just written.
    """
    if str(path).endswith(("/", os.sep)):
        raise InputError(f"{path} names a folder; expected the name of a file")
    regular_file(path)
    target = Path(os.path.realpath(path))
    before = regular_file(target)
    if before is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    for slot in range(SLOTS):
        _remove_if_abandoned(_temporary(target, slot))
    # the replacement of a private file is private from its first byte; a new file gets the permissions of the umask
    mode = 0o666 if before is None else 0o600
    temporary, handle = _claim(target, lambda name: os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield temporary
        before = regular_file(target)
        if before is not None:
            if hasattr(os, "chown"):
                with suppress(OSError):
                    os.chown(temporary, before.st_uid, before.st_gid)
            os.chmod(temporary, stat.S_IMODE(before.st_mode))
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a folder through a temporary one, which gets its name if the block succeeds and is removed if it fails.

    Parameters
    ----------
    path : path
        The folder; nothing may have this name yet. The folder around it is created if it does not exist.

    Yields
    ------
    Path
        The temporary folder, which is empty and beside the one to come.

    Raises
    ------
    InputError
        Before the block runs, if `path` exists: a folder is never replaced, because it may hold more than acai wrote.
    OSError
        If the folder cannot be written to, or the disk is full.

    Notes
    -----
    Leftovers of a writer that was killed are removed as after `atomic_write`: by the next write to the same name.
    """
    if os.path.lexists(path):
        raise InputError(f"{path} exists, and acai replaces no folder; choose another name, or remove it first")
    target = Path(os.path.abspath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    for slot in range(SLOTS):
        _remove_if_abandoned(_temporary(target, slot), stat.S_ISDIR)
    temporary, handle = _claim(target, _new_folder)
    try:
        yield temporary
        os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        if handle is not None:
            os.close(handle)


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Remove every temporary file that a killed `atomic_write` left in a folder, and nothing else."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        if LEFTOVER.fullmatch(name):
            _remove_if_abandoned(Path(folder, name))


def regular_file(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Return the status of a regular file, or None if nothing exists yet; refuse anything else. Links are followed."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InputError(f"{str(path)!r} cannot be the name of a file: {error}") from None
    for is_kind, name in KINDS:
        if is_kind(status.st_mode):
            raise InputError(f"{path} is {name}; expected a regular file, or a name that does not exist yet")
    return status


def _temporary(target: Path, slot: int) -> Path:
    """Name a temporary file for `target`: with the same suffix, and never longer than the 255 bytes allowed."""
    name = target.name.lstrip(".")
    if len(os.fsencode(name)) > 200:
        suffix = target.suffix if len(os.fsencode(target.suffix)) <= 32 else ""
        name = hashlib.sha256(os.fsencode(name)).hexdigest() + suffix
    return target.with_name(f".acai-tmp-{slot}-{name}")


def _new_folder(name: Path) -> int | None:
    """Create a folder; returns a handle where there are locks to hold."""
    os.mkdir(name)
    return None if fcntl is None else os.open(name, os.O_RDONLY)


def _claim(target: Path, create: Callable[[Path], int | None]) -> tuple[Path, int | None]:
    """Create a temporary file or folder and lock it; the handle returned holds the lock (None where there are no locks)."""
    for slot in itertools.count():
        temporary = _temporary(target, slot)
        try:
            handle = create(temporary)
        except FileExistsError:
            continue
        if handle is None:
            return temporary, None
        if fcntl is None:
            os.close(handle)  # Windows renames no file that is open
            return temporary, None
        with suppress(OSError):  # a file system without locks: nobody else can lock the file, so nobody removes it
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_open_at(handle, temporary):
            return temporary, handle
        os.close(handle)  # between open and lock, another process took it for a leftover and removed it
    raise AssertionError("itertools.count never ends")


def _remove_if_abandoned(temporary: Path, is_kind: Callable[[int], bool] = stat.S_ISREG) -> None:
    """Remove a temporary file, or a folder if `is_kind` says so, if its writer is no longer running."""
    remove = shutil.rmtree if is_kind is stat.S_ISDIR else os.unlink
    with suppress(OSError):  # it does not exist, is in use or is not ours to remove
        status = os.lstat(temporary)
        if not is_kind(status.st_mode):
            return
        if fcntl is None:
            if time.time() - status.st_mtime > DAY:
                remove(temporary)
            return
        handle = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_open_at(handle, temporary):
                remove(temporary)
        finally:
            os.close(handle)


def _is_open_at(handle: int, path: Path) -> bool:
    """Whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False
