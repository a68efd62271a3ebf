"""Streams of bytes that fail in one sentence only: damaged, cut off, not readable, or far larger than they have any right to be.

The libraries beneath (zlib, bz2, lzma, zipfile, the operating system) raise some twenty kinds of exceptions at damaged bytes.
They are turned into an `InputError` right where a library is called, and nowhere else: a mistake in acai's own code stays
visible as what it is.
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
from typing import BinaryIO, Protocol

from acai.errors import InputError

CHUNK = 1 << 17  # bytes read from a file at a time
GRACE = 1 << 26  # bytes that any file may unpack to …
RATIO = 200  # … and how many times its own size beyond that; logs of plays reach 10 to 20
DICTIONARY = 1 << 28  # bytes that xz may use: its files say how many it needs, and may say terabytes
DAMAGE = (
    zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error, EOFError, ValueError, OverflowError,
    LookupError, RuntimeError, MemoryError,  # NotImplementedError and RecursionError are RuntimeErrors
)


@contextmanager
def library_errors(where: object) -> Iterator[None]:
    """Around a call of a library that reads or unpacks: whatever it raises is a fault of the file `where`."""
    try:
        yield
    except InputError:  # from a stream further down: it has been said
        raise
    except OSError as error:
        if error.errno is None:  # not from the operating system: how bz2 says that its data are damaged
            raise damaged(where, error) from error
        raise InputError(f"{where} cannot be read ({error.strerror}); check that it exists and that you may read it") from error
    except DAMAGE as error:
        raise damaged(where, error) from error


def damaged(where: object, why: object) -> InputError:
    """The error for bytes that are not what they were when somebody wrote them."""
    why = str(why) or type(why).__name__
    return InputError(f"{where} is damaged, or its download was cut off ({why}); download it again")


class Budget:
    """How many bytes a file may unpack to: a few kilobytes that swell to terabytes would fill the memory or the disk."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self.limit = self.left = max(GRACE, RATIO * size)

    def spend(self, n: int) -> None:
        """Take `n` bytes off; InputError if there are not as many left."""
        self.left -= n
        if self.left < 0:
            raise self.exceeded(f"unpacks to more than {self.limit:,} bytes")

    def expect(self, n: int, name: str) -> None:
        """Refuse a size that the archive only claims, before anything is read or allocated."""
        if not 0 <= n <= self.limit:
            raise self.exceeded(f"says that {name!r} has {n:,} bytes")

    def exceeded(self, found: str) -> InputError:
        """The error for what was found."""
        expected = f"expected at most {RATIO} times its own size of {self.size:,} bytes, or {GRACE:,}"
        return InputError(f"{self.path} {found}; {expected}: it is damaged, or made to fill memory or disk")


class Checked(io.RawIOBase):
    """What `read` of a library gives, with its exceptions told as faults of the file, counted, and of the size it should be."""

    def __init__(self, read: Callable[[int], bytes], where: object, budget: Budget | None = None, size: int | None = None):
        super().__init__()
        self._read, self.where, self.budget, self.size, self.n_read = read, where, budget, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill some of the buffer; 0 at the end."""
        with library_errors(self.where):
            chunk = self._read(len(buffer))
        self.n_read += len(chunk)
        if self.budget is not None:
            self.budget.spend(len(chunk))
        if not chunk and self.size is not None and self.n_read != self.size:
            raise damaged(self.where, f"it ends after {self.n_read:,} of {self.size:,} bytes")
        buffer[: len(chunk)] = chunk
        return len(chunk)


def buffered(raw: io.RawIOBase) -> BinaryIO:
    """With `readline`, and with a `read` that gives as much as was asked for."""
    return io.BufferedReader(raw, CHUNK)


class Decompressor(Protocol):
    """What the decompressors of zlib, bz2 and lzma have in common."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


KINDS: list[tuple[tuple[bytes, ...], Callable[[], Decompressor]]] = [  # how a compressed file begins, and what undoes it
    ((b"\x1f\x8b",), lambda: zlib.decompressobj(wbits=31)),
    (tuple(b"BZh%d%b" % (level, mark) for level in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")), bz2.BZ2Decompressor),
    ((b"\xfd7zXZ\0",), lambda: lzma.LZMADecompressor(memlimit=DICTIONARY)),
]


def decompressor(beginning: bytes) -> Callable[[], Decompressor] | None:
    """What undoes the compression of a file that begins so (gzip, bzip2 or xz); None if it is not compressed."""
    return next((new for signs, new in KINDS if beginning.startswith(signs)), None)


class Decompressed:
    """The content of a compressed file, never more of it in memory than was asked for.

    Several compressed parts end to end, and zeros after the last, are read as one file, as `gzip` itself does. Anything else
    after the end, and an end that is missing, is an error: Python's own modules pass over the first with bzip2 and xz.
    """

    def __init__(self, file: BinaryIO, new: Callable[[], Decompressor]) -> None:
        self.file, self.new, self.coder, self.pending = file, new, new(), b""

    def read(self, n: int) -> bytes:
        """From 1 to `n` bytes; none at the end."""
        while True:
            if self.coder.eof:
                rest = self.coder.unused_data.lstrip(b"\0")
                while not rest:
                    chunk = self.file.read(CHUNK)
                    if not chunk:
                        return b""
                    rest = chunk.lstrip(b"\0")
                self.coder, self.pending = self.new(), rest
            chunk = self.pending
            if not chunk and getattr(self.coder, "needs_input", True):  # bz2 and lzma keep what they have not used yet
                chunk = self.file.read(CHUNK)
            content = self.coder.decompress(chunk, n)
            self.pending = getattr(self.coder, "unconsumed_tail", b"")  # zlib gives it back
            if content:
                return content
            if not chunk and not self.coder.eof and getattr(self.coder, "needs_input", True):
                raise EOFError("it ends too early")
