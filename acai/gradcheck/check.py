"""The proof of a gradient: differentiate `forward` coordinate by coordinate, without `backward`'s help, and compare.

Convolution, linear layer and MSE are polynomials of degree one or two in each coordinate; ReLU and max pooling are
linear between their kinks. For those (f(w + h) − f(w − h)) / 2h is no approximation, and with small whole numbers, a
step of one half and the 53 bits of a float64 there is no rounding either: the gradients must be *equal*. What is smooth
but no polynomial is checked by the complex step, and everything else by Richardson's extrapolation.

On a kink `forward` has two slopes, one on either side, and `backward` may give any value between the two. Which one is
convention: acai's ReLU has slope 0 at 0, its max pooling sends everything to the first of equal maxima. So x is also put
on 0, on ±1 and on ties, and one-sided differences say what is accepted.
"""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import numpy as np

from acai.errors import InputError, unknown
from acai.gradcheck.hints import hint
from acai.gradcheck.report import Finding, Report
from acai.nn.layer import checked_layer, checked_shape, name_of, params_of, size
from acai.reference.nn import sgd_step

Function = Callable[[float | complex], float | complex]  # ⟨dy, y⟩ once a coordinate is moved by so much


class NotExact(InputError):
    """The layer is no polynomial of degree two around this point, or its numbers are not whole."""


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # a layer that overflows is found by its numbers
def check(
    layer: object, x: np.ndarray | tuple[int, ...], target: np.ndarray | None = None, method: str = "auto",
    step: float = 0.5, nudge: np.ndarray | None = None, seed: int = 0,
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

    Raises
    ------
    NotExact
        If method="exact" is asked for, and the layer is no polynomial of degree two, or rounds.
    """
    if method not in ("auto", *METHODS):
        raise unknown("method", method, ("auto", *METHODS))
    name, seed = name_of(checked_layer(layer, target is not None)), size("seed", seed, 0)
    drawn = not isinstance(x, np.ndarray)
    if drawn:
        x = checked_shape(f"x={x!r}, which is neither an array nor the shape of one to draw", x)
    elif not x.size:
        raise InputError(f"x has shape {x.shape}: there is no coordinate to check")
    if np.frexp(step)[0] != 0.5:
        raise InputError(f"step={step}; expected a power of two, as 0.5 is, or the steps themselves are rounded")
    layer = copy.deepcopy(layer if target is None else _Loss(layer, target))
    for how, tried, x_tried in _tries(layer, x, method, seed):
        try:
            report = _compare(_Point(name, tried, x_tried, seed, nudge, how == "complex"), how, step)
            break
        except NotExact:  # one point may lie on a kink, another will not
            continue
    else:
        raise NotExact(f"{name} cannot be checked exactly: over steps of {step} it is no parabola, or is rounded")
    if drawn:
        x_tried = np.random.default_rng(seed).choice([-1.0, 0.0, 0.0, 1.0], x).astype(x_tried.dtype)
        x_tried.flat[:1] = 0
    if report.ok and (drawn or report.n_kinks):
        _judge_kinks(report, _Point(name, tried, x_tried, seed), step)
    return report


def _tries(layer: object, x: np.ndarray | tuple[int, ...], method: str, seed: int) -> Iterator[tuple]:
    """How, with which parameters and at which x a layer is checked, one after the other until one succeeds."""
    drawn, exactly = not isinstance(x, np.ndarray), method in ("auto", "exact")
    dtype = next((w.dtype for w in params_of(layer).values()), np.dtype(float))
    for attempt in range(20) if drawn and exactly else ():
        tried, rng, n = copy.deepcopy(layer), np.random.default_rng([seed, attempt]), int(np.prod(x))
        for w in params_of(tried).values():
            w[...] = rng.integers(-3, 4, w.shape)
        yield "exact", tried, (2 * rng.permutation(n) - n + 1 - n % 2).reshape(x).astype(dtype)
    if exactly and not drawn:
        yield "exact", layer, x
    if method != "exact":
        floats = np.random.default_rng(seed).normal(size=x).astype(dtype) if drawn else x
        yield "richardson" if method == "auto" else method, layer, floats


class _Point:
    """A layer at one x, which is never changed: what `backward` says there, and what `forward` gives beside it."""

    def __init__(self, name: str, layer: object, x: np.ndarray, seed: int, nudge=None, is_complex=False) -> None:
        self.name, self.layer, self.x = name, layer, x.copy(order="C")
        used, rng, parts = copy.deepcopy(layer), np.random.default_rng(seed), getattr(layer, "layers", [layer])
        self.y = y = used.forward(x.copy())
        if not isinstance(y, np.ndarray) or y.dtype.kind not in "fc":
            raise InputError(f"{name}.forward returns {getattr(y, 'dtype', type(y).__name__)}; expected an array of floats")
        self.random = any(hasattr(part, "rng") for part in parts) or not np.array_equal(y, used.forward(x.copy()))
        self.dy = (rng.integers(1, 10, y.shape) * rng.choice([-1, 1], y.shape)).astype(y.dtype)  # a zero would hide an error
        self.dy.flat[:2] = 3, -5  # never all alike
        self.tolerance = float(np.sqrt(np.finfo(y.dtype).eps))  # for slopes that are rounded
        self.digits = np.finfo(y.dtype).nmant // 2  # what is not rounded has no more than half of them behind the point
        self.moving = copy.deepcopy(layer)
        for part in getattr(self.moving, "layers", [self.moving]) if is_complex else ():
            params_of(part).update({array: w.astype(complex) for array, w in params_of(part).items()})
        beside = self.x if nudge is None else self.x + nudge
        self.arrays = {"x": beside.astype(complex if is_complex else y.dtype), **params_of(self.moving)}

    def forward(self, array: str, at: tuple[int, ...], by: float | complex) -> np.ndarray:
        """y once `by` is added to one coordinate of an array, or to all of them where `at` is ()."""
        w = self.arrays[array]
        kept = w[at].copy()
        w[at] += by
        layer = copy.deepcopy(self.moving) if self.random else self.moving  # a copy: dropout keeps to one mask
        y = layer.forward(self.arrays["x"].copy())
        w[at] = kept
        return y

    def weighted(self, array: str, at: tuple[int, ...], by: float | complex) -> float | complex:
        """⟨dy, y⟩, one number, whose slopes are what `backward` should say."""
        y = self.forward(array, at, by)
        return (self.dy * y).sum(dtype=np.result_type(y, float)).item()


def _pass(layer: object, x: np.ndarray, dy: np.ndarray) -> dict[str, np.ndarray | None]:
    layer.forward(x)
    dx = layer.backward(dy)
    grads = {array: np.array(dw) for array, dw in getattr(layer, "grads", {}).items()}
    return {"x": None if dx is None else np.array(dx), **grads}


def _compare(point: _Point, method: str, h: float) -> Report:
    """Every coordinate of every array, by one method."""
    tolerance = {"exact": 0.0, "complex": 1e-13, "richardson": point.tolerance}[method]
    used, x, dy = copy.deepcopy(point.layer), point.x.copy(), point.dy.copy()
    earlier = {} if point.random else _pass(used, np.flip(x).copy(), np.flip(dy) + 1)  # which should leave no trace
    said, ones = _pass(used, x, dy), _pass(copy.deepcopy(point.layer), point.x.copy(), np.ones_like(dy))
    spoilt = [name for name, given, kept in (("x", x, point.x), ("dy", dy, point.dy)) if not np.array_equal(given, kept)]
    findings, faults = [], {name: f"it overwrites the {name} that it is given" for name in spoilt}
    for array, w in point.arrays.items():
        if method == "exact" and (point.forward(array, (), h / 2) * (2.0 ** point.digits / h**2) % 1).any():
            raise NotExact  # numbers that were rounded have more digits than these
        middle, slopes, kinks = point.weighted(array, (), 0.0), np.zeros(w.shape), np.zeros(w.shape, bool)
        for at in np.ndindex(w.shape):
            slopes[at], kinks[at] = METHODS[method](partial(point.weighted, array, at), middle, h)
        finding = Finding(array, said.get(array), slopes, kinks, tolerance)
        finding.hint = hint(finding, earlier.get(array), ones.get(array))
        findings.append(finding)
    return Report(point.name, method, findings, faults)


def _exact(f: Function, middle: float, h: float) -> tuple[float, bool]:
    """The slope of a parabola, which three of its points give, and of which they foretell a fourth."""
    down, half, up = f(-h), f(h / 2), f(h)
    if 8 * half != 3 * up + 6 * middle - down:  # bent otherwise, or across a kink
        raise NotExact
    return (up - down) / (2 * h), False


def _complex_step(f: Function, *_: float) -> tuple[float, bool]:
    """The slope by one imaginary step (Squire and Trapp 1998): f(w + ih) = f(w) + ih f'(w), and no difference is taken."""
    return f(1e-30j).imag / 1e-30, False  # so that the step may be as small as it likes


def _richardson(f: Function, middle: float, _: float) -> tuple[float, bool]:
    """The slope by central differences, extrapolated to step zero (Richardson 1911), and whether f has a kink there.

    Differences over h, h/2, h/4 and h/8 err by series in h²; each column of the triangle removes one more power.
    The first step is made smaller until two estimates agree, so that a kink nearby stays outside.
    """
    best, least = 0.0, np.inf
    for h in (2.0**-3, 2.0**-6, 2.0**-9, 2.0**-12, 2.0**-18):
        steps = h / 2.0 ** np.arange(4)
        up, down = (np.array([f(sign * step) for step in steps]) for sign in (1, -1))
        row = (up - down) / (2 * steps)
        for m in (1, 2, 3):
            before, row = row, (4**m * row[1:] - row[:-1]) / (4**m - 1)
        error = abs(row[0] - before[1])
        if not error >= least:
            best, least, bends = row[0], error, abs(up + down - 2 * middle) / steps  # slope to the right − to the left
        if error <= 1e-12 * abs(best):
            break
    # At a kink the difference of the two slopes stays as the step is halved, on a curve it halves; 0.75 is half-way between.
    # What is less than 1e-4 of the slope, or of f itself, may be nothing but rounding.
    return best, bends[3] > max(0.75 * bends[2], 1e-4 * max(abs(best), abs(middle), 1e-300))


METHODS = {"exact": _exact, "complex": _complex_step, "richardson": _richardson}


def _judge_kinks(report: Report, point: _Point, h: float) -> None:
    """Add to a report that is right so far whether dx lies between the slopes on either side of x.

    It stays as it is where no kink is met and nothing is wrong. So it does where a layer has a matrix of weights: two
    kinks inside it may meet in one output, and the chain rule, which chooses a side for each by itself, then need not
    lie between the two slopes of the whole. Half the step must give the same slopes, or there is no verdict.
    """
    if any(w.ndim > 1 for w in params_of(point.layer).values()):
        return
    dx, tolerance = _pass(copy.deepcopy(point.layer), point.x, point.dy)["x"], point.tolerance
    y, dy, low, high, curved = point.y.astype(float), point.dy.astype(float), [], [], []
    for at in (*np.ndindex(dx.shape), ()):  # each coordinate by itself, and all of them together
        far, near = (np.stack([(point.forward("x", at, by) - y) / by for by in (-s, s)]) for s in (h, h / 2))
        curved.append(not np.allclose(far, near, rtol=0, atol=tolerance * np.abs(near).max(initial=0.0)))
        low.append((dy * near).min(axis=0).sum())  # every output chooses a slope between its two
        high.append((dy * near).max(axis=0).sum())
    sides = np.reshape(low[:-1], dx.shape), np.reshape(high[:-1], dx.shape)
    finding = Finding("x", dx, np.clip(dx, *sides), np.reshape(curved[:-1], dx.shape).astype(bool), tolerance, sides)
    if not (finding.on_kinks.any() or finding.wrong.any()):
        return
    report.findings.append(finding)
    total, slack = dx.sum(dtype=float), tolerance * np.abs(dx).sum()
    if report.ok and not curved[-1] and not low[-1] - slack <= total <= high[-1] + slack:
        allowed = f"{low[-1]:.10g}" if low[-1] == high[-1] else f"between {low[-1]:.10g} and {high[-1]:.10g}"
        report.faults["x"] = f"on ties dx adds up to {total:.10g}; moving all of x together, the slope is {allowed}"


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
    pairs = {"x": (layer.backward(dy), x), **{name: (layer.grads[name], w) for name, w in layer.params.items() if name != "b"}}
    dy_y, *products = (np.asarray((p.astype(float) * q).sum()) for p, q in ((dy, y), *pairs.values()))
    return Report(str(layer), "adjoint", [Finding(name, product, dy_y) for name, product in zip(pairs, products)])


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
    eta, alpha, lam, nesterov = 0.5, 0.5, 0.25, bool(arguments.get("nesterov"))
    rng = np.random.default_rng(seed)
    params = {"W": rng.integers(-9, 10, (3, 4)).astype(float), "b": rng.integers(1, 10, 3).astype(float)}
    network = SimpleNamespace(params={name: w.copy() for name, w in params.items()}, grads={})
    descent, delta = optimizer(network, learning_rate=eta, momentum=alpha, weight_decay=lam, **arguments), {"W": 0, "b": 0}
    for _ in range(n_steps):
        network.grads = {name: rng.integers(-9, 10, w.shape).astype(float) for name, w in params.items()}
        for name, dw in network.grads.items():
            decay = 0.0 if name == "b" else lam
            params[name], delta[name] = sgd_step(params[name], dw, delta[name], eta, alpha, decay, nesterov)  # (N8)
        descent.step()
    name = getattr(optimizer, "__name__", str(optimizer))
    return Report(name, "steps", [Finding(array, network.params[array], w) for array, w in params.items()])


class _Loss:
    """A loss as a layer whose one output is the loss."""

    def __init__(self, loss: object, target: np.ndarray) -> None:
        self.loss, self.target = loss, target

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.array([self.loss.forward(x, self.target)])

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy[0] * self.loss.backward()
