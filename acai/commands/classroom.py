"""`acai course`, `acai progress`, `acai grade`: the course for students, and what they hand in."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from acai.classroom.course import START, Course
from acai.classroom.grading import Limits
from acai.classroom.progress import progress as progress_in
from acai.classroom.results import Results
from acai.classroom.roster import graded, passed_over, submissions
from acai.commands import expect_place
from acai.files import atomic_write
from acai.settings import Count
from acai.teaching.exercises import language as choose_language
from acai.teaching.exercises import load
from acai.terminal import one_line


def course(folder: Path, *, language: str = "en") -> None:
    """Lay out the course for students: the notebooks without solutions, a start page, and the equations beside their code.

    Run it again with a newer acai: what nobody has touched is renewed, and answers stay where they are. Nothing in the folder
    leads out of it, so it can be copied, handed out and opened wherever Jupyter is started.

    Parameters
    ----------
    folder : DIR
        Where to lay it out.
    language : CODE
        The language of the notebooks, as far as they are translated.
    """
    print("computing the examples for the equations (up to a minute the first time)", flush=True)
    laid_out = Course(folder, language)
    laid_out.lay_out()
    for what, names in ("new", laid_out.new), ("renewed", laid_out.renewed), ("kept, because it was changed", laid_out.kept):
        if names:
            print(f"{what}: {', '.join(one_line(name) for name in names)}")
    if not laid_out.new and not laid_out.renewed:
        print("everything is as it should be")
    print(f"start with: jupyter lab {one_line(folder / START)}")


def progress(folder: Path = Path()) -> None:
    """Show which exercises are solved, in the notebooks of a folder as they were last saved.

    The notebooks themselves say so; nothing is written, and nothing leaves this machine.

    Parameters
    ----------
    folder : DIR
        The folder of the notebooks.
    """
    print(progress_in(folder))


def grade(  # noqa: PLR0913 - the options of the command
    folder: Path, *, csv: Path | None = None, json: Path | None = None, timeout: Count = 60, memory: Count = 2048,
    exercises: Path | None = None, language: str = "en",
) -> None:
    """Grade the notebooks that a class has handed in.

    Each submission runs on a copy, in a process of its own, without network where the system allows it, and may write
    nowhere else. This acai judges the answers; what a notebook prints or redefines does not count. Prints a table of students
    and exercises, and writes a page of feedback per student into FOLDER-graded. Stopped and started again, it continues; a
    submission that has changed since is graded again. This stops accidents and what students try, not an attacker: for
    submissions of strangers, run it in a container.

    Parameters
    ----------
    folder : FOLDER
        It has one folder per student, with notebooks of any names.
    csv : FILE
        Where to write the table as CSV.
    json : FILE
        Where to write everything as JSON, with the hints that were received.
    timeout : SECONDS
        How long each cell and each exercise may take; where a network is trained, up to ten times as long.
    memory : MIB
        How much memory a submission may use, besides what acai itself does.
    exercises : FOLDER
        A folder with exercises of your own, as for `load`.
    language : CODE
        The language of the feedback, as far as it is translated.
    """
    students = submissions(folder)
    for file in filter(None, (csv, json)):
        expect_place(file)
    if exercises is not None:
        load(exercises)
    choose_language(language)
    pages = folder.resolve().with_name(f"{folder.resolve().name}-graded")
    limits = Limits(timeout, memory, "" if exercises is None else str(exercises.resolve()), language)
    results = Results()
    for student, result in graded(students, pages / ".results", limits):
        results[student] = result
        print(f"{len(results)} of {len(students)}: {one_line(student)}", flush=True)
    texts: dict[Path | None, Callable[[], str]] = {csv: results.csv, json: results.json}
    texts |= {pages / f"{student}.html": partial(results.page, student, language) for student in results}
    for place, text in texts.items():
        if place is not None:
            with atomic_write(place) as temporary:
                temporary.write_text(text(), encoding="utf-8")
    print(results.table())
    if left := passed_over(folder):
        print(f"passed over: {', '.join(one_line(name) for name in left)}; expected a folder per student, with notebooks in it")
    print(f"feedback: {one_line(pages)}")
