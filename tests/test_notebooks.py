"""The course as it is committed: it is what its sources say, it shows its outputs, and it runs from scratch."""

import re
import warnings

import nbformat
import pytest
from course import BUILD, HERE

from acai.teaching.exercises import exercises

BOOKS = [(source, solved) for source in BUILD.sources() for solved in (False, True)]
NAMES = [f"{source.stem}{' (solved)' if solved else ''}" for source, solved in BOOKS]
every_book = pytest.mark.parametrize(("source", "solved"), BOOKS, ids=NAMES)


def committed(source, solved):
    return nbformat.read(BUILD.target(source, solved), as_version=4)


def shown(cell):
    """All text that a cell shows."""
    return "\n".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)


def test_there_are_notebooks_and_none_that_has_no_source():
    assert len(BOOKS) >= 8
    made = {BUILD.target(source, solved) for source, solved in BOOKS}
    assert made == {*HERE.glob("*.ipynb"), *(HERE / "solutions").glob("*.ipynb")}


@every_book
def test_it_is_what_its_source_says(source, solved):
    def content(cells):
        return [(cell.cell_type, cell.id, cell.source, cell.metadata.get("tags", [])) for cell in cells]

    assert content(committed(source, solved).cells) == content(BUILD.notebook(source, solved).cells)


@every_book
def test_it_is_small_and_shows_its_outputs(source, solved):
    assert BUILD.target(source, solved).stat().st_size < 1_500_000
    book = committed(source, solved)
    assert "widgets" not in book.metadata
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 4
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert not [o for o in outputs if "widget-view" in str(o.get("data", {}).keys())]


@every_book
def test_every_picture_is_described_for_readers_who_cannot_see_it(source, solved):
    book = committed(source, solved)
    metadata = [o.metadata for cell in book.cells for o in cell.get("outputs", ()) if "image/png" in o.get("data", {})]
    described = BUILD.pictures(source)
    assert [each["image/png"]["alt"] for each in metadata] == described
    assert len({*described}) == len(described) and all(text.endswith(".") and len(text) > 60 for text in described)
    for cell in book.cells:  # in Markdown, it stands between the brackets
        assert not re.search(r"!\[\s*\]|<img(?![^>]*alt=[\"'][^\"'])", cell.source)


def test_a_picture_without_a_description_stops_the_build():
    output = nbformat.v4.new_output("display_data", {"image/png": ""})
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])])
    with pytest.raises(SystemExit, match="1 pictures have 0 descriptions"):
        BUILD.describe(book, [])
    assert BUILD.describe(book, ["A dot."]).cells[0].outputs[0].metadata == {"image/png": {"alt": "A dot."}}


@every_book
def test_exercises_are_blank_in_one_and_solved_in_the_other(source, solved):
    names = [cell.name for cell in BUILD.cells(source) if cell.kind == "exercise"]
    assert len(names) >= 3 and all(name.startswith(source.name[:2] + "-") for name in names)
    kind = "solution" if solved else "exercise"
    said = [shown(cell) for cell in committed(source, solved).cells if kind in cell.metadata.get("tags", [])]
    assert [s.split()[:2] for s in said] == [["✓" if solved else "✗", f"{name}:"] for name in names]


@every_book
def test_it_lists_its_exercises_first_and_names_them_in_that_order(source, solved):
    book = committed(source, solved)
    listed = [task.name for task in exercises(source.name[:2])]
    first = next(cell for cell in book.cells if cell.cell_type == "code")
    assert [line.split()[0] for line in shown(first).splitlines()[-len(listed) :]] == listed
    text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert re.findall(r"^##+ Exercise `([\w-]+)` \(", text, re.MULTILINE) == listed
    assert [cell.name for cell in BUILD.cells(source) if cell.kind == "exercise"] == listed


@every_book
def test_a_slider_is_announced_and_prints_nothing(source, solved):
    said = ""
    for cell in committed(source, solved).cells:
        said = cell.source if cell.cell_type == "markdown" else said
        if "slider" in cell.metadata.get("tags", []):
            assert "notebook that runs" in said and cell.source.endswith(";")


@every_book
def test_its_links_lead_somewhere(source, solved):
    folder = BUILD.target(source, solved).parent
    for cell in committed(source, solved).cells:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", cell.source) if cell.cell_type == "markdown" else ():
            assert link.startswith("https://") or (folder / link).exists(), link


@every_book
def test_it_opens_with_a_question_and_ends_with_what_to_read_next(source, solved):
    text = [cell.source for cell in committed(source, solved).cells if cell.cell_type == "markdown"]
    assert re.match(rf"# {source.name[:2]} · .+\n\n\*\*The question:\*\* [^?]+\?", text[0])
    assert "## What to read next" in text[-1]


@pytest.mark.notebook
@every_book
def test_it_runs_from_scratch(source, solved):
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # of Jupyter's own machinery
        book = BUILD.run(BUILD.notebook(source, solved))  # raises what a cell raises
    assert any(cell.get("outputs") for cell in book.cells)


# ------------------------------------------------------------------------------------------------------------- the builder

SOURCE = '''# %% [markdown]
# # 99 · Title
# See [it](../README.md).
#
# More.

# %%
x = 1

# %% exercise="99-one"
y = ...

# %% solution="99-one"
y = x

# %% slider
print(y)
'''


def written(tmp_path, text):
    (tmp_path / "99_x.py").write_text(text)
    return tmp_path / "99_x.py"


def test_one_source_makes_both_versions(tmp_path):
    source = written(tmp_path, SOURCE)
    blank, solved = (BUILD.notebook(source, kind) for kind in (False, True))
    assert [cell.source for cell in blank.cells[1:]] == ["x = 1", "y = ...", "print(y)"]
    assert [cell.source for cell in solved.cells[1:]] == ["x = 1", "y = x", "print(y)"]
    assert blank.cells[0].source == "# 99 · Title\nSee [it](../README.md).\n\nMore."
    assert "[it](../../README.md)" in solved.cells[0].source  # it stands one folder deeper
    assert [cell.metadata.get("tags") for cell in solved.cells[1:]] == [None, ["solution"], ["slider"]]
    nbformat.validate(blank)


@pytest.mark.parametrize("flaw", ['# %% exercise=99-one\n', '# %% solution="99-two"\n', "# %% [raw]\n", "# %% slidr\n"])
def test_a_flaw_in_a_source_stops_the_build(tmp_path, flaw):
    with pytest.raises(SystemExit, match=r"99_x\.py"):
        BUILD.notebook(written(tmp_path, SOURCE + "\n" + flaw), solved=False)


@every_book
def test_no_line_of_code_is_longer_than_a_hundred_characters(source, solved):
    lines = [line for cell in BUILD.notebook(source, solved).cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert [line for line in lines if len(line) > 100] == []
