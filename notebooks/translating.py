"""The notebooks in another language: pairs of texts in `source/de/01_the_problem.toml`, put in place of the English ones."""

import ast
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

TOOLS = 'from acai.teaching.exercises import check, exercises, hint\n'
CellType = TypeVar("CellType")


class Translation:
    """What one notebook says in another language; what has no translation stays in English.

    Attributes
    ----------
    missing : list of str
        English texts without a translation: they are new, or were changed.
    """

    def __init__(self, source: Path, language: str) -> None:
        self.language, self.name = language, source.stem
        path = source.parent / language / f"{source.stem}.toml"
        pairs: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.exists = path.exists()
        self._texts = {one_line(pair["en"]): pair[language].strip("\n") for pair in pairs.get("text", [])}
        self._code = {pair["en"]: pair[language] for pair in pairs.get("code", [])}
        self._keep = {*pairs.get("keep", [])}
        self._used: set[str] = set()
        self.missing: list[str] = []

    @property
    def stale(self) -> list[str]:
        """Translations of texts that no longer exist."""
        return [text for text in (*self._texts, *self._code) if text not in self._used]

    def cells(self, cells: list[CellType]) -> list[CellType]:
        """Translate the cells of a notebook; its first code cell chooses the language of the exercises, too."""
        first = next(k for k, cell in enumerate(cells) if cell.kind == "code")
        translate = lambda cell: self._markdown(cell.text) if cell.kind == "markdown" else self._python(cell.text)
        made = [replace(cell, text=translate(cell)) for cell in cells]
        choice = f'{TOOLS.rstrip()}, language\n'
        text = made[first].text.replace(TOOLS, choice)
        before, _, last = text.rpartition("\n")
        made[first] = replace(made[first], text=f'{before}\nlanguage("{self.language}")\n{last}')
        return made

    def _markdown(self, text: str) -> str:
        return "\n\n".join(self.text(block) for block in blocks(text)).strip("\n")

    def text(self, english: str) -> str:
        """Translate a paragraph, or note that it is missing."""
        key = one_line(english)
        if key in self._texts:
            self._used.add(key)
            return self._texts[key]
        if re.search(r"[A-Za-z]{2}", re.sub(r"`[^`]*`|\$[^$]*\$", "", english)):
            self.missing.append(english)
        return english

    def _python(self, code: str) -> str:
        """Translate words between quotes and comments; nothing else may change."""
        said = [*strings(code), *re.findall(r"#\s*(.*)", code)]
        for text in dict.fromkeys(said):
            if text in self._code:
                self._used.add(text)
                quote = '"' if " " not in text else ""  # a single word may also be a name in the code
                ours, theirs = (quote + words.replace("\n", r"\n") + quote for words in (text, self._code[text]))
                code = code.replace(ours, theirs)
            elif text not in self._keep and re.search(r"[A-Za-z]{2}", text):
                self.missing.append(text)
        return code


def blocks(text: str) -> list[str]:
    """Split Markdown into paragraphs, headings, lists and pieces of code."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        starts = not found or (not inside and (line.startswith("#") or not line.strip() or found[-1].startswith("#")))
        inside ^= line.startswith("```")
        if starts:
            found.append(line)
        else:
            found[-1] = f"{found[-1]}\n{line}" if found[-1] else line
    return [block for block in found if block.strip()]


def one_line(text: str) -> str:
    """Write a text without its line breaks, which do not matter."""
    return " ".join(text.split())


def strings(code: str) -> list[str]:
    """Return all texts in a piece of code."""
    nodes = ast.walk(ast.parse(code))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
