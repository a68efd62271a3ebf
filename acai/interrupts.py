"""Make sure that Ctrl-C is never lost: delay it, record it, and recognise it when another exception wraps it."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def delayed_interrupts() -> Iterator[None]:
    """Delay Ctrl-C inside this block to its end, and SIGTERM too where it has a handler.

    For calls into a C library that calls back into Python: an exception in such a callback is printed and dropped,
    KeyboardInterrupt included, and the library carries on as if nothing had happened.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = {number: handler for number, handler in handlers.items() if callable(handler) and _in_main_thread()}
    waiting: list[tuple[int, FrameType | None]] = []
    for number in ours:  # without a handler nothing is raised; and Python delivers signals to its main thread only
        signal.signal(number, lambda received, frame: waiting.append((received, frame)))
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        if waiting:
            received, frame = waiting[0]
            ours[signal.Signals(received)](received, frame)


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an exception is Ctrl-C, or a SystemError that C code raised from it ("returned a result with an exception set")."""
    while isinstance(error, SystemError):
        error = error.__cause__ or error.__context__
    return isinstance(error, KeyboardInterrupt)


class InterruptRecord:
    """Whether Ctrl-C was pressed inside a `with` block, even if a callback or destructor dropped its KeyboardInterrupt.

    A dropped interrupt is sent again a moment later, when the library that called back has returned. A request to terminate
    (SIGTERM) is treated in the same way.

    Attributes
    ----------
    pressed : bool
    number : int
        The number of the signal: the exit code is 128 more, by the convention of shells.
    """

    def __init__(self) -> None:
        self.pressed = False
        self.number = int(signal.SIGINT)
        self._before: dict[int, Any] = {}
        self._again: list[threading.Timer] = []
        self._over = False

    def __enter__(self) -> "InterruptRecord":
        """Start to record; custom signal handlers are left alone."""
        for number, default in (signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL):
            before = signal.getsignal(number)
            if before is default and _in_main_thread():
                self._before[number] = before
                signal.signal(number, self._press)
        if self._before:
            self._hook = sys.unraisablehook
            sys.unraisablehook = self._dropped
        return self

    def __exit__(self, *error: object) -> None:
        """Stop recording and restore the signal handlers."""
        self._over = True
        for timer in self._again:
            timer.cancel()
            timer.join()
        if self._before:
            sys.unraisablehook = self._hook
        for number, before in self._before.items():
            signal.signal(number, before)

    def _press(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        self.number = number
        if not self._over:
            raise KeyboardInterrupt

    def _dropped(self, what: "sys.UnraisableHookArgs") -> None:
        """Send a dropped interrupt again; Python calls this for an exception that nobody can catch."""
        if not self.pressed:
            self._hook(what)
            return
        if not is_interrupt(what.exc_value):  # what a destructor found half made: a consequence of Ctrl-C
            return
        main_thread = threading.main_thread().ident
        timer = threading.Timer(0.05, signal.pthread_kill, (main_thread, self.number))
        timer.daemon = True
        self._again.append(timer)
        timer.start()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
