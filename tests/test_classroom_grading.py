"""Grading: marks are exact, and nothing that a submission does changes them, or anything outside of its own copy."""

import csv
import json
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from classroom import FORGED, HOSTILE, LETHAL, cell, hand_in, notebook
from own_exercises import registries_put_back

from acai.classroom import grading, roster, wire
from acai.classroom.grading import Limits, Mark, Result, Submission, copy_files, definitions, without_magic
from acai.classroom.results import Results
from acai.cli import main
from acai.ratings import Ratings
from acai.teaching.exercises import load

QUICK = ("02-pearson", "02-predict", "02-shrinkage")
ALL = dict.fromkeys(QUICK, True)
LIMITS = Limits(timeout=30, memory=600)


def marks(result):
    return {name: result.marks[name].ok for name in QUICK}


def everything(folder):
    """All files in a folder, with what is in them."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def outside(tmp_path):
    """Files of the teacher's, next to what was handed in."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious.txt").write_text("precious")
    return tmp_path / "outside"


def test_what_is_hostile_and_survives_changes_no_mark_and_nothing_outside(tmp_path, outside):
    book = notebook(only=QUICK, first=[text.replace("{outside}", str(outside)) for text, _ in HOSTILE.values()])
    book["cells"].append(cell("raise ValueError('the last')"))
    hand_in(tmp_path / "eve", book)
    before = everything(tmp_path)
    result = Submission(tmp_path / "eve", LIMITS).grade()
    assert everything(tmp_path) == before
    assert marks(result) == ALL, result
    for number, (kind, (_, expected)) in enumerate(HOSTILE.items(), 2):  # the first cell is that of the notebook
        note = next((note for note in result.notes if note.startswith(f"cell {number} of")), "")
        assert expected in note and bool(note) == bool(expected), (kind, note)
    assert result.notes[-1].endswith("ValueError: the last")


def test_what_has_to_be_stopped_is_stopped_and_the_rest_is_graded(tmp_path):
    lethal = [LETHAL[kind] for kind in ("never ends and catches everything", "crashes")]  # the others: with -m classroom
    book = notebook(only=QUICK, first=[text for text, _ in lethal])
    hand_in(tmp_path / "eve", book)
    (tmp_path / "eve" / "empty.ipynb").write_text("not JSON")
    started = time.monotonic()
    result = Submission(tmp_path / "eve", Limits(timeout=2, memory=600)).grade()
    assert time.monotonic() - started < 300
    assert marks(result) == ALL
    for number, (_, expected) in enumerate(lethal, 2):
        (note,) = (note for note in result.notes if note.startswith(f"02_neighbours.ipynb, cell {number}: "))
        assert expected in note
    assert any(note.startswith("empty.ipynb is no notebook") for note in result.notes)


def test_what_is_forged_gives_no_mark(tmp_path):
    hand_in(tmp_path / "eve", notebook(kind="exercise", only=QUICK, first=list(FORGED.values())))
    result = Submission(tmp_path / "eve", Limits(timeout=10, memory=600)).grade()
    assert not any(mark.ok for mark in result.marks.values())


def test_blanks_get_nothing_and_answers_that_hang_print_forge_or_return_odd_things_get_their_reason(tmp_path):
    book = notebook(kind="exercise", only=QUICK)
    book["cells"] += [
        cell("def f(s, n, beta):\n    print(1)\ncheck('02-shrinkage', f)"),
        cell("def f(*a):\n    import numpy\n    numpy.allclose = lambda *a, **k: True\n    return 1.0\ncheck('02-predict', f)"),
        cell("%matplotlib inline\n!rm -rf /\ncheck('04-step', lambda w, dw, g, eta, alpha: {1, 2})"),
        cell("check('01-stars', lambda n: n.__iadd__(1))\ncheck('99-nothing', 1)"),
        cell("def f(p, q, r, lam):\n    return undefined\ncheck('04-gradient', f)"),
        cell("class LeakyReLU:\n    def __init__(self, slope=0.1): self.slope = slope\n"
             "    def forward(self, x):\n        self.x = x\n        return np.where(x > 0, x, self.slope * x)\n"
             "    def backward(self, dy): return dy\ncheck('05-leaky-relu', LeakyReLU)"),
        cell("check('06-prints', {'A': 'replaced', 'B': 'replaced', 'C': ...})"),
        cell("def f(*a):\n    while True: pass\ncheck('07-log', f)"),
        cell("def f(R)\n    return R\ncheck('03-filled', f)"),
        cell("f = undefined\ncheck('08-best', f)\n"),
    ]
    hand_in(tmp_path / "bob", book)
    result = Submission(tmp_path / "bob", Limits(timeout=2, memory=600)).grade()
    expected = {
        "02-pearson": "it returns nothing yet", "02-shrinkage": "it prints something", "02-predict": "for s = ",
        "04-step": "it returns a set", "01-stars": "changes argument 1 in place", "04-gradient": "NameError",
        "05-leaky-relu": "dy is unchanged everywhere", "06-prints": "it returns nothing yet",
        "07-log": "had not finished after 2 s",
        "03-filled": "its cell stopped before `check` was called: SyntaxError", "08-best": "`check` was called: NameError",
    }
    assert not any(mark.ok for mark in result.marks.values())
    assert {name: part in result.marks[name].hint for name, part in expected.items()} == dict.fromkeys(expected, True), result.marks
    assert "(in line 2 of the cell: `return undefined`)" in result.marks["04-gradient"].hint
    assert result.marks["01-counts"].hint.startswith("no cell calls `check`")
    assert [note for note in result.notes if note.startswith("no exercise is called 99-nothing: ") and "`--exercises`" in note]


def test_right_layers_are_right_from_afar(tmp_path):
    hand_in(tmp_path / "ann", notebook("05", only=("05-leaky-relu",)))
    for number in ("01", "03", "04", "06", "07", "08"):  # and what notebooks begin with runs in confinement
        hand_in(tmp_path / "ann", notebook(number, only=("06-prints", "07-log")), f"{number}.ipynb")
    result = Submission(tmp_path / "ann", Limits(memory=600)).grade()
    assert not result.notes and result.marks["05-leaky-relu"].ok and result.marks["06-prints"].ok and result.marks["07-log"].ok


FUNCTIONAL = """
import numpy as np
from acai.ratings import Ratings
from acai.teaching.exercises.calling import call
from acai.teaching.exercises.checking import checks, expect

@checks("99-slope")
def check_slope(answer, rng):
    R = Ratings.from_triplets([0, 1], ["a", "b"], [2.0, 3.0])
    x = np.arange(4.0)
    bent = lambda x, by=2: x**by
    found = call(answer, bent, lambda f, x: f(x) + 1, {3: R}, x, parts="slope, more, n, types")
    expect(found[0], 2 * x, {})
    expect(found[1:3], [9.0, 2.0], {})
    assert found[3] == {"int", "float64"}

@checks("99-odd")
def check_odd(answer, rng):
    expect(call(answer, bytearray(3)), 3, {})
"""
FUNCTIONAL_TEXTS = "".join(
    f'[{name}]\ntitle = "t"\nminutes = 1\nhints = ["h"]\n[{name}.says]\ncase = "c"\n' for name in ("99-slope", "99-odd")
)
ANSWERS = """
from acai.teaching.exercises import load
load("a folder that the student has at home")

def slope(f, apply, given, x):
    try:
        f()
    except TypeError:
        pass
    ((number, R),) = given.items()
    types = {type(number).__name__, type(x[0]).__name__}
    return (f(x + 1e-4) - f(x - 1e-4, by=2)) / 2e-4, apply(lambda x: x**3, number - 1), len(R.songs), types

check("99-slope", slope)
check("99-odd", len)
"""


def test_a_check_may_give_functions_and_ratings_to_an_answer_and_what_cannot_be_sent_is_named(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "texts.toml").write_text(FUNCTIONAL_TEXTS)
    (tmp_path / "own" / "checks.py").write_text(FUNCTIONAL)
    hand_in(tmp_path / "ann", {"cells": [cell("from acai.teaching.exercises import check"), cell(ANSWERS)]})
    with registries_put_back():
        load(tmp_path / "own")
        result = Submission(tmp_path / "ann", Limits(memory=600, exercises=str(tmp_path / "own"))).grade()
    assert result.marks["99-slope"].ok, result.marks
    assert result.marks["99-odd"].hint.startswith("not graded: its check gives it a bytearray")


# ------------------------------------------------------------------------------------------------------------------ a class


@pytest.fixture
def classroom(tmp_path, monkeypatch):
    """A class of four, whose grading takes no time: an answer is right if the notebook has the word."""
    n_graded = []

    class Quick(Submission):
        def grade(self):
            n_graded.append(self.folder.name)
            texts = "".join(path.read_text() for path in self.folder.glob("*.ipynb"))
            if "stop" in texts:
                raise KeyboardInterrupt
            notes = [] if texts else ["there is no notebook in the folder."]
            found = {name: Mark(name in texts, "" if name in texts else "=1+1 <b>", 0.5) for name in QUICK} if texts else {}
            return Result(found, notes, 1.25)

    monkeypatch.setattr(roster, "Submission", Quick)
    monkeypatch.setattr(roster.os, "cpu_count", lambda: 1)
    for student, text in {"ann": "02-pearson 02-predict", "=bob": "02-pearson", "cleo <i>": "nothing"}.items():
        hand_in(tmp_path / "class" / student, text)
    (tmp_path / "class" / "dan").mkdir()
    (tmp_path / "class" / ".hidden").mkdir()
    return SimpleNamespace(folder=tmp_path / "class", graded=n_graded)


def test_the_table_csv_json_and_pages_say_the_same(classroom, tmp_path, capsys):
    main(["grade", str(classroom.folder), "--csv", str(tmp_path / "t.csv"), "--json", str(tmp_path / "t.json")])
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in printed.splitlines() if line}
    assert lines["ann"] == ["ann", "✓", "✓", "✗", "2/3", "1.2"] and lines["dan"][1:5] == ["·", "·", "·", "0/3"]
    with open(tmp_path / "t.csv", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert [rows["ann"][name] for name in ("solved", "of", *QUICK)] == ["2", "3", "1", "1", "0"]
    assert rows["'=bob"]["solved"] == "1" and rows["dan"]["notes"] == "there is no notebook in the folder."
    found = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert found["ann"]["exercises"]["02-shrinkage"] == {"ok": False, "hint": "=1+1 <b>", "seconds": 0.5}
    assert found["dan"]["exercises"]["02-shrinkage"]["hint"] == "not handed in."
    page = (tmp_path / "class-graded" / "cleo <i>.html").read_text(encoding="utf-8")
    assert "<h1>cleo &lt;i&gt;</h1>" in page and "0 of 3 exercises are solved." in page and "=1+1 &lt;b&gt;" in page


def test_grading_is_resumed_and_what_has_changed_is_graded_again(classroom, capsys):
    hand_in(classroom.folder / "zoe", "stop")
    with pytest.raises(SystemExit):
        main(["grade", str(classroom.folder)])
    hand_in(classroom.folder / "zoe", "02-pearson")
    classroom.graded.clear()
    main(["grade", str(classroom.folder)])
    assert classroom.graded == ["zoe"]
    table = capsys.readouterr().out.split("1 = ")[-1]
    main(["grade", str(classroom.folder)])
    assert classroom.graded == ["zoe"] and capsys.readouterr().out.split("1 = ")[-1] == table
    hand_in(classroom.folder / "ann", "nothing")
    main(["grade", str(classroom.folder), "--timeout", "61"])  # other limits may give other results
    assert sorted(classroom.graded) == ["=bob", "ann", "cleo <i>", "dan", "zoe", "zoe"]


def test_a_damaged_result_is_not_believed(classroom, capsys):
    main(["grade", str(classroom.folder)])
    for path in (classroom.folder.parent / "class-graded" / ".results").iterdir():
        path.write_text('{"of": 1, "result"')
    classroom.graded.clear()
    main(["grade", str(classroom.folder)])
    assert len(classroom.graded) == 4


@pytest.mark.parametrize(
    "arguments", [["nowhere"], ["empty"], ["class", "--timeout", "0"], ["class", "--memory", "0"], ["class", "--language", "xx"]]
)
def test_what_cannot_be_graded_is_refused(classroom, tmp_path, arguments, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit):
        main(["grade", str(tmp_path / arguments[0]), *arguments[1:]])
    assert capsys.readouterr().err.startswith("acai: ")


def test_what_is_in_no_students_folder_is_named(classroom, capsys):
    (classroom.folder / "eva_02.ipynb").write_text("02-pearson")
    (classroom.folder / "fred.zip").write_bytes(b"")
    (classroom.folder / ".DS_Store").write_bytes(b"")
    (classroom.folder / "link").symlink_to(classroom.folder / "ann")
    main(["grade", str(classroom.folder)])
    printed = capsys.readouterr().out
    assert "passed over: eva_02.ipynb, fred.zip, link; expected a folder per student, with notebooks in it\n" in printed


def test_an_empty_table_is_a_table():
    assert Results().table().strip().startswith("solved") and Results().csv().startswith("student,")


# ------------------------------------------------------------------------------------------------------------------ the parts


def test_links_and_devices_are_not_copied_and_large_folders_are_cut_short(tmp_path, monkeypatch):
    source = tmp_path / "ann"
    (source / "sub").mkdir(parents=True)
    (source / "a").write_text("1234")
    (source / "b").write_text("1234")
    os.symlink(tmp_path, source / "sub" / "link")
    os.symlink("/etc/passwd", source / "c")
    os.mkfifo(source / "pipe")
    monkeypatch.setattr(grading, "LARGEST_COPY", 6)
    notes = copy_files(source, tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").rglob("*")] == ["a"] and "b was left out" in notes[0]
    monkeypatch.undo()
    notes = copy_files(source, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").rglob("*")) == ["a", "b"]
    assert [note.split()[0] for note in notes] == ["c", "pipe"]


def test_of_a_cell_that_was_handed_out_only_imports_and_definitions_are_run():
    assert definitions("import os\nx = slow()\nclass A: y = 1\n%magic").split() == ["import", "os", "class", "A:", "y", "=", "1"]
    assert "slow" not in definitions("import os\nx = slow()") and definitions("no Python") == ""
    assert without_magic("%%bash\nrm") == "" and without_magic("a\n  !rm\nb") == "a\n\nb"


VALUES = [
    None, True, 3, -1.5, "text", ..., [1, (2, "x")], {"a": [None]}, np.arange(6).reshape(2, 3), np.zeros((0, 2)), 1j, (),
    np.array([True]), np.float32(2.5), 10**40, -(2**63), {1: "a", (2, None): {3}}, np.array(["a", "äö"]), np.array(5),
    np.array(["2026-01-01"], "M8[D]"), np.ones((2, 3), ">f4").T, np.array([np.nan, -np.inf, -0.0]), np.bool_(True),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_data_crosses_unchanged(value):
    crossed = wire.decode(json.loads(json.dumps(wire.encode(value, repr))), repr)
    np.testing.assert_equal(crossed, value)
    assert type(crossed) is type(value)
    if isinstance(value, np.ndarray):
        assert crossed.dtype == value.dtype and crossed.flags.f_contiguous == value.flags.f_contiguous and crossed.flags.writeable


def test_ratings_cross_unchanged():
    R = Ratings.from_triplets(["ann", 2, ("b", 1)], [0, 1, 0], [1.5, 2.0, 0.0], times=[3, 4, 5])
    crossed = wire.decode(json.loads(json.dumps(wire.encode(R, repr))), repr)
    assert crossed.users == R.users and crossed.songs == R.songs and (crossed.times == R.times).all()
    for name in ("data", "indices", "indptr"):
        ours, theirs = getattr(crossed.csr, name), getattr(R.csr, name)
        assert ours.dtype == theirs.dtype and (ours == theirs).all()


def test_an_array_under_two_names_stays_one_array():
    a = np.zeros(2)
    x, y = wire.decode(wire.encode([a, a], repr), repr)
    assert x is y


@pytest.mark.parametrize("message", [
    {"array": ["O", [1], "C", ""]}, {"array": ["<f8", [10], "C", "AAAA"]}, {"array": ["<f8", [-1], "C", "!"]}, {"same": 3}, {},
    {"a": 1, "b": 2}, 3, {"array": 3}, {"list": 3}, {"dict": 3}, {"dict": [[{"list": []}, 1]]}, {"dict": [[1]]},
    {"number": ["V9", [], "C", ""]}, {"array": ["(2,)f8,O", [1], "C", ""]}, {"array": ["<f8", [0], "Z", ""]},
    {"integer": "print(1)"}, {"set": [{"dict": []}]}, {"ratings": {"dict": []}}, {"ratings": 3},
])
def test_a_forged_value_is_no_value(message):
    def other(description):
        raise KeyError(description)

    with pytest.raises(wire.BadMessage):
        wire.decode(message, other)


def test_a_forged_message_is_no_message():
    for text in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(wire.BadMessage):
            wire.parse(text)
