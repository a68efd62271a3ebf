"""Code as HTML: coloured by Pygments, one element per line, with the tagged lines and the symbols marked."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

from acai.reader.places import Place

CLASSES = {Comment: "c", String: "s", Number: "m", Keyword: "k", Operator.Word: "k", Name.Function: "f", Name.Class: "f"}
NO_VALUES: Mapping[str, str] = {}
LONGEST = 40  # lines of a function that are shown; the rest is folded
Symbol = Callable[[str, str], tuple[str, str] | None]  # from a name in code and what follows it to a symbol and its attributes
INDEX = 6  # words that an index may have: those of ["W"] are five


def highlighted(text: str, language: str = "python", symbol: Symbol | None = None) -> str:
    """Return code with its comments, strings, numbers, keywords and symbols marked; other languages only escaped."""
    return "\n".join(lines_of(text, symbol)) if language in ("python", "py") else escape(text)


def lines_of(text: str, symbol: Symbol | None = None) -> list[str]:
    """Return the lines of Python code as HTML."""
    return ["".join(_drawn(line, symbol)) for line in _words_of(text)]


@dataclass(frozen=True)
class Word:
    """A piece of one line of code: its text, its CSS class, and whether it is code and not a comment or a string."""

    text: str
    css: str
    is_code: bool


@cache
def _words_of(text: str) -> list[list[Word]]:
    """Split code into lines and words. Several equations may have the same test, so the answer is kept."""
    lines: list[list[Word]] = [[]]
    for kind, words in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        css, is_code = _class_of(kind)
        first, *others = words.split("\n")
        lines[-1].append(Word(first, css, is_code))
        lines += [[Word(other, css, is_code)] for other in others]
    return lines


@cache
def _class_of(kind: _TokenType) -> tuple[str, bool]:
    """Return the CSS class of a kind of token, and whether it is code and not a comment or a string."""
    css = next((css for family, css in CLASSES.items() if kind in family), "")
    return css, kind not in String and kind not in Comment


def _drawn(words: list[Word], symbol: Symbol | None) -> Iterator[str]:
    """Yield the words of a line as HTML. A symbol may be several words: `P[u]`."""
    left = ""  # of a symbol that has been drawn
    for number, word in enumerate(words):
        if left:
            left = left.removeprefix(word.text)
            continue
        found = None
        if symbol and word.is_code and word.text.isidentifier():
            found = symbol(word.text, "".join(other.text for other in words[number + 1 : number + 1 + INDEX]))
        if found:
            text, attributes = found
            left = text.removeprefix(word.text)
            yield f"<span {attributes}>{escape(text)}</span>"
        else:
            has_class = word.css and word.text.strip()
            yield f'<span class="{word.css}">{escape(word.text)}</span>' if has_class else escape(word.text)


def listing(place: Place, symbol: Symbol | None = None, values: Mapping[str, str] = NO_VALUES) -> str:
    """Return the source of a place: numbered lines, the tagged ones marked, and all beyond 40 lines folded.

    `values` are those of its variables in the worked example.
    """
    indent = min((len(line) - len(line.lstrip()) for line in place.lines if line.strip()), default=0)
    lines = lines_of("\n".join(without_noqa(line[indent:]) for line in place.lines), symbol)
    drawn = [_line(number, line, number in place.marked) for number, line in enumerate(lines, place.first)]
    first, last = shown_lines(len(drawn), [number - place.first for number in place.marked])
    before, after = _folded(drawn[:first]), _folded(drawn[last:])
    label = escape(f"code of {place.name or place.path}")
    data = f' data-values="{escape(json.dumps(dict(values), ensure_ascii=False))}"' if values else ""
    shown = "".join(drawn[first:last])
    return f'<div class="code" tabindex="0" role="group" aria-label="{label}"{data}>{before}{shown}{after}</div>'


def without_noqa(line: str) -> str:
    """Return a line without what it tells the linter, which is not about the equation."""
    return line.partition("  # noqa")[0]


def shown_lines(n: int, marked: list[int]) -> tuple[int, int]:
    """Choose the 40 of `n` lines that are not folded: from the first, unless the last tagged one would be folded."""
    first = max(0, min(max(marked, default=0) + 5, n) - LONGEST)
    return first, min(n, first + LONGEST)


def _line(number: int, line: str, marked: bool) -> str:
    here = f"<mark>{line or ' '}</mark>" if marked else line
    return f'<div class="line{" tagged" if marked else ""}"><span class="no" aria-hidden="true">{number}</span>{here}</div>'


def _folded(lines: list[str]) -> str:
    return f"<details><summary>{len(lines)} more lines</summary>{''.join(lines)}</details>" if lines else ""
