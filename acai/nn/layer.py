"""What all layers share: parameters, gradients, a memory of the last `forward`, and errors that name the layer."""

import inspect
import math
from collections.abc import Sequence

import numpy as np

from acai.errors import InputError, unknown

FLOATS = [np.dtype(name) for name in ("float32", "float64", "complex128")]  # complex for the gradient check only


class Layer:
    """One step of a network: `forward` goes up, `backward` comes down.

    The layers of acai say what they do in `_forward(x)` and `_backward(dy, x, y)`, to be read together; what all have in
    common is here. A layer of your own need not inherit from this one: `forward`, `backward` and, if it learns, the
    dictionaries `params` and `grads` are all that a network, the optimiser and the gradient check ask for. It keeps the
    dtype of x. If it draws random numbers in `forward`, as `Dropout` does, it also has `get_state()`, which returns
    where its generator is in values that JSON can hold, and `set_state(state)`: a training is resumed with them.

    Attributes
    ----------
    params : dict of str to ndarray
        The numbers that are learnt: "W" and "b", or nothing.
    grads : dict of str to ndarray
        The gradient of the loss by each of them, written anew by every `backward`.
    arguments : dict
        What the layer was made with, as JSON can hold it: a saved network is rebuilt from these. Each is an attribute, too.
    axes : tuple of str or int
        What x must look like: a name stands for any length, a number for that one. () stands for any x.
    """

    axes: tuple[str | int, ...] = ()

    def __init__(self, **arguments: object) -> None:
        self.arguments = arguments
        vars(self).update(arguments)
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self._kept: tuple[np.ndarray, ...] | None = None

    @staticmethod
    def weight_shape(**arguments: object) -> tuple[int, ...] | None:
        """The shape of W in a layer made with these arguments, known before it is made; None for a layer without W."""
        return None

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The answer y to x. Both are kept, for `backward` will need them."""
        x = self._checked("forward: x", x, self.axes, [w.dtype for w in self.params.values()] or FLOATS)
        y = self._forward(x)
        self._kept = x, y
        return y

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The answer of a trained layer: that of `forward`, except in `Dropout`, and x and y are not kept."""
        y = self.forward(x)
        self._kept = None
        return y

    def backward(self, dy: np.ndarray, **wishes: bool) -> np.ndarray:
        """dx, the gradient by the last x, from dy, that by y; those by the parameters are left in `grads`.

        The one wish there is: `want_dx=False` spares a convolution a third of its work, where nobody needs its dx.
        """
        x, y = self._recall()
        return self._backward(self._checked("backward: dy", dy, y.shape, [y.dtype]), x, y, **wishes)

    def _recall(self) -> tuple:
        """What the last `forward` kept."""
        if self._kept is None:
            raise InputError(f"{self}.backward: there is no forward to go back through; call forward(x) first")
        return self._kept

    def _checked(self, what: str, x: np.ndarray, axes: Sequence[str | int], dtypes: list[np.dtype]) -> np.ndarray:
        """`x` in C order, once it is known to be an array with these axes and one of these types."""
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
        usual = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()} | {"dtype": "float32"}
        shown = (f"{name}={value}" for name, value in self.arguments.items() if value not in (usual[name], (usual[name],) * 2))
        return f"{type(self).__name__}({', '.join(shown)})"


def checked_layer(layer: object, is_loss: bool = False) -> object:
    """`layer`, acai's or anybody's, once it is known to have what a network, or the gradient check, asks for."""
    if isinstance(layer, type):
        raise InputError(f"{layer.__name__} is a class; expected a layer of it, as in {layer.__name__}(…)")
    if not (hasattr(layer, "forward") and hasattr(layer, "backward")):
        raise InputError(f"{layer!r} is no layer: expected an object with the methods forward and backward")
    if hasattr(layer.forward, "__code__"):  # what is written in C may hide what it takes
        try:
            inspect.signature(layer.forward).bind(*["x", "target"][: 1 + is_loss])
        except TypeError as wrong:
            expected = "a layer has forward(x); a loss has forward(y, target), and must be given its target"
            raise InputError(f"{name_of(layer)}.forward: {wrong}; {expected}") from None
    for name, w in params_of(layer).items():
        if not isinstance(w, np.ndarray) or w.dtype.kind not in "fc":
            what = f"{name_of(layer)}: params[{name!r}] is {w!r}"
            raise InputError(f"{what}; expected an array of floats, which can learn in place, as in np.array([0.25])")
    return layer


def params_of(layer: object) -> dict[str, np.ndarray]:
    """What a layer learns: nothing, if it has no `params`."""
    return getattr(layer, "params", {})


def name_of(layer: object) -> str:
    """What a layer is called in messages and tables: its repr in one line, or its class if it has none of its own."""
    return f"{type(layer).__name__}()" if type(layer).__repr__ is object.__repr__ else " ".join(repr(layer).split())


def initial_params(shape: tuple[int, ...], init: str, seed: int | None, dtype: type) -> dict[str, np.ndarray]:
    """Random weights of such a size that a signal keeps its variance on the way through; biases of zero.

    Parameters
    ----------
    shape : tuple of int
        The shape of W: outputs, inputs, and the size of the window if there is one.
    init : {"he", "glorot"}
        He et al. 2015, N(0, 2 / n_in), is made for layers that a ReLU follows; Glorot and Bengio 2010,
        U(−a, a) with a² = 6 / (n_in + n_out), for those that a tanh or nothing follows. One output sees n_in inputs,
        and n_out outputs see one input.
    seed : int or None
        None draws other weights every time.
    dtype : type
        np.float32 or np.float64.
    """
    dtype = float_dtype(dtype)
    n_in, n_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    rng = np.random.default_rng(checked_seed(seed))
    if init == "he":
        W = rng.normal(0.0, np.sqrt(2 / n_in), shape)
    elif init == "glorot":
        a = np.sqrt(6 / (n_in + n_out))
        W = rng.uniform(-a, a, shape)
    else:
        raise unknown("initialisation", init, ["he", "glorot"])
    return {"W": W.astype(dtype), "b": np.zeros(shape[0], dtype)}


def float_dtype(dtype: object) -> np.dtype:
    """float32 or float64, by type or by name."""
    try:
        if (found := np.dtype(dtype)) in FLOATS[:2]:
            return found
    except (TypeError, ValueError, SyntaxError):  # what NumPy makes of words that name no type
        pass
    given = getattr(dtype, "__name__", repr(dtype))  # a type by its name: int32
    raise InputError(f"dtype={given}; expected float32 or float64")


def checked_seed(seed: object) -> int | None:
    """A seed of random numbers, or None for others every time."""
    return None if seed is None else size("seed", seed, 0)


def size(name: str, value: int, least: int) -> int:
    """A whole number, at least `least`, that fits into 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < 2**63:
        raise InputError(f"{name}={value!r}; expected a whole number, at least {least}")
    return int(value)


def checked_shape(given: str, shape: object) -> tuple[int, ...]:
    """`shape`, once it is known to be that of an array with something in it."""
    if not isinstance(shape, tuple | list) or not all(isinstance(n, int | np.integer) and n > 0 for n in shape):
        raise InputError(f"{given}: expected whole numbers of at least 1, as in 2,3,8,9")
    return tuple(shape)


def pair(name: str, value: int | Sequence[int], least: int) -> tuple[int, int]:
    """(height, width), each a whole number of at least `least`; one number stands for both."""
    height, width = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    return size(name, height, least), size(name, width, least)


def out_size(layer: Layer, shape: tuple[int, ...], window: tuple[int, int]) -> tuple[int, int]:
    """(H', W'), how often a window fits into (N, C, H, W): ⌊(H + 2·padding − height) / stride⌋ + 1, and W' alike."""
    padded = [n + 2 * p for n, p in zip(shape[2:], layer.padding)]
    if padded[0] < window[0] or padded[1] < window[1]:
        given = f"x has shape {shape}, with padding {padded[0]} × {padded[1]}"
        raise InputError(f"{layer}.forward: {given}; expected at least the window's {window[0]} × {window[1]}")
    H_out, W_out = ((n - k) // s + 1 for n, k, s in zip(padded, window, layer.stride))
    return H_out, W_out
