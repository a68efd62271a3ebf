"""A network: layers one after another; its table; how it is saved and loaded."""

import html
import inspect
import os
from collections.abc import Iterable, Sequence

import numpy as np

from acai.errors import InputError, unknown
from acai.files import Contents, load_npz, save_npz
from acai.html_table import html_table
from acai.nn.activations import Dropout, ReLU, Tanh
from acai.nn.conv import Conv2D
from acai.nn.layer import FLOATS, Layer, checked_layer, name_of, params_of
from acai.nn.linear import Flatten, Linear
from acai.nn.pool import GlobalPool, MaxPool2D

KIND = "a network saved by acai"
LAYERS = {layer.__name__: layer for layer in (Conv2D, Dropout, Flatten, GlobalPool, Linear, MaxPool2D, ReLU, Tanh)}


class Sequential:
    """Layers one after another: the output of each is the input of the next, and gradients come back in reverse.

    Parameters
    ----------
    layers : iterable of layers
        Those of `acai.nn`, or your own: objects with `forward`, `backward` and, if they learn, `params` and `grads`,
        whose y keeps the dtype of x.
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = [checked_layer(layer) for layer in layers]

    @property
    def params(self) -> dict[str, np.ndarray]:
        """Every parameter, named by its layer's place: "0.W", "0.b", "3.W", …"""
        return {f"{i}.{name}": w for i, layer in enumerate(self.layers) for name, w in params_of(layer).items()}

    @property
    def grads(self) -> dict[str, np.ndarray]:
        """The gradient of each, under the same names."""
        return {f"{i}.{name}": dw for i, layer in enumerate(self.layers) for name, dw in getattr(layer, "grads", {}).items()}

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Up through all layers, each keeping what its `backward` needs: for training."""
        for layer in self.layers:
            x = _same_dtype(layer, x, layer.forward(x))
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Up through all layers, keeping nothing, dropout off: for a network that is trained."""
        for layer in self.layers:
            y = layer.predict(x) if hasattr(layer, "predict") else layer.forward(x)
            x = _same_dtype(layer, x, y)
        return x

    def backward(self, dy: np.ndarray, want_dx: bool = True) -> np.ndarray | None:
        """Down through all layers (N7): the chain rule, one layer at a time.

        Training has no use for dx, the gradient by the input of the first layer: `want_dx=False` spares that of a convolution.
        """
        for i, layer in reversed(list(enumerate(self.layers))):
            spared = i == 0 and not want_dx and isinstance(layer, Conv2D)
            dy = layer.backward(dy, want_dx=False) if spared else layer.backward(dy)  # (N7)
        return dy

    def get_state(self) -> dict[str, object]:
        """What changes in training besides `params`: the state of each layer that draws random numbers, by its place."""
        return {str(i): layer.get_state() for i, layer in enumerate(self.layers) if hasattr(layer, "get_state")}

    def set_state(self, state: dict[str, object]) -> None:
        """Go back to where `get_state` was called, so that the same masks are drawn again."""
        expected = self.get_state()
        if not isinstance(state, dict) or state.keys() != expected.keys():
            found = ", ".join(state) or "none" if isinstance(state, dict) else type(state).__name__
            raise InputError(f"a state of the layers {found}; expected {', '.join(expected) or 'none'}")
        for place, inner in state.items():
            self.layers[int(place)].set_state(inner)

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
        rows = [("layer", "output of one sample", "parameters"), ("input", str(x.shape[1:]), "")]
        for layer in self.layers:
            alone = Sequential([layer])
            x = alone.predict(x)
            n_params = sum(w.size for w in alone.params.values())
            rows.append((name_of(layer), str(x.shape[1:]), f"{n_params:,}" if n_params else ""))
        return Summary([*rows, ("all", "", f"{sum(w.size for w in self.params.values()):,}")])

    def parts(self) -> dict[str, object]:
        """All that makes this network, by name, as `acai.files.save_npz` takes it: its layers, and their parameters."""
        for layer in self.layers:
            if LAYERS.get(type(layer).__name__) is not type(layer):
                raise InputError(f"{name_of(layer)} cannot be saved: a file holds layers of acai.nn only: {', '.join(LAYERS)}")
        return {"layers": [(type(layer).__name__, layer.arguments) for layer in self.layers], **self.params}

    def save(self, path: str | os.PathLike) -> None:
        """Write the layers and their parameters to one .npz file, for `acai.nn.load`."""
        save_npz(path, KIND, **self.parts())

    def __repr__(self) -> str:
        return "Sequential([\n" + "".join(f"    {name_of(layer)},\n" for layer in self.layers) + "])"


def _same_dtype(layer: Layer, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`y`, once it is known to have the dtype of `x`: or the next layer would be blamed for what this one did."""
    given, made = (getattr(array, "dtype", type(array).__name__) for array in (x, y))
    if given in FLOATS and made != given:
        hint = "see what it returns, and which dtype its parameters have"
        raise InputError(f"{name_of(layer)}.forward makes {made} of an x that is {given}; expected {given}: {hint}")
    return y


def load(path: str | os.PathLike) -> Sequential:
    """The network that `Sequential.save` wrote. No pickle is read, so a stranger's file can do no harm.

    Raises
    ------
    InputError
        If the file is missing, is not a network of acai's, or its numbers do not fit its layers.
    """
    return from_contents(load_npz(path, KIND))


def from_contents(contents: Contents) -> Sequential:
    """The network whose `parts` are what `acai.files.load_npz` read."""
    layers = contents.sequence("layers", tuple)
    with contents.faults():
        return Sequential(_stored_layer(contents, place, layer) for place, layer in enumerate(layers))


def _stored_layer(contents: Contents, place: int, stored: tuple) -> Layer:
    """One layer from a file. Its weights are only made once their size is known to be that of the stored ones."""
    if len(stored) != 2 or not isinstance(stored[1], dict):
        raise InputError(f"layer {place} is {str(stored)[:40]}; expected its name and its arguments")
    name, arguments = stored
    if name not in [*LAYERS]:  # in a list, for a stranger's file may hold a name that cannot be hashed
        raise unknown("layer", name, LAYERS, n=len(LAYERS))
    try:
        inspect.signature(LAYERS[name]).bind(**arguments)
    except TypeError as error:
        raise InputError(f"layer {place}, {name}: {error}") from None
    shape = LAYERS[name].weight_shape(**arguments)
    if shape is not None:
        contents.array(f"{place}.W", shape, ("float32", "float64"))
    layer = LAYERS[name](**arguments)
    for param, w in layer.params.items():
        w[...] = contents.array(f"{place}.{param}", w.shape, (w.dtype.name,))
    return layer


class Summary(str):
    """The table of a network: plain text, and in a notebook a table."""

    rows: list[tuple[str, str, str]]

    def __new__(cls, rows: list[tuple[str, str, str]]) -> "Summary":
        first, second, third = (max(map(len, column)) for column in zip(*rows))
        table = super().__new__(cls, "\n".join(f"{a:<{first}}  {b:<{second}}  {c:>{third}}".rstrip() for a, b, c in rows))
        table.rows = rows
        return table

    def _repr_html_(self) -> str:
        return html_table([html.escape(cell) for cell in row] for row in self.rows)
