"""A class: all submissions of a folder, a few at a time; what has been graded is kept, so that grading can be resumed."""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acai import __version__
from acai.classroom.grading import Limits, Mark, Result, Submission
from acai.errors import InputError
from acai.files import atomic_write
from acai.teaching.exercises import language, load
from acai.teaching.exercises.texts import TASKS

MOST_FILES = 10_000


def submissions(folder: Path) -> dict[str, Path]:
    """Return the folder of each student, by name; hidden folders and links are none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; expected one that has a folder per student, with their notebooks")
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink()}
    found = {name: path for name, path in found.items() if not name.startswith(".")}
    if not found:
        raise InputError(f"{folder} has no folders; expected one per student, with their notebooks")
    return found


def passed_over(folder: Path) -> list[str]:
    """Name what is in the folder but in no student's: notebooks and archives that have not been sorted, and links."""
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(path.name for path in visible if path.is_symlink() or not path.is_dir())


def graded(students: dict[str, Path], kept: Path, limits: Limits) -> Iterator[tuple[str, Result]]:
    """Grade all students, and yield each result as soon as it is there: first those that were graded before.

    Parameters
    ----------
    students : dict of str to Path
        Their folders.
    kept : Path
        A folder for results, outside of the submissions, which must not be able to write them.
    limits : Limits
    """
    kept.mkdir(parents=True, exist_ok=True)
    waiting = {}
    for name, path in students.items():
        mark = _fingerprint(path, limits)
        before = _read(kept / f"{_file_name(name)}.json", mark)
        if before is not None:
            yield name, before
        else:
            waiting[name] = mark
    for name, result in _in_parallel({name: students[name] for name in waiting}, limits):
        with atomic_write(kept / f"{_file_name(name)}.json") as temporary:
            temporary.write_text(json.dumps({"of": waiting[name], "result": asdict(result)}), encoding="utf-8")
        yield name, result


def _in_parallel(students: dict[str, Path], limits: Limits) -> Iterator[tuple[str, Result]]:
    n = min(os.cpu_count() or 1, len(students))
    if n <= 1:
        for name, path in students.items():
            yield name, Submission(path, limits).grade()
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n, context, initializer=_prepare, initargs=(limits,)) as pool:
        jobs = {pool.submit(_grade, path, limits): name for name, path in students.items()}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _prepare(limits: Limits) -> None:
    if limits.exercises:
        load(limits.exercises)
    language(limits.language)


def _grade(path: Path, limits: Limits) -> Result:
    return Submission(path, limits).grade()


def _fingerprint(folder: Path, limits: Limits) -> str:
    """Identify what is graded and by what: the files, the limits, the texts of the exercises, and this acai."""
    parts: list[Any] = [__version__, asdict(limits), {name: asdict(task) for name, task in TASKS.items()}]
    for k, path in enumerate(sorted(folder.rglob("*"))):
        if k == MOST_FILES:
            break
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            parts.append([path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns])
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path, mark: str) -> Result | None:
    """Read a result that was kept; None if there is none, or if something has changed since."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["of"] != mark:
            return None
        result = found["result"]
        marks = {name: Mark(**mark) for name, mark in result["marks"].items()}
        return Result(marks, result["notes"], result["seconds"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _file_name(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:24]
