"""A newer notebook under a student's answers: what the student has not touched is renewed, and nothing is lost."""

from collections import defaultdict
from collections.abc import Sequence, Set

from acai.classroom.notebooks import Cell, exercise_of, fingerprint, source


def merged(theirs: Sequence[Cell], new: Sequence[Cell], handed: Set[str]) -> list[Cell]:
    """Lay the cells of a student into the cells of a newer notebook.

    Parameters
    ----------
    theirs : sequence of cell
        The student's notebook.
    new : sequence of cell
        The notebook that is handed out now.
    handed : set of str
        The fingerprints of all cells that were ever handed out in this notebook; every other cell is the student's own.

    Returns
    -------
    list of cell
        The new notebook, with the student's answers in the place of the blanks, changed cells in the place of what they were
        made from, and everything else that the student wrote after the cell that it followed.
    """
    places = {_key(cell) for cell in new}
    untouched: dict[str, Cell] = {}
    instead: dict[str, list[Cell]] = defaultdict(list)  # of the cell with this key
    others: list[tuple[int, Cell]] = []  # what is put next to another cell, and where it was
    keys: list[str | None] = []  # of each of their cells: its place in the new notebook, "" if there is none, None for `others`
    for number, cell in enumerate(theirs):
        mark = fingerprint(source(cell))
        key = exercise_of(cell) or (mark if mark in handed else str(cell.get("id", "")))
        if mark in handed:
            untouched[mark] = cell
        elif key in places:
            instead[key].append(cell)
        elif source(cell).strip():
            others.append((number, cell))
        keys.append(None if others and others[-1][0] == number else key if key in places else "")
    before, after = _next_to(others, keys)
    result = list(after[""])
    for cell in new:
        key = _key(cell)
        result += before[key]
        result += instead[key] or [untouched.get(fingerprint(source(cell)), cell)]
        result += after[key]
    return _with_own_ids(result)


def _next_to(others: Sequence[tuple[int, Cell]], keys: Sequence[str | None]) -> tuple[dict[str, list[Cell]], dict[str, list[Cell]]]:
    """Find a place for each cell of the student's own: after the cell before it, or else before the cell after it.

    If neither has a place in the new notebook, it comes after the last one that has.
    """
    before: dict[str, list[Cell]] = defaultdict(list)
    after: dict[str, list[Cell]] = defaultdict(list)
    for number, cell in others:
        earlier = [key for key in keys[:number] if key is not None]
        later = next((key for key in keys[number:] if key is not None), "")
        if later and earlier and not earlier[-1]:
            before[later].append(cell)
        else:
            after[next((key for key in reversed(earlier) if key), "")].append(cell)
    return before, after


def _key(cell: Cell) -> str:
    """Identify a cell of the new notebook: by its exercise, or by its text."""
    return exercise_of(cell) or fingerprint(source(cell))


def _with_own_ids(cells: list[Cell]) -> list[Cell]:
    """Give every cell an id of its own, as Jupyter requires: a copied cell may have that of another."""
    used: set[str] = set()
    result = []
    for number, cell in enumerate(cells):
        wanted = cell.get("id") or fingerprint(source(cell))
        name = wanted if wanted not in used else f"{wanted[:40]}-{number}"
        used.add(name)
        result.append({**cell, "id": name})
    return result
