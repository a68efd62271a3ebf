"""One equation beside its code: `acai read C10` prints it, and in a notebook `acai.read("C10")` displays it."""

from html import escape

from acai.errors import InputError, unknown
from acai.reader.page import Page
from acai.reader.sources import find_sources
from acai.reader.text import text_of

HEIGHT = "40rem"  # of the frame in a notebook; its lower edge can be pulled


class Equation:
    """An equation of the README with its code. A notebook displays the two side by side; `print` writes them below each other.

    Parameters
    ----------
    page : Page
        The page that has only this equation.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    def __repr__(self) -> str:
        """Return the equation as text, so that it is also readable at Python's prompt."""
        return text_of(self.page)

    def _repr_html_(self) -> str:
        """Return the page in a frame, so that its style and its keys do not reach the notebook around it."""
        style = f"width: 100%; height: {HEIGHT}; border: 0; resize: vertical; overflow: auto"
        title = f"Equation {self.page.only} and its code"
        page = escape(self.page.html())
        return f'<iframe title="{title}" sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'


def read(name: str) -> Equation:
    """Read one of the README's equations beside the code that computes it.

    Parameters
    ----------
    name : str
        Its number, such as "C10".

    Returns
    -------
    Equation
        In a notebook, it is displayed; `print` writes it as text.

    Raises
    ------
    InputError
        If the README has no such equation.
    """
    if not isinstance(name, str):
        raise InputError(f"name={name!r}; expected the number of an equation, such as \"C10\"")
    sources = find_sources()
    ids = Page(sources).ids
    wanted = name.strip().strip("()").upper()
    if wanted not in ids:
        raise unknown("equation", name, ids)
    return Equation(Page(sources, only=wanted))
