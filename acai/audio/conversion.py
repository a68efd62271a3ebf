"""Formats that acai cannot decode, and the command that converts such a file without loss."""

import os
import re
import shlex
from pathlib import Path

ENDINGS = (".m4a", ".m4b", ".aac", ".wma", ".ape", ".wv", ".mpc")
SIGNATURES = {  # how such files begin, whatever their names say
    "an MP4 file (AAC or ALAC)": re.compile(rb"....ftyp", re.DOTALL),
    "an AAC file": re.compile(rb"\xff[\xf0\xf1\xf8\xf9]|ADIF"),
    "a Windows Media file": re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    "a Monkey's Audio file": re.compile(rb"MAC "),
    "a WavPack file": re.compile(rb"wvpk"),
    "a Musepack file": re.compile(rb"MP\+|MPCK"),
    "a Matroska or WebM file": re.compile(rb"\x1a\x45\xdf\xa3"),
}


def needs_conversion(head: bytes) -> str:
    """Return what a file is that begins like this, if acai cannot decode it; "" for all others."""
    return next((kind for kind, signature in SIGNATURES.items() if signature.match(head)), "")


def how_to_convert(path: str | os.PathLike[str]) -> str:
    """Say how to convert a file to FLAC: the command has its name, quoted for the shell."""
    flac = Path(path).with_suffix(".flac")
    if flac.exists():
        return f"{flac.name} beside it is read in its place"
    command = f"ffmpeg -i {_quoted(path)} -vn {_quoted(flac)}"
    return f"convert it with {command} (FLAC is lossless: acai hears the same sound)"


def _quoted(path: str | os.PathLike[str]) -> str:
    """Quote the name of a file for a shell, so that neither the shell nor ffmpeg takes a part of it for something else."""
    name = os.fsdecode(path)
    if not os.path.dirname(name):
        name = os.path.join(os.curdir, name)  # "-a.m4a" would be an option, and "a: b.m4a" an address
    if name.isprintable():
        return shlex.quote(name)
    raw = (chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in os.fsencode(name))
    return f"$'{''.join(raw)}'"  # on one line, in characters that any terminal shows
