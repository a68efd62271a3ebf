"""Formulas as text: for the terminal, and for readers of the page that cannot see MathML."""

import re
import xml.etree.ElementTree as ET
from functools import cache

from acai.reader.formulas import ACCENTS, FUNCTIONS, element_of

RAISED = dict(zip("0123456789+−=()bfijklmnprstuvwxTLᵀ′*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵇᶠⁱʲᵏˡᵐⁿᵖʳˢᵗᵘᵛʷˣᵀᴸᵀ′*"))
LOWERED = dict(zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"))
SMALL = "".join({*RAISED.values(), *LOWERED.values()} - {"*"})
MARKS = "\u0302\u0303\u0304"  # hat, tilde and bar, above the letter before them
ONE_SYMBOL = re.compile(rf"∂?\w[{MARKS}]?[{SMALL}]*|\d+|\|[^|]+\||\([^()]*\)")
SPACED = frozenset("=+−±←≈≤≥<>∈/")  # with a space on either side, unless they are signs
LARGE = frozenset("∑⋃")
NAMES = (*sorted(FUNCTIONS), "argmin")
Element = ET.Element


@cache
def unicode_of(latex: str) -> str:
    r"""Return a formula as text: `\Delta w \leftarrow \alpha \Delta w` becomes "Δw ← αΔw". Each of several cases has a line."""
    return "\n".join(line.rstrip() for line in _text(element_of(latex)).strip().split("\n"))


def _text(node: Element) -> str:
    """Return the text of an element."""
    parts = list(node)
    if node.tag == "mspace":
        return "   " if node.get("width") in ("1em", "2em") else " "
    if node.tag == "mtable":
        return "\n".join("   ".join(_text(cell) for cell in row) for row in parts)
    if node.tag == "mfrac":
        return _fraction(_text(parts[0]).strip(), _text(parts[1]).strip())
    if node.tag == "msqrt":
        inside = _row(parts).strip()
        return f"√{inside}" if ONE_SYMBOL.fullmatch(inside) else f"√({inside})"
    if node.tag == "mover" and (parts[1].text in ACCENTS or parts[1].text == "―"):
        base = _text(parts[0])
        return base[:1] + ACCENTS.get(parts[1].text or "", "\u0304") + base[1:]
    if node.tag in ("msub", "munder"):
        return _text(parts[0]).strip() + _script(parts[1], LOWERED, "_")
    if node.tag in ("msup", "mover"):
        return _text(parts[0]).strip() + _script(parts[1], RAISED, "^")
    if node.tag in ("msubsup", "munderover"):
        return _text(parts[0]).strip() + _script(parts[1], LOWERED, "_") + _script(parts[2], RAISED, "^")
    if parts:
        return _row(parts)
    return (node.text or "").replace("\xa0", " ").replace("⊤", "ᵀ")


def _row(parts: list[Element]) -> str:
    """Join the elements of a row, with spaces and multiplication dots where one would write them."""
    line, before = "", None
    for part in parts:
        text = _text(part)
        if before is not None and _is_function(before) and part.tag == "mfrac":
            text = f"({text})"
        line += _joint(line, before, part, text)
        margin = " " * len(line.rpartition("\n")[2])
        line += text.replace("\n", f"\n{margin}")  # the cases of a definition are below each other
        before = part
    return line


def _joint(line: str, before: Element | None, part: Element, text: str) -> str:
    """Return what goes between a line, which ends with one element, and the text of the next."""
    if before is None or not text.strip() or line.endswith(" "):
        return ""
    if text in SPACED:
        return "" if text in "+−" and _is_sign(line.rstrip()) else " "
    if line[-1] in SPACED:
        return "" if line[-1] in "+−" and _is_sign(line[:-1].rstrip()) else " "
    if part.tag == "mtable":
        return " "
    if line[-1] == ",":
        is_argument = line.count("(") + line.count("[") > line.count(")") + line.count("]")
        return "" if is_argument else " "
    if _is_large(before) or line[-1] == ":":
        return " "
    if _is_function(before):
        return "" if text[0] == "(" and before.tag != "munder" else " "
    if (before.tag == "mfrac" and text[0] not in ",.)]|") or (part.tag == "mfrac" and line[-1].isalnum()):
        return " · "
    return " " if _would_run_together(line, before, text) else ""


def _is_sign(before: str) -> bool:
    """Whether a plus or minus after this text belongs to the number behind it."""
    return not before or before[-1] in "=(,←["


def _would_run_together(line: str, before: Element, text: str) -> bool:
    """Whether two factors need a space: "W_oc x", "α log", "c(u,i) ∑"."""
    if text[0] in LARGE:
        return line[-1] not in "(|‖["
    if not (text[0].isalnum() or text[0] in "√("):
        return False
    ends_low = before.tag == "mtext" or re.search(r"[_^](\w+|\([^()]*\))$", line)
    starts_low = "_" in text and line[-1].isalnum() and line[-1] not in "dΔ"
    return bool(starts_low or text.startswith(NAMES) or (ends_low and text[0].isalnum()))


def _is_large(node: Element) -> bool:
    """Whether an element is the sign of a sum or union, perhaps with something below and above it."""
    return (node[0].text if len(node) else node.text) in LARGE


def _is_function(node: Element) -> bool:
    """Whether an element is the name of a function, such as log, perhaps with something below it."""
    return (node[0].text if len(node) else node.text) in NAMES


def _fraction(above: str, below: str) -> str:
    if above == "1" and below == "2":
        return "½"
    return "/".join(text if ONE_SYMBOL.fullmatch(text) else f"({text})" for text in (above, below))


def _script(node: Element, small: dict[str, str], mark: str) -> str:
    """Return a subscript or superscript in small characters if there are such, otherwise after a mark."""
    text = _text(node).strip()
    tight = text if node.find(".//mtext") is not None else re.sub(r" *([=+−∈/<>]) *", r"\1", text)
    is_word = len(tight) > 2 and tight.isalpha() and small is RAISED
    if not is_word and all(character in small for character in tight):
        return "".join(small[character] for character in tight)
    return f"{mark}{tight}" if tight.isascii() and tight.isalnum() else f"{mark}({tight})"
