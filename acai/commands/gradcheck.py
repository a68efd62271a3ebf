"""`acai gradcheck`: the proof of every gradient."""

import importlib.util
import sys
import traceback
from pathlib import Path

import numpy as np

from acai import nn
from acai.errors import InputError, unknown
from acai.nn.gradcheck import check
from acai.nn.gradreport import Report


def gradcheck(layer: str | None = None, *, shape: str | None = None, geometries: int = 100, seed: int = 0) -> None:
    """Prove the gradients of every layer of acai, or of one of your own.

    Without a layer, every layer and loss is checked on many random geometries, and the scoreboard says "equal" where each
    coordinate of each gradient is equal to the slope of forward, with no tolerance (softmax, tanh and the L2 norm are no
    polynomials: their largest error by the complex step is shown).

    With a layer, the report says which coordinates are wrong, and what the pattern suggests:

      acai gradcheck my_layers.py:LeakyReLU --shape 2,3,8,9
      acai gradcheck 'my_layers.py:Dense(9, 4)' --shape 5,9

    A layer is any class with forward(x) and backward(dy) and, if it learns, dictionaries params and grads.
    Exit code 0 if all is right, 1 if not.

    Parameters
    ----------
    layer : FILE.py:CLASS
        A layer of your own, or FILE.py:CLASS(arguments).
    shape : SHAPE
        The shape of its input, as in 2,3,8,9.
    geometries : N
        How many to try for each layer.
    seed : N
        Of everything that is drawn.
    """
    right = _own(layer, shape, seed) if layer else _scoreboard(geometries, seed)
    sys.exit(0 if right else 1)


def _scoreboard(n: int, seed: int) -> bool:
    if n < 1:
        raise InputError(f"--geometries {n}; expected at least 1")
    print(f"{'layer':<22}{'geometries':>12}{'coordinates':>13}  gradients")
    wrong = []
    for number, (name, case) in enumerate(CASES.items()):
        reports = [case(np.random.default_rng([seed, number, k])) for k in range(n)]
        findings = [finding for report in reports for finding in report.findings]
        failed = [report for report in reports if not report.ok]
        largest = max(report.max_error for report in reports)
        verdict = f"WRONG in {len(failed)}" if failed else f"agree to {largest:.1e}" if largest else "equal"
        arrays = " ".join(dict.fromkeys(finding.array.split(".")[-1] for finding in findings))
        print(f"{name:<22}{n:>12,}{sum(finding.numeric.size for finding in findings):>13,}  {arrays}: {verdict}", flush=True)
        wrong += failed[:1]
    for report in wrong:
        print(f"\n{report}")
    return not wrong


def _own(layer: str, shape: str | None, seed: int) -> bool:
    stem, _, expression = layer.partition(".py:")
    path = Path(f"{stem}.py")
    if not expression:
        raise InputError(f"{layer!r}: expected a file and a class in it, as in my_layers.py:LeakyReLU")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if shape is None:
        raise InputError("--shape is missing: expected the shape of the layer's input, as in --shape 2,3,8,9")
    try:
        size = tuple(int(part) for part in shape.strip("()").split(",") if part.strip())
    except ValueError:
        size = ()
    if not size or min(size) < 1:
        raise InputError(f"--shape {shape}: expected whole numbers of at least 1 between commas, as in 2,3,8,9")
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if expression.isidentifier() and not hasattr(module, expression):
            raise unknown("class", expression, [name for name, thing in vars(module).items() if isinstance(thing, type)])
        thing = eval(expression, vars(module))  # what the person at the keyboard wrote, in the file they wrote
        report = check(thing() if isinstance(thing, type) else thing, size, seed=seed)
    except InputError:
        raise
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.resolve()]
        where = f"{path}, line {lines[-1]}" if lines else str(path)
        raise InputError(f"{where}: {type(error).__name__}: {error}") from error
    print(report)
    return report.ok


def _conv(rng: np.random.Generator) -> Report:
    N, C, O, kH, kW = rng.integers(1, 4, 5).tolist()
    stride, padding = rng.integers(1, 4, 2).tolist(), rng.integers(0, 3, 2).tolist()
    H, W = (max(1, k - 2 * p) + int(rng.integers(0, 8)) for k, p in zip((kH, kW), padding))
    dtype = rng.choice(["float32", "float64"])
    return check(nn.Conv2D(C, O, (kH, kW), stride, padding, dtype=dtype), (N, C, H, W), method="exact")


def _max_pool(rng: np.random.Generator, ties: bool = False) -> Report:
    size = rng.integers(1, 4, 2)
    pool = nn.MaxPool2D(size.tolist(), rng.integers(1, 4, 2).tolist(), rng.integers(0, size).tolist())
    shape = (*rng.integers(1, 4, 2).tolist(), *(size + rng.integers(0, 7, 2)).tolist())
    if not ties:
        return check(pool, shape, method="exact")
    x = 2.0 * rng.integers(0, 2, shape) + 1  # of equals, the first is the largest by a hair
    return check(pool, x, method="exact", nudge=-np.arange(x.size).reshape(shape) * 2.0**-12, step=2.0**-14)


def _relu_at_zero(rng: np.random.Generator) -> Report:
    x = rng.integers(-1, 2, rng.integers(1, 6, 3)).astype(float)  # by convention the slope at 0 is that below it
    return check(nn.ReLU(), x, method="exact", nudge=np.full(x.shape, -0.25), step=0.125)


def _mse(rng: np.random.Generator) -> Report:
    shape = _powers_of_two(rng, 3)
    return check(nn.MSE(), shape, target=rng.integers(-9, 10, shape).astype(float), method="exact")


def _softmax(rng: np.random.Generator) -> Report:
    n, k = _shape(rng, 2)
    return check(nn.SoftmaxCrossEntropy(), (n, k), target=rng.integers(0, k, n), method="complex")


def _linear(rng: np.random.Generator) -> Report:
    n, d, o = _shape(rng, 3)
    return check(nn.Linear(d, o, dtype=rng.choice(["float32", "float64"])), (n, d), method="exact")


def _network(rng: np.random.Generator) -> Report:
    C, O, K = _shape(rng, 3)
    conv, linear = nn.Conv2D(C, O, (2, 2), padding=(0, 1), dtype=float), nn.Linear(4 * O, K, dtype=float)
    network = nn.Sequential([conv, nn.ReLU(), nn.MaxPool2D((1, 2)), nn.Flatten(), linear])
    return check(network, (2, C, 3, 4), method="exact", step=2.0**-8)


def _shape(rng: np.random.Generator, n_axes: int) -> tuple[int, ...]:
    return tuple(rng.integers(1, 6, n_axes).tolist())


def _powers_of_two(rng: np.random.Generator, n_axes: int) -> tuple[int, ...]:
    return tuple((2 ** rng.integers(0, 3, n_axes)).tolist())  # a mean over so many is exact


CASES = {
    "Conv2D": _conv,
    "MaxPool2D": _max_pool,
    "MaxPool2D, with ties": lambda rng: _max_pool(rng, ties=True),
    "GlobalPool, mean, max": lambda rng: check(nn.GlobalPool(("mean", "max")), _powers_of_two(rng, 4), method="exact"),
    "GlobalPool, L2": lambda rng: check(nn.GlobalPool(("l2",)), _shape(rng, 4), method="complex"),
    "ReLU": lambda rng: check(nn.ReLU(), _shape(rng, 3), method="exact"),
    "ReLU, at zero": _relu_at_zero,
    "Tanh": lambda rng: check(nn.Tanh(), _shape(rng, 3), method="complex"),
    "Dropout": lambda rng: check(nn.Dropout(0.5, seed=int(rng.integers(1000))), _shape(rng, 3), method="exact"),
    "Flatten": lambda rng: check(nn.Flatten(), _shape(rng, 4), method="exact"),
    "Linear": _linear,
    "MSE": _mse,
    "SoftmaxCrossEntropy": _softmax,
    "a whole network": _network,
}
