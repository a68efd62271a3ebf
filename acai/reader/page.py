"""The page: each row of the README on the left, and the code of its equation, in tabs, on the right."""

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from importlib.resources import files
from string import Template
from typing import ClassVar

from acai.reader.code import lines_of, listing
from acai.reader.examples import EXAMPLES
from acai.reader.legend import Legend
from acai.reader.markdown import Renderer, blocks_of, slug
from acai.reader.places import Place, places_of, statements, tree_of
from acai.reader.planted import Planted, planted_bugs, shown, verdict, verdict_on_correct
from acai.reader.rows import Row, rows_of
from acai.reader.second_process import Check
from acai.reader.sources import Sources
from acai.reader.symbols import SymbolTable, names_of
from acai.reader.tests_of import closeness, tests_of
from acai.reader.used_by import used_by
from acai.reader.worked import Worked, work

TABS = {
    "loops": "the equation term by term, as slow as it is clear",
    "plain": "the equation in plain NumPy, one line each",
    "fast": "what runs when you use acai",
    "test": "what ties the loops and the fast code together",
    "bugs": "what is easily done wrong here, and what the gradient check says about it",
}


@dataclass(frozen=True)
class Page:
    """The page that is made of these sources.

    Attributes
    ----------
    sources : Sources
        README and code.
    only : str
        The id of the one equation that is shown; "" for the whole README.
    check : callable, optional
        Returns what the gradient check says about a planted bug, if another process finds that out.
    """

    MOST_TESTS: ClassVar = 3  # of an equation that are open; the others are folded

    sources: Sources
    only: str = ""
    check: Check | None = None

    @cached_property
    def rows(self) -> list[Row]:
        """The README, cut at its equations."""
        return rows_of(list(blocks_of(self.sources.readme)))

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all equations, in the order of the README."""
        return [name for row in self.rows for name in row.ids]

    @cached_property
    def places(self) -> dict[str, dict[str, list[Place]]]:
        """The places of all equations, by tab and id."""
        found = places_of(self.sources)
        return found | {"test": tests_of(self.sources.tests, found, self.sources.code)}

    @cached_property
    def mentions(self) -> dict[str, list[str]]:
        """What uses each equation."""
        return used_by(self.rows, self.sources.notebooks, set(self.ids))

    @cached_property
    def legends(self) -> dict[str, Legend]:
        """The symbols of each equation."""
        table = SymbolTable(self.sources.readme)
        colours: dict[str, int] = {}
        found = {}
        for row in self.rows:
            for name in row.ids:
                code = [place for tab in ("loops", "plain", "fast") for place in self.places[tab].get(name, [])]
                found[name] = Legend(table.of_equation(name, row.latex), table.names_without_symbol(name), code, colours)
        return found

    @cached_property
    def worked(self) -> dict[str, Worked]:
        """The worked example of each equation."""
        found = {}
        for name, example in EXAMPLES.items():
            if self.only not in ("", name):
                continue
            loops, *others = (self.places[tab].get(name, []) for tab in ("loops", "plain", "fast"))
            found[name] = work(example, loops, [place for places in others for place in places], self.sources.root)
        return found

    @cached_property
    def bugs(self) -> dict[str, list[Planted]]:
        """The planted bugs of each equation."""
        quantities = {name: next(iter(legend.symbols)) for name, legend in self.legends.items()}
        found = planted_bugs(self.places, quantities)
        wanted = {name: bugs for name, bugs in found.items() if self.only in ("", name)}
        check = self.check or verdict
        return {name: [shown(bug, check(bug)) for bug in bugs] for name, bugs in wanted.items()}

    @cached_property
    def listings(self) -> dict[str, dict[str, str]]:
        """The code of each equation as HTML, by id and tab."""
        names = [self.only] if self.only else self.ids
        return {name: {tab: self._listings(name, tab) for tab in self.places} for name in names}

    def verdict(self, name: str) -> str:
        """Return what the gradient check says about the correct layer in which the bugs of an equation are planted."""
        quantities = {name: next(iter(legend.symbols)) for name, legend in self.legends.items()}
        return verdict_on_correct(planted_bugs(self.places, quantities)[name][0].layer)

    def html(self) -> str:
        """Return the whole page."""
        renderer = Renderer(self.sources.picture, {self.only} if self.only else set(self.ids), is_whole=not self.only)
        rows = [row for row in self.rows if not self.only or self.only in row.ids]
        texts = [self._text(row, renderer) for row in rows]
        here = files("acai.reader")
        template = Template(here.joinpath("reader.html").read_text(encoding="utf-8"))
        return template.substitute(
            style=here.joinpath("reader.css").read_text(encoding="utf-8"),
            script=here.joinpath("reader.js").read_text(encoding="utf-8"),
            contents=self._contents(rows), rows="".join(map(self._section, rows, texts)),
            kind="single" if self.only else "whole",
        )

    def values(self, name: str) -> dict[str, str]:
        """Return the values of the variables in the worked example of an equation; of the loops rather than of the fast code."""
        worked = self.worked.get(name)
        found: dict[str, str] = {}
        for (path, _), values in sorted(worked.values.items()) if worked else ():
            found = found | values if "reference" in path else values | found
        return found

    def missing(self, name: str, tab: str) -> str:
        """Say in one sentence why an equation has nothing in a tab."""
        if tab == "plain" and self.is_plain(name):
            return "The fast version is itself plain NumPy."
        if tab == "test" and not self.sources.is_checkout:
            return "The tests are not part of the installed package. Run acai read in a checkout of the project to see them here."
        if tab == "bugs":
            return f"No bug is planted in the code of ({name})."
        return f"No {tab} code carries the number ({name})."

    def is_plain(self, name: str) -> bool:
        """Whether all the fast code of an equation is NumPy alone, without compiled kernels and threads."""
        places = self.places["fast"].get(name, [])
        return bool(places) and not any(_is_compiled(place, self.sources.code[place.path]) for place in places)

    def _contents(self, rows: list[Row]) -> str:
        """Return the table of contents: the headings, and below each the ids of its equations."""
        parts = []
        for row in rows:
            for block in row.blocks:
                if block.kind == "heading" and block.info in ("2", "3"):
                    parts.append(f'<li class="level{block.info}"><a href="#{slug(block.text)}">{escape(block.text)}</a></li>')
            parts += [f'<li class="equation"><a href="#{name}">{name}</a></li>' for name in row.ids]
        return "".join(parts)

    def _text(self, row: Row, renderer: Renderer) -> str:
        """Return the text of a row, and if it has an equation, its example, its symbols and what uses it."""
        if not row.ids:
            return "".join(map(renderer.block, row.blocks))
        name, text = row.ids[0], []
        renderer.colours = self.legends[name].colours
        blocks = list(row.blocks)
        while blocks and blocks[0].kind == "heading":
            text.append(renderer.block(blocks.pop(0)))
        level = row.level + 1
        text.append(f'<h{level} id="heading-{name}" class="hidden">Equation {name}</h{level}>')
        for block in blocks:
            drawn = renderer.block(block)
            if block.ids:
                numbers = "".join(f'<a class="number" href="#{name}">({name})</a>' for name in block.ids)
                drawn = f'<div class="numbered">{drawn}{numbers}</div>'
            text.append(drawn)
        text += [self._example(name), self.legends[name].html(renderer, self.values(name)), self._used_by(name)]
        renderer.colours = {}
        return "".join(text)

    def _section(self, row: Row, text: str) -> str:
        """Return a row: its text, and beside it the code of its equation."""
        if not row.ids:
            return f'<section class="row"><div class="text">{text}</div></section>'
        name = row.ids[0]
        anchors = "".join(f'<span id="{other}"></span>' for other in row.ids[1:])
        return (
            f'<section class="row equation" id="{name}" aria-labelledby="heading-{name}" data-words="{escape(self._words(row))}">'
            f'{anchors}<div class="text">{text}</div>'
            f'<div class="panels">{self._tabs(name)}</div></section>'
        )

    def _words(self, row: Row) -> str:
        """Return the words by which a row is found: the ids, the files and functions, and the heading."""
        places = [place for tab in self.places.values() for name in row.ids for place in tab.get(name, [])]
        names = [word for place in places for word in (place.path, place.name)]
        return " ".join(dict.fromkeys([*row.ids, row.section, *names])).lower()

    def _example(self, name: str) -> str:
        """Return the worked example: a line of the loops, the same with numbers, and whether the fast code agrees."""
        worked = self.worked.get(name)
        if worked is None:
            return ""
        result = f"The result: {worked.result}. " if worked.result else ""
        lines = []
        for line in worked.lines:
            lines.append(f'<div class="line">{"".join(lines_of(line.code, self.legends[name].in_code()))}</div>')
            lines.append(f"<div>{escape(line.with_numbers)}</div>")
        return f'<div class="example">{"".join(lines)}<p>{escape(result)}{escape(self.verdict_of(name))}</p></div>'

    def verdict_of(self, name: str) -> str:
        """Say whether the codes agree in the example, and how closely the first test compares them."""
        tests = self.places["test"].get(name, [])
        test = f" {tests[0].name} {closeness(tests[0])}." if tests else ""
        return self.worked[name].verdict + test

    def _used_by(self, name: str) -> str:
        mentions = self.mentions.get(name, [])
        if not mentions:
            return ""
        linked = [words.startswith("(") and not self.only for words in mentions]
        drawn = [f'<a href="#{words[1:-1]}">{words}</a>' if link else escape(words) for words, link in zip(mentions, linked)]
        return f'<p class="used">Used by: {", ".join(drawn)}</p>'

    def _tabs(self, name: str) -> str:
        """Return the tabs of one equation and their panels, the first of which is shown."""
        contents = self.listings[name]  # of all equations, before the bugs: a second process may still be checking those
        contents = contents | {"bugs": "".join(map(_bug, self.bugs.get(name, [])))}
        buttons, panels = [], []
        for number, (tab, title) in enumerate(TABS.items()):
            drawn = contents[tab] or f'<p class="missing">{escape(self.missing(name, tab))}</p>'
            if tab == "plain" and not contents[tab]:
                drawn += contents["fast"]
            selected, hidden = ("true", "") if number == 0 else ("false", " hidden")
            key = f"{name}-{tab}"
            buttons.append(
                f'<button type="button" role="tab" id="tab-{key}" aria-controls="panel-{key}" aria-selected="{selected}" '
                f'tabindex="{0 if number == 0 else -1}" title="{title}" data-tab="{tab}">{tab}</button>'
            )
            attributes = f'role="tabpanel" id="panel-{key}" aria-labelledby="tab-{key}" data-tab="{tab}"{hidden}'
            panels.append(f"<div {attributes}>{drawn}</div>")
        return f'<div role="tablist" aria-label="code of {name}">{"".join(buttons)}</div>{"".join(panels)}'

    def _listings(self, name: str, tab: str) -> str:
        """Return the code of an equation in one tab."""
        places = self.places[tab].get(name, [])
        n_open = self.MOST_TESTS if tab == "test" else len(places)
        drawn = [self._place(place, name) for place in places]
        shown, others = "".join(drawn[:n_open]), "".join(drawn[n_open:])
        summary = f"<summary>{len(drawn) - n_open} more of its tests</summary>"
        return f'{shown}<details class="others">{summary}{others}</details>' if others else shown

    def _place(self, place: Place, name: str) -> str:
        where = f"{place.path}:{min(place.marked, default=place.first)}"
        values = self.worked[name].values.get((place.path, place.first), {}) if name in self.worked else {}
        code = listing(place, self.legends[name].in_code(values), values)
        how = f" ({closeness(place)})" if place in self.places["test"].get(name, []) else ""
        return f'<p class="place"><span class="where">{escape(where)}</span> {escape(place.name)}{escape(how)}</p>{code}'


def _bug(bug: Planted) -> str:
    """Return a planted bug: its name, the thought behind it, the changed lines, what the check says."""
    lines = [f'<div class="line {"wrong" if line[0] == "+" else "right"}">{escape(line)}</div>' for line in bug.diff]
    return (
        f'<details class="bug"><summary>{escape(bug.name)}</summary><p>{escape(bug.sentence)}</p>'
        f'<div class="code" tabindex="0" role="group" aria-label="difference">{"".join(lines)}</div>'
        f'<pre class="listing" tabindex="0">{escape(bug.report)}</pre></details>'
    )


def _is_compiled(place: Place, text: str) -> bool:
    """Whether a place is a compiled kernel, or calls one, or divides its work among threads."""
    return "kernels" in place.path or bool(_compiled_names(text) & names_of(place))


@cache
def _compiled_names(text: str) -> frozenset[str]:
    """Return what a file imports that is compiled or divides work among threads."""
    imports = [node for node in statements(tree_of(text)) if isinstance(node, ast.ImportFrom)]
    return frozenset(
        alias.asname or alias.name for node in imports for alias in node.names
        if "kernels" in f"{node.module}.{alias.name}" or "compil" in str(node.module) or "batches" in str(node.module)
    )
