"""A model held against what it was not told (README, part E)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from acai.cf.inputs import expect_ratings, expect_same_axes
from acai.cf.recommender import Recommender
from acai.errors import InputError, unknown
from acai.evaluation import metrics
from acai.ratings import Ratings
from acai.settings import Limits, checked, checked_jobs

RATING = {"rmse": metrics.rmse, "mae": metrics.mae}  # of all predictions
OF_LISTS = {"precision": lambda hits, n_relevant: metrics.precision(hits), "recall": metrics.recall}
OF_LISTS |= {"map": metrics.average_precision, "ndcg": metrics.ndcg}  # of each user's k best songs; the mean is taken
METRICS = (*RATING, *OF_LISTS, "coverage", "auc")


def evaluate(
    model: Recommender, train: Ratings, test: Ratings, k: int = 10, which: Iterable[str] | None = None,
    relevant_from: float = -np.inf, memory: int = 2**28,
) -> dict[str, float]:
    """Fit `model` on `train` and measure it on `test`.

    RMSE and MAE (E1, E2) are over all entries of `test`. The rest looks at each user's list of the k best songs outside
    `train`, songs that nobody rated included; relevant are the songs that the user has in `test`. Users without any are left out
    of the means. Songs of equal score stand in the order of the axis, except for AUC, where a tie counts for half.

    Parameters
    ----------
    model : Recommender
        Unless it was fitted on this very `train` already, it is fitted.
    train, test : Ratings
        With the same axes, as all splits have.
    k : int
        The length of the lists.
    which : iterable of {"rmse", "mae", "precision", "recall", "map", "ndcg", "coverage", "auc"}
        What to measure. By default all, without RMSE and MAE for a model that does not predict ratings. AUC (E7) ranks
        every song for every user and so takes the longest.
    relevant_from : float
        Only songs rated at least so high in `test` are relevant.
    memory : int
        How many bytes the scores at hand may take.

    Returns
    -------
    dict of str to float
        By metric; NaN where no user has a relevant song.
    """
    if not isinstance(model, Recommender):
        given = model.__name__ if isinstance(model, type) else repr(model)
        raise InputError(f"model={given}; expected a model with its settings, such as SGD(n_factors=50)")
    expect_same_axes(expect_ratings(test), expect_ratings(train), "train and test")
    k, memory = checked("k", k, limits=Limits(at_least=1, at_most=10_000)), checked("memory", memory)
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
        found |= _of_rankings(model, test.keep(test.csr.data >= relevant_from), k, "auc" in which, memory)
    return {name: found[name] for name in which}


def _of_rankings(model: Recommender, liked: Ratings, k: int, with_auc: bool, memory: int) -> dict[str, float]:
    """What looks at every user who has relevant songs: those of `liked`."""
    from acai.cf.kernels import top_n

    n_relevant, known = np.diff(liked.csr.indptr), liked.map(np.ones_like).csr
    users, columns, hits, areas = np.flatnonzero(n_relevant), [], [], []
    for block, scores in model.score_blocks(users, memory=memory):
        relevant = known[block].toarray() > 0  # (block, n_songs)
        columns.append(top_n(scores, k)[0])  # (block, k)
        hits.append(np.take_along_axis(relevant, columns[-1], axis=1) & (columns[-1] >= 0))
        for s, good in zip(scores, relevant) if with_auc else ():
            new = s > -np.inf
            if not good[new].all():  # or else nothing could stand below
                areas.append(metrics.auc(s[new], good[new]))
    if not len(users):
        return dict.fromkeys(METRICS, np.nan)
    found = {name: float(metric(np.concatenate(hits), n_relevant[users]).mean()) for name, metric in OF_LISTS.items()}
    found["coverage"] = metrics.coverage(np.concatenate(columns), liked.n_songs)
    return found | {"auc": float(np.mean(areas)) if areas else np.nan}


def cross_validate(
    model: Recommender, ratings: Ratings | None, folds: int | Sequence[tuple[Ratings, Ratings]] = 5,
    n_jobs: int = 1, seed: int = 0, **options,
) -> dict[str, np.ndarray]:
    """Evaluate `model` on each fold of `ratings`.

    Parameters
    ----------
    model : Recommender
        Its settings count; it is itself left as it is.
    ratings : Ratings or None
        What is parted; None where `folds` gives the parts.
    folds : int or sequence of (train, test)
        How many (parted at random), or the folds themselves.
    n_jobs : int
        How many processes; the result is the same for any number.
    seed : int
        Of the folds.
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
        raise InputError("folds is neither a number nor a list of pairs (train, test); as in folds=5")
    runs = Parallel(n_jobs=checked_jobs(n_jobs))(delayed(evaluate)(replace(model), *part, **options) for part in parts)
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}
