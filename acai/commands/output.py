"""`--format`: results as a table to read, or as CSV or JSON for other programs, and then nothing else on stdout."""

import contextlib
import csv
import json
import math
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from acai.terminal import one_line

Format = Literal["table", "csv", "json"]
Row = Mapping[str, object]


@contextlib.contextmanager
def remarks(form: Format) -> Iterator[None]:
    """Print what is only for people to stderr inside this block, unless the format is a table."""
    if form == "table":
        yield
        return
    with contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def warnings_as_remarks() -> Iterator[None]:
    """Print what a library would warn of in this block as remarks on stderr: each in one line, and once."""
    with warnings.catch_warnings():
        warnings.simplefilter("once", UserWarning)
        warnings.showwarning = lambda message, *_args, **_more: print(one_line(message), file=sys.stderr)
        yield


def print_rows(rows: Sequence[Row], form: Format) -> None:
    """Print rows with the same columns as CSV or JSON; numbers with all their digits, what is not defined as nothing.

    JSON is written in ASCII, so that no terminal or encoding changes it.
    """
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    if form == "json":
        print(json.dumps(plain, indent=1))
    elif plain:
        writer = csv.DictWriter(sys.stdout, list(plain[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(plain)


def _plain(value: object) -> object:
    """Convert NumPy's numbers to Python's, NaN and infinity to None, and other objects, such as paths, to text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)
