"""List the data sets that acai reads: which are present, how large they are, on what terms, what each is good for."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", nargs="?", default="data", metavar="FOLDER", help="where to look (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> None:
    import textwrap
    from pathlib import Path

    from acai.datasets.catalogue import CATALOGUE
    from acai.errors import InputError

    folder = Path(args.folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; expected the folder that has data sets")
    there = {path.name: path for path in sorted(folder.rglob("*"), reverse=True)}
    for name, known in CATALOGUE.items():
        found = next((there[sign] for sign in known.signs if sign in there), None)
        print(
            f"{'●' if found else '○'} {name:<16}{known.size:>8}  {found or ('by hand' if known.by_hand else '')}".rstrip()
        )
        for title, text in (
            ("for", known.good_for),
            ("terms", known.terms),
            ("reader", f"acai.datasets.{known.reader}"),
        ):
            print(textwrap.fill(text, 100, initial_indent=f"    {title + ':':<8}", subsequent_indent=" " * 12))
    print(f"● is in {folder}/, ○ is not; `acai download NAME` fetches it")
    print("any other file of user, song and value: acai.datasets.triplets")
