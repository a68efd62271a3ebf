"""Threads that work for one call, and that must not outlive it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from acai.interrupts import delayed_interrupts


class Stopped(Exception):
    """In a thread whose work is no longer wanted."""


class Workers:
    """The threads that work for one call, which must not end before they do.

    Python ends a thread that is left over at its exit as soon as that thread returns from C. Where C++ is on the stack, as
    in a Fourier transform, this aborts the whole process (SIGABRT).
    """

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._stopping = False

    def __reduce__(self) -> tuple[type["Workers"], tuple[()]]:
        return Workers, ()  # a task that was sent to another process is not waited for

    @contextmanager
    def task(self) -> Iterator[None]:
        """While a thread is inside this block, `stop` waits for it."""
        thread = threading.get_ident()
        self._running.add(thread)
        try:
            self.check()  # only now, so that either we see that it stops, or `stop` sees us
            yield
        finally:
            self._running.discard(thread)

    def check(self) -> None:
        """Raise `Stopped` in a thread whose work is no longer wanted."""
        if self._stopping:
            raise Stopped

    def stop(self) -> None:
        """Ask all tasks to stop, and wait until they have: a fraction of a second, in which further Ctrl-C change nothing."""
        self._stopping = True
        with delayed_interrupts():
            while self._running - {threading.get_ident()}:
                time.sleep(0.005)
