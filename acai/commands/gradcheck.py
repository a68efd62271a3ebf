"""`acai gradcheck`: every gradient is checked."""

import sys

import numpy as np

from acai.commands.own_layer import as_json, check_own
from acai.gradcheck import check
from acai.gradcheck.cases import random_cases
from acai.settings import Count, Seed


def gradcheck(  # noqa: PLR0913 - the options of the command
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
    drawn = [random_cases(np.random.default_rng([seed, k])) for k in range(n)]
    for row in zip(*drawn):
        reports = [check(case.layer, case.x, case.target, **case.options) for case in row]
        findings = [finding for report in reports for finding in report.findings]
        failed = [report for report in reports if not report.ok]
        largest = max(report.max_error for report in reports)
        verdict = f"agree to {largest:.1e}" if largest else "equal"
        if failed:
            verdict = f"WRONG in {len(failed)}"
        arrays = " ".join(dict.fromkeys(finding.array.split(".")[-1] for finding in findings))
        n_coordinates = sum(finding.numeric.size for finding in findings)
        print(f"{row[0].name:<22}{n:>12,}{n_coordinates:>13,}  {arrays}: {verdict}", flush=True)
        wrong += failed[:1]
    for report in wrong:
        print(f"\n{report}")
    return not wrong
