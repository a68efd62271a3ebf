"""A network: layers one after another; its table; how it is saved and loaded."""

import html
import json
import os
import zipfile
from collections.abc import Iterable, Sequence

import numpy as np

from acai.errors import InputError, unknown
from acai.files import written_whole
from acai.nn.activations import Dropout, ReLU, Tanh
from acai.nn.conv import Conv2D
from acai.nn.layer import Layer
from acai.nn.linear import Flatten, Linear
from acai.nn.pool import GlobalPool, MaxPool2D

LAYERS = {layer.__name__: layer for layer in (Conv2D, Dropout, Flatten, GlobalPool, Linear, MaxPool2D, ReLU, Tanh)}


class Sequential:
    """Layers one after another: the output of each is the input of the next, and gradients come back in reverse.

    Parameters
    ----------
    layers : iterable of layers
        Those of `acai.nn`, or any objects with `forward`, `backward`, `params` and `grads`.
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = list(layers)

    @property
    def params(self) -> dict[str, np.ndarray]:
        """Every parameter, named by its layer's place: "0.W", "0.b", "3.W", …"""
        return {f"{i}.{name}": w for i, layer in enumerate(self.layers) for name, w in layer.params.items()}

    @property
    def grads(self) -> dict[str, np.ndarray]:
        """The gradient of each, under the same names."""
        return {f"{i}.{name}": dw for i, layer in enumerate(self.layers) for name, dw in layer.grads.items()}

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Up through all layers, each keeping what its `backward` needs: for training."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Up through all layers, keeping nothing, dropout off: for a network that is trained."""
        for layer in self.layers:
            x = layer.predict(x) if hasattr(layer, "predict") else layer.forward(x)
        return x

    def backward(self, dy: np.ndarray, want_dx: bool = True) -> np.ndarray | None:
        """Down through all layers (N7): the chain rule, one layer at a time.

        Training has no use for dx, the gradient by the input of the first layer: `want_dx=False` spares it.
        """
        for i, layer in reversed(list(enumerate(self.layers))):
            if i == 0 and not want_dx and isinstance(layer, Conv2D | Linear):
                return layer.backward(dy, want_dx=False)
            dy = layer.backward(dy)  # (N7)
        return dy

    def summary(self, input_shape: Sequence[int]) -> "Summary":
        """A table of the layers, the shapes they give and the parameters they learn.

        Parameters
        ----------
        input_shape : tuple of int
            The shape of one sample, without the batch: (1, 128, 999).

        Returns
        -------
        str
            A notebook shows it as a table.
        """
        dtype = next(iter(self.params.values())).dtype if self.params else np.float32
        x = np.zeros((1, *input_shape), dtype)
        rows = [("input", str(x.shape[1:]), "")]
        for layer in self.layers:
            x = Sequential([layer]).predict(x)
            n_params = sum(w.size for w in layer.params.values())
            rows.append((str(layer), str(x.shape[1:]), f"{n_params:,}" if n_params else ""))
        return Summary([*rows, ("all", "", f"{sum(w.size for w in self.params.values()):,}")])

    def arrays(self) -> dict[str, np.ndarray]:
        """All that makes this network, as named arrays: the parameters, and the layers as JSON under "architecture"."""
        for layer in self.layers:
            if type(layer) not in LAYERS.values():
                raise InputError(f"{layer!r} cannot be saved: a file holds layers of acai.nn only: {', '.join(LAYERS)}")
        layers = [{"layer": type(layer).__name__, "arguments": layer.arguments} for layer in self.layers]
        architecture = np.array(json.dumps({"format": "acai network 1", "layers": layers}))
        return {"architecture": architecture, **self.params}

    def save(self, path: str | os.PathLike) -> None:
        """Write the layers and their parameters to one .npz file, for `acai.nn.load`."""
        arrays = self.arrays()
        with written_whole(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)

    def __repr__(self) -> str:
        return "Sequential([\n" + "".join(f"    {layer!r},\n" for layer in self.layers) + "])"


def load(path: str | os.PathLike) -> Sequential:
    """The network that `Sequential.save` wrote. No pickle is read, so a stranger's file can do no harm.

    Raises
    ------
    InputError
        If the file is missing, is not a network of acai's, or its numbers do not fit its layers.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, TypeError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a network saved by acai ({type(error).__name__}: {error})") from None
    return from_arrays(arrays, path)


def from_arrays(arrays: dict[str, np.ndarray], path: str | os.PathLike) -> Sequential:
    """The network that `Sequential.arrays` described; `path` is where they came from, for errors."""
    try:
        architecture = json.loads(str(arrays["architecture"]))
        if architecture["format"] != "acai network 1":
            raise InputError(f"{path}: its format is {architecture['format']!r}; expected 'acai network 1'")
        network = Sequential([_layer(**entry) for entry in architecture["layers"]])
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a network saved by acai ({type(error).__name__}: {error})") from None
    for name, w in network.params.items():
        if name not in arrays or arrays[name].shape != w.shape or arrays[name].dtype != w.dtype:
            found = f"{arrays[name].shape} {arrays[name].dtype}" if name in arrays else "missing"
            raise InputError(f"{path}: {name} is {found}; expected {w.shape} {w.dtype}")
        w[...] = arrays[name]
    return network


def _layer(layer: str, arguments: dict) -> Layer:
    if layer not in LAYERS:
        raise unknown("layer", layer, LAYERS)
    return LAYERS[layer](**arguments)


class Summary(str):
    """The table of a network: plain text, and in a notebook a table."""

    rows: list[tuple[str, str, str]]

    def __new__(cls, rows: list[tuple[str, str, str]]) -> "Summary":
        heads = [("layer", "output of one sample", "parameters"), *rows]
        widths = [max(len(row[k]) for row in heads) for k in range(3)]
        table = super().__new__(
            cls, "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in heads)
        )
        table.rows = heads
        return table

    def _repr_html_(self) -> str:
        lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self.rows]
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
