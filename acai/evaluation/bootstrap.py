"""What the differences between models would be for other users, splits and seeds (E9 to E11): arrays in, intervals out."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.threads import one_blas_thread

Floats = NDArray[np.float64]
DRAWS = 100  # samples of users that are in memory at a time, at most
LARGEST_BLOCK = 2**23  # users in all samples in memory, at most
ROUNDING = 1e-12  # a smaller share of a difference is only how its sums were rounded


@dataclass(frozen=True)
class UserScores:
    """One metric of all models on all folds, in terms of users: the mean of x^power over users and entries, then the root.

    Attributes
    ----------
    x : ndarray, shape (models, folds, users)
        The metric of each user; NaN where it is not defined.
    weights : ndarray, shape (folds, users)
        How much each user counts: by the number of test entries for RMSE and MAE, otherwise all the same.
    power : int
        2 for RMSE, otherwise 1.
    """

    x: Floats
    weights: Floats
    power: int = 1

    def __post_init__(self) -> None:
        """Leave out, from all models, the users without a value in any of them."""
        undefined = np.isnan(self.x)
        object.__setattr__(self, "x", np.where(undefined, 0, self.x))
        object.__setattr__(self, "weights", np.where(undefined.any(axis=0), 0, self.weights))

    def metric(self, n: Floats) -> Floats:
        """Compute the metric, shape (samples, models, folds), of samples that have each user n times, shape (samples, users)."""
        models, folds, users = self.x.shape
        weighted = (self.x**self.power * self.weights).reshape(models * folds, users)
        sums = (n @ weighted.T).reshape(len(n), models, folds)
        means: Floats = sums / (n @ self.weights.T)[:, None]
        return np.sqrt(means) if self.power == 2 else means


class Intervals(NamedTuple):
    """Simultaneous intervals; differences are ordered by metric, and in a metric by pair of models: (0, 1), (0, 2), …, (1, 2)."""

    delta: Floats  # δ̂, shape (differences,)
    half_width: Floats  # q s
    p: Floats  # p-values, corrected for all differences


def critical_value(T: Floats, level: float) -> float:
    """Return q, which the share `level` of all T_b, and of one more that is infinite, does not exceed."""
    q: float = np.sort(T)[math.ceil(level * (len(T) + 1)) - 1]  # (E11)
    return q


def pairwise(theta: Floats) -> Floats:
    """Subtract the metric of each model from that of each one before it: (…, models, folds) becomes (…, pairs, folds)."""
    a, b = np.triu_indices(theta.shape[-2], 1)
    difference: Floats = theta[..., a, :] - theta[..., b, :]  # (E9)
    return difference


def simultaneous_intervals(scores: Sequence[UserScores], level: float, n_draws: int, seed: int) -> Intervals:
    """Compute simultaneous intervals, at confidence `level`, for all differences: of all metrics and pairs of models."""
    n_users = scores[0].x.shape[-1]
    with one_blas_thread():  # so that sums have the same order, and the result the same bits
        d = differences(scores, np.ones((1, n_users)))[0]  # (differences, folds)
        delta = d.mean(axis=1)  # (E9)
        blocks = samples(n_users, n_draws, seed)
        resampled = np.concatenate([differences(scores, n).mean(axis=2) for n in blocks])  # (n_draws, differences)
    s = standard_errors(resampled, d)
    rng = np.random.default_rng([seed, 1])
    n_folds = d.shape[1]
    xi = rng.normal(size=(n_draws, n_folds))
    chi = rng.chisquare(n_folds - 1, (n_draws, len(d)))  # one for each difference: each has an s of its own
    T = largest_deviations(resampled, d, s, xi, chi)
    q = critical_value(T, level)
    exceeded = (T[:, None] * s >= np.abs(delta)).sum(axis=0)
    return Intervals(delta, q * s, (1 + exceeded) / (1 + n_draws))


def differences(scores: Sequence[UserScores], n: Floats) -> Floats:
    """Compute d_f of all metrics and pairs of models: shape (samples, differences, folds)."""
    return np.concatenate([pairwise(metric.metric(n)) for metric in scores], axis=1)


def samples(n_users: int, n_draws: int, seed: int) -> Iterator[Floats]:
    """Draw as many users as there are, with replacement, `n_draws` times; yields how often each is drawn, block by block."""
    rng = np.random.default_rng(seed)
    size = max(1, min(DRAWS, LARGEST_BLOCK // n_users))  # the numbers drawn do not depend on it
    for start in range(0, n_draws, size):
        drawn = rng.integers(n_users, size=(min(size, n_draws - start), n_users))
        yield np.stack([np.bincount(users, minlength=n_users) for users in drawn]).astype(np.float64)


def standard_errors(resampled: Floats, d: Floats) -> Floats:
    """Compute s of each difference: from resampled users, shape (draws, differences), and from folds, (differences, folds)."""
    users = resampled.var(axis=0, ddof=1)  # (E10)
    folds = d.var(axis=1, ddof=1) / d.shape[1]  # (E10)
    s: Floats = np.sqrt(users + folds)  # (E10)
    s[s < ROUNDING * np.abs(d.mean(axis=1))] = 0
    return s


def largest_deviations(resampled: Floats, d: Floats, s: Floats, xi: Floats, chi: Floats) -> Floats:
    """Compute T_b of each draw: the largest deviation of any difference, in units of its standard error."""
    n_folds = d.shape[1]
    delta = d.mean(axis=1)
    folds = xi @ (d - delta[:, None]).T / np.sqrt(n_folds * chi)  # (E11); (n_draws, differences)
    deviations = np.abs(resampled - delta + folds)  # (E11)
    T: Floats = np.divide(deviations, s, out=np.zeros_like(deviations), where=s > 0).max(axis=1)  # (E11)
    return T
