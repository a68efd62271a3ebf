"""How alike two users, or two songs, are (C2, C3, C13), from what both have in common."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass
class Shared:
    """Pairs (u, v) and sums over what both rated; each an array with one entry a pair."""

    n: np.ndarray  # how many songs both rated
    x: np.ndarray  # Σ r(u,i)
    y: np.ndarray  # Σ r(v,i)
    xx: np.ndarray  # Σ r(u,i)²
    yy: np.ndarray  # Σ r(v,i)²
    xy: np.ndarray  # Σ r(u,i) r(v,i)
    norm_u: np.ndarray  # √Σ r(u,i)² over everything that u rated
    norm_v: np.ndarray  # and for v
    alpha: float = 0.5  # of the asymmetric cosine


def overlap(s: Shared) -> np.ndarray:
    """How many songs both rated: what the original used."""
    return s.n


def pearson(s: Shared) -> np.ndarray:
    """(C3) The correlation over the songs that both rated, centred on the means over those songs.

    0 where one of the two gave all of them the same.
    """
    variances = (s.n * s.xx - s.x**2) * (s.n * s.yy - s.y**2)
    return _divided(s.n * s.xy - s.x * s.y, np.sqrt(variances))  # (C3)


def msd(s: Shared) -> np.ndarray:
    """1 / (1 + mean squared difference) over the songs that both rated (Shardanand, Maes 1995)."""
    return 1 / (1 + (s.xx - 2 * s.xy + s.yy) / s.n)


def cosine(s: Shared) -> np.ndarray:
    """The cosine between the two rows of R, gaps counting as zeros."""
    return _divided(s.xy, s.norm_u * s.norm_v)


def cosine_corated(s: Shared) -> np.ndarray:
    """The cosine over the songs that both rated, all else left out: what Surprise calls cosine."""
    return _divided(s.xy, np.sqrt(s.xx * s.yy))


def asymmetric(s: Shared) -> np.ndarray:
    """(C13) The cosine between the two rows of R with its norms weighted unequally (Aiolli 2013); α = ½ gives the plain cosine."""
    return _divided(s.xy, s.norm_u ** (2 * s.alpha) * s.norm_v ** (2 * (1 - s.alpha)))  # (C13)


def _divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros_like(b), where=b > 0)


SIMILARITIES: dict[str, Callable[[Shared], np.ndarray]] = {
    measure.__name__: measure for measure in (pearson, msd, cosine, cosine_corated, asymmetric, overlap)
}
SIMILARITIES["indicator"] = overlap  # (C2) 1 for each of the k that have most in common


def nearest_first(s: np.ndarray, keep: int) -> np.ndarray:
    """The places of the `keep` largest of the positive similarities, in falling order, the first place first among equals."""
    places = np.flatnonzero(s > 0)
    if len(places) > keep:  # no need to sort them all
        least = np.partition(s[places], len(places) - keep)[len(places) - keep]
        places = places[s[places] >= least]
    return places[np.argsort(-s[places], kind="stable")][:keep]
