"""Every layer of the zoo with the geometries on which it is tried, and every planted bug."""

import inspect
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from acai.teaching.zoo import activations, losses, networks, normalisation, sequences, shapes, windows

MODULES = (activations, losses, shapes, windows, normalisation, sequences, networks)


@dataclass(frozen=True)
class Case:
    """One geometry.

    Attributes
    ----------
    x : tuple of int or ndarray
        The shape of x, or indices.
    arguments : dict
        What the layer is made with.
    target : ndarray or None
        For a loss.
    between : (float, float) or None
        Where x is drawn from, and where a neighbour must put it.
    """

    x: tuple[int, ...] | np.ndarray
    arguments: dict[str, object] = field(default_factory=dict)
    target: np.ndarray | None = None
    between: tuple[float, float] | None = None


@dataclass(frozen=True)
class Entry:
    """A right layer or loss of the zoo."""

    kind: type
    cases: tuple[Case, ...]

    @property
    def name(self) -> str:
        """What the class is called."""
        return self.kind.__name__

    @cached_property
    def source(self) -> str:
        """The code of the class; finding it in its file takes as long as many a check."""
        return inspect.getsource(self.kind)

    @property
    def takes_indices(self) -> bool:
        """Whether x is an array of integers."""
        return isinstance(self.cases[0].x, np.ndarray)


@dataclass(frozen=True)
class ZooBug:
    """One wrong piece of code in a right layer.

    Attributes
    ----------
    what : str
        What went wrong in the head of whoever wrote it.
    arrays : tuple of str
        The arrays whose gradients it spoils.
    """

    entry: Entry
    what: str
    arrays: tuple[str, ...]
    old: str
    new: str

    @property
    def name(self) -> str:
        """The layer, and what is wrong."""
        return f"{self.entry.name}: {self.what}"

    def broken(self) -> type:
        """The class with the bug in it."""
        source = self.entry.source.replace(self.old, self.new)
        names = dict(vars(inspect.getmodule(self.entry.kind)))
        exec(compile(source, f"<zoo: {self.name}>", "exec"), names)
        kind: type = names[self.entry.name]
        kind.__qualname__ = self.name
        return kind


def placed(layer: object, case: Case) -> networks.Chain:
    """A layer between a neighbour that saturates and one whose outputs tie."""
    low, high = case.between or (-8.0, 8.0)
    before = networks.Saturating((low + high) / 2, 0.9 * (high - low) / 2)
    if case.target is not None:
        return networks.Chain([before, layer])
    return networks.Chain([layer, networks.Tied()] if isinstance(case.x, np.ndarray) else [before, layer, networks.Tied()])


def _values(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape)


def _one_hot(n: int, k: int) -> np.ndarray:
    return np.eye(k)[np.arange(n) * 2 % k]


def _signs(*shape: int) -> np.ndarray:
    return np.where(_values(*shape) > 0, 1.0, -1.0)


def _distribution(n: int, k: int) -> np.ndarray:
    p = np.exp(_values(n, k))
    distribution: np.ndarray = p / p.sum(axis=1, keepdims=True)
    return distribution


def _two(make: Callable[[int, int], np.ndarray] | None, between: tuple[float, float] | None = None) -> tuple[Case, ...]:
    sizes = ((4, 3), (3, 5))
    return tuple(Case(size, {}, make and make(*size), between) for size in sizes)


UNIT, POSITIVE = (0.0, 1.0), (0.1, 3.0)
PICTURES = ((2, 4, 4, 6), (1, 4, 6, 4))
SPECIAL: dict[str, tuple[Case, ...]] = {
    **{name: _two(None, POSITIVE) for name in ("Log", "Sqrt")},
    **{name: _two(_values) for name in ("MSE", "SumOfSquares", "L1", "Huber", "LogCosh", "Quantile", "Cosine")},
    **{name: _two(_signs) for name in ("Hinge", "SquaredHinge")},
    **{name: _two(lambda n, k: np.arange(n) * 2 % k) for name in ("MultiClassHinge", "SoftmaxCrossEntropy", "NLL")},
    **{name: _two(lambda n, k: (_signs(n, k) + 1) / 2) for name in ("BCEWithLogits", "Focal")},
    "BCE": _two(lambda n, k: (_signs(n, k) + 1) / 2, UNIT), "Dice": _two(lambda n, k: (_signs(n, k) + 1) / 2, UNIT),
    "CrossEntropy": _two(_one_hot, UNIT), "SoftLabels": _two(_distribution), "KL": _two(_distribution),
    "PoissonNLL": _two(lambda n, k: abs(_values(n, k)).round()),
    **{name: (Case((3, 4)), Case((2, 3, 4))) for name in ("Maxout", "Sort", "TopK")},
    "Median": (Case((3, 5)), Case((2, 3, 3))),
    **{name: (Case((5, 4)), Case((3, 4))) for name in (
        "ScaleShift", "Residual", "Highway", "TwoLayerNet", "Autoencoder", "DeepTanh", "BatchNorm", "BatchNormSteps")},
    **{name: (Case((3, 4)), Case((2, 6), {"D": 6, "O": 2})) for name in (
        "Dense", "WeightDecayDense", "Bilinear", "WeightNormDense")},
    "DenseOverTime": (Case((2, 3, 4)), Case((1, 5, 2), {"D": 2, "O": 4})),
    "Bias": (Case((2, 3, 2, 3)), Case((1, 2, 4, 3), {"C": 2})),
    **{name: tuple(map(Case, PICTURES)) for name in (
        "Flatten", "Transpose", "ZeroPad", "Upsample", "PixelShuffle", "AveragePool", "OverlappingAverage", "GlobalAverage",
        "GlobalMax", "L2Pool", "InstanceNorm", "SpatialDropout")},
    "GroupNorm": (Case((2, 4, 2, 3)), Case((2, 6, 3, 2), {"C": 6, "G": 3})),
    "BatchNorm2D": (Case((2, 3, 2, 3)), Case((3, 2, 2, 2), {"C": 2})),
    "LayerNorm": (Case((3, 5)), Case((2, 3, 4), {"D": 4})),
    "RMSNorm": (Case((3, 5)), Case((4, 3), {"D": 3})),
    "Conv1D": (Case((2, 2, 6)), Case((3, 3, 5), {"C": 3, "O": 2, "K": 2})),
    "Conv2D": (Case((2, 2, 4, 5)), Case((2, 1, 5, 6), {"C": 1, "O": 2, "stride": 2})),
    "Im2ColConv": (Case((2, 2, 4, 3)), Case((2, 1, 5, 5), {"C": 1, "K": 3})),
    "DilatedConv": (Case((2, 2, 5, 6)), Case((2, 1, 6, 8), {"C": 1, "dilation": 3})),
    "DepthwiseConv": (Case((2, 3, 3, 4)), Case((2, 2, 5, 4), {"C": 2, "K": 3})),
    "TransposedConv": (Case((2, 2, 2, 3)), Case((1, 1, 3, 3), {"C": 1, "O": 2, "K": 2})),
    "PointwiseConv": (Case((2, 3, 2, 3)), Case((1, 4, 3, 4), {"C": 4, "O": 3})),
    "MaxPool": (Case((2, 2, 7, 7)), Case((1, 2, 8, 6), {"size": 4, "stride": 2})),
    **{name: (Case((2, 4, 3)), Case((3, 3, 2), {"D": 2, "H": 3})) for name in ("RNN", "LastState", "LSTM", "GRU")},
    "Attention": (Case((2, 3, 4)), Case((2, 4, 3), {"D": 3, "causal": True})),
    "UnscaledAttention": (Case((2, 3, 4)), Case((1, 4, 3), {"D": 3})),
    "CrossAttention": (Case((4, 3)), Case((3, 2), {"D": 2, "M": 5})),
    "Positions": (Case((2, 3, 4)), Case((4, 2, 3), {"T": 2, "D": 3})),
    "Embedding": (Case(np.array([[0, 2, 2], [4, 0, 1]])), Case(np.array([3, 1, 1, 0]))),
    "EmbeddingBag": (Case(np.array([[0, 2, 2], [4, 0, 1]])), Case(np.array([[3, 1], [1, 5]]))),
    "LeNet": (Case((2, 1, 4, 4)), Case((1, 1, 5, 4))),
    "TransformerBlock": (Case((2, 3, 4)), Case((1, 4, 4))),
}
NEIGHBOURS = {"Chain", "Saturating", "Tied"}


def _entries() -> Iterator[Entry]:
    for module in MODULES:
        for name, kind in vars(module).items():
            if inspect.isclass(kind) and kind.__module__ == module.__name__ and name not in NEIGHBOURS:
                yield Entry(kind, SPECIAL.get(name, _two(None)))


ENTRIES = tuple(_entries())
_TOLD = tomllib.loads(Path(__file__).with_name("zoo.toml").read_text(encoding="utf-8"))
BUGS = tuple(
    ZooBug(entry, what, tuple(arrays.split()), old, new)
    for entry in ENTRIES for what, arrays, old, new in _TOLD.get(entry.name, ())
)
