"""The process of one submission: it runs the student's cells, and calls what is asked for. Nothing that it says is trusted.

It is started by `acai.classroom.remote`, which decides what is right; only data crosses, in both directions.
"""

import builtins
import contextlib
import copy
import io
import linecache
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np

from acai.classroom import confinement, wire
from acai.teaching.exercises.calling import is_blank
from acai.teaching.exercises.errors import line_of

MOST_OUTPUT = 10_000_000  # characters
NAMES: dict[str, Any] = {}  # of the notebook
OBJECTS: dict[int, Any] = {}  # what the teacher's process knows only by number
PIPES: list[BinaryIO] = []  # requests and replies
GIVEN: dict[str, Any] = {}  # the answers given to `check`, by exercise, since they were last asked for


class TooMuchOutput(BaseException):
    """More was printed than anybody will read. No Exception, so that `except Exception` in a loop does not keep it going."""


class CountedOutput(io.TextIOBase):
    """Where a submission prints: nowhere; but how much it was is known."""

    n = 0

    def write(self, text: str) -> int:
        """Count it."""
        self.n += len(text)
        if self.n > MOST_OUTPUT:
            raise TooMuchOutput(f"it printed more than {MOST_OUTPUT:,} characters")
        return len(text)


OUTPUT = CountedOutput()


def main() -> None:
    """Answer one request after another, until there is none."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    sys.stdout = sys.stderr = OUTPUT
    sys.stdin = io.StringIO()
    PIPES.extend([requests, replies])
    warnings.simplefilter("ignore")
    while (request := wire.receive(requests)) is not None:
        serve(request)


def serve(request: dict[str, Any]) -> None:
    """Do what is asked for, and reply with what came of it."""
    deeds: dict[str, Callable[..., dict[str, Any]]] = {"start": start, "run": run, "call": call, "copy": copied}
    for number in request["released"]:
        OBJECTS.pop(number, None)
    OUTPUT.n = 0
    try:
        with np.errstate(all="ignore"):
            reply = deeds[request["do"]](**wire.decode(request["given"], received))
    except BaseException as error:
        reply = {"error": [type(error).__name__, _message(error), *(line_of(error) or (0, ""))]}
    wire.send(PIPES[1], reply)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except Exception:  # a submission's own exception may fail to show itself
        return ""


def start(folder: str, memory: int, readable: list[str], exercises: str) -> dict[str, Any]:
    """Load what everybody needs, and close the doors behind it."""
    is_offline = confinement.leave_network()
    import matplotlib.pyplot  # noqa: F401  (it looks for fonts, with another program)

    import acai.teaching.exercises as teaching

    if exercises:
        teaching.load(exercises)
    for name, stand_in in {"check": _noted, "require": _noted, "load": _loaded}.items():
        setattr(teaching, name, stand_in)
    os.chdir(folder)
    sys.path.insert(0, folder)
    confinement.limit_resources(memory)
    confinement.confine(folder, readable)
    return {"is_offline": is_offline}


def _noted(name: str, answer: object, **options: object) -> None:
    """Stand in for `check`: remember the answer."""
    GIVEN[str(name)] = answer


def _loaded(folder: object) -> list[str]:
    """Stand in for `load`: the teacher's exercises are loaded already, and those in a submission do not count."""
    return []


def run(code: str, place: str, fresh: bool = False) -> dict[str, Any]:
    """Run a cell, and return the answers that it gave to `check`."""
    names = NAMES
    if fresh:
        names.clear()
        names.update({"__name__": "__main__", "display": lambda *given, **named: None})
    GIVEN.clear()
    names.update((name, _noted) for name in ("check", "require") if name in names)  # whatever has become of them
    linecache.cache[place] = (len(code), None, code.splitlines(keepends=True), place)
    error: list[object] | None = None
    try:
        exec(compile(code, place, "exec"), names)
    except BaseException as raised:
        error = [type(raised).__name__, _message(raised), *(line_of(raised) or (0, ""))]
    return {"answers": {name: wire.encode(answer, described) for name, answer in GIVEN.items()}, "stopped": error}


def call(
    number: int, method: str, arguments: tuple[Any, ...], named: dict[str, Any], state: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Call a function, or a method of an object whose arrays and numbers are first set to `state`."""
    thing = OBJECTS[number]
    kept: dict[tuple[str, ...], int] = {}
    if state is not None:
        _install(vars(thing), state)
        kept = {path: id(array) for path, array in _arrays(vars(thing))}
    before = [part.copy() if isinstance(part, np.ndarray) else None for part in arguments]
    value = (getattr(thing, method) if method else thing)(*arguments, **named)
    changed = {
        str(k): wire.encode(part, described) for k, (part, old) in enumerate(zip(arguments, before))
        if old is not None and not np.array_equal(part, old, equal_nan=part.dtype.kind in "fc")
    }
    reply: dict[str, Any] = {"value": wire.encode(value, described), "changed": changed, "printed": OUTPUT.n > 0}
    if state is not None:
        reply["state"] = _state_of(thing)
        reply["kept"] = [list(path) for path, array in _arrays(vars(thing)) if kept.get(path) == id(array)]
    return reply


def copied(number: int) -> dict[str, Any]:
    """Copy an object, with all that is in it."""
    return {"value": described(copy.deepcopy(OBJECTS[number]))}


def described(value: Any) -> Any:
    """Describe what is no data: an array in disguise becomes one, everything else gets a number."""
    if hasattr(value, "__array__") and not isinstance(value, type):
        with contextlib.suppress(Exception):
            array = np.asarray(value)
            if array.dtype.kind in wire.PLAIN:
                return wire.encode(array, opaque)
    number = max(OBJECTS, default=0) + 1
    OBJECTS[number] = value
    kind = type(value)
    if isinstance(value, type):
        return {"class": [number, value.__name__]}
    if callable(value) and not hasattr(value, "forward"):
        return {"function": [number, getattr(value, "__name__", kind.__name__), is_blank(value)]}
    methods = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name, None))]
    return {"object": [number, kind.__name__, methods, _state_of(value)]}


def opaque(value: Any) -> dict[str, str]:
    """Stand for something inside an object that stays here."""
    return {"opaque": type(value).__name__}


def _state_of(thing: Any) -> Any:
    return wire.encode({key: value for key, value in getattr(thing, "__dict__", {}).items() if isinstance(key, str)}, opaque)


def _install(there: Any, state: dict[str, Any]) -> None:
    """Set what is in dictionaries (and the attributes of an object) to `state`; arrays stay the same arrays where they can."""
    for key, value in state.items():
        old = there.get(key)
        if isinstance(value, np.ndarray) and isinstance(old, np.ndarray) and _fits(old, value):
            old[...] = value
        elif isinstance(value, dict) and isinstance(old, dict):
            _install(old, value)
        elif not _contains_opaque(value):
            there[key] = value


def _fits(old: np.ndarray, new: np.ndarray) -> bool:
    return old.shape == new.shape and old.dtype == new.dtype and old.flags.writeable


def _contains_opaque(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_contains_opaque(part) for part in value)
    return isinstance(value, Opaque)


def _arrays(there: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    for key, value in there.items():
        if isinstance(value, np.ndarray):
            yield (*path, str(key)), value
        elif isinstance(value, dict):
            yield from _arrays(value, (*path, str(key)))


class Opaque:
    """What the teacher's process has in place of something that stays here."""


def received(description: dict[str, Any]) -> Any:
    """Return what is meant by something in a request that is no data."""
    ((kind, inside),) = description.items()
    return Opaque() if kind == "opaque" else OBJECTS[inside] if kind == "known" else Callback(inside)


class Callback:
    """A function of the teacher's, given to an answer as an argument: it stays there, and so does what it does."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Ask for its result."""
        requests, replies = PIPES
        wire.send(replies, {"callback": self._number, "given": wire.encode([arguments, named], described)})
        while (answer := wire.receive(requests)) is not None and "do" in answer:
            serve(answer)  # a function that the answer gave to the teacher's
        if answer is None:
            raise SystemExit
        if "error" in answer:
            kind, message = answer["error"]
            raise getattr(builtins, kind, RuntimeError)(message)
        return wire.decode(answer["value"], received)
