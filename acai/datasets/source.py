"""Where the bytes come from: a file, the extracted folder, or the archive as it was downloaded."""

import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from acai.errors import InputError, unknown

GZIP = b"\x1f\x8b"
# what Python's own modules raise when an archive is cut off or damaged
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Source:
    """An open file: its bytes, what to call it in a message, its name, and its size where that is known beforehand."""

    stream: BinaryIO
    label: str
    name: str
    size: int | None


@contextmanager
def opened(path: str | os.PathLike, *names: str) -> Iterator[Source]:
    """Open one file of a data set for reading, straight out of its archive if need be.

    Parameters
    ----------
    path : path
        The file itself (also compressed with gzip), a folder that has it at any depth, or a `.zip`, `.tar` or `.tar.gz`
        with it inside.
    *names : str
        What the file is called in folders and archives. Without names, an archive must hold one file only, and a folder
        is a mistake.

    Yields
    ------
    Source

    Raises
    ------
    InputError
        If nothing is there, or no file of that name, or the archive is damaged: also while it is being read.
    """
    path = Path(path)
    if not path.exists():
        beside = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
        raise InputError(f"{path} does not exist; {unknown('file', path.name, beside)}")
    if path.is_dir():
        if not names:
            raise InputError(f"{path} is a folder; expected a file")
        files = {str(file): file for file in sorted(path.rglob("*")) if file.is_file()}
        path = files[_choose(path, list(files), names)]
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as members:
                chosen = _choose(path, [member.filename for member in members.infolist() if not member.is_dir()], names)
                with members.open(chosen) as stream:
                    yield Source(stream, f"{path}: {chosen}", Path(chosen).name, members.getinfo(chosen).file_size)
        elif _is_tar(path):
            yield from _from_tar(path, names)
        elif _starts_with(path, GZIP):
            with gzip.open(path) as stream:
                yield Source(stream, str(path), path.stem, None)
        elif path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz"):
            raise InputError(f"{path} is not the archive that its name promises: damaged, or cut off; download it again")
        else:
            with open(path, "rb") as stream:
                yield Source(stream, str(path), path.name, path.stat().st_size)
    except BROKEN as error:
        raise InputError(f"{path} is damaged, or its download was cut off ({error}); download it again") from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read ({error.strerror})") from error


@contextmanager
def tar_members(archive: Path) -> Iterator[tarfile.TarFile]:
    """A tar archive, from front to back so that nothing is decompressed twice.

    tarfile's own decompression takes an archive that was cut off between two files for one that ends there; gzip does not.
    """
    opener = gzip.open if _starts_with(archive, GZIP) else open
    with opener(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as members:
        yield members


def _from_tar(archive: Path, names: Sequence[str]) -> Iterator[Source]:
    if not names:  # look through it first: is there only one?
        with tar_members(archive) as members:
            names = [Path(_choose(archive, [member.name for member in members if member.isfile()], names)).name]
    seen = []
    with tar_members(archive) as members:
        for member in members:
            if member.isfile() and (name := Path(member.name).name) in names:
                yield Source(members.extractfile(member), f"{archive}: {member.name}", name, member.size)
                return
            seen.append(member.name)
    _choose(archive, seen, names)


def _choose(where: Path, files: Sequence[str], names: Sequence[str]) -> str:
    """The file that has one of the names; without names, the only file there is."""
    if not names and len(files) == 1:
        return files[0]
    if not names:
        listed = f"{', '.join(files[:5])}, …"
        raise InputError(f"{where} holds {len(files)} files ({listed}); unpack it and name the one to read")
    found = [file for name in names for file in files if Path(file).name == name]
    if not found:
        raise InputError(f"{where} has {unknown('file', ' or '.join(names), sorted({Path(file).name for file in files}))}")
    return found[0]


def _is_tar(path: Path) -> bool:
    # tarfile.is_tarfile would do, but it takes an empty file for a tar with nothing in it
    if path.stat().st_size == 0:
        return False
    opener = gzip.open if _starts_with(path, GZIP) else open
    try:
        with opener(path, "rb") as stream:
            return stream.read(512)[257:262] == b"ustar"
    except BROKEN:
        return False


def _starts_with(path: Path, magic: bytes) -> bool:
    with open(path, "rb") as stream:
        return stream.read(len(magic)) == magic
