"""The files of the feature cache: each is sealed with its own name and a checksum, and a damaged one counts as missing.

The cache is a subfolder of the folder that the user names, so that no file of theirs has the name of one of acai's. A file
with features is a `.npy` file, which NumPy can open and map into memory; a remark and the seal come after the array. The
seal is the last line, `acai NAME CRC32`. A CRC-32 of name and contents detects every single flipped bit and every file that
has taken the place of another, and takes a hundredth of the time that computing the features took.
"""

import io
import json
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acai.audio.recording import open_regular
from acai.errors import InputError
from acai.files import atomic_write

SUBFOLDER = "acai-features"
INDEX = "index"
LONGEST_REMARK = 200  # bytes


def open_cache(path: str | os.PathLike[str]) -> Path:
    """Return the subfolder with the features; it is created if it does not exist."""
    folder = Path(os.path.abspath(path), SUBFOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{folder} cannot be created ({reason}); expected a folder to cache features in") from None
    return folder


def write_entry(path: Path, features: NDArray[np.float16], remark: str) -> None:
    """Cache the features of one sound, and a remark of one line, or ""."""
    content = io.BytesIO()
    np.save(content, features.astype("<f2", copy=False))
    content.write(f"\n{remark}".encode())
    write_sealed(path, content.getvalue())


def read_entry(path: Path) -> NDArray[np.float16] | None:
    """Return the features of one sound, memory-mapped; None if they are missing or damaged."""
    if read_sealed(path) is None:
        return None
    features: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
    return features


def remark_of(content: NDArray[np.uint8]) -> str:
    """Return the remark at the end of the contents of an entry."""
    return content[-LONGEST_REMARK:].tobytes().rpartition(b"\n")[2].decode()


def read_index(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each sound file by its stamp; empty if it is missing or damaged, because it only saves time."""
    content = read_sealed(folder / INDEX)
    index: dict[str, str] = {} if content is None else json.loads(content.tobytes())
    return index


def write_index(folder: Path, index: dict[str, str]) -> None:
    """Write what `read_index` reads."""
    write_sealed(folder / INDEX, json.dumps(index, indent=0, sort_keys=True).encode())


def write_sealed(path: Path, content: bytes) -> None:
    """Write a file of the cache, and its seal after it."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content + _seal(path.name, content))


def read_sealed(path: Path) -> NDArray[np.uint8] | None:
    """Return the contents of a file of the cache as bytes, memory-mapped; None if it is missing, damaged or renamed."""
    try:
        with open_regular(path) as file:
            stored = np.memmap(file, np.uint8, "r")
    except (OSError, ValueError):  # an InputError is a ValueError; so is the error of mapping an empty file
        return None
    n = len(_seal(path.name, b""))
    content, seal = stored[:-n], stored[-n:]
    return content if seal.tobytes() == _seal(path.name, content.data) else None


def _seal(name: str, content: bytes | memoryview) -> bytes:
    return f"\nacai {name} {zlib.crc32(content, zlib.crc32(name.encode())):08x}\n".encode()
