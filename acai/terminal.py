"""What the command line prints: nothing that other people wrote controls the terminal, and no encoding is too small for it."""

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

KEPT = frozenset("\n\t\u00a0\u3000\u200c\u200d")  # layout, spaces of other scripts, joiners: harmless, though not "printable"
NEAREST = {  # what acai itself prints, for a terminal that has ASCII only
    "–": "-", "—": "-", "−": "-", "…": "...", "±": "+/-", "×": "x", "²": "^2", "→": "->", "↳": "->", "●": "*", "○": "o", "·": "*",
    "≤": "<=", "≥": ">=", "≈": "~", "‖": "||", "‘": "'", "’": "'", "α": "alpha", "η": "eta", "λ": "lambda", "κ": "kappa",
    "Σ": "sum",
}


class SafeStream:
    """A text stream that escapes control characters, and characters that its encoding does not have.

    Ids, titles, tags and file names come from other people. Written as they are, an escape sequence in one of them can clear
    the screen, rename the window or hide a line, and a bidirectional override can reverse the text beside it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text`; a carriage return is kept at the very beginning only, where a progress bar starts anew."""
        start = "\r" if text.startswith("\r") else ""
        safe = start + visible(text[len(start) :])
        encoding = self._stream.encoding or "utf-8"  # in memory there is none
        self._stream.write(safe.encode(encoding, "acai-nearest").decode(encoding))
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextlib.contextmanager
def safe_output() -> Iterator[None]:
    """Within this block, stdout and stderr are `SafeStream`s; at its end, what they could not write is given up."""
    streams = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        if sys.stdout is not None:  # it is None where it was closed before Python started
            stack.enter_context(contextlib.redirect_stdout(SafeStream(sys.stdout)))
        if sys.stderr is not None:
            stack.enter_context(contextlib.redirect_stderr(SafeStream(sys.stderr)))
        try:
            yield
        finally:
            for stream in streams:
                _flush_or_give_up(stream)


def visible(text: str) -> str:
    """`text` with an escape such as \\x1b in place of each character that is not printable (as in `repr`)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in KEPT else _escape(c) for c in text)


def one_line(name: object) -> str:
    """An id, a title or a file name as part of a line: `visible`, and without line breaks or tabs of its own."""
    return visible(str(name)).replace("\n", "\\n").replace("\t", "\\t")


def complain(message: str) -> None:
    """Print one line on stderr, if there is anybody to read it."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(one_line(message), file=sys.stderr)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(NEAREST.get(c) or _escape(c) for c in error.object[error.start : error.end]), error.end


codecs.register_error("acai-nearest", _nearest)


def _flush_or_give_up(stream: TextIO | None) -> None:
    """Python flushes again when it exits; what a closed pipe or a full disk refuses must not fail there a second time."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):  # ValueError: it has been closed meanwhile
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
