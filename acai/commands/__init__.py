"""The commands, one function each: its signature gives the options and its docstring the help (see `acai.cli`)."""

import os
from pathlib import Path

from acai.errors import InputError
from acai.files import regular_file
from acai.terminal import one_line


def expect_place(file: Path) -> None:
    """Refuse a file that cannot be written before the work begins, not after it. Nothing is created yet."""
    if file.is_dir():
        raise InputError(f"{file} is a folder; expected the name of a file to write")
    folder = next(place for place in file.absolute().parents if place.exists())
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; expected a folder, to write {file.name} into it")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder} is not writable; name another place for {file.name}")
    if regular_file(file) is not None and not os.access(file, os.W_OK):
        raise InputError(f"{file} exists already and is not writable; name another place")


def expect_folder(option: str, folder: Path) -> None:
    """Refuse what is no folder before the work begins, and say which option names it."""
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "there is no such folder"
        raise InputError(f"{option} {one_line(folder)}: {found}; expected the folder of the audio files")


def expect_picture(file: Path) -> None:
    """Refuse a picture that cannot be written, or not in the format of its name, before the work begins."""
    from acai.plots import picture_format

    picture_format(file)
    expect_place(file)
