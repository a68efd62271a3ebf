"""A progress bar for slow layers, where somebody is watching."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
_is_shown: ContextVar[bool] = ContextVar("_is_shown", default=False)


@contextmanager
def shown() -> Iterator[None]:
    """Inside this block, an array whose coordinates take more than two seconds has a bar on stderr."""
    token = _is_shown.set(True)
    try:
        yield
    finally:
        _is_shown.reset(token)


def coordinates(items: Sequence[T], array: str) -> Iterable[T]:
    """Go through the coordinates of an array, counted by a bar."""
    if not _is_shown.get():
        return items
    counted: Iterable[T] = tqdm(items, desc=f"checking {array}", unit="coordinate", delay=2, leave=False, file=sys.stderr)
    return counted
