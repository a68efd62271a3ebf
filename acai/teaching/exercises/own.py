"""Exercises of your own: a folder with text files and Python files, without a change to acai."""

import os
import re
import runpy
from pathlib import Path

from acai.errors import InputError
from acai.teaching import bugs
from acai.teaching.exercises.checking import CHECKS, Check
from acai.teaching.exercises.texts import FOLDERS, TASKS, Exercise, read_exercises

NAME = re.compile(r"[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*")
_loaded: dict[Path, list[str]] = {}  # the names of the exercises of each folder


def load(folder: str | os.PathLike[str]) -> list[str]:
    """Add the exercises of a folder, `load("my_course/")`; notebooks/README.md shows how to write one.

    Parameters
    ----------
    folder : path
        It has the texts in files `*.toml`, and the checks in files `*.py`, which are run. Bugs to be planted are in
        `bugs.toml`, and translations in files such as `de.toml`.

    Returns
    -------
    list of str
        The names of the exercises, which `check`, `hint` and `exercises` know from now on.

    Raises
    ------
    InputError
        If a name is taken or is no name, or if an exercise has no check, or a check no exercise.
    """
    place = Path(folder).resolve()
    if not place.is_dir():
        raise InputError(f"{folder} is no folder; expected one with exercises: their texts in *.toml, their checks in *.py")
    found: dict[str, Exercise] = {}
    for path in sorted(place.glob("*.toml")):
        if path.name != "bugs.toml" and len(path.stem) > 2:
            found |= read_exercises(path)
    for name in found:
        _expect_free(name, place)
    checks = _checks_of(place)
    for name in sorted({*found} ^ {*checks}):
        has, lacks = ("a text", "no check") if name in found else ("a check", "no text")
        what = f"{folder}: {name} has {has} and {lacks}"
        raise InputError(f"{what}; expected [{name}] in a .toml file, and @checks({name!r}) in a .py file")
    if (place / "bugs.toml").exists():
        bugs.load(place / "bugs.toml")
    CHECKS.update(checks)
    TASKS.update(found)
    _loaded[place] = list(found)
    if place not in FOLDERS:
        FOLDERS.append(place)
    return list(found)


def _expect_free(name: str, place: Path) -> None:
    if not NAME.fullmatch(name):
        raise InputError(f"{place}: {name!r} is no name of an exercise; expected a notebook's number and words, as in '09-median'")
    if name in TASKS and name not in _loaded.get(place, []):
        raise InputError(f"{place}: there is an exercise {name} already; choose another name")


def _checks_of(place: Path) -> dict[str, Check]:
    """Run the Python files of a folder, and take the checks that they register."""
    before = dict(CHECKS)
    CHECKS.clear()
    try:
        for path in sorted(place.glob("*.py")):
            runpy.run_path(str(path), run_name=path.stem)
        return dict(CHECKS)
    finally:
        CHECKS.clear()
        CHECKS.update(before)
