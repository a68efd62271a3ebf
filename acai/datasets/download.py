"""Fetching data sets: whole or not at all, going on where a download broke off, and unpacking that never leaves its folder."""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from tqdm import tqdm

from acai.datasets.catalogue import Remote
from acai.datasets.source import BROKEN, opened, tar_members
from acai.errors import InputError

CHUNK = 1 << 20


def fetch(remote: Remote, folder: str | os.PathLike, progress: bool = False) -> Path:
    """Download one file with pooch, unless it is there already and its checksum is right.

    Parameters
    ----------
    remote : Remote
    folder : path
        Where it is to stand. What has arrived is kept beside it as `NAME.part` until the download is complete.
    progress : bool
        Show a bar.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the server does not have it, or it breaks off (calling again goes on from there), or its checksum is wrong (it is
        discarded then).
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # the bar says it
    part = Path(folder) / f"{remote.name}.part"

    def download(url: str, output: str, _: object) -> None:
        _go_on(url, part, progress)
        os.replace(part, output)

    try:
        path = Path(pooch.retrieve(remote.url, remote.checksum, remote.name, folder, downloader=download))
    except requests.RequestException as error:
        kept = f"{part.stat().st_size:,} bytes are kept: run the same again to go on" if part.exists() else "nothing is kept"
        raise InputError(f"{remote.url} could not be fetched ({error}); {kept}") from error
    except ValueError as error:  # pooch's word for a wrong checksum
        raise InputError(f"{remote.url} is not the file it should be, and was discarded: {error}") from error
    for name, expected in remote.contents.items():
        with opened(path, name) as source:
            found = _digest(source.stream, expected.partition(":")[0])
        if found != expected:
            path.unlink()
            raise InputError(f"{remote.url}: {name} inside has the checksum {found}, expected {expected}; it was discarded")
    return path


def _go_on(url: str, part: Path, progress: bool) -> None:
    """Append to `part` what is missing from it."""
    import requests

    had = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={had}-"} if had else {})
    part.parent.mkdir(parents=True, exist_ok=True)
    with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            if answer.headers.get("Content-Range") == f"bytes */{had}":
                return  # it was complete already, and only lacked its name
            part.unlink()
            raise requests.ConnectionError(
                "what was kept of an earlier download does not fit; it was removed, try again"
            )
        answer.raise_for_status()
        goes_on = answer.status_code == requests.codes.partial_content
        start = had if goes_on else 0
        if goes_on and not answer.headers.get("Content-Range", "").startswith(f"bytes {had}-"):
            raise requests.ConnectionError("the server sent another part than the one that was asked for")
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=part.stem, disable=not progress)
        with open(part, "ab" if goes_on else "wb") as file, bar:
            for chunk in answer.iter_content(1 << 16):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and part.stat().st_size != total:
        raise requests.ConnectionError(f"it broke off after {part.stat().st_size:,} of {total:,} bytes")


def unpack(archive: str | os.PathLike, folder: str | os.PathLike) -> Path:
    """Unpack a `.zip` or a tar archive into a new folder; all of it or nothing.

    Raises
    ------
    InputError
        If the folder exists, the archive is damaged, or an entry would land outside of the folder or is a link or a device.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already; remove it to unpack {archive.name} again")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, stream in _entries(archive):
            posix, windows = PurePosixPath(name), PureWindowsPath(name)
            if posix.anchor or windows.anchor or windows.drive or ".." in posix.parts or ".." in windows.parts:
                raise InputError(
                    f"{archive} holds the entry {name!r}, which would leave the folder; nothing was unpacked"
                )
            (temporary / posix).parent.mkdir(parents=True, exist_ok=True)
            with open(temporary / posix, "wb") as file:
                shutil.copyfileobj(stream, file, CHUNK)
        temporary.chmod(0o755)
        os.replace(temporary, folder)
    except BROKEN as error:
        raise InputError(
            f"{archive} is damaged, or its download was cut off ({error}); nothing was unpacked"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _entries(archive: Path) -> Iterator[tuple[str, BinaryIO]]:
    """The files in an archive, by name."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as members:
            for member in members.infolist():
                if not member.is_dir():
                    with members.open(member) as stream:
                        yield member.filename, stream
    else:
        with tar_members(archive) as members:
            for member in members:
                if member.isfile():
                    yield member.name, members.extractfile(member)
                elif not member.isdir():
                    raise InputError(
                        f"{archive} holds the entry {member.name!r}, a link or a device; nothing was unpacked"
                    )


def _digest(stream: BinaryIO, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return f"{algorithm}:{digest.hexdigest()}"
