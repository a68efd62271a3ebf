"""Where the bytes come from: a file, the extracted folder, or the archive as it was downloaded. All readers use it."""

import os
import re
import stat
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from acai.errors import InputError, unknown
from acai.tables import streams
from acai.tables.archives import BLOCK, NotAFile, Source, tar_members, zip_members
from acai.tables.streams import CHUNK, Budget, Checked, Decompressed, buffered, decompressor, library_errors

ZIP = (b"PK\3\4", b"PK\5\6", b"PK\7\10")  # how a zip archive begins: with files, without one, in several parts
NAMED = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
COMPRESSED = re.compile(r"\.(gz|bz2|xz)$", re.IGNORECASE)
# what systems add to folders and archives for themselves: macOS, Windows
JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
LISTED = 1000  # names in an archive that are remembered for a message
FilePath = str | os.PathLike[str]


@contextmanager
def opened(path: FilePath, *names: str) -> Iterator[Source]:
    """Open one file of a data set for reading, straight out of its archive if need be.

    Parameters
    ----------
    path : path
        The file itself (also compressed with gzip, bzip2 or xz), a folder that has it at any depth, or a `.zip`, `.tar` or
        `.tar.gz` (`.bz2`, `.xz`) with it inside.
    *names : str
        What the file is called in folders and archives. Without names, an archive must have exactly one file, and a
        folder is an error. What macOS and Windows add for themselves, such as `__MACOSX/._ratings.csv`, does not count.

    Yields
    ------
    Source

    Raises
    ------
    InputError
        If there is no such path, no file of that name, or the archive is damaged; also while the file is being read.
    """
    path, names = _located(Path(path), names)
    seen: list[str] = []
    inside = members(path)
    for member in inside:
        name = Path(member.name).name
        if name in names and not is_junk(member.name):
            if isinstance(member, NotAFile):
                raise InputError(f"{member.label} is {member.kind}; expected a file: unpack the archive and name the file")
            yield Source(member.stream, member.label, name, member.size)
            if not _is_zip(path, _beginning(path)):
                for _ in inside:  # a compressed tar has one checksum for all its files, at its end
                    pass
            return
        if len(seen) < LISTED:
            seen.append(name)
    raise _missing(path, seen, names)


def _located(path: Path, names: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """Find the file or the archive, in a folder if need be, and the names that the file may have inside."""
    with library_errors(path):
        exists, is_folder = path.exists(), path.is_dir()
    if not exists:
        with library_errors(path):
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        _choose(path.parent, beside, [path.name])
    if is_folder:
        if not names:
            raise InputError(f"{path} is a folder; expected a file")
        inside = [file for file in sorted(path.rglob("*")) if file.is_file()]
        path = Path(_choose(path, [str(file) for file in inside if not is_junk(file.relative_to(path).as_posix())], names))
    if not names or not is_archive(path):  # look through it first: is there only one?
        files = [member.name for member in members(path) if isinstance(member, Source)]
        names = (Path(_choose(path, [name for name in files if not is_junk(name)] or files, ())).name,)
    return path, names


def is_junk(name: str) -> bool:
    """Recognise what systems add to folders and archives for themselves."""
    return JUNK.search(name) is not None


def read_all(source: Source) -> bytes:
    """Read all bytes of a source; one that is far too large is refused before it fills the memory."""
    raw = bytearray()
    while chunk := source.stream.read(CHUNK):
        raw += chunk
        if len(raw) > streams.GRACE:
            raise InputError(f"{source.label} has more than {streams.GRACE:,} bytes; expected a file that is much smaller")
    return bytes(raw)


def members(path: Path) -> Iterator[Source | NotAFile]:
    """Yield the members of a `.zip` or a tar archive in order, so that nothing is unpacked twice; or the file itself."""
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        stream = Checked(file.read, path)
        budget = Budget(path, size)
        with library_errors(path):
            beginning = file.read(16)
            file.seek(0)
        if _is_zip(path, beginning):
            yield from zip_members(file, path, budget)
            return
        new = decompressor(beginning)
        if new is not None:
            stream = Checked(Decompressed(file, new).read, path, budget)
        if is_archive(path):
            yield from tar_members(buffered(stream), path, budget)
        else:
            name = path.name if new is None else COMPRESSED.sub("", path.name)
            yield Source(buffered(stream), str(path), name, size if new is None else None)


def _open(path: Path) -> BinaryIO:
    """Open a regular file for reading; anything else is refused at once, since opening a pipe means waiting for its writer."""
    with library_errors(path):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise InputError(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'a pipe or a device'}; expected a file")
        return open(path, "rb")


def is_archive(path: Path) -> bool:
    """Recognise an archive by its name, so that a damaged one is not mistaken for text, or else by its first bytes."""
    if NAMED.search(path.name):
        return True
    with _open(path) as file, library_errors(path):
        beginning = file.read(BLOCK)
        if beginning.startswith(ZIP):
            return True
        new = decompressor(beginning)
        if new is not None:
            file.seek(0)
            beginning = buffered(Checked(Decompressed(file, new).read, path)).read(BLOCK)
    try:
        tarfile.TarInfo.frombuf(beginning, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError, OverflowError):
        return False
    return True


def _beginning(path: Path) -> bytes:
    with library_errors(path), open(path, "rb") as file:
        return file.read(BLOCK)


def _is_zip(path: Path, beginning: bytes) -> bool:
    return path.suffix.lower() == ".zip" or beginning.startswith(ZIP)


def _choose(where: Path, files: Sequence[str], names: Sequence[str]) -> str:
    """Choose the file that has one of the names; without names, the only file there is."""
    if not names and len(files) == 1:
        return files[0]
    if not names:
        if not files:
            raise _missing(where, files, names)
        listed = f"{', '.join(files[:5])}, …"
        raise InputError(f"{where} holds {len(files)} files ({listed}); unpack it and name the one to read")
    found = [file for name in names for file in files if Path(file).name == name]
    if not found:
        raise _missing(where, files, names)
    return found[0]


def _missing(where: Path, files: Sequence[str], names: Sequence[str]) -> InputError:
    """Make the error for a file that is not there."""
    if not files and not where.is_dir():
        expected = " or ".join(names) or "one"
        return InputError(f"{where} is an archive without a file in it; expected {expected}: download it again")
    return InputError(f"{where} has {unknown('file', ' or '.join(names), sorted({Path(file).name for file in files}))}")
