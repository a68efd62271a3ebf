"""Run again what others have published, or what the README claims, and print ours beside it.

  acai reproduce surprise --data PATH    MovieLens-100k: the table of the library Surprise, 5 folds
  acai reproduce momentum --data PATH    MovieLens-100k: what momentum (C10) does to stochastic gradient descent
  acai reproduce lastfm --data PATH      HetRec Last.fm: play counts, 80/20 of each user, lists of 10
"""

import argparse
import dataclasses

import numpy as np

from acai.errors import InputError

# RMSE and MAE from the README of Surprise 1.1.4: MovieLens-100k, 5 folds, default parameters
SURPRISE = {
    "SVD": (0.934, 0.737),
    "KNNBasic": (0.980, 0.774),
    "KNNWithMeans": (0.951, 0.749),
    "KNNBaseline": (0.931, 0.733),
    "BaselineOnly": (0.944, 0.748),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai reproduce`."""
    parser.add_argument("what", choices=list(WHAT), help="which of them")
    parser.add_argument("--data", metavar="PATH", required=True, help="the file, folder or archive of the data set")
    parser.add_argument("--plot", metavar="FILE", help="where to draw momentum's picture")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes share the folds (1)")
    parser.add_argument("--seed", type=int, default=0, help="of the folds and the models (0)")


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    if args.plot and args.what != "momentum":
        raise InputError(f"--plot {args.plot}: only `acai reproduce momentum` draws a picture")
    WHAT[args.what](args)


def surprise(args: argparse.Namespace) -> None:
    """Our models with Surprise's parameters, on its data set."""
    from acai.cf import SGD, Baseline, UserKNN, cross_validate
    from acai.datasets import movielens_100k

    models = {
        "SVD": SGD(seed=args.seed),
        "KNNBasic": UserKNN(similarity="msd", centring="none"),
        "KNNWithMeans": UserKNN(similarity="msd"),
        "KNNBaseline": UserKNN(similarity="msd", centring="baseline"),
        "BaselineOnly": Baseline(),
    }
    folds = list(movielens_100k(args.data).folds(5, args.seed))
    print("MovieLens-100k, 5 folds; in brackets, Surprise's published figures\n")
    print(f"  {'Surprise':<14}{'here':<50}{'RMSE':>14}{'MAE':>17}")
    for name, model in models.items():
        found = cross_validate(model, None, folds, n_jobs=args.jobs, which=("rmse", "mae"))
        figures = (f"{found[m].mean():>9.4f} ({theirs:.3f})" for m, theirs in zip(("rmse", "mae"), SURPRISE[name]))
        print(f"  {name:<14}{_short(model):<48}" + "".join(figures), flush=True)


def momentum(args: argparse.Namespace) -> None:
    """RMSE on the test folds after each epoch, for α from 0 to .9, the rest being the same."""
    from acai.cf import SGD
    from acai.datasets import movielens_100k

    folds = list(movielens_100k(args.data).folds(5, args.seed))
    print("MovieLens-100k, 5 folds; SGD in random order with learning rate .005: RMSE on what was held out\n")
    print(f"  {'α':>4}{'epoch 5':>10}{'epoch 10':>10}{'epoch 20':>10}{'best':>10}   level with α = 0 after")
    curves, goal = {}, np.nan
    for alpha in (0.0, 0.3, 0.5, 0.7, 0.8, 0.9):
        runs = [SGD(momentum=alpha, shuffle=True, seed=args.seed).fit(*fold[:1], validation=fold[1]) for fold in folds]
        curve = np.mean([model.validation_history for model in runs], axis=0)
        curves[f"α = {alpha:g}"] = curve
        goal = curve[-1] if alpha == 0 else goal
        there = np.flatnonzero(curve <= goal)
        when = f"{there[0] + 1} epochs" if len(there) else "never"
        print(f"  {alpha:>4}{curve[4]:>10.4f}{curve[9]:>10.4f}{curve[19]:>10.4f}{curve.min():>10.4f}   {when}", flush=True)
    if args.plot:
        from acai import plots
        from acai.files import written_whole

        with written_whole(args.plot) as temporary:
            plots.descent(curves, "RMSE on what was held out", level=goal).figure.savefig(temporary)
        print(f"\ndrawn in {args.plot}")


def lastfm(args: argparse.Namespace) -> None:
    """Models of play counts."""
    from acai.cf import ALS, ItemKNN, Popularity, evaluate, split_each_user
    from acai.datasets import hetrec_lastfm

    train, test = split_each_user(hetrec_lastfm(args.data), test=0.2, seed=args.seed)
    logs = train.map(np.log1p)
    neighbours = {"similarity": "asymmetric", "centring": "none", "normalise": False}
    models = [
        (Popularity(), train),
        (ItemKNN(k=400, keep=400, **neighbours), logs),
        (ItemKNN(k=400, keep=400, min_overlap=2, **neighbours), logs),
        (ALS(n_factors=64, alpha=1.0, reg=5.0, seed=args.seed), train),
    ]
    print("HetRec Last.fm, plays of artists, 80/20 of each user, lists of 10; ItemKNN learns from log(1 + plays)\n")
    columns = ("ndcg", "map", "recall", "auc", "coverage")
    print("".join(f"{name:>9}" for name in columns))
    for model, data in models:
        found = evaluate(model, data, test, which=columns)
        print("".join(f"{found[name]:>9.4f}" for name in columns) + f"   {_short(model)}", flush=True)


def _short(model) -> str:
    """The model with those settings that are not the default, as one would write it."""
    fields = [(f.name, f.default) for f in dataclasses.fields(model)]
    settings = (f"{name}={getattr(model, name)!r}" for name, plain in fields if getattr(model, name) != plain)
    return f"{type(model).__name__}({', '.join(settings)})"


WHAT = {"surprise": surprise, "momentum": momentum, "lastfm": lastfm}
