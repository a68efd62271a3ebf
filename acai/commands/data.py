"""`acai data`, `acai download`: which data sets exist, and how to get them."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from acai.commands.output import Format, print_rows
from acai.datasets import catalogue
from acai.datasets.download import fetch
from acai.datasets.unpack import unpack as unpack_archive
from acai.errors import InputError, unknown
from acai.terminal import one_line


def data(folder: Path = Path("data"), *, format: Format = "table") -> None:
    """List the data sets: which are present, their size and terms, and what each is good for.

    Parameters
    ----------
    folder : FOLDER
        Where to look.
    format : {table,csv,json}
        How to print the list.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; expected the folder with the data sets")
    present = {path.name: path for path in sorted(folder.rglob("*"), reverse=True)}
    places = {name: _place(known, present) for name, known in catalogue.CATALOGUE.items()}
    if format != "table":
        print_rows([
            {"name": name, "size": known.size, "path": places[name] or "", "by_hand": known.by_hand, "good_for": known.good_for,
             "terms": known.terms, "reader": f"acai.datasets.{known.reader}"}
            for name, known in catalogue.CATALOGUE.items()
        ], format)
        return
    for name, known in catalogue.CATALOGUE.items():
        found = places[name]
        by_hand = "by hand" if known.by_hand else ""
        where = one_line(found) if found else by_hand
        print(f"{'●' if found else '○'} {name:<24}{known.size:>8}  {where}".rstrip())
        for title, text in ("for", known.good_for), ("terms", known.terms), ("reader", f"acai.datasets.{known.reader}"):
            print(textwrap.fill(text, 100, initial_indent=f"    {title + ':':<8}", subsequent_indent=" " * 12))
    print(f"● is in {one_line(folder)}/, ○ is not; `acai download NAME` downloads it")
    print("your own listening history, as Last.fm, ListenBrainz, Spotify, iTunes or Apple Music export it:")
    print("    acai.datasets.listening_history; with your music: acai report --plays EXPORT --audio FOLDER")
    print("any other file of user, song, value and perhaps time: acai.datasets.triplets")


def _place(known: catalogue.DataSet, present: Mapping[str, Path]) -> Path | None:
    """Find a data set among the files that are present."""
    return next((present[sign] for sign in known.signs if sign in present), None)


def download(name: str, *, to: Path = Path("data"), yes: bool = False, unpack: bool = False) -> None:
    """Download a data set, after its terms have been shown and accepted.

    An interrupted download resumes when the same command is run again. Files with a published checksum are checked against
    it. `acai data` lists the names.

    Parameters
    ----------
    name : NAME
        The data set, as `acai data` lists it.
    to : FOLDER
        Where to put it.
    yes
        Accept the terms without a question.
    unpack
        Unpack archives; the readers do not need this.
    """
    if name not in catalogue.CATALOGUE:
        raise unknown("data set", name, catalogue.CATALOGUE, n=len(catalogue.CATALOGUE))
    known = catalogue.CATALOGUE[name]
    if known.by_hand:
        raise InputError(f"{name} cannot be downloaded without logging in: {known.by_hand}, and put it into {to}/")
    print(f"{name}, {known.size}: {known.good_for}\nterms: {known.terms}")
    if not yes and not _accepted():
        raise InputError("the terms were not accepted, and nothing was downloaded; --yes accepts them beforehand")
    for remote in known.files:
        path = fetch(remote, to, progress=True)
        checked = remote.checksum or "; ".join(f"{name} inside: {sum}" for name, sum in remote.contents.items())
        print(f"{one_line(path)}: {path.stat().st_size:,} bytes, {checked or 'no checksum is published for it'}")
        if unpack and path.name.endswith((".zip", ".tar.gz")):
            print(f"unpacked to {unpack_archive(path, to / path.name.removesuffix('.zip').removesuffix('.tar.gz'))}")
    print(f"read it with acai.datasets.{known.reader}({str(to / known.files[0].name)!r})")


def _accepted() -> bool:
    try:
        return input("Do you accept these terms? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, RuntimeError):  # nobody can answer: stdin is empty or closed
        print()
        return False
