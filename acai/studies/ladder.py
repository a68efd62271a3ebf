"""The cold-start ladder: models that recommend songs nobody has played, from chance to the truth."""

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

AudioModel = AudioToFactors | RidgeAudioModel  # or any other class with their `fit` and `predict`
CHANCE, NETWORK, TRUTH = "chance", "the network", "the true features"  # on every ladder, the last if it is known


@dataclass(frozen=True)
class Music:
    """The data of a comparison.

    Attributes
    ----------
    plays : Ratings
        Who played what.
    spectrograms : sequence of numpy.ndarray, each (bands, frames)
        The spectrogram of every song, in the order of the axis.
    truth : numpy.ndarray, shape (n_users, n_songs), optional
        What every listener truly likes, if that is known: the top of the ladder.
    artists : sequence of str or None, optional
        The artist of every song, if known; adds a model based on them.
    """

    plays: Ratings
    spectrograms: Sequence[np.ndarray]
    truth: np.ndarray | None = None
    artists: Sequence[str | None] | None = None


@dataclass(frozen=True)
class ColdStartSplit:
    """A split by songs: the plays of the training songs, and who played which of the held-out songs.

    Attributes
    ----------
    train : Ratings
        The plays of the training songs, with all users and songs on its axes.
    warm, cold : numpy.ndarray of int
        The columns of the songs with and without plays in `train`.
    played : numpy.ndarray of bool, shape (n_users, len(cold))
        The truth that recommendations are compared with.
    """

    train: Ratings
    warm: np.ndarray
    cold: np.ndarray
    played: np.ndarray

    @classmethod
    def from_ratings(cls, train: Ratings, test: Ratings) -> "ColdStartSplit":
        """Make a split from ratings with no song in both: `Ratings.split_songs`."""
        has_plays = np.diff(train.csc.indptr) > 0
        cold = np.flatnonzero(~has_plays)
        return cls(train, np.flatnonzero(has_plays), cold, test.csc[:, cold].toarray() > 0)

    @classmethod
    def folds(cls, plays: Ratings, n: int, seed: int = 0) -> Iterator["ColdStartSplit"]:
        """Hold every song out once: `n` splits by songs."""
        fold = random_fold(plays.n_songs, n, seed)[plays.csr.indices]
        for f in range(n):
            yield cls.from_ratings(plays.keep(fold != f), plays.keep(fold == f))


def cold_scores(
    split: ColdStartSplit, P: np.ndarray, Q: np.ndarray, model: AudioModel, spectrograms: Sequence[np.ndarray], *,
    progress: bool = False,
) -> np.ndarray:
    """Train an audio model on the songs with plays, and score those without: P Q̂ᵀ (A5), (n_users, len(cold))."""
    model.fit([spectrograms[i] for i in split.warm], Q[split.warm], progress=progress)
    Q_hat = model.predict([spectrograms[i] for i in split.cold])
    scores: np.ndarray = P @ Q_hat.T
    return scores


def mean_average_precision(scores: np.ndarray, played: np.ndarray, k: int = 500) -> float:
    """Compute mAP@k (E5) over the listeners who played at least one of the held-out songs."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis(played, best, axis=1)
    return float(np.nanmean(average_precision(hits, played.sum(axis=1))))  # NaN for a listener who played none of them


def chance(split: ColdStartSplit, seed: int = 0) -> np.ndarray:
    """Return random scores."""
    return np.random.default_rng(seed).random(split.played.shape)


def artist_popularity(split: ColdStartSplit, artists: Sequence[str | None]) -> np.ndarray:
    """Score each held-out song by how much the other songs of its artist are played, the same for every listener.

    Parameters
    ----------
    split : ColdStartSplit
        The training plays are counted.
    artists : sequence of str or None, one for each song
        None where the artist is unknown: such songs rank last, like those of artists without plays.

    Returns
    -------
    numpy.ndarray, shape (n_users, len(cold))
        The mean number of plays of the artist's training songs.
    """
    plays = split.train.csc.sum(axis=0)
    counts: dict[str | None, list[float]] = {}
    for i in split.warm:
        counts.setdefault(artists[i], []).append(float(plays[i]))
    counts[None] = [0.0]  # an unknown artist
    known = [float(np.mean(counts.get(artists[i], 0.0))) for i in split.cold]
    return np.tile(known, (len(split.played), 1))


def auc_scores(split: ColdStartSplit, scores: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Compute the AUC (E7) of every model, the mean over the listeners who played some of the held-out songs, but not all."""
    return {name: auc(S, split.played) for name, S in scores.items()}


def factors_of_plays(plays: Ratings, seed: int = 0, progress: bool = False, n_factors: int = 10) -> ALS:
    """Fit the latent factors P and Q (C11) that the audio models of the studies learn to predict."""
    return ALS(n_factors=n_factors, n_epochs=10, reg=10.0, seed=seed).fit(plays, progress=progress)


@dataclass(frozen=True)
class Comparison:
    """The scores of all models.

    Attributes
    ----------
    scores : dict of str to numpy.ndarray, shape (n_folds, 2)
        AUC (E7) and mAP@500 (E5) on each fold, in the order of the paper, from chance to the truth.
    """

    scores: dict[str, np.ndarray]

    @property
    def gap_closed(self) -> np.ndarray | None:
        """The fraction of the gap between chance and the truth that the network closes, on each fold; None without a truth."""
        if TRUTH not in self.scores:
            return None
        chance, network, truth = (self.scores[name][:, 0] for name in (CHANCE, NETWORK, TRUTH))
        closed: np.ndarray = (network - chance) / (truth - chance)
        return closed


def compare_models(
    music: Music, n_folds: int = 5, n_epochs: int = 40, seed: int = 0, progress: bool = False
) -> Comparison:
    """Evaluate every model on every fold (after van den Oord, Dieleman and Schrauwen 2013, table 2).

    Parameters
    ----------
    music : Music
        The data.
    n_folds : int
        The number of folds of songs.
    n_epochs : int
        The training epochs of the network.
    seed : int
        The seed of the folds and the training.
    progress : bool
        Show progress bars.
    """
    measured: dict[str, list[tuple[float, float]]] = {}
    for split in ColdStartSplit.folds(music.plays, n_folds, seed):
        for name, S in scores_of_models(music, split, n_epochs, seed, progress).items():
            measured.setdefault(name, []).append((auc(S, split.played), mean_average_precision(S, split.played)))
    return Comparison({name: np.array(folds) for name, folds in measured.items()})


def scores_of_models(music: Music, split: ColdStartSplit, n_epochs: int, seed: int, progress: bool) -> dict[str, np.ndarray]:
    """Score the held-out songs of one split with every model, each of shape (n_users, len(cold))."""
    model = factors_of_plays(split.train, seed)
    scores = {CHANCE: chance(split, seed)}
    if music.artists is not None:
        scores["how popular the artist is"] = artist_popularity(split, music.artists)
    network = AudioToFactors(n_epochs=n_epochs, seed=seed)
    audio_models: dict[str, AudioModel] = {
        "ridge on mean and spread of the bands": SpectrumRidge(spread=True),
        "bag of words": BagOfWords(seed=seed),
        NETWORK: network,
    }
    for name, audio_model in audio_models.items():
        scores[name] = cold_scores(split, model.P, model.Q, audio_model, music.spectrograms, progress=progress)
    network.expect_complete_training()  # a training cut short would distort the mean
    Q = model.Q[split.warm]
    Q_hat = network.predict([music.spectrograms[i] for i in split.cold])
    R = np.log1p(split.train.csc[:, split.warm].toarray())  # (n_users, len(warm))
    scores["the network, then per-listener ridge regression"] = Ridge().fit(Q, R.T).predict(Q_hat).T
    scores["the network, then per-listener networks"] = TasteNetworks(seed=seed).fit(Q, R, progress).predict(Q_hat)
    if music.truth is not None:
        scores[TRUTH] = music.truth[:, split.cold]
    return scores
