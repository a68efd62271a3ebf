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

# what Python's own modules raise when an archive is cut off or damaged
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Source:
    """Bytes to read, what to call them in a message, their name, and how many there are where that is known beforehand."""

    stream: BinaryIO | None  # None for a link or a device in an archive
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
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        _choose(path.parent, beside, [path.name])
    if path.is_dir():
        if not names:
            raise InputError(f"{path} is a folder; expected a file")
        path = Path(_choose(path, [str(file) for file in sorted(path.rglob("*")) if file.is_file()], names))
    with readable(path):
        if not names or not is_archive(path):  # look through it first: is there only one?
            names = (Path(_choose(path, [member.name for member in members(path) if member.stream], ())).name,)
        seen = []
        for member in members(path):
            seen.append(Path(member.name).name)
            if member.stream and seen[-1] in names:
                yield Source(member.stream, member.label, seen[-1], member.size)
                return
        _choose(path, seen, names)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say it in a sentence if a file turns out to be missing, damaged or closed to us while it is read."""
    try:
        yield
    except BROKEN as error:
        raise InputError(f"{path} is damaged, or its download was cut off ({error}); download it again") from error
    except (FileNotFoundError, PermissionError) as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from error


def members(path: Path) -> Iterator[Source]:
    """The files in a `.zip` or a tar archive, from front to back, so that nothing is unpacked twice; or the file itself."""
    if path.suffix == ".zip" or zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as files:
            for member in files.infolist():
                if not member.is_dir():
                    with files.open(member) as stream:
                        yield Source(stream, f"{path}: {member.filename}", member.filename, member.file_size)
        return
    with open(path, "rb") as stream:
        is_gzip = stream.read(2) == b"\x1f\x8b"
    with gzip.open(path) if is_gzip else open(path, "rb") as stream:
        if not is_archive(path):
            yield Source(stream, str(path), path.name.removesuffix(".gz"), None if is_gzip else path.stat().st_size)
            return
        # tarfile's own decompression takes an archive that was cut off between two files for one that ends there
        with tarfile.open(fileobj=stream, mode="r|*") as files:
            for member in files:
                if not member.isdir():
                    content = files.extractfile(member) if member.isfile() else None
                    yield Source(content, f"{path}: {member.name}", member.name, member.size)


def is_archive(path: Path) -> bool:
    """By its name, so that a damaged one is not taken for text; or by what it holds, if it holds anything."""
    if path.name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz")):
        return True
    return zipfile.is_zipfile(path) or (path.stat().st_size > 0 and tarfile.is_tarfile(path))


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
