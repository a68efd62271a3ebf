"""`acai bench`: acai beside the libraries that people would use instead."""

import dataclasses
import json as json_format
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from acai.errors import unknown
from acai.terminal import one_line

S = TypeVar("S")
T = TypeVar("T")


def bench(
    *, only: list[str] | None = None, ml100k: Path | None = None, hetrec: Path | None = None, json: bool = False,
    growth: bool = False, readme: Path | None = None,
) -> None:
    """Measure acai beside PyTorch, Surprise, implicit and cornac: first that results agree, then how long each takes.

      acai bench --ml100k PATH --hetrec PATH
      acai bench --only openmrs dieleman

    Each row runs in a process of its own, in which both libraries take turns, with a pause before each turn; times are
    medians. What Numba compiles is reported apart. Rows whose library (pip install 'acai[bench]') or data are missing are left
    out. All rows take about half an hour. The exit code is 1 if results differ.

    Parameters
    ----------
    only : ROW
        Measure these rows only.
    ml100k : PATH
        The file, folder or archive of MovieLens-100k (`acai download movielens-100k`).
    hetrec : PATH
        The same of HetRec Last.fm (`acai download hetrec-lastfm`).
    json
        Print the results for a program to read.
    growth
        Measure instead how time and memory grow from 1 to 48 million entries.
    readme : FILE
        Write the table into a Markdown file, between the markers of the last one.
    """
    from acai.bench import rows, table  # only here: they import every model
    from acai.bench.growth import ENTRIES, MODELS
    from acai.bench.row import Data

    names = only or list(rows.ROWS)
    for name in names:
        if name not in rows.ROWS:
            raise unknown("row", name, rows.ROWS, n=len(rows.ROWS))
    if readme is not None:
        table.expect_place(readme, growth)
    machine = rows.this_machine()
    if not json:
        print(f"{machine}\n", flush=True)
    found: list[Any]
    if growth:
        steps = [(model, n) for model in MODELS for n in ENTRIES]
        found = _each(steps, lambda step: rows.measured_growth(*step), table.growth_as_text, json)
    else:
        data = Data(ml100k, hetrec)
        found = _each(names, lambda name: rows.measured(name, data), table.as_text, json)
    if json:
        results = [dataclasses.asdict(result) for result in found]
        print(json_format.dumps({"machine": machine, "growth" if growth else "rows": results}, indent=1))
    if readme is not None:
        (table.growth_into_readme if growth else table.into_readme)(readme, found, machine)
    sys.exit(0 if all(getattr(result, "agrees", True) for result in found) else 1)


def _each(steps: Sequence[S], measure: Callable[[S], T], as_text: Callable[[T], str], is_silent: bool) -> list[T]:
    """Measure one after another, and print each result as soon as it is there; a bar on stderr shows how far it is."""
    from tqdm import tqdm

    found = []
    with tqdm(steps, desc="bench", unit="row", leave=False) as bar:
        for step in bar:
            bar.set_postfix_str(str(step))
            found.append(measure(step))
            if not is_silent:
                bar.clear()
                print(one_line(as_text(found[-1])), flush=True)
    return found
