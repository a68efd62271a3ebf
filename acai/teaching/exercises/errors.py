"""What an exception of an answer means, in words: where it was raised, and what NumPy's message says to a beginner."""

import re
import traceback
from pathlib import Path

from acai.teaching.exercises.wrong import Wrong

OURS = str(Path(__file__).parents[2])
MESSAGES = {  # what is in a message: the key of the sentence that explains it
    "truth value of an array": "array-asked",
    "matmul: .*does not have enough dimensions": "error-matmul-number",
    "Cannot interpret .* as a data type": "error-shape",
    "return arrays must be of ArrayType": "error-out",
    "can only convert an array of size 1|only length-1 arrays|only 0-dimensional arrays": "error-one-number",
    "'(Eig|Eigh|SVD|QR)Result'": "error-several",
    "SVD did not converge|must not contain infs or NaNs": "error-gaps",
    "matmul: .*mismatch|shapes .* not aligned": "error-matmul",
    "operands could not be broadcast|could not broadcast input|non-broadcastable output": "error-broadcast",
    "out of bounds for axis|index out of range": "error-index",
    "boolean index did not match": "error-mask",
    "too many indices": "error-dimensions",
    "setting an array element with a sequence|inhomogeneous shape": "error-sequence",
    "only integer scalar arrays|only integers, slices|must be integers or |interpreted as an integer": "error-integer",
    "Cannot cast ufunc .* to dtype..u?int": "error-cast",
    "NaN to integer|infinity to integer": "error-whole",
    "'NoneType'|'ellipsis'": "error-none",
    "Singular matrix": "error-singular",
    r"takes .*\d+ positional|missing \d+ required|unexpected keyword": "error-arguments",
    "maximum recursion depth": "error-recursion",
}


def explained(error: Exception, is_theirs: bool = False) -> Wrong:
    """Say what stopped an answer; or, if it was not stopped, that the check cannot make sense of what it returned.

    Parameters
    ----------
    error : Exception
        What was raised.
    is_theirs : bool
        Whether the answer raised it, even if no line of it is to blame: it was called with arguments that it does not take.
    """
    found = line_of(error)
    if found is None and not is_theirs:
        return Wrong("no-sense", error=" ".join(str(error).split())[:300] or type(error).__name__)
    return stopped(type(error).__name__, str(error), *(found or (0, "")))


def stopped(kind: str, message: str, line: int, code: str) -> Wrong:
    """Say that an answer raised an exception, in which line of its cell, and what that means."""
    short = " ".join(message.split())[:300]
    meaning = next((Wrong(key) for pattern, key in MESSAGES.items() if re.search(pattern, short)), None)
    place = Wrong("place", line=line, code=code) if code else ""
    if meaning is not None and meaning.key == "array-asked":  # here, NumPy's own message does not help beginners
        return Wrong("array-asked", place=place)
    if meaning is None:
        return Wrong("stops", kind=kind, error=short, place=place)
    return Wrong("stops-because", kind=kind, error=short, place=place, meaning=meaning)


def line_of(error: BaseException) -> tuple[int, str] | None:
    """Find the line of the student's own code in which an error was raised: its number, and what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not f.filename.startswith((OURS, "<frozen")) and "site-packages" not in f.filename]
    return (theirs[-1].lineno or 0, theirs[-1].line or "") if theirs else None
