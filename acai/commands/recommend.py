"""Recommend songs to one user, from a data set or from a model that `acai train` has kept.

  acai recommend --data movielens-100k PATH --user 42
  acai recommend --data hetrec-lastfm PATH --user 2 --model ALS:n_factors=64
  acai recommend --file model.npz --user 42
"""

import argparse

from acai.commands.options import MODELS_HELP, add_data, holds_plays, model_named, read_data
from acai.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai recommend`."""
    parser.epilog = MODELS_HELP
    add_data(parser, required=False)
    parser.add_argument("--file", help="a model that `acai train` has kept, instead of --data and --model")
    parser.add_argument("--model", help="what to learn from the data (SGD for ratings, ALS for play counts)")
    parser.add_argument("--user", required=True, help="the id of the user, as it stands in the data")
    parser.add_argument("-n", type=int, default=10, help="how many songs (10)")
    parser.add_argument("--with-rated", action="store_true", help="songs that the user knows already, too")


def run(args: argparse.Namespace) -> None:
    """Print the songs."""
    import numpy as np

    from acai.cf.saving import load

    if (args.file is None) == (args.data is None):
        raise InputError("give either --data NAME PATH or --file MODEL")
    if args.file is not None:
        model = load(args.file)
    else:
        ratings = read_data(args)
        model = model_named(args.model or ("ALS" if holds_plays(ratings) else "SGD"))
        user_of(ratings, args.user)  # an unknown one should not have to wait for the training
        for note in ratings.notes:
            print(note)
        print(f"{ratings}\n{model}")
        model.fit(ratings, progress=True)
    user = user_of(model.ratings, args.user)
    row = model.ratings.csr[[model.ratings.row(user)]]
    best = np.argsort(-row.data, kind="stable")[:3]
    known = [(model.ratings.songs[row.indices[j]], f"{row.data[j]:g}") for j in best]
    songs = [(song, f"{s:.3f}") for song, s in model.recommend(user, n=args.n, exclude_rated=not args.with_rated)]
    titles = titles_of(args.data)
    for heading, rows in (f"user {user} thinks most of", known), (f"new for user {user}", songs):
        names = [_name(song, titles) for song, _ in rows]
        print(f"\n{heading}:\n")
        for place, (name, (_, score)) in enumerate(zip(names, rows), 1):
            print(f"  {place:>3} {name:<{max(map(len, names))}}  {score:>7}")


def user_of(ratings, text: str):
    """The id that was typed: text, or the number that it spells where ids are numbers."""
    if text not in ratings.user_rows and text.lstrip("-").isdigit() and int(text) in ratings.user_rows:
        return int(text)
    ratings.row(text)
    return text


def titles_of(data: list[str] | None) -> dict[str, str]:
    """The titles of the songs, where the data set comes with a file of them; an empty dictionary elsewhere."""
    from acai.datasets import TITLES

    if data is None or data[0] not in TITLES:
        return {}
    try:
        return TITLES[data[0]](data[1])
    except InputError:  # the titles are a courtesy: `u.data` alone, without `u.item`, will do
        return {}


def _name(song: object, titles: dict[str, str]) -> str:
    words = " – ".join(map(str, song)) if isinstance(song, tuple) else str(song)
    return f"{words}  {titles[song]}" if song in titles else words
