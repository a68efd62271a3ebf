"""Forked processes, each of which plants one mutant in memory and runs tests until one fails. No file is touched.

A mutant inside a function is planted after pytest has collected the tests: a fork gives the function the changed code, and
starts with the first test at once. Any other mutant, say of a default, is planted while its module is imported, and there
the fork is of a process that has imported what acai and its tests depend on, but not acai.
"""

import ast
import contextlib
import gc
import importlib.abc
import importlib.util
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest

from tests.mutation.mutants import Mutant, mutants

SLOW = 8.0  # seconds: a slower test is not asked
MOST_BYTES = 12 * 2**30  # of address space: a mutant that asks for more fails


@dataclass
class Work:
    """A mutant and the tests it is shown to."""

    number: int  # among the mutants of its module
    mutant: Mutant
    tests: list[str]
    seconds: float  # a mutant that takes longer is caught in an endless loop


def warm_up() -> None:
    """Import what takes time, and start Numba's compiler once."""
    import hypothesis
    import matplotlib.figure  # noqa: F401
    import numba
    import scipy.sparse.linalg  # noqa: F401
    import scipy.stats  # noqa: F401
    import threadpoolctl  # noqa: F401
    import tqdm  # noqa: F401

    numba.njit(lambda x: x + 1)(1)
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # a failure is enough: it need not be made smaller
    hypothesis.settings.register_profile("mutation", deadline=None, derandomize=True, phases=phases)


def run_pytest(files: list[str], plugin: object, python_kernels: bool, *options: str) -> int:
    """Run tests in this process, which imports acai now."""
    if python_kernels:
        import numba

        numba.njit = _not_compiled
    ignore = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"  # by `warm_up`
    options = *options, "-p", "no:cacheprovider", "--hypothesis-profile=mutation", "-W", ignore
    return pytest.main(["-q", "-n", "0", "--tb=short", "-m", "not notebook and not browser", *options, *files], plugins=[plugin])


def _not_compiled(function: Callable | None = None, **options: object) -> Callable:
    """What `numba.njit` is for mutants of kernels: they run as Python, where an index out of bounds is an error."""
    if function is None:
        return _not_compiled
    function.py_func = function
    return function


def source(module: str) -> tuple[Path, str]:
    """The file of a module and what is in it, without importing it."""
    file = Path(*module.split(".")).with_suffix(".py").resolve()
    return file, file.read_text(encoding="utf-8")


def mutated(module: str, numbers: set[int]) -> dict[int, CodeType]:
    """A module with one mutant in it, for each of these numbers."""
    file, text = source(module)
    tree = ast.parse(text)
    return {number: compile(tree, str(file), "exec") for number, _ in enumerate(mutants(tree, module)) if number in numbers}


def survivors(work: list[Work], jobs: int, python_kernels: bool) -> set[int]:
    """The numbers of those mutants of one module that survive their tests."""
    in_functions = [one for one in work if one.mutant.function]
    survived: dict[int, bool] = {}
    if in_functions:
        plugin = InFunctions(in_functions, jobs)
        files = sorted({name.partition("::")[0] for one in in_functions for name in one.tests})

        def serve() -> list:
            status = run_pytest(files, plugin, python_kernels, "-s")
            if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                raise RuntimeError(f"the tests cannot be collected: {status}")
            return list(plugin.survived.items())

        survived = dict(in_fork(serve))

    def start(one: Work) -> int:
        def run() -> int:
            sys.meta_path.insert(0, _WhileImported(one.mutant.module, one.number))
            _limit_memory()
            files = list(dict.fromkeys(name.partition("::")[0] for name in one.tests))
            return run_pytest(files, Selected(one.tests), python_kernels, "-x")

        return fork(run)

    survived |= run_all([one for one in work if one.number not in survived], start, jobs)
    return {number for number, alive in survived.items() if alive}


class InFunctions:
    """A pytest plugin: once the tests are collected, a fork for each mutant runs some of them, instead of all of them once."""

    def __init__(self, work: list[Work], jobs: int) -> None:
        self.work, self.jobs = work, jobs
        self.survived: dict[int, bool] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        module = self.work[0].mutant.module
        file = str(source(module)[0])
        functions = [f for f in gc.get_objects() if type(f) is FunctionType and f.__code__.co_filename == file]
        items = {item.nodeid: item for item in session.items}
        codes = mutated(module, {one.number for one in self.work})
        planted: dict[int, list] = {one.number: [] for one in self.work}
        for one in self.work:
            for function in functions:
                code = _same_function(codes[one.number], function, one.mutant.function)
                if code:
                    planted[one.number].append((function, code))
        gc.freeze()  # so that a fork does not copy what it only looks at

        def start(one: Work) -> int:
            return fork(lambda: _run_items(session, [items[name] for name in one.tests], planted[one.number]))

        self.survived = run_all([one for one in self.work if planted[one.number]], start, self.jobs)
        return True


def _same_function(code: CodeType, function: FunctionType, name: str) -> CodeType | None:
    """The code in a mutated module of a function that is imported; none where only a new import can change it."""
    old = function.__code__
    if old.co_qualname != name:
        return None
    if (code.co_qualname, code.co_firstlineno) == (name, old.co_firstlineno):
        return code if code.co_freevars == old.co_freevars else None
    inner = [_same_function(const, function, name) for const in code.co_consts if isinstance(const, CodeType)]
    return next((found for found in inner if found), None)


def _run_items(session: pytest.Session, items: list[pytest.Item], planted: list[tuple[FunctionType, CodeType]]) -> int:
    for function, code in planted:
        function.__code__ = code
    _limit_memory()
    for item, following in zip(items, [*items[1:], None]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


class Selected:
    """A pytest plugin: only these tests, in this order."""

    def __init__(self, names: list[str]) -> None:
        self.rank = {name: k for k, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self.rank), key=lambda item: self.rank[item.nodeid])


class _WhileImported(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with one mutant in it."""

    def __init__(self, module: str, number: int) -> None:
        self.module, self.number = module, number

    def find_spec(self, name: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, source(name)[0], loader=self) if name == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(mutated(self.module, {self.number})[self.number], module.__dict__)


def run_all(work: list[Work], start: Callable[[Work], int], jobs: int) -> dict[int, bool]:
    """Which mutants survive: a few processes at a time, each for a limited time."""
    waiting, running, survived = list(reversed(work)), {}, {}
    while waiting or running:
        while waiting and len(running) < jobs:
            one = waiting.pop()
            running[start(one)] = one, time.monotonic() + one.seconds
        time.sleep(0.01)
        for process, (one, end) in list(running.items()):
            if time.monotonic() > end:
                _kill(process)
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                del running[process]
                _kill(process)  # what it may have left running
                survived[one.number] = status == 0
    return survived


def in_fork(run: Callable[[], object]) -> object:
    """What `run` returns in another process, by way of JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answer.json")
        process = fork(lambda: path.write_text(json.dumps(run())) * 0)
        os.waitpid(process, 0)
        return json.loads(path.read_text())


def fork(run: Callable[[], int]) -> int:
    """Start `run` in another process, silently (or into the file $MUTATION_LOG); its result is the exit status."""
    process = os.fork()
    if process:
        return process
    status = 2
    try:
        os.setsid()
        with open(os.environ.get("MUTATION_LOG", os.devnull), "ab") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        status = int(run())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
