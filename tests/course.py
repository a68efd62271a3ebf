"""What the tests of the course share: an exercise's blank or solution, taken from the notebook's source and tried."""

import importlib.util
from pathlib import Path
from types import ModuleType

from acai.teaching.exercises import Verdict, check

HERE = Path(__file__).parents[1] / "notebooks"


def builder() -> ModuleType:
    """notebooks/build.py as a module."""
    spec = importlib.util.spec_from_file_location("build", HERE / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tried(name: str, kind: str) -> tuple[object, Verdict]:
    """The answer that the "exercise" cell or the "solution" cell of this name gives to `check`, and the verdict.

    Only the notebook's first code cell has been run before: an exercise needs nothing else.
    """
    (source,) = BUILD.sources(name[:2])
    cells = BUILD.cells(source)
    first = next(cell for cell in cells if cell.kind == "code")
    (cell,) = (cell for cell in cells if (cell.kind, cell.name) == (kind, name))
    given = []

    def seen(asked_for: str, answer: object) -> Verdict:
        given.append((answer, check(asked_for, answer)))
        return given[-1][1]

    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(first.text, f"{source.name}: first code cell", "exec"), namespace)
    namespace["check"] = seen
    exec(compile(cell.text, f"{source.name}: {kind} of {name}", "exec"), namespace)
    (only,) = given
    assert only[1].exercise.name == name
    return only


BUILD = builder()
