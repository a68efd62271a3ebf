"""`acai reproduce`: what others have published, and what the README claims, run again."""

import dataclasses
from pathlib import Path

from acai import datasets, plots
from acai.cf import Recommender
from acai.commands import expect_picture
from acai.studies.reproduce import OF_LISTS, lastfm, momentum, surprise
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
    ratings = datasets.movielens_100k(data)
    print("MovieLens-100k, 5 folds; in brackets, Surprise's published figures\n")
    print(f"  {'Surprise':<14}{'here':<50}{'RMSE':>14}{'MAE':>17}")
    for row in surprise(ratings, jobs, seed):
        figures = "".join(f"{found:>9.4f} ({published:.3f})" for found, published in zip(row.found, row.published))
        print(f"  {row.name:<14}{_short(row.model):<48}{figures}", flush=True)


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
    ratings = datasets.movielens_100k(data)
    print("MovieLens-100k, 5 folds; SGD in random order with learning rate .005: RMSE on what was held out\n")
    print(f"  {'α':>4}{'epoch 5':>10}{'epoch 10':>10}{'epoch 20':>10}{'best':>10}   level with α = 0 after")
    curves = {}
    for run in momentum(ratings, seed):
        curves[f"α = {run.alpha:g}"] = run.curve
        figures = "".join(f"{figure:>10.4f}" for figure in (*run.curve[[4, 9, 19]], run.curve.min()))
        print(f"  {run.alpha:>4}{figures}   {f'{run.level_after} epochs' if run.level_after else 'never'}", flush=True)
    if plot:
        plots.save(plots.descent(curves, "RMSE on what was held out", level=run.goal), plot)
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
    plays = datasets.hetrec_lastfm(data)
    print("HetRec Last.fm, plays of artists, 80/20 of each user, lists of 10; ItemKNN learns from log(1 + plays)\n")
    print("".join(f"{name:>9}" for name in OF_LISTS))
    for model, found in lastfm(plays, seed):
        print("".join(f"{found[name]:>9.4f}" for name in OF_LISTS) + f"   {_short(model)}", flush=True)


def _short(model: Recommender) -> str:
    """The model with those settings that are not the default, as one would write it."""
    fields = [(field.name, field.default) for field in dataclasses.fields(model)]
    settings = (f"{name}={getattr(model, name)!r}" for name, plain in fields if getattr(model, name) != plain)
    return f"{type(model).__name__}({', '.join(settings)})"
