"""The course for students: laid out, renewed without the loss of an answer, and the progress that its notebooks show."""

import json
import random
import re
from types import SimpleNamespace

import pytest
from course import HERE
from source_files import python_files

from acai.classroom import course as module
from acai.classroom.course import MANIFEST, START, Course
from acai.classroom.links import relinked
from acai.classroom.merging import merged
from acai.classroom.notebooks import exercise_of, fingerprint, original_folder, read_notebook, source, write_notebook
from acai.classroom.progress import progress
from acai.cli import main
from acai.errors import InputError
from acai.reader.sources import PACKAGE
from acai.teaching.exercises import exercises


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The page of the equations, which takes seconds and has tests of its own, is left out here."""
    page = SimpleNamespace(ids=["C1", "C3", "D1", "D5", "N7.9"], html=lambda: '<p id="C3"></p>')
    monkeypatch.setattr(Course, "_page", page)
    monkeypatch.setattr(module, "code_page", lambda page, package: f"<p>{page}</p>")


@pytest.fixture
def laid_out(tmp_path):
    """A course that has just been handed out."""
    Course(tmp_path).lay_out()
    return tmp_path


def texts(path):
    return [source(cell) for cell in read_notebook(path)["cells"]]


def edit(path, change):
    book = read_notebook(path)
    change(book["cells"])
    write_notebook(path, book)


def code(text, **more):
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": text, **more}


# ------------------------------------------------------------------------------------------------------------- what is laid out


def test_there_are_eight_notebooks_a_start_page_and_no_solution(laid_out):
    names = sorted(path.name for path in laid_out.glob("*.ipynb"))
    assert names[0] == START and len(names) == 9
    solved = {
        fingerprint(source(cell)) for path in (HERE / "solutions").glob("*.ipynb")
        for cell in read_notebook(path)["cells"] if "solution" in cell["metadata"].get("tags", [])
    }
    handed = {fingerprint(text) for name in names for text in texts(laid_out / name)}
    assert len(solved) == len(exercises()) and not solved & handed


def test_every_link_stays_in_the_folder_and_leads_somewhere(laid_out):
    for path in laid_out.glob("*.ipynb"):
        for cell in read_notebook(path)["cells"]:
            for link in re.findall(r"\]\(([^)]+)\)", source(cell)) if cell["cell_type"] == "markdown" else ():
                file = link.partition("#")[0]
                assert link.startswith("https://") or ((laid_out / file).is_file() and ".." not in file), (path.name, link)


def test_equations_lead_to_the_page_and_formulas_and_code_stay_as_they_are():
    text = r"By (C3), `f(C3)` and $x (C3)$, see [a](../README.md#part-c), `acai/cf/svd.py`, [b](../acai/nn), (C99), [(C1)](x)."
    assert relinked(text, PACKAGE, {"C3", "C1"}) == (
        r"By [(C3)](equations.html#C3), `f(C3)` and $x (C3)$, see [a](equations.html), [`acai/cf/svd.py`](code/cf/svd.html), "
        r"[b](code/nn.html), (C99), [(C1)](x)."
    )


def test_the_start_page_lists_the_notebooks_with_their_questions(laid_out):
    first = texts(laid_out / START)[0]
    assert "* [02 · Neighbours](02_neighbours.ipynb): who is like you, and what do they think of" in first


def test_nothing_has_been_tried_yet(laid_out):
    found = progress(laid_out)
    assert not found.said and not found.unreadable
    assert repr(found).endswith(f"0 of {len(exercises())} exercises are solved.")


# ------------------------------------------------------------------------------------------------------------------ again


def test_a_second_time_nothing_is_touched(laid_out):
    before = {path: path.stat().st_mtime_ns for path in laid_out.rglob("*") if path.is_file() and path.name != MANIFEST}
    again = Course(laid_out)
    again.lay_out()
    assert not again.new and not again.renewed and not again.kept
    assert before == {path: path.stat().st_mtime_ns for path in before}


def newer(monkeypatch, change):
    """Make acai hand out notebooks in which every cell's text has been changed."""
    before = module.read_notebook
    ours = str(original_folder())

    def read(path):
        book = before(path)
        if not str(path).startswith(ours):
            return book
        return {**book, "cells": [cell for old in book["cells"] for cell in change(old)]}

    monkeypatch.setattr(module, "read_notebook", read)


def test_a_newer_version_renews_what_is_untouched_and_keeps_answers(laid_out, monkeypatch):
    path = laid_out / "02_neighbours.ipynb"

    def answer(cells):
        k = next(k for k, cell in enumerate(cells) if exercise_of(cell) == "02-pearson")
        cells[k]["source"] = ["def pearson(r_u, r_v):\n", "    return 0.5  # mine\n", "check('02-pearson', pearson)"]
        cells.insert(k, code("helper = 1"))
        cells.insert(1, code("import math  # my own"))
        del cells[-1]

    edit(path, answer)
    newer(monkeypatch, lambda cell: [{**cell, "source": source(cell).replace("the", "THE")}])
    again = Course(laid_out)
    again.lay_out()
    after = texts(path)
    assert "02_neighbours.ipynb" in again.renewed
    k = next(k for k, text in enumerate(after) if "return 0.5  # mine" in text)
    assert after[k - 1] == "helper = 1" and "THE taste" not in after[k] and after.count("helper = 1") == 1
    assert after[1] == "import math  # my own"
    assert "two equations from part C of THE" in "".join(after)
    assert not [text for text in after if "def pearson" in text and "return 0.5" not in text]  # the blank is gone
    assert texts(laid_out / "01_the_problem.ipynb") != after


def test_files_that_somebody_has_changed_are_kept_and_others_come_back(laid_out):
    (laid_out / "equations.html").write_text("my notes")
    (laid_out / "03_singular_values.ipynb").write_text("{ half a file")
    (laid_out / "04_descent.ipynb").unlink()
    again = Course(laid_out)
    again.lay_out()
    assert again.kept == ["03_singular_values.ipynb", "equations.html"] and again.new == ["04_descent.ipynb"]
    assert (laid_out / "equations.html").read_text() == "my notes"
    assert (laid_out / "03_singular_values.ipynb").read_text() == "{ half a file"


@pytest.mark.parametrize("manifest", ["", "[]", '{"files": 3, "cells": {}}', None])
def test_without_its_manifest_everything_that_differs_is_kept(laid_out, manifest):
    edit(laid_out / "02_neighbours.ipynb", lambda cells: cells.insert(0, code("mine = 1")))
    (laid_out / "equations.html").write_text("my notes")
    (laid_out / MANIFEST).unlink() if manifest is None else (laid_out / MANIFEST).write_text(manifest)
    Course(laid_out).lay_out()
    after = texts(laid_out / "02_neighbours.ipynb")
    assert after[0] == "mine = 1" and len(after) == len({*after}) and (laid_out / "equations.html").read_text() == "my notes"


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_edited_and_whatever_is_new_no_answer_is_lost(seed):
    rng = random.Random(seed)
    old = [code(f"old {k}" if k % 3 else f"check('99-e{k}', old)", id=f"i{k}") for k in range(12)]
    handed = {fingerprint(source(cell)) for cell in old}
    theirs, mine = [dict(cell) for cell in old], []
    for n in range(rng.randrange(8)):
        k, text = rng.randrange(len(theirs)), f"mine {n}"
        deed = rng.randrange(4)
        if deed == 0:
            theirs.insert(k, code(text, id=rng.choice(["", f"i{k}", f"x{n}"])))
        elif deed == 1:
            theirs[k] = {**theirs[k], "source": text}
        elif deed == 2:
            theirs[k] = {**theirs[k], "source": [f"check('99-e{3 * rng.randrange(4)}', {n})  # {text}"]}
        else:
            theirs.insert(k, theirs.pop(rng.randrange(len(theirs))))
    new = [cell if rng.random() < 0.6 else {**cell, "source": source(cell) + "  # newer"} for cell in old if rng.random() < 0.9]
    new.insert(rng.randrange(len(new)), code("brand new", id="new"))
    result = merged(theirs, new, handed | {fingerprint(source(cell)) for cell in new})
    mine = [source(cell) for cell in theirs if fingerprint(source(cell)) not in handed]
    assert sorted(text for text in map(source, result) if "mine" in text) == sorted(mine)
    assert len({cell["id"] for cell in result}) == len(result)
    again = merged(result, new, handed | {fingerprint(source(cell)) for cell in new})
    assert sorted(map(source, again)) == sorted(map(source, result))
    for cell in new:  # and what is new is there, unless an answer or a changed cell has taken its place
        replaced = exercise_of(cell) in {exercise_of(x) for x in theirs} or any(x.get("id") == cell["id"] for x in theirs)
        assert source(cell) in map(source, result) or replaced


# ------------------------------------------------------------------------------------------------------------ the commands


def test_the_commands_say_what_they_did(tmp_path, capsys):
    main(["course", str(tmp_path / "c")])
    printed = capsys.readouterr().out
    assert printed.startswith("computing the examples for the equations") and "new: 00_start.ipynb, 01_the_problem.ipynb" in printed
    main(["course", str(tmp_path / "c")])
    assert "everything is as it should be" in capsys.readouterr().out
    main(["progress", str(tmp_path / "c")])
    assert capsys.readouterr().out.startswith("· 01-long-tail  ")


@pytest.mark.parametrize("command", ["course", "progress"])
def test_a_file_is_no_place_for_a_course(tmp_path, command, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit):
        main([command, str(tmp_path / "file")])
    assert "expected a folder" in capsys.readouterr().err.replace("is no folder; expected one", "expected a folder")


def test_a_language_without_notebooks_is_refused(tmp_path):
    with pytest.raises(InputError, match="no language 'xx'"):
        Course(tmp_path, "xx").lay_out()


# ------------------------------------------------------------------------------------------------------------- progress


def test_progress_is_what_check_said_last(tmp_path):
    said = lambda text: {"output_type": "execute_result", "data": {"text/plain": text}}
    cells = [
        code("", outputs=[said("✓ 02-pearson: right.")]),
        code("", outputs=[said(["✓ 02-predict: right."]), {"text": ["✗ 02-shrinkage: it is\n", "turned"]}]),
        code("", outputs=[said("✗ 02-predict: you forgot κ"), "odd", {"data": 3}, said("✓ 99-unknown: right.")]),
        code("", outputs="odd"),
    ]
    write_notebook(tmp_path / "02_neighbours.ipynb", {"cells": cells, "nbformat": 4, "metadata": {}})
    (tmp_path / "03_x.ipynb").write_text("nothing")
    (tmp_path / "notes.ipynb").write_text(json.dumps({"cells": [code("", outputs=[said("✓ 02-shrinkage: right.")])]}))
    found = progress(tmp_path)
    assert found.said == {"02-pearson": "", "02-predict": "you forgot κ", "02-shrinkage": "it is"}
    assert found.solved == ["02-pearson"] and "03_x.ipynb is no notebook" in found.unreadable[0]
    assert "1 of" in repr(found) and "✗ 02-predict" in repr(found)
    assert "<td" in found._repr_html_() and "03_x.ipynb" in found._repr_html_()


def test_copies_that_jupyter_leaves_are_no_part_of_the_project(tmp_path):
    for name in ("a.py", "b/c.py", ".ipynb_checkpoints/a-checkpoint.py", "b/.ipynb_checkpoints/c-checkpoint.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.relative_to(tmp_path).as_posix() for path in python_files(tmp_path)] == ["a.py", "b/c.py"]
