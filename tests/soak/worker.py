"""Running the cases of a driver in a worker process, so that a crash or a hang is counted and does not end the soak."""

import contextlib
import itertools
import json
import os
import resource
import select
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from .ledger import Driver, Fault, Tally


def run(
    driver: Driver, shared: Path, seed: int, seconds: float, first: int = 0, only: int | None = None,
    tell: Callable[[int, Fault], None] = lambda n, fault: None,
) -> Tally:
    """Run case after case for so many seconds, or the one case `only`.

    Parameters
    ----------
    driver : Driver
    shared : path
        The folder that `driver.prepare` has filled.
    seed : int
    seconds : float
        When to stop; the case in progress is finished.
    first : int
        The number of the first case.
    only : int, optional
        The one case to run.
    tell : callable
        Called with the number of a case and each fault it found.

    Returns
    -------
    Tally
    """
    tally, deadline, n = Tally(driver.name), time.monotonic() + seconds, first if only is None else only
    ended = False
    while not ended and (n == first or only == n or time.monotonic() < deadline):
        numbers = itertools.count(n) if only is None else [only]
        with _worker(driver, shared, seed, numbers, deadline) as (pid, pipe, log):
            while True:
                line = _read_line(pipe, driver.limit)
                if line:
                    faults = [Fault(*pair) for pair in json.loads(line)]
                elif line is None:
                    faults = [Fault("hung", f"no end after {driver.limit:g} s: {_tail(log)}")]
                else:
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    ended = status == 0
                    faults = [Fault("foreign", f"the process ended with {_exit(status)}: {_tail(log)}")]
                if ended:
                    break
                for fault in faults:
                    tell(n, fault)
                tally.add(n, driver.units, faults)
                n += 1
                if not line:
                    break
        ended = ended or only is not None
    return tally


def in_child(function: Callable[[], object], limit: float | None = None) -> None:
    """Call a function in a forked process, so that it may start threads without harm to later forks.

    Raises
    ------
    RuntimeError
        If the process fails.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise RuntimeError("the preparation of a driver failed")


@contextlib.contextmanager
def _worker(driver: Driver, shared: Path, seed: int, numbers: Iterable[int], deadline: float):
    """A forked process that runs cases: its id, the pipe it reports on, and the file that has what it printed."""
    reading, writing = os.pipe()
    log = shared / "printed.txt"
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.close(reading)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            _work(driver, shared, seed, numbers, deadline, writing)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    try:
        yield pid, reading, log
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _work(driver: Driver, shared: Path, seed: int, numbers: Iterable[int], deadline: float, pipe: int) -> None:
    if driver.memory:
        _limit_memory(driver.memory)
    for count, n in enumerate(numbers):
        if count and time.monotonic() > deadline:
            return
        if count % 200 == 0:
            os.ftruncate(1, 0)
        with tempfile.TemporaryDirectory(prefix="room-", dir=shared, ignore_cleanup_errors=True) as room:
            try:
                faults = driver.case(shared, n, driver.rng(seed, n), Path(room))
            except BaseException as error:
                faults = [Fault("foreign", described(error))]
        os.write(pipe, (json.dumps([(fault.kind, fault.words[:2000]) for fault in faults]) + "\n").encode())


def described(error: BaseException) -> str:
    """An exception in one line: what, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/acai/" in frame.filename] or frames
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "nowhere"
    return f"{type(error).__name__} at {where}: {' '.join(str(error).split())[:300]}"


def _limit_memory(more: int) -> None:
    """Let this process allocate only so much more: what asks for everything gets a MemoryError and harms nobody."""
    status = Path("/proc/self/statm")
    if status.exists():
        now = int(status.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + more, now + more))


def _read_line(pipe: int, limit: float) -> bytes | None:
    """The next line; b"" where the process has ended, None where it says nothing in time."""
    line, deadline = b"", time.monotonic() + limit
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        piece = os.read(pipe, 1)
        if not piece:
            return b""
        line += piece
    return line


def _exit(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"


def _tail(log: Path) -> str:
    return " ".join(log.read_text(errors="replace").split())[-300:] if log.exists() else ""
