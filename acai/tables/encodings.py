"""How bytes stand for characters: what the first of them say, and UTF-16 turned into UTF-8 as it is read."""

import codecs
import io
from typing import TYPE_CHECKING

from acai.errors import InputError
from acai.tables.streams import CHUNK, buffered

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BOM = codecs.BOM_UTF8
UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def utf_16(beginning: bytes) -> str | None:
    """Recognise UTF-16 by its mark, or by a zero byte beside the first character; None for any other text."""
    if beginning[:2] in UTF_16:
        return UTF_16[beginning[:2]]
    if len(beginning) < 2 or beginning[:2].count(0) != 1:
        return None
    return "utf-16-be" if beginning[0] == 0 else "utf-16-le"


def in_utf8(stream: io.BufferedReader, label: str) -> io.BufferedReader:
    """Convert a stream of UTF-16 to UTF-8; return any other as it is."""
    encoding = utf_16(stream.peek(2))
    return stream if encoding is None else buffered(Converted(stream, encoding, label))


class Converted(io.RawIOBase):
    """The text of a stream, in UTF-8."""

    def __init__(self, stream: io.BufferedReader, encoding: str, label: str) -> None:
        super().__init__()
        self.stream, self.encoding, self.label = stream, encoding, label
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self.pending = b""
        self.is_over = False

    def readable(self) -> bool:
        """Tell the standard library that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill some of the buffer; 0 at the end."""
        target = memoryview(buffer)
        while not self.pending and not self.is_over:
            chunk = self.stream.read(CHUNK)
            self.is_over = not chunk
            try:
                self.pending = self.decoder.decode(chunk, final=self.is_over).encode()
            except UnicodeDecodeError as error:
                found = f"{error.reason} at {error.object[error.start : error.end]!r}"
                raise InputError(f"{self.label}: expected {self.encoding.upper()} text throughout; {found}") from error
        n = min(len(target), len(self.pending))
        target[:n], self.pending = self.pending[:n], self.pending[n:]
        return n
