"""The packages stand in one order, and every import goes downwards in it."""

import ast
import os
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from source_files import python_files

import acai

SOURCE = Path(acai.__file__).parent
ORDER = [  # lowest first: a package or module may import from its own package and from those before it
    "numba_cache", "__init__", "errors", "arrays", "compiling", "threads", "interrupts", "terminal", "settings", "html_table",
    "atomic", "files", "reference", "ratings", "tables", "audio", "datasets", "cf", "nn", "gradcheck", "evaluation",
    "content", "plots", "studies", "report", "bench", "teaching", "reader", "classroom", "commands", "cli", "__main__",
]
MUSIC = {"ratings", "tables", "audio", "datasets", "cf", "evaluation", "content", "plots", "studies", "report", "bench", "commands"}


def module_name(path: Path) -> str:
    """`acai.nn` for acai/nn/__init__.py, `acai.nn.conv` for acai/nn/conv.py."""
    return ".".join(["acai", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")


MODULES = {module_name(path): path for path in python_files(SOURCE)}


def part(module: str) -> str:
    """The package or root module that a module belongs to, as ORDER names it."""
    return [*module.split("."), "__init__"][1]


def imports(node: ast.AST) -> set[str]:
    """All modules of acai that a module imports, at its top or in a function, except for type checking alone."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            found |= {alias.name for alias in child.names if alias.name.split(".")[0] == "acai"}
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "imports in acai name the whole module"
            if child.module.split(".")[0] == "acai":
                members = {f"{child.module}.{alias.name}" for alias in child.names}
                found |= {member if member in MODULES else child.module for member in members}
        found |= imports(child)
    return found


@cache
def all_imports() -> dict[str, set[str]]:
    return {name: imports(ast.parse(path.read_text(encoding="utf-8"))) for name, path in MODULES.items()}


def test_the_order_names_every_package_and_every_module_at_the_root():
    assert sorted(ORDER) == sorted({part(name) for name in MODULES})


def test_every_import_goes_downwards():
    upwards = [
        f"{name} imports {imported}" for name, found in all_imports().items() for imported in sorted(found)
        if ORDER.index(part(imported)) > ORDER.index(part(name))
    ]
    assert upwards == []


def test_no_module_names_a_competitor_but_the_benchmarks():
    """They load one by its name, while a row runs; nobody imports one, not even in a function."""
    names = {"torch", "surprise", "implicit", "cornac", "sklearn", "pandas", "tensorflow", "jax"}
    imported = {}
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module] if isinstance(node, ast.ImportFrom) else []
            named += [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
            if any(name.split(".")[0] in names for name in named) and not module.startswith("acai.bench."):
                imported[module] = named
    assert imported == {}


def test_no_module_imports_itself_by_way_of_others():
    try:
        TopologicalSorter(all_imports()).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("package", ["nn", "gradcheck", "reference"])
def test_the_network_its_check_and_the_loops_know_nothing_of_music(package):
    """Neither in the source, nor once everything in the package has been imported."""
    names = [name for name in MODULES if part(name) == package]
    assert {imported for name in names for imported in all_imports()[name] if part(imported) in MUSIC} == set()
    code = f"import sys, {', '.join(names)}; print(*[name for name in sys.modules if name.startswith('acai.')])"
    env = os.environ | {"PYTHONPATH": str(SOURCE.parent)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert {name for name in run.stdout.split() if part(name) in MUSIC} == set()
