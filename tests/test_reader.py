"""The reader: everything that it shows is in the README and in the code, and nothing leaves the page."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from reader_page import PAGE

from acai.cli import main
from acai.errors import InputError
from acai.reader import sources
from acai.reader.formulas import GATHERED, mathml
from acai.reader.markdown import blocks_of
from acai.reader.page import TABS, Page
from acai.reader.places import Place, ids_in, level_of
from acai.reader.sources import Sources, find_sources
from acai.reader.symbols import names_of
from acai.reader.tests_of import closeness
from acai.reader.watching import sides, tagged_statements
from acai.reader.worked import work
from acai.teaching.bugs import CATALOGUE

IDS = re.findall(r"\\tag\{(.*?)\}", PAGE.sources.readme)
VOID = {"meta", "img", "input", "br", "mspace", "link"}


class Structure(HTMLParser):
    """Checks that every element is closed, and collects ids, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID and tag != "option":
            self.open.append(tag)
        self.attributes.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_startendtag(self, tag, attributes):
        self.attributes.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html() -> str:
    return PAGE.html()


@pytest.fixture(scope="module")
def structure(html) -> Structure:
    parsed = Structure()
    parsed.feed(html)
    return parsed


def test_every_equation_is_on_the_page_once_under_its_number(structure):
    assert PAGE.ids == IDS and len(IDS) >= 57
    assert len(structure.ids) == len(set(structure.ids))
    assert set(IDS) <= set(structure.ids)


@pytest.mark.parametrize("name", IDS)
def test_every_equation_has_loops_plain_fast_and_test_or_says_why(name):
    for tab in set(PAGE.places) if PAGE.sources.is_checkout else set(PAGE.places) - {"test"}:  # a wheel has no tests
        places = PAGE.places[tab].get(name, [])
        assert places or (tab == "plain" and PAGE.is_plain(name)), f"({name}) has no {tab}"
        for place in places:
            assert place.marked or tab == "test"
            source = (PAGE.sources.code | PAGE.sources.tests)[place.path].splitlines()
            assert source[place.first - 1 : place.first - 1 + len(place.lines)] == list(place.lines)
            if tab != "test":
                assert all(name in source[line - 1] or " to " in source[line - 1] for line in place.marked)


def test_the_page_is_one_well_formed_file_of_less_than_3_megabytes(html, structure):
    assert structure.open == []
    assert len(html.encode()) < 3_000_000


def test_nothing_is_fetched_and_no_script_is_foreign(html, structure):
    for tag, attributes in structure.attributes:
        assert not attributes.get("src", "data:").startswith(("http", "//", "file")), (tag, attributes)
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not any(name.startswith("on") for name in attributes)
    assert [attributes for tag, attributes in structure.attributes if tag == "script"] == [{}]
    assert "default-src 'none'" in html and not re.search(r"url\(|@import|fetch\(|XMLHttp|import\(", html.partition("<main")[0])


def test_every_link_within_the_page_leads_to_an_element(structure):
    targets = {attributes["href"][1:] for tag, attributes in structure.attributes if attributes.get("href", "").startswith("#")}
    assert targets <= set(structure.ids)


def test_tabs_and_their_panels_name_each_other(structure):
    tabs = [attributes for _, attributes in structure.attributes if attributes.get("role") == "tab"]
    panels = {attributes["id"]: attributes for _, attributes in structure.attributes if attributes.get("role") == "tabpanel"}
    assert len(tabs) == len(panels) == len(TABS) * len([row for row in PAGE.rows if row.ids])
    for tab in tabs:
        panel = panels[tab["aria-controls"]]
        assert panel["aria-labelledby"] == tab["id"]
        assert ("hidden" in panel) == (tab["aria-selected"] == "false") == (tab["tabindex"] == "-1")


def test_every_formula_of_the_readme_is_converted(html):
    assert "\\" not in "".join(re.findall(r"<math.*?</math>", html, re.DOTALL))
    assert len(re.findall(r"<math", html)) >= 300


def test_all_words_of_the_readme_are_on_the_page(html):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    for block in blocks_of(PAGE.sources.readme):
        if block.kind == "paragraph" and not re.search(r"[$`*\[↳<&'\"]|\([CNADE]\d", block.text):
            assert re.sub(r"\s+", " ", block.text) in text, block.text


def test_symbols_have_the_same_colour_on_both_sides_and_different_ones_within_an_equation(html):
    for name, legend in PAGE.legends.items():
        assert len(set(legend.colours.values())) == len(legend.colours), name
    row = html.split('id="C10"')[1].split("</section>")[0]
    colour = PAGE.legends["C10"].colours["η"]
    assert f'<mi data-s="η" class="sym k{colour}">η</mi>' in row
    assert f'<span class="sym k{colour}" data-s="η">eta</span>' in row


@pytest.mark.parametrize("name", IDS)
def test_every_equation_has_an_example_on_which_loops_and_fast_code_agree(name):
    worked = PAGE.worked[name]
    assert worked.agree and worked.difference < 1e-4, (worked.difference, worked.result)
    assert worked.lines and all(line.code and re.search(r"= .*[\d.]", line.with_numbers) for line in worked.lines)
    loops = {(place.path, place.first): place for place in PAGE.places["loops"][name]}
    assert {(line.key, line.number) for line in worked.lines} == {  # every tagged line ran and is written out
        (key, number) for key, place in loops.items() for number in tagged_statements(place)
    }


@pytest.mark.parametrize("name", IDS)
def test_every_example_shows_all_the_terms_that_the_equation_has(name):
    code = " ".join(line.code for line in PAGE.worked[name].lines)
    legend = PAGE.legends[name]
    loops = PAGE.places["loops"][name]
    in_loops = set().union(*map(names_of, loops)) - {place.name for place in loops}
    missing = [key for key, names in legend.names.items() if set(names) & in_loops and not occur(names, code)]
    assert missing == []
    assert "…" not in code and all(line.with_numbers.rpartition("= ")[2] for line in PAGE.worked[name].lines)


def occur(names, code: str) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", code) for name in names)


@pytest.mark.parametrize("name", IDS)
def test_values_of_variables_are_those_of_the_pass_that_the_example_shows(name):
    worked = PAGE.worked[name]
    summed = {line.code.partition(" += ")[0] for line in worked.lines}
    for line in worked.lines:
        target, _, value = line.with_numbers.rpartition(" = ")
        variable = target.partition(" = ")[0]
        if variable.isidentifier() and variable not in {"result", *summed}:
            assert worked.values[line.key][variable] == value, variable
        indices = re.search(r"(\w+)\[(.*?)\] ", line.with_numbers.partition("=")[0])
        written = re.match(r"\w+\[([\w, ]+)\] ", line.code)
        if indices and written and len(written[1].split(", ")) == len(indices[2].split(", ")):
            for index, number in zip(written[1].split(", "), indices[2].split(", ")):
                assert worked.values[line.key][index] == number, (line, index)


@pytest.mark.parametrize("name", IDS)
def test_plain_code_is_run_in_the_example_and_has_values(name):
    for place in PAGE.places["plain"].get(name, []):
        values = PAGE.worked[name].values[place.path, place.first]
        assert values and "plain" in PAGE.worked[name].compared and "[]" not in values.values()


UNTAGGED = {  # what only prepares the equation: who is asked, the size of the result, zeros, decibels, where in memory
    ("C1", "raters"), ("N2", "(H_out, W_out)"),
    ("N2", "argmax[n, c, i, j]"), ("N2", "(values, best, place)"), ("A1", "S"), ("A3", "D"),
}


@pytest.mark.parametrize("name", IDS)
def test_every_line_on_which_an_equation_is_recognisable_carries_its_number(name):
    """Arithmetic with as many of its symbols as a tagged line has, and at least three, is the equation, or another one."""
    for place in (place for tab in ("loops", "plain", "fast") for place in PAGE.places[tab].get(name, [])):
        tagged = [symbols_in(statement, name) for statement in tagged_statements(place).values()]
        every = tagged_statements(replace(place, marked=frozenset(range(place.first, place.first + len(place.lines)))))
        for line, statement in every.items():
            carries_an_id = ids_in(place.lines[(statement.end_lineno or line) - place.first])
            is_arithmetic = any(isinstance(node, ast.BinOp | ast.AugAssign) for node in ast.walk(statement))
            if tagged and is_arithmetic and not carries_an_id and (name, sides(statement)[0]) not in UNTAGGED:
                assert symbols_in(statement, name) < max(min(tagged), 3), (place.path, line, ast.unparse(statement))


def symbols_in(statement: ast.stmt, name: str) -> int:
    code = ast.unparse(statement).replace("'", '"')
    return sum(occur(names, code) for names in PAGE.legends[name].names.values())


def test_an_example_in_which_they_differ_says_so():
    place = PAGE.places["loops"]["E1"][0]
    worked = work(lambda: (1.0, 1.01), [place], [], PAGE.sources.root)
    assert not worked.agree and worked.difference == pytest.approx(0.01) and "DISAGREE" in worked.verdict
    assert not work(lambda: ([1.0, 2.0], [1.0]), [place], [], PAGE.sources.root).agree
    assert not work(lambda: (1.0, 1.0, 1.5), [place], [], PAGE.sources.root).agree


def test_the_tracer_that_was_there_is_put_back():
    before, calls = sys.gettrace(), []

    def fails_the_second_time():
        calls.append(0)
        return 1 / (2 - len(calls)), 1.0

    with pytest.raises(ZeroDivisionError):
        work(fails_the_second_time, [PAGE.places["loops"]["E1"][0]], [], PAGE.sources.root)
    assert sys.gettrace() is before


def test_values_of_the_example_are_in_the_code(html):
    row = html.split('id="E1"')[1].split("</section>")[0]
    values = [json.loads(unescape(found)) for found in re.findall(r'data-values="([^"]*)"', row)]
    assert any(found.get("truth") == "[4.0, 2.0, 5.0]" for found in values)


@pytest.mark.parametrize("name", IDS)
def test_all_tests_of_an_equation_are_on_the_page_and_those_that_run_most_of_its_code_come_first(name):
    if not PAGE.sources.is_checkout:
        pytest.skip("a wheel has no tests")
    tests, html = PAGE.places["test"][name], PAGE._tabs(name)
    panel = html.partition(f'id="panel-{name}-test"')[2].partition('role="tabpanel"')[0]
    shown, _, folded = panel.partition('<details class="others">')
    assert [test.name for test in tests if f"{test.name} (" not in panel] == []
    assert all(f"{test.name} (" in shown for test in tests[:3])
    assert len(tests) <= 3 or folded.startswith(f"<summary>{len(tests) - 3} more of its tests</summary>")
    plain = PAGE.places["plain"].get(name, [])
    ties_all = ["plain." in "\n".join(test.lines) for test in tests]
    assert not plain or not any(ties_all) or ties_all[0], [test.name for test in tests]
    assert all(test.marked for test in tests if "test_exercises" not in test.path)


def test_the_tests_of_momentum_are_those_that_tie_it_together():
    if PAGE.sources.is_checkout:
        first = [test.name for test in PAGE.places["test"]["C10"][:3]]
        assert "test_lazy_momentum_is_the_dense_equation" in first
        assert first[0] == "test_an_epoch_with_momentum_is_that_of_the_loops_and_the_model"
        assert PAGE.verdict_of("C10").endswith(f"{first[0]} allows rtol=1e-5; atol=1e-05.")


@pytest.mark.parametrize(("code", "said"), [
    ("assert f() == g()", "compares exactly"),
    ("assert np.array_equal(f(), g())", "compares exactly"),
    ("assert f() == pytest.approx(1)", "allows rel=1e-6"),
    ("assert np.allclose(f(), 1, rtol=1e-11, atol=0)", "allows rtol=1e-11 and atol=0"),
    ("np.testing.assert_allclose(f(), 1); assert abs(f() - 1) < 0.5", "allows rtol=1e-7; less than 0.5"),
])
def test_a_test_says_how_closely_it_compares(code, said):
    assert closeness(Place("tests/test_a.py", "test_a", 1, ("def test_a():", f"    {code}"), frozenset())) == said


def test_every_planted_bug_of_a_layer_with_an_equation_is_shown_and_caught():
    shown = {bug.name: bug for of_equation in PAGE.bugs.values() for bug in of_equation}
    without = {bug.name for bug in CATALOGUE} - set(shown)
    assert len(shown) == sum(map(len, PAGE.bugs.values())) >= 70
    assert {name.partition(":")[0] for name in without} <= {"Softmax"}  # a layer that has no equation of its own
    for bug in shown.values():
        assert bug.caught and bug.report and bug.sentence, bug.name
        assert {line[0] for line in bug.diff} & {"+", "-"}, bug.name


def test_a_bug_is_shown_with_the_equation_whose_gradient_it_spoils(html):
    assert "Conv: dx, sign" in {bug.name for bug in PAGE.bugs["N7.1"]}
    assert "Linear: dW, transposed" in {bug.name for bug in PAGE.bugs["N7.10"]}
    row = html.split('id="N7.10"')[1].split("</section>")[0]
    assert "Linear: dW, transposed" in row and "NOT right" in row and "WRONG" in row


def test_an_equation_that_is_used_elsewhere_says_where():
    assert any(words.startswith("notebook 04") for words in PAGE.mentions["C10"]) or not PAGE.sources.is_checkout
    assert any(words.startswith("exercise 04-") for words in PAGE.mentions["C10"])
    assert "(N8)" in PAGE.mentions["C10"]


def test_levels_are_told_by_the_path():
    assert level_of("acai/reference/cf.py") == "loops" and level_of("acai/nn/plain.py") == "plain"
    assert level_of("acai/cf/kernels.py") == "fast" and level_of("acai/teaching/bugs.py") is None


def test_the_command_writes_the_page_from_the_readme_and_the_code(html, tmp_path, capsys, monkeypatch):
    """With a second process, although `html` was built without."""
    monkeypatch.setattr("acai.reader.second_process.has_second_core", lambda: True)
    begin = os.times()
    main(["read", "--out", str(tmp_path / "page.html")])
    assert f"{len(IDS)} equations" in capsys.readouterr().out
    assert sum(os.times()[:4]) - sum(begin[:4]) < 30  # seconds of the processor's time, however busy it is; usually about 5
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == html


def test_without_out_the_browser_opens_it(monkeypatch, tmp_path, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("acai.reader.page.Page", lambda sources, check: SimpleNamespace(ids=PAGE.ids, html=lambda: "<html>"))
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path))
    main(["read"])
    assert opened == [(tmp_path / "acai.html").as_uri()] and (tmp_path / "acai.html").is_file()
    capsys.readouterr()


def test_an_installed_package_reads_the_readme_from_its_metadata(monkeypatch, tmp_path):
    (tmp_path / "README.md").write_text("of another package")
    monkeypatch.setattr(sources, "PACKAGE", tmp_path / "acai")
    readme = PAGE.sources.readme
    monkeypatch.setattr("importlib.metadata.metadata", lambda name: {"Description": readme})
    found = find_sources()
    assert found.readme == readme and not found.is_checkout and found.tests == {} and found.picture("README.md") is None
    installed = Page(Sources(Path(PAGE.sources.root), readme, is_checkout=False))
    assert "checkout" in installed.missing("C10", "test") and installed.places["test"] == {} and installed.mentions["C10"]


def test_the_metadata_of_a_wheel_has_all_of_the_readme(monkeypatch, tmp_path):
    """As pip writes it: the README is what follows the headers."""
    folder = tmp_path / "acai-0.1.0.dist-info"
    folder.mkdir()
    headers = "Metadata-Version: 2.4\nName: acai\nVersion: 0.1.0\nDescription-Content-Type: text/markdown\n"
    (folder / "METADATA").write_text(f"{headers}\n{PAGE.sources.readme}", encoding="utf-8")
    monkeypatch.setattr(sources, "PACKAGE", tmp_path / "acai")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    found = find_sources()
    assert found.readme.rstrip("\n") == PAGE.sources.readme.rstrip("\n") and not found.is_checkout
    assert Page(found).ids == IDS


def test_without_any_readme_one_sentence_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "PACKAGE", tmp_path / "acai")
    monkeypatch.setattr("importlib.metadata.metadata", lambda name: {"Description": "short"})
    with pytest.raises(InputError, match=r"no README\.md in .*; expected the README"):
        find_sources()


def test_no_picture_outside_the_project_is_shown(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"png")
    (tmp_path / "project").mkdir()
    assert Sources(tmp_path / "project", "", is_checkout=True).picture("../secret.png") is None


def test_a_screen_reader_finds_landmarks_headings_names_and_formulas_in_words(structure):
    every, ids = structure.attributes, set(structure.ids)
    tags = [tag for tag, _ in every]
    assert tags.count("main") == tags.count("header") == tags.count("nav") == tags.count("h1") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels)), "a level of headings is skipped"
    assert {f"heading-{row.ids[0]}" for row in PAGE.rows if row.ids} <= ids  # what headings lead through
    for tag, attributes in every:
        if tag == "math":
            assert attributes["alttext"].strip()
        if tag == "img":
            assert attributes["alt"].strip()
        if attributes.get("tabindex") == "0" and tag != "button":
            assert "aria-label" in attributes or tag in ("li", "pre", "div"), (tag, attributes)
        for reference in ("aria-labelledby", "aria-controls", "aria-describedby"):
            assert set(attributes.get(reference, "").split()) <= ids, (tag, attributes)


PROBE = """<script>
  const report = {};
  const shown = element => element.getClientRects().length > 0;
  window.onerror = message => { report.error = String(message); };
  const row = document.getElementById("C10");
  const formula = row.querySelector('math [data-s="η"]');
  formula.dispatchEvent(new MouseEvent("mouseover", {bubbles: true}));
  const chosen = [...document.querySelectorAll(".chosen")];
  report.symbols = [...new Set(chosen.map(element => element.dataset.s))].join();
  report.formula = chosen.some(element => element.closest("math"));
  report.code = chosen.some(element => element.closest(".code") && element.textContent === "eta");
  report.explained = document.getElementById("explained").textContent.includes("learning rate");
  row.querySelector("[data-tab=fast]").click();
  document.getElementById("tab-C10-fast").dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}));
  report.end = shown(document.getElementById("panel-C10-bugs"));
  document.getElementById("tab-C10-bugs").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", bubbles: true}));
  document.getElementById("tab-C10-test").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", bubbles: true}));
  report.tab = shown(document.getElementById("panel-C10-fast")) && !shown(document.getElementById("panel-C10-loops"));
  const search = document.getElementById("search");
  search.value = "c10";
  search.dispatchEvent(new Event("input"));
  report.search = [...document.querySelectorAll(".row.equation")].filter(shown).map(element => element.id).join();
  search.value = "";
  search.dispatchEvent(new Event("input"));
  for (const details of document.querySelectorAll(".row details")) details.open = true;
  report.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  report.bars = [...document.querySelectorAll(".eq")].filter(box => box.offsetWidth > box.clientWidth).length;
  report.requests = performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:")).length;
  document.title = JSON.stringify(report);
</script>"""


def chromium() -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs a Chromium to open the page in; none is installed")
    return browser


def title_of(page: Path) -> dict:
    """What a page reports in its title when it is opened."""
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --allow-file-access-from-files"
    profile = page.parent / "profile"
    command = [chromium(), *options.split(), "--disable-sync", f"--user-data-dir={profile}", "--virtual-time-budget=9999"]
    run = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", run.stdout, re.DOTALL)
    assert title, run.stdout[:300] + run.stderr[-2000:]
    return json.loads(unescape(title[1]))


@pytest.mark.browser
@pytest.mark.parametrize("width", [1500, 1440, 1024, 390])
def test_in_a_real_browser_symbols_tabs_and_search_work_and_nothing_overflows(html, tmp_path, width):
    page = tmp_path / "page.html"
    frame = f'<!doctype html><iframe id="page" src="page.html" width="{width}" height="900"></iframe>'  # windows are ≥ 500 px
    waiting = "<script>page.onload = () => { document.title = page.contentDocument.title; }</script>"
    page.write_text(html.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    (tmp_path / "frame.html").write_text(frame + waiting, encoding="utf-8")
    assert title_of(tmp_path / "frame.html") == {
        "symbols": "η", "formula": True, "code": True, "explained": True, "end": True, "tab": True, "search": "C10", "overflow": 0,
        "bars": 0, "requests": 0,
    }


GITHUB = 838  # pixels of GitHub's column
MEASURE = """<style>math[display=block] { font-size: 16px; width: max-content; display: inline-block; }</style><script>
  const wide = {};
  for (const formula of document.querySelectorAll("math[display=block]")) {
    const width = formula.getBoundingClientRect().width;
    if (width > WIDTH) wide[formula.getAttribute("alttext")] = width;
  }
  document.title = JSON.stringify(wide);
</script>"""


@pytest.mark.browser
def test_in_a_real_browser_every_formula_of_the_readme_fits_into_githubs_column(tmp_path):
    formulas = []
    for block in (block for row in PAGE.rows for block in row.blocks if block.kind == "equation"):
        lines = GATHERED.sub("", block.text).split(r"\cr") if GATHERED.search(block.text) else [block.text]
        formulas += [mathml(line, display=True, text=line) for line in lines]
    page = tmp_path / "formulas.html"
    page.write_text("<!doctype html>" + "<br>".join(formulas) + MEASURE.replace("WIDTH", str(GITHUB - 100)), encoding="utf-8")
    assert title_of(page) == {}  # the number at the right takes some of the width
