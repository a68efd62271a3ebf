"""Ctrl-C, so that it is never lost: where it waits, and how it is recognised in another exception's clothes."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def delayed_interrupts() -> Iterator[None]:
    """Ctrl-C inside this block takes effect at its end.

    For calls into a C library that calls back into Python: an exception in such a callback is printed and dropped,
    KeyboardInterrupt included, and the library carries on as if nothing had happened.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not _in_main_thread() or not callable(handler):
        yield  # Python delivers signals to its main thread only, and here Ctrl-C raises nothing
        return
    waiting: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda _, frame: waiting.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if waiting:
            handler(signal.SIGINT, waiting[0])


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an exception is Ctrl-C, or a SystemError that C code made of it ("returned a result with an exception set")."""
    while isinstance(error, SystemError):
        error = error.__cause__ or error.__context__
    return isinstance(error, KeyboardInterrupt)


class InterruptRecord:
    """Whether Ctrl-C was pressed inside a `with` block, even where its KeyboardInterrupt was dropped by a callback or destructor.

    Attributes
    ----------
    pressed : bool
    """

    def __init__(self) -> None:
        self.pressed = False

    def __enter__(self) -> "InterruptRecord":
        self._before = signal.getsignal(signal.SIGINT)
        self._installed = self._before is signal.default_int_handler and _in_main_thread()
        if self._installed:  # a handler of somebody else's is left alone
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *error: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._before)

    def _press(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
