"""acai.nn beside PyTorch on the CPU, in one process: `python tests/benchmarks/bench_nn.py`.

First both must give the same loss and the same gradients, in float64, where no rounding can choose another maximum; then
whole training steps in float32 (forward, loss, backward, SGD with momentum) are timed in turns, a few of ours, a few of
theirs, and the medians of many turns are compared. The ratio is ours over theirs: below 1, acai is faster.
"""

import argparse
import os
import statistics
import sys
import time

import numpy as np
import torch

from acai import nn, threads

SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # where these are set, BLAS is slower than it could be


def openmrs(dtype: type, k: int = 40) -> tuple[nn.Sequential, tuple[int, ...]]:
    network = nn.Sequential([
        nn.Conv2D(1, 32, (128, 4), seed=1, dtype=dtype), nn.ReLU(), nn.MaxPool2D((1, 4)),
        nn.Conv2D(32, 64, (1, 4), seed=2, dtype=dtype), nn.ReLU(), nn.MaxPool2D((1, 2)),
        nn.Conv2D(64, 64, (1, 4), seed=3, dtype=dtype), nn.ReLU(), nn.MaxPool2D((1, 4)),
        nn.Conv2D(64, 64, (1, 4), seed=4, dtype=dtype), nn.ReLU(), nn.Flatten(),
        nn.Linear(1728, 128, seed=5, dtype=dtype), nn.Linear(128, 32, seed=6, dtype=dtype), nn.Linear(32, k, seed=7, dtype=dtype),
    ])
    return network, (1, 128, 999)


def dieleman(dtype: type, k: int = 40) -> tuple[nn.Sequential, tuple[int, ...]]:
    network = nn.Sequential([
        nn.Conv2D(128, 64, (1, 4), seed=1, dtype=dtype), nn.ReLU(), nn.MaxPool2D((1, 4)),
        nn.Conv2D(64, 64, (1, 4), seed=2, dtype=dtype), nn.ReLU(), nn.MaxPool2D((1, 2)),
        nn.Conv2D(64, 64, (1, 4), seed=3, dtype=dtype), nn.ReLU(), nn.MaxPool2D((1, 2)),
        nn.Conv2D(64, 64, (1, 4), seed=4, dtype=dtype), nn.ReLU(), nn.GlobalPool(),
        nn.Linear(192, 128, seed=5, dtype=dtype), nn.ReLU(), nn.Linear(128, k, seed=6, dtype=dtype),
    ])
    return network, (128, 1, 599)


def pictures(dtype: type, k: int = 10) -> tuple[nn.Sequential, tuple[int, ...]]:
    network = nn.Sequential([
        nn.Conv2D(3, 32, 3, padding=1, seed=1, dtype=dtype), nn.ReLU(), nn.MaxPool2D(2),
        nn.Conv2D(32, 64, 3, padding=1, seed=2, dtype=dtype), nn.ReLU(), nn.MaxPool2D(2),
        nn.Flatten(), nn.Linear(64 * 8 * 8, 64, seed=3, dtype=dtype), nn.ReLU(), nn.Linear(64, k, seed=4, dtype=dtype),
    ])
    return network, (3, 32, 32)


class TorchGlobalPool(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.mean(3), x.amax(3), (x * x).mean(3).sqrt()], 1).flatten(1)


def to_torch(network: nn.Sequential) -> torch.nn.Sequential:
    """The same layers with the same numbers."""
    made = []
    for layer in network.layers:
        match layer:
            case nn.Conv2D():
                O, C, kH, kW = layer.params["W"].shape
                made.append(torch.nn.Conv2d(C, O, (kH, kW), layer.stride, layer.padding))
            case nn.MaxPool2D():
                made.append(torch.nn.MaxPool2d(layer.pool_size, layer.stride, layer.padding))
            case nn.Linear():
                made.append(torch.nn.Linear(*layer.params["W"].shape[::-1]))
            case nn.GlobalPool():
                made.append(TorchGlobalPool())
            case nn.Flatten():
                made.append(torch.nn.Flatten())
            case nn.ReLU():
                made.append(torch.nn.ReLU())
        with torch.no_grad():
            for name, w in zip(("weight", "bias"), layer.params.values()):
                getattr(made[-1], name).data = torch.tensor(w)
    return torch.nn.Sequential(*made)


def steps(ours: nn.Sequential, theirs: torch.nn.Sequential, x: np.ndarray, target: np.ndarray) -> tuple:
    """Two functions, each doing one whole training step and returning the loss."""
    loss, sgd = nn.MSE(), nn.SGD(ours, 1e-6, momentum=0.9)
    their_sgd = torch.optim.SGD(theirs.parameters(), 1e-6, momentum=0.9)
    tx, tt = torch.tensor(x), torch.tensor(target)

    def our_step() -> float:
        value = loss.forward(ours.forward(x), target)
        ours.backward(loss.backward(), want_dx=False)
        sgd.step()
        return value

    def their_step() -> float:
        their_sgd.zero_grad()
        value = torch.nn.functional.mse_loss(theirs(tx), tt)
        value.backward()
        their_sgd.step()
        return value.item()

    return our_step, their_step


def same_gradients(make, batch: int, rng: np.random.Generator) -> float:
    """The largest difference of any gradient after one step in float64, over the largest number in it; above 1e-10 is an error."""
    ours, shape = make(np.float64)
    theirs, k = to_torch(ours), ours.layers[-1].params["b"].size
    our_step, their_step = steps(ours, theirs, rng.normal(size=(batch, *shape)), rng.normal(size=(batch, k)))
    our_loss, their_loss = our_step(), their_step()
    errors = {"the loss": abs(our_loss - their_loss) / their_loss}
    for (name, dw), parameter in zip(ours.grads.items(), theirs.parameters()):
        expected = parameter.grad.numpy()
        errors[name] = float(np.abs(dw - expected).max() / np.abs(expected).max())
    worst = max(errors, key=errors.get)
    if errors[worst] > 1e-10:
        raise SystemExit(f"acai and PyTorch differ: {worst} by {errors[worst]:.1e}")
    return errors[worst]


def turns(first, second, n_turns: int, n_each: int) -> tuple[float, float, float]:
    """Median milliseconds of each, and the median of the turns' ratios."""
    times: tuple[list[float], list[float]] = ([], [])
    for function in (first, second):
        function(), function()
    for _ in range(n_turns):
        for function, into in zip((first, second), times):
            time.sleep(0.01)  # the other's threads may still be spinning
            started = time.perf_counter()
            for _ in range(n_each):
                function()
            into.append((time.perf_counter() - started) / n_each * 1000)
    return *(statistics.median(t) for t in times), statistics.median(a / b for a, b in zip(*times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--steps", type=int, default=5, help="in each turn")
    args = parser.parse_args()
    torch.set_num_threads(threads.n_threads())
    n_threads = threads.n_threads()
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__}, {n_threads} threads each; medians of {args.turns} turns")
    print(f"{'a training step':<36}{'acai':>10}{'PyTorch':>10}{'ratio':>8}   gradients differ by")
    rng = np.random.default_rng(0)
    for title, make, batch in (
        ("OpenMRS, 32 of 1 × 128 × 999", openmrs, 32),
        ("Dieleman, 32 of 128 × 1 × 599", dieleman, 32),
        ("pictures, 64 of 3 × 32 × 32", pictures, 64),
    ):
        error = same_gradients(make, 4, rng)
        ours, shape = make(np.float32)
        k = ours.layers[-1].params["b"].size
        x, target = (rng.normal(size=size).astype(np.float32) for size in ((batch, *shape), (batch, k)))
        mine, yours, ratio = turns(*steps(ours, to_torch(ours), x, target), args.turns, args.steps)
        print(f"{title:<36}{mine:>7.2f} ms{yours:>7.2f} ms{ratio:>8.2f}   {error:.0e}", flush=True)


if __name__ == "__main__":
    if any(name in os.environ for name in SLOWING):
        os.execve(sys.executable, [sys.executable, *sys.argv], {k: v for k, v in os.environ.items() if k not in SLOWING})
    main()
