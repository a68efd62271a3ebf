"""What the first lines of a delimited file show about all of it: its encoding, its separator, and whether fields are quoted."""

import re
from dataclasses import dataclass

import numpy as np

from acai.errors import InputError
from acai.tables.encodings import BOM, in_utf8, utf_16
from acai.tables.lines import is_text
from acai.tables.source import FilePath, opened

SEPARATORS = ("\t", "<SEP>", "::", "; ", ";", ", ", ",", "|", " ")  # the earlier of two that fit equally well is taken
QUOTING = (",", ";")  # where these separate, a later field may be quoted even if none of the first is
SAMPLE = 1 << 16  # bytes
AT_MOST = 1000  # lines
EXCERPT = 80  # characters of a line that a message shows
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
SAYS_SEPARATOR = re.compile(rb'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)  # for Excel, before the first line
LATIN_1 = "it is not UTF-8, and was read as Latin-1 (Windows-1252)"


@dataclass(frozen=True)
class FirstLines:
    """The fields of the first lines, and how they were told apart; `notes` says what is unusual about it.

    `n_before` lines before them are not part of the table.
    """

    lines: list[list[str]]
    separator: str
    quoted: bool
    encoding: str
    notes: list[str]
    n_before: int = 0


def first_lines(path: FilePath, separator: str | None = None) -> FirstLines:
    """Read the first lines of a file of at least three fields.

    Parameters
    ----------
    path : path
        The file, or an archive with nothing else in it.
    separator : str, optional
        What separates two fields; by default whichever of `SEPARATORS` cuts the most lines into as many fields as the first.
    """
    with opened(path) as source:
        notes = ["it is UTF-16"] if utf_16(source.stream.peek(2)) else []
        raw = in_utf8(source.stream, source.label).read(SAMPLE).removeprefix(BOM)
    if len(raw) >= SAMPLE - len(BOM) and b"\n" in raw:
        raw = raw[: raw.rfind(b"\n") + 1]  # the last line may not be whole
    said = SAYS_SEPARATOR.match(raw)
    if said:
        separator, raw = separator or said[1].decode("latin-1"), raw[said.end() :]
        notes.append("line 1 says what separates the fields")
    encoding = "utf-8"
    if looks_like_latin_1(raw):
        encoding = "cp1252"
        notes.append(LATIN_1)
    ways = [(*_cut(raw, mark, encoding), mark) for mark in (SEPARATORS if separator is None else (separator,))]
    ways = [way for way in ways if len(way[0][0]) >= 3]
    if not ways:
        first = raw.partition(b"\n")[0].decode(errors="replace").rstrip("\r")
        expected = "user, song and value with a separator between them"
        raise InputError(f"{path}, line 1: expected {expected}; found {first[:EXCERPT]!r}")
    lines, quoted, mark = max(ways, key=lambda way: _agreement(way[0]))
    if quoted and b'"' in raw:
        notes.append("quotation marks around fields are left out")
    return FirstLines(lines, mark, quoted, encoding, notes, n_before=int(said is not None))


def looks_like_latin_1(raw: bytes) -> bool:
    """Whether bytes are not UTF-8, and not damaged UTF-8 either, which would have some character that is whole."""
    return not is_text(raw, "utf-8") and raw.decode(errors="ignore").isascii()


def _agreement(lines: list[list[str]]) -> tuple[float, bool]:
    """Compute the share of the lines that have as many fields as the first one, and whether some field is a number in all."""
    alike = [line for line in lines if len(line) == len(lines[0])]
    columns = zip(*(alike[1:] or alike))
    return len(alike) / len(lines), any(all(NUMBER.fullmatch(cell.strip()) for cell in column) for column in columns)


def _cut(raw: bytes, separator: str, encoding: str) -> tuple[list[list[str]], bool]:
    """Cut lines into fields; also returns whether fields are quoted.

    They are if quotation marks around whole fields are more frequent than those that only begin one, as in the title
    `"Heroes" (live)`. Where there is neither, it depends on the separator: CSV files have quoted fields.
    """
    text = raw.replace(b"\r\n", b"\n").rstrip(b"\n")
    plain = [line.decode(encoding, "replace").split(separator) for line in text.split(b"\n")[:AT_MOST]]
    if len(separator) > 1 or ord(separator) > 127 or separator == '"':
        return plain, False
    if b'"' not in raw:
        return plain, separator in QUOTING
    from acai.tables import quoting

    found = quoting.unquoted(np.frombuffer(raw.rstrip(b"\n") + b"\n", dtype=np.uint8), ord(separator), 0)
    lines: list[list[str]] = [[]]
    start, content = 0, found.text.tobytes()
    for mark, ends_line in zip(found.marks.tolist(), found.ends_line.tolist()):
        lines[-1].append(content[start:mark].decode(encoding, "replace"))
        start = mark + 1
        if ends_line:
            lines.append([])
    sources = [raw[begin:end].rstrip(b"\r\n") for begin, end in zip(found.begins, [*found.begins[1:], found.end])]
    n_quoted = sum(separator.join(line) != source.decode(encoding, "replace") for line, source in zip(lines, sources))
    n_broken = int(found.is_broken.sum())
    if n_quoted > n_broken or (n_quoted == n_broken == 0 and separator in QUOTING):
        return lines[:-1][:AT_MOST], True
    return plain, False
