"""The study behind `acai demo`: a made-up world, from its plays to recommendations of songs that nobody has played."""

from dataclasses import dataclass

import numpy as np

from acai.cf import ALS, SGD, GlobalMean, UserKNN
from acai.content import AudioToFactors, SpectrumRidge
from acai.datasets.rules import stars_from_counts
from acai.datasets.synthetic import World
from acai.evaluation.metrics import auc, rmse
from acai.ratings import Ratings
from acai.studies.ladder import (
    CHANCE,
    NETWORK,
    TRUTH,
    ColdStartSplit,
    auc_scores,
    chance,
    cold_scores,
    factors_of_plays,
)

RIDGE = "ridge on the mean spectrum"


def rating_errors(plays: Ratings, seed: int) -> dict[str, float]:
    """Compute the RMSE (E1) of several models on a held-out fifth of the ratings, made from plays by rule (D4)."""
    train, test = plays.map(stars_from_counts).split(test=0.2, seed=seed)
    models = {
        "global mean": GlobalMean(),
        "nearest neighbours (C1, C2, C3)": UserKNN(k=40, shrinkage=0, min_neighbours=1),
        "factors by SGD with momentum (C10)": SGD(10, n_epochs=20, learning_rate=0.01, reg=0.05, momentum=0.5),
    }
    users, songs, truth = zip(*test.triplets())
    return {name: rmse(np.array(truth), model.fit(train).predict(users, songs)) for name, model in models.items()}


@dataclass(frozen=True)
class Listener:
    """One listener, and what is recommended to them.

    Attributes
    ----------
    name, likes : str
        Their id, and what music they truly like, in words.
    played, new : dict of str to str
        What they played most and what is recommended to them, best first: each song with its description.
    """

    name: str
    likes: str
    played: dict[str, str]
    new: dict[str, str]


@dataclass(frozen=True)
class DemoResult:
    """Recommendations of songs that nobody had played, from their audio.

    Attributes
    ----------
    world : World
        The world, whose truth is known.
    split : ColdStartSplit
        Which songs were held out.
    factors : ALS
        P and Q of the songs with plays.
    audio_model : AudioToFactors
        The fitted network.
    spectrograms : list of numpy.ndarray, each (bands, frames)
        The spectrogram of every song.
    scores : dict of str to numpy.ndarray, shape (n_users, len(split.cold))
        The scores of each model for the held-out songs.
    aucs : dict of str to float
        Its AUC (E7).
    """

    world: World
    split: ColdStartSplit
    factors: ALS
    audio_model: AudioToFactors
    spectrograms: list[np.ndarray]
    scores: dict[str, np.ndarray]
    aucs: dict[str, float]

    def gap_closed(self, model: str) -> float:
        """Return the fraction of the gap between chance and the truth that a model closes; NaN if there is no gap."""
        gap = self.aucs[TRUTH] - self.aucs[CHANCE]
        return (self.aucs[model] - self.aucs[CHANCE]) / (gap or np.nan)

    def typical_listener(self) -> Listener:
        """Choose the listener with the median AUC of the network."""
        world = self.world
        u = median_listener(self.split, self.scores[NETWORK])
        user = world.plays.users[u]
        played = {str(song): f"{n:g} plays: {world.describe(song)}" for song, n in self.split.train.favourites(user)[:3]}
        by_network = np.argsort(-self.scores[NETWORK][u], kind="stable").tolist()
        by_truth = np.argsort(-self.scores[TRUTH][u], kind="stable").tolist()
        new = {}
        for j in by_network[:5]:
            song = world.plays.songs[self.split.cold[j]]
            new[str(song)] = f"in truth their no. {by_truth.index(j) + 1} of {len(by_truth)}: {world.describe(song)}"
        return Listener(str(user), world.describe_taste(user), played, new)


def recommend_cold_songs(
    world: World, split: ColdStartSplit, n_epochs: int = 40, seed: int = 0, progress: bool = False
) -> DemoResult:
    """Learn from the plays of some songs of a world, and recommend the others from their audio."""
    factors = factors_of_plays(split.train, progress=progress)
    P, Q = factors.P, factors.Q
    spectrograms = world.spectrograms(progress=progress)
    network = AudioToFactors(n_epochs=n_epochs, seed=seed)
    scores = {
        CHANCE: chance(split),
        RIDGE: cold_scores(split, P, Q, SpectrumRidge(), spectrograms),
        NETWORK: cold_scores(split, P, Q, network, spectrograms, progress=progress),
        TRUTH: world.tastes @ world.features[split.cold].T,
    }
    network.expect_complete_training()
    return DemoResult(world, split, factors, network, spectrograms, scores, auc_scores(split, scores))


def median_listener(split: ColdStartSplit, scores: np.ndarray) -> int:
    """Find the row of the listener with the median AUC of these scores."""
    has_auc = np.flatnonzero(split.played.any(axis=1) & ~split.played.all(axis=1))
    aucs = [auc(scores[u], split.played[u]) for u in has_auc]
    return int(has_auc[np.argsort(aucs, kind="stable")[len(aucs) // 2]])
