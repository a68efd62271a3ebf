"""The course in another language: complete where it is translated, English where it is not, and changed texts are listed."""

import ast
import contextlib
import io
import re
import warnings
from string import Formatter

import nbformat
import pytest
from course import BUILD, HERE

from acai.classroom.course import Course
from acai.classroom.links import relinked
from acai.classroom.notebooks import read_notebook, source
from acai.plots.listeners import RULES
from acai.reader.sources import PACKAGE
from acai.teaching.exercises import check, exercises, hint, language, texts

TRANSLATED = [(path.stem, path.parent.name) for path in sorted((HERE / "source").glob("??/*.toml"))]
every_book = pytest.mark.parametrize(("name", "code"), TRANSLATED)


@pytest.fixture(autouse=True)
def english_afterwards():
    yield
    language("en")


def built(name, code):
    (path,) = BUILD.sources(name[:2])
    translation = BUILD.Translation(path, code)
    return BUILD.notebook(path, False, translation), BUILD.notebook(path, False), translation


def test_there_is_a_notebook_in_german():
    assert ("01_the_problem", "de") in TRANSLATED


@every_book
def test_nothing_in_it_is_english_and_no_translation_is_left_over(name, code):
    _, _, translation = built(name, code)
    described = BUILD.pictures(BUILD.sources(name[:2])[0], translation)
    committed = nbformat.read(BUILD.target(BUILD.sources(name[:2])[0], False, code), as_version=4)
    metadata = [o.metadata for cell in committed.cells for o in cell.get("outputs", ()) if "image/png" in o.get("data", {})]
    assert [each["image/png"]["alt"] for each in metadata] == described
    assert translation.missing == [] and translation.stale == []


@every_book
def test_only_words_differ(name, code):
    def shape(text):
        tree = ast.parse(re.sub(r"(?m)^language\(.*\)\n|, language$", "", text))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""
        return ast.dump(tree)

    book, english, _ = built(name, code)
    assert [cell.cell_type for cell in book.cells] == [cell.cell_type for cell in english.cells]
    for ours, theirs in zip(book.cells, english.cells):
        if ours.cell_type == "code":
            assert shape(ours.source) == shape(theirs.source)
        else:  # formulas, code and links are the same
            for pattern in (r"\$[^$]+\$", r"`[^`]+`", r"\]\(([^)]+)\)"):
                found = [sorted(re.findall(pattern, re.sub("(?s)```.*?```", "", cell.source))) for cell in (ours, theirs)]
                links = [[link.replace("../", "") for link in each] for each in found]
                assert links[0] == links[1]


@every_book
def test_it_is_what_its_texts_say_and_shows_its_outputs(name, code):
    path = BUILD.target(BUILD.sources(name[:2])[0], False, code)
    committed = nbformat.read(path, as_version=4)
    book, _, _ = built(name, code)
    assert [cell.source for cell in committed.cells] == [cell.source for cell in book.cells]
    said = "".join(str(cell.get("outputs")) for cell in committed.cells)
    assert "es wird noch nichts zurückgegeben" in said and "it returns nothing" not in said and "Traceback" not in said


def shown_by(book):
    """Run a notebook here, and return all that its cells print, show as a value, or write on a picture."""
    import matplotlib.pyplot as plt
    from matplotlib.text import Text

    plt.close("all")  # what other tests have left
    shown, names = [], {"__name__": "__main__"}
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        tree = ast.parse(cell.source)
        is_value = isinstance(tree.body[-1], ast.Expr) and not cell.source.rstrip().endswith(";")
        last = ast.Expression(tree.body.pop().value) if is_value else ast.parse("None", mode="eval")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, "cell", "exec"), names)
            value = eval(compile(last, "cell", "eval"), names)
        figures = [plt.figure(number) for number in plt.get_fignums()]
        for figure in figures:
            figure.canvas.draw()  # which writes what is beside the ticks
        shown += [text.get_text() for figure in figures for text in figure.findobj(Text)]
        shown += [printed.getvalue(), "" if value is None else repr(value), getattr(value, "_repr_html_", str)()]
        plt.close("all")
    return shown


def words(text):
    """The words of a text, without code and formulas between their marks, HTML, and the names of rules and exercises."""
    text = re.sub(r"(?s)```.*?```|<code>.*?</code>|`[^`]*`|\$[^$]*\$|<[^>]*>|\{[^}]*\}", " ", text)
    names = "|".join([*RULES, *texts.TASKS])
    text = re.sub(rf"({names}) \(D\d\)|\(D\d\) ({names})|\b\d\d-[\w-]+|\b(listener|song)-\d+", " ", text)
    return {word.lower() for word in re.findall(r"[^\W\d_]{2,}", text)}


def written_by_translators(code):
    paths = [*(HERE / "source" / code).glob("*.toml"), texts.HERE / f"{code}.toml"]
    pairs = [pair for path in paths for kind in ("text", "code") for pair in texts.read_toml(path).get(kind, ())]
    return set().union(*(words(pair[code]) for pair in pairs))


@every_book
def test_it_shows_no_word_that_no_translator_wrote(name, code):
    book, english, _ = built(name, code)
    translated = written_by_translators(code)
    shown = shown_by(book)
    assert {text: words(text) - translated for text in shown if words(text) - translated} == {}
    assert any("Lieder, die meistgehörten zuerst" in text for text in shown)  # also what is on pictures
    language("en")
    assert {"songs", "plays", "users", "share", "returns"} <= set().union(*map(words, shown_by(english))) - translated


@every_book
def test_its_links_lead_somewhere(name, code):
    path = BUILD.target(BUILD.sources(name[:2])[0], False, code)
    committed = nbformat.read(path, as_version=4)
    for link in re.findall(r"\]\(([^)#]+)", "".join(cell.source for cell in committed.cells if cell.cell_type == "markdown")):
        assert link.startswith("https://") or (path.parent / link).exists(), link


@pytest.mark.notebook
@every_book
def test_it_runs_from_scratch(name, code):
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # of Jupyter's own machinery
        BUILD.run(built(name, code)[0])


@every_book
def test_its_exercises_are_translated_with_the_same_places(name, code):
    places = lambda text: sorted(place for _, place, _, _ in Formatter().parse(text) if place)
    english = [*texts.COMMON.values()]
    for task in exercises(name[:2]):
        english += [task.title, *task.hints, *task.says.values()]
    missing, stale = texts.untranslated(code)
    assert not {*english} & {*missing} and not stale
    language(code)
    for text in english:
        assert places(texts.in_words(text)) == places(text), text


def test_verdicts_and_hints_are_german_and_the_rest_falls_back_to_english():
    language("de")
    blank = lambda *arguments: ...
    assert check("01-stars", blank).hint.startswith("es wird noch nichts zurückgegeben")
    assert repr(check("01-stars", lambda n: [5 if x >= 5 else 4 if x >= 2 else 3 for x in n])) == "✓ 01-stars: richtig."
    assert "in Zeile" in check("01-stars", lambda n: undefined).hint  # noqa: F821
    assert "ein Array der Form (9,)" in check("01-stars", lambda n: "x").hint
    assert "fünfmal" in check("01-stars", lambda n: 3 + (n >= 2) + (n > 5)).hint
    assert hint("01-counts").startswith("Hinweis 1 von 3 zu 01-counts: Beginne")
    assert exercises("02")[0].title == "the Pearson correlation (C3) of two rows of R"
    assert "you forgot κ" in check("02-predict", lambda m, s, r, b: m + s @ (r - b)).hint


def test_a_text_that_changed_in_english_is_listed_and_stays_english(tmp_path):
    (tmp_path / "de").mkdir()
    english = '# %% [markdown]\n# One.\n#\n# Two is\n# new.\n\n# %%\nx = "three"  # four\nlog = ["five"]\nx\n'
    (tmp_path / "99_x.py").write_text(english)
    pairs = {"One.": "Eins.", "Two.": "Zwei."}
    toml = 'keep = ["five"]\n' + "".join(f'[[text]]\nen = "{en}"\nde = "{de}"\n' for en, de in pairs.items())
    toml += '[[code]]\nen = "three"\nde = "drei"\n'
    (tmp_path / "de" / "99_x.toml").write_text(toml)
    translation = BUILD.Translation(tmp_path / "99_x.py", "de")
    book = BUILD.notebook(tmp_path / "99_x.py", False, translation)
    assert book.cells[0].source == "Eins.\n\nTwo is\nnew." and '"drei"  # four' in book.cells[1].source
    assert translation.missing == ["Two is\nnew.", "four"] and translation.stale == ["Two."]
    assert not BUILD.Translation(tmp_path / "98_y.py", "de").exists


def test_the_course_is_laid_out_in_german_as_far_as_it_is_translated(tmp_path, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(Course, "_page", SimpleNamespace(ids=["D1"], html=lambda: ""))
    monkeypatch.setattr("acai.classroom.course.code_page", lambda page, package: "")
    Course(tmp_path, "de").lay_out()
    first = lambda name: source(read_notebook(tmp_path / name)["cells"][0])
    assert first("01_the_problem.ipynb").startswith("# 01 · Das Problem")
    assert first("02_neighbours.ipynb").startswith("# 02 · Neigh")
    assert first("00_start.ipynb").startswith("# Hier beginnen")
    assert "01 · Das Problem](01_the_problem.ipynb): Was verrät" in first("00_start.ipynb")
    assert relinked("[a](../02_x.ipynb) [b](../../acai/nn)", PACKAGE, set()) == "[a](02_x.ipynb) [b](code/nn.html)"
