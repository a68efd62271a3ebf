"""Notebooks as they are stored: JSON, read without Jupyter, and what was handed out told from what a student wrote."""

import hashlib
import json
import re
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

from acai.errors import InputError
from acai.files import atomic_write
from acai.reader.sources import PACKAGE

Notebook = dict[str, Any]
Cell = dict[str, Any]
NAME = re.compile(r"[0-9]{2}_\w+\.ipynb")
CHECKED = re.compile(r"""\b(?:check|require)\(\s*["']([0-9]{2}-[\w-]+)["']""")
LARGEST = 64 * 2**20  # bytes: a notebook with many pictures has a few


def read_notebook(path: Path) -> Notebook:
    """Read a notebook; refuse what is none, with the reason."""
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path.name} is no notebook: it has {path.stat().st_size / 2**20:.0f} MiB")
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is no notebook: {type(error).__name__}, {str(error)[:100]}") from None
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list) or not all(_is_cell(cell) for cell in cells):
        raise InputError(f"{path.name} is no notebook: it has no list of cells")
    return {**book, "cells": cells}


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return False
    text = cell.get("source", "")
    return isinstance(text, str) or (isinstance(text, list) and all(isinstance(line, str) for line in text))


def write_notebook(path: Path, book: Notebook) -> None:
    """Write a notebook as Jupyter does."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def source(cell: Cell) -> str:
    """Return the text of a cell, which may be stored as a list of lines."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def fingerprint(text: str) -> str:
    """Identify the text of a cell; spaces at the ends of its lines do not count."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def exercise_of(cell: Cell) -> str:
    """Return the name of the exercise that a cell calls `check` or `require` for; "" if it calls neither."""
    found = CHECKED.findall(source(cell)) if cell["cell_type"] == "code" else []
    return found[-1] if found else ""


def original_folder() -> Path:
    """Find the notebooks that belong to this acai: beside the package in a checkout, or where a wheel has put them."""
    for folder in (PACKAGE.parent / "notebooks", Path(sysconfig.get_path("data"), "share", "acai", "notebooks")):
        if any(folder.glob("[0-9][0-9]_*.ipynb")):
            return folder
    raise InputError(f"no notebooks in {PACKAGE.parent / 'notebooks'}, nor in an installed acai; expected 01_the_problem.ipynb …")


def originals(language: str = "en") -> dict[str, Path]:
    """Return the notebooks of the course by name, in this language as far as they are translated."""
    folder = original_folder()
    found = {path.name: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}
    translated = {path.name: path for path in sorted((folder / language).glob("[0-9][0-9]_*.ipynb"))}
    return found | translated


def languages() -> list[str]:
    """List the languages that there are notebooks in."""
    return ["en", *sorted(folder.name for folder in original_folder().glob("??") if folder.is_dir())]


@cache
def handed_out() -> frozenset[str]:
    """Return the fingerprints of all code cells of this acai's notebooks, in all languages."""
    books = [path for language in languages() for path in originals(language).values()]
    cells = [cell for path in books for cell in read_notebook(path)["cells"]]
    return frozenset(fingerprint(source(cell)) for cell in cells if cell["cell_type"] == "code")
