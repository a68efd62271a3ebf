"""Which tests tie an equation together: those that call its loops, directly or through a helper in the same file.

Those that also run its plain and its fast code come first. Each says how closely it compares.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from acai.reader.places import Definition, Place, definitions, definitions_of, first_line, statements, tree_of

REFERENCE = "acai.reference"
COMPARISONS = {"approx": "rel=1e-6", "allclose": "rtol=1e-5", "assert_allclose": "rtol=1e-7"}  # and what they allow by default
TOLERANCES = ("rel", "abs", "rtol", "atol")
Function = tuple[str, str]  # module and name; the name is "*" for `getattr(module, …)`, which may be any of its functions
Lines = dict[str, set[int]]  # on which each name is used
Places = dict[str, dict[str, list[Place]]]  # by level and id


@dataclass(frozen=True, eq=False)
class Test:
    """A test, what it uses of the reference and on which lines, and all the names that it and its helpers use."""

    place: Place
    calls: dict[Function, set[int]]
    names: frozenset[str]


def tests_of(tests: dict[str, str], places: Places, code: dict[str, str]) -> dict[str, list[Place]]:
    """Return, for each equation, the tests that call the functions of its loops: first those that tie most of its code together.

    Parameters
    ----------
    tests, code : dict of str to str
        The text of each file of tests, and of each file of the package.
    places : dict
        The functions of the loops, the plain and the fast code, by level and id.
    """
    ids_of: dict[Function, set[str]] = defaultdict(set)
    for name, loops in places["loops"].items():
        for place in loops:
            module = place.path.removesuffix(".py").replace("/", ".")
            ids_of[module, place.name.partition(".")[0]].add(name)
            ids_of[module, "*"].add(name)
    found: dict[str, dict[Test, set[int]]] = defaultdict(lambda: defaultdict(set))
    possible: dict[str, dict[Test, set[int]]] = defaultdict(lambda: defaultdict(set))
    for path, text in tests.items():
        if REFERENCE in text and path.rpartition("/")[2].startswith("test_"):
            for test in _tests_in(path, text):
                for function, marked in test.calls.items():
                    for name in ids_of.get(function, ()):
                        (possible if function[1] == "*" else found)[name][test] |= marked
    return {name: _ordered(found.get(name) or possible[name], places, name, code) for name in {*found, *possible}}


def _ordered(tests: dict[Test, set[int]], places: Places, name: str, code: dict[str, str]) -> list[Place]:
    """Return the tests with their marked lines: those that run most levels of the code first, then the shortest."""
    plain = {f"plain.{part}" for place in places["plain"].get(name, []) for part in place.name.split(".")}
    direct = {part for place in places["fast"].get(name, []) for part in place.name.split(".") if not part.startswith("_")}
    fast = direct | _callers([place for place in places["fast"].get(name, []) if "kernels" in place.path], code)

    def order(test: Test) -> tuple[int, bool, int, str]:
        n_levels = bool(plain & test.names) + bool(fast & test.names)
        return -n_levels, not direct & test.names, len(test.place.lines), test.place.name

    return [_marked(test.place, tests[test]) for test in sorted(tests, key=order)]


def _callers(kernels: list[Place], code: dict[str, str]) -> set[str]:
    """Return the classes and functions of the same package that call compiled functions."""
    callers = set()
    for place in kernels:
        calls = re.compile(rf"kernels\.{re.escape(place.name)}\b")
        folder = place.path.rpartition("/")[0].removesuffix("/fast")
        for path, text in code.items():
            if path.startswith(folder) and calls.search(text):
                lines = text.splitlines()
                callers |= {
                    name for name, node in definitions_of(text)
                    if "." not in name and calls.search("\n".join(lines[node.lineno - 1 : node.end_lineno]))
                }
    return callers


def _marked(place: Place, lines: set[int]) -> Place:
    inside = {line for line in lines if place.first <= line < place.first + len(place.lines)}
    return Place(place.path, place.name, place.first, place.lines, frozenset(inside))


@cache
def closeness(place: Place) -> str:
    """Say how closely a test compares: "compares exactly", or which tolerances it allows."""
    indent = len(place.lines[0]) - len(place.lines[0].lstrip())
    tree = ast.parse("\n".join(line[indent:] for line in place.lines))
    allowed = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in COMPARISONS:
            given = [f"{part.arg}={ast.unparse(part.value)}" for part in node.keywords if part.arg in TOLERANCES]
            allowed.append(" and ".join(given) or COMPARISONS[_last_name(node.func)])
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Lt) and "abs(" in ast.unparse(node.left):
            allowed.append(f"less than {ast.unparse(node.comparators[0])}")
    return f"allows {'; '.join(dict.fromkeys(allowed))}" if allowed else "compares exactly"


def _last_name(function: ast.expr) -> str:
    """Return the name of a function without that of its module: "allclose" for `np.allclose`."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _tests_in(path: str, text: str) -> Iterator[Test]:
    """Yield each test of a file with the functions of the reference that it uses."""
    tree = tree_of(text)
    aliases = _aliases(tree)
    functions = {name: node for name, node in definitions(tree) if "." not in name}
    nodes = {name: list(ast.walk(node)) for name, node in functions.items()}
    named = {name: _named(nodes[name]) for name in functions}
    calls = {name: _calls(nodes[name], named[name], aliases) for name in functions}
    lines = text.splitlines()
    for name, node in functions.items():
        if name.startswith("test_"):
            helpers = sorted((named[name].keys() & functions.keys()) - {name})
            used = {function: set(marked) for function, marked in calls[name].items()}
            for helper in helpers:
                for function in calls[helper]:
                    used.setdefault(function, named[name][helper])
            names = frozenset(named[name]).union(*(named[helper] for helper in helpers))
            yield Test(_whole(path, name, node, lines), used, names)


def _whole(path: str, name: str, node: Definition, lines: list[str]) -> Place:
    first = first_line(node)
    return Place(path, name, first, tuple(lines[first - 1 : node.end_lineno]), frozenset())


def _aliases(tree: ast.Module) -> dict[str, Function]:
    """Return what each imported name of the reference stands for: (module, function), or (module, "") for a module."""
    aliases = {}
    for node in statements(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(REFERENCE):
            for alias in node.names:
                is_module = node.module == REFERENCE
                target = (f"{REFERENCE}.{alias.name}", "") if is_module else (str(node.module), alias.name)
                aliases[alias.asname or alias.name] = target
    return aliases


def _named(nodes: list[ast.AST]) -> Lines:
    """Return the names among the nodes of a function: `SGD`, and of `plain.svd` both parts and the whole."""
    named: Lines = defaultdict(set)
    for node in nodes:
        if isinstance(node, ast.Name):
            named[node.id].add(node.lineno)
        elif isinstance(node, ast.Attribute):
            named[node.attr].add(node.lineno)
            if isinstance(node.value, ast.Name):
                named[f"{node.value.id}.{node.attr}"].add(node.lineno)
    return named


def _calls(nodes: list[ast.AST], named: Lines, aliases: dict[str, Function]) -> dict[Function, set[int]]:
    """Return the functions of the reference that are named among the nodes of a function, with the lines."""
    calls: dict[Function, set[int]] = defaultdict(set)
    for name, lines in named.items():
        first, _, member = name.partition(".")
        module, of_module = aliases.get(first, ("", ""))
        if module and bool(member) != bool(of_module):  # `reference.svd`, or `svd` that was imported from there
            calls[module, of_module or member] |= lines
    for node in _getattrs(nodes):
        argument = node.args[0]
        module, _ = aliases.get(argument.id, ("", "")) if isinstance(argument, ast.Name) else ("", "")
        if module:
            calls[module, "*"].add(node.lineno)
    return calls


def _getattrs(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            yield node
