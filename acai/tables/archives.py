"""What is in a `.zip` or a tar archive, from front to back, without unpacking it to disk.

An archive may come from anybody, so nothing that it says of itself is believed: not its sizes, its names or its links.
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
from typing import BinaryIO

from acai.errors import InputError
from acai.tables.streams import CHUNK, Budget, Checked, buffered, damaged, library_errors

BLOCK = tarfile.BLOCKSIZE
LONGEST_HEADER = 1 << 20  # bytes of the header that holds what does not fit into a block, such as a long name
REGULAR = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
PAX = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}
ABOUT_NEXT = {*PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
KINDS = {
    tarfile.SYMTYPE: "a link", tarfile.LNKTYPE: "a link", tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}  # of these, and of folders, there is a header alone, whatever size it names
SPARSE = "a sparse file"
END_OF_ZIP = b"PK\5\6"
LONGEST_END = 22 + 65535  # bytes, with the longest comment
UNKNOWN = 65535


@dataclass(frozen=True)
class Source:
    """Bytes to read, what to call them in a message, their name, and how many there are where that is known beforehand."""

    stream: BinaryIO | None  # None for what is no file, such as a link in an archive
    label: str
    name: str
    size: int | None
    kind: str = "a file"


def zip_members(file: BinaryIO, path: Path, budget: Budget) -> Iterator[Source]:
    """The files in a zip archive."""
    with library_errors(path):
        archive = zipfile.ZipFile(file)
    with archive:
        entries = archive.infolist()
        _check_list(file, entries, path)
        _check_places(entries, archive.start_dir, path, budget)
        for entry in entries:
            label = _label(path, entry.filename)
            if stat.S_ISLNK(entry.external_attr >> 16):
                yield Source(None, label, entry.filename, None, "a link")
            elif not _is_folder(entry):
                _check_entry(entry, label)
                with library_errors(path):
                    content = archive.open(entry)
                with content:
                    stream = buffered(Checked(content.read, path, budget, entry.file_size))
                    yield Source(stream, label, entry.filename, entry.file_size)


def _check_list(file: BinaryIO, entries: list[zipfile.ZipInfo], path: Path) -> None:
    """No file is listed twice, and none is missing."""
    n_listed = _n_listed(file)
    if n_listed not in (UNKNOWN, len(entries) & UNKNOWN):  # damaged, an entry can swallow the next one
        raise damaged(path, f"its list of files has {len(entries)} entries instead of {n_listed}")
    for name, n in Counter(entry.filename for entry in entries if not _is_folder(entry)).items():
        if n > 1:
            raise InputError(f"{path} holds {name!r} {n} times; expected each file once: download it again")


def _check_places(entries: list[zipfile.ZipInfo], end: int, path: Path, budget: Budget) -> None:
    """Each file has its own bytes, before the list of files, and no more of them than there can be."""
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
    """How many entries the end of the archive says that it has, modulo 65536; 65535 also where a larger field says it."""
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
        raise InputError(f"{label} is on disk {entry.volume + 1} of several; join the parts of the archive into one file first")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = zipfile.compressor_names.get(entry.compress_type, f"method {entry.compress_type}")
        raise InputError(f"{label} is compressed with {method}; expected deflate: unpack it with another program")


def tar_members(stream: BinaryIO, path: Path, budget: Budget) -> Iterator[Source]:
    """The files in a tar archive that is not compressed, or not any more.

    Headers are decoded by Python's `tarfile`, but its loop over the archive is not used: damaged sizes and sparse maps make
    it run forever, and it takes a damaged header in the middle for the end.
    """
    about: dict[str, str] = {}  # what extended headers say of the next member
    while True:
        block = _exactly(stream, BLOCK, path)
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.EOFHeaderError:  # a block of zeros: the end
            while stream.read(CHUNK):  # what follows has no meaning, but at its end compression has its checksum
                pass
            return
        except (tarfile.HeaderError, ValueError, OverflowError) as error:
            raise damaged(path, error) from error
        size = header.size
        if header.type in REGULAR and "size" in about:
            size = int(about["size"]) if re.fullmatch("[0-9]{1,30}", about["size"]) else -1
        if header.type in KINDS or header.type == tarfile.DIRTYPE:
            size = 0
        name = about.get("path", header.name)
        budget.expect(size, name)
        content = Section(stream, size, path)
        if header.type in ABOUT_NEXT:
            about |= _about_next(header, content, path)
        else:
            kind = KINDS.get(header.type, "a special file")
            if header.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse") for key in about):
                kind = SPARSE
            is_file = header.type in REGULAR and kind != SPARSE
            if header.type != tarfile.DIRTYPE and not name.endswith("/"):
                label = _label(path, name)
                yield Source(buffered(content), label, name, size) if is_file else Source(None, label, name, None, kind)
            if header.type == tarfile.GNUTYPE_SPARSE:
                _skip_sparse_map(stream, block, path)
            about = {}
        content.skip()


def _skip_sparse_map(stream: BinaryIO, block: bytes, path: Path) -> None:
    """The blocks between the header of an old sparse file and its content; a byte of each tells whether another follows."""
    more = block[482]
    while more:
        more = _exactly(stream, BLOCK, path)[504]


def _about_next(header: tarfile.TarInfo, content: "Section", path: Path) -> dict[str, str]:
    """What a header that is only about the next one says: its name, its size, or that it is sparse."""
    if header.size > LONGEST_HEADER:
        raise damaged(path, f"a header of {header.size:,} bytes")
    raw = _exactly(content, header.size, path)
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    return _pax(raw, path) if header.type in PAX else {}


def _pax(raw: bytes, path: Path) -> dict[str, str]:
    """The records `LENGTH KEY=VALUE\\n` of an extended header; the length counts the whole record."""
    found, at = {}, 0
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
    """The next `size` bytes of a stream, and the padding behind them."""

    def __init__(self, stream: BinaryIO, size: int, path: Path) -> None:
        super().__init__()
        self.stream, self.left, self.padding, self.path = stream, size, -size % BLOCK, path

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill some of the buffer; 0 at the end."""
        chunk = self.stream.read(min(len(buffer), self.left))
        if self.left and not chunk:
            raise damaged(self.path, f"{self.left:,} bytes are missing at its end")
        self.left -= len(chunk)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def skip(self) -> None:
        """Go on to where the next header begins."""
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
    """What to call a member in a message; its name may hold bytes that are no text."""
    return f"{path}: {name.encode('utf-8', 'backslashreplace').decode()}"
