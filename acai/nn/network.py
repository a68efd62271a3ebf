"""A network: layers one after another; its table; how it is saved and loaded."""

import html
import inspect
import os
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np

from acai.errors import InputError, name_of, unknown
from acai.files import Contents, load_npz, save_npz
from acai.html_table import html_table
from acai.nn.activations import Dropout, ReLU, Tanh
from acai.nn.conv import Conv2D
from acai.nn.layer import FLOATS, AnyLayer, FloatArray, Layer, RandomLayer, checked_layer, params_of
from acai.nn.linear import Flatten, Linear
from acai.nn.pool import GlobalPool, MaxPool2D

KIND = "a network saved by acai"
KINDS: tuple[type[Layer], ...] = (Conv2D, Dropout, Flatten, GlobalPool, Linear, MaxPool2D, ReLU, Tanh)
LAYERS = {layer.__name__: layer for layer in KINDS}


class Sequential:
    """Layers one after another: the output of each is the input of the next, and gradients come back in reverse order.

    Parameters
    ----------
    layers : iterable of layers
        Those of `acai.nn`, or your own: objects with `forward`, `backward` and, if they learn, `params` and `grads`,
        whose y keeps the dtype of x.
    """

    def __init__(self, layers: Iterable[AnyLayer]) -> None:
        self.layers = [checked_layer(layer) for layer in layers]

    @property
    def params(self) -> dict[str, FloatArray]:
        """Every parameter, named by its layer's place: "0.W", "0.b", "3.W", …."""
        return {f"{i}.{name}": w for i, layer in enumerate(self.layers) for name, w in params_of(layer).items()}

    @property
    def grads(self) -> dict[str, FloatArray]:
        """The gradient with respect to each parameter, under the same names."""
        return {f"{i}.{name}": dw for i, layer in enumerate(self.layers) for name, dw in getattr(layer, "grads", {}).items()}

    def forward(self, x: FloatArray) -> FloatArray:
        """Compute the output in training: each layer keeps what its `backward` needs."""
        for layer in self.layers:
            x = _same_dtype(layer, x, layer.forward(x))
        return x

    def predict(self, x: FloatArray) -> FloatArray:
        """Compute the output of a trained network: nothing is kept, and dropout is off."""
        for layer in self.layers:
            y = layer.predict(x) if hasattr(layer, "predict") else layer.forward(x)
            x = _same_dtype(layer, x, y)
        return x

    @overload
    def backward(self, dy: FloatArray) -> FloatArray: ...
    @overload
    def backward(self, dy: FloatArray, want_dx: bool) -> FloatArray | None: ...
    def backward(self, dy: FloatArray, want_dx: bool = True) -> FloatArray | None:
        """Compute the gradients of all layers (N7): the chain rule, one layer at a time, from the last to the first.

        Training does not need dx, the gradient with respect to the input of the first layer: with `want_dx=False` the
        result is None, and a convolution that comes first need not compute it.
        """
        for number, layer in reversed(list(enumerate(self.layers))):
            if number > 0 or want_dx:
                dy = layer.backward(dy)  # (N7)
            elif isinstance(layer, Layer):
                layer.backward(dy, want_dx=False)
            else:  # a layer of your own knows only backward(dy)
                layer.backward(dy)
        return dy if want_dx else None

    def get_state(self) -> dict[str, Any]:
        """Return what changes in training besides `params`: the state of each random layer, by its place."""
        return {str(i): layer.get_state() for i, layer in enumerate(self.layers) if isinstance(layer, RandomLayer)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to where `get_state` was called, so that the same masks are drawn again."""
        expected = self.get_state()
        if not isinstance(state, dict) or state.keys() != expected.keys():
            found = ", ".join(state) or "none" if isinstance(state, dict) else type(state).__name__
            raise InputError(f"a state of the layers {found}; expected {', '.join(expected) or 'none'}")
        for i, layer in enumerate(self.layers):
            if isinstance(layer, RandomLayer):
                layer.set_state(state[str(i)])

    def summary(self, input_shape: Sequence[int]) -> "Summary":
        """Return a table of the layers, the shapes of their outputs and the numbers of their parameters.

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
        """Return the layers and all parameters, by name, as `acai.files.save_npz` takes them."""
        layers = []
        for layer in self.layers:
            kind = type(layer).__name__
            if not isinstance(layer, Layer) or LAYERS.get(kind) is not type(layer):
                raise InputError(f"{name_of(layer)} cannot be saved: a file holds layers of acai.nn only: {', '.join(LAYERS)}")
            layers.append((kind, layer.arguments))
        return {"layers": layers, **self.params}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the layers and their parameters to one .npz file, for `acai.nn.load`."""
        save_npz(path, KIND, **self.parts())

    def __repr__(self) -> str:
        """Show the layers, one a line."""
        return "Sequential([\n" + "".join(f"    {name_of(layer)},\n" for layer in self.layers) + "])"


def _same_dtype(layer: AnyLayer, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return `y`; refuse it unless it has the dtype of `x`, or the next layer would be blamed for what this one did."""
    given, made = (getattr(array, "dtype", type(array).__name__) for array in (x, y))
    if given in FLOATS and made != given:
        hint = "look at what it returns, and which dtype its parameters have"
        raise InputError(f"{name_of(layer)}.forward makes {made} of an x that is {given}; expected {given}: {hint}")
    return y


def load(path: str | os.PathLike[str]) -> Sequential:
    """Load the network that `Sequential.save` wrote. No pickle is read, so a stranger's file can do no harm.

    Raises
    ------
    InputError
        If the file is missing, is not an acai network, or its numbers do not fit its layers.
    """
    return from_contents(load_npz(path, KIND))


def from_contents(contents: Contents) -> Sequential:
    """Rebuild the network whose `parts` are what `acai.files.load_npz` read."""
    layers = contents.sequence("layers", tuple)
    with contents.faults():
        return Sequential(_stored_layer(contents, place, layer) for place, layer in enumerate(layers))


def _stored_layer(contents: Contents, place: int, stored: tuple[Any, ...]) -> Layer:
    """Rebuild one layer. Its weights are only made once their size is known to be that of the stored ones."""
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
    layer: Layer = LAYERS[name](**arguments)
    for param, w in layer.params.items():
        w[...] = contents.array(f"{place}.{param}", w.shape, (w.dtype.name,))
    return layer


class Summary(str):
    """The summary of a network: plain text, which a notebook shows as a table."""

    rows: list[tuple[str, str, str]]

    def __new__(cls, rows: list[tuple[str, str, str]]) -> "Summary":
        """Align the columns of the table."""
        first, second, third = (max(map(len, column)) for column in zip(*rows))
        table = super().__new__(cls, "\n".join(f"{a:<{first}}  {b:<{second}}  {c:>{third}}".rstrip() for a, b, c in rows))
        table.rows = rows
        return table

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        return html_table([html.escape(cell) for cell in row] for row in self.rows)
