"""Where the bytes come from: a file, the extracted folder, or the archive as it was downloaded."""

import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
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
    try:
        if path.is_dir():
            yield from _from_folder(path, names)
        elif zipfile.is_zipfile(path):
            yield from _from_zip(path, names)
        elif _is_tar(path):
            yield from _from_tar(path, names)
        elif _starts_with(path, GZIP):
            with gzip.open(path) as stream:
                yield Source(stream, str(path), path.stem, None)
        elif path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz"):
            raise InputError(
                f"{path} is not the archive that its name promises: damaged, or cut off; download it again"
            )
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


def _from_folder(folder: Path, names: Sequence[str]) -> Iterator[Source]:
    if not names:
        raise InputError(f"{folder} is a folder; expected a file")
    for name in names:
        for path in sorted(folder.rglob(name)):
            with open(path, "rb") as stream:
                yield Source(stream, str(path), path.name, path.stat().st_size)
            return
    raise _missing(folder, names, [path.name for path in folder.rglob("*") if path.is_file()])


def _from_zip(archive: Path, names: Sequence[str]) -> Iterator[Source]:
    with zipfile.ZipFile(archive) as members:
        files = {member.filename: member for member in members.infolist() if not member.is_dir()}
        chosen = _choose(archive, list(files), names)
        with members.open(chosen) as stream:
            yield Source(stream, f"{archive}: {chosen}", PurePosixPath(chosen).name, files[chosen].file_size)


def _from_tar(archive: Path, names: Sequence[str]) -> Iterator[Source]:
    with tar_members(archive) as members:
        seen = []
        for member in members:
            if not member.isfile():
                continue
            seen.append(member.name)
            if not names or PurePosixPath(member.name).name in names:
                yield Source(
                    members.extractfile(member),
                    f"{archive}: {member.name}",
                    PurePosixPath(member.name).name,
                    member.size,
                )
                return
    raise _missing(archive, names, [PurePosixPath(name).name for name in seen])


def _choose(archive: Path, members: Sequence[str], names: Sequence[str]) -> str:
    for name in names:
        for member in members:
            if PurePosixPath(member).name == name:
                return member
    if not names and len(members) == 1:
        return members[0]
    if not names:
        raise InputError(
            f"{archive} holds {len(members)} files ({', '.join(members[:5])}, …); unpack it and name the one to read"
        )
    raise _missing(archive, names, [PurePosixPath(member).name for member in members])


def _missing(where: Path, names: Sequence[str], present: Sequence[str]) -> InputError:
    return InputError(f"{where} has {unknown('file', ' or '.join(names), sorted(set(present)))}")


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
