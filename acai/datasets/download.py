"""Downloading data sets: a file appears once it is complete and has been checked, and an interrupted download is resumed.

What has arrived is saved beside the file as `NAME.part`, and `NAME.part.json` says which version of the server's file it is
part of. The part is locked while somebody writes to it. Both are removed once the download is complete.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tqdm import tqdm

from acai.atomic import regular_file
from acai.datasets.catalogue import Remote
from acai.errors import InputError
from acai.tables.source import opened
from acai.tables.streams import decompressor

if TYPE_CHECKING:
    import requests

try:
    import fcntl
except ImportError:  # Windows has no flock; then only what is written, its place and its size are checked
    fcntl = None  # type: ignore[assignment]
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # never write to what a link points to

CONTENT_RANGE = re.compile("bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
MINUTE = 60.0  # seconds: a younger file may have changed again within the second that its time names


@dataclass(frozen=True)
class Version:
    """Which state of the server's file a part belongs to; `validator` is its ETag or time, None if it cannot be resumed."""

    url: str
    validator: str | None
    total: int | None


class Refused(Exception):
    """The server's answer is not the file, or not all of it; the message says why."""


class OtherPart(Refused):
    """The server's answer does not belong to what was saved of an earlier download, which is therefore useless."""


def fetch(remote: Remote, folder: str | os.PathLike[str], progress: bool = False) -> Path:
    """Download one file, unless it is already there with the correct checksum.

    Parameters
    ----------
    remote : Remote
    folder : path
        Where to put it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the server does not have it, the download is interrupted (calling again resumes it if the server allows that),
        the disk is full, or the size or checksum is wrong (it is then discarded, and an earlier file is not touched).

    Notes
    -----
    A second download of the same file at the same time waits for the first, and takes over if the first dies.
    """
    import requests

    exceptions: Any = requests.exceptions  # its stubs do not export BaseHTTPError
    path = Path(folder) / remote.name
    part, note = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(part) as file:
            if regular_file(path) is not None and _fault(path, remote) is None:
                _discard(file, part, note)
                return path
            try:
                _complete(remote, file, note, progress)
            except (requests.RequestException, exceptions.BaseHTTPError, Refused) as error:
                saved = _saved(file, part, note, remote.url, error)
                raise InputError(f"{remote.url} could not be fetched ({error}); {saved}") from error
            fault = _fault(part, remote)
            if fault is not None:
                _discard(file, part, note)
                raise InputError(f"{remote.url} is not the file it should be, and was discarded: {fault}")
            if fcntl is None:  # Windows renames no file that is open
                file.close()
            os.replace(part, path)
            note.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"{path} cannot be written ({why}); make room or choose another folder, and run it again") from error
    return path


@contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """Open the part for reading and writing once nobody else writes to it."""
    while True:
        with open(os.open(part, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o666), "r+b") as file:
            _lock(file, part)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), part.stat()):  # or the process before us has finished it
                    yield file
                    return


def _lock(file: BinaryIO, part: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{part.name} is being downloaded already; waiting for that to finish", file=sys.stderr)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        return


def _complete(remote: Remote, file: BinaryIO, note: Path, progress: bool) -> None:
    """Fetch what is missing from the part."""
    import requests

    url, had = remote.url, file.seek(0, os.SEEK_END)
    version = _read_note(note, url)
    if version is None or version.validator is None or (version.total is not None and had > version.total):
        had = 0
    if had and version is not None and had == version.total:
        return  # it only lacked its name
    headers = {"Accept-Encoding": "identity"}
    if had and version is not None and version.validator is not None:
        headers |= {"Range": f"bytes={had}-", "If-Range": version.validator}
    with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as answer:
        start, version = _checked(answer, url, had, version)
        is_chunked = "chunked" in answer.headers.get("Transfer-Encoding", "")
        if version.total is None and not (is_chunked or remote.checksum or remote.contents or remote.size):
            raise Refused("the server does not say how large it is, and no checksum is published: a part would pass for all")
        if version.total is not None and version.total - start > shutil.disk_usage(note.parent).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if start == 0:
            note.unlink(missing_ok=True)  # before the part changes, so that the two never belong to different versions
            file.truncate(0)
            note.write_text(json.dumps(asdict(version)), encoding="utf-8")
        file.seek(start)
        bar = tqdm(
            total=version.total, initial=start, unit="B", unit_scale=True, desc=note.name.removesuffix(".part.json"),
            disable=not progress,
        )
        with bar:
            for chunk in answer.iter_content(1 << 16):
                file.write(chunk)
                bar.update(len(chunk))
    file.flush()
    if version.total is not None and file.tell() != version.total:
        raise Refused(f"it was interrupted after {file.tell():,} of {version.total:,} bytes")
    if file.tell() == 0:
        raise Refused("the server sent an empty file")


def _checked(answer: "requests.Response", url: str, had: int, version: Version | None) -> tuple[int, Version]:
    """Determine where in the file the answer begins, and of which version; only 200 and a matching 206 are acceptable."""
    code, headers = answer.status_code, answer.headers
    length = headers.get("Content-Length", "")
    n_bytes = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
    if headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(f"the server compressed it ({headers['Content-Encoding']}), which it was asked not to do")
    if code == 200:
        return 0, Version(url, _validator(headers), n_bytes)
    if code == 206 and version is not None and had:
        sent = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        first, last, total = map(int, sent.groups()) if sent else (-1, -1, -1)
        has_etag = version.validator is not None and version.validator.startswith('"')
        has_changed = has_etag and version.validator != headers.get("ETag", version.validator)
        if first != had or last != total - 1 or total != (version.total or total) or has_changed:
            found = headers.get("Content-Range", "nothing")
            raise OtherPart(f"it sent another part than the one asked for ({found}), or one of another version of the file")
        return had, Version(url, version.validator, total)
    answered = f"the server answered {code} {answer.reason or ''}".rstrip()
    if code == 416 and had:
        raise OtherPart(f"{answered}: what was saved of an earlier download does not fit")
    raise Refused(f"{answered}, not with the file")


def _validator(headers: "requests.structures.CaseInsensitiveDict[str]") -> str | None:
    """Find what tells the server whether its file has changed; None if it cannot tell to the byte."""
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    if etag.startswith('"'):  # W/"…" is only roughly the same file
        return etag
    try:
        age = parsedate_to_datetime(headers.get("Date", "")) - parsedate_to_datetime(modified)
    except (TypeError, ValueError):
        return None
    return modified if age.total_seconds() >= MINUTE else None


def _read_note(note: Path, url: str) -> Version | None:
    try:
        version = Version(**json.loads(note.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError, RecursionError):
        return None
    fits = isinstance(version.validator, str | None) and isinstance(version.total, int | None)
    return version if fits and version.url == url else None


def _saved(file: BinaryIO, part: Path, note: Path, url: str, error: Exception) -> str:
    """Save what can be resumed of an interrupted download, and say so."""
    file.flush()
    n_bytes, version = os.fstat(file.fileno()).st_size, _read_note(note, url)
    if n_bytes and version is not None and version.validator is not None and not isinstance(error, OtherPart):
        return f"{n_bytes:,} bytes are saved: run the same command again to resume"
    _discard(file, part, note)
    return "nothing is saved: run the same command again to start over"


def _discard(file: BinaryIO, part: Path, note: Path) -> None:
    if fcntl is None:  # Windows removes no file that is open
        file.close()
    part.unlink()
    note.unlink(missing_ok=True)


def _fault(path: Path, remote: Remote) -> str | None:
    """Say what is wrong with a downloaded file: its size, its checksum, or its kind; None if nothing is."""
    n_bytes = path.stat().st_size
    if remote.size is not None and n_bytes != remote.size:
        return f"it has {n_bytes:,} bytes, expected {remote.size:,}"
    if remote.checksum is not None:
        with open(path, "rb") as file:
            found = _checksum(file, remote.checksum)
        return None if found == remote.checksum else f"its checksum is {found}, expected {remote.checksum}"
    with open(path, "rb") as file:
        beginning = file.read(16)
    is_zip, is_gzip = remote.name.endswith(".zip"), remote.name.endswith((".gz", ".tgz"))
    is_page = beginning.lower().lstrip().startswith((b"<!doctype html", b"<html"))  # a login page, for example
    if is_page or (is_zip and not beginning.startswith(b"PK")) or (is_gzip and decompressor(beginning) is None):
        return f"{remote.name} begins with {beginning!r}, as a web page or some other file does"
    for member, expected in remote.contents.items():
        try:
            with opened(path, member) as source:
                found = _checksum(source.stream, expected)
        except InputError as error:
            return str(error)
        if found != expected:
            return f"{member} inside has the checksum {found}, expected {expected}"
    return None


def _checksum(stream: BinaryIO, expected: str) -> str:
    """Compute the checksum of a stream by the algorithm of the expected one, in the form `algorithm:digest`."""
    algorithm = expected.partition(":")[0]
    digest = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    return f"{algorithm}:{digest.hexdigest()}"
