"""Planted bugs: one wrong line in a correct layer, a mistake that everybody makes once. The gradient check must catch them all.

The catalogue is `bugs.toml`. Each bug replaces one piece of code in one class of `acai.nn.plain` or `acai.nn`.
`find(name).broken()` is the class with the bug, `.diff` shows what was changed, `hunt` runs the check on a class, and
`puzzle(seed)` returns a random one without its name.
"""

import difflib
import inspect
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from acai import nn
from acai.errors import InputError, unknown
from acai.gradcheck import check, check_steps
from acai.gradcheck.report import Report
from acai.nn import plain


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Attributes
    ----------
    name : str
        The class and what is wrong in it.
    arrays : str
        The arrays whose gradients (for the optimizer: whose steps) it makes wrong: "x", "W", "b", "x W", "W b".
    old, new : str
        The correct piece of code and the wrong one.
    sentence : str
        The thought that leads to this bug, or the rule that it breaks.
    """

    name: str
    arrays: str
    old: str
    new: str
    sentence: str

    @property
    def layer(self) -> type:
        """The correct class."""
        kind = self.name.split(":")[0]
        layer: type = getattr(plain if hasattr(plain, kind) else nn, kind)
        return layer

    @property
    def source(self) -> str:
        """The code of the class with the bug."""
        return _source(self.layer).replace(self.old, self.new)

    @property
    def diff(self) -> str:
        """What was changed, as a diff."""
        right = _source(self.layer).splitlines()
        wrong = self.source.splitlines()
        return "\n".join(difflib.unified_diff(right, wrong, "right", "wrong", lineterm="", n=1))

    def broken(self) -> type:
        """Make the class with the bug."""
        names = dict(vars(inspect.getmodule(self.layer)))
        exec(compile(self.source, f"<planted bug: {self.name}>", "exec"), names)
        layer: type = names[self.layer.__name__]
        return layer


@cache
def _source(layer: type) -> str:
    """Return the code of a class; finding it in its file takes longer than most checks."""
    return inspect.getsource(layer)


ENTRIES = tomllib.loads(Path(__file__).with_name("bugs.toml").read_text(encoding="utf-8"))
CATALOGUE = tuple(Bug(name, **entry) for name, entry in ENTRIES.items())
OWN: dict[str, Bug] = {}  # those that `load` has added


def load(path: Path) -> list[str]:
    """Add the bugs of another file like `bugs.toml`, and return their names; `find` knows them from now on.

    Each must change the layer that it names: its `old` must occur in the code exactly once.
    """
    found = {}
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        if {*entry} != {"arrays", "old", "new", "sentence"} or not hasattr(plain, name.split(":")[0]):
            expected = 'expected ["Conv: what is wrong"], a class of acai.nn.plain, with arrays, old, new and sentence'
            raise InputError(f"{path}: [{name}] has {', '.join(entry)}; {expected}")
        bug = Bug(name, **entry)
        n = _source(bug.layer).count(bug.old)
        if n != 1:
            raise InputError(f"{path}: [{name}]: `old` occurs {n} times in {bug.layer.__name__}; expected it exactly once")
        found[name] = bug
    OWN.update(found)
    return list(found)


def find(name: str) -> Bug:
    """Return the bug with this name."""
    if name in OWN:
        return OWN[name]
    if name not in ENTRIES:
        raise unknown("bug", name, [*ENTRIES, *OWN])
    return Bug(name, **ENTRIES[name])


def puzzle(seed: int | None = None) -> type:
    """Draw a layer with a bug, for the learner to find with `acai.gradcheck.check`."""
    return CATALOGUE[np.random.default_rng(seed).integers(len(CATALOGUE))].broken()


def hunt(layer: type, unlike: type | None = None) -> Iterator[Report]:
    """Yield one report for every check of a layer, whether it is correct or has a bug.

    Geometries in which it computes something else than `unlike`, the correct layer, come first: few bugs can show in the others.
    """
    if layer.__name__ == "SGD":
        yield check_steps(layer)
    hunts = [hunt for hunt in HUNTS if hunt[0] == layer.__name__]
    if unlike is not None and any(arguments for _, arguments, _, _ in hunts):
        hunts.sort(key=lambda hunt: _outcome(layer, hunt) == _outcome(unlike, hunt))
    for _, arguments, x, options in hunts:
        yield check(layer(**arguments), x, **options)


@np.errstate(all="ignore")  # what a bug makes of these numbers only has to be different
def _outcome(layer: type, hunt: "Hunt") -> list[bytes]:
    """Return the bits of everything that a layer computes in one pass at the point of a check; nothing if it fails."""
    _, arguments, x, options = hunt
    rng = np.random.default_rng(0)
    made = layer(**arguments)
    x = x.copy() if isinstance(x, np.ndarray) else rng.normal(size=x)
    try:
        y = np.asarray(made.forward(x, options["target"]) if "target" in options else made.forward(x))
        dx = made.backward() if "target" in options else made.backward(rng.normal(size=y.shape))
        return [y.tobytes(), dx.tobytes(), *(gradient.tobytes() for gradient in getattr(made, "grads", {}).values())]
    except (ValueError, IndexError):  # arrays that do not fit together
        return []


TIES = np.array([[3.0, 3, 1, 5], [3, 3, 5, 5], [1, 1, 1, 1], [7, 1, 7, 1]])[None, None]
FIRST = {"nudge": -np.arange(16.0).reshape(1, 1, 4, 4) * 2.0**-6, "step": 2.0**-9}  # the first is the largest by a tiny margin
SCORES = np.random.default_rng(1).normal(size=(3, 4))
SMOOTH = {"method": "complex"}
Hunt = tuple[str, dict[str, Any], np.ndarray | tuple[int, ...], dict[str, Any]]
HUNTS: tuple[Hunt, ...] = (  # class, its arguments, x or its shape, options of the check
    ("Conv", {"O": 2, "stride": (2, 1), "padding": (1, 2)}, (2, 2, 3, 4), {}),  # small and first: it finds most
    ("Conv", {"kernel": (3, 3), "stride": (1, 2), "padding": (1, 0), "O": 3}, (3, 2, 6, 5), {}),
    ("Conv", {"C": 3, "dilation": (2, 1)}, (2, 3, 7, 7), {}),
    ("MaxPool", {}, (2, 2, 3, 5), {}),
    ("MaxPool", {"size": (3, 2), "stride": (1, 2), "padding": (1, 0)}, (2, 2, 5, 6), {}),
    ("MaxPool", {"size": (2, 3), "stride": (2, 1), "padding": (0, 1)}, (2, 2, 5, 6), {}),
    ("MaxPool", {}, TIES, FIRST),
    ("ReLU", {}, (3, 5), {}),
    ("ReLU", {}, np.zeros((2, 3)), {"nudge": np.full((2, 3), -0.5), "step": 0.25}),
    ("Linear", {}, (4, 4), {}),
    ("Linear", {"D": 3, "O": 5}, (2, 3), {}),
    ("Softmax", {}, SCORES, SMOOTH),
    ("MSE", {}, (4, 2), {"target": np.arange(8.0).reshape(4, 2)}),
    ("SoftmaxCrossEntropy", {}, SCORES, SMOOTH | {"target": np.array([0, 2, 3])}),
    ("SoftmaxCrossEntropy", {}, SCORES + 1000, SMOOTH | {"target": np.array([0, 2, 3])}),
    ("GlobalPool", {"kinds": ["mean"]}, (2, 3, 2, 4), {}),
    ("Tanh", {}, SCORES, SMOOTH),
    ("Dropout", {"seed": 0}, (4, 6), {}),
)
