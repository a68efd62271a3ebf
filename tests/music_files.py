"""Tiny music files with tags, made without any library of tags."""

import io

import numpy as np
import soundfile

RATE = 22050
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0500f0004850180848fa8e40000"
    "000049454e44ae426082"
)


def sound(seconds=0.1, seed=0, pitch=None):
    """Noise around a pitch, so that songs of different pitch sound different."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    x = 0.05 * rng.normal(size=len(t))
    return x if pitch is None else x + 0.3 * np.sin(2 * np.pi * pitch * t) * (1 + 0.3 * np.sin(2 * np.pi * 3 * t))


def write_song(path, artist="", title="", samples=None):
    """Write a wav, flac or ogg file with tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = sound() if samples is None else samples
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        if artist:
            file.artist = artist
        if title:
            file.title = title
        file.write(samples)
    return path


def frame(name, content):
    return name.encode() + len(content).to_bytes(4, "big") + b"\0\0" + content


def write_mp3(path, artist="", title="", cover=b"", samples=None):
    """Write an mp3 with an ID3v2.3 tag in front."""
    audio = io.BytesIO()
    soundfile.write(audio, sound() if samples is None else samples, RATE, format="MP3")
    frames = b""
    for name, text in ("TPE1", artist), ("TIT2", title):
        frames += frame(name, b"\1" + text.encode("utf-16")) if text else b""
    if cover:
        frames += frame("APIC", b"\0image/png\0\3\0" + cover)
    n = len(frames)
    size = bytes(n >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((b"ID3\3\0\0" + size + frames if n else b"") + audio.getvalue())
    return path
