"""Where each equation is computed: found by the ids, such as (C10), in comments and docstrings."""

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from acai.reader.sources import Sources

ID = r"[CNADE]\d+(?:\.\d+)?"
IN_PARENTHESES = re.compile(rf"\((?:{ID})(?:(?:,| and| to|–| …)\s*{ID})*[;)]")
ABOUT_EQUATIONS = {"gradcheck", "teaching", "plots", "commands", "studies", "reader"}  # they mention ids, but compute other things
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Place:
    """A function (or class, or statement) that computes an equation.

    Attributes
    ----------
    path, name : str
        Its file and its name there, such as `Conv2D._backward`.
    first : int
        The number of its first line.
    lines : tuple of str
        Its source.
    marked : frozenset of int
        The numbers of the lines that carry the equation's id.
    """

    path: str
    name: str
    first: int
    lines: tuple[str, ...]
    marked: frozenset[int]


@dataclass(frozen=True)
class Tag:
    """One id in one file: where it is, and whether in a comment or in a docstring."""

    id: str
    line: int
    in_comment: bool
    begins: bool  # the docstring begins with it


def ids_in(words: str) -> list[str]:
    """List the ids of equations that are mentioned in parentheses."""
    return [name for match in IN_PARENTHESES.findall(words) for name in re.findall(ID, match)]


def tags_of(text: str) -> Iterator[Tag]:
    """Yield every id in the comments and docstrings of a file."""
    source = text.splitlines()
    in_docstrings = set()
    for _, node in definitions_of(text):
        if ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines = source[docstring.lineno - 1 : docstring.end_lineno]
            in_docstrings |= set(range(docstring.lineno, docstring.lineno + len(lines)))
            computed = _computed(lines[0])
            for number, line in enumerate(lines, docstring.lineno):
                for name in ids_in(line):
                    yield Tag(name, number, in_comment=False, begins=number == docstring.lineno and name in computed)
    for number, line in enumerate(source, 1):
        if "#" in line and number not in in_docstrings and IN_PARENTHESES.search(line):
            for name in ids_in(_comment_of(line)):
                yield Tag(name, number, in_comment=True, begins=False)


def _comment_of(line: str) -> str:
    """Return the comment at the end of a line of code, "" if it has none or one for the linter."""
    comment = ""
    with suppress(tokenize.TokenError, IndentationError):  # its brackets may be closed on another line
        for token in tokenize.generate_tokens(io.StringIO(line.strip()).readline):
            comment = token.string if token.type == tokenize.COMMENT else comment
    return "" if "noqa" in comment else comment


def _computed(summary: str) -> list[str]:
    """Return the ids that a docstring begins with: "(N7.1) dx, (N7.2) dW: …" computes N7.1 and N7.2."""
    return ids_in(summary.partition(":")[0]) if re.match(rf'[ru"\s]*\({ID}', summary) else []


@cache
def tree_of(text: str) -> ast.Module:
    """Parse a file of code."""
    return ast.parse(text)


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what a file consists of, at any depth, but for expressions: they have most of the nodes and define nothing."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.expr):
            yield node
            yield from statements(node)


@cache
def definitions_of(text: str) -> tuple[tuple[str, Definition], ...]:
    """Return every function and class of a file with its qualified name, outer ones first."""
    return tuple(definitions(tree_of(text)))


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Yield every function and class of a file with its qualified name, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            yield prefix + node.name, node
            yield from definitions(node, f"{prefix}{node.name}.")
        elif not isinstance(node, ast.expr):
            yield from definitions(node, prefix)


def first_line(node: Definition) -> int:
    """Return the line on which a definition begins, with its decorators."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def enclosing(path: str, text: str, marked: set[int]) -> Place:
    """Return the smallest definition around the marked lines, or those lines alone if they are in none."""
    lines = text.splitlines()
    found = ("", min(marked), max(marked))
    for name, node in definitions_of(text):
        if first_line(node) <= min(marked) and max(marked) <= (node.end_lineno or 0):
            found = (name, first_line(node), node.end_lineno or 0)
    name, first, last = found
    return Place(path, name, first, tuple(lines[first - 1 : last]), frozenset(marked))


def level_of(path: str) -> str | None:
    """Return the tab to which a file of the package belongs: "loops", "plain", "fast", or None if it computes no equation."""
    parts = path.removesuffix(".py").split("/")
    if ABOUT_EQUATIONS & set(parts):
        return None
    if "reference" in parts:
        return "loops"
    return "plain" if "plain" in parts else "fast"


def places_of(sources: Sources) -> dict[str, dict[str, list[Place]]]:
    """Return the places of every equation: by level, then by id.

    A comment with the id marks the line that computes an equation; a docstring counts if it begins with the id. Only an
    equation without such a place has those whose docstrings mention it.
    """
    found: dict[str, dict[str, list[Place]]] = {level: defaultdict(list) for level in ("loops", "plain", "fast")}
    mentions: dict[str, dict[str, list[Place]]] = {level: defaultdict(list) for level in found}
    for path, text in sources.code.items():
        level = level_of(path)
        if level is None or not IN_PARENTHESES.search(text):
            continue
        for name, place, certain in _places_in(path, text):
            (found if certain else mentions)[level][name].append(place)
    for level, of_level in mentions.items():
        for name, places in of_level.items():
            found[level].setdefault(name, places)
    return {level: dict(places) for level, places in found.items()}


def _places_in(path: str, text: str) -> Iterator[tuple[str, Place, bool]]:
    """Yield the id, the place and whether it is certain, for each equation and each function of one file."""
    by_place: dict[tuple[str, str, int], list[Tag]] = defaultdict(list)
    for tag in tags_of(text):
        around = enclosing(path, text, {tag.line})
        by_place[tag.id, around.name, around.first].append(tag)
    for (name, _, _), tags in by_place.items():
        in_comments = {tag.line for tag in tags if tag.in_comment}
        certain = bool(in_comments) or any(tag.begins for tag in tags)
        yield name, enclosing(path, text, in_comments or {tag.line for tag in tags}), certain
