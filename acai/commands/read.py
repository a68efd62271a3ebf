"""`acai read`: equations and code side by side."""

import tempfile
import webbrowser
from pathlib import Path

from acai.commands import expect_place
from acai.files import atomic_write
from acai.reader.page import Page
from acai.reader.sources import find_sources
from acai.terminal import one_line


def read(*, out: Path | None = None) -> None:
    """Read the README's equations beside the code that computes them, on one HTML page.

    On the left of the page is the README; on the right, beside each equation, are its code as loops, in plain NumPy and as it
    runs, and its tests. The page is a single file that needs no network. Without --out it is written
    to a temporary folder and opened in the browser, if there is one.

    Parameters
    ----------
    out : FILE
        Where to write the page.
    """
    if out is not None:
        expect_place(out)
    sources = find_sources()
    page = Page(sources)
    html = page.html()
    target = out or Path(tempfile.mkdtemp(prefix="acai-read-")) / "acai.html"
    with atomic_write(target) as temporary:
        temporary.write_text(html, encoding="utf-8")
    print(f"{len(page.ids)} equations and their code: {one_line(target)}")
    if out is None:
        webbrowser.open(target.as_uri())
