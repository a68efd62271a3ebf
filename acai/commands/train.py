"""Fit a model to a data set and keep it in a file, from which `acai recommend --file` and `acai.load` take it up again.

  acai train --data hetrec-lastfm PATH --model ALS:n_factors=64 --out artists.npz
"""

import argparse

from acai.commands.options import MODELS_HELP, add_data, holds_plays, model_named, read_data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai train`."""
    parser.epilog = MODELS_HELP
    add_data(parser)
    parser.add_argument("--model", help="what to fit (SGD for ratings, ALS for play counts)")
    parser.add_argument("--out", required=True, help="the file to write, NAME.npz")


def run(args: argparse.Namespace) -> None:
    """Fit and keep."""
    ratings = read_data(args)
    model = model_named(args.model or ("ALS" if holds_plays(ratings) else "SGD"))
    for note in ratings.notes:
        print(note)
    print(f"{ratings}\n{model}")
    model.fit(ratings, progress=True).save(args.out)
    print(f"kept in {args.out}; next: acai recommend --file {args.out} --user {ratings.users[0]}")
