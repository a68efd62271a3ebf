"""The README is true: its equations are in the code and in the loops, its links lead there, its code runs, its map is right.

`python tests/test_readme.py` writes the links below the equations anew, and what the examples print, for when lines have moved
or words have changed.
"""

import ast
import contextlib
import html
import io
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from source_files import python_files

from acai.bench import rows, table

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
ID = r"[CNADE]\d+(?:\.\d+)?"
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
ARROW = "↳ "


def text() -> str:
    return README.read_text(encoding="utf-8")


def tags(words: str) -> list[str]:
    """The ids of all equations of the README, in order."""
    return re.findall(rf"\\tag\{{({ID})\}}", words)


def files_in(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in python_files(ROOT / folder))


def places(files: list[Path], pattern: str) -> dict[str, tuple[str, int]]:
    """Where each id first stands: (path, line number)."""
    found: dict[str, tuple[str, int]] = {}
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for match in re.findall(pattern, line):
                for name in re.findall(ID, match):
                    found.setdefault(name, (path.relative_to(ROOT).as_posix(), number))
    return found


def code_places() -> dict[str, tuple[str, int]]:
    """Each equation's line of code: where a comment carries its id, and only in want of one, where a docstring does."""
    others = {"reference", "teaching", "plots", "commands", "studies", "gradcheck", "plain.py"}  # they speak of equations, too
    files = [path for path in files_in("acai") if not others & set(path.relative_to(ROOT).parts)]
    in_group = rf"\((?:{ID})(?:(?:,| and| to|–| …)\s*{ID})*\)"
    return places(files, rf"{in_group}") | places(files, rf"#.*?({in_group})")


def loop_places() -> dict[str, tuple[str, int]]:
    return places(files_in("acai/reference"), rf"\(({ID})\)")


def with_links(words: str) -> str:
    """The README with a line of links below every equation."""
    code, loops = code_places(), loop_places()
    lines: list[str] = []
    inside, ids = False, []
    for line in words.splitlines():
        if line.startswith(ARROW):
            continue
        lines.append(line)
        if inside:
            ids += tags(line)
        if line.strip() == "$$":
            if inside and ids:
                lines += ["", ARROW + " · ".join(_links(name, code, loops) for name in ids)]
            inside, ids = not inside, []
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _links(name: str, code: dict, loops: dict) -> str:
    (path, line), (loop_path, loop_line) = code[name], loops[name]
    return f"{name}: [{path}:{line}]({path}#L{line}), [loops]({loop_path}#L{loop_line})"


EXAMPLE = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


def printed(code: str) -> str:
    """What an example prints, without spaces at the ends of lines."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(), re.DOTALL | re.MULTILINE)


def test_every_equation_is_in_the_readme_in_the_code_and_in_the_loops():
    in_readme = tags(text())
    assert len(in_readme) == len(set(in_readme)), "an id stands for two equations"
    assert set(in_readme) == set(loop_places()) == set(code_places())


def test_every_equation_is_followed_by_links_to_the_lines_that_carry_its_id():
    assert with_links(text()) == text(), "lines have moved: run python tests/test_readme.py"


def test_no_formula_has_what_markdown_spoils_before_it_is_drawn():
    """GitHub reads `\\,` and `\\{` as Markdown first, which leaves a comma and a brace; and it forbids \\operatorname."""
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", text(), flags=re.DOTALL | re.MULTILINE)
    for formula in re.findall(r"\$\$.*?\$\$|\$[^$\n]+\$", prose, re.DOTALL):
        assert not re.search(r"\\[^A-Za-z\s]|\\operatorname", formula), formula


def test_every_formula_survives_githubs_parser_of_markdown():
    """Markdown takes `}_o = … _{` for emphasis. No formula may come out with an element of HTML in it, or without a character."""
    cmarkgfm = pytest.importorskip("cmarkgfm")
    drawn = cmarkgfm.github_flavored_markdown_to_html(text())
    displayed = r"\$\$(.*?)\$\$"
    found, written = (re.findall(displayed, words, re.DOTALL) for words in (drawn, text()))
    assert [" ".join(html.unescape(formula).split()) for formula in found] == [" ".join(formula.split()) for formula in written]
    within_text = re.sub(r"<pre.*?</pre>|<code>.*?</code>|\$\$.*?\$\$", "", drawn, flags=re.DOTALL)
    for formula in re.findall(r"\$([^$\n]+)\$", within_text):
        assert not re.search(r"</?(?!a\b)\w+", formula), formula


def test_no_diagram_is_wider_than_a_hundred_characters():
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text(), re.DOTALL | re.MULTILINE):
        assert language or max(map(len, block.splitlines())) <= 100, block


@pytest.mark.parametrize("target", sorted({target for _, target in LINK.findall(text()) if not target.startswith("http")}))
def test_every_link_leads_somewhere(target):
    path, _, anchor = target.partition("#")
    if not path:
        headings = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text(), re.MULTILINE)}
        assert anchor in headings
        return
    assert (ROOT / path).exists()
    if anchor.startswith("L"):
        assert int(anchor[1:]) <= len((ROOT / path).read_text(encoding="utf-8").splitlines())


def test_every_file_that_is_named_exists():
    """In the README, and in the notebooks, which name the files of what they have taught."""
    sources = [text(), *(path.read_text(encoding="utf-8") for path in files_in("notebooks/source"))]
    named = {path for source in sources for path in re.findall(r"acai/[\w/]+\.py", source)}
    assert {path for path in named if not (ROOT / path).is_file()} == set()


@pytest.mark.parametrize(("code", "shown"), EXAMPLE.findall(text()), ids=lambda words: words.partition("\n")[0][:40])
def test_every_example_prints_what_is_shown_below_it(code, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert printed(code) == shown != ""


def acai_commands() -> list[str]:
    """Every `acai …` that the README says, in blocks and in the text."""
    words = text().replace(r"\|", "|")  # as it stands in a table
    spans = re.findall(r"`(acai [^`\n]+)`", words) + [line for block in blocks("bash") for line in block.splitlines()]
    return sorted({match for span in spans for match in re.findall(r"(?:^|&& |/)(acai [a-z][^&|;>]*)", span)})


@pytest.mark.parametrize("said", acai_commands())
def test_every_command_exists_with_the_options_that_are_named(said, capsys):
    from acai.cli import COMMANDS, main

    words = shlex.split(said.replace("…", ""))[1:]
    command = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    assert command in COMMANDS
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    known = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", known), f"{command} has no {option}"


def test_the_quick_start_is_two_lines_that_make_their_own_environment():
    quick = text().split("## Quick start")[1]
    lines = re.search(r"```bash\n(.*?)```", quick, re.DOTALL).group(1).splitlines()
    assert len(lines) == 2 and all(line.startswith("python3 -m venv .venv && ") for line in lines)
    assert lines[0].endswith("acai demo") and lines[1].endswith("-m pytest")


def test_the_map_names_every_file_and_no_other():
    tree = subprocess.run(["git", "ls-files", "acai"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if not tree:
        pytest.skip("not a git checkout, so there is no list of the project's files to hold the map against")
    modules = {path.removeprefix("acai/") for path in tree if path.endswith(".py") and not path.endswith("__init__.py")}
    mapped: set[str] = set()
    for folder, names in re.findall(r"^\| `acai/([a-z_/]*)` \| (.*?) \|", text(), re.MULTILINE):
        mapped |= {folder + name for name in re.findall(r"`([a-z_0-9]+\.py)`", names)}
    assert mapped == modules


def promises() -> dict[str, list[tuple[str, str]]]:
    """Each promise and the tests that back it: (words, path). The words are the test's name, with spaces in it."""
    section = text().split("\n## What it promises\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\*\*.*) \| (.*?) \|$", section, re.MULTILINE)
    assert len(rows) == section.count("\n| ") - 1, "a row that is no promise and its tests"  # the heading is one, too
    limits = next(line for line in section.splitlines() if line.startswith("**What is not promised**"))
    return {promise: LINK.findall(backed_by) for promise, backed_by in [*rows, ("what is not promised", limits)]}


def names_of_tests(path: Path) -> set[str]:
    """The tests that a file defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_promise_is_backed_by_tests_that_exist():
    assert len(promises()) >= 20
    for promise, backed_by in promises().items():
        assert backed_by, f"nothing backs {promise}"
        for words, path in backed_by:
            name = f"test_{words.replace(' ', '_')}"
            assert path.startswith("tests/test_") and name in names_of_tests(ROOT / path), f"{path}::{name} backs {promise}"


def test_the_table_of_speed_has_the_shape_that_acai_bench_writes():
    lines = [line for line in table._parts(README, "")[1].splitlines() if line.startswith("|")]
    assert lines[:2] == table.markdown(table.HEADER, []).splitlines()
    found = [line.strip("| ").split(" | ") for line in lines[2:]]
    places = [[(row.work, row.against or "–") for row in rows.ROWS.values()].index((cells[0], cells[1])) for cells in found]
    assert places == sorted(set(places))
    time = r"–|\d+(\.\d+)? m?s"
    shapes = (time, time, r"–|\d+\.\d\d", r"[\d.]+( s| s CPU)?", r"–|[\d.e-]+ % of a (matrix product|copy)", time)
    for cells in found:
        assert all(re.fullmatch(shape, cell) for shape, cell in zip(shapes, cells[2:], strict=True)), cells


if __name__ == "__main__":
    shown = EXAMPLE.sub(lambda match: f"```python\n{match[1]}```\n\n```text\n{printed(match[1])}```\n", text())
    README.write_text(with_links(shown), encoding="utf-8")
