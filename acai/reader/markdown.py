"""The README's Markdown as HTML: the few constructs that it uses, and nothing else. Whatever is not one of them is text."""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from acai.reader.code import highlighted
from acai.reader.formulas import TAG, mathml, parts_of
from acai.reader.unicode_math import unicode_of

Picture = Callable[[str], bytes | None]
FENCE = re.compile(r"(```+)(\S*)$")
SPAN = re.compile(
    r"(?P<code>`(?P<code_>[^`]+)`)|(?P<math>\$(?P<math_>[^$\n]+)\$)|(?P<image>!\[(?P<alt>[^\]]*)\]\((?P<source>[^)\s]+)\))"
    r"|(?P<link>\[(?P<words>[^\]]*)\]\((?P<target>[^)\s]+)\))|(?P<bold>\*\*(?P<bold_>.+?)\*\*)|(?P<italic>\*(?P<italic_>[^*\s][^*]*)\*)"
)
INLINE_MATH = re.compile(r"\$`([^`\n]+)`\$")  # GitHub's second notation, which Markdown leaves alone


@dataclass(frozen=True)
class Block:
    """A block of the README: its kind ("heading", "paragraph", "equation", "code", "table", "list", "html") and its text."""

    kind: str
    text: str
    info: str = ""  # the level of a heading, the language of code

    @property
    def ids(self) -> list[str]:
        """The ids of an equation."""
        return TAG.findall(self.text) if self.kind == "equation" else []


def blocks_of(text: str) -> Iterator[Block]:
    """Split Markdown into blocks."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        fence = FENCE.match(line)
        if not line.strip():
            at += 1
        elif fence:
            end = next((number for number in range(at + 1, len(lines)) if lines[number].strip() == fence[1]), len(lines))
            yield Block("equation" if fence[2] == "math" else "code", "\n".join(lines[at + 1 : end]), fence[2])
            at = end + 1
        elif line.strip() == "$$":
            end = _next(lines, at, lambda other: other.strip() == "$$")
            yield Block("equation", "\n".join(lines[at + 1 : end]))
            at = end + 1
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            yield Block("heading", line.lstrip("# ").strip(), str(level))
            at += 1
        elif re.fullmatch(r"</?(?:details|summary)[^>]*>.*", line.strip()):
            yield Block("html", line.strip())
            at += 1
        else:
            end = _next(lines, at, lambda other: not other.strip() or other.startswith("#") or bool(FENCE.match(other)))
            kind = "paragraph"
            if line.startswith("|"):
                kind = "table"
            elif line.startswith(("- ", "1. ")):
                kind = "list"
            yield Block(kind, "\n".join(lines[at:end]))
            at = end


def _next(lines: list[str], at: int, ends: Callable[[str], bool]) -> int:
    """Return the number of the next line at which a block ends, or the number of lines."""
    return next((number for number in range(at + 1, len(lines)) if ends(lines[number])), len(lines))


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Renderer:
    """Turns blocks into HTML.

    Parameters
    ----------
    picture : callable
        From the path of a picture to its contents, or to None where there is none.
    ids : set of str
        The ids of all equations on the page; a mention such as (C10) becomes a link.
    is_whole : bool
        Whether the page has all of the README; otherwise, links to its other sections are only their words.
    """

    def __init__(self, picture: Picture, ids: set[str], is_whole: bool = True) -> None:
        self.picture = picture
        self.is_whole = is_whole
        self.colours: dict[str, int] = {}  # of the symbols in the formulas of this row
        longest_first = sorted(ids, key=len, reverse=True)
        self.mention = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b(?!\.\d)")

    def block(self, block: Block) -> str:
        """Return one block as HTML."""
        if block.kind == "heading":
            level = min(int(block.info), 6)
            return f'<h{level} id="{slug(block.text)}">{self.inline(block.text)}</h{level}>'
        if block.kind == "equation":
            formulas = "".join(self._formula(part, display=True) for part in parts_of(block.text))
            return f'<div class="eq" tabindex="0" role="group" aria-label="formula">{formulas}</div>'
        if block.kind == "code":
            return f'<pre class="listing" tabindex="0"><code>{highlighted(block.text, block.info)}</code></pre>'
        if block.kind == "table":
            return self._table(block.text.splitlines())
        if block.kind == "list":
            items = re.split(r"^(?:- |\d+\. )", block.text, flags=re.MULTILINE)[1:]
            return "<ul>" + "".join(f"<li>{self.inline(item.strip())}</li>" for item in items) + "</ul>"
        if block.kind == "html":
            return self._details(block.text)
        return f"<p>{self.inline(block.text)}</p>"

    def inline(self, text: str) -> str:
        """Return text with code, formulas, pictures, links, bold and italics."""
        text = INLINE_MATH.sub(r"$\1$", text)
        parts, end = [], 0
        for match in SPAN.finditer(text):
            parts += [self._plain(text[end : match.start()]), self._span(match)]
            end = match.end()
        return "".join([*parts, self._plain(text[end:])])

    def _plain(self, text: str) -> str:
        return self.mention.sub(r'<a href="#\1">\1</a>', escape(text))

    def _span(self, match: re.Match[str]) -> str:
        if match["code"]:
            return f"<code>{escape(match['code_'])}</code>"
        if match["math"]:
            return self._formula(match["math_"])
        if match["image"]:
            return self._picture(match["source"], match["alt"])
        if match["link"]:
            return self._link(match["target"], self.inline(match["words"]))
        if match["bold"]:
            return f"<strong>{self.inline(match['bold_'])}</strong>"
        return f"<em>{self.inline(match['italic_'])}</em>"

    def _formula(self, latex: str, display: bool = False) -> str:
        """Return a formula as MathML, with its text for readers that cannot read MathML."""
        return mathml(latex, display, self.colours, unicode_of(latex))

    def _link(self, target: str, words: str) -> str:
        """Return a link within the page, or to a page of the network that one may follow; a link to a file is only its words."""
        if target.startswith(("https://", "http://")) or (target.startswith("#") and self.is_whole):
            return f'<a href="{escape(target)}">{re.sub("</?a[^>]*>", "", words)}</a>'
        return f'<span class="file" title="{escape(target)}">{words}</span>'

    def _picture(self, source: str, alt: str) -> str:
        contents = self.picture(source)
        if contents is None:
            return f"<em>(picture: {escape(alt)})</em>"
        kind = "svg+xml" if source.endswith(".svg") else "png"
        return f'<img alt="{escape(alt)}" src="data:image/{kind};base64,{base64.b64encode(contents).decode()}">'

    def _table(self, lines: list[str]) -> str:
        head, *body = (self._cells(line) for line in lines if not _is_rule(line))
        headings = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        rows = []
        for cells in body:
            drawn = "".join(f"<td>{cell}</td>" for cell in cells)
            rows.append(f"<tr>{drawn}</tr>")
        table = f"<table><thead><tr>{headings}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        return f'<div class="wide" tabindex="0" role="group" aria-label="table">{table}</div>'

    def _cells(self, line: str) -> list[str]:
        """Return the cells of a line of a table as HTML."""
        return [self.inline(cell.replace(r"\|", "|")) for cell in cells_of(line)]

    def _details(self, line: str) -> str:
        """Return a line of `<details>` or `<summary>` with its words escaped."""
        parts = re.split(r"(</?(?:details|summary)>)", line)
        return "".join(part if part.startswith("<") and part.endswith(">") else self.inline(part) for part in parts)


def cells_of(line: str) -> list[str]:
    """Return the cells of a line of a table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))]


def _is_rule(line: str) -> bool:
    return bool(re.fullmatch(r"\|[\s:|-]+\|?", line.strip())) and "-" in line
