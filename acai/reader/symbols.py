"""The README's table of symbols: what each means where, and what it is called in the code."""

import io
import keyword
import re
import textwrap
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from acai.reader.formulas import symbols_of
from acai.reader.markdown import Block, blocks_of, cells_of
from acai.reader.places import Place

GREEK = {
    "α": "alpha", "β": "beta", "δ": "delta", "ε": "epsilon", "η": "eta", "κ": "kappa", "λ": "lam", "μ": "mu", "π": "pi",
    "ρ": "rho", "σ": "sigma", "Σ": "sigma",
}
HEADING = "in code"  # of the last column


@dataclass(frozen=True)
class Symbol:
    """One symbol of the table, or one name in the code that has no symbol.

    Attributes
    ----------
    key : str
        The symbol as it is marked in formulas, such as `r̂`; for a name without a symbol, that name.
    latex : str
        The symbol as the table writes it; empty for a name without a symbol.
    meaning : str
        In words (and formulas, between dollar signs).
    where : tuple of str
        The parts ("C") and equations ("C11") in which it means this.
    names : tuple of str
        What it is called in the code: names, perhaps with an index, such as `P[u]`.
    reason : str
        Why it has no name in some code, or why a name has no symbol.
    """

    key: str
    latex: str
    meaning: str
    where: tuple[str, ...]
    names: tuple[str, ...]
    reason: str = ""


class SymbolTable:
    """All symbols of the README's table, found by equation."""

    def __init__(self, readme: str) -> None:
        self.symbols = [symbol for row in _rows(blocks_of(readme)) for symbol in _symbols_of_row(row)]

    def of_equation(self, name: str, latex: str) -> dict[str, Symbol]:
        """Return what each symbol of an equation means there; a row for the equation itself precedes one for its part."""
        found = {}
        for key in symbols_of(latex):
            found[key] = self._lookup(name, key) or Symbol(key, key, "", (), default_names(key))
        return found

    def names_without_symbol(self, name: str) -> dict[str, Symbol]:
        """Return the names in the code of an equation that the table explains although they are not in the equation."""
        rows = [symbol for symbol in self.symbols if not symbol.latex and (name in symbol.where or name[0] in symbol.where)]
        return {symbol.key: symbol for symbol in rows}

    def unexplained(self, name: str, latex: str, names: set[str]) -> list[str]:
        """Return the names that look like symbols but are neither in the equation nor explained by the table."""
        known = {own for symbol in self.of_equation(name, latex).values() for own in symbol.names}
        known |= set(self.names_without_symbol(name))
        letters = {*GREEK.values(), "dx", "dy", "dW", "db", "delta_w", "delta_W", "delta_b"}
        return sorted(own for own in names - known if len(own) == 1 or own in letters)

    def _lookup(self, name: str, key: str) -> Symbol | None:
        rows = [symbol for symbol in self.symbols if symbol.key == key and symbol.latex]
        for place in (name, name[0]):
            for symbol in rows:
                if place in symbol.where:
                    return symbol
        return None


def default_names(key: str) -> tuple[str, ...]:
    """Return what a symbol is called in the code unless the table says otherwise: its letter, or the name of a Greek one."""
    plain = key.replace("\u0302", "_hat").replace("\u0304", "_bar").replace("Δ", "delta_")
    return tuple(dict.fromkeys([GREEK.get(plain, plain), key])) if plain in GREEK else (plain,)


def names_in(lines: Iterable[str]) -> set[str]:
    """Return the names in some lines of code, which need not be complete statements."""
    text = textwrap.dedent("\n".join(lines))
    names = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                names.add(token.string)
    except (tokenize.TokenError, IndentationError):  # the lines end within brackets: what came before counts
        pass
    return names


@cache
def names_of(place: Place) -> frozenset[str]:
    """Return the names in the code of a place."""
    return frozenset(names_in(place.lines))


def _rows(blocks: Iterable[Block]) -> list[list[str]]:
    """Return the cells of the table whose last heading is "in code"."""
    for block in blocks:
        lines = block.text.splitlines()
        if block.kind == "table" and cells_of(lines[0])[-1] == HEADING:
            return [cells_of(line) for line in lines[2:]]
    return []


def _symbols_of_row(cells: list[str]) -> list[Symbol]:
    """Return the symbols of a row: the n-th symbol has the n-th meaning and the n-th name, separated by semicolons."""
    first, meaning, where, code = cells
    left = re.findall(r"\$([^$]+)\$|`([^`]+)`", first)
    meanings, names = (re.split(r";\s*", cell) for cell in (meaning, code))
    symbols = []
    for number, (latex, name) in enumerate(left):
        said = names[number] if number < len(names) else names[-1] if not latex else ""  # names without a symbol share a reason
        key = symbols_of(latex)[0] if latex else name
        in_code, _, reason = said.partition("(")
        given = tuple(re.findall(r"`([^`]+)`", in_code))
        own = given if reason or given or not latex else default_names(key)
        symbols.append(Symbol(key, latex, meanings[min(number, len(meanings) - 1)], _places(where), own, reason.removesuffix(")")))
    return symbols


def _places(where: str) -> tuple[str, ...]:
    """Return the parts and equations that a cell names: "C, N5, E3 to E6"."""
    places = []
    for entry in re.split(r",\s*", where):
        first, _, last = entry.partition(" to ")
        if last:
            places += _range(first.strip(), last.strip())
        else:
            places.append(first.strip())
    return tuple(places)


def _range(first: str, last: str) -> list[str]:
    """Return the equations of a range: E3, E4, E5 for "E3" and "E5"; N7.1, N7.2 for "N7.1" and "N7.2"."""
    stem = first.rstrip("0123456789")
    return [f"{stem}{number}" for number in range(int(first.removeprefix(stem)), int(last.removeprefix(stem)) + 1)]
