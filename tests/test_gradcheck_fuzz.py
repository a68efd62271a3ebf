"""The gradient check against an oracle that shares no code with it, on random networks of the zoo's layers, right and broken."""

from collections import Counter

import numpy as np
import pytest
from gradient_oracle import is_right
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from acai.gradcheck import check
from acai.teaching.zoo import BUGS, ENTRIES
from acai.teaching.zoo.networks import Chain

KINDS = {entry.name: entry.kind for entry in ENTRIES}
BROKEN = {}
for bug in BUGS:
    BROKEN.setdefault(bug.entry.name, []).append(bug)
SHAPELESS = [
    "ReLU", "LeakyReLU", "PReLU", "ELU", "SELU", "GELU", "GELUTanh", "Sigmoid", "Tanh", "HardTanh", "HardSigmoid", "Softplus",
    "Softsign", "SiLU", "Mish", "Square", "Abs", "Softmax", "LogSoftmax", "CumSum", "Sort", "Dropout",
]
OF_WIDTH = ["ScaleShift", "Residual", "Highway", "BatchNorm", "BatchNormSteps", "LayerNorm", "RMSNorm"]
ENDS = ["MSE", "SumOfSquares", "L1", "Huber", "LogCosh", "Cosine", "SoftmaxCrossEntropy", "MultiClassHinge", "BCEWithLogits"]


@st.composite
def networks(draw):
    """A network with its input's shape and target, and the bug that is in it, if there is one."""
    N, D = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    shape, parts = (N, D), []
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([*SHAPELESS, *OF_WIDTH, *["Dense"] * 4]))
        arguments = {"D": D} if name in OF_WIDTH else {}
        if name == "Dense":
            arguments = {"D": D, "O": draw(st.integers(2, 4))}
            D = arguments["O"]
        parts.append((name, arguments))
    end = draw(st.sampled_from([None, None, *ENDS]))
    target = None
    if end:
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        target = rng.integers(0, D, N) if end in ("SoftmaxCrossEntropy", "MultiClassHinge") else rng.normal(size=(N, D))
        parts.append((end, {}))
    at = draw(st.integers(0, len(parts) - 1))
    bug = draw(st.sampled_from([None, *BROKEN[parts[at][0]]]))
    kinds = [bug.broken() if bug and i == at else KINDS[name] for i, (name, _) in enumerate(parts)]
    return Chain([kind(**arguments) for kind, (_, arguments) in zip(kinds, parts)]), shape, target, bug and bug.name


def truth_of(network, shape, target, suspect):
    """What the oracle says; of a suspect it says it after a second look, at more points: some bugs hardly ever show."""
    with np.errstate(all="ignore"):
        truth = is_right(network, shape, target)
        if truth and suspect:
            truth = all(is_right(network, shape, target, seed=s) for s in range(1, 100))
    return truth


def run(n, number):
    tally = Counter()

    @seed(number)
    @settings(max_examples=n, database=None, derandomize=False, deadline=None)
    @given(networks())
    def compare(case):
        network, shape, target, bug = case
        report = check(network, shape, target)
        truth = truth_of(network, shape, target, suspect=bug and report.verdict == "wrong")
        tally[{True: "right", False: "wrong", None: "undecided"}[truth], report.verdict] += 1
        said = {"equal": True, "agrees": True, "wrong": False}.get(report.verdict)
        names = [type(layer).__name__ for layer in network.layers]
        assert truth is None or said is truth, f"{bug}: {names} {shape}, the oracle says {truth}\n{report}"

    compare()
    return tally


def test_random_networks():
    tally = run(40, 13)
    assert sum(tally.values()) >= 40 and len(tally) >= 3


@pytest.mark.zoo
@pytest.mark.parametrize("number", range(20))
def test_two_thousand_random_networks(number):
    tally = run(100, number)
    print(dict(tally))
