"""One submission: its cells run in a process of their own, and each answer is judged here, as soon as it is given."""

import ast
import contextlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from acai.classroom.notebooks import CHECKED, fingerprint, handed_out, read_notebook, source
from acai.classroom.remote import Desk, Gone
from acai.errors import InputError
from acai.teaching.exercises import check
from acai.teaching.exercises.checking import SECONDS
from acai.teaching.exercises.texts import COMMON, TASKS, in_words
from acai.teaching.exercises.wrong import Wrong

MOST_STOPS = 5  # a submission that has to be stopped more often is not graded any further
MOST_UNKNOWN = 5  # notes of names that are no exercise
LARGEST_COPY = 256 * 2**20  # bytes
MINUTE = 60.0


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes
    ----------
    timeout : float
        Seconds for each cell and each exercise; ten times as many where a network is trained.
    memory : int
        MiB.
    exercises : str
        A folder with exercises of the teacher's own, or "".
    language : str
        Of the hints.
    """

    timeout: float = 60.0
    memory: int = 2048
    exercises: str = ""
    language: str = "en"


@dataclass
class Mark:
    """What became of one exercise: whether it is solved, the hint that was received, and the seconds that it took."""

    ok: bool
    hint: str = ""
    seconds: float = 0.0


@dataclass
class Result:
    """What became of one submission.

    Attributes
    ----------
    marks : dict of str to Mark
        By exercise, for all notebooks that were handed in.
    notes : list of str
        What else happened: cells that stopped, files that are no notebooks.
    seconds : float
    """

    marks: dict[str, Mark] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Submission:
    """The grading of one folder.

    Parameters
    ----------
    folder : Path
        What was handed in; it is copied, and the copy is all that its code can change.
    limits : Limits
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self.limits = folder, limits
        self.result = Result()
        self._desk: Desk | None = None
        self._n_stops = 0

    def grade(self) -> Result:
        """Run and judge everything; whatever is in the folder, this returns a result."""
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="acai-grade-", ignore_cleanup_errors=True) as place:
            self._place = Path(place, "submission")
            self._place.mkdir()
            self.result.notes += copy_files(self.folder, self._place)
            try:
                paths = sorted(path for path in self._place.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
                for path in paths:
                    self._grade_notebook(path)
                if not paths:
                    self.result.notes.append(say(Wrong("no-notebook")))
            finally:
                if self._desk is not None:
                    self._desk.close()
        self.result.seconds = time.perf_counter() - started
        return self.result

    def _grade_notebook(self, path: Path) -> None:
        try:
            cells = read_notebook(path)["cells"]
        except (InputError, OSError) as error:
            self.result.notes.append(str(error))
            self._expect(path.name[:2])
            return
        code = [(number, source(cell)) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
        checked = dict.fromkeys(name for _, text in code for name in CHECKED.findall(text))
        names = [name for name in checked if name in TASKS]
        unknown = [name[:40] for name in checked if name not in TASKS]
        self.result.notes += [say(Wrong("no-exercise", name=name)) for name in unknown[:MOST_UNKNOWN]]
        for number in dict.fromkeys([name[:2] for name in names] or [path.name[:2]]):
            self._expect(number)
        ready: list[tuple[str, str]] = []  # cells that ran, to be run again if the process has to be started again
        for number, text in code:
            runnable = text if fingerprint(text) not in handed_out() or CHECKED.search(text) or not ready else definitions(text)
            place = f"cell {number} of {path.name}"
            if not runnable.strip():
                continue
            if self._n_stops > MOST_STOPS:
                self._give_up(names)
                return
            try:
                self._run_and_judge(runnable, place, ready)
                ready.append((runnable, place))
            except Gone as gone:
                self._stop(gone.wrong, number, path.name)
                self._explain(runnable, gone.wrong)

    def _expect(self, number: str) -> None:
        """Note all exercises of a notebook as not handed in, until they are."""
        for name in TASKS:
            if name.startswith(f"{number}-"):
                self.result.marks.setdefault(name, Mark(False, say(Wrong("not-checked"))))

    def _explain(self, text: str, reason: object) -> None:
        """Say of the exercises of a cell that stopped why nothing has been given to `check`."""
        for name in CHECKED.findall(text):
            if name in self.result.marks and self.result.marks[name].hint == say(Wrong("not-checked")):
                self.result.marks[name] = Mark(False, say(Wrong("not-reached", reason=reason)))

    def _give_up(self, names: list[str]) -> None:
        for name in names:
            if self.result.marks[name].hint == say(Wrong("not-checked")):
                self.result.marks[name] = Mark(False, say(Wrong("stopped-too-often", n=self._n_stops)))

    def _run_and_judge(self, text: str, place: str, ready: list[tuple[str, str]]) -> None:
        desk = self._seated(ready)
        reply = self._run(desk, text, place, not ready)
        if reply["stopped"] is not None:
            self.result.notes.append(f"{place}: {_in_short(reply['stopped'])}")
            self._explain(text, _in_short(reply["stopped"]))
        answers = reply["answers"] if isinstance(reply["answers"], dict) else {}
        for name, encoded in answers.items():
            if name in TASKS:
                self._judge(name, desk, encoded)

    def _seated(self, ready: list[tuple[str, str]]) -> Desk:
        """Return the process, started again if it is gone, with the cells run that were run before."""
        if self._desk is None:
            self._desk = Desk(self._place, self.limits.memory, self.limits.exercises)
            for k, (text, place) in enumerate(ready):
                self._run(self._desk, text, place, k == 0)
        return self._desk

    def _run(self, desk: Desk, text: str, place: str, fresh: bool) -> dict[str, Any]:
        trains = any(SECONDS[name] > MINUTE for name in CHECKED.findall(text) if name in SECONDS)
        desk.allow(self.limits.timeout * (10 if trains else 1))
        try:
            reply = desk.ask(do="run", code=without_magic(text), place=place, fresh=fresh)
        except Wrong as wrong:  # not the cell, whose errors are reported: what runs it has been tampered with
            raise Gone(wrong) from None
        if not {"answers", "stopped"} <= {*reply}:
            raise Gone(Wrong("nonsense", error="a reply that is none"))
        return reply

    def _judge(self, name: str, desk: Desk, encoded: Any) -> None:
        """Check one answer, with this acai; the last answer counts."""
        started = time.perf_counter()
        seconds = self.limits.timeout * max(1.0, SECONDS[name] / MINUTE)
        desk.allow(seconds)
        try:
            with np.errstate(all="ignore"):
                verdict = check(name, desk.value(encoded), seconds=seconds + MINUTE)
        except Gone as gone:
            self.result.marks[name] = Mark(False, say(gone.wrong), time.perf_counter() - started)
            raise
        self.result.marks[name] = Mark(verdict.ok, verdict.hint, round(time.perf_counter() - started, 3))

    def _stop(self, wrong: Wrong, number: int, notebook: str) -> None:
        """Record why the process had to be stopped; the next cell gets a new process."""
        self._n_stops += 1
        if self._desk is not None:
            self._desk.close()
            self._desk = None
        self.result.notes.append(say(Wrong("cell-stopped", notebook=notebook, number=number, reason=wrong)))


def say(wrong: Wrong) -> str:
    """Write a sentence of `common.toml`."""
    return wrong.in_words({key: in_words(sentence) for key, sentence in COMMON.items()})


def _in_short(stopped: Any) -> str:
    kind, message = (str(part)[:200] for part in (*stopped, "", "")[:2]) if isinstance(stopped, list) else ("", "")
    return f"{kind}: {' '.join(message.split())}" if kind != "TooMuchOutput" else message


def definitions(text: str) -> str:
    """Return the imports and definitions of a cell that was handed out: what an answer may use of it, without its work."""
    try:
        tree = ast.parse(without_magic(text))
    except SyntaxError:
        return ""
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, kept))


def without_magic(text: str) -> str:
    """Leave out what only Jupyter understands: lines that begin with % or !."""
    lines = text.splitlines()
    return "" if text.startswith("%%") else "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def copy_files(folder: Path, place: Path) -> list[str]:
    """Copy the files of a submission, but no links, and not without limit; return notes of what was left out."""
    notes, size = [], 0
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".ipynb_checkpoints" and not Path(root, name).is_symlink())
        for name in sorted(files):
            path = Path(root, name)
            if path.is_symlink() or not path.is_file():
                notes.append(f"{path.relative_to(folder)} is a link or a device, and was left out")
                continue
            size += path.stat().st_size
            if size > LARGEST_COPY:
                notes.append(f"{path.relative_to(folder)} was left out: the folder is larger than {LARGEST_COPY // 2**20} MiB")
                return notes
            target = place / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                shutil.copyfile(path, target)
    return notes
