"""Stop code that never returns, wherever Python runs: also on Windows, and outside the main thread."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN = 0.5  # seconds until code that has caught the first one is stopped again


class OutOfTime(BaseException):
    """The time is over. No Exception, so that `except Exception` in a loop does not keep it going."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in this block, once it has taken that long.

    A timer of the operating system (SIGALRM) exists neither on Windows nor outside the main thread, so another thread asks
    Python to raise an exception in this one. Python does so between two of its own instructions: a single call that never
    returns from C cannot be stopped (`acai grade` can, because it ends a whole process).
    """
    thread = ctypes.c_ulong(threading.get_ident())
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    lock = threading.Lock()
    is_over = threading.Event()

    def watch() -> None:
        wait = seconds
        while not is_over.wait(wait):
            with lock:
                if not is_over.is_set():
                    raise_in(thread, ctypes.py_object(OutOfTime))
            wait = AGAIN

    watcher = threading.Thread(target=watch, daemon=True)
    try:
        watcher.start()  # on a slow machine, a short time may be over before this returns
        yield
    finally:
        while True:
            try:
                with lock:  # whatever the watcher has asked for arrives here at the latest
                    is_over.set()
                break
            except OutOfTime:  # the block has ended just in time
                continue
