"""`acai read`: equations and code side by side."""

import gc
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acai.commands import expect_place
from acai.errors import InputError
from acai.files import atomic_write
from acai.reader.second_process import second_process
from acai.terminal import one_line


def read(equation: str | None = None, *, out: Path | None = None) -> None:
    """Read the README's equations beside the code that computes them, all on one HTML page or one in the terminal.

    `acai read C10` prints one equation: the formula, what it means, its code as loops and as it runs, an example with numbers,
    and what the gradient check says about it.

    `acai read` builds a page. On its left is the README; on the right, beside each equation, are its code as loops, in plain
    NumPy and as it runs, its tests, and the bugs planted in it. The page is a single file that needs no network. Without --out
    it is written to a temporary folder and opened in the browser, if there is one.

    Parameters
    ----------
    equation : NUMBER
        The number of an equation, such as C10; without it, a page of all is built.
    out : FILE
        Where to write the page.
    """
    if equation is not None and out is not None:
        raise InputError(f"{equation} is printed and --out is for the page of all equations; expected one of the two")
    with _without_collecting_garbage():
        if equation is None:
            _write_page(out)
        else:
            from acai.reader.equation import read as read_one

            print(read_one(equation))


def _write_page(out: Path | None) -> None:
    if out is not None:
        expect_place(out)
    with second_process() as check:
        from acai.reader.page import Page
        from acai.reader.sources import find_sources

        page = Page(find_sources(), check=check)
        html = page.html()
    target = out or Path(tempfile.mkdtemp(prefix="acai-read-")) / "acai.html"
    with atomic_write(target) as temporary:
        temporary.write_text(html, encoding="utf-8")
    print(f"{len(page.ids)} equations and their code: {one_line(target)}")
    if out is None:
        webbrowser.open(target.as_uri())


@contextmanager
def _without_collecting_garbage() -> Iterator[None]:
    """Do not look for garbage in this block: what is imported and parsed is needed until its end, and looking takes a tenth."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
