"""Worked examples of learning and of new songs: one step, and one song that nobody has played."""

from types import SimpleNamespace

import numpy as np

from acai import nn
from acai.cf import ALS
from acai.content import AudioToFactors, ColdStartRecommender
from acai.content.windows import Standardiser
from acai.nn import Sequential
from acai.reader.examples.factors import PLAYS
from acai.reader.examples.neighbours import matrix
from acai.reader.examples.registry import example_of
from acai.reference import content
from acai.reference import nn as loops


@example_of("N8")
def sgd_step() -> tuple[object, object]:
    """Take two steps with momentum, and two of Nesterov's."""
    found, expected = [], {}
    for nesterov in (False, True):
        network = SimpleNamespace(params={"W": np.array([2.0])}, grads={})
        sgd = nn.SGD(network, 0.1, 0.5, 0.01, nesterov=nesterov)
        w, delta_w = 2.0, 0.0
        for gradient in (1.5, -0.5):
            network.grads = {"W": np.array([gradient])}
            sgd.step()
            w, delta_w = loops.sgd_step(w, gradient, delta_w, 0.1, 0.5, 0.01, nesterov)
        found.append(network.params["W"][0])
        expected["w (Nesterov)" if nesterov else "w"] = w
    return expected, found


@example_of("A4")
def mean_over_windows() -> tuple[object, object]:
    """Take the mean over the windows of a song."""
    S = np.array([[1.0, 2.0, 2.0, 0.0, 3.0, 1.0]])  # one band, three windows of two frames
    model, network = AudioToFactors(), Sequential([nn.Flatten(), nn.Linear(2, 2)])
    network.params["1.W"][...], network.params["1.b"][...] = [[1.0, 0.0], [0.5, 1.5]], [0.0, -1.0]
    model.width, model.inputs = 2, Standardiser(np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32))
    predictions = network.predict(S.astype(np.float32).reshape(3, 1, 1, 2))
    return content.mean_over_windows(predictions.tolist()), model._mean_over_windows(network, [S])[0]


def _new() -> tuple[ColdStartRecommender, list[list[float]]]:
    """Return what recommends two new songs, and the factors of the listeners."""
    model = ALS(n_factors=2, n_epochs=2).fit(matrix(PLAYS))
    model.P[:] = [[1.0, 0.5], [0.0, 2.0], [-1.0, 1.0], [0.5, 0.5]]
    return ColdStartRecommender(model, {"new": np.array([0.2, 0.4])}, lam=2.0), model.P.tolist()


@example_of("A5")
def score() -> tuple[object, object]:
    """Score a new song for the first listener."""
    new, P = _new()
    return content.score(P[0], [0.2, 0.4]), new.recommend(0, n=1)[0][1]


@example_of("A6")
def update_factors() -> tuple[object, object]:
    """Combine the sound of a song with two listeners' plays."""
    new, P = _new()
    return content.update_factors([0.2, 0.4], P[:2], [1.0, 0.5], 2.0), new.fold_in("new", {0: 1.0, 1: 0.5})
