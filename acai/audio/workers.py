"""Threads that work for one call, and must not outlive it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from acai.audio.recording import Recording, Samples, Sound
from acai.interrupts import delayed_interrupts


class Stopped(Exception):
    """Raised in a thread whose work is no longer wanted."""


class Workers:
    """The threads that work for one call, which must not return before they are done.

    When Python exits, it ends a remaining thread as soon as that thread returns from C. If C++ is on the stack, as in a
    Fourier transform, this aborts the whole process (SIGABRT).
    """

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._stopping = False

    def __reduce__(self) -> tuple[type["Workers"], tuple[()]]:
        """Be copied without the threads: a task that was sent to another process is not waited for."""
        return Workers, ()

    @contextmanager
    def task(self) -> Iterator[None]:
        """Mark the block in which a thread works: `stop` waits for it."""
        thread = threading.get_ident()
        self._running.add(thread)
        try:
            self.check()  # only now, so that either this thread sees the stop, or `stop` sees this thread
            yield
        finally:
            self._running.discard(thread)

    def check(self) -> None:
        """Raise `Stopped` in a thread whose work is no longer wanted."""
        if self._stopping:
            raise Stopped

    def stop(self) -> None:
        """Ask all tasks to stop, and wait until they have: a fraction of a second, in which Ctrl-C is delayed."""
        self._stopping = True
        with delayed_interrupts():
            while self._running - {threading.get_ident()}:
                time.sleep(0.005)


class StoppableRecording(Recording):
    """A recording whose iteration ends with `Stopped` once the workers are asked to stop."""

    def __init__(self, sound: Sound, sample_rate: float, workers: Workers) -> None:
        super().__init__(sound, sample_rate)
        self._workers = workers

    def __iter__(self) -> Iterator[Samples]:
        """Read the sound, unless the workers are asked to stop."""
        for block in super().__iter__():
            self._workers.check()
            yield block
