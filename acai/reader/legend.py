"""The symbols of one equation: their colours, what they mean, and their counterparts in its code."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from html import escape

from acai.reader.code import Symbol as Attributes
from acai.reader.markdown import Renderer
from acai.reader.places import Place
from acai.reader.symbols import Symbol, names_of

N_COLOURS = 18  # the classes k0 to k17 of reader.css; no equation has more symbols


class Legend:
    """The symbols of an equation.

    Parameters
    ----------
    symbols : dict of str to Symbol
        What each symbol of the equation means.
    extra : dict of str to Symbol
        The names without a symbol that the README explains, and what they are.
    places : list of Place
        The code of the equation. Only names that occur there count.
    colours : dict of str to int
        The colours of symbols on the rest of the page, which are kept as far as no two of this equation are the same.

    Attributes
    ----------
    names : dict of str to tuple of str
        The names of each symbol in this code, perhaps with an index: `P[u]`.
    """

    def __init__(self, symbols: dict[str, Symbol], extra: dict[str, Symbol], places: list[Place], colours: dict[str, int]) -> None:
        self.symbols = symbols
        self.colours = _distinct(list(symbols), colours)
        words = frozenset().union(*map(names_of, places))
        text = "\n".join(line.partition("  # ")[0] for place in places for line in place.lines)
        self.names = {
            key: tuple(name for name in symbol.names if (name in words if name.isidentifier() else name in text))
            for key, symbol in symbols.items()
        }
        self.keys: dict[str, list[str]] = defaultdict(list)  # of each name; more than one would be a mistake in the README
        for key, names in self.names.items():
            for name in names:
                self.keys[name].append(key)
        self.extra = {name: symbol for name, symbol in extra.items() if name in words and name not in self.keys}
        self._indexed = {name for name in self.keys if not name.isidentifier()}

    def in_code(self, valued: Collection[str] = ()) -> Attributes:
        """Return the function that marks the names of the symbols in code, and those that have a value in the example."""

        def attributes(name: str, following: str) -> tuple[str, str] | None:
            indexed = next((longer for longer in self._indexed if f"{name}{following}".startswith(longer)), None)
            found = indexed if indexed and indexed.partition("[")[0] == name else name
            if found in self.keys:
                keys = self.keys[found]
                return found, f'class="sym k{self.colours[keys[0]]}" data-s="{escape(" ".join(keys))}"'
            if name in self.extra:
                return name, f'class="own" data-s="{escape(name)}"'
            return (name, 'class="v"') if name in valued else None

        return attributes

    def html(self, renderer: Renderer, values: Mapping[str, str]) -> str:
        """Return the list of symbols, each with its meaning, its names in the code and its value; an entry can be focused.

        `values` are those of the variables in the worked example, from which one sees their shapes.
        """
        entries = [self._entry(key, symbol, renderer, values) for key, symbol in self.symbols.items()]
        entries += [self._extra_entry(name, symbol, renderer) for name, symbol in self.extra.items()]
        return f'<details class="symbols"><summary>Symbols</summary><ul>{"".join(entries)}</ul></details>'

    def _entry(self, key: str, symbol: Symbol, renderer: Renderer, values: Mapping[str, str]) -> str:
        names = ", ".join(f"<code>{escape(name)}</code>" for name in self.names[key])
        counterpart = f"in the code {names}" if names else renderer.inline(symbol.reason)
        formula = renderer.inline(f"${symbol.latex}$")
        value = self.value_of(key, values)
        example = f"; in the example <code>{escape(value)}</code>" if value else ""
        return f'<li tabindex="0" data-s="{escape(key)}">{formula}: {renderer.inline(symbol.meaning)}; {counterpart}{example}</li>'

    def value_of(self, key: str, values: Mapping[str, str]) -> str:
        """Return what a symbol is in the worked example: "eta = 0.02", or "" if none of its names has a value there."""
        return next((f"{name} = {values[name]}" for name in self.names[key] if name in values), "")

    def _extra_entry(self, name: str, symbol: Symbol, renderer: Renderer) -> str:
        words = f"{renderer.inline(symbol.meaning)} ({renderer.inline(symbol.reason)})"
        return f'<li tabindex="0" data-s="{escape(name)}" class="extra"><code>{escape(name)}</code>: {words}</li>'


def _distinct(keys: list[str], preferred: dict[str, int]) -> dict[str, int]:
    """Give each symbol the colour that it has elsewhere, or the next one that is still free in this equation."""
    colours: dict[str, int] = {}
    for key in keys:
        wanted = preferred.setdefault(key, len(preferred) % N_COLOURS)
        free = [colour % N_COLOURS for colour in range(wanted, wanted + N_COLOURS) if colour % N_COLOURS not in colours.values()]
        colours[key] = free[0] if free else wanted
    return colours
