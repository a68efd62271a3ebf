"""A class of sixty, graded, stopped on the way and graded again: behind the marker "classroom"."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from classroom import FORGED, HOSTILE, LETHAL, hand_in, notebook

from acai.reader.sources import PACKAGE

QUICK = ("02-pearson", "02-predict", "02-shrinkage")


def write_class(folder, outside):
    """Write sixty submissions; return how many exercises each has solved, and what must be in the notes of some."""
    solved, reasons = {}, {}
    hostile = [(kind, text, reason) for kind, (text, reason) in (HOSTILE | LETHAL).items()]
    for k in range(60):
        name, number = f"student-{k:02}", k % 4
        if k < len(hostile):
            _, text, reason = hostile[k]
            hand_in(folder / name, notebook(only=QUICK, first=[text.replace("{outside}", str(outside))]))
            solved[name], reasons[name] = 3, reason
        elif k < len(hostile) + len(FORGED):
            hand_in(folder / name, notebook(kind="exercise", only=QUICK, first=[[*FORGED.values()][k - len(hostile)]]))
            solved[name] = 0
        elif k == 59:
            hand_in(folder / name, "no notebook")
            solved[name], reasons[name] = 0, "is no notebook"
        elif k == 58:
            (folder / name).mkdir(parents=True)
            solved[name], reasons[name] = 0, "there is no notebook"
        else:
            book = notebook(only=QUICK[:number]) if number else notebook(kind="exercise", only=QUICK)
            hand_in(folder / name, book)
            solved[name] = number
    return solved, reasons


def grade(folder, file):
    command = [sys.executable, "-m", "acai", "grade", str(folder), "--json", str(file), "--timeout", "10", "--memory", "800"]
    env = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.classroom
def test_a_class_of_sixty_is_graded_exactly_and_nothing_else_changes(tmp_path):
    folder, outside = tmp_path / "class", tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").write_text("precious")
    solved, reasons = write_class(folder, outside)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    started = time.monotonic()
    run = grade(folder, tmp_path / "marks.json")
    for _ in range(10):  # and then it is killed
        run.stdout.readline()
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    run = grade(folder, tmp_path / "marks.json")
    printed, _ = run.communicate()
    assert run.returncode == 0 and printed.startswith("1 of 60")
    print(f"{time.monotonic() - started:.0f} s")
    assert before == {path: path.read_bytes() for path in before} and len(list(outside.iterdir())) == 1
    found = json.loads((tmp_path / "marks.json").read_text(encoding="utf-8"))
    assert {name: row["solved"] for name, row in found.items()} == solved
    assert {name: reason in "; ".join(found[name]["notes"]) for name, reason in reasons.items()} == dict.fromkeys(reasons, True)
    assert len(list((tmp_path / "class-graded").glob("*.html"))) == 60
    assert time.monotonic() - started < 600
