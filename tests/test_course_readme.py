"""The page for teachers: its example works as it stands, and what it lists exists."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from own_exercises import registries_put_back

from acai.cli import COMMANDS
from acai.reader.sources import PACKAGE
from acai.teaching import bugs
from acai.teaching.exercises import check, exercises, hint, load

PAGE = PACKAGE.parent / "notebooks" / "README.md"
if not PAGE.exists():
    PAGE = Path(__file__).parents[1] / "notebooks" / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def my_course(tmp_path):
    toml = [text for kind, text in BLOCKS if kind == "toml"]
    (tmp_path / "median.toml").write_text(toml[0], encoding="utf-8")
    (tmp_path / "bugs.toml").write_text(toml[1], encoding="utf-8")
    (tmp_path / "de.toml").write_text(toml[2], encoding="utf-8")
    (tmp_path / "median.py").write_text(next(text for kind, text in BLOCKS if kind == "python"), encoding="utf-8")
    with registries_put_back():
        yield tmp_path


def test_the_exercise_of_the_page_follows_its_own_rules(my_course):
    assert load(my_course) == ["09-median"]
    assert "Leave out the gaps" in hint("09-median")
    assert not check("09-median", lambda r: ...).ok and check("09-median", np.nanmedian).ok
    says = exercises("09")[0].says
    assert check("09-median", np.median).hint == says["gaps"]
    assert check("09-median", np.nanmean).hint == says["mean"]
    assert check("09-median", lambda r: np.sort(r)[(np.sum(~np.isnan(r)) - 1) // 2]).hint == says["lower"]
    assert bugs.find("Linear: dW, turned").broken()


def test_the_commands_and_notebooks_of_the_page_exist():
    text = PAGE.read_text(encoding="utf-8")
    assert {name for name in re.findall(r"`acai (\w+)", text)} <= {*COMMANDS}
    names = set(re.findall(r"`([0-9]{2}-[\w-]+)`", text)) | set(re.findall(r'\("([0-9]{2}-[\w-]+)"', text))
    assert {name for name in names if not name.startswith("09")} <= {task.name for task in exercises()}
    for kind, block in BLOCKS:
        assert kind != "toml" or tomllib.loads(block)


def test_its_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / link).exists(), link
