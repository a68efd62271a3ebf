"""`acai reproduce`: published results, and the claims of the README, measured again."""

from pathlib import Path

from acai import datasets, plots
from acai.commands import expect_picture
from acai.evaluation.comparing import short_name
from acai.settings import Jobs, Seed
from acai.studies.reproduce import OF_LISTS, lastfm, momentum, surprise
from acai.terminal import one_line


def reproduce_surprise(*, data: Path, jobs: Jobs = 1, seed: Seed = 0) -> None:
    """Reproduce the table of the library Surprise on MovieLens-100k, 5 folds: our figures next to theirs.

    Theirs are from the README of Surprise 1.1.4, with its default parameters.

    Parameters
    ----------
    data : PATH
        The file, folder or archive of MovieLens-100k.
    jobs : N
        Number of processes; -1 is one per core.
    seed : N
        Seed of the folds and the models.
    """
    ratings = datasets.movielens_100k(data)
    print("MovieLens-100k, 5 folds; in brackets, Surprise's published figures\n")
    print(f"  {'Surprise':<14}{'here':<50}{'RMSE':>14}{'MAE':>17}")
    for row in surprise(ratings, jobs, seed):
        figures = "".join(f"{found:>9.4f} ({published:.3f})" for found, published in zip(row.found, row.published))
        print(f"  {row.name:<14}{short_name(row.model):<48}{figures}", flush=True)


def reproduce_momentum(*, data: Path, plot: Path | None = None, seed: Seed = 0) -> None:
    """Measure the effect of momentum (C10) on stochastic gradient descent, all else equal, on MovieLens-100k.

    Prints the RMSE on held-out ratings, the mean of 5 folds, and after how many epochs it matches no momentum.

    Parameters
    ----------
    data : PATH
        The file, folder or archive of MovieLens-100k.
    plot : FILE
        Draw the RMSE after each epoch into this file.
    seed : N
        Seed of the folds and the models.
    """
    if plot:
        expect_picture(plot)
    ratings = datasets.movielens_100k(data)
    print("MovieLens-100k, 5 folds; SGD in random order with learning rate .005: RMSE on held-out ratings\n")
    print(f"  {'α':>4}{'epoch 5':>10}{'epoch 10':>10}{'epoch 20':>10}{'best':>10}   matches α = 0 after")
    curves: dict[str, list[float]] = {}
    for run in momentum(ratings, seed):
        curves[f"α = {run.alpha:g}"] = run.curve.tolist()
        figures = "".join(f"{figure:>10.4f}" for figure in (*run.curve[[4, 9, 19]], run.curve.min()))
        print(f"  {run.alpha:>4}{figures}   {f'{run.level_after} epochs' if run.level_after else 'never'}", flush=True)
    if plot:
        plots.save(plots.descent(curves, "RMSE on held-out ratings", level=run.goal), plot)
        print(f"\ndrawn in {one_line(plot)}")


def reproduce_lastfm(*, data: Path, seed: Seed = 0) -> None:
    """Compare models of play counts on HetRec Last.fm, an 80/20 split per user, lists of 10.

    Parameters
    ----------
    data : PATH
        The file, folder or archive of HetRec Last.fm.
    seed : N
        Seed of the split and the models.
    """
    plays = datasets.hetrec_lastfm(data)
    print("HetRec Last.fm, plays of artists, an 80/20 split per user, lists of 10; ItemKNN learns from log(1 + plays)\n")
    print("".join(f"{name:>9}" for name in OF_LISTS))
    for model, found in lastfm(plays, seed):
        print("".join(f"{found[name]:>9.4f}" for name in OF_LISTS) + f"   {short_name(model)}", flush=True)
