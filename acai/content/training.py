"""Train a network on windows of songs: epochs that can be stopped, resumed bit for bit, judged on songs held out."""

import json
import math
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from acai.errors import InputError
from acai.files import written_whole
from acai.nn import SGD, Sequential

MAX_NORM = (
    1.0  # of a step's gradient: the first steps on fresh weights are steep, and one too long kills the ReLUs for good
)


@dataclass
class Epoch:
    """What one pass over the songs came to: the mean loss, and the score on the songs held out (higher is better)."""

    loss: float
    score: float
    learning_rate: float


@dataclass
class Plan:
    """How long, how fast.

    Attributes
    ----------
    n_epochs : int
        Passes over the songs, one random window of each song a pass.
    learning_rate, momentum, weight_decay : float
        Of SGD (N8). The rate falls from `learning_rate` to nearly 0 along half a cosine: η_e = η/2 · (1 + cos(π e/E)).
    patience : int or None
        Stop when the score has not risen for so many epochs.
    seed : int
        Epoch e draws from the generator seeded [seed, e], so a resumed training draws what it would have drawn.
    """

    n_epochs: int
    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 1e-4
    patience: int | None = None
    seed: int = 0


class Loss(Protocol):
    """`MSE` (N5) or `SoftmaxCrossEntropy` (N6)."""

    def forward(self, y: np.ndarray, target: np.ndarray) -> float: ...
    def backward(self) -> np.ndarray: ...


def train(
    network: Sequential,
    loss: Loss,
    batches: Callable[[np.random.Generator], Iterator[tuple[np.ndarray, np.ndarray]]],
    score: Callable[[Sequential], float],
    plan: Plan,
    progress: bool = False,
    checkpoint: str | os.PathLike | None = None,
) -> list[Epoch]:
    """Train `network` in place, and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : Sequential
        Its weights are changed.
    loss : Loss
        What is made small.
    batches : callable
        Given a generator, yields the (x, target) of one epoch.
    score : callable
        Given the network, how well it does on the songs held out; higher is better.
    plan : Plan
        How long, how fast.
    progress : bool
        Show a bar.
    checkpoint : path, optional
        A .npz file written after each epoch; where it exists, training goes on from it and ends as if it had never stopped.

    Returns
    -------
    list of Epoch
        One for each epoch. After Ctrl-C, those that were finished; with none finished, KeyboardInterrupt goes through.

    Raises
    ------
    InputError
        If the loss is no longer finite, or the checkpoint is of another training.
    """
    optimizer = SGD(network, plan.learning_rate, plan.momentum, plan.weight_decay)
    history: list[Epoch] = []
    best: dict[str, np.ndarray] = {}
    if checkpoint is not None and Path(checkpoint).exists():
        history, best = _resume(checkpoint, network, optimizer, plan)
    bar = tqdm(total=plan.n_epochs, initial=len(history), desc="learning to hear", unit="epoch", disable=not progress)
    try:
        for e in range(len(history), plan.n_epochs):
            if plan.patience is not None and history and e - 1 - _best(history) >= plan.patience:
                break
            optimizer.learning_rate = plan.learning_rate / 2 * (1 + math.cos(math.pi * e / plan.n_epochs))
            losses = [
                _step(network, loss, optimizer, *batch) for batch in batches(np.random.default_rng([plan.seed, e]))
            ]
            epoch = Epoch(float(np.mean(losses)), float(score(network)), optimizer.learning_rate)
            if not math.isfinite(epoch.loss):
                raise InputError(
                    f"the loss is {epoch.loss} in epoch {e + 1}: the training diverged; "
                    f"take a smaller learning_rate than {plan.learning_rate}"
                )
            history.append(epoch)
            if _best(history) == e:
                best = {name: w.copy() for name, w in network.params.items()}
            if checkpoint is not None:
                _keep(checkpoint, network, optimizer, plan, history, best)
            bar.set_postfix(loss=f"{epoch.loss:.3f}", held_out=f"{epoch.score:.3f}")
            bar.update()
    except KeyboardInterrupt:
        if not history:
            raise
        bar.write(
            f"stopped in epoch {len(history) + 1} of {plan.n_epochs}; the best so far, epoch {_best(history) + 1}, is kept"
        )
    finally:
        bar.close()
    _write_into(network.params, best)
    return history


def _step(network: Sequential, loss: Loss, optimizer: SGD, x: np.ndarray, target: np.ndarray) -> float:
    value = loss.forward(network.forward(x), target)
    network.backward(loss.backward(), want_dx=False)
    _clip(network.grads, MAX_NORM)
    optimizer.step()
    return value


def _clip(grads: dict[str, np.ndarray], most: float) -> None:
    """Scale all gradients down together so that their common norm is at most `most` (Pascanu, Mikolov and Bengio 2013)."""
    norm = math.sqrt(sum(float(np.vdot(dw, dw)) for dw in grads.values()))
    if norm > most:
        for dw in grads.values():
            dw *= most / norm


def _best(history: list[Epoch]) -> int:
    """The epoch with the highest score, the first of them where they tie."""
    return int(np.argmax([epoch.score for epoch in history]))


def _keep(
    path: str | os.PathLike, network: Sequential, optimizer: SGD, plan: Plan, history: list[Epoch], best: dict
) -> None:
    """Write all that is needed to go on: where the weights are, where they were going, where they were best."""
    arrays = {f"{part} {name}": w for part, named in _parts(network, optimizer, best) for name, w in named.items()}
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file, plan=json.dumps(asdict(plan)), history=json.dumps([asdict(epoch) for epoch in history]), **arrays
        )


def _resume(path: str | os.PathLike, network: Sequential, optimizer: SGD, plan: Plan) -> tuple[list[Epoch], dict]:
    best = {name: np.empty_like(w) for name, w in network.params.items()}
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        kept_plan, history = (
            json.loads(str(arrays["plan"])),
            [Epoch(**epoch) for epoch in json.loads(str(arrays["history"]))],
        )
        parts = [
            ({name: arrays[f"{part} {name}"] for name in named}, named)
            for part, named in _parts(network, optimizer, best)
        ]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: not a checkpoint of this network ({type(error).__name__}: {error}); remove it to start afresh"
        ) from None
    if kept_plan != asdict(plan) or any(
        a.shape != w.shape for old, new in parts for a, w in zip(old.values(), new.values())
    ):
        raise InputError(
            f"{path}: a checkpoint of another training, with the plan {kept_plan}; remove it, or train with that plan"
        )
    for old, new in parts:
        _write_into(new, old)
    return history, best


def _parts(network: Sequential, optimizer: SGD, best: dict) -> tuple[tuple[str, dict[str, np.ndarray]], ...]:
    return ("weights", network.params), ("steps", optimizer.steps), ("best", best)


def _write_into(params: dict[str, np.ndarray], values: dict[str, np.ndarray]) -> None:
    for name, w in params.items():
        w[...] = values[name]
