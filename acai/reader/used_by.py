"""Where else an equation is used: in other equations' prose, in sections of the notebooks, and in their exercises."""

import re
import tomllib
from collections import defaultdict
from importlib.resources import files

from acai.reader.rows import Row

Mention = re.compile(r"\(([CNADE]\d[^()]*)\)")


def used_by(rows: list[Row], notebooks: dict[str, str], ids: set[str]) -> dict[str, list[str]]:
    """Return, for each equation, what mentions it: "(C9)", "notebook 04: With memory", "exercise 04-step: one step …"."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for name in _mentioned(row.prose, ids) - set(row.ids):
            found[name] += [f"({other})" for other in row.ids]
    for path, text in notebooks.items():
        for heading, section in _sections(text.replace("`", "")):
            for name in _mentioned(section, ids):
                found[name].append(f"notebook {path.rpartition('/')[2][:2]}: {heading}")
    for exercise, title in _exercises():
        for name in _mentioned(title, ids):
            found[name].append(f"exercise {exercise}: {re.sub(r' ?[(][CNADE][0-9., ]+[)]', '', title)}")
    return {name: list(dict.fromkeys(places)) for name, places in found.items()}


def _mentioned(text: str, ids: set[str]) -> set[str]:
    """Return the equations that a text mentions: (C1), (C2, C3)."""
    words = " ".join(Mention.findall(text))
    return {name for name in re.findall(r"[CNADE]\d+(?:\.\d+)?", words) if name in ids}


def _sections(text: str) -> list[tuple[str, str]]:
    """Split the source of a notebook at its headings."""
    parts = re.split(r"^# #+ (.*)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


def _exercises() -> list[tuple[str, str]]:
    """Return the name and the title of every exercise."""
    found = []
    for file in files("acai.teaching.exercises").iterdir():
        if file.name.endswith(".toml"):
            entries = tomllib.loads(file.read_text(encoding="utf-8"))
            found += [(name, entry["title"]) for name, entry in entries.items() if isinstance(entry, dict) and "title" in entry]
    return sorted(found)
