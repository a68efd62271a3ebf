"""Worked examples of part E: three ratings, a list of three songs, and two models on three folds."""

import numpy as np

from acai.evaluation import bootstrap, metrics
from acai.reader.examples.registry import example_of
from acai.reference import comparison
from acai.reference import metrics as loops

TRUTH, PREDICTED = [4.0, 2.0, 5.0], [3.5, 2.5, 4.0]
H = [True, False, True]
N_RELEVANT = 4
SCORES, RELEVANT = [0.9, 0.4, 0.6, 0.1], [True, True, False, False]
LISTS = [[0, 2], [2, 3]]
THETA_A, THETA_B = [0.31, 0.29, 0.33], [0.30, 0.25, 0.31]  # a metric of two models on three folds
D = [a - b for a, b in zip(THETA_A, THETA_B)]
RESAMPLED = [0.02, 0.03, 0.01, 0.025]  # their difference, for four samples of users
S = 0.011
XI, CHI = [0.4, -1.1, 0.2], 1.6


@example_of("E1")
def rmse() -> tuple[object, object]:
    """Measure the root mean squared error."""
    return loops.rmse(TRUTH, PREDICTED), metrics.rmse(TRUTH, PREDICTED)


@example_of("E2")
def mae() -> tuple[object, object]:
    """Measure the mean absolute error."""
    return loops.mae(TRUTH, PREDICTED), metrics.mae(TRUTH, PREDICTED)


@example_of("E3")
def precision() -> tuple[object, object]:
    """Measure the precision of a list."""
    return loops.precision(H), metrics.precision(H)


@example_of("E4")
def recall() -> tuple[object, object]:
    """Measure the recall of a list."""
    return loops.recall(H, N_RELEVANT), metrics.recall(H, N_RELEVANT)


@example_of("E5")
def average_precision() -> tuple[object, object]:
    """Measure the average precision of a list."""
    return loops.average_precision(H, N_RELEVANT), metrics.average_precision(H, N_RELEVANT)


@example_of("E6")
def ndcg() -> tuple[object, object]:
    """Measure the discounted gain of a list."""
    return loops.ndcg(H, N_RELEVANT), metrics.ndcg(H, N_RELEVANT)


@example_of("E7")
def auc() -> tuple[object, object]:
    """Compare two good songs with two others."""
    return loops.auc(SCORES, RELEVANT), metrics.auc(SCORES, RELEVANT)


@example_of("E8")
def coverage() -> tuple[object, object]:
    """Count the songs on two lists."""
    return loops.coverage(LISTS, 5), metrics.coverage(np.array(LISTS), 5)


@example_of("E9")
def mean_difference() -> tuple[object, object]:
    """Subtract one model's metric from the other's."""
    d = bootstrap.pairwise(np.array([THETA_A, THETA_B]))
    return comparison.mean_difference(THETA_A, THETA_B), d.mean(axis=1)[0]


@example_of("E10")
def standard_error() -> tuple[object, object]:
    """Measure how much the difference varies with users and folds."""
    return comparison.standard_error(RESAMPLED, D), bootstrap.standard_errors(np.array([RESAMPLED]).T, np.array([D]))[0]


@example_of("E11")
def largest_deviation() -> tuple[object, object]:
    """Measure how far one sample is from the estimate, in standard errors; and find the critical value of three samples."""
    draws = np.array([RESAMPLED[:1]]), np.array([D]), np.array([S]), np.array([XI]), np.array([[CHI]])
    T_b = comparison.largest_deviation(RESAMPLED[:1], [D], [S], XI, [CHI])
    T = bootstrap.largest_deviations(*draws)[0]
    level, others = 0.5, [0.7, 2.1]
    q = comparison.critical_value([T_b, *others], level)
    return {"T_b": T_b, "q": q}, [T, bootstrap.critical_value(np.array([T, *others]), level)]
