"""`acai gradcheck`: every gradient is checked."""

import sys

import numpy as np

from acai import nn
from acai.commands.own_layer import as_json, check_own
from acai.gradcheck import check
from acai.settings import Count, Seed


def gradcheck(
    layer: str | None = None, *, shape: str | None = None, target: str | None = None,
    between: tuple[float, float] | None = None, axes: str | None = None, json: bool = False, zoo: bool = False,
    geometries: Count | None = None, seed: Seed = 0,
) -> None:
    """Check the gradients of every layer of acai, or of a layer of your own.

    Without a layer, every layer and loss is checked on many random geometries, and the scoreboard says "equal" where each
    coordinate of each gradient is equal to the slope of forward, with no tolerance (softmax, tanh and the L2 norm are no
    polynomials: their largest error by the complex step is shown).

    With a layer, the report says which coordinates are wrong, and what the pattern suggests:

      acai gradcheck my_layers.py:LeakyReLU --shape 2,3,8,9
      acai gradcheck 'my_layers.py:Dense(9, 4)' --shape 5,9
      acai gradcheck my_layers.py:CrossEntropy --shape 3,4 --target 0,2,1
      acai gradcheck 'my_layers.py:relu_forward, relu_backward' --shape 5,9
      acai gradcheck 'my_layers.py:check_function(affine_forward, affine_backward, (5, 9), w=(9, 4), b=(4,))'

    A layer is any class with forward(x) and backward(dy); parameters and gradients are found where people keep them.
    The exit code is 0 if all is right, 1 if something is wrong, and 2 if something could not be checked.

    Parameters
    ----------
    layer : FILE.py:CLASS
        A layer of your own, FILE.py:CLASS(arguments), a function that returns a loss and its gradient, or two functions.
    shape : SHAPE
        The shape of its input, as in 2,3,8,9.
    target : NUMBERS
        What a loss compares with: numbers, as in 0,2,1, or a file.npy.
    between : LOW HIGH
        Where the input is drawn from, for a layer that is not made for numbers of any sign and size.
    axes : LETTERS
        What the axes of the input are called in the report, as in nhwc.
    json
        Print the report for a program to read.
    zoo
        Check the check: on a hundred layers as people write them, and three hundred planted bugs.
    geometries : N
        How many to try for each layer of acai, 100 if it is not given; or, of the zoo, with how many seeds, 20.
    seed : N
        Of everything that is drawn.
    """
    if zoo:
        sys.exit(0 if _zoo(geometries or 20) else 1)
    if not layer:
        sys.exit(0 if _scoreboard(geometries or 100, seed) else 1)
    report = check_own(layer, shape, target=target, between=between, axes=axes, seed=seed)
    print(as_json(report) if json else report)
    sys.exit({"equal": 0, "agrees": 0, "not checked": 2}.get(report.verdict, 1))


def _zoo(n_seeds: int) -> bool:
    from acai.teaching.zoo import hunting  # only here: it reads every layer's source

    print(f"{'layer':<22}{'checks':>8}  {'verdicts':<22}{'with a bug':>12}{'found':>8}")
    missed = []
    for name, own, bugs in hunting.table(n_seeds):
        verdicts = ", ".join(dict.fromkeys(outcome.report.verdict for outcome in own))
        found = sum(outcome.is_expected for outcome in bugs)
        print(f"{name:<22}{len(own):>8,}  {verdicts:<22}{len(bugs):>12,}{found:>8,}", flush=True)
        missed += [outcome for outcome in (*own, *bugs) if not outcome.is_expected]
    for outcome in missed:
        expected = f"wrong in {', '.join(outcome.arrays)}" if outcome.arrays else "right"
        print(f"\n{outcome.name}, {outcome.where}: expected {expected}\n{outcome.report}")
    return not missed


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
