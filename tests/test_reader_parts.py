"""What the reader's page is made of: symbols and the README's table of them, lines of code, numbers in place of names, colours."""

import math
import re
from importlib.resources import files

import numpy as np
import pytest
from reader_page import PAGE

from acai.reader.code import lines_of, listing, shown_lines
from acai.reader.formulas import mathml, symbols_of
from acai.reader.legend import N_COLOURS, Legend
from acai.reader.markdown import Renderer, blocks_of
from acai.reader.places import Place
from acai.reader.substitution import short, substituted
from acai.reader.symbols import Symbol, SymbolTable, names_in, names_of
from acai.reader.unicode_math import unicode_of

SYMBOLS = SymbolTable(PAGE.sources.readme)
IDS = PAGE.ids


def test_a_long_function_is_folded_around_its_tagged_lines():
    assert shown_lines(30, [3]) == (0, 30)
    assert shown_lines(100, [3]) == (0, 40)
    first, last = shown_lines(100, [70])
    assert last - first == 40 and first <= 70 < last


def test_code_keeps_its_text():
    code = 'def f(x):\n    """A\n    B"""\n    return x < 1  # a & b\n'
    lines = lines_of(code)
    assert [re.sub("<[^>]+>", "", line) for line in lines] == [*code.replace("&", "&amp;").replace("<", "&lt;").replace(
        '"', "&quot;").splitlines(), ""]


HOSTILE = ["<script>x</script>", "*<b>*", "`<b>`", "[<b>](#a)", '[a](#"onclick=x)', "| <b> |\n|---|\n| <i> |", "[a](javascript:x)"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_markup_in_text_is_only_text(hostile):
    renderer = Renderer(lambda path: None, set(IDS))
    drawn = "".join(renderer.block(block) for block in blocks_of(hostile))
    assert not re.search(r"<(script|b|i)>|\"onclick|href=.javascript", drawn)


def test_symbols_of_a_formula_are_its_letters_with_accents_and_differentials():
    assert symbols_of(r"\Delta w \leftarrow \alpha \Delta w - \eta \nabla F_j(w)") == ("Δw", "α", "η", "F", "j", "w")
    assert symbols_of(r"\hat r(u,i) = \bar r(u)") == ("r\u0302", "u", "i", "r\u0304")
    assert "dx" in symbols_of(r"dx_{nchw} = dy W")
    assert "argmin" in mathml(r"\arg\min_q q")


def test_brackets_with_an_exponent_are_its_base_together_so_that_both_are_tall():
    drawn = re.sub(r" \w+=\"[^\"]*\"", "", mathml(r"\bigl( (x) - y(u) \bigr)^2 + \lVert p \rVert^2"))
    pair = "<mo>(</mo><mo>(</mo><mi>x</mi><mo>)</mo><mo>−</mo><mi>y</mi><mo>(</mo><mi>u</mi><mo>)</mo><mo>)</mo>"
    assert f"<msup><mrow>{pair}</mrow><mn>2</mn></msup>" in drawn
    assert "<msup><mrow><mo>‖</mo><mi>p</mi><mo>‖</mo></mrow><mn>2</mn></msup>" in drawn
    assert ")²" in unicode_of(r"(x)^2)^2") and mathml(r"x)^2")  # what is not closed stays as it is


@pytest.mark.parametrize("name", IDS)
def test_every_symbol_has_a_meaning_and_a_counterpart_in_the_code_or_a_reason(name):
    legend = PAGE.legends[name]
    assert [key for key, symbol in legend.symbols.items() if not symbol.meaning] == []
    without = [key for key, symbol in legend.symbols.items() if not legend.names[key] and not symbol.reason]
    assert without == [], "the README's table of symbols gives no name that is in the code"


@pytest.mark.parametrize("name", IDS)
def test_no_two_symbols_of_an_equation_share_a_colour_or_a_name_in_its_code(name):
    legend = PAGE.legends[name]
    assert len(set(legend.colours.values())) == len(legend.symbols) <= N_COLOURS
    assert {own: keys for own, keys in legend.keys.items() if len(keys) > 1} == {}


@pytest.mark.parametrize("name", IDS)
def test_every_name_in_the_list_of_symbols_is_in_the_code_beside_it(name):
    drawn = PAGE.legends[name].html(Renderer(lambda path: None, set(IDS)), {})
    places = [place for tab in ("loops", "plain", "fast") for place in PAGE.places[tab].get(name, [])]
    code = {re.sub(r"<[^>]+>", "", listing(place, None).replace("</div>", " ")) for place in places}
    for entry in re.findall(r"<li.*?</li>", drawn):
        listed = re.findall(r"<code>(.*?)</code>", entry.partition("; in the code ")[2].partition("; in the example")[0])
        for own in listed:
            assert any(re.search(rf"(?<!\w){re.escape(own)}(?!\w)", text) for text in code), own


def test_a_symbol_may_be_a_name_with_an_index():
    place = Place("a.py", "f", 1, ("P[u] @ P, s[0]", "x  # s[1]"), frozenset())
    names_of_symbols = {"P": ("P", "Q"), "p": ("P[u]",), "s": ("s[1]",)}
    symbols = {key: Symbol(key, key, key, (), names, "why") for key, names in names_of_symbols.items()}
    legend = Legend(symbols, {}, [place], {})
    assert legend.names == {"P": ("P",), "p": ("P[u]",), "s": ()}
    line = re.sub(' class="[^"]*"', "", lines_of(place.lines[0], legend.in_code({"s"}))[0])
    assert line == '<span data-s="p">P[u]</span> <span>@</span> <span data-s="P">P</span>, <span>s</span>[<span>0</span>]'.replace(
        "<span>@</span>", "@")


@pytest.mark.parametrize("name", IDS)
def test_every_letter_on_a_tagged_line_is_a_symbol_of_its_equation_or_explained(name):
    latex, _ = latex_and_names(name)
    names = set()
    for level in "plain", "fast":
        for place in PAGE.places[level].get(name, []):
            lines = (place.lines[number - place.first].strip() for number in place.marked)
            names |= names_in(line for line in lines if not line.startswith('"""'))
    assert SYMBOLS.unexplained(name, latex, names) == [], "neither in the equation nor in the README's table of symbols"


def latex_and_names(name: str) -> tuple[str, set[str]]:
    """Return an equation, and all names in the functions that compute it."""
    row = next(row for row in PAGE.rows if name in row.ids)
    places = [place for level in ("loops", "plain", "fast") for place in PAGE.places[level].get(name, [])]
    return row.latex, set().union(*map(names_of, places))


def test_a_row_of_the_table_is_read_in_order():
    header = "| | meaning | in | in code |\n|---|---|---|---|\n"
    row = r"| $\eta$, $x$, `e` | the rate; the input; the error | C, N7.1 to N7.3 | `eta`, `rate`; (returned) |"
    table = SymbolTable(header + row)
    eta, x, e = table.symbols
    assert eta.names == ("eta", "rate") and eta.where == ("C", "N7.1", "N7.2", "N7.3") and eta.meaning == "the rate"
    assert x.names == () and x.reason == "returned" and (e.key, e.latex) == ("e", "")
    assert set(table.names_without_symbol("N7.2")) == {"e"} and table.names_without_symbol("N1") == {}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [0, 1, 2], ids=["light", "dark by choice", "dark by preference"])
def test_all_text_has_the_contrast_of_wcag_aa_on_every_ground(mode):
    css = files("acai.reader").joinpath("reader.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#\w{6})", re.findall(r":root[^{]*\{(.*?)\}", css, re.DOTALL)[mode]))
    grounds = "paper", "code", "tagged", "chosen"
    assert set(colours) == {*grounds, "ink", "faint", "line", "link", "comment", "string", "number", "keyword", "name",
                            *(f"k{n}" for n in range(N_COLOURS))}
    for text in set(colours) - {*grounds, "line"}:
        for ground in grounds:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["paper"], colours["ink"]) >= 4.5 and contrast(colours["paper"], colours["link"]) >= 4.5


def test_a_sum_is_written_out_term_by_term():
    names = {"p": [1.5, -0.5], "q": [2.0, 0.25], "x": -1.0}
    functions = {"math": math}
    assert substituted("sum(p[f] * q[f] for f in range(2))", names, functions) == "1.5 · 2 + (-0.5) · 0.25"
    assert substituted("math.sqrt(x ** 2) - (x > 0)", names, functions) == "√((-1)^2) − [(-1) > 0]"
    assert substituted("x if x > 0 else max(0, x)", names, functions) == "(-1) if (-1) > 0 else max(0, (-1))"
    assert substituted("0 if x is None else x", names, functions) == "(-1)"
    assert substituted("sum(f if f > 0 else 0 for f in range(3))", names, functions) == "0 + 1 + 2"
    assert substituted("len(p)", names, functions) == "len([1.5, -0.5])"
    assert substituted("2 * len(p)", names, functions) == "2 · 2"
    assert substituted("sum(f for f in range(20))", names, functions) == "0 + 1 + 2 + 3 + 4 + 5 + 6 + … + 19"
    assert short(np.arange(3.0)) == "[0.0, 1.0, 2.0]" and short(np.zeros((5, 4))) == "an array of 5 × 4" and short("a") == ""
    assert short([1, 2]) == "[1, 2]" and short([True, False]) == "[1, 0]"
