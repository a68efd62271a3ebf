"""Build the notebooks from their sources, and run them so that their outputs can be committed.

    python notebooks/build.py          all of them
    python notebooks/build.py 02 05    these
    python notebooks/build.py --language de    those that are translated, into `de/`; lists what has no translation

Each source, `source/NN_name.py`, becomes two notebooks: `NN_name.ipynb` with blanks, `solutions/NN_name.ipynb` with solutions.
A source is Python, divided into cells:

    # %% [markdown]                text; every line begins with "# "
    # %%                           code
    # %% exercise="02-pearson"     a blank: a stub, and the call of `check`; it may use the names of the first code cell only
    # %% solution="02-pearson"     right after it: what takes its place in the solved notebook
    # %% slider                    code that shows a slider: it runs, but its output is left out (there is a picture before it)

What is to be seen on each picture, for readers who cannot see it, is in `source/pictures.toml`.
"""

import os
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.insert(0, str(Path(__file__).parent))
from translating import Translation, one_line

HERE = Path(__file__).parent
HEADER = re.compile(r'# %%(?: (?P<kind>\[markdown\]|slider|(?:exercise|solution)="(?P<name>[\w-]+)"))?')


@dataclass(frozen=True)
class Cell:
    """A piece of a source: its kind ("markdown", "code", "exercise", "solution", "slider"), the exercise's name, the text."""

    kind: str
    name: str
    text: str


def sources(*numbers: str) -> list[Path]:
    """Return all sources, or those with the given numbers."""
    found = sorted((HERE / "source").glob("[0-9][0-9]_*.py"))
    return [path for path in found if not numbers or path.name[:2] in numbers]


def cells(source: Path) -> list[Cell]:
    """Split a source into its cells."""
    found: list[Cell] = []
    for block in re.split(r"^(?=# %%)", source.read_text(encoding="utf-8"), flags=re.MULTILINE):
        head, _, text = block.partition("\n")
        if not block.strip():
            continue
        match = HEADER.fullmatch(head.rstrip())
        if match is None:
            raise SystemExit(f"{source.name}: {head!r} is not the header of a cell; see the top of {Path(__file__).name}")
        kind = (match["kind"] or "code").partition("=")[0].strip("[]")
        if kind == "markdown":
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.strip().splitlines())
        if kind == "solution" and (found[-1].kind, found[-1].name) != ("exercise", match["name"]):
            raise SystemExit(f"{source.name}: the solution of {match['name']} does not follow its exercise")
        found.append(Cell(kind, match["name"] or "", text.strip()))
    return found


def notebook(source: Path, solved: bool, translation: Translation | None = None) -> nbformat.NotebookNode:
    """Build the notebook without outputs, with the solutions in place of the exercises or with the exercises."""
    is_deeper = solved or translation is not None  # in a folder of its own
    left_out = "exercise" if solved else "solution"
    made = []
    found = [cell for cell in cells(source) if cell.kind != left_out]
    for number, cell in enumerate(found if translation is None else translation.cells(found)):
        if cell.kind == "markdown":
            text = cell.text.replace("](../", "](../../") if is_deeper else cell.text
            if translation is not None:  # the other notebooks need not be translated
                text = re.sub(r"\]\(([0-9]{2}_\w+\.ipynb)", r"](../\1", text)
            made.append(new_markdown_cell(text, id=f"cell-{number}"))
        else:
            tags = {} if cell.kind == "code" else {"tags": [cell.kind]}
            made.append(new_code_cell(cell.text, id=f"cell-{number}", metadata=tags))
    names = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return new_notebook(cells=made, metadata=names | {"language_info": {"name": "python"}})


def run(book: nbformat.NotebookNode, seconds: int = 90) -> nbformat.NotebookNode:
    """Run it from scratch, in place; an exception in a cell is raised here. Nothing that changes from run to run is saved."""
    metadata = dict(book.metadata)
    path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = ["--Application.log_level=40"]  # otherwise the kernel warns about its own transport
    where = {"metadata": {"path": str(HERE)}}
    client = NotebookClient(  # printed lines arrive in arbitrary pieces; they are joined, or each run would differ
        book, timeout=seconds, record_timing=False, coalesce_streams=True, resources=where, extra_arguments=quiet
    )
    client.execute(env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    book.metadata = nbformat.from_dict(metadata)  # without the state of sliders, and the version of Python
    for cell in book.cells:
        if "slider" in cell.metadata.get("tags", []):
            cell.outputs = []
    return book


def pictures(source: Path, translation: Translation | None = None) -> list[str]:
    """Return what is to be seen on the pictures of a notebook, in their order."""
    texts = tomllib.loads((HERE / "source" / "pictures.toml").read_text(encoding="utf-8"))[source.stem]
    return [one_line(text if translation is None else translation.text(text)).replace("`", "") for text in texts]


def describe(book: nbformat.NotebookNode, texts: list[str]) -> nbformat.NotebookNode:
    """Add its text to each picture of a notebook, where nbconvert and screen readers find it; in place."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})]
    if len(outputs) != len(texts):
        raise SystemExit(f"{len(outputs)} pictures have {len(texts)} descriptions in source/pictures.toml; expected one for each")
    for output, text in zip(outputs, texts):
        output.metadata["image/png"] = {"alt": text}
    return book


def target(source: Path, solved: bool, language: str = "") -> Path:
    """Return the path of the notebook of this source."""
    return HERE / (language or ("solutions" if solved else "")) / f"{source.stem}.ipynb"


def main(numbers: list[str]) -> None:
    language = numbers[1] if numbers[:1] == ["--language"] else ""
    for source in sources(*(numbers[2:] if language else numbers)):
        if language:
            build_translated(source, language)
        else:
            for solved in (False, True):
                write(describe(run(notebook(source, solved)), pictures(source)), target(source, solved))


def build_translated(source: Path, language: str) -> None:
    """Build a notebook in another language, if it is translated, and list what is not."""
    translation = Translation(source, language)
    if translation.exists:
        book = run(notebook(source, False, translation))
        write(describe(book, pictures(source, translation)), target(source, False, language))
        for what, found in ("new or changed in English", translation.missing), ("no longer used", translation.stale):
            print(*(f"  {what}: {' '.join(text.split())[:100]}" for text in found), sep="\n", end="\n" if found else "")


def write(book: nbformat.NotebookNode, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    nbformat.write(book, path)
    print(f"{path.relative_to(HERE)}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
