"""How a network learns to hear: epochs that can be stopped, resumed bit for bit, and judged on songs held out."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from acai.content.windows import Augmentation, consecutive_windows, random_windows
from acai.errors import InputError, check_settings
from acai.files import Contents, load_npz, save_npz
from acai.nn import MSE, SGD, Sequential, SoftmaxCrossEntropy

KIND = "a checkpoint saved by acai"
MAX_NORM = 1.0  # of a step's gradient: the first steps on fresh weights are steep, and one too long kills ReLUs for good

LIMITS = (  # of the settings: of what type, and where they may lie, as in `acai.cf.recommender`
    (("n_epochs", "width", "batch_size", "windows"), Integral, "a whole number, 1 or more", lambda x: x >= 1),
    (("seed",), Integral, "a whole number, 0 or more", lambda x: x >= 0),
    (("patience",), Integral | None, "a whole number, 1 or more, or None", lambda x: x is None or x >= 1),
    (("learning_rate",), Real, "a number, more than 0", lambda x: 0 < x < math.inf),
    (("weight_decay",), Real, "a number, 0 or more", lambda x: 0 <= x < math.inf),
    (("momentum",), Real, "a number, 0 (none) or more, below 1", lambda x: 0 <= x < 1),
    (("validation",), Real, "a share of the songs, between 0 and 1", lambda x: 0 < x < 1),
)
Loss = MSE | SoftmaxCrossEntropy
Batches = Iterator[tuple[np.ndarray, np.ndarray]]


class Epoch(NamedTuple):
    """What one pass over the songs came to: the mean loss, and the score on the songs held out (higher is better)."""

    loss: float
    score: float
    learning_rate: float


@dataclass(kw_only=True)
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

    n_epochs: int = 40
    learning_rate: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 1e-4
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_settings(self, LIMITS)

    @property
    def settings(self) -> dict[str, float]:
        """All that is set to a number, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int | float | np.number)}


def train(
    network: Sequential, loss: Loss, batches: Callable[[np.random.Generator], Batches],
    score: Callable[[Sequential], float] | None, plan: Plan, progress: bool = False,
    checkpoint: str | os.PathLike | None = None,
) -> list[Epoch]:
    """Train `network` in place, and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : Sequential
        Its weights are changed.
    loss : MSE or SoftmaxCrossEntropy
        What is made small.
    batches : callable
        Given a generator, yields the (x, target) of one epoch.
    score : callable or None
        Given the network, how well it does on the songs held out; higher is better. With None, the last epoch is the best.
    plan : Plan
        How long, how fast.
    progress : bool
        Show a bar.
    checkpoint : path, optional
        A .npz file written after each epoch; where it exists, training goes on from it and ends as if it had never stopped.

    Returns
    -------
    list of Epoch
        One for each epoch. After Ctrl-C, those that were finished; with none finished or no score to tell the best of
        them, KeyboardInterrupt goes through.

    Raises
    ------
    InputError
        If the loss is no longer finite, or the checkpoint is of another training.
    """
    optimizer = SGD(network, plan.learning_rate, plan.momentum, plan.weight_decay)
    history: list[Epoch] = []
    best = {name: w.copy() for name, w in network.params.items()}
    if checkpoint is not None and Path(checkpoint).exists():
        history = _resume(checkpoint, plan.settings, _state(network, optimizer, best))
    bar = tqdm(total=plan.n_epochs, initial=len(history), desc="learning to hear", unit="epoch", disable=not progress)
    try:
        for e in range(len(history), plan.n_epochs):
            if plan.patience is not None and history and e - 1 - _best(history) >= plan.patience:
                break
            optimizer.learning_rate = plan.learning_rate / 2 * (1 + math.cos(math.pi * e / plan.n_epochs))
            rng = np.random.default_rng([plan.seed, e])
            losses = [_step(network, loss, optimizer, *batch) for batch in batches(rng)]
            epoch = Epoch(float(np.mean(losses)), float(score(network) if score else e), optimizer.learning_rate)
            if not math.isfinite(epoch.loss):
                diverged = f"the loss is {epoch.loss} in epoch {e + 1}: the training diverged"
                raise InputError(f"{diverged}; take a smaller learning_rate than {plan.learning_rate}")
            history.append(epoch)
            if _best(history) == e:
                best = {name: w.copy() for name, w in network.params.items()}
            if checkpoint is not None:
                save_npz(checkpoint, KIND, plan=plan.settings, history=history, **_state(network, optimizer, best))
            bar.set_postfix(loss=f"{epoch.loss:.3f}", held_out=f"{epoch.score:.3f}")
            bar.update()
    except KeyboardInterrupt:
        if not history or score is None:
            raise
        bar.write(f"stopped in epoch {len(history) + 1} of {plan.n_epochs}; the best so far, epoch {_best(history) + 1}, is kept")
    finally:
        bar.close()
    for name, w in network.params.items():
        w[...] = best[name]
    return history


def _step(network: Sequential, loss: Loss, optimizer: SGD, x: np.ndarray, target: np.ndarray) -> float:
    """One step down. The gradients' common norm is at most `MAX_NORM` (Pascanu, Mikolov and Bengio 2013)."""
    value = loss.forward(network.forward(x), target)
    network.backward(loss.backward(), want_dx=False)
    norm = math.sqrt(sum(float(np.vdot(dw, dw)) for dw in network.grads.values()))
    for dw in network.grads.values():
        dw *= MAX_NORM / max(norm, MAX_NORM)
    optimizer.step()
    return value


def _best(history: list[Epoch]) -> int:
    """The epoch with the highest score, the first of them where they tie."""
    return int(np.argmax([epoch.score for epoch in history]))


def _state(network: Sequential, optimizer: SGD, best: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All that is needed to go on: where the weights are, where they were going, where they were best."""
    parts = {"weights": network.params, "steps": optimizer.steps, "best": best}
    return {f"{part} {name}": w for part, named in parts.items() for name, w in named.items()}


def _resume(path: str | os.PathLike, settings: dict, state: dict[str, np.ndarray]) -> list[Epoch]:
    """Put everything back to where it was after the last epoch."""
    contents = load_npz(path, KIND)
    stored = contents.value("plan", dict)
    if stored != settings:
        plan = f"a checkpoint of another training, with the plan {stored}"
        raise InputError(f"{path}: {plan}; remove it, or train with that plan")
    if any(np.shape(contents.arrays.get(name)) != w.shape for name, w in state.items()):
        raise InputError(f"{path}: not a checkpoint of this network (its layers differ); remove it to start afresh")
    history = stored_history(contents)
    for name, w in state.items():
        w[...] = contents.array(name, w.shape, (w.dtype.name,))
    return history


def stored_history(contents: Contents) -> list[Epoch]:
    """How a training went, from a file."""
    epochs = contents.sequence("history", tuple)
    for epoch in epochs:
        if len(epoch) != len(Epoch._fields) or not all(isinstance(number, Real) for number in epoch):
            raise contents.fault(f"history holds {epoch!r}; expected {', '.join(Epoch._fields)}, all numbers")
    return [Epoch(*epoch) for epoch in epochs]


@dataclass(kw_only=True)
class NetworkEar(Plan):
    """A network that hears songs window by window: what `AudioToFactors` and `SoundClassifier` have in common.

    Attributes
    ----------
    network : Sequential
        What hears: a field of `AudioToFactors`; `SoundClassifier` makes it when it learns.
    inputs : Standardiser
        Of the bands, after the songs learnt from: `fit` makes it.
    width : int
        Frames of a window. 129 are 3 seconds at 22,050 Hz and a hop of 512.
    batch_size : int
        Windows a step.
    augment : Augmentation, optional
        Changes to each window while training.
    history : list of Epoch
        How the training went, epoch by epoch.
    """

    width: int = 129
    batch_size: int = 16
    augment: Augmentation | None = None
    history: list[Epoch] = field(default_factory=list, init=False, repr=False)

    def learn(
        self, spectrograms: Sequence[np.ndarray], songs: np.ndarray, targets: np.ndarray, loss: Loss,
        score: Callable[[Sequential], float] | None, progress: bool = False, checkpoint: str | os.PathLike | None = None,
    ) -> None:
        """Train on random windows of these songs, by number, each beside the target of its song."""

        def batches(rng: np.random.Generator) -> Batches:
            shuffled = rng.permutation(songs)
            for start in range(0, len(shuffled), self.batch_size):
                chosen = shuffled[start : start + self.batch_size]
                x = random_windows(spectrograms, chosen, self.width, self.inputs, rng, self.augment)
                yield self.shaped(x), targets[chosen]

        self.history = train(self.network, loss, batches, score, plan=self, progress=progress, checkpoint=checkpoint)

    def hear(self, spectrograms: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """What the network says of each window of each song, side by side: (windows, k) for every song."""
        for S in spectrograms:
            yield self.network.predict(self.shaped(consecutive_windows(S, self.width, self.inputs)))

    def shaped(self, x: np.ndarray) -> np.ndarray:
        """Windows as the network takes them: (N, bands, 1, width), or (N, 1, bands, width) for one that sees a picture."""
        W = self.network.layers[0].params.get("W")
        sees_a_picture = W is not None and W.ndim == 4 and W.shape[1] == 1
        return x.swapaxes(1, 2) if sees_a_picture else x
