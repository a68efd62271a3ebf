"""Fetch a data set into a folder, after its terms have been shown and accepted.

A download that breaks off goes on where it stopped when the same command is run again. Files of which a checksum is
published are checked against it. `acai data` lists the names.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the data set, as `acai data` lists it")
    parser.add_argument("--to", default="data", metavar="DIR", help="the folder (default: %(default)s)")
    parser.add_argument("--yes", action="store_true", help="accept the terms without being asked")
    parser.add_argument("--unpack", action="store_true", help="unpack archives, too; the readers do not need it")


def run(args: argparse.Namespace) -> None:
    from pathlib import Path

    from acai.datasets.catalogue import CATALOGUE
    from acai.datasets.download import fetch, unpack
    from acai.errors import InputError, unknown

    if args.name not in CATALOGUE:
        raise unknown("data set", args.name, CATALOGUE, n=len(CATALOGUE))
    known = CATALOGUE[args.name]
    if known.by_hand:
        raise InputError(
            f"{args.name} cannot be fetched without logging in: {known.by_hand}, and put it into {args.to}/"
        )
    print(f"{args.name}, {known.size}: {known.good_for}\nterms: {known.terms}")
    if not args.yes and not _accepted():
        raise InputError("the terms were not accepted, and nothing was downloaded; --yes accepts them beforehand")
    for remote in known.files:
        path = fetch(remote, args.to, progress=True)
        checked = remote.checksum or "; ".join(f"{name} inside: {sum}" for name, sum in remote.contents.items())
        print(f"{path}: {path.stat().st_size:,} bytes, {checked or 'no checksum is published for it'}")
        if args.unpack and path.name.endswith((".zip", ".tar.gz")):
            print(f"unpacked to {unpack(path, Path(args.to) / path.name.removesuffix('.zip').removesuffix('.tar.gz'))}")
    print(f"read it with acai.datasets.{known.reader}({str(Path(args.to) / known.files[0].name)!r})")


def _accepted() -> bool:
    try:
        return input("Do you accept these terms? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False
