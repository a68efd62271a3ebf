"""A progress bar for slow layers, where somebody is watching."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
PATIENCE = 2.0  # seconds without a bar
_since: ContextVar[float | None] = ContextVar("_since", default=None)


@contextmanager
def shown() -> Iterator[None]:
    """Inside this block, there is a bar on stderr for whatever is done once it has lasted for more than two seconds."""
    token = _since.set(time.monotonic())
    try:
        yield
    finally:
        _since.reset(token)


def counted(items: Sequence[T], what: str, unit: str = "coordinate") -> Iterable[T]:
    """Go through the coordinates of an array, or through points, counted by a bar."""
    since = _since.get()
    if since is None:
        return items
    delay = max(PATIENCE - (time.monotonic() - since), 1e-3)
    bar: Iterable[T] = tqdm(items, desc=f"checking {what}", unit=unit, delay=delay, leave=False, file=sys.stderr)
    return bar
