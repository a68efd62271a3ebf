"""The studies behind `acai reproduce`: published results, and the claims of the README, measured again.

Each yields its results one by one, because a fit may take a while.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from acai.cf import ALS, SGD, Baseline, ItemKNN, Popularity, Recommender, UserKNN
from acai.evaluation import cross_validate, evaluate
from acai.ratings import Ratings

ALPHAS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9)  # the momentum of each run
OF_LISTS = ("ndcg", "map", "recall", "auc", "coverage")


@dataclass(frozen=True)
class BesideSurprise:
    """One model of the library Surprise: its name there, our model, and RMSE and MAE, as published (1.1.4) and as measured."""

    name: str
    model: Recommender
    published: tuple[float, float]
    found: tuple[float, float]


def surprise(ratings: Ratings, n_jobs: int = 1, seed: int = 0) -> Iterator[BesideSurprise]:
    """Evaluate Surprise's models with its default parameters, on five folds of MovieLens-100k."""
    neighbours = UserKNN(similarity="msd", shrinkage=0, min_neighbours=1)  # (C1) to the letter, as Surprise has it by default
    models: list[tuple[str, tuple[float, float], Recommender]] = [
        ("SVD", (0.934, 0.737), SGD(seed=seed)),
        ("KNNBasic", (0.980, 0.774), replace(neighbours, centring="none")),
        ("KNNWithMeans", (0.951, 0.749), neighbours),
        ("KNNBaseline", (0.931, 0.733), replace(neighbours, centring="baseline")),
        ("BaselineOnly", (0.944, 0.748), Baseline()),
    ]
    folds = list(ratings.folds(5, seed))
    for name, published, model in models:
        found = cross_validate(model, None, folds, n_jobs, which=("rmse", "mae"))
        yield BesideSurprise(name, model, published, (found["rmse"].mean(), found["mae"].mean()))


@dataclass(frozen=True)
class WithMomentum:
    """SGD with momentum `alpha`: the RMSE on held-out ratings after each epoch, and the final RMSE without momentum."""

    alpha: float
    curve: np.ndarray
    goal: float

    @property
    def level_after(self) -> int | None:
        """The number of epochs until it matches SGD without momentum; None if it never does."""
        reached = np.flatnonzero(self.curve <= self.goal)
        return int(reached[0]) + 1 if len(reached) else None


def momentum(ratings: Ratings, seed: int = 0) -> Iterator[WithMomentum]:
    """Measure the effect of momentum (C10) on SGD, as the mean of five folds, starting without momentum."""
    folds = list(ratings.folds(5, seed))
    goal = None
    for alpha in ALPHAS:
        runs = [SGD(momentum=alpha, shuffle=True, seed=seed).fit(train, validation=test) for train, test in folds]
        curve = np.mean([model.validation_history for model in runs], axis=0)
        goal = float(curve[-1]) if goal is None else goal
        yield WithMomentum(alpha, curve, goal)


def lastfm(plays: Ratings, seed: int = 0) -> Iterator[tuple[Recommender, dict[str, float]]]:
    """Evaluate models of play counts, with a fifth of each user held out, lists of 10 and the metrics `OF_LISTS`.

    ItemKNN learns from log(1 + plays).
    """
    train, test = plays.split_each_user(test=0.2, seed=seed)
    logs = train.map(np.log1p)
    neighbours = ItemKNN(k=400, keep=400, similarity="asymmetric", centring="none", normalise=False)
    models: list[tuple[Recommender, Ratings]] = [
        (Popularity(), train),
        (neighbours, logs),
        (replace(neighbours, min_overlap=2), logs),
        (ALS(n_factors=64, alpha=1.0, reg=5.0, seed=seed), train),
    ]
    for model, known in models:
        yield model, evaluate(model, known, test, which=OF_LISTS)
