"""Fetching data sets: whole or not at all, going on where a download broke off, and unpacking that never leaves its folder."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path, PureWindowsPath

from tqdm import tqdm

from acai.datasets.catalogue import Remote
from acai.datasets.source import is_archive, members, opened, readable
from acai.errors import InputError


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
        algorithm = expected.partition(":")[0]
        with opened(path, name) as source:
            found = f"{algorithm}:{hashlib.file_digest(source.stream, algorithm).hexdigest()}"
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
        span = answer.headers.get("Content-Range", "")
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            if span == f"bytes */{had}":
                return  # it was complete already, and only lacked its name
            part.unlink()
            raise requests.ConnectionError("what was kept of an earlier download does not fit; it was removed, try again")
        answer.raise_for_status()
        goes_on = answer.status_code == requests.codes.partial_content
        if goes_on and not span.startswith(f"bytes {had}-"):
            raise requests.ConnectionError("the server sent another part than the one that was asked for")
        start, length = had if goes_on else 0, answer.headers.get("Content-Length")
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
    if not is_archive(archive):
        raise InputError(f"{archive} is no archive, or is damaged, or its download was cut off; nothing was unpacked")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary, readable(archive):
        whole = Path(temporary) / "whole"
        for member in members(archive):
            path = PureWindowsPath(member.name)  # which knows every way to leave a folder, and Unix's too
            if path.anchor or ".." in path.parts:
                raise InputError(f"{archive} holds {member.name!r}, which would leave the folder; nothing was unpacked")
            if member.stream is None:
                raise InputError(f"{archive} holds {member.name!r}, a link or a device; nothing was unpacked")
            (whole / member.name).parent.mkdir(parents=True, exist_ok=True)
            with open(whole / member.name, "wb") as file:
                shutil.copyfileobj(member.stream, file)
        os.replace(whole, folder)
    return folder
