"""Evaluation of a model on held-out data (README, part E)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from acai.cf.inputs import expect_ratings
from acai.cf.recommender import Recommender
from acai.errors import InputError
from acai.evaluation import metrics
from acai.evaluation.per_user import (
    ALL_METRICS,
    RATING,
    checked_metrics,
    fit_to_evaluate,
    predicted,
    rankings,
    relevant_part,
)
from acai.ratings import Ratings
from acai.settings import Limits, checked, checked_jobs


def evaluate(  # noqa: PLR0913 - a model, two sets, and the options of the metrics
    model: Recommender, train: Ratings, test: Ratings, k: int = 10, which: Iterable[str] | None = None,
    relevant_from: float = -np.inf, memory: int = 2**28,
) -> dict[str, float]:
    """Fit `model` on `train` and evaluate it on `test`.

    RMSE and MAE (E1, E2) are computed over all entries of `test`. The other metrics look at each user's list of the k best
    songs outside `train`, including songs that nobody rated; the relevant songs are those that the user has in `test`. Users
    without relevant songs are left out of the means. Songs with equal scores keep their order in R, except for AUC,
    where a tie counts for half.

    Parameters
    ----------
    model : Recommender
        It is fitted, unless it was already fitted on this very `train`.
    train, test : Ratings
        Two parts of one `Ratings`, with the same axes and no common entries.
    k : int
        The length of the lists.
    which : iterable of {"rmse", "mae", "precision", "recall", "map", "ndcg", "coverage", "auc"}
        What to measure. By default everything, but RMSE and MAE only if the model predicts ratings. AUC (E7) ranks every
        song for every user, so it takes the longest.
    relevant_from : float
        Only songs with at least this rating in `test` are relevant.
    memory : int
        How many bytes a block of scores may take.

    Returns
    -------
    dict of str to float
        One value per metric; NaN if no user has a relevant song.
    """
    names = checked_metrics(model, which, ALL_METRICS)
    k, memory = fit_to_evaluate(model, train, test, k, memory)
    found: dict[str, float] = {}
    if not RATING.keys().isdisjoint(names):
        r_hat = predicted(model, test)
        found |= {name: metric(test.csr.data, r_hat) for name, metric in RATING.items()}
    if not RATING.keys() >= set(names):
        liked = relevant_part(test, relevant_from)
        per_user, lists = rankings(model, liked, k, "auc" in names, memory)
        found |= {name: mean_of_defined(values) for name, values in per_user.items()}
        found["coverage"] = metrics.coverage(lists, liked.n_songs) if len(lists) else np.nan
    return {name: found[name] for name in names}


def mean_of_defined(values: NDArray[np.float64]) -> float:
    """Return the mean over the users for whom a metric is defined; NaN if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan


class EvaluationOptions(TypedDict, total=False):
    """Optional arguments of `evaluate`."""

    k: int
    which: Iterable[str] | None
    relevant_from: float
    memory: int


def cross_validate(
    model: Recommender, ratings: Ratings | None, folds: int | Sequence[tuple[Ratings, Ratings]] = 5,
    n_jobs: int = 1, seed: int = 0, **options: Unpack[EvaluationOptions],
) -> dict[str, NDArray[np.float64]]:
    """Evaluate `model` on each fold of `ratings`.

    Parameters
    ----------
    model : Recommender
        Only its settings are used; it is not changed.
    ratings : Ratings or None
        What is split; None if `folds` lists the folds.
    folds : int or sequence of (train, test)
        How many random folds, or the folds themselves.
    n_jobs : int
        How many processes; the result is the same for any number.
    seed : int
        Seed of the random folds.
    **options
        As for `evaluate`.

    Returns
    -------
    dict of str to ndarray, shape (folds,)
        Each metric on each fold.
    """
    from joblib import Parallel, delayed

    tasks = [delayed(evaluate)(replace(model), train, test, **options) for train, test in folds_of(ratings, folds, seed)]
    runs = Parallel(n_jobs=checked_jobs(n_jobs))(tasks)
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}


def folds_of(
    ratings: Ratings | None, folds: int | Sequence[tuple[Ratings, Ratings]], seed: int
) -> list[tuple[Ratings, Ratings]]:
    """Return the folds that are given, or make so many random ones of `ratings`."""
    if not isinstance(folds, Iterable) or (isinstance(folds, np.ndarray) and folds.ndim == 0):
        return list(expect_ratings(ratings).folds(checked("folds", folds, limits=Limits(at_least=2)), seed))
    parts = list(folds)
    if not parts or not all(isinstance(part, tuple | list) and len(part) == 2 for part in parts):
        raise InputError("folds is neither a number nor a list of pairs (train, test); expected folds=5, for example")
    return [(train, test) for train, test in parts]
