"""Folders of sound files, and what a cache of their features holds."""

import io
import os

import numpy as np
import soundfile

from acai.audio.feature_cache import SUBFOLDER

RATE = 22050


def write(file, seconds=0.5, seed=0, loudness=0.5):
    """Write noise, long enough ago that the time of the last change is trusted."""
    file.parent.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(seed).normal(0, loudness, round(seconds * RATE)).clip(-1, 1)
    soundfile.write(file, x, RATE)
    os.utime(file, (1e9, 1e9))
    return file


def write_music(folder):
    """Write four sounds in three formats, and two files that are none."""
    for n, name in enumerate(["b/track2.wav", "b/track10.ogg", "a/deep/x.flac", "loose.wav"]):
        write(folder / name, seed=n, loudness=0.1)
    (folder / "cover.jpg").write_bytes(b"\xff\xd8")
    (folder / ".hidden.wav").write_bytes(b"")
    return folder


def contents(cache):
    """The bytes of every file of a cache, by name."""
    return {file.name: file.read_bytes() for file in (cache / SUBFOLDER).iterdir()}


def mp3(x, rate=44100):
    """Encode samples as an mp3 of variable bit rate, whose first frame states how many follow."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1 if x.ndim == 1 else 2, format="MP3", bitrate_mode="VARIABLE") as encoder:
        encoder.write(x)
    return file.getvalue()


def id3(n_bytes=0, content=b"", has_footer=False):
    """An ID3 tag: some content, and padding up to its size."""
    size = bytes(n_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    footer = b"3DI\4\0\x10" + size if has_footer else b""
    return b"ID3\4\0" + (b"\x10" if has_footer else b"\0") + size + content.ljust(n_bytes, b"\0") + footer


def ogg(x, rate=22050, later=0, last=0):
    """Encode samples as an ogg file whose pages claim to end some samples later, and the last page still later."""
    file = io.BytesIO()
    soundfile.write(file, x, rate, format="OGG")
    content, pages = file.getvalue(), []
    while content:
        n_segments = content[26]
        length = 27 + n_segments + sum(content[27 : 27 + n_segments])
        page, content = bytearray(content[:length]), content[length:]
        end = int.from_bytes(page[6:14], "little")
        if end and (later or not content):
            page[6:14] = (end + later + (0 if content else last)).to_bytes(8, "little")
            page[22:26] = bytes(4)
            page[22:26] = ogg_checksum(page).to_bytes(4, "little")
        pages.append(bytes(page))
    return b"".join(pages)


def ogg_checksum(page):
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x104C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc
