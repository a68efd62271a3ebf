"""The texts of the exercises, from text files: in English, or in the language that was chosen, as far as it is translated."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acai.errors import InputError, unknown

HERE = Path(__file__).parent
ENGLISH = "en"


@dataclass(frozen=True)
class Exercise:
    """One task.

    Attributes
    ----------
    name : str
        The notebook's number and a word: "02-pearson".
    title : str
        The task in one line.
    minutes : int
        Roughly how long it takes.
    hints : list of str
        From the first nudge to all but the answer.
    says : dict of str to str
        The sentences of its check, by key.
    """

    name: str
    title: str
    minutes: int
    hints: list[str]
    says: dict[str, str]


def read_toml(path: Path) -> dict[str, Any]:
    """Read a text file; an error in it names the file."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}; expected TOML, in UTF-8") from None


def read_exercises(path: Path) -> dict[str, Exercise]:
    """Read the exercises of one text file, by name."""
    found = {}
    for name, texts in read_toml(path).items():
        expected = "expected title, minutes, hints (a list) and a table says"
        if not isinstance(texts, dict) or {*texts} != {"title", "minutes", "hints", "says"}:
            given = ", ".join(texts) if isinstance(texts, dict) else type(texts).__name__
            raise InputError(f"{path}: [{name}] has {given or 'nothing'}; {expected}")
        if not isinstance(texts["hints"], list) or not isinstance(texts["says"], dict) or not texts["hints"]:
            raise InputError(f"{path}: hints or says of [{name}] are of the wrong kind; {expected}")
        found[name] = Exercise(name, **texts)
    return found


COMMON: dict[str, str] = read_toml(HERE / "common.toml")
TASKS = {name: task for path in sorted(HERE.glob("[0-9]*.toml")) for name, task in read_exercises(path).items()}
FOLDERS = [HERE]  # where translations may be, one file per language: "de.toml"
_words: dict[str, str] = {}  # of the language that was chosen: what stands for each English text


def languages() -> list[str]:
    """List the languages that there are texts in."""
    return [ENGLISH, *sorted({path.stem for folder in FOLDERS for path in folder.glob("??.toml")})]


def language(code: str) -> None:
    """Choose the language of all texts: "de". What is not translated stays in English."""
    if code not in languages():
        raise unknown("language", code, languages())
    _words.clear()
    for entries in _translations(code):
        _words.update({entry["en"]: entry[code] for entry in entries})


def _translations(code: str) -> list[list[dict[str, str]]]:
    """Read the pairs of texts of each file of a language; there is none of English."""
    found = [folder / f"{code}.toml" for folder in FOLDERS if (folder / f"{code}.toml").exists()]
    return [read_toml(path)["text"] for path in found]


def in_words(text: str) -> str:
    """Return a text in the language that was chosen, or as it is."""
    return _words.get(text, text)


def say(key: str, **values: object) -> str:
    """Write a sentence of `common.toml`, with the values of its {places}."""
    return in_words(COMMON[key]).format(**values)


def find(name: str) -> Exercise:
    """Return the exercise with this name, in the language that was chosen."""
    if name not in TASKS:
        raise unknown("exercise", name, TASKS)
    task = TASKS[name]
    says = {key: in_words(sentence) for key, sentence in task.says.items()}
    return replace(task, title=in_words(task.title), hints=[in_words(step) for step in task.hints], says=says)


def untranslated(code: str) -> tuple[list[str], list[str]]:
    """List texts without a translation, because they are new or were changed, and translations of texts that are gone."""
    english = [*COMMON.values()]
    for task in TASKS.values():
        english += [task.title, *task.hints, *task.says.values()]
    translated = {entry["en"] for entries in _translations(code) for entry in entries}
    return [text for text in english if text not in translated], sorted(translated - {*english})
