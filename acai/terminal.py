"""Safe output on the command line: no text from outside can control the terminal, and every encoding can show it."""

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

KEPT = frozenset("\n\t\u00a0\u3000\u200c\u200d")  # line breaks, spaces, joiners: harmless, though not "printable"
NEAREST = {  # replacements for what acai itself prints, on a terminal with ASCII only
    "–": "-", "—": "-", "−": "-", "…": "...", "±": "+/-", "×": "x", "²": "^2", "→": "->", "↳": "->", "●": "*", "○": "o", "·": "*",
    "≤": "<=", "≥": ">=", "≈": "~", "‖": "||", "‘": "'", "’": "'", "α": "alpha", "η": "eta", "λ": "lambda", "κ": "kappa",
    "Σ": "sum", "∑": "sum", "⋃": "union", "Δ": "delta ", "∇": "grad ", "∂": "d", "√": "sqrt", "←": "<-", "∈": "in", "½": "1/2",
    "ε": "epsilon", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "θ": "theta", "ξ": "xi", "χ": "chi",
    "β": "beta", "δ": "delta", "∞": "infinity", "′": "'",
    "“": '"', "”": '"', "ᵀ": "^T", "\u0302": "^", "\u0304": "-",
    **{low: f"_{plain}" for low, plain in zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-=()aehijklmnoprstuvx")},
    **{high: f"^{plain}" for high, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵇᶠⁱʲᵏˡᵐⁿᵖʳˢᵗᵘᵛʷˣᴸ", "0123456789+-=()bfijklmnprstuvwxL")},
}


class SafeStream:
    """A text stream that escapes control characters and characters missing from its encoding.

    Ids, titles, tags and file names come from other people. Printed unchanged, an escape sequence in one of them can clear
    the screen, rename the window or hide a line, and a bidirectional override can reverse the text next to it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text`; a carriage return is kept only at the very beginning, where a progress bar starts over."""
        start = "\r" if text.startswith("\r") else ""
        safe = start + visible(text[len(start) :])
        encoding = self._stream.encoding or "utf-8"  # streams in memory have none
        self._stream.write(safe.encode(encoding, "acai-nearest").decode(encoding))
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def __getattr__(self, name: str) -> object:
        """Return any other attribute of the stream."""
        return getattr(self._stream, name)


@contextlib.contextmanager
def safe_output() -> Iterator[None]:
    """Make stdout and stderr `SafeStream`s inside this block; at its end, discard what they could not write."""
    _occupy_closed_streams()
    with contextlib.ExitStack() as stack:
        # a stream is None where it was closed before Python started
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        streams = sys.stdout or nowhere, sys.stderr or nowhere
        stack.enter_context(contextlib.redirect_stdout(SafeStream(streams[0])))
        stack.enter_context(contextlib.redirect_stderr(SafeStream(streams[1])))
        try:
            yield
        finally:
            for stream in streams:
                _flush_or_discard(stream)


def _occupy_closed_streams() -> None:
    """Open stdin, stdout and stderr where they are closed: otherwise C libraries would take the next file for one of them."""
    handle = 0
    while handle <= 2:
        handle = os.open(os.devnull, os.O_RDWR)
    os.close(handle)


def visible(text: str) -> str:
    r"""Replace each character that is not printable with an escape such as \x1b (as in `repr`)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in KEPT else _escape(c) for c in text)


def one_line(name: object) -> str:
    """Make an id, a title or a file name fit into one line: `visible`, and without line breaks or tabs."""
    return visible(str(name)).replace("\n", "\\n").replace("\t", "\\t")


def complain(message: str) -> None:
    """Print one line on stderr, if it is open."""
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


def _flush_or_discard(stream: TextIO | None) -> None:
    """Flush, or discard what a closed pipe or a full disk refuses: Python flushes again at exit, and would fail again."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):  # ValueError: the stream has been closed
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
