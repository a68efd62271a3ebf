"""Prove the gradients of every layer of acai, or of one of your own.

Without a layer, every layer and loss is checked on many random geometries, and the scoreboard says "equal" where each
coordinate of each gradient is equal to the slope of forward, with no tolerance (softmax, tanh and the L2 norm are no
polynomials: their largest error by the complex step is shown).

With a layer, the report says which coordinates are wrong, and what the pattern suggests:

  acai gradcheck my_layers.py:LeakyReLU --shape 2,3,8,9
  acai gradcheck 'my_layers.py:Dense(9, 4)' --shape 5,9

A layer is any class with forward(x) and backward(dy) and, if it learns, dictionaries params and grads.
Exit code 0 if all is right, 1 if not.
"""

import argparse
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from acai.errors import InputError, unknown

if TYPE_CHECKING:
    import numpy as np

    from acai.nn.gradreport import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The layer, its input's shape, and how much is tried."""
    parser.add_argument("layer", nargs="?", metavar="FILE.py:CLASS", help="a layer of your own, or FILE.py:CLASS(arguments)")
    parser.add_argument("--shape", help="the shape of its input, as in 2,3,8,9")
    parser.add_argument("--geometries", type=int, default=100, metavar="N", help="how many to try for each layer (100)")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (0)")


def run(args: argparse.Namespace) -> None:
    """Print the scoreboard, or the report on one layer."""
    if args.layer:
        right = _own(args.layer, args.shape, args.seed)
    else:
        right = _scoreboard(args.geometries, args.seed)
    sys.exit(0 if right else 1)


def _scoreboard(n: int, seed: int) -> bool:
    import numpy as np

    if n < 1:
        raise InputError(f"--geometries {n}; expected at least 1")
    print(f"{'layer':<22}{'geometries':>12}{'coordinates':>13}  gradients")
    wrong = []
    for number, (name, draw) in enumerate(CASES.items()):
        reports = [draw(np.random.default_rng([seed, number, k])) for k in range(n)]
        findings = [finding for report in reports for finding in report.findings]
        failed = [report for report in reports if not report.ok]
        if failed:
            verdict = f"WRONG in {len(failed)}"
        elif all(finding.tolerance == 0 for finding in findings):
            verdict = "equal"
        else:
            verdict = f"agree to {max(report.max_error for report in reports):.1e}"
        arrays = " ".join(dict.fromkeys(finding.array.split(".")[-1] for finding in findings))
        print(f"{name:<22}{n:>12,}{sum(finding.numeric.size for finding in findings):>13,}  {arrays}: {verdict}", flush=True)
        wrong += failed[:1]
    for report in wrong:
        print(f"\n{report}")
    return not wrong


def _own(layer: str, shape: str | None, seed: int) -> bool:
    from acai.nn.gradcheck import check

    path, _, expression = layer.partition(".py:")
    path = Path(path + ".py")
    if not expression:
        raise InputError(f"{layer!r}: expected a file and a class in it, as in my_layers.py:LeakyReLU")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if shape is None:
        raise InputError("--shape is missing: expected the shape of the layer's input, as in --shape 2,3,8,9")
    try:
        size = tuple(int(part) for part in shape.strip("()").split(",") if part.strip())
        if not size or min(size) < 1:
            raise ValueError
    except ValueError:
        raise InputError(f"--shape {shape}: expected whole numbers of at least 1 between commas, as in 2,3,8,9") from None
    try:
        module = _load(path)
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


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _conv(rng: "np.random.Generator") -> "Report":
    from acai import nn
    from acai.nn.gradcheck import check

    N, C, O, kH, kW = rng.integers(1, 4, 5).tolist()
    stride, padding = rng.integers(1, 4, 2).tolist(), rng.integers(0, 3, 2).tolist()
    H, W = (max(1, k - 2 * p) + int(rng.integers(0, 8)) for k, p in zip((kH, kW), padding))
    dtype = rng.choice(["float32", "float64"])
    return check(nn.Conv2D(C, O, (kH, kW), stride, padding, dtype=dtype), (N, C, H, W), method="exact")


def _max_pool(rng: "np.random.Generator", ties: bool = False) -> "Report":
    import numpy as np

    from acai import nn
    from acai.nn.gradcheck import check

    size = rng.integers(1, 4, 2)
    pool = nn.MaxPool2D(size.tolist(), rng.integers(1, 4, 2).tolist(), rng.integers(0, size).tolist())
    shape = (*rng.integers(1, 4, 2).tolist(), *(size + rng.integers(0, 7, 2)).tolist())
    if not ties:
        return check(pool, shape, method="exact")
    x = 2.0 * rng.integers(0, 2, shape) + 1  # of equals, the first is the largest by a hair
    return check(pool, x, method="exact", nudge=-np.arange(x.size).reshape(shape) * 2.0**-12, step=2.0**-14)


def _plain(make: str, dims: int, power_of_two: bool = False, method: str = "exact") -> object:
    """A case that checks `make`, an expression within acai.nn, on random shapes of `dims` axes (`D`: the last of them)."""

    def draw(rng: "np.random.Generator") -> "Report":
        from acai import nn
        from acai.nn.gradcheck import check

        shape = rng.integers(1, 6, dims).tolist()
        if power_of_two:  # a mean over so many is exact
            shape = [2 ** (k // 2) for k in shape]
        seed = int(rng.integers(1 << 30))
        target = None
        if make.startswith("MSE"):
            target = rng.integers(-9, 10, shape).astype(float)
        if make.startswith("Softmax"):
            target = rng.integers(0, shape[1], shape[0])
        return check(eval(f"nn.{make}", {"nn": nn, "D": shape[-1], "seed": seed}), tuple(shape), target=target, method=method)

    return draw


def _relu_at_zero(rng: "np.random.Generator") -> "Report":
    import numpy as np

    from acai import nn
    from acai.nn.gradcheck import check

    x = rng.integers(-1, 2, rng.integers(1, 6, 3)).astype(float)  # by convention the slope at 0 is that below it
    return check(nn.ReLU(), x, method="exact", nudge=np.full(x.shape, -0.25), step=0.125)


def _network(rng: "np.random.Generator") -> "Report":
    from acai import nn
    from acai.nn.gradcheck import check

    C, O, K = rng.integers(1, 4, 3).tolist()
    conv, linear = nn.Conv2D(C, O, (2, 2), padding=(0, 1), dtype=float), nn.Linear(4 * O, K, dtype=float)
    layers = [conv, nn.ReLU(), nn.MaxPool2D((1, 2)), nn.Flatten(), linear]
    return check(nn.Sequential(layers), (2, C, 3, 4), method="exact", step=2.0**-8)


CASES = {
    "Conv2D": _conv,
    "MaxPool2D": _max_pool,
    "MaxPool2D, with ties": lambda rng: _max_pool(rng, ties=True),
    "GlobalPool, mean, max": _plain("GlobalPool(('mean', 'max'))", 4, power_of_two=True),
    "GlobalPool, L2": _plain("GlobalPool(('l2',))", 4, method="complex"),
    "ReLU": _plain("ReLU()", 3),
    "ReLU, at zero": _relu_at_zero,
    "Tanh": _plain("Tanh()", 3, method="complex"),
    "Dropout": _plain("Dropout(0.5, seed)", 3),
    "Flatten": _plain("Flatten()", 4),
    "Linear": _plain("Linear(D, 3, seed)", 2),
    "MSE": _plain("MSE()", 3, power_of_two=True),
    "SoftmaxCrossEntropy": _plain("SoftmaxCrossEntropy()", 2, method="complex"),
    "a whole network": _network,
}
