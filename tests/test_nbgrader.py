"""With nbgrader itself, where it is installed (the extra "nbgrader"): `require` gives blanks nothing and solutions full marks."""

import json
import os
import sys
from pathlib import Path

import pytest
from course import BUILD

from acai.reader.sources import PACKAGE

pytest.importorskip("nbgrader")

TEST = 'from acai.teaching.exercises import require\n\nrequire("02-shrinkage", shrink)'


def cell(number, text, **flags):
    none = dict.fromkeys(("grade", "solution", "locked", "task"), False)
    nbgrader = none | {"schema_version": 3, "grade_id": f"c{number}"} | flags
    return {
        "cell_type": "code", "id": f"c{number}", "metadata": {"nbgrader": nbgrader}, "outputs": [], "execution_count": None,
        "source": text,
    }


def assignment(kind):
    """Three cells: the imports, the answer, and a locked test that calls `require`."""
    cells = BUILD.cells(BUILD.sources("02")[0])
    answer = next(each.text for each in cells if (each.kind, each.name) == (kind, "02-shrinkage"))
    book = [
        cell(0, "import numpy as np", locked=True),
        cell(1, answer.split("check(")[0].strip(), solution=True),
        cell(2, TEST, grade=True, locked=True, points=3),
    ]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return json.dumps({"cells": book, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.notebook
@pytest.mark.filterwarnings("default")  # of Jupyter's own machinery, and of nbgrader's database
def test_blanks_get_nothing_and_solutions_full_marks(tmp_path, monkeypatch):
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))  # it starts Alembic
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    config.ClearSolutions.enforce_metadata = False
    for place, kind in (("source/.", "exercise"), ("submitted/blank", "exercise"), ("submitted/solved", "solution")):
        file = Path(tmp_path, place, "ps1", "one.ipynb")
        file.parent.mkdir(parents=True)
        file.write_text(assignment(kind), encoding="utf-8")
    api = NbGraderAPI(config=config)
    assert api.generate_assignment("ps1")["success"]
    for student in ("blank", "solved"):
        result = api.autograde("ps1", student)
        assert result["success"], result["log"]
    scores = {student: api.get_submission("ps1", student)["score"] for student in ("blank", "solved")}
    assert scores == {"blank": 0, "solved": 3}
