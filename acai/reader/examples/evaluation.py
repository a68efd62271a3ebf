"""Worked examples of part E: three ratings, and a list of three songs."""

import numpy as np

from acai.evaluation import metrics
from acai.reader.examples.registry import example_of
from acai.reference import metrics as loops

TRUTH, PREDICTED = [4.0, 2.0, 5.0], [3.5, 2.5, 4.0]
H = [True, False, True]
N_RELEVANT = 4
SCORES, RELEVANT = [0.9, 0.4, 0.6, 0.1], [True, True, False, False]
LISTS = [[0, 2], [2, 3]]


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
