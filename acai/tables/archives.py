"""The files in a `.zip` or a tar archive, from first to last, without unpacking it to disk.

An archive may come from anybody, so nothing that it says about itself is trusted: neither its sizes nor its names nor its
links.
"""

import io
import re
import stat
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from acai.errors import InputError
from acai.tables.streams import CHUNK, Budget, Checked, buffered, damaged, library_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = tarfile.BLOCKSIZE
LONGEST_HEADER = 1 << 20  # bytes of a header for what does not fit into a block, such as a long name
REGULAR = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
PAX = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}
ABOUT_NEXT = {*PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
KINDS = {
    tarfile.SYMTYPE: "a link", tarfile.LNKTYPE: "a link", tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}  # these, and folders, have a header alone, whatever size it names
SPARSE = "a sparse file"
END_OF_ZIP = b"PK\5\6"
LONGEST_END = 22 + 65535  # bytes, with the longest comment
UNKNOWN = 65535
METHODS = {1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstd", 95: "xz", 98: "ppmd"}


@dataclass(frozen=True)
class Source:
    """A file to read: its bytes, what to call it in a message, its name, and its size if that is known beforehand."""

    stream: io.BufferedReader
    label: str
    name: str
    size: int | None


@dataclass(frozen=True)
class NotAFile:
    """A member of an archive that is not a regular file, such as a link; `kind` says what it is."""

    label: str
    name: str
    kind: str


def zip_members(file: BinaryIO, path: Path, budget: Budget) -> Iterator[Source | NotAFile]:
    """Yield the members of a zip archive."""
    with library_errors(path):
        archive = zipfile.ZipFile(file)
    with archive:
        entries = archive.infolist()
        _check_list(file, entries, path)
        _check_places(entries, archive.start_dir, path, budget)
        for entry in entries:
            label = _label(path, entry.filename)
            if stat.S_ISLNK(entry.external_attr >> 16):
                yield NotAFile(label, entry.filename, "a link")
            elif not _is_folder(entry):
                _check_entry(entry, label)
                with library_errors(path):
                    content = archive.open(entry)
                with content:
                    stream = buffered(Checked(content.read, path, budget, entry.file_size))
                    yield Source(stream, label, entry.filename, entry.file_size)


def _check_list(file: BinaryIO, entries: list[zipfile.ZipInfo], path: Path) -> None:
    """Raise an error if a file is listed twice, or missing."""
    n_listed = _n_listed(file)
    if n_listed not in (UNKNOWN, len(entries) & UNKNOWN):  # a damaged entry can swallow the next one
        raise damaged(path, f"its list of files has {len(entries)} entries instead of {n_listed}")
    for name, n in Counter(entry.filename for entry in entries if not _is_folder(entry)).items():
        if n > 1:
            raise InputError(f"{path} holds {name!r} {n} times; expected each file once: download it again")


def _check_places(entries: list[zipfile.ZipInfo], end: int, path: Path, budget: Budget) -> None:
    """Raise an error unless each file has its own bytes, before the list of files, and no more of them than allowed."""
    free = 0  # where the next entry may begin
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < free:
            raise damaged(path, f"{entry.filename!r} lies on top of another file")
        if _is_folder(entry) and entry.file_size:
            raise damaged(path, f"{entry.filename!r} is a folder by its name, of {entry.file_size:,} bytes")
        budget.expect(entry.file_size, entry.filename)
        free = entry.header_offset + entry.compress_size
    if free > end:
        raise damaged(path, "its last file lies on top of the list of files")


def _n_listed(file: BinaryIO) -> int:
    """Read how many entries the archive claims to have, modulo 65536; 65535 may mean that a larger field says it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - LONGEST_END))
    end = file.read()
    at = end.rfind(END_OF_ZIP)
    return int.from_bytes(end[at + 10 : at + 12], "little")


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("/")  # `entry.is_dir()` fails before Python 3.12 where there is no name at all


def _check_entry(entry: zipfile.ZipInfo, label: str) -> None:
    if entry.flag_bits & 0x1:
        raise InputError(f"{label} is encrypted, and acai asks for no password; unpack it with another program")
    if entry.volume not in (0, 0xFFFF):
        found = f"{label} is on disk {entry.volume + 1} of several"
        raise InputError(f"{found}; join the parts of the archive into one file first")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = METHODS.get(entry.compress_type, f"method {entry.compress_type}")
        raise InputError(f"{label} is compressed with {method}; expected deflate: unpack it with another program")


def tar_members(stream: BinaryIO, path: Path, budget: Budget) -> Iterator[Source | NotAFile]:
    """Yield the members of a tar archive that is not compressed, or not any more.

    Headers are decoded by Python's `tarfile`, but its loop over the archive is not used: damaged sizes and sparse maps make
    it run forever, and it mistakes a damaged header in the middle for the end.
    """
    about: dict[str, str] = {}  # what extended headers say about the next member
    while True:
        block = _exactly(stream, BLOCK, path)
        header = _header(block, path)
        if header is None:
            while stream.read(CHUNK):  # what follows has no meaning, but compression has its checksum at the end of it
                pass
            return
        size, name = _size(header, about), about.get("path", header.name)
        budget.expect(size, name)
        content = Section(stream, size, path)
        if header.type in ABOUT_NEXT:
            about |= _about_next(header, content, path)
        else:
            if header.type != tarfile.DIRTYPE and not name.endswith("/"):
                label, kind = _label(path, name), _special_kind(header, about)
                yield Source(buffered(content), label, name, size) if kind is None else NotAFile(label, name, kind)
            if header.type == tarfile.GNUTYPE_SPARSE:
                _skip_sparse_map(stream, block, path)
            about = {}
        content.skip()


def _header(block: bytes, path: Path) -> tarfile.TarInfo | None:
    """Decode the header of a member; None for a block of zeros, which is the end."""
    if not any(block):
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError, OverflowError) as error:
        raise damaged(path, error) from error


def _size(header: tarfile.TarInfo, about: dict[str, str]) -> int:
    """Determine how many bytes of content follow a header; −1 if the number is nonsense."""
    if header.type in KINDS or header.type == tarfile.DIRTYPE:
        return 0
    if header.type in REGULAR and "size" in about:
        return int(about["size"]) if re.fullmatch("[0-9]{1,30}", about["size"]) else -1
    return header.size


def _special_kind(header: tarfile.TarInfo, about: dict[str, str]) -> str | None:
    """Say what a member is if it is not a regular file."""
    if header.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse") for key in about):
        return SPARSE
    return None if header.type in REGULAR else KINDS.get(header.type, "a special file")


def _skip_sparse_map(stream: BinaryIO, block: bytes, path: Path) -> None:
    """Skip the blocks between the header and the content of an old sparse file; a byte in each says if another follows."""
    more = block[482]
    while more:
        more = _exactly(stream, BLOCK, path)[504]


def _about_next(header: tarfile.TarInfo, content: "Section", path: Path) -> dict[str, str]:
    """Read what a header says about the next member: its name, its size, or that it is sparse."""
    if header.size > LONGEST_HEADER:
        raise damaged(path, f"a header of {header.size:,} bytes")
    raw = _exactly(content, header.size, path)
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    return _pax(raw, path) if header.type in PAX else {}


def _pax(raw: bytes, path: Path) -> dict[str, str]:
    """Read the records of an extended header: `LENGTH KEY=VALUE`, a line feed; the length counts the whole record."""
    found: dict[str, str] = {}
    at = 0
    while at < len(raw) and raw[at]:
        length = raw[at : at + 20].partition(b" ")[0]
        end = at + int(length) if length.isdigit() else at
        key, is_record, value = raw[at + len(length) + 1 : end].partition(b"=")
        if not is_record or not value.endswith(b"\n") or end > len(raw):
            raise damaged(path, "an extended header that cannot be read")
        found[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
        at = end
    return found


class Section(io.RawIOBase):
    """The next `size` bytes of a stream, followed by padding."""

    def __init__(self, stream: BinaryIO, size: int, path: Path) -> None:
        super().__init__()
        self.stream, self.left, self.path = stream, size, path
        self.padding = -size % BLOCK

    def readable(self) -> bool:
        """Tell the standard library that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill some of the buffer; 0 at the end."""
        target = memoryview(buffer)
        chunk = self.stream.read(min(len(target), self.left))
        if self.left and not chunk:
            raise damaged(self.path, f"{self.left:,} bytes are missing at its end")
        self.left -= len(chunk)
        target[: len(chunk)] = chunk
        return len(chunk)

    def skip(self) -> None:
        """Skip to where the next header begins."""
        while self.read(CHUNK):
            pass
        _exactly(self.stream, self.padding, self.path)


def _exactly(stream: BinaryIO | io.RawIOBase, n: int, path: Path) -> bytes:
    raw = b""
    while len(raw) < n:
        chunk = stream.read(n - len(raw))
        if not chunk:
            raise damaged(path, "it ends before the end of the archive")
        raw += chunk
    return raw


def _label(path: Path, name: str) -> str:
    """Make a label for messages; the name of a member may have bytes that are no text."""
    return f"{path}: {name.encode('utf-8', 'backslashreplace').decode()}"
