"""How a network is trained: epochs that can be stopped, resumed bit for bit, and scored on held-out songs."""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from acai.content.checkpoint import Checkpoint, Epoch, Progress, copy_of_params, digest
from acai.errors import InputError, name_of
from acai.interrupts import is_interrupt
from acai.nn import SGD, Sequential
from acai.nn.layer import FloatArray
from acai.nn.losses import Loss
from acai.settings import check_settings, setting

MAX_NORM = 1.0  # of a step's gradient: gradients are large at first, and a step that is too long kills ReLUs for good

Batches = Iterator[tuple[FloatArray, NDArray[Any]]]
Score = Callable[[Sequential], float]


@dataclass(kw_only=True)
class TrainingConfig:
    """The settings of a training.

    Attributes
    ----------
    n_epochs : int
        How often to go through the songs, with one random window of each song every time.
    learning_rate, momentum, weight_decay : float
        Settings of SGD (N8). The rate falls from `learning_rate` to nearly 0 along half a cosine: η_e = η/2 · (1 + cos(π e/E)).
    patience : int or None
        Stop when the score has not risen for this many epochs.
    seed : int
        Epoch e draws from the generator seeded [seed, e], so a resumed training draws what it would have drawn.
    """

    n_epochs: int = setting(40, at_least=1)
    learning_rate: float = setting(0.03, more_than=0)
    momentum: float = setting(0.9, at_least=0, less_than=1)
    weight_decay: float = setting(1e-4, at_least=0)
    patience: int | None = setting(None, at_least=1)
    seed: int = setting(0, at_least=0)

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self)

    @property
    def settings(self) -> dict[str, int | float]:
        """All settings that are numbers, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int | float)}

    def learning_rate_of(self, epoch: int) -> float:
        """Return η_e, which falls along half a cosine."""
        return self.learning_rate / 2 * (1 + math.cos(math.pi * epoch / self.n_epochs))

    def has_stalled(self, reached: Progress) -> bool:
        """Whether the score has not risen for `patience` epochs."""
        n_done = len(reached.history)
        return self.patience is not None and n_done > 0 and n_done - 1 - reached.best >= self.patience


def train(  # noqa: PLR0913 - what is trained, on what, how it is scored, and where it is saved
    network: Sequential, loss: Loss, batches: Callable[[np.random.Generator], Batches], score: Score | None,
    config: TrainingConfig, progress: bool = False, checkpoint: str | os.PathLike[str] | None = None,
    data: Mapping[str, str] | None = None,
) -> list[Epoch]:
    """Train `network` in place, and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : Sequential
        Its weights are changed.
    loss : Loss
        The objective, which is minimised.
    batches : callable
        Given a generator, yields the (x, target) of one epoch.
    score : callable or None
        Given the network, returns how well it does on held-out songs; higher is better. With None, the last epoch is the best.
    config : TrainingConfig
        The settings.
    progress : bool
        Whether to show a progress bar.
    checkpoint : path, optional
        A .npz file written after each epoch; where it exists, training is resumed from it and ends as if it had never stopped.
    data : mapping of str to str
        With a checkpoint: the digests (`acai.content.checkpoint.digest`) of all that `batches` and `score` use, by name.

    Returns
    -------
    list of Epoch
        One for each epoch. After Ctrl-C, those that were finished; if none was finished, or there is no score to tell which
        of them was best, KeyboardInterrupt is raised.

    Raises
    ------
    InputError
        If the training diverges, or the checkpoint belongs to another one, with other data, settings, layers or
        initial weights.
    """
    optimizer = SGD(network, config.learning_rate, config.momentum, config.weight_decay)
    reached, file = Progress([], copy_of_params(network)), None
    if checkpoint is not None:
        if data is None:
            raise InputError("train: a checkpoint belongs to one training; give the digests of its data with data=")
        file = Checkpoint(checkpoint, _origin(network, loss, config) | dict(data), config.n_epochs)
        reached = file.resume(reached, network, optimizer)
    first = len(reached.history)
    bar = tqdm(total=config.n_epochs, initial=first, desc="training the network", unit="epoch", disable=not progress)
    try:
        for e in range(first, config.n_epochs):
            if config.has_stalled(reached):
                break
            optimizer.learning_rate = config.learning_rate_of(e)
            rng = np.random.default_rng([config.seed, e])
            losses = [_step(network, loss, optimizer, *batch) for batch in batches(rng)]
            epoch = Epoch(float(np.mean(losses)), float(score(network) if score else e), optimizer.learning_rate)
            _check_finite(epoch, e, config)
            reached = reached.after(epoch, network)
            if file is not None:
                file.save(reached, network, optimizer)
            bar.set_postfix(loss=f"{epoch.loss:.3f}", held_out=f"{epoch.score:.3f}")
            bar.update()
    except (KeyboardInterrupt, SystemError) as stopped:
        if not is_interrupt(stopped):
            raise
        if not reached.history or score is None:
            raise KeyboardInterrupt from None
        n_done = len(reached.history)
        bar.write(f"stopped in epoch {n_done + 1} of {config.n_epochs}; the best so far was epoch {reached.best + 1}")
    finally:
        bar.close()
    for name, w in network.params.items():
        w[...] = reached.weights[name]
    return reached.history


def _check_finite(epoch: Epoch, e: int, config: TrainingConfig) -> None:
    if not (math.isfinite(epoch.loss) and math.isfinite(epoch.score)):
        diverged = f"the loss is {epoch.loss} and the score {epoch.score} in epoch {e + 1}: the training diverged"
        raise InputError(f"{diverged}; take a smaller learning_rate than {config.learning_rate}")


def _origin(network: Sequential, loss: Loss, config: TrainingConfig) -> dict[str, object]:
    """Return all that decides how a training ends, besides its data."""
    states = json.dumps(network.get_state(), sort_keys=True)
    return {
        **config.settings,
        "loss": name_of(loss),
        "layers": " ".join(f"{type(layer).__module__}.{name_of(layer)}" for layer in network.layers),
        "initial weights": digest(network.params.values()),
        "random states of layers (give those that draw random numbers a seed)": states,
    }


def _step(network: Sequential, loss: Loss, optimizer: SGD, x: FloatArray, target: NDArray[Any]) -> float:
    """Take one step. The common norm of the gradients is at most `MAX_NORM` (Pascanu, Mikolov and Bengio 2013)."""
    value = loss.forward(network.forward(x), target)
    network.backward(loss.backward(), want_dx=False)
    norm = math.sqrt(sum(float(np.vdot(dw, dw)) for dw in network.grads.values()))
    for dw in network.grads.values():
        dw *= MAX_NORM / max(norm, MAX_NORM)
    optimizer.step()
    return value
