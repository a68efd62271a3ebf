"""One equation: `acai read C10` prints it, `acai.read("C10")` displays it, and formulas are written in Unicode."""

import gc
import re
from html import unescape

import pytest
from reader_page import PAGE

import acai
from acai.cli import main
from acai.errors import InputError
from acai.reader.text import plain
from acai.reader.unicode_math import unicode_of


@pytest.fixture(scope="module")
def printed() -> str:
    return str(acai.read("N7.10"))


def test_it_prints_the_formula_its_meaning_the_code_an_example_and_what_the_check_says(printed):
    heads = re.findall(r"^(\S.*?)(?:: |$)", printed, re.MULTILINE)
    wanted = ["symbols", "loops", "plain", "fast", "example", "the gradient check", "tests"]
    assert [head for head in heads if head in wanted] == (wanted if PAGE.sources.is_checkout else wanted[:-1])
    assert printed.startswith("(N7.10)  Backward") and "    dW_od = ∑ₙ dyₙₒ x_nd,   dW = dyᵀ x\n" in printed
    assert "dW: the gradient with respect to the weights; in the code dW" in printed
    assert re.search(r"^> +\d+ +dW\[o, d\] \+= dy\[n, o\] \* x\[n, d\]  # \(N7\.10\)$", printed, re.MULTILINE)
    assert "dW[0, 0] += 2 · 2 + 1 · 1 = 5" in printed
    assert "On these numbers, the loops, the plain and the fast code give exactly the same." in printed
    assert "correct: Linear(): right" in printed and re.search(r"with the bug “dW, transposed”: W WRONG: \d+ of 16", printed)


def test_the_command_prints_the_same_and_puts_the_garbage_collector_back(printed, capsys):
    main(["read", "n7.10"])
    assert capsys.readouterr().out == f"{printed}\n" and gc.isenabled()


@pytest.mark.parametrize("name", ["c4", "(C4)", " C4 "])
def test_a_notebook_displays_formula_and_code_side_by_side_in_a_frame_of_its_own(name):
    drawn = acai.read(name)._repr_html_()
    start, _, page = drawn.removesuffix('"></iframe>').partition('" srcdoc="')
    assert start.startswith('<iframe title="Equation C4 and its code" sandbox="allow-scripts" style="') and '"' not in page
    page = unescape(page)
    assert page.startswith("<!doctype html>") and page.count('<section class="row equation"') == 1
    assert 'id="C4"' in page and "On these numbers, the loops" in page and 'role="tab"' in page
    assert set(re.findall(r'href="#([^"]*)"', page)) <= set(re.findall(r' id="([^"]*)"', page))  # to what is there


@pytest.mark.parametrize("name", ["X1", "", "C", "C10.1"])
def test_an_equation_that_does_not_exist_is_refused(name):
    with pytest.raises(InputError, match=r"no equation .*; there is: .*\(\d+ in all\)"):
        acai.read(name)


def test_what_is_not_a_number_of_an_equation_is_refused(capsys):
    with pytest.raises(InputError, match='name=10; expected the number of an equation, such as "C10"'):
        acai.read(10)
    with pytest.raises(SystemExit):
        main(["read", "C10", "--out", "page.html"])
    assert "expected one of the two" in capsys.readouterr().err


@pytest.mark.parametrize(("latex", "text"), [
    (r"\Delta w \leftarrow \alpha \Delta w - \eta \nabla F_j(w), \qquad w \leftarrow w + \Delta w",
     "Δw ← αΔw − η∇Fⱼ(w),   w ← w + Δw"),
    (r"\hat r(u,i) = \bar r(u) + \kappa \sum_v s(u,v)", "r̂(u,i) = r̄(u) + κ ∑ᵥ s(u,v)"),
    (r"s(u,v) = \begin{cases} 1 & v \in N_k(u) \cr 0 & \text{else} \end{cases}", "s(u,v) = { 1   v ∈ Nₖ(u)\n           0   else"),
    (r"F = \frac{1}{ND} \sum_{n,d} (y_{nd} - t_{nd})^2", "F = 1/(ND) · ∑_(n, d) (y_nd − t_nd)²"),
    (r"\frac{\partial F}{\partial x_j}", "∂F/∂xⱼ"),
    (r"W = (X^\top X + \lambda I)^{-1} X^\top Y", "W = (XᵀX + λI)⁻¹XᵀY"),
    (r"\tfrac12 \sqrt T + \sqrt{x + 1}", "½√T + √(x + 1)"),
    (r"\arg\min_q \log \frac{a}{b}", "argmin_q log(a/b)"),
    (r"x_{n, c, i s_H + p}", "x_(n, c, i s_H+p)"),
    (r"-1 < (-x)", "−1 < (−x)"),
])
def test_a_formula_as_text(latex, text):
    assert unicode_of(latex) == text


def test_every_formula_of_the_readme_is_text_without_latex():
    formulas = re.findall(r"(?<![`$])\$([^$\n]+)\$", PAGE.sources.readme)
    formulas += [block.text for row in PAGE.rows for block in row.blocks if block.kind == "equation"]
    assert len(formulas) > 300
    for formula in formulas:
        text = unicode_of(formula)
        assert text.strip() and "\\" not in text and "&" not in text, text


def test_a_paragraph_loses_its_marks_and_keeps_its_words():
    assert plain("**Bold** and *not* `code`, [a link](x.md), $\\hat q$; ![a *picture*](p.png)") == (
        "Bold and not code, a link, q̂; (picture: a *picture*)"
    )


def test_a_terminal_with_ascii_only_still_gets_every_formula():
    for row in PAGE.rows:
        for name in row.ids:
            shown = unicode_of(row.latex).encode("ascii", "acai-nearest").decode("ascii")
            assert "\\u" not in shown and "\\x" not in shown, (name, shown)
