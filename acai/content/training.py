"""How a network learns to hear: epochs that can be stopped, resumed bit for bit, and judged on songs held out."""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from acai.content.checkpoint import Checkpoint, Epoch, Progress, copy_of_params, digest
from acai.content.windows import Augmentation, Standardiser, consecutive_windows, random_windows
from acai.errors import InputError
from acai.interrupts import is_interrupt
from acai.nn import MSE, SGD, Sequential, SoftmaxCrossEntropy
from acai.nn.layer import name_of, params_of
from acai.settings import check_settings, setting

MAX_NORM = 1.0  # of a step's gradient: the first steps on fresh weights are steep, and one too long kills ReLUs for good

Loss = MSE | SoftmaxCrossEntropy
Batches = Iterator[tuple[np.ndarray, np.ndarray]]


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

    n_epochs: int = setting(40, at_least=1)
    learning_rate: float = setting(0.03, more_than=0)
    momentum: float = setting(0.9, at_least=0, less_than=1)
    weight_decay: float = setting(1e-4, at_least=0)
    patience: int | None = setting(None, at_least=1)
    seed: int = setting(0, at_least=0)

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def settings(self) -> dict[str, float]:
        """All that is set to a number, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int | float | np.number)}


def train(
    network: Sequential, loss: Loss, batches: Callable[[np.random.Generator], Batches],
    score: Callable[[Sequential], float] | None, plan: Plan, progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None, data: Mapping[str, str] | None = None,
) -> list[Epoch]:
    """Train `network` in place, and leave it with the weights of its best epoch.

    Parameters
    ----------
    network : Sequential
        Its weights are changed.
    loss : MSE or SoftmaxCrossEntropy
        The objective.
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
    data : mapping of str to str
        With a checkpoint: all that `batches` and `score` are made of, by name, as `acai.content.checkpoint.digest` tells it.

    Returns
    -------
    list of Epoch
        One for each epoch. After Ctrl-C, those that were finished; with none finished or no score to tell the best of
        them, KeyboardInterrupt goes through.

    Raises
    ------
    InputError
        If the training diverges, or the checkpoint is of another one: of other data, settings, layers or initial weights.
    """
    optimizer = SGD(network, plan.learning_rate, plan.momentum, plan.weight_decay)
    reached, saved = Progress([], copy_of_params(network)), None
    if checkpoint is not None:
        if data is None:
            raise InputError("train: a checkpoint belongs to one training; say with data= what batches and score are made of")
        saved = Checkpoint(checkpoint, _origin(network, loss, plan) | dict(data), plan.n_epochs)
        reached = saved.resume(reached, network, optimizer)
    first = len(reached.history)
    bar = tqdm(total=plan.n_epochs, initial=first, desc="learning to hear", unit="epoch", disable=not progress)
    try:
        for e in range(first, plan.n_epochs):
            if plan.patience is not None and e > 0 and e - 1 - reached.best >= plan.patience:
                break
            optimizer.learning_rate = plan.learning_rate / 2 * (1 + math.cos(math.pi * e / plan.n_epochs))
            rng = np.random.default_rng([plan.seed, e])
            losses = [_step(network, loss, optimizer, *batch) for batch in batches(rng)]
            epoch = Epoch(float(np.mean(losses)), float(score(network) if score else e), optimizer.learning_rate)
            if not (math.isfinite(epoch.loss) and math.isfinite(epoch.score)):
                diverged = f"the loss is {epoch.loss} and the score {epoch.score} in epoch {e + 1}: the training diverged"
                raise InputError(f"{diverged}; take a smaller learning_rate than {plan.learning_rate}")
            reached = reached.after(epoch, network)
            if saved is not None:
                saved.save(reached, network, optimizer)
            bar.set_postfix(loss=f"{epoch.loss:.3f}", held_out=f"{epoch.score:.3f}")
            bar.update()
    except (KeyboardInterrupt, SystemError) as stopped:
        if not is_interrupt(stopped):
            raise
        if not reached.history or score is None:
            raise KeyboardInterrupt from None
        bar.write(f"stopped in epoch {len(reached.history) + 1} of {plan.n_epochs}; the best so far was epoch {reached.best + 1}")
    finally:
        bar.close()
    for name, w in network.params.items():
        w[...] = reached.weights[name]
    return reached.history


def _origin(network: Sequential, loss: Loss, plan: Plan) -> dict[str, object]:
    """What decides how a training ends, besides its data."""
    return {
        **plan.settings,
        "loss": name_of(loss),
        "layers": " ".join(f"{type(layer).__module__}.{name_of(layer)}" for layer in network.layers),
        "initial weights": digest(network.params.values()),
        "random states of layers (give those that draw random numbers a seed)": json.dumps(network.get_state(), sort_keys=True),
    }


def _step(network: Sequential, loss: Loss, optimizer: SGD, x: np.ndarray, target: np.ndarray) -> float:
    """One step down. The gradients' common norm is at most `MAX_NORM` (Pascanu, Mikolov and Bengio 2013)."""
    value = loss.forward(network.forward(x), target)
    network.backward(loss.backward(), want_dx=False)
    norm = math.sqrt(sum(float(np.vdot(dw, dw)) for dw in network.grads.values()))
    for dw in network.grads.values():
        dw *= MAX_NORM / max(norm, MAX_NORM)
    optimizer.step()
    return value


@dataclass(kw_only=True)
class NetworkEar(Plan):
    """A network that hears songs window by window: what `AudioToFactors` and `SoundClassifier` have in common.

    Attributes
    ----------
    width : int
        Frames of a window. 129 are 3 seconds at 22,050 Hz and a hop of 512.
    batch_size : int
        Windows a step.
    augment : Augmentation, optional
        Changes to each window while training.
    fitted_network : Sequential or None
        The trained network; None before `fit`, and after one that failed.
    inputs : Standardiser
        Of the bands, after the songs learnt from: `fit` makes it.
    history : list of Epoch
        How the training went, epoch by epoch.
    """

    width: int = setting(129, at_least=1)
    batch_size: int = setting(16, at_least=1)
    augment: Augmentation | None = setting(None)
    fitted_network: Sequential | None = field(default=None, init=False, repr=False, compare=False)
    inputs: Standardiser | None = field(default=None, init=False, repr=False, compare=False)
    history: list[Epoch] = field(default_factory=list, init=False, repr=False, compare=False)

    def learn(
        self, network: Sequential, inputs: Standardiser, spectrograms: Sequence[np.ndarray], songs: np.ndarray,
        targets: np.ndarray, loss: Loss, score: Callable[[Sequential], float] | None, progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        """Train this network on random windows of these songs, by number, each beside the target of its song."""
        self.fitted_network, self.inputs, self.history = None, inputs, []  # should anything go wrong, it is not half fitted

        def batches(rng: np.random.Generator) -> Batches:
            shuffled = rng.permutation(songs)
            for start in range(0, len(shuffled), self.batch_size):
                chosen = shuffled[start : start + self.batch_size]
                x = random_windows(spectrograms, chosen, self.width, inputs, rng, self.augment)
                yield shaped(x, network), targets[chosen]

        data = None
        if checkpoint is not None:
            data = {"spectrograms": digest(spectrograms), "targets": digest([targets]), "songs to learn from": digest([songs])}
            data["augmentation"] = repr(self.augment)
        self.history = train(network, loss, batches, score, self, progress, checkpoint, data)
        self.fitted_network = network

    def expect_complete_training(self) -> None:
        """Raise KeyboardInterrupt where Ctrl-C has cut the training short: for whoever would judge it as a complete one."""
        if self.patience is None and len(self.history) < self.n_epochs:
            raise KeyboardInterrupt

    def outputs(self, network: Sequential, spectrograms: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """The output of the network for each window of each song, side by side: (windows, k) for every song."""
        for S in spectrograms:
            yield network.predict(shaped(consecutive_windows(S, self.width, self.inputs), network))


def shaped(x: np.ndarray, network: Sequential) -> np.ndarray:
    """Windows as this network takes them: (N, bands, 1, width), or (N, 1, bands, width) for one that sees a picture."""
    W = params_of(network.layers[0]).get("W")
    sees_a_picture = W is not None and W.ndim == 4 and W.shape[1] == 1
    return x.swapaxes(1, 2) if sees_a_picture else x
