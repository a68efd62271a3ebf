"""`acai gradcheck`: the proof of every gradient."""

import runpy
import sys
import traceback
from pathlib import Path

import numpy as np

from acai import nn
from acai.errors import InputError, unknown
from acai.gradcheck import check
from acai.nn.layer import checked_shape
from acai.settings import Count, Seed


def gradcheck(layer: str | None = None, *, shape: str | None = None, geometries: Count = 100, seed: Seed = 0) -> None:
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
    print(f"{'layer':<22}{'geometries':>12}{'coordinates':>13}  gradients")
    wrong = []
    for row in zip(*(_cases(np.random.default_rng([seed, k])) for k in range(n))):
        reports = [check(layer, x, **how) for _, layer, x, how in row]
        findings = [finding for report in reports for finding in report.findings]
        failed = [report for report in reports if not report.ok]
        largest = max(report.max_error for report in reports)
        verdict = f"WRONG in {len(failed)}" if failed else f"agree to {largest:.1e}" if largest else "equal"
        arrays = " ".join(dict.fromkeys(finding.array.split(".")[-1] for finding in findings))
        n_coordinates = sum(finding.numeric.size for finding in findings)
        print(f"{row[0][0]:<22}{n:>12,}{n_coordinates:>13,}  {arrays}: {verdict}", flush=True)
        wrong += failed[:1]
    for report in wrong:
        print(f"\n{report}")
    return not wrong


def _cases(rng: np.random.Generator) -> list[tuple[str, object, tuple[int, ...] | np.ndarray, dict]]:
    """A row of the scoreboard each: its name, a layer of random geometry, its input or the shape of it, how to check."""

    def draw(least: int, most: int, n: int) -> list[int]:
        return rng.integers(least, most + 1, n).tolist()

    exact, smooth, dtype = {"method": "exact"}, {"method": "complex"}, rng.choice(["float32", "float64"])
    N, C, O, H, W, T = draw(1, 4, 6)
    kernel, stride, padding, more = draw(1, 3, 2), draw(1, 3, 2), draw(0, 2, 2), draw(0, 5, 2)
    picture = [max(1, k - 2 * p) + m for k, p, m in zip(kernel, padding, more)]
    pool = nn.MaxPool2D(kernel, stride, [min(p, k - 1) for p, k in zip(padding, kernel)])
    pooled = (N, C, *(k + m for k, m in zip(kernel, more)))
    tied, signs = 2.0 * rng.integers(0, 2, pooled) + 1, rng.integers(-1, 2, (N, C, T)).astype(float)
    first = {"nudge": -np.arange(tied.size).reshape(pooled) * 2.0**-12, "step": 2.0**-14}  # the first is largest by a hair
    below = {"nudge": np.full(signs.shape, -0.25), "step": 0.125}  # by convention the slope at 0 is that below it
    halves = tuple(2**k for k in draw(0, 2, 4))  # a mean over so many is exact
    layers = [nn.Conv2D(C, O, 2, padding=(0, 1), dtype=float), nn.ReLU(), nn.MaxPool2D((1, 2)), nn.Flatten()]
    network = nn.Sequential([*layers, nn.Linear(4 * O, T, dtype=float)])
    return [
        ("Conv2D", nn.Conv2D(C, O, kernel, stride, padding, dtype=dtype), (N, C, *picture), exact),
        ("MaxPool2D", pool, pooled, exact),
        ("MaxPool2D, with ties", pool, tied, exact | first),
        ("GlobalPool, mean, max", nn.GlobalPool(("mean", "max")), halves, exact),
        ("GlobalPool, L2", nn.GlobalPool(("l2",)), (N, C, H, T), smooth),
        ("ReLU", nn.ReLU(), (N, C, T), exact),
        ("ReLU, at zero", nn.ReLU(), signs, exact | below),
        ("Tanh", nn.Tanh(), (N, C, T), smooth),
        ("Dropout", nn.Dropout(0.5, seed=T), (N, C, T), exact),
        ("Flatten", nn.Flatten(), (N, C, H, W), exact),
        ("Linear", nn.Linear(C, O, dtype=dtype), (N, C), exact),
        ("MSE", nn.MSE(), halves[:3], exact | {"target": rng.integers(-9, 10, halves[:3]).astype(float)}),
        ("SoftmaxCrossEntropy", nn.SoftmaxCrossEntropy(), (N, C), smooth | {"target": rng.integers(0, C, N)}),
        ("a whole network", network, (2, C, 3, 4), exact | {"step": 2.0**-8}),
    ]


def _own(layer: str, shape: str | None, seed: int) -> bool:
    stem, _, expression = layer.partition(".py:")
    path = Path(f"{stem}.py")
    if not expression:
        raise InputError(f"{layer!r}: expected a file and a class in it, as in my_layers.py:LeakyReLU")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if shape is None:
        raise InputError("--shape is missing: expected the shape of the layer's input, as in --shape 2,3,8,9")
    lengths = [n.strip() for n in shape.strip("(), ").split(",")]
    x_shape = checked_shape(f"--shape {shape}", [int(n) if n.isdecimal() else n for n in lengths])
    try:
        names = runpy.run_path(str(path.resolve()))
        if expression.isidentifier() and expression not in names:
            raise unknown("class", expression, [name for name, thing in names.items() if isinstance(thing, type)])
        thing = eval(expression, names)  # what the person at the keyboard wrote, in the file they wrote
        report = check(thing() if isinstance(thing, type) else thing, x_shape, seed=seed)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # a program that exits by itself has proven nothing
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.resolve()]
        where = f"{path}, line {lines[-1]}" if lines else str(path)
        raise InputError(f"{where}: {type(error).__name__}: {error}") from error
    print(report)
    return report.ok
