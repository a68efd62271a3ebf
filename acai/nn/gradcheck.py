"""The proof of a gradient: differentiate `forward` coordinate by coordinate, without `backward`'s help, and compare.

Convolution, linear layer and MSE are polynomials of degree one or two in each coordinate; ReLU and max pooling are
linear between their kinks. For those (f(w + h) − f(w − h)) / 2h is no approximation, and with small whole numbers, a
step of one half and the 53 bits of a float64 there is no rounding either: the gradients must be *equal*. What is smooth
but no polynomial is checked by the complex step, and everything else by Richardson's extrapolation.
"""

import copy
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from acai.errors import InputError, unknown
from acai.nn import gradkinks
from acai.nn.gradreport import Finding, Report

METHODS = ("auto", "exact", "complex", "richardson")
COMPLEX_STEP = 1e-30  # nothing is subtracted, so it may be as small as it likes
Function = Callable[[str, tuple[int, ...], float | complex], float | complex]  # f(which array, where, moved by how much)


class NotExact(InputError):
    """The layer is no polynomial of degree two around this point, or its numbers are not whole."""


def check(
    layer: object,
    x: np.ndarray | tuple[int, ...],
    target: np.ndarray | None = None,
    method: str = "auto",
    step: float = 0.5,
    nudge: np.ndarray | None = None,
    seed: int = 0,
) -> Report:
    """Compare every coordinate of a layer's gradients, by x and by each parameter, with the slope of its `forward`.

    Parameters
    ----------
    layer : object
        Anything with `forward(x)`, `backward(dy)` and, if it learns, dictionaries `params` and `grads`: a layer, a whole
        network, a layer of your own. Or a loss, with `forward(y, target)` and `backward()`. It is copied, not changed.
    x : ndarray or tuple of int
        The point at which to check, with the parameters as they are. Or its shape, and it is drawn: odd whole numbers,
        all distinct, and small whole parameters; where the layer is not exact on these, normal floats. Then dx is
        judged once more where x lies on kinks, 0, ±1 and ties: any value between the two slopes is right there.
    target : ndarray, optional
        What a loss compares with.
    method : {"auto", "exact", "complex", "richardson"}
        "auto" is exact where the layer proves to allow it, and Richardson's elsewhere. "complex" is for layers that can
        be applied to complex numbers.
    step : float
        h of the exact check, a power of two.
    nudge : ndarray, optional
        Where x sits on a kink, convention says which slope counts: that at x + nudge, a nudge less than any gap in x.
    seed : int
        Of what is drawn, the upstream gradient too: whole numbers, never all alike. With ones, a softmax whose gradient
        is zero everywhere would pass.

    Returns
    -------
    Report
        `.ok`, `.max_error`, `.worst`; print it, or show it in a notebook.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if isinstance(layer, type):
        raise InputError(f"check was given the class {layer.__name__}; expected a layer of it, as in {layer.__name__}(…)")
    if not (hasattr(layer, "forward") and hasattr(layer, "backward")):
        raise InputError(f"{layer!r} is no layer: expected an object with the methods forward and backward")
    name = f"{type(layer).__name__}()" if type(layer).__repr__ is object.__repr__ else " ".join(repr(layer).split())
    layer = copy.deepcopy(layer if target is None else _Loss(layer, target))
    if isinstance(x, np.ndarray):
        report = _compare(name, layer, np.array(x, order="C"), method, step, nudge, np.random.default_rng(seed))
        return gradkinks.judge(report, layer, x, step, seed) if report.n_kinks and nudge is None else report
    dtype = next((w.dtype for w in _params(layer).values()), np.dtype(float))
    report = None
    for attempt in range(20 if method in ("auto", "exact") else 0):  # one point may lie on a kink, another will not
        rng, whole = np.random.default_rng([seed, attempt]), copy.deepcopy(layer)
        for w in _params(whole).values():
            w[...] = rng.integers(-3, 4, w.shape)
        n = int(np.prod(x))
        odd = (2 * rng.permutation(n) - n + 1 - n % 2).reshape(x).astype(dtype)
        try:
            report = _compare(name, whole, odd, "exact", step, nudge, rng)
        except NotExact:
            continue
        if report.n_kinks == 0:
            break
    if report is None and method == "exact":
        raise NotExact(f"{name} cannot be checked exactly: whatever is drawn, its slopes over {step} and {step / 2} differ")
    if report is None:
        rng = np.random.default_rng(seed)
        method = "richardson" if method == "auto" else method
        report, whole = _compare(name, layer, rng.normal(size=x).astype(dtype), method, step, nudge, rng), layer
    kinked = gradkinks.draw(x, seed).astype(dtype)
    return gradkinks.judge(report, whole, kinked, step, seed) if method != "complex" and nudge is None else report


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # a layer that overflows is found by its numbers
def _compare(
    name: str, layer: object, x: np.ndarray, method: str, h: float, nudge: np.ndarray | None, rng: np.random.Generator
) -> Report:
    fresh = copy.deepcopy(layer)
    y = layer.forward(x.copy())
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "fc":
        raise InputError(f"{name}.forward returns {getattr(y, 'dtype', type(y).__name__)}; expected an array of floats")
    parts = [layer, *getattr(layer, "layers", [])]
    random = any(hasattr(part, "rng") for part in parts) or not np.array_equal(y, layer.forward(x.copy()))
    dy = (rng.integers(1, 10, y.shape) * rng.choice([-1, 1], y.shape)).astype(y.dtype)  # a zero would hide an error
    dy.flat[:2] = 3, -5  # never all alike
    analytic, earlier, faults = _analytic(fresh, x, dy, random)

    kind = complex if method == "complex" else float
    layer = copy.deepcopy(fresh)
    for part in getattr(layer, "layers", [layer]) if method == "complex" else []:
        _params(part).update({array: value.astype(complex) for array, value in _params(part).items()})
    w = {"x": (x if nudge is None else x + nudge).astype(y.dtype if kind is float else complex), **_params(layer)}

    def f(array: str, at: tuple[int, ...], by: float | complex) -> float | complex:
        """⟨dy, y⟩ once `by` is added to a coordinate, or to all."""
        kept = w[array][at].copy()
        w[array][at] += by
        moved = (copy.deepcopy(layer) if random else layer).forward(w["x"])  # a copy: dropout keeps to one mask
        weighted = (dy * moved).sum(dtype=kind).item()
        w[array][at] = kept
        return weighted

    if method in ("auto", "exact"):
        directions = [(array, h * rng.choice([-1, 1], value.shape)) for array, value in w.items() for _ in range(3)]
        exact = all(_is_quadratic(f, array, move) for array, move in directions)
        if method == "exact" and not exact:
            raise NotExact(f"{name} cannot be checked exactly here: its slopes over {h} and {h / 2} differ")
        method = "exact" if exact else "richardson"
    tolerance = {"exact": 0.0, "complex": 1e-13, "richardson": float(np.sqrt(np.finfo(y.dtype).eps))}[method]
    findings = []
    for array, value in w.items():
        slopes, kinks = np.zeros(value.shape), np.zeros(value.shape, bool)
        for at in np.ndindex(value.shape):
            slopes[at], kinks[at] = _slope(f, array, at, method, h)
        finding = Finding(array, analytic.get(array), slopes, kinks, tolerance)
        for at in map(tuple, np.argwhere(finding.wrong) if method == "exact" else []):
            half, _ = _slope(f, array, at, "exact", h / 2)
            if half != slopes[at] and np.isclose(half, slopes[at], rtol=1e-6, atol=1e-6):
                raise NotExact(f"{name} cannot be checked exactly: its numbers are rounded")
            kinks[at] = half != slopes[at] or _bends(f, array, at, h)  # across a kink or on it: no verdict there
        findings.append(finding)
    report = Report(name, method, findings, faults)
    if not report.ok:
        ones = _analytic(fresh, x, np.ones_like(dy), random)[0]
        report.explain(earlier, ones)
    return report


def _analytic(layer: object, x: np.ndarray, dy: np.ndarray, random: bool) -> tuple[dict, dict, dict[str, str]]:
    """What `backward` says at x, and what it had said before at another point, which should have left no trace."""
    layer = copy.deepcopy(layer)
    earlier = {} if random else _pass(layer, np.flip(x).copy(), np.flip(dy) + 1)
    x_given, dy_given = x.copy(), dy.copy()
    now = _pass(layer, x_given, dy_given)
    pairs = (("x", x_given, x), ("dy", dy_given, dy))
    spoilt = [name for name, given, kept in pairs if not np.array_equal(given, kept)]
    return now, earlier, {name: f"it overwrites the {name} that it is given" for name in spoilt}


def _pass(layer: object, x: np.ndarray, dy: np.ndarray) -> dict[str, np.ndarray]:
    layer.forward(x)
    dx = layer.backward(dy)
    grads = {array: np.array(dw) for array, dw in getattr(layer, "grads", {}).items()}
    return {"x": None if dx is None else np.array(dx), **grads}


def _is_quadratic(f: Function, array: str, move: np.ndarray) -> bool:
    """Whether f is a polynomial of degree two at most on the way from −move to +move, computed without rounding.

    Then half the way gives the same slope and a quarter of the curvature; a kink in between would give another.
    """
    up, half_up, middle, half_down, down = (f(array, (), part * move) for part in (1, 0.5, 0, -0.5, -1))
    return up - down == 2 * (half_up - half_down) and up + down - 2 * middle == 4 * (half_up + half_down - 2 * middle)


def _bends(f: Function, array: str, at: tuple[int, ...], h: float) -> bool:
    """Whether f has a kink in this very place, not by rounding: half the way has half of a kink's bend, not a quarter."""
    f0 = f(array, at, 0.0)
    bend, half = (f(array, at, by) + f(array, at, -by) - 2 * f0 for by in (h, h / 2))
    return abs(bend - 4 * half) > 1e-6 * max(abs(f0), 1.0)


def _slope(f: Function, array: str, at: tuple[int, ...], method: str, h: float) -> tuple[float, bool]:
    """The slope of f in one coordinate, and whether f has a kink there."""
    if method == "exact":
        return (f(array, at, h) - f(array, at, -h)) / (2 * h), False
    if method == "complex":
        return f(array, at, 1j * COMPLEX_STEP).imag / COMPLEX_STEP, False
    return _richardson(f, array, at)


def _richardson(f: Function, array: str, at: tuple[int, ...]) -> tuple[float, bool]:
    """The slope by central differences, extrapolated to step zero (Richardson 1911), and whether f has a kink there.

    Differences over h, h/2, h/4 and h/8 err by series in h²; each column of the triangle removes one more power.
    The first step is made smaller until two estimates agree, so that a kink nearby stays outside.
    """
    best, least = 0.0, np.inf
    f0 = f(array, at, 0.0)
    for h in (2.0**-3, 2.0**-6, 2.0**-9, 2.0**-12, 2.0**-18):
        steps = [h / 2**k for k in range(4)]
        ups, downs = ([f(array, at, sign * s) for s in steps] for sign in (1, -1))
        row = [(up - down) / (2 * s) for up, down, s in zip(ups, downs, steps)]
        for m in (1, 2, 3):
            before, row = row, [(4**m * row[k + 1] - row[k]) / (4**m - 1) for k in range(len(row) - 1)]
        error = abs(row[0] - before[1])
        if error < least:
            best, least = row[0], error
            bends = [(ups[k] + downs[k] - 2 * f0) / steps[k] for k in (2, 3)]  # slope to the right − slope to the left
        if error <= 1e-12 * abs(best):
            break
    kink = abs(bends[1]) > 0.75 * abs(bends[0]) and abs(bends[1]) > 1e-4 * max(abs(best), abs(f0), 1e-300)
    return best, kink


def adjoint(layer: object, x: np.ndarray, seed: int = 0) -> Report:
    """The adjoint identity of a linear map, for kernels at full size: ⟨dy, y⟩ = ⟨dx, x⟩ = ⟨dW, W⟩ where b = 0.

    Parameters
    ----------
    layer : Conv2D, Linear or another that is linear in x and in W
        Its parameters are replaced, in a copy, by small whole numbers.
    x : ndarray
        The input; whole numbers, small enough that all sums are exact in its dtype.
    """
    layer, rng = copy.deepcopy(layer), np.random.default_rng(seed)
    for name, w in layer.params.items():
        w[...] = 0 if name == "b" else rng.integers(-3, 4, w.shape)
    y = layer.forward(x)
    dy = rng.integers(-3, 4, y.shape).astype(y.dtype)
    dx = layer.backward(dy)
    whole = _dot(dy, y)
    sides = {"x": _dot(dx, x), **{name: _dot(layer.grads[name], w) for name, w in layer.params.items() if name != "b"}}
    findings = [Finding(name, side, whole, np.zeros((), bool), 0.0) for name, side in sides.items()]
    return Report(str(layer), "adjoint", findings)


def check_steps(optimizer: Callable, n_steps: int = 3, seed: int = 0, **arguments: object) -> Report:
    """Compare the steps of an optimiser with (N8), word for word.

    Parameters
    ----------
    optimizer : callable
        Called as acai's `SGD` is: `optimizer(network, learning_rate=…, momentum=…, weight_decay=…, **arguments)`.
        All three are powers of two, so that a few steps of whole numbers are exact.
    n_steps : int
        How many steps to follow.
    """
    eta, alpha, lam = 0.5, 0.5, 0.25
    rng = np.random.default_rng(seed)
    params = {"W": rng.integers(-9, 10, (3, 4)).astype(float), "b": rng.integers(1, 10, 3).astype(float)}
    network = SimpleNamespace(params={name: w.copy() for name, w in params.items()}, grads={})
    descent = optimizer(network, learning_rate=eta, momentum=alpha, weight_decay=lam, **arguments)
    delta = {name: np.zeros_like(w) for name, w in params.items()}
    for _ in range(n_steps):
        network.grads = {name: rng.integers(-9, 10, w.shape).astype(float) for name, w in params.items()}
        for name, w in params.items():
            g = network.grads[name] + (0 if name == "b" else lam) * w
            delta[name] = alpha * delta[name] - eta * g  # (N8)
            params[name] = w + (alpha * delta[name] - eta * g if arguments.get("nesterov") else delta[name])
        descent.step()
    findings = [Finding(name, network.params[name], w, np.zeros(w.shape, bool), 0.0) for name, w in params.items()]
    return Report(getattr(optimizer, "__name__", str(optimizer)), "steps", findings)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray((a.astype(float) * b).sum())


def _params(layer: object) -> dict[str, np.ndarray]:
    return getattr(layer, "params", {})


class _Loss:
    """A loss as a layer whose one output is the loss."""

    def __init__(self, loss: object, target: np.ndarray) -> None:
        self.loss, self.target = loss, target

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.array([self.loss.forward(x, self.target)])

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy[0] * self.loss.backward()
