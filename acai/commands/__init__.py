"""The command line, one function a command: its signature makes the options and its docstring the help (see `acai.cli`)."""

import os
from pathlib import Path

from acai.errors import InputError
from acai.files import regular_file


def expect_place(file: Path) -> None:
    """Refuse a file that cannot be written: before the work that is to be kept in it, not after. Nothing is made yet."""
    if file.is_dir():
        raise InputError(f"{file} is a folder; expected the name of a file to write")
    folder = next(place for place in file.absolute().parents if place.exists())
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; expected a folder, to write {file.name} into it")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder} is not yours to write {file.name} into; name another place")
    if regular_file(file) is not None and not os.access(file, os.W_OK):
        raise InputError(f"{file} is there already, and is not yours to replace; name another place")


def expect_picture(file: Path) -> None:
    """Refuse a picture that cannot be written there, or not in the format that its name asks for: before the work."""
    from acai.plots import picture_format

    picture_format(file)
    expect_place(file)
