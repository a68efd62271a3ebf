"""What all layers share: parameters, gradients, the input and output of the last `forward`, and errors that name the layer."""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, cast, overload, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from acai.errors import InputError, check_methods, name_of, unknown
from acai.settings import Limits, checked

FloatArray: TypeAlias = NDArray[np.floating]
LARGEST_PADDED = 2**24  # numbers that a batch may have with its padding, even if it is small without
FLOATS = [np.dtype(name) for name in ("float32", "float64", "complex128")]  # complex for the gradient check only


class AnyLayer(Protocol):
    """All that a network, the optimizer and the gradient check ask of a layer, acai's or your own.

    `forward` keeps the dtype of x. A layer that learns also has the dictionaries `params` and `grads`, and a layer that
    does something else once it is trained has `predict(x)`.
    """

    def forward(self, x: FloatArray, /) -> FloatArray:
        """Compute y from x."""

    def backward(self, dy: FloatArray, /) -> FloatArray:
        """Compute the gradient with respect to x from the one with respect to y, and write `grads`."""


@runtime_checkable
class RandomLayer(Protocol):
    """A layer that draws random numbers in `forward`, as `Dropout` does: training can be resumed from its state."""

    def get_state(self) -> dict[str, Any]:
        """Return the state of its generator, in values that JSON can hold."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Set the generator to a state that `get_state` returned."""


class Layer(ABC):
    """One step of a network: `forward` computes y from x, `backward` computes the gradients.

    acai's layers do their mathematics in `_forward(x)` and `_backward(dy, x, y)`, to be read together; what they have in
    common is here. A layer of your own need not inherit from this class: see `AnyLayer`.

    Attributes
    ----------
    params : dict of str to ndarray
        The numbers that are learnt: "W" and "b", or nothing.
    grads : dict of str to ndarray
        The gradient of the loss with respect to each of them, replaced by every `backward`.
    axes : tuple of str or int
        The shape that x must have: a name stands for any length, a number for that one. () stands for any shape.
    """

    axes: tuple[str | int, ...] = ()

    def __init__(self) -> None:
        self.params: dict[str, FloatArray] = {}
        self.grads: dict[str, FloatArray] = {}
        self._cache: tuple[FloatArray, FloatArray] | None = None

    @abstractmethod
    def _forward(self, x: FloatArray) -> FloatArray:
        """Compute y."""

    @abstractmethod
    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        """Compute dx, and `grads` if there are parameters."""

    def _backward_params(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> None:
        """Compute `grads` only. A layer whose dx is expensive overrides this."""
        self._backward(dy, x, y)

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments that the layer was made with, as JSON can hold them: a saved network is rebuilt from these.

        The seed of initial weights is not among them, because the weights themselves are saved.
        """
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters if hasattr(self, name)}

    @staticmethod
    def weight_shape(*args: Any, **arguments: Any) -> tuple[int, ...] | None:
        """Return the shape that W would have in a layer with these arguments; None for a layer without W."""
        return None

    def forward(self, x: FloatArray) -> FloatArray:
        """Compute y from x. Both are kept until the next `forward`, because `backward` needs them."""
        x = self._checked("forward: x", x, self.axes, [w.dtype for w in self.params.values()] or FLOATS)
        y = self._forward(x)
        self._cache = x, y
        return y

    def predict(self, x: FloatArray) -> FloatArray:
        """Compute y from x in a trained layer: the same as `forward` except in `Dropout`, and nothing is kept."""
        y = self.forward(x)
        self._cache = None
        return y

    @overload
    def backward(self, dy: FloatArray) -> FloatArray: ...
    @overload
    def backward(self, dy: FloatArray, want_dx: bool) -> FloatArray | None: ...
    def backward(self, dy: FloatArray, want_dx: bool = True) -> FloatArray | None:
        """Compute dx, the gradient with respect to the last x, from dy, the gradient with respect to y; write `grads`.

        With `want_dx=False` the result is None: this saves a convolution a third of its work where nobody needs dx.
        """
        if self._cache is None:
            raise InputError(f"{self}.backward: there is no forward to go back through; call forward(x) first")
        x, y = self._cache
        dy = self._checked("backward: dy", dy, y.shape, [y.dtype])
        if want_dx:
            return self._backward(dy, x, y)
        self._backward_params(dy, x, y)
        return None

    def _checked(self, what: str, x: FloatArray, axes: Sequence[str | int], dtypes: Sequence[np.dtype[Any]]) -> FloatArray:
        """Return `x` in C order; refuse it unless it is an array with these axes and one of these dtypes."""
        if not isinstance(x, np.ndarray):
            raise InputError(f"{self}.{what} is a {type(x).__name__}; expected a NumPy array")
        axes = axes or ("N", *"…" * (x.ndim - 1))
        if x.ndim != len(axes) or any(isinstance(axis, int) and axis != n for axis, n in zip(axes, x.shape)):
            raise InputError(f"{self}.{what} has shape {x.shape}; expected ({', '.join(map(str, axes))})")
        if x.dtype not in dtypes:
            names = " or ".join(dict.fromkeys(dtype.name for dtype in dtypes if dtype.kind == "f"))
            hint = "convert it with .astype, or give the layer that dtype"
            raise InputError(f"{self}.{what} is {x.dtype}; expected {names}: {hint}")
        return np.ascontiguousarray(x)

    def __repr__(self) -> str:
        """Show the arguments that differ from their defaults."""
        usual = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()} | {"dtype": "float32"}
        shown = [
            f"{name}={value}" for name, value in self.arguments.items()
            if value not in (usual[name], (usual[name], usual[name]))
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


def checked_layer(layer: object) -> AnyLayer:
    """Return `layer`, acai's or your own; refuse it unless it has what a network asks for."""
    check_methods(layer, "layer", "forward", "backward")
    forward = cast(AnyLayer, layer).forward
    if hasattr(forward, "__code__"):  # the signature of a function written in C may be hidden
        try:
            inspect.signature(forward).bind("x")
        except TypeError as wrong:
            raise InputError(f"{name_of(layer)}.forward: {wrong}; expected a layer, with forward(x)") from None
    for name, w in params_of(layer).items():
        if not isinstance(w, np.ndarray) or w.dtype.kind not in "fc":
            what = f"{name_of(layer)}: params[{name!r}] is {w!r}"
            raise InputError(f"{what}; expected an array of floats, which can learn in place, as in np.array([0.25])")
    return cast(AnyLayer, layer)


def params_of(layer: object) -> dict[str, FloatArray]:
    """Return the parameters of a layer; a layer without `params` has none."""
    params: dict[str, FloatArray] = getattr(layer, "params", {})
    return params


def initial_params(shape: tuple[int, ...], init: str, seed: int | None, dtype: DTypeLike) -> dict[str, FloatArray]:
    """Draw random weights of such a size that signals keep their variance from layer to layer; biases are zero.

    Parameters
    ----------
    shape : tuple of int
        The shape of W: outputs, inputs, and the size of the window if there is one.
    init : {"he", "glorot"}
        He et al. 2015, N(0, 2 / n_in), is for layers followed by a ReLU; Glorot and Bengio 2010,
        U(−a, a) with a² = 6 / (n_in + n_out), for those followed by a tanh or by nothing. Each output depends on n_in
        inputs, and each input affects n_out outputs.
    seed : int or None
        With None, the weights are different every time.
    dtype : type
        np.float32 or np.float64.
    """
    float_type = float_dtype(dtype)
    n_in = math.prod(shape[1:])
    n_out = shape[0] * math.prod(shape[2:])
    rng = np.random.default_rng(checked_seed(seed))
    if init == "he":
        W = rng.normal(0.0, np.sqrt(2 / n_in), shape)
    elif init == "glorot":
        a = np.sqrt(6 / (n_in + n_out))
        W = rng.uniform(-a, a, shape)
    else:
        raise unknown("initialisation", init, ["he", "glorot"])
    return {"W": W.astype(float_type), "b": np.zeros(shape[0], float_type)}


def float_dtype(dtype: DTypeLike) -> "np.dtype[np.floating]":
    """Return float32 or float64, given as a type or by name."""
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError):  # what NumPy raises for names that are no types
        found = None
    if found is None or found not in FLOATS[:2]:  # to NumPy, None equals float64
        given = getattr(dtype, "__name__", repr(dtype))  # a type by its name: int32
        raise InputError(f"dtype={given}; expected float32 or float64")
    return cast("np.dtype[np.floating]", found)


def checked_seed(seed: object) -> int | None:
    """Return a seed of random numbers, or None for different ones every time."""
    plain: int | None = checked("seed", seed, int | None, Limits(at_least=0))
    return plain


def pair(name: str, value: int | Sequence[int], least: int) -> tuple[int, int]:
    """Return (height, width), each an integer of at least `least`; one number stands for both."""
    height, width = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    limits = Limits(at_least=least)
    return checked(name, height, int, limits), checked(name, width, int, limits)


def out_size(
    layer: Layer, shape: tuple[int, ...], window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    """Return (H', W'), how often a window fits into (N, C, H, W): H' = ⌊(H + 2·padding − height) / stride⌋ + 1."""
    padded = [n + 2 * p for n, p in zip(shape[2:], padding)]
    if padded[0] < window[0] or padded[1] < window[1]:
        given = f"x has shape {shape}, with padding {padded[0]} × {padded[1]}"
        expected = f"expected at least the window's {window[0]} × {window[1]}"
        raise InputError(f"{layer}.forward: {given}; {expected}")
    n_padded = math.prod(shape[:2]) * math.prod(padded)
    if n_padded > max(LARGEST_PADDED, 8 * math.prod(shape)):  # in a file from a stranger, padding can be any number
        raise InputError(f"{layer}.forward: x has shape {shape}, and {n_padded:,} numbers with its padding; expected less padding")
    H_out, W_out = ((n - k) // s + 1 for n, k, s in zip(padded, window, stride))
    return H_out, W_out
