"""The checks of notebooks 05 and 06: the way back through a layer, layers of one's own, bugs and their prints, reading digits."""

import numpy as np

from acai import gradcheck, nn
from acai.nn.plain import Conv
from acai.reference import nn as loops
from acai.teaching import bugs
from acai.teaching.exercises.judging import Wrong, asked, blame, built, checks, judge, odd, prove, upstream


@checks("05-cube")
def check_cube(answer: object, rng: np.random.Generator) -> None:
    """(w, h) → how far the central difference of w³ is from its slope."""
    for w, h in ((0.7, 0.5), (-1.3, 0.25), (2.0, 1.5)):
        judge(asked(answer, w, h), h**2, {
            "parabola": 0.0, "difference": 3 * w**2 + h**2, "one-sided": 3 * w * h + h**2, "taylor": h**2 / 6,
            "sign": -(h**2), "divide": 2 * h**3}, w=w, h=h)


@checks("05-linear")
def check_linear(answer: object, rng: np.random.Generator) -> None:
    """(dy, x, W) → dx, dW, db (N7.9, N7.10, N7.11)."""
    for N, D, O in ((4, 4, 4), (5, 3, 2)):
        dy, x, W = (rng.integers(-9, 10, shape).astype(float) for shape in ((N, O), (N, D), (O, D)))
        got, (dx, dW, db) = asked(answer, dy, x, W, parts="dx, dW, db"), loops.linear_backward(dy, x, W)
        ones, given = np.ones_like(dy), {"dy": dy, "x": x, "W": W}
        turned = {"dx-turned": dy @ W.T} if D == O else {}
        judge(got[0], dx, turned | {"dx-ones": ones @ W, "dx-mean": dx / N}, "case-dx", **given)
        judge(got[1], dW, {"dW-turned": dW.T, "dW-mean": dW / N, "dW-ones": ones.T @ x}, "case-dW", **given)
        judge(got[2], db, {"db-outputs": dy.sum(axis=1), "db-mean": db / N, "db-one": dy.sum()}, "case-db", **given)


@checks("05-leaky-relu")
def check_leaky_relu(answer: object, rng: np.random.Generator) -> None:
    """A layer that multiplies by its slope where x is not positive."""
    x = odd(3, 7)
    dy = upstream(x)
    for s in (0.25, 0.125):
        layer, sides = built(answer, slope=s), lambda right, left: np.where(x > 0, right, left)
        y = sides(x, s * x)
        prove(layer, x, y, {
            "zero": sides(x, 0), "both": s * x, "exchanged": sides(s * x, x), "sign": sides(x, -s * x), "quarter": sides(x, x / 4),
        }, {"x": {
            "back-zero": sides(dy, 0), "back-dy": np.where(dy > 0, dy, s * dy), "back-whole": dy, "back-both": s * dy,
            "back-y": y * dy, "back-slope": sides(1, s)}}, slope=s)
        layer.forward(np.zeros((2, 2)))
        blame({"at-zero": not np.array_equal(layer.backward(np.full((2, 2), 8.0)), np.full((2, 2), 8 * s))})


@checks("05-average-pool")
def check_average_pool(answer: object, rng: np.random.Generator) -> None:
    """A layer that gives the mean of each window."""
    for (h, w), shape in (((2, 4), (2, 2, 5, 9)), ((2, 2), (2, 3, 4, 6)), ((1, 2), (1, 2, 3, 4))):
        x, window = odd(*shape), ((h, w), (h, w), (0, 0))
        ones = np.kron(np.eye(shape[1])[:, :, None, None], np.ones((h, w)))  # each channel by itself
        total = loops.conv(x, ones, np.zeros(shape[1]), *window[1:])
        dy, rest = upstream(total), ((0, 0), (0, 0), (0, shape[2] % h), (0, shape[3] % w))
        spread = lambda dy, window=(h, w), rest=rest: np.pad(np.kron(dy, np.ones(window)), rest)
        prove(built(answer, size=(h, w)), x, total / (h * w), {
            "sum": total, "max": loops.max_pool(x, *window), "height": total / h, "width": total / w,
        }, {"x": {
            "back-sum": spread(dy), "back-max": loops.max_pool(x, *window, dy), "back-ones": spread(np.ones_like(dy)) / (h * w),
            "back-twice": spread(dy) / (h * w) ** 2}}, size=(h, w))


@checks("05-dilated")
def check_dilated(answer: object, rng: np.random.Generator) -> None:
    """A convolution over time whose taps stand apart."""
    for C, O, width, d in ((2, 2, 3, 2), (3, 2, 2, 3)):
        layer, x, T = built(answer, C=C, O=O, width=width, dilation=d), odd(2, C, 11), 11 - d * (width - 1)
        W, b = layer.params["W"].copy(), layer.params["b"][:, None].copy()
        far, near = (np.stack([x[:, :, q * by : q * by + T] for q in range(width)], axis=3) for by in (d, 1))  # (N, C, T, width)
        conv = lambda W, x, b=b: np.einsum("ocq,nctq->not", W, x) + b
        y = conv(W, far)
        dy = upstream(y)
        dW = np.einsum("not,nctq->ocq", dy, far)
        replaced, close = np.zeros((2, *x.shape))
        for q in range(width):
            replaced[:, :, q * d : q * d + T] = W[:, :, q].T @ dy
            close[:, :, q : q + T] += W[:, :, q].T @ dy
        prove(layer, x, y, {
            "narrow": conv(W, near), "flipped": conv(W[:, :, ::-1], far), "each-tap": y + (width - 1) * b, "no-bias": y - b,
        }, {
            "x": {"replaced": replaced, "close": close}, "W": {"dW-mean": dW / len(x), "dW-reversed": dW[:, :, ::-1]},
            "b": {"db-axes": dy.sum(axis=(1, 2)), "db-mean": dy.mean(axis=(0, 2))}}, C=C, O=O, width=width, dilation=d)


CULPRITS = {"A": "batch reversed", "B": "replaced", "C": "one channel for all"}
INNOCENT = ("factor 2", "channels mixed", "upstream of ones")


def prints() -> dict[str, gradcheck.Finding]:
    """What the gradient check finds about dx of three broken convolutions, by letter."""
    broken = {letter: bugs.find(f"Conv: dx, {name}").broken() for letter, name in CULPRITS.items()}
    layers = {letter: built(layer, C=2, O=2, kernel=(3, 3)) for letter, layer in broken.items()}
    return {letter: gradcheck.check(layer, odd(3, 2, 6, 6)).findings[0] for letter, layer in layers.items()}


@checks("06-prints")
def check_prints(answer: object, rng: np.random.Generator) -> None:
    """The bug behind each of three pictures."""
    blame({"dictionary": not isinstance(answer, dict) or set(answer) != set(CULPRITS)})
    blame({"nothing-yet": any(name is Ellipsis for name in answer.values())})
    for letter, name in answer.items():
        if name != CULPRITS[letter]:
            raise Wrong(name if name in (*CULPRITS.values(), *INNOCENT) else "unknown", letter=letter, name=name)


@checks("06-softmax")
def check_softmax(answer: object, rng: np.random.Generator) -> None:
    """(scores, right classes) → loss (N6), dy (N7.13), without overflow."""
    for y in (rng.normal(size=(4, 3)), np.array([[1000.0, 0, 1], [0, 1, 2], [-1000, -1001, -999]])):
        t, N = rng.integers(0, 3, len(y)), len(y)
        t[0] = 1 + t[1] % 2  # not the class of 1000, whose rivals' probabilities are rounded to 0
        got, (loss, dy) = asked(answer, y, t, parts="loss, dy"), loops.softmax_cross_entropy(y, t)
        own, given = np.arange(3) == t[:, None], {"y": y.round(2).tolist(), "t": t.tolist()}
        p = dy * N + own
        judge(np.where(np.isfinite(got[0]), got[0], np.nan), loss, {
            "overflow": np.nan, "sum": loss * N, "sign": -loss, "score": -y[own].mean(), "probability": p[own].mean(),
        }, "case-loss", **given)
        mistakes = {"overflow": np.nan, "dy-sum": dy * N, "dy-sign": -dy, "dy-class": p / N, "dy-own": p * (1 - p)}
        judge(got[1], dy, mistakes, "case-dy", **given)


@checks("06-mend")
def check_mend(answer: object, rng: np.random.Generator) -> None:
    """A convolution, its two bugs mended."""
    nudges = ("dW, samples crossed", "dx, padding not cut off")  # of the two that are planted; the others may be named
    padded = {"C": 3, "O": 2, "stride": (2, 1), "padding": (1, 2)}
    for shape, arguments in (((3, 2, 5, 4), {"O": 3, "kernel": (3, 3)}), ((2, 3, 5, 6), padded)):
        x, slips = odd(*shape), {"x": {}, "W": {}, "b": {}}
        y = built(Conv, **arguments).forward(x)
        for bug in bugs.CATALOGUE:
            what = bug.name.removeprefix("Conv: ")
            if bug.layer is Conv and "accumulated" not in what and "dilation" not in what:
                broken = built(bug.broken(), **arguments)
                broken.forward(x)
                found = {"x": broken.backward(upstream(y)), **broken.grads}
                for array in bug.arrays.split():
                    slips[array][what if what in nudges else f"{what}. {bug.sentence}"] = found[array]
        prove(built(answer, **arguments), x, y, {}, slips, **arguments)


@checks("06-read")
def check_read(answer: object, rng: np.random.Generator) -> None:
    """(a function that learns from digits and their classes, digits, classes), a sixth of a linear layer's mistakes."""
    blame({"three": not isinstance(answer, tuple) or len(answer) != 3})
    learn, x, t = answer
    names, order, n = rng.permutation(10), rng.permutation(len(x)), 2 * len(x) // 3
    moved = [np.roll(np.pad(x[k], ((0, 0), (1, 1), (1, 1))), rng.integers(-1, 2, 2), (1, 2))[:, 1:-1, 1:-1] for k in order]
    x, t = np.stack(moved), names[t[order]]
    straight = nn.Sequential([nn.Flatten(), nn.Linear(x[0].size, 10, seed=0)])
    loss, descent = nn.SoftmaxCrossEntropy(), nn.SGD(straight, 0.05)
    for _ in range(20):
        for batch in np.array_split(rng.permutation(n), n // 32):
            loss.forward(straight.forward(x[batch]), t[batch])
            straight.backward(loss.backward(), want_dx=False)
            descent.step()
    network = asked(learn, x[:n], t[:n])
    blame({"no-network": not hasattr(network, "predict")}, kind=type(network).__name__)
    scores = np.asarray(network.predict(x[n:]))
    blame({"shape": scores.shape != (len(x) - n, 10)}, got=scores.shape, expected=(len(x) - n, 10))
    misread = lambda scores, t: int((scores.argmax(axis=1) != t).sum())
    mine, theirs, missed = misread(scores, t[n:]), misread(straight.predict(x[n:]), t[n:]), misread(network.predict(x[:n]), t[:n])
    if 6 * mine > theirs:
        faults = {"guessing": mine > 0.6 * len(scores), "unlearnt": missed > 0.02 * n, "by-heart": True}
        blame(faults, score=Wrong("score", mine=mine, n=len(scores), theirs=theirs), missed=missed, given=n)
