"""`acai reproduce`: what others have published, and what the README claims, run again."""

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np

from acai import cf, datasets, plots
from acai.errors import InputError


def reproduce(
    what: Literal["surprise", "momentum", "lastfm"], *, data: Path, plot: Path | None = None, jobs: int = 1, seed: int = 0
) -> None:
    """Run again what others have published, or what the README claims, and print ours beside it.

      acai reproduce surprise --data PATH    MovieLens-100k: the table of the library Surprise, 5 folds
      acai reproduce momentum --data PATH    MovieLens-100k: what momentum (C10) does to stochastic gradient descent
      acai reproduce lastfm --data PATH      HetRec Last.fm: play counts, 80/20 of each user, lists of 10

    Parameters
    ----------
    what : {surprise,momentum,lastfm}
        Which of them.
    data : PATH
        The file, folder or archive of the data set.
    plot : FILE
        Where to draw momentum's picture.
    jobs : N
        How many processes share Surprise's folds.
    seed : N
        Of the folds and the models.
    """
    if plot and what != "momentum":
        raise InputError(f"--plot {plot}: only `acai reproduce momentum` draws a picture")
    if what == "surprise":
        surprise(data, jobs, seed)
    elif what == "momentum":
        momentum(data, plot, seed)
    else:
        lastfm(data, seed)


def surprise(data: Path, jobs: int, seed: int) -> None:
    """Our models with Surprise's parameters, on its data set, beside RMSE and MAE from the README of Surprise 1.1.4."""
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
        found = cf.cross_validate(model, None, folds, jobs, which=("rmse", "mae"))
        figures = f"{found['rmse'].mean():>9.4f} ({rmse:.3f}){found['mae'].mean():>9.4f} ({mae:.3f})"
        print(f"  {name:<14}{_short(model):<48}{figures}", flush=True)


def momentum(data: Path, plot: Path | None, seed: int) -> None:
    """RMSE on the test folds after each epoch, for α from 0 to .9, the rest being the same."""
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
        print(f"\ndrawn in {plot}")


def lastfm(data: Path, seed: int) -> None:
    """Models of play counts."""
    train, test = cf.split_each_user(datasets.hetrec_lastfm(data), test=0.2, seed=seed)
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
        found = cf.evaluate(model, plays, test, which=columns)
        print("".join(f"{found[name]:>9.4f}" for name in columns) + f"   {_short(model)}", flush=True)


def _short(model: cf.Recommender) -> str:
    """The model with those settings that are not the default, as one would write it."""
    fields = [(field.name, field.default) for field in dataclasses.fields(model)]
    settings = (f"{name}={getattr(model, name)!r}" for name, plain in fields if getattr(model, name) != plain)
    return f"{type(model).__name__}({', '.join(settings)})"
