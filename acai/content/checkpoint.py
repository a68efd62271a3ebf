"""A checkpoint: how far a training had come after an epoch, in a file that belongs to this training and to no other."""

import hashlib
import math
import os
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np

from acai.errors import InputError
from acai.files import Contents, load_npz, save_npz
from acai.nn import SGD, Sequential

KIND = "a checkpoint saved by acai"


class Epoch(NamedTuple):
    """What one pass over the songs came to: the mean loss, and the score on the songs held out (higher is better)."""

    loss: float
    score: float
    learning_rate: float


@dataclass(frozen=True)
class Progress:
    """How far a training has come: one object, so that Ctrl-C cannot separate the epochs from the weights of the best.

    Attributes
    ----------
    history : list of Epoch
        All epochs so far.
    weights : dict of str to numpy.ndarray
        Those after the best epoch; the initial ones before the first.
    """

    history: list[Epoch]
    weights: dict[str, np.ndarray]

    @property
    def best(self) -> int:
        """The epoch with the highest score, the first of them where they tie."""
        return int(np.argmax([epoch.score for epoch in self.history]))

    def after(self, epoch: Epoch, network: Sequential) -> "Progress":
        """The progress after one more epoch, which left the network as it is now."""
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
        All that decides how the training ends, by name; `digest` makes text of what is large.
    n_epochs : int
        How many epochs it has.
    """

    path: str | os.PathLike[str]
    origin: Mapping[str, object]
    n_epochs: int

    def save(self, progress: Progress, network: Sequential, optimizer: SGD) -> None:
        """Write all that is needed to go on: where the weights are, where they were heading, where they were best."""
        arrays = _arrays(progress, network, optimizer)
        save_npz(self.path, KIND, origin=self.origin, history=progress.history, layers=network.get_state(), **arrays)

    def resume(self, progress: Progress, network: Sequential, optimizer: SGD) -> Progress:
        """Put the network and the optimizer back to where they were after the last epoch, if there is a file.

        Raises
        ------
        InputError
            If the file is damaged or belongs to another training; nothing has been changed then.
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
            raise InputError(f"{self.path}: a checkpoint of an older acai, which does not say of which training; remove it")
        stored = contents.value("origin", dict)
        differences = [
            _difference(name, stored.get(name), expected) for name, expected in self.origin.items() if stored.get(name) != expected
        ]
        if stored.keys() - self.origin.keys():
            differences.append("settings unknown to this acai")
        if differences:
            raise InputError(f"{self.path}: a checkpoint of another training, with {', '.join(differences)}; {again}")


def _difference(name: str, stored: object, expected: object) -> str:
    if isinstance(stored, Real) or isinstance(expected, Real):
        return f"{name}={reprlib.repr(stored)} instead of {expected}"  # not in full: the file may be a stranger's
    return f"other {name}"


def _arrays(progress: Progress, network: Sequential, optimizer: SGD) -> dict[str, np.ndarray]:
    """Every array that changes in training, under the name that it has in the file."""
    arrays = {}
    for part, named in ("weights", network.params), ("steps", optimizer.velocity), ("best", progress.weights):
        arrays |= {f"{part} {name}": w for name, w in named.items()}
    return arrays


def copy_of_params(network: Sequential) -> dict[str, np.ndarray]:
    """The parameters as they are now, by name."""
    return {name: w.copy() for name, w in network.params.items()}


def digest(arrays: Iterable[np.ndarray]) -> str:
    """The SHA-256 of arrays, their shapes and types; they are read one at a time, so memory-mapped ones stay on disk."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def stored_history(contents: Contents, most: int) -> list[Epoch]:
    """How a training of so many epochs at most went, from a file: at least one epoch, all of its numbers finite."""
    history = []
    for epoch in contents.sequence("history", tuple):
        fits = len(epoch) == len(Epoch._fields) and all(isinstance(x, Real) and math.isfinite(x) for x in epoch)
        if not fits:
            raise contents.fault(f"history holds {epoch!r}; expected {', '.join(Epoch._fields)}, all finite numbers")
        history.append(Epoch(*epoch))
    if not 1 <= len(history) <= most:
        raise contents.fault(f"its history has {len(history)} epochs; expected 1 to {most}")
    return history
