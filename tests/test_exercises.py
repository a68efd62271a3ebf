"""What all exercises share: names, hints in steps, verdicts that notebooks display, and the comparison of answers."""

import ast
import inspect
from pathlib import Path
from string import Formatter

import numpy as np
import pytest

from acai.errors import InputError
from acai.teaching.exercises import COMMON, Hint, Verdict, check, exercises, hint, network
from acai.teaching.exercises.calling import call
from acai.teaching.exercises.checking import CHECKS, expect
from acai.teaching.exercises.wrong import Wrong


def test_an_unknown_exercise_is_an_error_that_lists_those_that_exist():
    with pytest.raises(InputError, match="02-pearson"):
        check("02-peerson", None)


def test_what_an_answer_raises_becomes_a_hint_with_its_line(tmp_path):
    code, namespace = "def f(s, n, beta):\n    return s * m\n", {}
    (tmp_path / "cell.py").write_text(code)
    exec(compile(code, tmp_path / "cell.py", "exec"), namespace)
    verdict = check("02-shrinkage", namespace["f"])
    assert not verdict.ok
    assert verdict.hint == "it stops with NameError: name 'm' is not defined (in line 2 of the cell: `return s * m`)"
    assert "takes 1 positional argument" in check("02-shrinkage", lambda s: s).hint


def test_the_function_itself_is_asked_for():
    assert "without brackets" in check("02-shrinkage", 0.5).hint


def test_an_answer_must_leave_what_it_gets_as_it_is():
    def in_place(s, n, beta):
        s *= n / (n + beta)
        return s

    assert "changes argument 1 in place" in check("02-shrinkage", in_place).hint


def test_words_instead_of_numbers_and_wrong_shapes_are_named():
    assert "it returns a str; expected an array of shape (9,)" in check("02-shrinkage", lambda s, n, beta: "s").hint
    assert "it returns a single number" in check("02-shrinkage", lambda s, n, beta: 1.0).hint
    assert "look for a division by zero" in check("02-shrinkage", lambda s, n, beta: np.full(9, np.inf)).hint


def test_hints_come_in_steps_and_then_again():
    task = next(task for task in exercises() if task.name == "02-predict")
    steps = [hint("02-predict") for _ in range(len(task.hints) + 1)]
    assert [step.split(": ", 1)[1] for step in steps] == [*task.hints, task.hints[0]]
    assert steps[0].startswith("Hint 1 of 3 for 02-predict: ") and steps[-1] == steps[0]


def test_names_hints_and_titles_are_complete():
    for task in exercises():
        assert task.name[:2].isdigit() and task.name[2] == "-" and 0 < task.minutes <= 240
        assert 2 <= len(task.hints) <= 4 and all(h.strip() for h in task.hints) and task.title
    names = [task.name for task in exercises()]
    assert len(set(names)) == len(names) and [name[:2] for name in names] == sorted(name[:2] for name in names)


def test_verdicts_hints_and_lists_show_themselves_in_a_notebook():
    verdict = check("02-shrinkage", lambda s, n, beta: "<b>")
    assert repr(verdict).startswith("✗ 02-shrinkage: it returns a str") and "border-left" in verdict._repr_html_()
    assert repr(check("02-shrinkage", lambda s, n, beta: s * n / (n + beta))) == "✓ 02-shrinkage: right."
    html = Verdict(False, "is a < b? `a & b`", exercises("02")[0])._repr_html_()
    assert "is a &lt; b? <code>a &amp; b</code></div>" in html
    assert Hint("use `np.nan`")._repr_html_().endswith("use <code>np.nan</code></div>")
    table = exercises("02")
    assert ">02-pearson</td>" in table._repr_html_() and "15 min" in repr(table)


def told(function, *arguments):
    """What is wrong, in words."""
    with pytest.raises(Wrong) as wrong:
        function(*arguments)
    return wrong.value.in_words(COMMON)


def test_usual_mistakes_are_named_and_unusual_ones_are_shown():
    assert told(expect, 1.0, 2.0, {"half of it": 1.0}, "two") == "half of it"
    assert told(expect, 1.5, 2.0, {"half of it": 1.0}, "two") == "for two it gives 1.5; expected 2."
    assert told(expect, [[1, 2], [9, 4]], [[1, 2], [3, 4]], {}, "a table").endswith("9 at [1, 0]; expected 3.")
    expect(np.float32(0.1), 0.1, {}, "rounding is no mistake")


def test_nan_stands_for_any_result_with_a_nan_in_it():
    assert told(expect, [1.0, np.nan], [1.0, 2.0], {"gaps left": np.nan}, "two songs") == "gaps left"
    assert "division by zero" in told(expect, [1.0, np.inf], [1.0, 2.0], {"gaps left": np.nan}, "two songs")


def test_a_result_is_required():
    for nothing in (None, ..., (1, ...), [..., ...], [None, None]):
        assert "returns nothing yet" in told(call, lambda nothing=nothing: nothing)
    assert "number 2 of the 3 things it returns is None" in told(call, lambda x: [x + 1, None, 2], 1)
    assert "whichever way is taken" in told(call, lambda x: 3 if x > 1 else None, 1)
    assert call(lambda x: x + 1, 1) == 2


# ------------------------------------------------------------------------------- keys in the code, sentences in the text files

NO_KEYS = {"x", "W", "b", "O", "C", "kernel", "stride", "padding"}  # arrays, and what layers are made with


def test_every_common_sentence_is_used():
    exercises_folder = Path(inspect.getfile(network)).parent
    folders = (exercises_folder, exercises_folder.parents[1] / "classroom")
    code = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.py"))
    assert [key for key in COMMON if f'"{key}"' not in code] == []


def test_every_exercise_has_a_check_and_every_check_an_exercise():
    assert sorted(CHECKS) == sorted(task.name for task in exercises())


@pytest.mark.parametrize("task", exercises(), ids=lambda task: task.name)
def test_every_key_has_its_sentence_and_every_sentence_its_key(task):
    code = ast.parse(inspect.getsource(CHECKS[task.name]))
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    module = inspect.getmodule(CHECKS[task.name])
    helpers = [getattr(module, call.func.id, None) for call in calls if call.func.id.startswith("_")]
    nodes = [*ast.walk(code), *(node for helper in helpers for node in ast.walk(ast.parse(inspect.getsource(helper))))]
    constants = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {key.value for node in ast.walk(code) if isinstance(node, ast.Dict) for key in node.keys if key is not None}
    given = {keyword.arg for call in calls for keyword in call.keywords} | named
    places = {place.split(".")[0] for says in task.says.values() for _, place, _, _ in Formatter().parse(says) if place}
    first = {call.args[0].value for call in calls if call.func.id == "Wrong" and isinstance(call.args[0], ast.Constant)}
    cases = {call.args[3].value for call in calls if call.func.id == "expect" and len(call.args) > 3}
    keys = (named - places - NO_KEYS) | first | cases
    assert sorted(keys - {*task.says, *COMMON}) == [], "keys without a sentence"
    constants |= {"case", *network.CULPRITS.values(), *network.INNOCENT} if task.name == "06-prints" else {"case"}
    own = {key for key in task.says if key.startswith("error-")}  # what an error means in this exercise, instead of in any
    assert sorted({*task.says} - constants - own) == [], "sentences without a key"
    assert sorted(places - given) == [], "places that nothing is given for"
    assert {*task.says} & {*COMMON} == own, "one key, two sentences"
