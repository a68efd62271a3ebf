"""A process that has imported acai and forks a child for each command: no second of imports for each of hundreds of runs.

The child leaves the loop of the server and runs the command at the top level, so that it ends as any Python process ends,
with the interpreter's own clearing up. The parent sends one request a line, in JSON, and gets one answer a line.
"""

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HEAVY = (
    "acai.cli", "acai.cf", "acai.cf.kernels", "acai.nn", "acai.content", "acai.audio.features", "acai.datasets",
    "acai.commands.listen", "acai.commands.sound", "acai.commands.models", "acai.commands.evaluating",
    "acai.commands.data", "acai.commands.gradcheck", "acai.commands.reproduce",
    "acai.plots", "joblib", "librosa.filters", "soxr", "soundfile", "matplotlib.figure", "requests", "pooch", "scipy.sparse.linalg",
)
POLL = 0.003


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: a signal; None: it did not end in time), seconds, and what it printed."""

    code: int | None
    seconds: float
    out: str
    err: str
    was_signalled: bool


class Server:
    """The parent's side. Use it as a context manager.

    Parameters
    ----------
    folder : path
        Where the output of its children goes.
    modules : sequence of str
        What it imports before it forks.
    """

    def __init__(self, folder: Path, modules: Sequence[str] = HEAVY) -> None:
        self.folder, self.modules = folder, modules
        self.folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Server":
        words = [sys.executable, "-m", f"{__package__}.server", *self.modules]
        errors = open(self.folder / "server.txt", "w")
        with errors:
            self.process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment(), text=True,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def run(
        self, *command: object, cwd: Path, signal: int = 0, after: float = 0.0, limit: float = 60.0, fresh: bool = False,
        wait: float = 0.0, **env: str,
    ) -> Ended:
        """Run a command, and send its process group a signal after so many seconds.

        Parameters
        ----------
        *command
            The words behind `acai`; or "@module:function" and its arguments, which are text.
        cwd : path
            Its working folder.
        signal : int
            Sent `after` so many seconds; 0: none.
        limit : float
            Seconds after the signal (or the start) within which it must end.
        fresh : bool
            A process of its own that imports everything, as a user has it, instead of a fork of this one.
        wait : float
            Seconds to wait before the start.
        **env
            Added to its environment.
        """
        request = {
            "command": list(map(str, command)), "cwd": str(cwd), "signal": int(signal), "after": after, "limit": limit, "env": env,
            "fresh": fresh, "out": str(self.folder / "out.txt"), "err": str(self.folder / "err.txt"),
        }
        time.sleep(wait)
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        printed = [Path(request[name]).read_text(errors="replace") for name in ("out", "err")]
        return Ended(answer["code"], answer["seconds"], *printed, answer["was_signalled"])


def environment() -> dict[str, str]:
    """That of this process, with the paths that it imports from."""
    root = Path(__file__).resolve().parents[len(__package__.split("."))]
    paths = [str(root), *(path for path in sys.path if path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "MPLBACKEND": "Agg"}


def serve() -> dict | None:
    """Answer requests until there are no more; in a child, return the request."""
    for line in sys.stdin:
        request = json.loads(line)
        ready, started_writing = os.pipe()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(ready)
            become(request)
            os.close(started_writing)
            return request
        os.close(started_writing)
        with contextlib.suppress(InterruptedError):
            select.select([ready], [], [], 10)  # until the child has its handlers and its files
        os.close(ready)
        print(json.dumps(watch(pid, request, started)), flush=True)
    return None


def become(request: dict) -> None:
    """Turn the fork into a process like one that a shell has started."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor, name in ((1, "out"), (2, "err")):
        file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(file, descriptor)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)  # where it hangs, if it does
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    if "ACAI_SOAK_FSIZE" in request["env"]:  # no file may become larger: what a full disk is to those who may not mount one
        size = int(request["env"]["ACAI_SOAK_FSIZE"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    if request["fresh"]:
        command = request["command"]
        words = ["-m", "acai", *command]
        if command[0].startswith("@"):
            words = ["-c", f"from {__package__}.server import perform; perform({command!r})"]
        os.execve(sys.executable, [sys.executable, *words], environment())


def watch(pid: int, request: dict, started: float) -> dict:
    """Send the signal when it is time, and wait for the end."""
    was_signalled, deadline, code = False, time.monotonic() + request["after"] + request["limit"], None
    signal_at = time.monotonic() + request["after"] if request["signal"] else float("inf")
    while code is None and time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
        elif not was_signalled and time.monotonic() >= signal_at:
            was_signalled = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, request["signal"])
        else:
            time.sleep(max(0.0, min(POLL, signal_at - time.monotonic())))
    if code is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGUSR1)
        time.sleep(0.5)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # and the children that it may have left
    if code is None:
        os.waitpid(pid, 0)
    return {"code": code, "seconds": time.monotonic() - started, "was_signalled": was_signalled}


def perform(command: list[str]) -> None:
    """The words behind `acai`, or a function of the soak."""
    if command[0].startswith("@"):
        module, _, name = command[0][1:].partition(":")
        try:
            getattr(importlib.import_module(module, __package__), name)(*command[1:])
        except KeyboardInterrupt:  # what a program around acai does with it
            sys.exit(130)
    else:
        from acai.cli import main

        main(command)


if __name__ == "__main__":
    for module in sys.argv[1:]:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    gc.freeze()  # at their end, children need not look through what was imported here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if threading.active_count() > 1:
        print("warning: the server has threads of its own", file=sys.stderr)
    asked = serve()
    if asked is not None:
        perform(asked["command"])
