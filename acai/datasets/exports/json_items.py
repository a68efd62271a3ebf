"""The objects of a JSON file one at a time: of one long list, or one object after another, as in JSON lines."""

import codecs
import json
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from typing import Any

from acai.errors import InputError
from acai.tables.streams import CHUNK, damaged

LONGEST = 1 << 20  # characters of one object
SPACE = " \t\r\n"
DECODER = json.JSONDecoder()


def json_items(stream: BufferedReader, label: str) -> Iterator[Any]:
    """Yield each item of a list, or each of several values that follow one another; no more than one is in memory.

    Raises
    ------
    InputError
        If the file is not JSON in UTF-8, is cut off, or one item is too long.
    """
    reader = codecs.getreader("utf-8-sig")(stream)
    text = ""
    n_items = 0
    in_list: bool | None = None  # not known before the first character
    ended = False
    while not ended:
        chunk = _read(reader, label)
        ended = not chunk
        text += chunk
        if in_list is None and text.lstrip(SPACE):
            text = text.lstrip(SPACE)
            in_list = text.startswith("[")
            text = text.removeprefix("[")
        text, items, is_closed = _complete(text, bool(in_list), ended, label)
        n_items += len(items)
        yield from items
        if is_closed:
            _expect_end(reader, label)
            return
        if len(text) > LONGEST:
            raise InputError(f"{label}: item {n_items + 1:,} has more than {LONGEST:,} characters; expected entries of a history")
    if in_list or text:
        raise damaged(label, f"it ends in the middle, after {n_items:,} items")


def first_items(beginning: bytes, n: int = 20) -> list[Any]:
    """Return the items that are complete at the beginning of a file, at most `n`; none if it is not JSON."""
    text = beginning.decode("utf-8-sig", "replace").lstrip(SPACE)
    if not text.startswith(("[", "{")):
        return []
    items: list[Any] = []
    text = text.removeprefix("[")
    with suppress(ValueError, RecursionError):
        while len(items) < n:
            text = text.lstrip(SPACE + ",")
            item, end = DECODER.raw_decode(text)
            items.append(item)
            text = text[end:]
    return items


def _read(reader: codecs.StreamReader, label: str) -> str:
    try:
        return reader.read(CHUNK)
    except UnicodeDecodeError as error:
        raise InputError(f"{label} is not text in UTF-8 ({error.reason}); expected JSON as the service exports it") from None


def _expect_end(reader: codecs.StreamReader, label: str) -> None:
    """Read on to the end of the file, where an archive checks that it is complete; nothing may follow the list."""
    while rest := _read(reader, label):
        if rest.strip(SPACE):
            raise damaged(label, "something follows the end of its list")


def _complete(text: str, in_list: bool, ended: bool, label: str) -> tuple[str, list[Any], bool]:
    """Take complete items off the beginning of a text: returns the rest, the items, and whether their list has ended."""
    items: list[Any] = []
    at = 0
    separators = SPACE + "," if in_list else SPACE
    while True:
        while at < len(text) and text[at] in separators:
            at += 1
        if in_list and text[at : at + 1] == "]":
            if text[at + 1 :].strip(SPACE):
                raise damaged(label, "something follows the end of its list")
            return "", items, True
        if at == len(text):
            return "", items, False
        try:
            item, end = DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            if ended or _is_wrong(text, error):
                raise InputError(f"{label} is not JSON: {error.msg} ({error.doc[error.pos : error.pos + 20]!r})") from None
            return text[at:], items, False
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists within lists
            raise damaged(label, error) from None
        if end == len(text) and not ended and not isinstance(item, dict | list):
            return text[at:], items, False  # more digits may follow
        items.append(item)
        at = end


def _is_wrong(text: str, error: json.JSONDecodeError) -> bool:
    """Whether a text is wrong before its end, so that reading on cannot help."""
    is_open = error.msg.startswith(("Unterminated string", "Invalid \\u", "Invalid \\escape"))
    return not is_open and error.pos < len(text) - 20  # a word such as `false` may be cut
