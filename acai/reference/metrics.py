"""README part E, the metrics, as loops. h is a list of recommendations: True where the song at that rank is relevant."""

import math


def rmse(truth: list[float], predicted: list[float]) -> float:
    """(E1) √(1/N Σ (r − r̂)²)."""
    return math.sqrt(sum((r - r_hat) ** 2 for r, r_hat in zip(truth, predicted)) / len(truth))


def mae(truth: list[float], predicted: list[float]) -> float:
    """(E2) 1/N Σ |r − r̂|."""
    return sum(abs(r - r_hat) for r, r_hat in zip(truth, predicted)) / len(truth)


def precision(h: list[bool]) -> float:
    """(E3) 1/k Σ_j h_j."""
    return sum(h) / len(h)


def recall(h: list[bool], n_relevant: int) -> float:
    """(E4) 1/|T| Σ_j h_j."""
    return sum(h) / n_relevant


def average_precision(h: list[bool], n_relevant: int) -> float:
    """(E5) 1/min(k, |T|) Σ_j h_j · precision at j."""
    return sum(h[j - 1] * precision(h[:j]) for j in range(1, len(h) + 1)) / min(len(h), n_relevant)


def ndcg(h: list[bool], n_relevant: int) -> float:
    """(E6) Σ_j h_j / log₂(j + 1), divided by that of a list with all relevant songs first."""
    gain = sum(h[j - 1] / math.log2(j + 1) for j in range(1, len(h) + 1))
    return gain / sum(1 / math.log2(j + 1) for j in range(1, min(len(h), n_relevant) + 1))


def auc(scores: list[float], relevant: list[bool]) -> float:
    """(E7) The fraction of pairs of a relevant and another song in which the relevant one scores higher; a tie counts half."""
    songs = range(len(scores))
    pairs = [(scores[a], scores[b]) for a in songs for b in songs if relevant[a] and not relevant[b]]
    return sum((good > bad) + (good == bad) / 2 for good, bad in pairs) / len(pairs)


def coverage(lists: list[list[int]], n_songs: int) -> float:
    """(E8) The fraction of the songs that are on anybody's list."""
    return sum(any(i in songs for songs in lists) for i in range(n_songs)) / n_songs
