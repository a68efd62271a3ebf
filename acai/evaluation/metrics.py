"""How good predictions and recommendations are (README, part E): functions on arrays."""

import numpy as np

from acai.errors import InputError, check_codes, real_numbers
from acai.settings import checked


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """(E1) Root mean squared error, √(mean of (r − r̂)²).

    Parameters
    ----------
    truth, predicted : array of float, of equal shapes
        r and r̂.

    Returns
    -------
    float
        0 or more, in units of the ratings.
    """
    return float(np.sqrt(np.mean(np.square(_errors(truth, predicted)))))  # (E1)


def mae(truth: np.ndarray, predicted: np.ndarray) -> float:
    """(E2) Mean absolute error, mean of |r − r̂|; the rest as for `rmse`."""
    return float(np.mean(np.abs(_errors(truth, predicted))))  # (E2)


def _errors(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    truth, predicted = real_numbers(truth, "ratings"), real_numbers(predicted, "predictions")
    if truth.shape != predicted.shape or truth.size == 0:
        shapes = f"ratings of shape {truth.shape} and predictions of shape {predicted.shape}"
        raise InputError(f"{shapes}; expected equal shapes, not empty")
    if not (np.isfinite(truth).all() and np.isfinite(predicted).all()):
        raise InputError("a rating or a prediction is NaN or infinite; expected finite numbers")
    return truth - predicted


def precision(hits: np.ndarray) -> np.ndarray:
    """(E3) Precision at k, 1/k Σ_j h_j: the share of the k places that a relevant song stands on.

    Parameters
    ----------
    hits : array of bool, shape (..., k)
        h_j: is the song on place j relevant? Where fewer than k songs were recommended, the places left are no hits.

    Returns
    -------
    ndarray, shape (...)
        0 to 1, one for each list.
    """
    return np.mean(_hits(hits), axis=-1)  # (E3)


@np.errstate(invalid="ignore")  # 0 / 0 is NaN: nothing is relevant
def recall(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """(E4) Recall at k, 1/|T| Σ_j h_j: the share of the relevant songs that got a place.

    Parameters
    ----------
    hits : array of bool, shape (..., k)
        h_j: is the song on place j relevant?
    n_relevant : int or array of int, shape (...)
        |T|, how many songs are relevant to each user, recommended or not. Where it is 0 there is no such thing as recall: NaN.

    Returns
    -------
    ndarray, shape (...)
        0 to 1, one for each list.
    """
    hits = _hits(hits)
    return hits.sum(axis=-1) / _relevant(n_relevant, hits)  # (E4)


@np.errstate(invalid="ignore")  # 0 / 0 is NaN: nothing is relevant
def average_precision(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """(E5) Average precision at k, 1/min(k, |T|) Σ_j h_j · (1/j Σ_{l≤j} h_l). Its mean over users is mAP@k.

    Parameters and result are those of `recall`.
    """
    hits = _hits(hits)
    n_relevant, k = _relevant(n_relevant, hits), hits.shape[-1]
    so_far = np.cumsum(hits, axis=-1) / np.arange(1, k + 1)  # the precision at each place
    return (hits * so_far).sum(axis=-1) / np.minimum(k, n_relevant)  # (E5)


@np.errstate(invalid="ignore")  # 0 / 0 is NaN: nothing is relevant
def ndcg(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """(E6) Normalised discounted cumulative gain at k, Σ_j h_j / log₂(j + 1) over the same sum for a perfect list.

    Parameters and result are those of `recall`.
    """
    hits = _hits(hits)
    n_relevant, k = _relevant(n_relevant, hits), hits.shape[-1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(k, n_relevant)]
    return hits @ discount / ideal  # (E6)


def _hits(hits: np.ndarray) -> np.ndarray:
    """h as 0.0 and 1.0, once it is known to be lists of truth values."""
    hits = np.asarray(hits)
    if hits.ndim == 0 or hits.shape[-1] == 0 or not np.isin(hits, (0, 1)).all():
        raise InputError(f"hits are {hits.dtype} of shape {hits.shape}; expected true or false for each of 1 or more places")
    return hits.astype(np.float64)


def _relevant(n_relevant: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """|T|, once it is known to be one number for each list, and not below the number of hits."""
    n_relevant = np.asarray(n_relevant)
    if n_relevant.dtype.kind not in "iu" or n_relevant.shape not in ((), hits.shape[:-1]):
        found = f"n_relevant is {n_relevant.dtype} of shape {n_relevant.shape}"
        raise InputError(f"{found}; expected one integer, or one for each of the lists, shape {hits.shape[:-1]}")
    if (hits.sum(axis=-1) > n_relevant).any():
        raise InputError("a list has more hits than there are relevant songs; expected n_relevant to count them all")
    return n_relevant


def auc(scores: np.ndarray, relevant: np.ndarray) -> float:
    """(E7) Area under the ROC curve: how often a relevant song stands above one that is not, a tie counting for half.

    Parameters
    ----------
    scores : array of float, shape (n_songs,) or (n_users, n_songs)
        What orders the songs; −∞ puts one last. NaN is an error.
    relevant : array of bool, of the same shape
        Which songs are relevant.

    Returns
    -------
    float
        0.5 for a blind order, 1 for a perfect one. With several users, the mean over those who have both relevant songs
        and others.

    Raises
    ------
    InputError
        If nobody has both.
    """
    scores, relevant = np.atleast_2d(np.asarray(scores)), np.atleast_2d(np.asarray(relevant))
    if scores.shape != relevant.shape or scores.dtype.kind not in "fiub" or np.isnan(scores).any():
        raise InputError(f"scores of shape {scores.shape}, relevant of shape {relevant.shape}; expected equal, no NaN")
    if scores.ndim != 2 or not np.isin(relevant, (0, 1)).all():
        raise InputError(f"relevant is {relevant.dtype} of shape {relevant.shape}; expected true or false for each song")
    relevant = relevant.astype(bool)
    n_good = relevant.sum(axis=1)
    n_bad = scores.shape[1] - n_good
    both = (n_good > 0) & (n_bad > 0)
    if not both.any():
        raise InputError("no user has both relevant songs and others, so there is no AUC")
    from scipy.stats import rankdata

    ranks = rankdata(scores[both], axis=1)  # from 1; equal scores share the mean of their ranks
    good, bad = n_good[both].astype(float), n_bad[both]
    wins = (ranks * relevant[both]).sum(axis=1) - good * (good + 1) / 2
    return float(np.mean(wins / (good * bad)))  # (E7)


def coverage(recommended: np.ndarray, n_songs: int) -> float:
    """(E8) The share of all songs that is recommended to anybody.

    Parameters
    ----------
    recommended : array of int
        The columns of the recommended songs; −1 stands for an empty place.
    n_songs : int
        How many songs there are.

    Returns
    -------
    float
        0 to 1.
    """
    codes = check_codes(np.ravel(recommended), checked("n_songs", n_songs), "recommended columns", or_unknown=True)
    return np.count_nonzero(np.unique(codes) >= 0) / n_songs  # (E8)
