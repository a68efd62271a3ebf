"""`acai reproduce`: what others have published, and what the README claims, run again."""

import dataclasses
from pathlib import Path

import numpy as np

from acai import cf, datasets, evaluation, plots
from acai.commands import expect_picture
from acai.terminal import one_line


def reproduce_surprise(*, data: Path, jobs: int = 1, seed: int = 0) -> None:
    """The table of the library Surprise on MovieLens-100k, 5 folds: our figures beside theirs.

    Theirs are from the README of Surprise 1.1.4; the parameters are its defaults.

    Parameters
    ----------
    data : PATH
        The file, folder or archive of MovieLens-100k.
    jobs : N
        How many processes share the folds.
    seed : N
        Of the folds and the models.
    """
    table = [
        ("SVD", 0.934, 0.737, cf.SGD(seed=seed)),
        ("KNNBasic", 0.980, 0.774, cf.UserKNN(similarity="msd", centring="none")),
        ("KNNWithMeans", 0.951, 0.749, cf.UserKNN(similarity="msd")),
        ("KNNBaseline", 0.931, 0.733, cf.UserKNN(similarity="msd", centring="baseline")),
        ("BaselineOnly", 0.944, 0.748, cf.Baseline()),
    ]
    folds = list(datasets.movielens_100k(data).folds(5, seed))
    print("MovieLens-100k, 5 folds; in brackets, Surprise's published figures\n")
    print(f"  {'Surprise':<14}{'here':<50}{'RMSE':>14}{'MAE':>17}")
    for name, rmse, mae, model in table:
        found = evaluation.cross_validate(model, None, folds, jobs, which=("rmse", "mae"))
        figures = f"{found['rmse'].mean():>9.4f} ({rmse:.3f}){found['mae'].mean():>9.4f} ({mae:.3f})"
        print(f"  {name:<14}{_short(model):<48}{figures}", flush=True)


def reproduce_momentum(*, data: Path, plot: Path | None = None, seed: int = 0) -> None:
    """What momentum (C10) does to stochastic gradient descent, the rest being the same, on MovieLens-100k.

    Prints the RMSE on what was held out, a mean of 5 folds, and after how many epochs it is level with no momentum.

    Parameters
    ----------
    data : PATH
        The file, folder or archive of MovieLens-100k.
    plot : FILE
        Where to draw the RMSE after each epoch.
    seed : N
        Of the folds and the models.
    """
    if plot:
        expect_picture(plot)
    folds = list(datasets.movielens_100k(data).folds(5, seed))
    print("MovieLens-100k, 5 folds; SGD in random order with learning rate .005: RMSE on what was held out\n")
    print(f"  {'α':>4}{'epoch 5':>10}{'epoch 10':>10}{'epoch 20':>10}{'best':>10}   level with α = 0 after")
    curves = {}
    for alpha in (0.0, 0.3, 0.5, 0.7, 0.8, 0.9):
        runs = [cf.SGD(momentum=alpha, shuffle=True, seed=seed).fit(train, validation=test) for train, test in folds]
        curves[f"α = {alpha:g}"] = curve = np.mean([model.validation_history for model in runs], axis=0)
        goal = curves["α = 0"][-1]
        there = np.flatnonzero(curve <= goal)
        figures = "".join(f"{figure:>10.4f}" for figure in (*curve[[4, 9, 19]], curve.min()))
        print(f"  {alpha:>4}{figures}   {f'{there[0] + 1} epochs' if len(there) else 'never'}", flush=True)
    if plot:
        plots.save(plots.descent(curves, "RMSE on what was held out", level=goal), plot)
        print(f"\ndrawn in {one_line(plot)}")


def reproduce_lastfm(*, data: Path, seed: int = 0) -> None:
    """Models of play counts on HetRec Last.fm, 80/20 of each user, lists of 10.

    Parameters
    ----------
    data : PATH
        The file, folder or archive of HetRec Last.fm.
    seed : N
        Of the split and the models.
    """
    train, test = datasets.hetrec_lastfm(data).split_each_user(test=0.2, seed=seed)
    logs = train.map(np.log1p)
    neighbours = {"k": 400, "keep": 400, "similarity": "asymmetric", "centring": "none", "normalise": False}
    models = [
        (cf.Popularity(), train),
        (cf.ItemKNN(**neighbours), logs),
        (cf.ItemKNN(min_overlap=2, **neighbours), logs),
        (cf.ALS(n_factors=64, alpha=1.0, reg=5.0, seed=seed), train),
    ]
    print("HetRec Last.fm, plays of artists, 80/20 of each user, lists of 10; ItemKNN learns from log(1 + plays)\n")
    columns = ("ndcg", "map", "recall", "auc", "coverage")
    print("".join(f"{name:>9}" for name in columns))
    for model, plays in models:
        found = evaluation.evaluate(model, plays, test, which=columns)
        print("".join(f"{found[name]:>9.4f}" for name in columns) + f"   {_short(model)}", flush=True)


def _short(model: cf.Recommender) -> str:
    """The model with those settings that are not the default, as one would write it."""
    fields = [(field.name, field.default) for field in dataclasses.fields(model)]
    settings = (f"{name}={getattr(model, name)!r}" for name, plain in fields if getattr(model, name) != plain)
    return f"{type(model).__name__}({', '.join(settings)})"
