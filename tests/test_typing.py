"""What type checkers see: a program that uses every public name of acai is free of errors."""

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import acai

PROGRAM = Path(__file__).with_name("typing_program.py")
PACKAGES = ["acai", "acai.audio", "acai.cf", "acai.content", "acai.datasets", "acai.evaluation", "acai.gradcheck", "acai.nn",
            "acai.plots", "acai.ratings", "acai.teaching.exercises"]
CONFIG = """
[mypy]
strict = true
follow_imports = silent
[mypy-scipy.*,numba.*,threadpoolctl,joblib,tqdm.*,librosa.*,soundfile,soxr,pooch,h5py,requests]
ignore_missing_imports = true
"""


def checked(command: list[str], folder: Path) -> None:
    """Run a type checker where it finds the acai that is tested."""
    place = Path(acai.__file__).parents[1]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment(place))
    assert run.returncode == 0, run.stdout + run.stderr


def environment(place: Path) -> dict[str, str]:
    """Installed packages are found by themselves; a checkout is named."""
    return dict(os.environ) if "site-packages" in str(place) else os.environ | {"MYPYPATH": str(place), "PYTHONPATH": str(place)}


def test_the_program_uses_every_public_name():
    code = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    attributes = {(ast.unparse(node.value), node.attr) for node in ast.walk(code) if isinstance(node, ast.Attribute)}
    imported = {(node.module, alias.name) for node in ast.walk(code) if isinstance(node, ast.ImportFrom) for alias in node.names}
    for package in PACKAGES:
        short = package.split(".")[-1]
        unused = [name for name in importlib.import_module(package).__all__
                  if (short, name) not in attributes and (package, name) not in imported and ("acai", name) not in imported]
        assert unused == [], package


def test_every_list_of_public_names_is_literal():
    """Type checkers read `__all__` without running the code."""
    for package in PACKAGES:
        tree = ast.parse(Path(importlib.import_module(package).__file__).read_text(encoding="utf-8"))
        (names,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        assert ast.literal_eval(names), package


def test_mypy_finds_nothing_wrong_with_the_program(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed")
    (tmp_path / "mypy.ini").write_text(CONFIG)
    checked([sys.executable, "-m", "mypy", "--config-file", "mypy.ini", str(PROGRAM)], tmp_path)


@pytest.mark.skipif(shutil.which("pyright") is None, reason="pyright is not installed")
def test_pyright_finds_nothing_wrong_with_the_program(tmp_path):
    checked(["pyright", "--pythonpath", sys.executable, str(PROGRAM)], tmp_path)
