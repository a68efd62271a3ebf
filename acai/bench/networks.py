"""The network beside PyTorch on the CPU: whole training steps, and the prediction for one song."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from acai import nn
from acai.bench.row import Contest, Data, Row, Work, competitor, expect_agreement
from acai.content.networks import dieleman_network, openmrs_network
from acai.nn.layer import Layer
from acai.threads import n_threads

CHECKED = 4  # samples in the batch whose gradients are compared
Network = tuple[nn.Sequential, tuple[int, ...]]  # with the shape of one sample


class Side(NamedTuple):
    """One library: its training step, which returns the loss, and the gradients after it."""

    step: Callable[[], float]
    gradients: Callable[[], list[Any]]


def openmrs() -> Network:
    """Build the network of OpenMRS."""
    return openmrs_network(40), (1, 128, 999)


def dieleman() -> Network:
    """Build Dieleman's network, with the original's pooling."""
    return dieleman_network(40, pools=(4, 2, 2)), (128, 1, 599)


def small_images() -> Network:
    """Build a network for small colour images."""
    network = nn.Sequential([
        nn.Conv2D(3, 16, 3, padding=1, seed=1), nn.ReLU(), nn.Conv2D(16, 32, 3, padding=1, seed=2), nn.ReLU(), nn.MaxPool2D(2),
        nn.Conv2D(32, 32, 3, padding=1, seed=3), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 16 * 16, 10, seed=4),
    ])
    return network, (3, 32, 32)


def training(make: Callable[[], Network], batch: int, data: Data) -> Contest:
    """Prepare a training step: forward, loss, backward, and an update by SGD with momentum."""
    torch = competitor("torch")
    torch.set_num_threads(n_threads())
    ours, shape = make()
    x, target = _batch(ours, shape, batch, np.float32)
    sides = _sides(torch, ours, x, target)
    work = Work(_operations(ours, x.shape, 3), "product")
    return Contest(sides[0].step, sides[1].step, partial(_same_gradients, torch, make), work)


def one_song(data: Data) -> Contest:
    """Prepare the prediction for a batch of one."""
    torch = competitor("torch")
    torch.set_num_threads(n_threads())
    ours, shape = openmrs()
    x, _ = _batch(ours, shape, 1, np.float32)
    theirs, tx = _to_torch(torch, ours), torch.tensor(x)

    def their_prediction() -> Any:
        with torch.no_grad():
            return theirs(tx)

    def agree() -> str:
        y, expected = ours.predict(x), their_prediction().numpy()
        return expect_agreement(float(np.abs(y - expected).max() / np.abs(expected).max()), 1e-4, "predictions")

    return Contest(lambda: ours.predict(x), their_prediction, agree, Work(_operations(ours, x.shape, 1), "product"))


def _batch(network: nn.Sequential, shape: tuple[int, ...], batch: int, dtype: type) -> tuple[Any, Any]:
    """Draw inputs, and targets for them."""
    rng = np.random.default_rng(0)
    k = list(network.params.values())[-1].size
    return tuple(rng.normal(size=size).astype(dtype) for size in ((batch, *shape), (batch, k)))  # type: ignore[return-value]


def _in_double_precision(network: nn.Sequential) -> nn.Sequential:
    """Copy the network in float64, where no rounding can choose another maximum in a pool."""
    made: list[Layer] = []
    ours = [layer for layer in network.layers if isinstance(layer, Layer)]  # all of them
    for layer in ours:
        made.append(type(layer)(**layer.arguments | ({"dtype": "float64"} if layer.params else {})))
        made[-1].params |= {name: w.astype(np.float64) for name, w in layer.params.items()}
    return nn.Sequential(made)


def _to_torch(torch: Any, network: nn.Sequential) -> Any:
    """Build the same layers with the same numbers."""

    class GlobalPool(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return torch.stack([x.mean(3), x.amax(3), (x * x).mean(3).sqrt()], 1).flatten(1)

    made: list[Any] = []
    for layer in network.layers:
        match layer:
            case nn.Conv2D():
                O, C, kH, kW = layer.params["W"].shape
                made.append(torch.nn.Conv2d(C, O, (kH, kW), layer.stride, layer.padding))
            case nn.Linear():
                made.append(torch.nn.Linear(*layer.params["W"].shape[::-1]))
            case nn.MaxPool2D():
                made.append(torch.nn.MaxPool2d(layer.pool_size, layer.stride, layer.padding))
            case nn.GlobalPool():
                made.append(GlobalPool())
            case _:
                made.append({"ReLU": torch.nn.ReLU, "Flatten": torch.nn.Flatten}[type(layer).__name__]())
        for name, w in zip(("weight", "bias"), getattr(layer, "params", {}).values()):
            getattr(made[-1], name).data = torch.tensor(w)
    return torch.nn.Sequential(*made)


def _sides(torch: Any, ours: nn.Sequential, x: Any, target: Any) -> tuple[Side, Side]:
    """Make both sides, theirs from a copy of our weights."""
    loss, sgd = nn.MSE(), nn.SGD(ours, 1e-6, momentum=0.9)
    theirs = _to_torch(torch, ours)
    their_sgd = torch.optim.SGD(theirs.parameters(), 1e-6, momentum=0.9)
    tx, tt = torch.tensor(x), torch.tensor(target)

    def step() -> float:
        value = loss.forward(ours.forward(x), target)
        ours.backward(loss.backward(), want_dx=False)
        sgd.step()
        return value

    def their_step() -> float:
        their_sgd.zero_grad()
        value = torch.nn.functional.mse_loss(theirs(tx), tt)
        value.backward()
        their_sgd.step()
        return float(value.item())

    of_acai = Side(step, lambda: list(ours.grads.values()))
    return of_acai, Side(their_step, lambda: [w.grad.numpy() for w in theirs.parameters()])


def _same_gradients(torch: Any, make: Callable[[], Network]) -> str:
    """Compare the loss and every gradient of one step in float64, each relative to the largest number in it."""
    network, shape = make()
    network = _in_double_precision(network)
    ours, theirs = _sides(torch, network, *_batch(network, shape, CHECKED, np.float64))
    pairs = [(np.array(ours.step()), np.array(theirs.step()))]
    pairs += zip(ours.gradients(), theirs.gradients())
    return expect_agreement(max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs), 1e-10, "gradients")


def _operations(network: nn.Sequential, shape: tuple[int, ...], passes: int) -> float:
    """Count the multiplications and additions: forward, and with 3 passes also dW and dx, but not the dx of the input."""
    total, y, first = 0.0, np.zeros((1, *shape[1:]), np.float32), True
    for layer in network.layers:
        y = layer.forward(y)
        W = getattr(layer, "params", {}).get("W")
        if W is not None:
            products = 2.0 * shape[0] * (y.size * W.size / W.shape[0] if W.ndim == 4 else W.size)
            total += products * (passes - (first and passes == 3))
            first = False
    return total


STEP = "training step, {} network, batch 32"
ROWS = [
    Row("openmrs", STEP.format("OpenMRS"), "PyTorch", 0.9, partial(training, openmrs, 32)),
    Row("dieleman", STEP.format("Dieleman"), "PyTorch", 0.9, partial(training, dieleman, 32)),
    Row("images", "training step, small images of 3 × 32 × 32, batch 32", "PyTorch", 1.0, partial(training, small_images, 32)),
    Row("one-song", "one song, OpenMRS network, `predict`", "PyTorch, `no_grad`", 1.0, one_song),
]
