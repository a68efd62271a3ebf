"""Checkpoints: the state of a training after an epoch, in a file that belongs to this training and to no other."""

import hashlib
import math
import os
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.errors import InputError
from acai.files import Contents, load_npz, save_npz
from acai.nn import SGD, Sequential
from acai.nn.layer import FloatArray

KIND = "a checkpoint saved by acai"


class Epoch(NamedTuple):
    """The result of one epoch: the mean loss, and the score on the held-out songs (higher is better)."""

    loss: float
    score: float
    learning_rate: float


@dataclass(frozen=True)
class Progress:
    """The progress of a training: one object, so that Ctrl-C cannot separate the epochs from the weights of the best.

    Attributes
    ----------
    history : list of Epoch
        All epochs so far.
    weights : dict of str to numpy.ndarray
        The weights after the best epoch; the initial ones before the first.
    """

    history: list[Epoch]
    weights: dict[str, FloatArray]

    @property
    def best(self) -> int:
        """The epoch with the highest score; the first of them if there are ties."""
        return int(np.argmax([epoch.score for epoch in self.history]))

    def after(self, epoch: Epoch, network: Sequential) -> "Progress":
        """Return the progress after one more epoch, which left the network as it is now."""
        is_best = not self.history or epoch.score > self.history[self.best].score
        return Progress([*self.history, epoch], copy_of_params(network) if is_best else self.weights)


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training.

    Attributes
    ----------
    path : path
        The file.
    origin : mapping of str to numbers and text
        Everything that decides how the training ends, by name; large arrays are given by their `digest`.
    n_epochs : int
        How many epochs the training has.
    """

    path: str | os.PathLike[str]
    origin: Mapping[str, object]
    n_epochs: int

    def save(self, progress: Progress, network: Sequential, optimizer: SGD) -> None:
        """Write all that is needed to resume: the weights, the steps that momentum continues, and the best weights."""
        arrays = _arrays(progress, network, optimizer)
        save_npz(self.path, KIND, origin=self.origin, history=progress.history, layers=network.get_state(), **arrays)

    def resume(self, progress: Progress, network: Sequential, optimizer: SGD) -> Progress:
        """Restore the network and the optimizer to their state after the last epoch, if there is a file.

        Raises
        ------
        InputError
            If the file is damaged or belongs to another training; nothing is changed in that case.
        """
        if not Path(self.path).exists():
            return progress
        contents = load_npz(self.path, KIND)
        self._expect_origin(contents)
        history = stored_history(contents, self.n_epochs)
        arrays = _arrays(progress, network, optimizer)
        stored = {name: contents.array(name, w.shape, (w.dtype.name,)) for name, w in arrays.items()}
        with contents.faults():
            network.set_state(contents.value("layers", dict))
        weights = {}
        for name, w in arrays.items():
            part, _, param = name.partition(" ")
            if part == "best":
                weights[param] = stored[name]
            else:
                w[...] = stored[name]
        return Progress(history, weights)

    def _expect_origin(self, contents: Contents) -> None:
        again = "repeat that training, or remove the file to start afresh"
        if "origin" not in contents.names:
            raise InputError(f"{self.path}: a checkpoint of an older acai, which does not name its training; remove it")
        stored = contents.value("origin", dict)
        differences = [
            _difference(name, stored.get(name), expected) for name, expected in self.origin.items()
            if stored.get(name) != expected
        ]
        if stored.keys() - self.origin.keys():
            differences.append("settings unknown to this version")
        if differences:
            raise InputError(f"{self.path}: a checkpoint of another training, with {', '.join(differences)}; {again}")


def _difference(name: str, stored: object, expected: object) -> str:
    if isinstance(stored, Real) or isinstance(expected, Real):
        return f"{name}={reprlib.repr(stored)} instead of {expected}"  # not in full: the file may be a stranger's
    return f"other {name}"


def _arrays(progress: Progress, network: Sequential, optimizer: SGD) -> dict[str, FloatArray]:
    """Return every array that changes in training, under the name that it has in the file."""
    arrays: dict[str, FloatArray] = {}
    for part, named in ("weights", network.params), ("steps", optimizer.velocity), ("best", progress.weights):
        arrays |= {f"{part} {name}": w for name, w in named.items()}
    return arrays


def copy_of_params(network: Sequential) -> dict[str, FloatArray]:
    """Copy the parameters, by name."""
    return {name: w.copy() for name, w in network.params.items()}


def digest(arrays: Iterable[NDArray[Any]]) -> str:
    """Compute the SHA-256 of arrays, with their shapes and types; memory-mapped ones are read one at a time."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def stored_history(contents: Contents, most: int) -> list[Epoch]:
    """Read a history of at most this many epochs from a file: at least one epoch, all of its numbers finite."""
    history = []
    for epoch in contents.sequence("history", tuple):
        fits = len(epoch) == len(Epoch._fields) and all(isinstance(x, Real) and math.isfinite(x) for x in epoch)
        if not fits:
            raise contents.fault(f"history holds {epoch!r}; expected {', '.join(Epoch._fields)}, all finite numbers")
        history.append(Epoch(*epoch))
    if not 1 <= len(history) <= most:
        raise contents.fault(f"its history has {len(history)} epochs; expected 1 to {most}")
    return history
