"""The ladder: how well can songs that nobody has played be recommended, from chance to the truth?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from acai.cf import ALS
from acai.content.audio_models import BagOfWords, Ridge, RidgeAudioModel, SpectrumRidge
from acai.content.audio_to_factors import AudioToFactors
from acai.content.taste import TasteNetworks
from acai.evaluation.metrics import auc, average_precision
from acai.ratings import Ratings
from acai.ratings.splits import random_fold

Ear = AudioToFactors | RidgeAudioModel  # or whatever else has their `fit` and `predict`
CHANCE, NETWORK, TRUTH = "chance", "the network", "the true features"  # rungs that every ladder has, the last if it is known


@dataclass(frozen=True)
class Music:
    """What the ladder is climbed on.

    Attributes
    ----------
    plays : Ratings
        Who played what.
    spectrograms : sequence of numpy.ndarray, each (bands, frames)
        The sound of every song, in the order of the axis.
    truth : numpy.ndarray, shape (n_users, n_songs), optional
        What every listener truly likes, where that is known: the top of the ladder.
    artists : sequence of str or None, optional
        Of every song, where they are known: a rung of its own.
    """

    plays: Ratings
    spectrograms: Sequence[np.ndarray]
    truth: np.ndarray | None = None
    artists: Sequence[str | None] | None = None


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

    @classmethod
    def folds(cls, plays: Ratings, n: int, seed: int = 0) -> Iterator["Split"]:
        """Hold every song out once: `n` splits that no song crosses."""
        fold = random_fold(plays.n_songs, n, seed)[plays.csr.indices]
        for f in range(n):
            yield cls.of(plays.keep(fold != f), plays.keep(fold == f))


def unheard_scores(
    split: Split, P: np.ndarray, Q: np.ndarray, ear: Ear, spectrograms: Sequence[np.ndarray], *, progress: bool = False
) -> np.ndarray:
    """Let an ear learn from the songs with listeners, and score those without: P Q̂ᵀ (A5), (n_users, len(unheard))."""
    ear.fit([spectrograms[i] for i in split.heard], Q[split.heard], progress=progress)
    return P @ ear.predict([spectrograms[i] for i in split.unheard]).T


def mean_average_precision(scores: np.ndarray, played: np.ndarray, k: int = 500) -> float:
    """mAP@k (E5) over the listeners who played at least one of the unheard songs."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis(played, best, axis=1)
    return float(np.nanmean(average_precision(hits, played.sum(axis=1))))  # NaN for a listener who played none of them


def chance(split: Split, seed: int = 0) -> np.ndarray:
    """Scores that know nothing, not even which songs are popular."""
    return np.random.default_rng(seed).random(split.played.shape)


def artist_popularity(split: Split, artists: Sequence[str | None]) -> np.ndarray:
    """How much the other songs of an artist are played, the same for every listener: who is popular stays popular.

    Parameters
    ----------
    split : Split
        Whose training plays are counted.
    artists : sequence of str or None, one for each song
        None where the artist is not known: such a song stands last, as one of an artist without plays does.

    Returns
    -------
    numpy.ndarray, shape (n_users, len(unheard))
        The mean number of plays of the songs of the artist that have listeners.
    """
    plays = split.train.csc.sum(axis=0)
    counts: dict[str | None, list[float]] = {}
    for i in split.heard:
        counts.setdefault(artists[i], []).append(float(plays[i]))
    counts[None] = [0.0]  # whoever it was
    known = [float(np.mean(counts.get(artists[i], 0.0))) for i in split.unheard]
    return np.tile(known, (len(split.played), 1))


def areas(split: Split, scores: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The AUC (E7) of every rung: the mean over the listeners who played some of the unheard songs, but not all."""
    return {name: auc(S, split.played) for name, S in scores.items()}


def factors_of_plays(plays: Ratings, seed: int = 0, progress: bool = False) -> ALS:
    """The hidden features P and Q (C11) that the studies let an ear learn."""
    return ALS(n_factors=10, n_epochs=10, reg=10.0, seed=seed).fit(plays, progress=progress)


@dataclass(frozen=True)
class Ladder:
    """How well every rung does.

    Attributes
    ----------
    rungs : dict of str to numpy.ndarray, shape (n_folds, 2)
        AUC (E7) and mAP@500 (E5) on each fold, from the lowest rung to the highest as the paper has them.
    """

    rungs: dict[str, np.ndarray]

    @property
    def way(self) -> np.ndarray | None:
        """How far the network has come on the way from chance to the truth, on each fold; None where nobody knows the truth."""
        if TRUTH not in self.rungs:
            return None
        chance, network, truth = (self.rungs[name][:, 0] for name in (CHANCE, NETWORK, TRUTH))
        return (network - chance) / (truth - chance)


def climb(music: Music, n_folds: int = 5, n_epochs: int = 40, seed: int = 0, progress: bool = False) -> Ladder:
    """Every rung of the ladder on every fold (after van den Oord, Dieleman and Schrauwen 2013, table 2).

    Parameters
    ----------
    music : Music
        What is learnt from.
    n_folds : int
        In how many parts the songs are held out, whole.
    n_epochs : int
        How long the network learns.
    seed : int
        For the folds and everything learnt.
    progress : bool
        Show bars.
    """
    measured: dict[str, list[tuple[float, float]]] = {}
    for split in Split.folds(music.plays, n_folds, seed):
        for name, S in scores_of_rungs(music, split, n_epochs, seed, progress).items():
            measured.setdefault(name, []).append((auc(S, split.played), mean_average_precision(S, split.played)))
    return Ladder({name: np.array(folds) for name, folds in measured.items()})


def scores_of_rungs(music: Music, split: Split, n_epochs: int, seed: int, progress: bool) -> dict[str, np.ndarray]:
    """What every rung makes of the unheard songs of one split, each of shape (n_users, len(unheard))."""
    model = factors_of_plays(split.train, seed)
    scores = {CHANCE: chance(split, seed)}
    if music.artists is not None:
        scores["how popular the artist is"] = artist_popularity(split, music.artists)
    network = AudioToFactors(n_epochs=n_epochs, seed=seed)
    ears = {"ridge on mean and spread of the bands": SpectrumRidge(spread=True), "bag of words": BagOfWords(seed=seed)}
    for name, ear in (ears | {NETWORK: network}).items():
        scores[name] = unheard_scores(split, model.P, model.Q, ear, music.spectrograms, progress=progress)
    network.expect_complete_training()  # half a training would spoil the mean
    Q, Q_hat = model.Q[split.heard], network.predict([music.spectrograms[i] for i in split.unheard])
    R = np.log1p(split.train.csc[:, split.heard].toarray())  # (n_users, len(heard))
    scores["the network, then a line a listener"] = Ridge().fit(Q, R.T).predict(Q_hat).T
    scores["the network, then a network a listener"] = TasteNetworks(seed=seed).fit(Q, R, progress).predict(Q_hat)
    if music.truth is not None:
        scores[TRUTH] = music.truth[:, split.unheard]
    return scores
