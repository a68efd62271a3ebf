"""The ladder: how well can songs that nobody has played be recommended, from chance to the truth?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from acai.metrics import auc
from acai.ratings import Ratings


class Ear(Protocol):
    """What hears: `AudioToFactors`, `SpectrumRidge`, `BagOfWords`."""

    def fit(self, spectrograms: Sequence[np.ndarray], Q: np.ndarray, progress: bool = False) -> "Ear": ...
    def predict(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray: ...


@dataclass(frozen=True)
class Split:
    """Songs held out whole: the plays of the others, and who played which of those held out.

    Attributes
    ----------
    train : Ratings
        All plays of the songs that have listeners; the axes of the whole.
    heard, unheard : numpy.ndarray of int
        The columns of the songs with and without plays in `train`.
    played : numpy.ndarray of bool, shape (n_users, len(unheard))
        What the recommendations are held against.
    """

    train: Ratings
    heard: np.ndarray
    unheard: np.ndarray
    played: np.ndarray

    @classmethod
    def of(cls, train: Ratings, test: Ratings) -> "Split":
        """From a split that no song crosses: `Ratings.split_songs`."""
        has_plays = np.diff(train.csc.indptr) > 0
        unheard = np.flatnonzero(~has_plays)
        return cls(train, np.flatnonzero(has_plays), unheard, test.csc[:, unheard].toarray() > 0)


def unheard_scores(
    split: Split, P: np.ndarray, Q: np.ndarray, ear: Ear, spectrograms: Sequence[np.ndarray], progress: bool = False
) -> np.ndarray:
    """Let an ear learn from the songs with listeners, and score those without: P Q̂ᵀ (A5), (n_users, len(unheard))."""
    ear.fit([spectrograms[i] for i in split.heard], Q[split.heard], progress=progress)
    return P @ ear.predict([spectrograms[i] for i in split.unheard]).T  # (A5)


def chance(split: Split, seed: int = 0) -> np.ndarray:
    """Scores that know nothing, not even which songs are popular."""
    return np.random.default_rng(seed).random(split.played.shape)


def areas(split: Split, scores: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The AUC (E7) of every rung: the mean over the listeners who played some of the unheard songs, but not all."""
    return {name: auc(S, split.played) for name, S in scores.items()}
