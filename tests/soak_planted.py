"""Commands that misbehave, for `test_soak.py`: in a file of their own, which a server imports in no time."""

import signal
import time
from pathlib import Path


def half_write(path: str) -> None:
    """Write half of a file, and take long for the rest."""
    Path(path).write_text("half")
    time.sleep(60)


def ignore_interrupts() -> None:
    """Do not end after SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(60)
