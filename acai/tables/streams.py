"""Streams of bytes whose errors are one sentence each: damaged, cut off, unreadable, or suspiciously large.

The libraries underneath (zlib, bz2, lzma, zipfile, the operating system) raise some twenty kinds of exceptions for damaged
bytes. They are converted to an `InputError` right where a library is called, and nowhere else: a bug in acai itself stays
visible as a bug.
"""

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from acai.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1 << 17  # bytes read from a file at a time
GRACE = 1 << 26  # bytes that any file may unpack to
RATIO = 200  # how many times its own size a larger file may unpack to; listening logs reach 10 to 20
DICTIONARY = 1 << 28  # bytes that xz may use: its files say how many it needs, and may say terabytes
DAMAGE = (
    zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error, EOFError, ValueError, OverflowError,
    LookupError, RuntimeError, MemoryError,  # NotImplementedError and RecursionError are RuntimeErrors
)


@contextmanager
def library_errors(where: object) -> Iterator[None]:
    """Convert whatever a library raises in this block, when it reads or unpacks, to an error about the file `where`."""
    try:
        yield
    except InputError:  # from a stream further down: already converted
        raise
    except OSError as error:
        if error.errno is None:  # not from the operating system: bz2 reports damaged data like this
            raise damaged(where, error) from error
        reason = f"{where} cannot be read ({error.strerror})"
        raise InputError(f"{reason}; check that it exists and that you may read it") from error
    except DAMAGE as error:
        raise damaged(where, error) from error


def damaged(where: object, why: object) -> InputError:
    """Make the error for bytes that are not what was once written."""
    reason = str(why) or type(why).__name__
    return InputError(f"{where} is damaged, or its download was cut off ({reason}); download it again")


class Budget:
    """How many bytes a file may unpack to: a few kilobytes that grow to terabytes would fill the memory or the disk."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self.limit = self.left = max(GRACE, RATIO * size)

    def spend(self, n: int) -> None:
        """Subtract `n` bytes; an InputError if fewer are left."""
        self.left -= n
        if self.left < 0:
            raise self.exceeded(f"unpacks to more than {self.limit:,} bytes")

    def expect(self, n: int, name: str) -> None:
        """Refuse a size that an archive claims, before anything is read or allocated."""
        if not 0 <= n <= self.limit:
            raise self.exceeded(f"says that {name!r} has {n:,} bytes")

    def exceeded(self, found: str) -> InputError:
        """Make the error for what was found."""
        expected = f"expected at most {RATIO} times its own size of {self.size:,} bytes, or {GRACE:,}"
        return InputError(f"{self.path} {found}; {expected}: it is damaged, or made to fill memory or disk")


class Checked(io.RawIOBase):
    """The bytes that `read` of a library returns: its exceptions converted, counted, and compared with the expected size."""

    def __init__(
        self, read: Callable[[int], bytes], where: object, budget: Budget | None = None, size: int | None = None
    ) -> None:
        super().__init__()
        self._read = read
        self.where = where
        self.budget = budget
        self.size = size
        self.n_read = 0

    def readable(self) -> bool:
        """Tell the standard library that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill some of the buffer; 0 at the end."""
        target = memoryview(buffer)
        with library_errors(self.where):
            chunk = self._read(len(target))
        self.n_read += len(chunk)
        if self.budget is not None:
            self.budget.spend(len(chunk))
        if not chunk and self.size is not None and self.n_read != self.size:
            raise damaged(self.where, f"it ends after {self.n_read:,} of {self.size:,} bytes")
        target[: len(chunk)] = chunk
        return len(chunk)


def buffered(raw: io.RawIOBase) -> io.BufferedReader:
    """Add `readline`, and a `read` that returns as many bytes as were asked for."""
    return io.BufferedReader(raw, CHUNK)


class Decompressor(Protocol):
    """What the decompressors of zlib, bz2 and lzma have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed data was reached."""

    @property
    def unused_data(self) -> bytes:
        """The bytes after that end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Decompress some bytes, to at most `max_length`."""


def _gzip() -> Decompressor:
    return zlib.decompressobj(wbits=31)


def _xz() -> Decompressor:
    return lzma.LZMADecompressor(memlimit=DICTIONARY)


BZIP2 = tuple(b"BZh%d%b" % (level, mark) for level in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90"))
KINDS: list[tuple[tuple[bytes, ...], Callable[[], Decompressor]]] = [  # how a compressed file begins, and its decompressor
    ((b"\x1f\x8b",), _gzip),
    (BZIP2, bz2.BZ2Decompressor),
    ((b"\xfd7zXZ\0",), _xz),
]


def decompressor(beginning: bytes) -> Callable[[], Decompressor] | None:
    """Choose the decompressor of a file by its first bytes (gzip, bzip2 or xz); None if it is not compressed."""
    return next((new for signs, new in KINDS if beginning.startswith(signs)), None)


class Decompressed:
    """The content of a compressed file, with no more of it in memory than was asked for.

    Several compressed parts end to end, and zeros after the last, are read as one file, as `gzip` itself does. Anything else
    after the end is an error, which Python's own modules overlook with bzip2 and xz, and so is a missing end.
    """

    def __init__(self, file: BinaryIO, new: Callable[[], Decompressor]) -> None:
        self.file, self.new = file, new
        self.coder, self.pending = new(), b""

    def read(self, n: int) -> bytes:
        """Read from 1 to `n` bytes; none at the end."""
        while True:
            if self.coder.eof and not self._begin_next_part():
                return b""
            chunk = self.pending
            if not chunk and self._needs_input():
                chunk = self.file.read(CHUNK)
            content = self.coder.decompress(chunk, n)
            self.pending = getattr(self.coder, "unconsumed_tail", b"")  # zlib returns what it has not used yet
            if content:
                return content
            if not chunk and not self.coder.eof and self._needs_input():
                raise EOFError("it ends too early")

    def _needs_input(self) -> bool:
        return bool(getattr(self.coder, "needs_input", True))  # bz2 and lzma store what they have not used yet

    def _begin_next_part(self) -> bool:
        """Skip zeros after the end of a part; False if nothing follows."""
        rest = self.coder.unused_data.lstrip(b"\0")
        while not rest:
            chunk = self.file.read(CHUNK)
            if not chunk:
                return False
            rest = chunk.lstrip(b"\0")
        self.coder, self.pending = self.new(), rest
        return True
