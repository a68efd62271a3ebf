"""Unpacking an archive into a folder: completely or not at all, and never outside the folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath

from acai.errors import InputError
from acai.tables.archives import NotAFile
from acai.tables.source import FilePath, is_archive, members
from acai.tables.streams import CHUNK

try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None  # type: ignore[assignment]


def unpack(archive: FilePath, folder: FilePath) -> Path:
    """Unpack a `.zip` or a tar archive into a new folder, completely or not at all.

    Parameters
    ----------
    archive, folder : path
        From where to where. The folder must not exist.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the folder exists, the archive is damaged or empty, a member would be written outside the folder or twice to the
        same place, or is a link or a device, or if there is not enough space on the disk.
    """
    archive, folder = Path(archive), Path(folder)
    if not is_archive(archive):
        raise InputError(f"{archive} is not an archive, or is damaged, or its download was cut off; nothing was unpacked")
    if folder.exists():
        raise InputError(f"{folder} exists already; remove it to unpack {archive.name} again")
    temporary = folder.with_name(f".{folder.name}.acai-unpacking")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(folder.parent):
            if folder.exists():
                raise InputError(f"{folder} was unpacked by another program meanwhile; use that, or remove it first")
            shutil.rmtree(temporary, ignore_errors=True)  # of an unpacking that was killed
            try:
                _write_members(archive, temporary)
                os.replace(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{archive} cannot be unpacked to {folder} ({error.strerror}); nothing was unpacked") from error
    return folder


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else unpacks anything into this folder, and lock it for the block."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write_members(archive: Path, folder: Path) -> None:
    files: set[str] = set()
    folders: set[str] = set()
    for member in members(archive):
        path = PureWindowsPath(member.name)  # knows every way to leave a folder on Windows and on Unix
        if path.anchor or ".." in path.parts:
            raise InputError(f"{archive} holds {member.name!r}, which would leave the folder; nothing was unpacked")
        if isinstance(member, NotAFile):
            raise InputError(f"{archive} holds {member.name!r}, {member.kind}; nothing was unpacked")
        if not path.parts or "\0" in member.name:
            raise InputError(f"{archive} holds {member.name!r}, which is not a file name; nothing was unpacked")
        name = path.as_posix()
        above = {parent.as_posix() for parent in path.parents} - {"."}
        if name in files or name in folders or above & files:
            raise InputError(f"{archive} holds {member.name!r} twice, or as a file and a folder; nothing was unpacked")
        files.add(name)
        folders |= above
        target = folder / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if member.size is not None and member.size > free:
            found = f"{archive} holds {member.name!r} of {member.size:,} bytes, the disk has {free:,} left"
            raise InputError(f"{found}; free some space: nothing was unpacked")
        with open(target, "xb") as file:
            shutil.copyfileobj(member.stream, file, CHUNK)
    if not files:
        raise InputError(f"{archive} is an archive without a file in it; nothing was unpacked: download it again")
