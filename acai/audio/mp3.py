"""The frames of an MP3 file, counted: a decoder that is not told how many there are guesses, and stops too early.

An MP3 file is a row of frames. The header of each, 4 bytes, tells its length; nothing tells how many there are, unless the
encoder wrote it into a silent first frame (the Xing header). Without it, decoders divide the size of the file by the length
of the first frame: of 60 s whose first frame is long, 26 are read. Between the frames there may be tags and garbage.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

KBITS = (  # per second, of Layer III, by the index in the header: of MPEG 1; of MPEG 2 and 2.5
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
RATES = (44_100, 48_000, 32_000)  # of MPEG 1
SLOWER = {3: 1, 2: 2, 0: 4}  # how many times slower MPEG 1, 2 and 2.5 are, by the number of the version in the header
KIND = bytes((0xFF, 0xFE, 0x0C, 0x00))  # bits of a header that are the same in all frames: version, layer, rate
MEDIUM = 9 << 4  # index of a bit rate whose frames have room for a Xing header
FARTHEST = 1 << 20  # bytes of garbage after which no further frame is looked for
TAGS = (b"ID3", b"TAG", b"APETAGEX")  # what may follow the last frame


@dataclass(frozen=True)
class Frames:
    """The frames of one file.

    Attributes
    ----------
    header : bytes
        The 4 bytes at the start of the first.
    runs : list of (int, int)
        The places in the file at which frames without a gap begin and end. A Xing header is not part of them.
    n : int
        How many there are.
    stated : int or None
        How many there are according to the Xing header.
    """

    header: bytes
    runs: list[tuple[int, int]]
    n: int
    stated: int | None

    @property
    def n_samples(self) -> int:
        """How many samples they hold."""
        return self.n * samples_per_frame(self.header)

    @property
    def rate(self) -> int:
        """How many of them there are per second."""
        return RATES[self.header[2] >> 2 & 3] // SLOWER[self.header[1] >> 3 & 3]


def skip_tags(file: IO[bytes], place: int = 0) -> int:
    """Return where the ID3 tags that begin at this place end, padding included."""
    while True:
        file.seek(place)
        tag = file.read(10)
        if not tag.startswith(b"ID3") or len(tag) < 10 or max(tag[6:]) > 127:
            return place
        has_footer = tag[5] >> 4 & 1
        place += 10 * (1 + has_footer) + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9])


def find_frames(file: IO[bytes]) -> Frames | None:
    """Find all frames of Layer III that are complete; None if there are none."""
    end = file.seek(0, os.SEEK_END)
    place = _next_frame(file, skip_tags(file), end, None)
    if place is None:
        return None
    header = _read(file, place, 4)
    length = frame_length(header)
    stated = _stated(_read(file, place, length), header)
    runs, n = [], 0
    here: int | None = place if stated is None else place + length
    while here is not None:
        start = here
        while (length := _length_of_kind(_read(file, here, 4), header)) and here + length <= end:
            here += length
            n += 1
        if here > start:
            runs.append((start, here))
        here = _next_frame(file, skip_tags(file, here), end, header)
    return Frames(header, runs, n, stated)


@contextmanager
def with_length(path: str | os.PathLike[str], frames: Frames) -> Iterator[IO[bytes]]:
    """Copy the frames of a file into a temporary one, after a Xing header that states how many there are."""
    with open(path, "rb") as file, tempfile.TemporaryFile() as copy:
        copy.write(xing_header(frames.header, frames.n))
        for start, end in frames.runs:
            for place in range(start, end, FARTHEST):
                copy.write(_read(file, place, min(FARTHEST, end - place)))
        copy.seek(0)
        yield copy


def xing_header(header: bytes, n: int) -> bytes:
    """Make the silent frame that states that n frames like the one with this header follow."""
    header = bytes((header[0], header[1] | 1, header[2] & 0x0C | MEDIUM, header[3]))  # | 1: without a checksum
    xing = header + bytes(_side_information(header)) + b"Xing" + (1).to_bytes(4, "big") + n.to_bytes(4, "big")
    return xing.ljust(frame_length(header), b"\0")


@lru_cache(maxsize=4096)
def frame_length(header: bytes) -> int:
    """Return the length of a frame of Layer III in bytes; 0 if these 4 bytes are not the header of one."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate = header[1] >> 3 & 3, header[2] >> 2 & 3
    kbits = KBITS[0 if _is_mpeg_1(header) else 1][header[2] >> 4]
    if version not in SLOWER or rate == len(RATES) or not kbits:
        return 0
    hertz = RATES[rate] // SLOWER[version]
    padding = header[2] >> 1 & 1
    return samples_per_frame(header) * 125 * kbits // hertz + padding  # 125 bytes are 1,000 bits


def samples_per_frame(header: bytes) -> int:
    """Return how many samples of each channel a frame of Layer III holds."""
    return 1152 if _is_mpeg_1(header) else 576


def _is_mpeg_1(header: bytes) -> bool:
    return header[1] >> 3 & 3 == 3


def _length_of_kind(header: bytes, first: bytes) -> int:
    """Return the length of a frame; 0 if it is none, or of another version or rate than the first of the file."""
    is_same = all(a & bits == b & bits for a, b, bits in zip(header, first, KIND))
    return frame_length(header) if is_same else 0


def _next_frame(file: IO[bytes], place: int, end: int, first: bytes | None) -> int | None:
    """Return the first place, from here on, at which there is a frame that another one, a tag or the end follows."""
    garbage = _read(file, place, FARTHEST)
    i = garbage.find(b"\xff")
    while i >= 0:
        header = garbage[i : i + 4]
        length = _length_of_kind(header, header if first is None else first)
        if length:
            follows = place + i + length
            after = _read(file, follows, 8)
            if follows == end or _length_of_kind(after[:4], header) or after.startswith(TAGS):
                return place + i
        i = garbage.find(b"\xff", i + 1)
    return None


def _side_information(header: bytes) -> int:
    """Return how many bytes a decoder needs before the sound itself: the Xing header is behind them."""
    is_mono = header[3] >> 6 == 3
    if _is_mpeg_1(header):
        return 17 if is_mono else 32
    return 9 if is_mono else 17


def _stated(frame: bytes, header: bytes) -> int | None:
    """Return the number of frames that a Xing header states; None if this frame is none, or does not state it."""
    place = 4 + _side_information(header)
    name, flags, n = frame[place : place + 4], frame[place + 4 : place + 8], frame[place + 8 : place + 12]
    states_n = name in (b"Xing", b"Info") and int.from_bytes(flags, "big") & 1
    return int.from_bytes(n, "big") or None if states_n else None


def _read(file: IO[bytes], place: int, n: int) -> bytes:
    file.seek(place)
    return file.read(n)
