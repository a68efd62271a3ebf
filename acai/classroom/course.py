"""`acai course`: a folder for students, laid out once and updated later, without losing an answer."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from acai import __version__
from acai.classroom.links import EQUATIONS, code_page, pages_in, relinked
from acai.classroom.merging import merged
from acai.classroom.notebooks import (
    Cell,
    Notebook,
    exercise_of,
    fingerprint,
    languages,
    originals,
    read_notebook,
    source,
    write_notebook,
)
from acai.errors import InputError, unknown
from acai.files import atomic_write
from acai.reader.page import Page
from acai.reader.sources import PACKAGE, find_sources

START = "00_start.ipynb"
MANIFEST = ".acai-course.json"


@dataclass
class Course:
    """The course in one folder.

    Attributes
    ----------
    folder : Path
        Where it is laid out.
    language : str
        The language of its notebooks, as far as they are translated.
    new, renewed, kept : list of str
        What `lay_out` did with which file: kept is what somebody has changed, and what could therefore not be renewed.
    """

    folder: Path
    language: str = "en"
    new: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def lay_out(self) -> None:
        """Write what is missing, renew what is as it was handed out, and put answers into the renewed notebooks."""
        if self.language not in languages():
            raise unknown("language", self.language, languages())
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder} is a file; expected a folder, or a name that does not exist yet")
        self.folder.mkdir(parents=True, exist_ok=True)
        books = self._books()
        for name, book in books.items():
            self._lay_out_notebook(name, book)
        self._lay_out_file(EQUATIONS, self._page.html())
        texts = [source(cell) for book in books.values() for cell in book["cells"] if cell["cell_type"] == "markdown"]
        for page in sorted({page for text in texts for page in pages_in(text)}):
            self._lay_out_file(page, code_page(page, PACKAGE))
        with atomic_write(self.folder / MANIFEST) as temporary:
            temporary.write_text(json.dumps(self._manifest | {"acai": __version__}, indent=1), encoding="utf-8")

    def _books(self) -> dict[str, Notebook]:
        """Make the notebooks that are handed out, with links that work in this folder."""
        books = {name: read_notebook(path) for name, path in originals(self.language).items()}
        start = Path(__file__).with_name(f"start.{self.language}.md")
        text = (start if start.exists() else Path(__file__).with_name("start.en.md")).read_text(encoding="utf-8")
        return {START: _start_notebook(text, books)} | {name: self._with_links(book) for name, book in books.items()}

    def _with_links(self, book: Notebook) -> Notebook:
        cells = []
        for cell in book["cells"]:
            text = source(cell)
            if cell["cell_type"] == "markdown":
                text = relinked(text, PACKAGE, set(self._page.ids))
            shown: Cell = {"outputs": [], "execution_count": None} if exercise_of(cell) else {}  # nobody has tried it yet
            cells.append({**cell, **shown, "source": text, "id": exercise_of(cell) or fingerprint(text)})
        return {**book, "cells": cells}

    @cached_property
    def _page(self) -> Page:
        return Page(find_sources())

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        """What has been handed out: a checksum of each file, and the fingerprints of the cells of each notebook."""
        path = self.folder / MANIFEST
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {"files": dict(found["files"]), "cells": {name: list(marks) for name, marks in found["cells"].items()}}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # without it, everything counts as changed
            return {"files": {}, "cells": {}}

    def _lay_out_notebook(self, name: str, book: Notebook) -> None:
        path = self.folder / name
        marks = self._manifest["cells"].setdefault(name, [])
        marks += [mark for mark in _fingerprints(book) if mark not in marks]
        if not path.exists():
            self.new.append(name)
            write_notebook(path, book)
            return
        try:
            theirs = read_notebook(path)
        except (InputError, OSError):  # whatever it is, it is theirs
            self.kept.append(name)
            return
        handed = {*marks, *_fingerprints(read_notebook(originals()[name]) if name in originals() else book)}
        cells = merged(theirs["cells"], book["cells"], handed)
        if [_content(cell) for cell in cells] != [_content(cell) for cell in theirs["cells"]]:
            self.renewed.append(name)
            write_notebook(path, {**book, "cells": cells})

    def _lay_out_file(self, name: str, text: str) -> None:
        path = self.folder / name
        checksum = hashlib.sha256(text.encode()).hexdigest()
        before = self._manifest["files"].get(name)
        if path.exists():
            there = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            if there == checksum:
                self._manifest["files"][name] = checksum
                return
            if there != before:
                self.kept.append(name)
                return
        (self.renewed if path.exists() else self.new).append(name)
        with atomic_write(path) as temporary:
            temporary.write_bytes(text.encode())
        self._manifest["files"][name] = checksum


def _fingerprints(book: Notebook) -> Iterator[str]:
    return (fingerprint(source(cell)) for cell in book["cells"])


def _content(cell: Cell) -> tuple[str, str]:
    return cell["cell_type"], source(cell)


def _start_notebook(text: str, books: dict[str, Notebook]) -> Notebook:
    """Make the start page: what to do, the notebooks with their questions, and how far one is."""
    rows = []
    for name, book in books.items():
        title, _, rest = source(book["cells"][0]).partition("\n")
        question = rest.strip().partition("\n\n")[0].partition(":**")[2]
        rows.append(f"* [{title.removeprefix('# ')}]({name}):{' '.join(question.split()).join((' ', ''))}")
    before, after = text.replace("{notebooks}", "\n".join(rows)).split("{progress}")
    code: Cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells: list[Cell] = [
        {"cell_type": "markdown", "metadata": {}, "source": before.strip()},
        {**code, "source": "from acai.classroom.progress import progress\n\nprogress()"},
        {"cell_type": "markdown", "metadata": {}, "source": after.strip()},
    ]
    any_book = next(iter(books.values()))
    return {**any_book, "cells": [{**cell, "id": fingerprint(cell["source"])} for cell in cells]}
