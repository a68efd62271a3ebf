"""Evaluation of a model on held-out data (README, part E)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from acai.cf.inputs import expect_ratings, expect_same_axes
from acai.cf.recommender import Recommender
from acai.errors import InputError, unknown
from acai.evaluation import metrics
from acai.ratings import Ratings
from acai.settings import Limits, checked, checked_jobs

RATING = {"rmse": metrics.rmse, "mae": metrics.mae}  # of all predictions


def _precision(hits: NDArray[np.bool_], n_relevant: NDArray[np.intp]) -> NDArray[np.float64]:
    return metrics.precision(hits)


# of each user's k best songs, as hits, and how many songs are relevant; the mean is taken
OF_LISTS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.intp]], NDArray[np.float64]]] = {
    "precision": _precision, "recall": metrics.recall,
    "map": metrics.average_precision, "ndcg": metrics.ndcg,
}
METRICS = (*RATING, *OF_LISTS, "coverage", "auc")


def evaluate(  # noqa: PLR0913 - a model, two sets, and the options of the metrics
    model: Recommender, train: Ratings, test: Ratings, k: int = 10, which: Iterable[str] | None = None,
    relevant_from: float = -np.inf, memory: int = 2**28,
) -> dict[str, float]:
    """Fit `model` on `train` and evaluate it on `test`.

    RMSE and MAE (E1, E2) are computed over all entries of `test`. The other metrics look at each user's list of the k best
    songs outside `train`, including songs that nobody rated; the relevant songs are those that the user has in `test`. Users
    without relevant songs are left out of the means. Songs with equal scores are ordered as on the axis, except for AUC,
    where a tie counts for half.

    Parameters
    ----------
    model : Recommender
        It is fitted, unless it was already fitted on this very `train`.
    train, test : Ratings
        Two parts of one `Ratings`, with the same axes.
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
        By metric; NaN if no user has a relevant song.
    """
    if not isinstance(model, Recommender):
        given = model.__name__ if isinstance(model, type) else repr(model)
        raise InputError(f"model={given}; expected a model with its settings, such as SGD(n_factors=50)")
    expect_same_axes(expect_ratings(test), expect_ratings(train), "train and test")
    k = checked("k", k, limits=Limits(at_least=1, at_most=10_000))
    memory = checked("memory", memory)
    which = [name for name in METRICS if model.predicts_ratings or name not in RATING] if which is None else list(which)
    for name in set(which).difference(METRICS):
        raise unknown("metric", name, METRICS, n=len(METRICS))
    if not model.is_fitted_on(train):
        model.fit(train)
    found: dict[str, float] = {}
    if not RATING.keys().isdisjoint(which):
        r_hat = model.predict_codes(test.user_codes, test.csr.indices)
        found |= {name: metric(test.csr.data, r_hat) for name, metric in RATING.items()}
    if not RATING.keys() >= set(which):
        found |= _evaluate_rankings(model, test.keep(test.csr.data >= relevant_from), k, "auc" in which, memory)
    return {name: found[name] for name in which}


def _evaluate_rankings(model: Recommender, liked: Ratings, k: int, with_auc: bool, memory: int) -> dict[str, float]:
    """Measure the metrics of ranked lists, over all users who have relevant songs, those of `liked`."""
    from acai.cf import kernels

    n_relevant, known = np.diff(liked.csr.indptr), liked.map(np.ones_like).csr
    users = np.flatnonzero(n_relevant)
    if not len(users):
        return dict.fromkeys(METRICS, np.nan)
    columns, hits, areas = [], [], []
    for block, scores in model.score_blocks(users, memory=memory):
        relevant = known[block].toarray() > 0  # (block, n_songs)
        best, _ = kernels.top_n(scores, k)  # (block, k)
        columns.append(best)
        hits.append(np.take_along_axis(relevant, best, axis=1) & (best >= 0))
        if with_auc:
            areas += _areas(scores, relevant)
    all_hits = np.concatenate(hits)
    found = {name: float(metric(all_hits, n_relevant[users]).mean()) for name, metric in OF_LISTS.items()}
    found["coverage"] = metrics.coverage(np.concatenate(columns), liked.n_songs)
    found["auc"] = float(np.mean(areas)) if areas else np.nan
    return found


def _areas(scores: NDArray[np.float32], relevant: NDArray[np.bool_]) -> list[float]:
    """Compute the AUC of each user over the songs outside the training data, unless all of these are relevant."""
    areas = []
    for s, is_relevant in zip(scores, relevant):
        new = s > -np.inf
        if not is_relevant[new].all():
            areas.append(metrics.auc(s[new], is_relevant[new]))
    return areas


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

    if isinstance(folds, Iterable):
        parts = list(folds)
    else:
        parts = list(expect_ratings(ratings).folds(checked("folds", folds, limits=Limits(at_least=2)), seed))
    if not parts or not all(isinstance(part, tuple | list) and len(part) == 2 for part in parts):
        raise InputError("folds is neither a number nor a list of pairs (train, test); expected folds=5, for example")
    tasks = [delayed(evaluate)(replace(model), train, test, **options) for train, test in parts]
    runs = Parallel(n_jobs=checked_jobs(n_jobs))(tasks)
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}
