"""How good predictions and recommendations are (README, part E): functions on arrays."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acai.arrays import check_codes, real_numbers
from acai.errors import InputError
from acai.settings import checked


def rmse(truth: ArrayLike, predicted: ArrayLike) -> float:
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


def mae(truth: ArrayLike, predicted: ArrayLike) -> float:
    """(E2) Mean absolute error, mean of |r − r̂|; the rest as for `rmse`."""
    return float(np.mean(np.abs(_errors(truth, predicted))))  # (E2)


def _errors(truth: ArrayLike, predicted: ArrayLike) -> NDArray[np.float64]:
    r, r_hat = real_numbers(truth, "ratings"), real_numbers(predicted, "predictions")
    if r.shape != r_hat.shape or r.size == 0:
        shapes = f"ratings of shape {r.shape} and predictions of shape {r_hat.shape}"
        raise InputError(f"{shapes}; expected equal shapes, not empty")
    if not (np.isfinite(r).all() and np.isfinite(r_hat).all()):
        raise InputError("a rating or a prediction is NaN or infinite; expected finite numbers")
    errors: NDArray[np.float64] = r - r_hat
    return errors


def precision(hits: ArrayLike) -> NDArray[np.float64]:
    """(E3) Precision at k, 1/k Σ_j h_j: the share of the k positions that have a relevant song.

    Parameters
    ----------
    hits : array of bool, shape (..., k)
        h_j: is the song in position j relevant? If fewer than k songs were recommended, the empty positions are no hits.

    Returns
    -------
    ndarray, shape (...)
        0 to 1, one for each list.
    """
    share: NDArray[np.float64] = np.mean(_hits(hits), axis=-1)  # (E3)
    return share


@np.errstate(invalid="ignore")  # 0 / 0 is NaN: nothing is relevant
def recall(hits: ArrayLike, n_relevant: ArrayLike) -> NDArray[np.float64]:
    """(E4) Recall at k, 1/|T| Σ_j h_j: the share of the relevant songs that are in the list.

    Parameters
    ----------
    hits : array of bool, shape (..., k)
        h_j: is the song in position j relevant?
    n_relevant : int or array of int, shape (...)
        |T|, how many songs are relevant to each user, recommended or not. Where it is 0, recall is not defined: NaN.

    Returns
    -------
    ndarray, shape (...)
        0 to 1, one for each list.
    """
    h = _hits(hits)
    share: NDArray[np.float64] = h.sum(axis=-1) / _relevant(n_relevant, h)  # (E4)
    return share


@np.errstate(invalid="ignore")  # 0 / 0 is NaN: nothing is relevant
def average_precision(hits: ArrayLike, n_relevant: ArrayLike) -> NDArray[np.float64]:
    """(E5) Average precision at k, 1/min(k, |T|) Σ_j h_j · (1/j Σ_{l≤j} h_l). Its mean over users is mAP@k.

    Parameters and result are those of `recall`.
    """
    h = _hits(hits)
    T, k = _relevant(n_relevant, h), h.shape[-1]
    precision_so_far = np.cumsum(h, axis=-1) / np.arange(1, k + 1)  # (E5); at each position
    mean_precision: NDArray[np.float64] = (h * precision_so_far).sum(axis=-1) / np.minimum(k, T)  # (E5)
    return mean_precision


@np.errstate(invalid="ignore")  # 0 / 0 is NaN: nothing is relevant
def ndcg(hits: ArrayLike, n_relevant: ArrayLike) -> NDArray[np.float64]:
    """(E6) Normalised discounted cumulative gain at k, Σ_j h_j / log₂(j + 1) over the same sum for a perfect list.

    Parameters and result are those of `recall`.
    """
    h = _hits(hits)
    T, k = _relevant(n_relevant, h), h.shape[-1]
    discount = 1 / np.log2(np.arange(2, k + 2))  # (E6)
    ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(k, T)]  # (E6)
    gain: NDArray[np.float64] = h @ discount / ideal  # (E6)
    return gain


def _hits(hits: ArrayLike) -> NDArray[np.float64]:
    """Check that h are lists of truth values, and turn them into 0.0 and 1.0."""
    h = np.asarray(hits)
    if h.ndim == 0 or h.shape[-1] == 0 or not np.isin(h, (0, 1)).all():
        raise InputError(f"hits are {h.dtype} of shape {h.shape}; expected true or false for each of 1 or more positions")
    return h.astype(np.float64)


def _relevant(n_relevant: ArrayLike, h: NDArray[np.float64]) -> NDArray[np.intp]:
    """Check that |T| is one number for each list, and not below the number of hits."""
    T: NDArray[np.intp] = np.asarray(n_relevant)
    if T.dtype.kind not in "iu" or T.shape not in ((), h.shape[:-1]):
        found = f"n_relevant is {T.dtype} of shape {T.shape}"
        raise InputError(f"{found}; expected one integer, or one per list (shape {h.shape[:-1]})")
    if (h.sum(axis=-1) > T).any():
        raise InputError("a list has more hits than there are relevant songs; expected n_relevant to count them all")
    return T


def auc(scores: ArrayLike, relevant: ArrayLike) -> float:
    """(E7) Area under the ROC curve: how often a relevant song ranks above one that is not; a tie counts for half.

    Parameters
    ----------
    scores : array of float, shape (n_songs,) or (n_users, n_songs)
        The scores by which the songs are ranked; a score of −∞ puts a song last. NaN is an error.
    relevant : array of bool, of the same shape
        Which songs are relevant.

    Returns
    -------
    float
        0.5 for a random order, 1 for a perfect one. With several users, the mean over those who have both relevant songs
        and others.

    Raises
    ------
    InputError
        If nobody has both.
    """
    s, labels = np.atleast_2d(np.asarray(scores)), np.atleast_2d(np.asarray(relevant))
    if s.shape != labels.shape or s.dtype.kind not in "fiub" or np.isnan(s).any():
        raise InputError(f"scores of shape {s.shape}, relevant of shape {labels.shape}; expected equal shapes, no NaN")
    if s.ndim != 2 or not np.isin(labels, (0, 1)).all():
        raise InputError(f"relevant is {labels.dtype} of shape {labels.shape}; expected true or false for each song")
    is_relevant = labels.astype(bool)
    n_good = is_relevant.sum(axis=1)
    n_bad = s.shape[1] - n_good
    both = (n_good > 0) & (n_bad > 0)
    if not both.any():
        raise InputError("no user has both relevant songs and others, so there is no AUC")
    ranks = np.array([ranks_of(row) for row in s[both]])
    good, bad = n_good[both].astype(float), n_bad[both]
    wins = (ranks * is_relevant[both]).sum(axis=1) - good * (good + 1) / 2  # (E7)
    return float(np.mean(wins / (good * bad)))  # (E7)


def ranks_of(scores: NDArray[np.generic]) -> NDArray[np.float64]:
    """Rank scores from 1 for the smallest; equal ones share the mean of their ranks."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: NDArray[np.float64] = (last - (count - 1) / 2)[place]
    return ranks


def coverage(recommended: ArrayLike, n_songs: int) -> float:
    """(E8) The share of all songs that are recommended to anybody.

    Parameters
    ----------
    recommended : array of int
        The columns of the recommended songs; −1 stands for an empty position.
    n_songs : int
        How many songs there are.

    Returns
    -------
    float
        0 to 1.
    """
    n_songs = checked("n_songs", n_songs)
    codes: NDArray[np.integer] = check_codes(np.ravel(recommended), n_songs, "recommended columns", or_unknown=True)
    return float(np.count_nonzero(np.unique(codes) >= 0) / n_songs)  # (E8)
