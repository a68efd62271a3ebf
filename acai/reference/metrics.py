"""README part E, the metrics, as loops. h is a list of recommendations: True where the song at that rank is relevant."""

import math


def rmse(truth: list[float], predicted: list[float]) -> float:
    """(E1) √(1/N Σ (r − r̂)²)."""
    return math.sqrt(sum((r - r_hat) ** 2 for r, r_hat in zip(truth, predicted)) / len(truth))  # (E1)


def mae(truth: list[float], predicted: list[float]) -> float:
    """(E2) 1/N Σ |r − r̂|."""
    return sum(abs(r - r_hat) for r, r_hat in zip(truth, predicted)) / len(truth)  # (E2)


def precision(h: list[bool]) -> float:
    """(E3) 1/k Σ_j h_j."""
    k = len(h)
    return sum(h[j - 1] for j in range(1, k + 1)) / k  # (E3)


def recall(h: list[bool], n_relevant: int) -> float:
    """(E4) 1/|T| Σ_j h_j."""
    return sum(h[j - 1] for j in range(1, len(h) + 1)) / n_relevant  # (E4)


def average_precision(h: list[bool], n_relevant: int) -> float:
    """(E5) 1/min(k, |T|) Σ_j h_j · precision at j."""
    k = len(h)
    return sum(h[j - 1] * precision(h[:j]) for j in range(1, k + 1)) / min(k, n_relevant)  # (E5)


def ndcg(h: list[bool], n_relevant: int) -> float:
    """(E6) Σ_j h_j / log₂(j + 1), divided by that of a list with all relevant songs first."""
    k = len(h)
    gain = sum(h[j - 1] / math.log2(j + 1) for j in range(1, k + 1))  # (E6)
    return gain / sum(1 / math.log2(j + 1) for j in range(1, min(k, n_relevant) + 1))  # (E6)


def auc(scores: list[float], relevant: list[bool]) -> float:
    """(E7) The fraction of pairs of a relevant and another song in which the relevant one scores higher; a tie counts half."""
    r_hat, songs = scores, range(len(scores))
    pairs = [(i, l) for i in songs for l in songs if relevant[i] and not relevant[l]]  # (E7)
    return sum((r_hat[i] > r_hat[l]) + (r_hat[i] == r_hat[l]) / 2 for i, l in pairs) / len(pairs)  # (E7)


def coverage(lists: list[list[int]], n_songs: int) -> float:
    """(E8) The fraction of the songs that are on anybody's list."""
    return sum(any(i in songs for songs in lists) for i in range(n_songs)) / n_songs  # (E8)
