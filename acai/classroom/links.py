"""Links that work wherever Jupyter is started: to the page of the equations and to pages of code, all in the course's folder."""

import re
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename

EQUATIONS = "equations.html"
KEPT = re.compile(r"(`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\[[^\]]*\]\([^)]*\)|^    .*$)", re.DOTALL | re.MULTILINE)
EQUATION = re.compile(r"\(([DCNAE][0-9]+(?:\.[0-9]+)?)\)")
FILE = re.compile(r"`(acai/[\w/]+\.(?:py|toml))`")
LINK = re.compile(r"\]\((?:\.\./)+(README\.md|acai/[\w/.]+|[0-9]{2}_\w+\.ipynb)(?:#[^)]*)?\)")


def relinked(text: str, package: Path, equations: set[str]) -> str:
    """Rewrite the links of a text; equations and source files that it only mentions become links, too.

    Parameters
    ----------
    text : str
        A cell of Markdown.
    package : Path
        The folder of the package `acai`.
    equations : set of str
        The numbers of the equations that the page has.
    """
    def with_equation(match: re.Match[str]) -> str:
        number = match[1]
        return f"[({number})]({EQUATIONS}#{number})" if number in equations else match[0]

    def with_file(match: re.Match[str]) -> str:
        return f"[{match[0]}]({page_of(match[1])})" if (package.parent / match[1]).is_file() else match[0]

    def with_page(match: re.Match[str]) -> str:
        if match[1].endswith(".ipynb"):  # in a course, all notebooks are in one folder
            return f"]({match[1]})"
        return f"]({EQUATIONS if match[1] == 'README.md' else page_of(match[1])})"

    pieces = KEPT.split(text)  # every second one is code, mathematics or a link
    for k, piece in enumerate(pieces):
        if k % 2 == 0:
            pieces[k] = EQUATION.sub(with_equation, piece)
        elif piece.startswith("`"):
            pieces[k] = FILE.sub(with_file, piece)
        else:
            pieces[k] = LINK.sub(with_page, piece)
    return "".join(pieces)


def page_of(path: str) -> str:
    """Name the page that shows a file or a folder of the code: `code/nn/conv.html` for `acai/nn/conv.py`."""
    return path.replace("acai/", "code/", 1).removesuffix("/").removesuffix(".py") + ".html"


def pages_in(text: str) -> set[str]:
    """Return the pages of code that a text links to."""
    return set(re.findall(r"\]\((code/[\w/.]+\.html)\)", text))


def code_page(page: str, package: Path) -> str:
    """Write a page that shows a source file, or all files of a folder."""
    path = package / page.removeprefix("code/").removesuffix(".html")
    files = sorted(path.glob("*.py")) if path.is_dir() else [path if path.is_file() else path.with_suffix(".py")]
    text = "\n".join(
        (f"# {'-' * 20} {file.relative_to(package.parent).as_posix()}\n\n" if len(files) > 1 else "") + file.read_text("utf-8")
        for file in files
    )
    formatter = HtmlFormatter(full=True, linenos="inline" if len(files) == 1 else False, title=f"acai/{page.removeprefix('code/')}")
    drawn: str = highlight(text, get_lexer_for_filename(files[0].name), formatter)
    return drawn
