"""What all layers share: parameters, gradients, a memory of the last `forward`, and errors that name the layer."""

import inspect
from collections.abc import Iterable, Sequence

import numpy as np

from acai.errors import InputError, unknown

FLOATS = tuple(np.dtype(name) for name in ("float32", "float64", "complex128"))  # complex for the gradient check only


class Layer:
    """One step of a network: `forward` goes up, `backward` comes down, and both are read together.

    `forward(x)` keeps what `backward(dy)` will need; `predict(x)` gives the answer of a trained layer and keeps
    nothing. The two differ in `Dropout` alone. A layer of your own need not inherit from this one: `forward`,
    `backward` and the two dictionaries are all that a network, the optimiser and the gradient check ask for.

    Attributes
    ----------
    params : dict of str to ndarray
        The numbers that are learnt: "W" and "b", or nothing.
    grads : dict of str to ndarray
        The gradient of the loss by each of them, written anew by every `backward`.
    arguments : dict
        What the layer was made with, as JSON can hold it: a saved network is rebuilt from these.
    """

    def __init__(self, **arguments: object) -> None:
        self.arguments = arguments
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self._kept: tuple | None = None

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The same as `forward`, but nothing is kept for a `backward`."""
        y = self.forward(x)
        self._kept = None
        return y

    def _input(self, x: np.ndarray, axes: Sequence[str | int] | None = None) -> np.ndarray:
        """`x` in C order, once it is known to have these axes: a name for any length, a number for that one; None for any."""
        dtypes = {w.dtype for w in self.params.values()} or FLOATS
        return self._checked("forward: x", x, axes, dtypes)

    def _upstream(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        """`dy` in C order, once it is known to fit the output `y` of the last `forward`."""
        return self._checked("backward: dy", dy, y.shape, [y.dtype])

    def _checked(
        self, what: str, x: np.ndarray, axes: Sequence[str | int] | None, dtypes: Iterable[np.dtype]
    ) -> np.ndarray:
        if not isinstance(x, np.ndarray):
            raise InputError(f"{self}.{what} is a {type(x).__name__}; expected a NumPy array")
        axes = ("N", *"…" * (x.ndim - 1)) if axes is None else axes
        if x.ndim != len(axes) or any(isinstance(axis, int) and axis != n for axis, n in zip(axes, x.shape)):
            raise InputError(f"{self}.{what} has shape {x.shape}; expected ({', '.join(str(axis) for axis in axes)})")
        if x.dtype not in dtypes:
            names = " or ".join(dtype.name for dtype in dtypes if dtype.kind == "f")
            raise InputError(
                f"{self}.{what} is {x.dtype}; expected {names}: convert it with .astype, or give the layer that dtype"
            )
        return np.ascontiguousarray(x)

    def _recall(self) -> tuple:
        """What `forward` kept."""
        if self._kept is None:
            raise InputError(f"{self}.backward: there is no forward to go back through; call forward(x) first")
        return self._kept

    def __repr__(self) -> str:
        signature = inspect.signature(type(self))
        usual = {name: p.default for name, p in signature.parameters.items()} | {"dtype": "float32"}
        shown = [(name, value) for name, value in self.arguments.items() if value not in (usual[name], (usual[name],) * 2)]
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in shown)})"


def initial_weights(
    shape: tuple[int, ...], n_in: int, n_out: int, init: str, seed: int | None, dtype: type
) -> np.ndarray:
    """Random weights of such a size that a signal keeps its variance on the way through.

    Parameters
    ----------
    shape : tuple of int
        The shape of W.
    n_in, n_out : int
        How many inputs one output sees, and how many outputs see one input.
    init : {"he", "glorot"}
        He et al. 2015, N(0, 2 / n_in), is made for layers that a ReLU follows; Glorot and Bengio 2010,
        U(−a, a) with a² = 6 / (n_in + n_out), for those that a tanh or nothing follows.
    seed : int or None
        None draws other weights every time.
    dtype : type
        np.float32 or np.float64.
    """
    if np.dtype(dtype) not in FLOATS[:2]:
        raise InputError(f"dtype={np.dtype(dtype)}; expected float32 or float64")
    rng = np.random.default_rng(seed)
    if init == "he":
        W = rng.normal(0.0, np.sqrt(2 / n_in), shape)
    elif init == "glorot":
        a = np.sqrt(6 / (n_in + n_out))
        W = rng.uniform(-a, a, shape)
    else:
        raise unknown("initialisation", init, ["he", "glorot"])
    return W.astype(dtype)


def size(name: str, value: int | Sequence[int], least: int) -> int:
    """A whole number, at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name}={value!r}; expected a whole number, at least {least}")
    return int(value)


def pair(name: str, value: int | Sequence[int], least: int) -> tuple[int, int]:
    """(height, width), each a whole number of at least `least`; one number stands for both."""
    height, width = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    return size(name, height, least), size(name, width, least)


def out_size(
    layer: Layer, shape: tuple[int, ...], window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    """(H', W'), how often a window fits into (N, C, H, W): ⌊(H + 2·padding − height) / stride⌋ + 1, and W' alike."""
    padded = [n + 2 * p for n, p in zip(shape[2:], padding)]
    if any(n < k for n, k in zip(padded, window)):
        raise InputError(
            f"{layer}.forward: x has shape {shape}, with padding {padded[0]} × {padded[1]}; "
            f"expected at least the window's {window[0]} × {window[1]}"
        )
    H_out, W_out = ((n - k) // s + 1 for n, k, s in zip(padded, window, stride))
    return H_out, W_out
