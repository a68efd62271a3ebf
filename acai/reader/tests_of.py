"""Which tests tie an equation together: those that call its loops, directly or through a helper in the same file."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from acai.reader.places import Definition, Place, definitions, first_line, statements

REFERENCE = "acai.reference"
Function = tuple[str, str]  # module and name; the name is "*" for `getattr(module, …)`, which may be any of its functions
Calls = dict[Function, set[int]]  # the lines on which each is named


def tests_of(tests: dict[str, str], loops: dict[str, list[Place]]) -> dict[str, list[Place]]:
    """Return, for each equation, the tests that call the functions of its loops: the shortest first."""
    ids_of: dict[Function, set[str]] = defaultdict(set)
    for name, places in loops.items():
        for place in places:
            module = place.path.removesuffix(".py").replace("/", ".")
            ids_of[module, place.name.partition(".")[0]].add(name)
            ids_of[module, "*"].add(name)
    certain: dict[str, list[tuple[Place, set[int]]]] = defaultdict(list)
    possible: dict[str, list[tuple[Place, set[int]]]] = defaultdict(list)
    for path, text in tests.items():
        if REFERENCE in text and path.rpartition("/")[2].startswith("test_"):
            for place, calls in _tests_in(path, text):
                for function, marked in calls.items():
                    for name in ids_of.get(function, ()):
                        found = possible if function[1] == "*" else certain
                        found[name].append((place, marked))
    return {name: _merged(certain.get(name) or possible[name]) for name in loops if name in certain or name in possible}


def _merged(found: list[tuple[Place, set[int]]]) -> list[Place]:
    """Return each test once, with all of its marked lines, the shortest first."""
    lines: dict[Place, set[int]] = defaultdict(set)
    for place, marked in found:
        lines[place] |= {line for line in marked if place.first <= line < place.first + len(place.lines)}
    places = [Place(place.path, place.name, place.first, place.lines, frozenset(marked)) for place, marked in lines.items()]
    return sorted(places, key=_length)


def _length(place: Place) -> tuple[int, str]:
    return len(place.lines), place.name


def _tests_in(path: str, text: str) -> Iterator[tuple[Place, Calls]]:
    """Yield each test of a file with the functions of the reference that it uses."""
    tree = ast.parse(text)
    aliases = _aliases(tree)
    functions = {name: node for name, node in definitions(tree) if "." not in name}
    named = {name: _named(node, aliases, set(functions)) for name, node in functions.items()}
    lines = text.splitlines()
    for name, node in functions.items():
        if name.startswith("test_"):
            own, helpers = named[name]
            calls = {function: set(marked) for function, marked in own.items()}
            for helper in sorted(helpers - {name}):
                for function, marked in named[helper][0].items():
                    calls.setdefault(function, marked)
            yield _whole(path, name, node, lines), calls


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


def _named(function: ast.AST, aliases: dict[str, Function], helpers: set[str]) -> tuple[Calls, set[str]]:
    """Return the functions of the reference that are named in a function, with the lines, and which helpers it names."""
    calls: Calls = defaultdict(set)
    named = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, member = aliases.get(node.value.id, ("", ""))
            if module and not member:
                calls[module, node.attr].add(node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            argument = node.args[0]
            module, _ = aliases.get(argument.id, ("", "")) if isinstance(argument, ast.Name) else ("", "")
            if module:
                calls[module, "*"].add(node.lineno)
        elif isinstance(node, ast.Name):
            named |= {node.id} & helpers
            if aliases.get(node.id, ("", ""))[1]:
                calls[aliases[node.id]].add(node.lineno)
    return calls, named
