"""One equation for the terminal: the formula, what it means, its code, an example with numbers, what the gradient check says."""

import re
import textwrap
from collections.abc import Iterator

from acai.reader.code import shown_lines, without_noqa
from acai.reader.formulas import parts_of
from acai.reader.markdown import INLINE_MATH, SPAN, Block
from acai.reader.page import Page
from acai.reader.places import Place
from acai.reader.rows import Row
from acai.reader.tests_of import closeness
from acai.reader.unicode_math import unicode_of

WIDTH = 100
NEAR = 3  # lines of the fast code that are shown around a tagged one


def text_of(page: Page) -> str:
    """Write out the one equation of a page."""
    name = page.only
    row = next(row for row in page.rows if name in row.ids)
    parts = [*_meaning(row), _symbols(page, name)]
    for tab in ("loops", "plain", "fast"):
        for place in page.places[tab].get(name, []):
            parts.append(f"{tab}: {_where(place)}\n{_listing(place, whole=tab != 'fast')}")
    parts += [_example(page, name), _verdicts(page, name), *_tests(page, name)]
    return "\n\n".join(part for part in parts if part)


def plain(text: str) -> str:
    """Return a paragraph of Markdown without its marks, and with its formulas in Unicode."""
    parts, end = [], 0
    text = INLINE_MATH.sub(r"$\1$", text)
    for match in SPAN.finditer(text):
        parts += [text[end : match.start()], _span(match)]
        end = match.end()
    return "".join([*parts, text[end:]])


def _span(match: re.Match[str]) -> str:
    if match["math"]:
        return unicode_of(match["math_"])
    if match["image"]:
        return f"(picture: {match['alt']})"
    return match["code_"] or plain(match["words"] or match["bold_"] or match["italic_"] or "")


def _meaning(row: Row) -> Iterator[str]:
    """Yield the blocks of the README around an equation."""
    yield f"{' and '.join(f'({name})' for name in row.ids)}  {row.section}"
    for block in row.blocks:
        if block.kind == "equation":
            yield textwrap.indent(_formula(block), "    ")
        elif block.kind == "paragraph" and not block.text.startswith("!["):
            yield textwrap.fill(plain(block.text), WIDTH, break_long_words=False, break_on_hyphens=False)


def _formula(block: Block) -> str:
    """Return a formula; if it does not fit into one line, each of its parts has its own."""
    parts = [unicode_of(part) for part in parts_of(block.text)]
    together = "   ".join(parts)
    return together if len(together) <= WIDTH and "\n" not in together else "\n".join(parts)


def _symbols(page: Page, name: str) -> str:
    """Return a line for each symbol: what it means, and its names in the code."""
    lines, values = [], page.values(name)
    legend = page.legends[name]
    for key, symbol in legend.symbols.items():
        names = ", ".join(legend.names[key])
        counterpart = f"in the code {names}" if names else plain(symbol.reason)
        value = legend.value_of(key, values)
        example = f"; in the example {value}" if value else ""
        lines.append(f"    {unicode_of(symbol.latex)}: {plain(symbol.meaning)}; {counterpart}{example}")
    return "\n".join(["symbols", *lines])


def _where(place: Place) -> str:
    return f"{place.path}:{min(place.marked, default=place.first)} {place.name}".strip()


def _listing(place: Place, whole: bool) -> str:
    """Return the numbered lines of a place with a mark before the tagged ones; in part, only those near a tagged one."""
    first, last = shown_lines(len(place.lines), [number - place.first for number in place.marked])
    numbers = list(range(place.first + first, place.first + last))
    if not whole:
        numbers = [number for number in numbers if any(abs(number - tagged) <= NEAR for tagged in place.marked)]
    indent = min(len(line) - len(line.lstrip()) for line in place.lines if line.strip())
    lines, before = [], place.first - 1
    for number in numbers:
        if number != before + 1:
            lines.append("        …")
        mark = ">" if number in place.marked else " "
        lines.append(f"{mark} {number:>5} {without_noqa(place.lines[number - place.first][indent:])}".rstrip())
        before = number
    if before != place.first + len(place.lines) - 1:
        lines.append("        …")
    return "\n".join(lines)


def _example(page: Page, name: str) -> str:
    worked = page.worked.get(name)
    if worked is None:
        return ""
    lines = [f"    {text}" for line in worked.lines for text in (line.code, *line.with_numbers.splitlines())]
    result = [f"    The result: {worked.result}."] if worked.result else []
    return "\n".join(["example", *lines, *result, f"    {page.verdict_of(name)}"])


def _verdicts(page: Page, name: str) -> str:
    """Return what the gradient check says: about the correct layer, and about each planted bug."""
    bugs = page.bugs.get(name, [])
    if not bugs:
        return ""
    lines = [f"    correct: {page.verdict(name)}"]
    for bug in bugs:
        _, _, what = bug.name.partition(": ")
        said = bug.report.splitlines()
        worst = next((line.strip() for line in said if "WRONG" in line), said[0])
        lines.append(f"    with the bug “{what}”: {re.sub(' +', ' ', worst)}")
    return "\n".join(["the gradient check", *lines])


def _tests(page: Page, name: str) -> Iterator[str]:
    places = page.places["test"].get(name, [])
    if places:
        yield "\n".join(["tests", *(f"    {_where(place)} ({closeness(place)})" for place in places)])
