"""Exercises, bugs and languages of one's own: loaded from a folder, or refused with what is missing."""

import pytest
from own_exercises import registries_put_back

from acai.errors import InputError
from acai.gradcheck import check as gradient_check
from acai.teaching import bugs
from acai.teaching.exercises import check, exercises, hint, language, load, texts
from acai.teaching.exercises.checking import CHECKS

TEXTS = """
[99-median]
title = "the median of the known ratings"
minutes = 5
hints = ["Leave out the gaps.", "`np.nanmedian` does."]

[99-median.says]
case = "r = {r}"
mean = "that is the mean."
"""
CODE = """
import numpy as np
from acai.teaching.exercises.calling import call
from acai.teaching.exercises.checking import checks, expect

@checks("99-median")
def check_median(answer, rng):
    r = np.array([1.0, 5, 5, np.nan])
    expect(call(answer, r), 5.0, {"mean": np.nanmean(r)}, r=r)
"""
BUG = """
["Linear: dW, turned, my own"]
arrays = "W"
old = "{old}"
new = "self.x.T @ dy"
sentence = "W is (O, D)."
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with one exercise; what it adds is taken away afterwards."""
    (tmp_path / "mine.toml").write_text(TEXTS)
    (tmp_path / "mine.py").write_text(CODE)
    with registries_put_back():
        yield tmp_path
    language("en")


def test_an_exercise_of_your_own_is_checked_like_any_other(folder):
    assert load(folder) == ["99-median"] == load(str(folder))  # a cell may run twice
    assert [task.name for task in exercises("99")] == ["99-median"]
    assert "Leave out the gaps." in hint("99-median")
    assert check("99-median", lambda r: 5).ok
    assert check("99-median", lambda r: 11 / 3).hint == "that is the mean."
    assert "r = [ 1.  5.  5. nan]" in check("99-median", lambda r: 7).hint


def test_it_may_be_translated_in_the_same_folder(folder):
    (folder / "de.toml").write_text('[[text]]\nen = "that is the mean."\nde = "das ist der Mittelwert."\n')
    load(folder)
    language("de")
    assert check("99-median", lambda r: 11 / 3).hint == "das ist der Mittelwert."
    assert exercises("99")[0].hints[0] == "Leave out the gaps."  # what is not translated stays in English
    assert "Leave out the gaps." in texts.untranslated("de")[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "mine.py").unlink(), r"99-median has a text and no check; expected .* @checks\('99-median'\)"),
        (lambda f: (f / "mine.toml").unlink(), r"99-median has a check and no text; expected \[99-median\]"),
        (lambda f: (f / "mine.toml").write_text(TEXTS.replace("99-median", "02-pearson")), "an exercise 02-pearson already"),
        (lambda f: (f / "mine.toml").write_text(TEXTS.replace("99-median", "median")), "'median' is no name of an exercise"),
        (lambda f: (f / "mine.toml").write_text(TEXTS.replace("minutes = 5", "")), "expected title, minutes, hints"),
        (lambda f: (f / "mine.toml").write_text(TEXTS.replace('["Leave', '"Leave').replace('does."]', 'does."')), "mine.toml"),
        (lambda f: (f / "mine.toml").write_text("title = [\n"), r"mine\.toml: .*expected TOML"),
        (lambda f: (f / "bugs.toml").write_text(BUG.format(old="no such code")), "occurs 0 times in Linear"),
        (lambda f: (f / "bugs.toml").write_text('["Nothing: x"]\nold = "a"\n'), "a class of acai.nn.plain"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_added(folder, change, message):
    before = dict(CHECKS), dict(texts.TASKS)
    change(folder)
    with pytest.raises(InputError, match=message):
        load(folder)
    assert before == (CHECKS, texts.TASKS) and not bugs.OWN


def test_a_folder_that_does_not_exist_and_a_language_without_texts_are_refused(tmp_path):
    with pytest.raises(InputError, match="is no folder; expected one with exercises"):
        load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no language 'xx'; there is: en"):
        language("xx")


def test_a_bug_of_your_own_is_planted_like_any_other(folder):
    (folder / "bugs.toml").write_text(BUG.format(old="dy.T @ self.x"))
    load(folder)
    broken = bugs.find("Linear: dW, turned, my own").broken()
    assert not gradient_check(broken(), (4, 4)).ok
