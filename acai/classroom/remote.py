"""The teacher's side of a submission's process: stand-ins for the student's functions and layers, which the checks call.

A check runs here, with this acai; only the student's own functions run there, one call at a time, and only data comes back.
So nothing that a submission defines, replaces or prints can change a mark.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from acai.classroom import wire
from acai.classroom.desk import Opaque
from acai.reader.sources import PACKAGE
from acai.teaching.exercises.errors import stopped
from acai.teaching.exercises.wrong import Wrong

WATCHED = 0.05  # seconds from one look at the clock to the next
STARTING = 120.0  # seconds for a process to load everything
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "NUMBA_CACHE_DIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Gone(BaseException):
    """The process of a submission is no longer there: it took too long, it ended itself, or it talked nonsense.

    No Exception, so that no check takes it for an error of the answer that it may go on from.

    Attributes
    ----------
    wrong : Wrong
        Why, as a check would say it.
    """

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.key)
        self.wrong = wrong


class Desk:
    """The process of one submission.

    Parameters
    ----------
    folder : Path
        A copy of what was handed in, the only place where it may write.
    memory : int
        MiB that it may use, besides what acai itself does.
    exercises : str
        A folder with exercises of the teacher's own, or "".
    """

    def __init__(self, folder: Path, memory: int, exercises: str = "") -> None:
        variables = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        variables |= threads | {
            "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1",
            "MPLBACKEND": "agg", "HOME": str(folder), "TMPDIR": str(folder), "TEMP": str(folder), "MPLCONFIGDIR": str(folder),
        }
        self._deadline = time.monotonic() + STARTING
        self._released: list[int] = []
        self._lent: list[Callable[..., Any]] = []  # functions given to the submission as arguments, while a call lasts
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from acai.classroom.desk import main; main()"], cwd=folder, env=variables,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        self._is_asked = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()
        readable = [str(PACKAGE), os.environ.get("NUMBA_CACHE_DIR", ""), exercises]
        self.ask(do="start", folder=str(folder), memory=memory, readable=readable, exercises=exercises)

    def allow(self, seconds: float) -> None:
        """Set how long all that is asked for from now on may take."""
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def ask(self, do: str, **given: Any) -> dict[str, Any]:
        """Send a request and return the reply; raise Wrong if the submission's code raised something, and Gone if it is gone."""
        n = len(self._lent)
        message = {"do": do, "given": wire.encode(given, self._described)}
        message["released"] = [self._released.pop() for _ in range(len(self._released))]
        try:
            reply = self._exchange(message)
            while "callback" in reply:
                reply = self._exchange(self._called_back(reply))
        except (OSError, ValueError, wire.BadMessage) as error:
            raise self._gone(error) from None
        finally:
            del self._lent[n:]
        if "error" in reply:
            raise _stopped(reply["error"])
        return reply

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        self._is_asked.set()
        try:
            wire.send(cast(BinaryIO, self._process.stdin), message)  # both are pipes
            reply = wire.receive(cast(BinaryIO, self._process.stdout))
        finally:
            self._is_asked.clear()
        if reply is None:
            raise wire.BadMessage("it has ended")
        return reply

    def _called_back(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Call the function that the submission asks for, one of those that it was given as arguments."""
        try:
            function = self._lent[reply["callback"]]
            arguments, named = wire.decode(reply["given"], self._stand_in)
        except (KeyError, IndexError, TypeError, ValueError):
            raise wire.BadMessage("it calls a function that it was not given") from None
        try:
            value = function(*arguments, **named)
        except Exception as error:  # as it would have been raised in the notebook
            return {"error": [type(error).__name__, str(error)]}
        return {"value": wire.encode(value, self._described)}

    def _described(self, value: Any) -> dict[str, Any]:
        """Describe what is no data: what is there has a number there, and a function of the teacher's stays here."""
        if isinstance(value, Function | Object):
            return {"known": value._number}
        if isinstance(value, Opaque):
            return {"opaque": ""}
        if not callable(value) or isinstance(value, type):
            self.close()
            raise Gone(Wrong("cannot-cross", kind=type(value).__name__))
        self._lent.append(value)
        return {"callback": len(self._lent) - 1}

    def _gone(self, error: Exception) -> Gone:
        is_late = time.monotonic() >= self._deadline
        ended = self._process.poll() is not None or "ended" in str(error) or "cut off" in str(error)
        self.close()
        if is_late:
            return Gone(Wrong("too-long", seconds=getattr(self, "_seconds", STARTING)))
        code = self._process.returncode
        return Gone(Wrong("ended", code=code) if ended else Wrong("nonsense", error=error))

    def _watch(self) -> None:
        """End the process where a reply does not come in time; one thread for all requests, of which there are thousands."""
        while self._process.poll() is None:
            self._is_asked.wait()
            time.sleep(WATCHED)
            if self._is_asked.is_set() and time.monotonic() >= self._deadline:
                self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """End the process, and what it may have started."""
        self._kill()
        self._is_asked.set()  # whoever watches has an end, too
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def release(self, number: int) -> None:
        """Let the process forget an object, the next time something is asked for."""
        self._released.append(number)

    def value(self, encoded: Any) -> Any:
        """Make a value, or a stand-in, of what a reply has."""
        try:
            return wire.decode(encoded, self._stand_in)
        except wire.BadMessage as error:
            raise self._gone(error) from None

    def _stand_in(self, description: dict[str, Any]) -> Any:
        ((kind, inside),) = description.items()
        if kind == "opaque":
            return Opaque()
        number, name = int(inside[0]), str(inside[1])
        if kind == "function":
            return Function(self, number, name, bool(inside[2]))
        if kind == "class":
            new = lambda cls, *arguments, **named: self.call(number, "", arguments, named)
            return type(name, (), {"__new__": new, "__module__": "submission"})
        methods = {str(method): _method(str(method)) for method in inside[2] if str(method).isidentifier()}
        thing = type(name, (Object,), methods)(self, number)
        vars(thing).update(self.value(inside[3]))
        return thing

    def call(
        self, number: int, method: str, arguments: tuple[Any, ...], named: dict[str, Any], state: dict[str, Any] | None = None
    ) -> Any:
        """Call something there; what it changes in its arguments is changed here, too."""
        reply = self.ask(do="call", number=number, method=method, arguments=arguments, named=named, state=state)
        try:
            value = self.value(reply["value"])
            for k, array in reply["changed"].items():
                arguments[int(k)][...] = self.value(array)
            if state is not None:
                _update(state, self.value(reply["state"]), {tuple(path) for path in reply["kept"]})
        except (wire.BadMessage, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise self._gone(error) from None
        if value is None and reply.get("printed"):
            raise Wrong("printed")
        return value


class Function:
    """A student's function."""

    def __init__(self, desk: Desk, number: int, name: str, is_blank: bool) -> None:
        self.desk, self._number, self.__name__, self.is_blank = desk, number, name, is_blank

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call it, in its own process."""
        return self.desk.call(self._number, "", arguments, named)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Function":
        """Return itself: it has no state here."""
        return self


class Object:
    """A student's object, mostly a layer: its arrays and numbers are here, too, and are taken along to each call."""

    __slots__ = ("__dict__", "__weakref__", "_desk", "_number", "_origin")  # vars() has only what is the student's
    _desk: Desk
    _number: int
    _origin: "Object"

    def __init__(self, desk: Desk, number: int) -> None:
        self._desk, self._number = desk, number
        weakref.finalize(self, desk.release, number)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Copy it there, and take over what has been changed here."""
        import copy

        there = self._desk.value(self._desk.ask(do="copy", number=self._number)["value"])
        if not isinstance(there, Object):
            raise Wrong("nonsense", error="a copy that is none")
        twin = type(self)(self._desk, there._number)  # of the same class, as a copy must be
        twin._origin = there  # what is no longer used here is forgotten there
        memo[id(self)] = twin
        vars(twin).clear()
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin


def _method(name: str) -> Any:
    def method(self: Object, *arguments: Any, **named: Any) -> Any:
        return self._desk.call(self._number, name, arguments, named, vars(self))

    method.__name__ = name
    return method


def _update(mine: dict[str, Any], theirs: dict[str, Any], kept: set[tuple[str, ...]], path: tuple[str, ...] = ()) -> None:
    """Take over the state of an object; an array that is still the same array there stays the same here."""
    for key in [key for key in mine if key not in theirs]:
        del mine[key]
    for key, value in theirs.items():
        here = (*path, key)
        old = mine.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            _update(old, value, kept, here)
        elif here in kept and isinstance(old, np.ndarray) and isinstance(value, np.ndarray) and old.shape == value.shape:
            old[...] = value
        else:
            mine[key] = value


def _stopped(error: Any) -> Wrong:
    """Say what the student's code raised; it is data from there, so it may be anything."""
    try:
        kind, message, line, code = error
        return stopped(str(kind)[:100], str(message), int(line), str(code)[:300])
    except (ValueError, TypeError):
        return Wrong("nonsense", error="an error that is none")
