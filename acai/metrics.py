"""How good predictions and recommendations are (README, part E)."""

import numpy as np

from acai.errors import InputError


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
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if truth.shape != predicted.shape or truth.size == 0:
        raise InputError(
            f"ratings of shape {truth.shape} and predictions of shape {predicted.shape}; expected equal shapes, not empty"
        )
    return truth - predicted


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
        0.5 for a blind order, 1 for a perfect one. With several users, the mean over those who have both relevant
        songs and others.

    Raises
    ------
    InputError
        If nobody has both.
    """
    from scipy.stats import rankdata

    scores, relevant = np.atleast_2d(np.asarray(scores)), np.atleast_2d(np.asarray(relevant, dtype=bool))
    if scores.shape != relevant.shape or np.isnan(scores).any():
        raise InputError(f"scores of shape {scores.shape}, relevant of shape {relevant.shape}; expected equal shapes and no NaN")
    n_good = relevant.sum(axis=1)
    n_bad = scores.shape[1] - n_good
    both = (n_good > 0) & (n_bad > 0)
    if not both.any():
        raise InputError("no user has both relevant songs and others, so there is no AUC")
    ranks = rankdata(scores[both], axis=1)  # from 1; equal scores share the mean of their ranks
    good, bad = n_good[both].astype(float), n_bad[both]
    wins = (ranks * relevant[both]).sum(axis=1) - good * (good + 1) / 2
    return float(np.mean(wins / (good * bad)))  # (E7)
