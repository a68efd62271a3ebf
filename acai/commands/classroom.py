"""`acai course`, `acai progress`: the course for students."""

from pathlib import Path

from acai.classroom.course import START, Course
from acai.classroom.progress import progress as progress_in
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
