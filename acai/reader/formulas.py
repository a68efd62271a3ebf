"""Formulas: from the README's LaTeX to MathML, in which every symbol is marked."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from latex2mathml.converter import convert

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
ACCENTS = {"^": "\u0302", "¯": "\u0304", "ˉ": "\u0304", "‾": "\u0304", "~": "\u0303"}
DIFFERENTIALS = {"d", "Δ"}  # which make one symbol with the letter that follows: dx, Δw
BIG_BAR = re.compile(r"(\\[bB]igg?[lr]?)\s*\\[lr]vert")  # which latex2mathml leaves as it is
DIRECTIONS = {"H", "W"}  # as an index they make one symbol with their letter: s_H, the vertical stride
FUNCTIONS = {"log", "tanh", "cos", "sin", "exp", "min", "max", "mod"}
GATHERED = re.compile(r"\\(?:begin|end)\{gathered\}")  # around a formula of several lines
OPENING = {")": "(", "]": "[", "‖": "‖"}  # of each closing bracket
TAG = re.compile(r"\\tag\{(.*?)\}")
NO_COLOURS: Mapping[str, int] = {}
Element = ET.Element


def mathml(latex: str, display: bool = False, colours: Mapping[str, int] = NO_COLOURS, text: str = "") -> str:
    """Convert a formula to MathML; each symbol that has a colour carries it as its class, and its key in `data-s`.

    `text` says the same without MathML.
    """
    root = element_of(latex, display)
    if text:
        root.set("alttext", text)
    _mark(root)
    for node in root.iter():
        key = node.attrib.get("data-s", "")
        if key in colours:
            node.set("class", f"sym k{colours[key]}")
        else:
            node.attrib.pop("data-s", None)
    return ET.tostring(root, encoding="unicode")


def parts_of(latex: str) -> list[str]:
    r"""Split a formula at its line breaks and `\qquad`, so that its parts can be below each other where there is little room."""
    lines = GATHERED.sub("", latex).split(r"\cr") if GATHERED.search(latex) else [latex]
    parts = [part for line in lines for part in line.split(r"\qquad")]
    return [part for part in parts if TAG.sub("", part).strip()]


@cache
def symbols_of(latex: str) -> tuple[str, ...]:
    """Return the keys of all symbols of a formula, in order, each once."""
    root = element_of(latex, display=False)
    _mark(root)
    return tuple(dict.fromkeys(node.attrib["data-s"] for node in root.iter() if "data-s" in node.attrib))


@cache
def _converted(latex: str, display: str) -> str:
    """Convert LaTeX to MathML. The same few symbols are in the text again and again."""
    return convert(latex, display=display)


def element_of(latex: str, display: bool = False) -> Element:
    """Convert a formula to the elements of MathML; nothing is marked yet."""
    if GATHERED.search(latex):
        latex = GATHERED.sub("", latex).replace(r"\cr", r"\qquad")
    latex = TAG.sub("", latex).replace(r"\cr", r"\\").replace(r"\arg\min", r"\operatorname{argmin}")
    latex = BIG_BAR.sub(r"\1|", latex)
    root = ET.fromstring(_converted(latex.strip(), "block" if display else "inline"))
    for node in root.iter():
        node.tag = node.tag.removeprefix(f"{{{NAMESPACE}}}")
    for node in list(root.iter()):
        _close_brackets(node)
    return root


def _close_brackets(row: Element) -> None:
    """Put a pair of brackets with an exponent into the base of that exponent: alone there, the second would not be as tall."""
    for scripted in [child for child in row if child.tag in ("msup", "msub", "msubsup") and child[0].text in OPENING]:
        children = list(row)
        last = children.index(scripted)
        first = _opening(children[:last], scripted[0].text or "")
        if first is None:
            continue
        base, closing = ET.Element("mrow"), scripted[0]
        for child in children[first:last]:
            row.remove(child)
        scripted.remove(closing)
        base.extend([*children[first:last], closing])
        scripted.insert(0, base)


def _opening(before: list[Element], closing: str) -> int | None:
    """Find the bracket that belongs to a closing one among the elements before it."""
    depth = 0
    for number in range(len(before) - 1, -1, -1):
        texts = [before[number].text, *(part.text for part in before[number][:1])]
        if OPENING[closing] in texts:
            if depth == 0:
                return number
            depth -= 1
        elif closing in texts:
            depth += 1
    return None


def _mark(node: Element) -> None:
    """Mark the symbols among the children of a node: letters, with their accents, and with a d or Δ before them."""
    _join_differentials(node)
    for child in node:
        key = _key(child)
        if key:
            child.set("data-s", key)
        else:
            _mark(child)


def _join_differentials(node: Element) -> None:
    """Put a d or Δ and the letter after it into one group. In a `msub`, the group is the base: dx with index n."""
    children = list(node)
    if node.tag not in ("mrow", "math", "mtd", "mstyle"):
        return
    for first, second in pairwise(children):
        letter = second[0] if second.tag in ("msub", "msup", "msubsup") else second
        if first.tag != "mi" or first.text not in DIFFERENTIALS or letter.tag != "mi":
            continue
        group = ET.Element("mrow")
        position = list(node).index(first)
        node.remove(first)
        if letter is second:
            node.remove(second)
            node.insert(position, group)
        else:
            second.remove(letter)
            second.insert(0, group)
        group.extend([first, letter])


def _key(node: Element) -> str | None:
    """Return the key of a symbol (`η`, `r̂`, `Δw`), or None if the node is not one symbol."""
    if node.tag == "mi" and node.text and node.text[0].isalpha() and node.text not in FUNCTIONS:
        return node.text
    if node.tag == "mtext" and node.text and re.fullmatch(r"[A-Z][A-Za-z@]*|coverage", node.text.strip()):
        return node.text.strip()
    if node.tag == "msub" and node[0].tag == "mi" and "".join(node[1].itertext()) in DIRECTIONS:
        return f"{node[0].text}_{''.join(node[1].itertext())}"
    if node.tag == "mover" and len(node) == 2 and node[0].tag == "mi" and node[1].text in ACCENTS:
        return f"{node[0].text}{ACCENTS[node[1].text]}"
    if node.tag == "mrow" and len(node) == 2 and node[0].tag == "mi" and node[0].text in DIFFERENTIALS and node[1].tag == "mi":
        return f"{node[0].text}{node[1].text}"
    return None
