"""The checks of notebooks 05 and 06: the backward pass of a layer, one's own layers, bugs and their prints, reading digits."""

from typing import Any

import numpy as np

from acai import gradcheck, nn
from acai.nn.plain import Conv
from acai.reference import nn as loops
from acai.teaching import bugs
from acai.teaching.exercises.calling import call, numbers
from acai.teaching.exercises.checking import (
    build_layer,
    checks,
    expect,
    odd_integers,
    raise_first,
    upstream_gradient,
    verify_layer,
)
from acai.teaching.exercises.relations import nearly_equal
from acai.teaching.exercises.wrong import Wrong


@checks("05-cube")
def check_cube(answer: object, rng: np.random.Generator) -> None:
    """(w, h) → how far the central difference of w³ is from its slope."""
    for w, h in ((0.7, 0.3), (-1.3, 0.25), (2.0, 1.5)):
        expect(call(answer, w, h), h**2, {
            "parabola": 0.0, "difference": 3 * w**2 + h**2, "one-sided": 3 * w * h + h**2, "taylor": h**2 / 6,
            "sign": -(h**2), "divide": 2 * h**3, "not-halved": 3 * w**2 + 2 * h**2, "slope": 3 * w**2, "three": 3 * h**2,
            "not-divided": h**3, "precedence": (3 * w**2 * h + h**3) * h - 3 * w**2, "relative": h**2 / (3 * w**2),
        }, w=w, h=h)


@checks("05-linear")
def check_linear(answer: object, rng: np.random.Generator) -> None:
    """(dy, x, W) → dx, dW, db (N7.9, N7.10, N7.11)."""
    for N, D, O in ((4, 4, 4), (5, 3, 2)):
        dy, x, W = (rng.integers(-9, 10, shape).astype(float) for shape in ((N, O), (N, D), (O, D)))
        found = call(answer, dy, x, W, parts="dx, dW, db")
        dx, dW, db = loops.linear_backward(dy, x, W)
        ones = np.ones_like(dy)
        of_dx = {"dx-ones": ones @ W, "dx-mean": dx / N}
        if D == O:
            of_dx |= {"dx-for-dW": dy.T @ x, "dx-entries": dy * W, "dx-x": x @ W, "dx-turned": dy @ W.T, "dx-order": W @ dy}
        of_dW = {"dW-turned": dW.T, "dW-mean": dW / N, "dW-ones": ones.T @ x, "dW-y": (x @ W.T).T @ x}
        if N == O:
            of_dW["dW-order"] = dy @ x
        of_db = {"db-outputs": dy.sum(axis=1), "db-mean": db / N, "db-one": dy.sum(), "db-rows": dy, "db-column": db[:, None]}
        of_db |= {"db-count": np.full(O, N), "db-fixed": np.ones(O), "db-row": db[None]}
        expect(found[0], dx, of_dx, "case-dx", dy=dy, x=x, W=W)
        expect(found[1], dW, of_dW, "case-dW", dy=dy, x=x, W=W)
        expect(found[2], db, of_db, "case-db", dy=dy, x=x, W=W)


@checks("05-leaky-relu")
def check_leaky_relu(answer: object, rng: np.random.Generator) -> None:
    """Check a layer that multiplies by its slope where x is not positive."""
    x = odd_integers(3, 7)
    dy = upstream_gradient(x)
    for s in (0.25, 0.125):
        layer = build_layer(answer, slope=s)
        right = x > 0
        y = np.where(right, x, s * x)
        mistakes = {
            "zero": np.where(right, x, 0), "both": s * x, "exchanged": np.where(right, s * x, x),
            "sign": np.where(right, x, -s * x), "quarter": np.where(right, x, x / 4),
        }
        slips = {
            "back-zero": np.where(right, dy, 0), "back-dy": np.where(dy > 0, dy, s * dy), "back-whole": dy,
            "back-both": s * dy, "back-y": y * dy, "back-slope": np.where(right, 1, s),
        }
        verify_layer(layer, x, y, mistakes, {"x": slips}, slope=s)
        call(layer.forward, np.zeros((2, 2)))
        at_zero = call(layer.backward, np.full((2, 2), 8.0))
        raise_first({"at-zero": not np.array_equal(at_zero, np.full((2, 2), 8 * s))})


@checks("05-average-pool")
def check_average_pool(answer: object, rng: np.random.Generator) -> None:
    """Check a layer that outputs the mean of each window."""
    for (h, w), shape in (((2, 4), (2, 2, 5, 9)), ((2, 2), (2, 3, 4, 6)), ((1, 2), (1, 2, 3, 4))):
        x = odd_integers(*shape)
        C = shape[1]
        each_channel = np.kron(np.eye(C)[:, :, None, None], np.ones((h, w)))
        total = loops.conv(x, each_channel, np.zeros(C), (h, w), (0, 0))
        dy = upstream_gradient(total)
        mistakes = {
            "sum": total, "max": loops.max_pool(x, (h, w), (h, w), (0, 0)), "height": total / h, "width": total / w,
        }
        slips = {
            "back-sum": _spread(dy, x, h, w), "back-max": loops.max_pool(x, (h, w), (h, w), (0, 0), dy),
            "back-ones": _spread(np.ones_like(dy), x, h, w) / (h * w), "back-twice": _spread(dy, x, h, w) / (h * w) ** 2,
        }
        verify_layer(build_layer(answer, size=(h, w)), x, total / (h * w), mistakes, {"x": slips}, size=(h, w))


def _spread(dy: np.ndarray, x: np.ndarray, h: int, w: int) -> np.ndarray:
    """Copy each dy to its whole window; rows and columns of x that fill no window get 0."""
    rest = ((0, 0), (0, 0), (0, x.shape[2] % h), (0, x.shape[3] % w))
    return np.pad(np.kron(dy, np.ones((h, w))), rest)


@checks("05-dilated")
def check_dilated(answer: object, rng: np.random.Generator) -> None:
    """Check a convolution over time whose taps are spaced apart."""
    for C, O, width, d in ((2, 2, 3, 2), (3, 2, 2, 3)):
        layer = build_layer(answer, C=C, O=O, width=width, dilation=d)
        x = odd_integers(2, C, 11)
        W = layer.params["W"].copy()
        b = layer.params["b"][:, None].copy()
        far = _taps(x, width, d, 11 - d * (width - 1))
        near = _taps(x, width, 1, 11 - d * (width - 1))
        y = _weighted(W, far) + b
        dy = upstream_gradient(y)
        mistakes = {
            "narrow": _weighted(W, near) + b, "flipped": _weighted(W[:, :, ::-1], far) + b,
            "each-tap": y + (width - 1) * b, "no-bias": y - b,
        }
        dW = np.einsum("not,nctq->ocq", dy, far)
        slips = {
            "x": {"replaced": _last_tap_only(dy, x, W, d), "close": _back_to_taps(dy, x, W, 1)},
            "W": {"dW-mean": dW / len(x), "dW-reversed": dW[:, :, ::-1]},
            "b": {"db-axes": dy.sum(axis=(1, 2)), "db-mean": dy.mean(axis=(0, 2))},
        }
        verify_layer(layer, x, y, mistakes, slips, C=C, O=O, width=width, dilation=d)


def _taps(x: np.ndarray, width: int, d: int, T: int) -> np.ndarray:
    """List the numbers under the taps at each of T positions, (N, C, T, width)."""
    return np.stack([x[:, :, q * d : q * d + T] for q in range(width)], axis=3)


def _weighted(W: np.ndarray, taps: np.ndarray) -> np.ndarray:
    y: np.ndarray = np.einsum("ocq,nctq->not", W, taps)
    return y


def _back_to_taps(dy: np.ndarray, x: np.ndarray, W: np.ndarray, d: int) -> np.ndarray:
    dx = np.zeros_like(x)
    for q in range(W.shape[2]):
        dx[:, :, q * d : q * d + dy.shape[2]] += W[:, :, q].T @ dy
    return dx


def _last_tap_only(dy: np.ndarray, x: np.ndarray, W: np.ndarray, d: int) -> np.ndarray:
    """Compute dx with `=` instead of `+=`: each tap replaces the ones before."""
    dx = np.zeros_like(x)
    for q in range(W.shape[2]):
        dx[:, :, q * d : q * d + dy.shape[2]] = W[:, :, q].T @ dy
    return dx


CULPRITS = {"A": "batch reversed", "B": "replaced", "C": "one channel for all"}
INNOCENT = ("factor 2", "channels mixed", "upstream of ones")


def prints() -> dict[str, gradcheck.Finding]:
    """Return what the gradient check finds about dx of three broken convolutions, by letter."""
    found = {}
    for letter, name in CULPRITS.items():
        broken = bugs.find(f"Conv: dx, {name}").broken()
        layer = build_layer(broken, C=2, O=2, kernel=(3, 3))
        found[letter] = gradcheck.check(layer, odd_integers(3, 2, 6, 6)).findings[0]
    return found


@checks("06-prints")
def check_prints(answer: dict[str, object], rng: np.random.Generator) -> None:
    """Check which bug is behind each of three pictures."""
    raise_first({"dictionary": not isinstance(answer, dict) or set(answer) != set(CULPRITS)})
    raise_first({"nothing-yet": any(name is Ellipsis for name in answer.values())})
    known = (*CULPRITS.values(), *INNOCENT)
    for letter, name in answer.items():
        if name != CULPRITS[letter]:
            raise Wrong(str(name) if name in known else "unknown", letter=letter, name=name)


def _surprise(z: np.ndarray, own: np.ndarray, axis: int | None) -> float:
    """Compute the loss with the sum of the softmax taken along this axis."""
    return float((np.log(np.exp(z).sum(axis=axis, keepdims=True)) - z)[own].mean())


TINY = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)  # what people add to a probability before they take the logarithm


@checks("06-softmax")
def check_softmax(answer: object, rng: np.random.Generator) -> None:
    """(scores, correct classes) → loss (N6), dy (N7.13), without overflow."""
    for y in (rng.normal(size=(4, 3)), np.array([[1000.0, 0, 1], [0, 1, 2], [-1000, -1001, -999]])):
        N = len(y)
        t = rng.integers(0, 3, N)
        t[0] = 1 + t[1] % 2  # not the class of 1000: the probabilities of the others are rounded to 0
        found = call(answer, y, t, parts="loss, dy")
        loss, dy = loops.softmax_cross_entropy(y, t)
        own = np.arange(3) == t[:, None]
        p = dy * N + own
        of_loss = {"overflow": np.nan, "sum": loss * N, "sign": -loss, "score": -y[own].mean(), "probability": p[own].mean()}
        z = y - y.max()
        of_loss |= {"axis": _surprise(z, own, 0), "whole-sum": _surprise(z, own, None), "loss-ten": loss / np.log(10)}
        of_loss |= {"loss-two": loss / np.log(2), "squares": ((p - own) ** 2).mean(), "loss-entries": loss / 3}
        of_dy = {"overflow": np.nan, "dy-sum": dy * N, "dy-sign": -dy, "dy-class": p / N, "dy-own": p * (1 - p)}
        of_dy |= {"dy-p": p, "dy-entries": dy * N / 3, "dy-correct": dy * own}
        loss_found = numbers(found[0])
        is_right = nearly_equal(loss_found, np.asarray(loss))
        padded = [nearly_equal(loss_found, -np.log(p[own] + tiny).mean()) for tiny in TINY]
        raise_first({"padded": any(padded) and not is_right})
        finite_loss = np.where(np.isfinite(loss_found), loss_found, np.nan)
        expect(finite_loss, loss, of_loss, "case-loss", y=y.round(2).tolist(), t=t.tolist())
        expect(found[1], dy, of_dy, "case-dy", y=y.round(2).tolist(), t=t.tolist())


@checks("06-fix")
def check_mend(answer: object, rng: np.random.Generator) -> None:
    """Check a convolution whose two bugs have been fixed."""
    planted = ("dW, samples crossed", "dx, padding not cut off")  # these get a nudge only; the others may be named
    padded = {"C": 3, "O": 2, "stride": (2, 1), "padding": (1, 2)}
    for shape, arguments in (((3, 2, 5, 4), {"O": 3, "kernel": (3, 3)}), ((2, 3, 5, 6), padded)):
        x = odd_integers(*shape)
        y = build_layer(Conv, **arguments).forward(x)
        slips: dict[str, dict[str, np.ndarray]] = {"x": {}, "W": {}, "b": {}}
        for bug in bugs.CATALOGUE:
            what = bug.name.removeprefix("Conv: ")
            if bug.layer is Conv and "accumulated" not in what and "dilation" not in what:
                broken = build_layer(bug.broken(), **arguments)
                broken.forward(x)
                found = {"x": broken.backward(upstream_gradient(y)), **broken.grads}
                key = what if what in planted else f"{what}. {bug.sentence}"
                for array in bug.arrays.split():
                    slips[array][key] = found[array]
        verify_layer(build_layer(answer, **arguments), x, y, {}, slips, **arguments)


@checks("06-read", seconds=600)
def check_read(answer: Any, rng: np.random.Generator) -> None:
    """(f, x, t), where f trains a network on x and t → at most a sixth of a linear layer's mistakes."""
    raise_first({"three": not isinstance(answer, tuple) or len(answer) != 3})
    train, x, t = answer
    x, t = _shuffled_digits(x, t, rng)
    n = 2 * len(x) // 3
    linear = _linear_reader(x[:n], t[:n], rng)
    network = call(train, x[:n], t[:n])
    raise_first({"no-network": not hasattr(network, "predict")}, kind=type(network).__name__)
    scores = numbers(call(network.predict, x[n:]), (len(x) - n, 10))
    raise_first({"shape": scores.shape != (len(x) - n, 10)}, got=scores.shape, expected=(len(x) - n, 10))
    mine = _misread(scores, t[n:])
    theirs = _misread(linear.predict(x[n:]), t[n:])
    missed = _misread(numbers(call(network.predict, x[:n]), (n, 10)), t[:n])
    if 6 * mine > theirs:
        faults = {"guessing": mine > 0.6 * len(scores), "unlearnt": missed > 0.02 * n, "by-heart": True}
        raise_first(faults, score=Wrong("score", mine=mine, n=len(scores), theirs=theirs), missed=missed, given=n)


def _shuffled_digits(x: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rename the classes, reorder the digits and move each by up to one pixel."""
    names = rng.permutation(10)
    order = rng.permutation(len(x))
    moved = []
    for k in order:
        frame = np.pad(x[k], ((0, 0), (1, 1), (1, 1)))
        moved.append(np.roll(frame, rng.integers(-1, 2, 2), (1, 2))[:, 1:-1, 1:-1])
    return np.stack(moved), names[t[order]]


def _linear_reader(x: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> nn.Sequential:
    """Train the linear layer that is to be beaten."""
    network = nn.Sequential([nn.Flatten(), nn.Linear(x[0].size, 10, seed=0)])
    loss = nn.SoftmaxCrossEntropy()
    optimizer = nn.SGD(network, 0.05)
    for _ in range(20):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            loss.forward(network.forward(x[batch]), t[batch])
            network.backward(loss.backward(), want_dx=False)
            optimizer.step()
    return network


def _misread(scores: np.ndarray, t: np.ndarray) -> int:
    return int((scores.argmax(axis=1) != t).sum())
