"""How far a student is: read from the notebooks themselves, which show what `check` said when they were last saved."""

import os
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from acai.classroom.notebooks import NAME, read_notebook
from acai.errors import InputError
from acai.html_table import html_table
from acai.teaching.exercises.texts import TASKS, in_words, say

SAID = re.compile(r"^([✓✗]) ([0-9]{2}-[\w-]+): ?(.*)", re.MULTILINE)


@dataclass(frozen=True, repr=False)
class Progress:
    """Which exercises are solved.

    Attributes
    ----------
    said : dict of str to str
        What `check` said last about each exercise that was tried, by its name: "" if it is solved.
    unreadable : list of str
        Notebooks that cannot be read, and why.
    """

    said: dict[str, str]
    unreadable: list[str]

    @property
    def solved(self) -> list[str]:
        """The names of the exercises that are solved, in their order."""
        return [name for name in TASKS if self.said.get(name) == ""]

    def __repr__(self) -> str:
        """Show a line per exercise, and how many are solved."""
        lines = [f"{self._mark(name)} {name:<22} {in_words(task.title)}" for name, task in TASKS.items()]
        return "\n".join([*lines, self._summary(), *self.unreadable])

    def _repr_html_(self) -> str:
        rows = [(self._mark(name), name, escape(in_words(task.title))) for name, task in TASKS.items()]
        return html_table(rows) + "".join(f"<p>{escape(line)}</p>" for line in (self._summary(), *self.unreadable))

    def _summary(self) -> str:
        return say("progress", solved=len(self.solved), n=len(TASKS))

    def _mark(self, name: str) -> str:
        return "·" if name not in self.said else "✗" if self.said[name] else "✓"


def progress(folder: str | os.PathLike[str] = ".") -> Progress:
    """Find out which exercises are solved in the notebooks of a folder, as they were last saved. Nothing is written."""
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"{place} is no folder; expected one with notebooks, as `acai course` lays it out")
    said: dict[str, str] = {}
    unreadable = []
    for path in sorted(place.glob("*.ipynb")):
        if not NAME.fullmatch(path.name):
            continue
        try:
            cells = read_notebook(path)["cells"]
        except (InputError, OSError) as error:
            unreadable.append(str(error))
            continue
        for cell in cells:
            for mark, name, words in SAID.findall("\n".join(_texts(cell.get("outputs")))):
                if name in TASKS:
                    said[name] = "" if mark == "✓" else words or "✗"
    return Progress(said, unreadable)


def _texts(outputs: Any) -> list[str]:
    """Return the texts that a cell shows: printed, or as its value."""
    found = []
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, dict):
            data = output.get("data")
            shown = output.get("text") or (data.get("text/plain") if isinstance(data, dict) else "")
            found.append("".join(map(str, shown)) if isinstance(shown, list) else str(shown))
    return found
