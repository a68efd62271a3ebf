"""The metrics of part E for each user alone: what their means hide, and what `compare` draws its conclusions from."""

from collections.abc import Callable, Iterable, Sequence
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from acai.cf.inputs import expect_ratings, expect_same_axes
from acai.cf.recommender import Recommender
from acai.errors import InputError, shown, unknown
from acai.evaluation import metrics
from acai.ratings import Ratings
from acai.ratings.building import LARGEST_VALUE
from acai.ratings.splits import is_known
from acai.settings import Limits, checked

Floats = NDArray[np.float64]
RATING = {"rmse": metrics.rmse, "mae": metrics.mae}  # of all predictions


def _precision(hits: NDArray[np.bool_], n_relevant: NDArray[np.intp]) -> Floats:
    return metrics.precision(hits)


# of each user's k best songs, as hits, and how many songs are relevant
OF_LISTS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.intp]], Floats]] = {
    "precision": _precision, "recall": metrics.recall,
    "map": metrics.average_precision, "ndcg": metrics.ndcg,
}
PER_USER = (*RATING, *OF_LISTS, "auc")
ALL_METRICS = (*RATING, *OF_LISTS, "coverage", "auc")


def evaluate_per_user(  # noqa: PLR0913 - the arguments of `evaluate`
    model: Recommender, train: Ratings, test: Ratings, k: int = 10, which: Iterable[str] | None = None,
    relevant_from: float = -np.inf, memory: int = 2**28,
) -> dict[str, Floats]:
    """Fit `model` on `train` and evaluate it on `test`, for each user alone.

    The parameters are those of `evaluate`, except that coverage (E8), which all lists have together, is not among the
    metrics.

    Returns
    -------
    dict of str to ndarray, shape (n_users,)
        By metric, in the order of `train.users`; NaN for users without predictions (RMSE and MAE) or without relevant songs.
        The mean over the others is what `evaluate` returns, except for RMSE and MAE, which it computes from all entries.
    """
    names = checked_metrics(model, which, PER_USER)
    k, memory = fit_to_evaluate(model, train, test, k, memory)
    found: dict[str, Floats] = {}
    if not RATING.keys().isdisjoint(names):
        found |= _errors_per_user(test, predicted(model, test))
    if not RATING.keys() >= set(names):
        liked = relevant_part(test, relevant_from)
        found |= rankings(model, liked, k, "auc" in names, memory)[0]
    return {name: found[name] for name in names}


def expect_model(model: object) -> Recommender:
    """Return `model` if it is one; refuse a class or a name."""
    if isinstance(model, Recommender):
        return model
    given = model.__name__ if isinstance(model, type) else repr(model)
    raise InputError(f"model={given}; expected a model with its settings, such as SGD(n_factors=50)")


def checked_metrics(model: Recommender, which: Iterable[str] | None, known: Sequence[str]) -> list[str]:
    """Return the names of the metrics to measure: by default all that are known and that the model has predictions for."""
    expect_model(model)
    if which is None:
        return [name for name in known if model.predicts_ratings or name not in RATING]
    try:
        names = [which] if isinstance(which, str) else list(which)
    except TypeError:
        names = []
    if not names:
        raise InputError(f"which={shown(which)}; expected a list of metrics, such as which=['rmse', 'ndcg']")
    for name in names:
        if not (isinstance(name, str) and name in known):
            raise unknown("metric", name, known, n=len(known))
    return names


def fit_to_evaluate(model: Recommender, train: Ratings, test: Ratings, k: int, memory: int) -> tuple[int, int]:
    """Check what is given to `evaluate`, and fit the model, unless it was fitted on this very `train`; return k and memory."""
    expect_held_out(train, test)
    k = checked("k", k, limits=Limits(at_least=1, at_most=10_000))
    memory = checked("memory", memory)
    if not model.is_fitted_on(train):
        model.fit(train)
    return k, memory


def expect_held_out(train: Ratings, test: Ratings) -> None:
    """Refuse a test set with pairs that are in the training set as well: they are never recommended, and count as misses."""
    expect_same_axes(expect_ratings(test), expect_ratings(train), "train and test")
    n_known = int(is_known(test, train).sum())
    if not n_known:
        return
    if n_known == train.n_ratings == test.n_ratings:
        found = "train and test have the same pairs of user and song, so there is nothing new to recommend"
        raise InputError(f"{found}; expected two parts of one Ratings: train, test = ratings.split(test=0.2)")
    found = f"{n_known:,} of the {test.n_ratings:,} pairs of user and song in test are in train, too"
    why = "they would never be recommended, and count as misses"
    raise InputError(f"{found}: {why}; leave them out with test.without(train), or let ratings.split() make both")


def relevant_part(test: Ratings, relevant_from: float) -> Ratings:
    """Keep what is relevant in `test`: the entries with at least this rating."""
    if not (isinstance(relevant_from, Real) and (abs(relevant_from) <= LARGEST_VALUE or abs(relevant_from) == np.inf)):
        raise InputError(f"relevant_from={shown(relevant_from)}; expected the least rating that is relevant")
    return test.keep(test.csr.data >= relevant_from)


def predicted(model: Recommender, test: Ratings) -> Floats:
    """Predict every entry of `test`, in the order of `csr.data`."""
    return model.predict_codes(test.user_codes, test.csr.indices)


def _errors_per_user(test: Ratings, r_hat: Floats) -> dict[str, Floats]:
    e = test.csr.data - r_hat
    n = np.diff(test.csr.indptr)
    sums = {name: np.bincount(test.user_codes, errors, test.n_users) for name, errors in (("rmse", e**2), ("mae", np.abs(e)))}
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: nothing to predict
        return {"rmse": np.sqrt(sums["rmse"] / n), "mae": sums["mae"] / n}


def rankings(
    model: Recommender, liked: Ratings, k: int, with_auc: bool, memory: int
) -> tuple[dict[str, Floats], NDArray[np.integer]]:
    """Measure the metrics of ranked lists, for each user who has relevant songs, those of `liked`; NaN for the others.

    Returns
    -------
    found : dict of str to ndarray, shape (n_users,)
    lists : ndarray of int, shape (users with relevant songs, k)
        The columns of the recommended songs; −1 where there are fewer than k.
    """
    from acai.cf import kernels

    n_relevant, known = np.diff(liked.csr.indptr), liked.map(np.ones_like).csr
    users = np.flatnonzero(n_relevant)
    found = {name: np.full(liked.n_users, np.nan) for name in (*OF_LISTS, "auc")}
    lists = [np.empty((0, k), np.int32)]
    for block, scores in model.score_blocks(users, memory=memory):
        relevant = known[block].toarray() > 0  # (block, n_songs)
        best, _ = kernels.top_n(scores, k)  # (block, k)
        hits = np.take_along_axis(relevant, best, axis=1) & (best >= 0)
        for name, metric in OF_LISTS.items():
            found[name][block] = metric(hits, n_relevant[block])
        if with_auc:
            found["auc"][block] = _areas(scores, relevant)
        lists.append(best)
    return found, np.concatenate(lists)


def _areas(scores: NDArray[np.float32], relevant: NDArray[np.bool_]) -> list[float]:
    """Compute the AUC of each user over the songs outside the training data; NaN if all of these are relevant."""
    areas = []
    for s, is_relevant in zip(scores, relevant):
        new = s > -np.inf
        areas.append(np.nan if is_relevant[new].all() else metrics.auc(s[new], is_relevant[new]))
    return areas
