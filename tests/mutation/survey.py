"""Which test runs which line, and how long each takes: what decides which tests a mutant is shown to."""

import signal
import time

import pytest

from tests.mutation import workers
from tests.mutation.mutants import Mutant

ENOUGH = 30.0  # seconds of tests, the fastest first, that a mutant must survive


class Survey:
    """A pytest plugin: how long each test that passes takes, and which lines of which module it runs."""

    def __init__(self, modules: list[str]) -> None:
        import coverage

        self.files = {module: str(workers.source(module)[0]) for module in modules}
        self.coverage = coverage.Coverage(data_file=None, include=list(self.files.values()), config_file=False)
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        self.coverage.switch_context(item.nodeid)
        signal.signal(signal.SIGALRM, _too_slow)
        signal.setitimer(signal.ITIMER_REAL, 3 * workers.SLOW)
        begin = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - begin
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.skipped:
            self.failed.add(report.nodeid)

    def found(self) -> dict:
        """The seconds of each test, the fastest first, and the tests of each line; "" stands for the import."""
        self.coverage.stop()
        data = self.coverage.get_data()
        good = {name for name, seconds in self.seconds.items() if name not in self.failed and seconds < workers.SLOW}
        lines = {}
        for module, file in self.files.items():
            contexts = data.contexts_by_lineno(file)
            lines[module] = {line: [name for name in names if name in good or not name] for line, names in contexts.items()}
        seconds = {name: self.seconds[name] for name in sorted(good, key=self.seconds.__getitem__)}
        return {"seconds": seconds, "lines": lines, "left_out": sorted(self.seconds.keys() - good)}


def _too_slow(*_: object) -> None:
    raise TimeoutError("slower than the tests that mutants are shown to")


def survey(modules: list[str], tests: list[str], python_kernels: bool) -> dict:
    """Run the tests once, without a mutant: what `Survey` finds."""

    def run() -> dict:
        plugin = Survey(modules)
        workers.run_pytest(tests, plugin, python_kernels)
        return plugin.found()

    found = workers.in_fork(run)
    for module, lines in found["lines"].items():
        found["lines"][module] = {int(line): names for line, names in lines.items()}
    return found


def tests_for(mutant: Mutant, found: dict) -> list[str]:
    """The tests that a mutant is shown to, the fastest first: all that run its lines, or the module if they run at import."""
    lines, seconds = found["lines"][mutant.module], found["seconds"]
    touching = {name for line in mutant.lines for name in lines.get(line, ())}
    touching = touching or {name for line in mutant.statement for name in lines.get(line, ())}
    if "" in touching and not mutant.function:
        touching |= {name for names in lines.values() for name in names}
    chosen, total = [], 0.0
    for name in seconds:  # in order
        if name in touching and total < ENOUGH:
            chosen.append(name)
            total += seconds[name]
    return chosen
