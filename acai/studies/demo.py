"""The study behind `acai demo`: a world whose truth is known, from its plays to recommendations of songs that nobody has played."""

from dataclasses import dataclass

import numpy as np

from acai.cf import ALS, SGD, GlobalMean, UserKNN
from acai.content import AudioToFactors, SpectrumRidge
from acai.datasets.rules import stars_from_counts
from acai.datasets.synthetic import World
from acai.evaluation.metrics import auc, rmse
from acai.ratings import Ratings
from acai.studies.ladder import CHANCE, NETWORK, TRUTH, Split, areas, chance, factors_of_plays, unheard_scores

RIDGE = "ridge on the mean spectrum"


def errors_of_hidden_ratings(plays: Ratings, seed: int) -> dict[str, float]:
    """How far off (RMSE, E1) each model is on a fifth of the ratings, made of plays by rule (D4), that was hidden from it."""
    train, test = plays.map(stars_from_counts).split(test=0.2, seed=seed)
    models = {
        "global mean": GlobalMean(),
        "nearest neighbours (C1, C2, C3)": UserKNN(k=40),
        "factors by SGD with momentum (C10)": SGD(10, n_epochs=20, learning_rate=0.01, reg=0.05, momentum=0.5),
    }
    users, songs, truth = zip(*test.triplets())
    return {name: rmse(np.array(truth), model.fit(train).predict(users, songs)) for name, model in models.items()}


@dataclass(frozen=True)
class Listener:
    """One listener, and what was found for them.

    Attributes
    ----------
    name, likes : str
        Who it is, and what music they truly like, in words.
    played, new : dict of str to str
        What they played most and what is recommended to them, the best first: of each song, what can be said of it.
    """

    name: str
    likes: str
    played: dict[str, str]
    new: dict[str, str]


@dataclass(frozen=True)
class Placed:
    """Songs that nobody had played, placed by their sound.

    Attributes
    ----------
    world : World
        The truth.
    split : Split
        Which songs were held out.
    model : ALS
        P and Q of the songs with plays.
    ear : AudioToFactors
        The network, fitted.
    spectrograms : list of numpy.ndarray, each (bands, frames)
        Of every song.
    scores : dict of str to numpy.ndarray, shape (n_users, len(split.unheard))
        What each rung of the ladder makes of the songs held out.
    areas : dict of str to float
        Its AUC (E7).
    """

    world: World
    split: Split
    model: ALS
    ear: AudioToFactors
    spectrograms: list[np.ndarray]
    scores: dict[str, np.ndarray]
    areas: dict[str, float]

    def way(self, rung: str) -> float:
        """How far a rung is on the way from chance to the truth; NaN where chance does as well as the truth."""
        whole = self.areas[TRUTH] - self.areas[CHANCE]
        return (self.areas[rung] - self.areas[CHANCE]) / (whole or np.nan)

    def typical_listener(self) -> Listener:
        """The listener in the middle: the network serves half of all better, and half of them worse."""
        plays, scores = self.world.plays, self.scores[NETWORK]
        u = row_in_the_middle(self.split, scores)
        user = plays.users[u]
        played = {song: f"{n:g} plays: {self.world.describe(song)}" for song, n in self.split.train.favourites(user)[:3]}
        by_network, by_truth = (list(np.argsort(-self.scores[name][u], kind="stable")) for name in (NETWORK, TRUTH))
        new = {}
        for j in by_network[:5]:
            song = plays.songs[self.split.unheard[j]]
            new[song] = f"in truth their no. {by_truth.index(j) + 1} of {len(by_truth)}: {self.world.describe(song)}"
        return Listener(user, self.world.describe_taste(user), played, new)


def place_unheard(world: World, split: Split, n_epochs: int = 40, seed: int = 0, progress: bool = False) -> Placed:
    """Learn from the plays of some songs of a world, and place the others by their sound."""
    model = factors_of_plays(split.train, progress=progress)
    spectrograms = world.spectrograms(progress=progress)
    ear = AudioToFactors(n_epochs=n_epochs, seed=seed)
    scores = {
        CHANCE: chance(split),
        RIDGE: unheard_scores(split, model.P, model.Q, SpectrumRidge(), spectrograms),
        NETWORK: unheard_scores(split, model.P, model.Q, ear, spectrograms, progress=progress),
        TRUTH: world.tastes @ world.features[split.unheard].T,
    }
    ear.expect_complete_training()
    return Placed(world, split, model, ear, spectrograms, scores, areas(split, scores))


def row_in_the_middle(split: Split, scores: np.ndarray) -> int:
    """The row of the listener whom these scores serve better than half of the others, and worse than the other half."""
    served = np.flatnonzero(split.played.any(axis=1) & ~split.played.all(axis=1))
    own = [auc(scores[u], split.played[u]) for u in served]
    return int(served[np.argsort(own, kind="stable")[len(own) // 2]])
