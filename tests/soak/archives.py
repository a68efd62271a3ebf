"""Damaged and hostile archives: the readers take them or refuse them, and unpacking stays inside its folder."""

import functools
import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from acai.commands.data import unpack_archive as unpack

from .changes import WORDS, hostile
from .ledger import Driver, Fault
from .material import digest
from .readers import SEEDS, incoherent
from .trial import attempt

OUTSIDE = "a file outside"
NAMES = (
    "../escaped", "/tmp/acai-soak-escaped", "a/../../escaped", "..\\escaped", "C:\\escaped", "a\0b", "", ".", "..", "a" * 300,
    "CON",
)


def zipped(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A `.zip` with these members."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return raw.getvalue()


def tarred(members: list[tuple[str, bytes]], kind: bytes = tarfile.REGTYPE, mode: str = "w") -> bytes:
    """A tar with these members, of which the last may be a link or a device."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode, format=tarfile.GNU_FORMAT) as archive:
        for place, (name, content) in enumerate(members):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if place == len(members) - 1 and kind != tarfile.REGTYPE:
                info.type, info.linkname, info.size = kind, "../../outside", 0
            archive.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def oversized(raw: bytes, rng: np.random.Generator) -> bytes:
    """A tar whose first member claims to be as large as a field of its header can say."""
    size = int(rng.choice([2**62, 2**63 - 1, 2**40, 8**11 - 1]))
    field = b"\x80" + size.to_bytes(11, "big")
    header = raw[:124] + field + raw[136:148] + b" " * 8 + raw[156:512]
    checksum = f"{sum(header):06o}\0 ".encode()
    return header[:148] + checksum + header[156:] + raw[512:]


def prepare(folder: Path) -> None:
    """Nothing is shared."""


@functools.cache
def truth(name: str) -> str:
    """The digest of what an undamaged file holds; `READABLE` says of which."""
    import tempfile

    file, raw, read = SEEDS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(raw)
        return essence(read(path))


def essence(result: object) -> str:
    """The digest of what was read, without the notes, which name the file."""
    if hasattr(result, "csr"):
        return digest(result.csr, result.users, result.songs, result.times)
    return digest(result)


READABLE = (
    "movielens_100k", "movielens_1m", "hetrec_lastfm", "taste_profile", "acai_game", "msd_mismatches", "fma", "hetrec_artists",
)


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """One archive: made of a good data set or of hostile members, then perhaps damaged; read, or unpacked."""
    name = READABLE[n % len(READABLE)]
    file, content, read = SEEDS[name]
    members = [("folder/readme.txt", b"words " * 50), (f"folder/{file}", content), ("folder/more.bin", rng.bytes(300))]
    kind = ("zip", "tar", "tar.gz", "gz")[n // len(READABLE) % 4]
    is_hostile = rng.random() < 0.25
    if is_hostile:
        odd = NAMES[int(rng.integers(len(NAMES)))] if rng.random() < 0.5 else f"folder/{file}"
        members.insert(int(rng.integers(len(members) + 1)), (odd, WORDS[int(rng.integers(len(WORDS)))] * 3))
    raw, plain_tar = packed(kind, members, content, is_hostile, rng)
    if not is_hostile or rng.random() < 0.3:
        raw = hostile(raw, rng) if rng.random() < 0.7 else raw
    path = room / "inside" / f"archive.{kind}"
    if kind == "gz":
        path = room / "inside" / f"{file}.gz"
    path.parent.mkdir()
    path.write_bytes(raw)
    if kind != "gz" and rng.random() < 0.5:
        return unpacked(path, room, members if kind != "tar" and not is_hostile else None)
    trial = attempt(f"{name} from a {kind}", lambda: read(path))
    faults = list(trial.faults)
    if trial.succeeded:
        wrong = incoherent(trial.value)
        if not wrong and not is_hostile and not plain_tar and essence(trial.value) != truth(name):
            wrong = "damaged, and read to other contents"
        faults += [Fault("silent", f"{name} from a {kind}: {wrong}")] if wrong else []
    return faults


def packed(
    kind: str, members: list[tuple[str, bytes]], content: bytes, is_hostile: bool, rng: np.random.Generator
) -> tuple[bytes, bool]:
    """The bytes of an archive, and whether nothing in it protects the contents (a tar has no checksums of them)."""
    if kind == "zip":
        compressions = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
        return zipped(members, int(rng.choice(compressions))), False
    if kind == "gz":
        return gzip.compress(content, mtime=0), False
    types = [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
    last = types[int(rng.integers(len(types)))] if is_hostile else tarfile.REGTYPE
    raw = tarred([member for member in members if member[0] and "\0" not in member[0]], last)
    if is_hostile and rng.random() < 0.3:
        raw = oversized(raw, rng)
    return (raw, True) if kind == "tar" else (gzip.compress(raw, mtime=0), False)


def unpacked(path: Path, room: Path, expected: list[tuple[str, bytes]] | None) -> list[Fault]:
    """Unpack: all of it or nothing, and nothing beside its folder."""
    outside = room / "outside"
    outside.write_text(OUTSIDE)
    folder = path.parent / "unpacked"
    trial = attempt(f"unpack {path.name}", lambda: unpack(path, folder))
    faults = list(trial.faults)
    if outside.read_text() != OUTSIDE or Path("/tmp/acai-soak-escaped").exists():
        faults.append(Fault("lost", f"{path.name}: unpacking wrote outside of its folder"))
    beside = {entry.name for entry in path.parent.iterdir()} - {path.name}
    if beside != ({"unpacked"} if trial.succeeded else set()):
        faults.append(Fault("left over", f"{path.name}: beside it there is {sorted(beside)}"))
    if {entry.name for entry in room.iterdir()} != {"inside", "outside"}:
        faults.append(Fault("lost", f"{path.name}: files appeared outside of its folder"))
    if trial.succeeded:
        found = {}
        for entry in folder.rglob("*"):
            if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                faults.append(Fault("foreign", f"{path.name}: unpacked a link or a device"))
            elif entry.is_file():
                found[os.path.relpath(entry, folder)] = entry.read_bytes()
        if expected is not None and found != dict(expected):
            faults.append(Fault("silent", f"{path.name}: damaged, and unpacked to other contents"))
    return faults


ARCHIVES = Driver(
    "archives", "damaged and hostile zip, tar and gzip files", "archives", prepare, case, limit=10, memory=2**31, share=2.0,
)
