"""README part E, the metrics, as loops. A list of recommendations is h: True where the song on that place is relevant."""

import math


def rmse(truth: list[float], predicted: list[float]) -> float:
    """(E1) √(1/N Σ (r − r̂)²)."""
    total = 0.0
    for r, r_hat in zip(truth, predicted):
        total += (r - r_hat) ** 2
    return math.sqrt(total / len(truth))


def mae(truth: list[float], predicted: list[float]) -> float:
    """(E2) 1/N Σ |r − r̂|."""
    total = 0.0
    for r, r_hat in zip(truth, predicted):
        total += abs(r - r_hat)
    return total / len(truth)


def precision(h: list[bool]) -> float:
    """(E3) 1/k Σ_j h_j."""
    return sum(1 for hit in h if hit) / len(h)


def recall(h: list[bool], n_relevant: int) -> float:
    """(E4) 1/|T| Σ_j h_j."""
    return sum(1 for hit in h if hit) / n_relevant


def average_precision(h: list[bool], n_relevant: int) -> float:
    """(E5) 1/min(k, |T|) Σ_j h_j · precision of the first j places."""
    total = 0.0
    for j in range(1, len(h) + 1):
        if h[j - 1]:
            total += precision(h[:j])
    return total / min(len(h), n_relevant)


def ndcg(h: list[bool], n_relevant: int) -> float:
    """(E6) Σ_j h_j / log₂(j + 1), over the same for a list that begins with all relevant songs."""
    gain = sum(1 / math.log2(j + 1) for j in range(1, len(h) + 1) if h[j - 1])
    return gain / sum(1 / math.log2(j + 1) for j in range(1, min(len(h), n_relevant) + 1))


def auc(scores: list[float], relevant: list[bool]) -> float:
    """(E7) The share of the pairs of a relevant song and another in which the relevant one scores higher; a tie is half."""
    wins, pairs = 0.0, 0
    for good, is_good in zip(scores, relevant):
        for bad, is_relevant in zip(scores, relevant):
            if is_good and not is_relevant:
                wins += 1.0 if good > bad else 0.5 if good == bad else 0.0
                pairs += 1
    return wins / pairs


def coverage(lists: list[list[int]], n_songs: int) -> float:
    """(E8) The share of the songs that stand on anybody's list."""
    return sum(1 for i in range(n_songs) if any(i in songs for songs in lists)) / n_songs
