"""The exercises of notebook 05: the way back through a layer, and layers of one's own, proved."""

from collections.abc import Mapping

import numpy as np

from acai.nn import gradcheck
from acai.reference import nn as loops
from acai.teaching.exercises import Wrong, task
from acai.teaching.exercises.judging import alike, asked, asked_for, judge

Mistakes = Mapping[str, np.ndarray]


def prove(layer: object, x: np.ndarray, y: np.ndarray, mistakes: Mistakes, slips: dict[str, Mistakes]) -> None:
    """Raise Wrong unless a layer's `forward` gives y and its gradients are equal to the slopes of `forward`.

    Parameters
    ----------
    layer : object
        Fresh, with whole numbers as parameters.
    x : array
        Odd whole numbers, all distinct.
    y : array
        What `forward(x)` should be.
    mistakes : mapping of str to array
        What `forward(x)` is after each usual mistake, by its hint.
    slips : dict of such mappings
        What `backward(upstream(y))` makes of the gradient of "x", "W" or "b" after each usual mistake, by its hint.
    """
    judge(asked(layer.forward, x), y, mistakes, f"forward of an x of shape {x.shape}")
    found = {"x": asked(layer.backward, upstream(y)), **getattr(layer, "grads", {})}
    report = gradcheck.check(layer, x)
    if report.ok:
        return
    for array in report.wrong_arrays:
        for hint, wrong in slips.get(array, {}).items():
            if alike(np.asarray(found.get(array, np.nan), float), wrong):
                raise Wrong(f"forward is right, backward is not. {hint}")
    what = "; ".join(report.faults.values()) or _said(next(finding for finding in report.findings if finding.wrong.any()))
    raise Wrong(f"forward is right, backward is not: {what.rstrip('. ')}. For a picture: `gradcheck.check(your_layer, {x.shape})`.")


def _said(finding: gradcheck.Finding) -> str:
    """A finding in two sentences."""
    if np.shape(finding.analytic) != finding.numeric.shape:
        return finding.hint
    worst, n = finding.worst, int(finding.wrong.sum())
    numbers = f"at {list(worst)} it says {finding.analytic[worst]:.6g}, and the slope is {finding.numeric[worst]:.6g}"
    return f"{n} of the {finding.wrong.size} numbers of d{finding.array} are wrong; {numbers}. {finding.hint}"


def upstream(y: np.ndarray) -> np.ndarray:
    """A dy for an output like y: whole numbers, never all alike."""
    return np.random.default_rng(5).integers(-9, 10, y.shape).astype(float)


def odd(*shape: int) -> np.ndarray:
    """Odd whole numbers, all distinct, in no order."""
    n = int(np.prod(shape))
    return (2.0 * np.random.default_rng(3).permutation(n) - n + 1 - n % 2).reshape(shape)


def built(answer: object, **arguments: object) -> object:
    """A layer from the class that a student wrote, with small whole numbers other than 0 as its parameters."""
    if not isinstance(answer, type):
        raise Wrong("give `check` the class itself, without brackets.")
    layer, rng = answer(**arguments), np.random.default_rng(1)
    for w in getattr(layer, "params", {}).values():
        w[...] = rng.integers(1, 4, w.shape) * rng.choice([-1, 1], w.shape)
    return layer


@task("05-cube", 5)
def cube(answer: object) -> None:
    """How wrong a central difference is for w³.

    Write out (w+h)³ = w³ + 3w²h + 3wh² + h³, and (w−h)³ likewise.
    In the difference all terms with an even power of h cancel: 6w²h + 2h³ is left. Divide it by 2h.
    3w² + h². Now take the slope away.
    """
    for w, h in ((0.7, 0.5), (-1.3, 0.25), (2.0, 1.5)):
        right = h**2
        judge(asked(answer, w, h), right, {
            "that is no error at all, which holds for a parabola. Expand (w+h)³ − (w−h)³ and see what is left.": 0.0,
            "that is the central difference itself. Its error is what is left after 3w² is taken away.": 3 * w**2 + right,
            "that is the error of the one-sided (f(w+h) − f(w)) / h. The central difference looks both ways.": 3 * w * h + right,
            "you divided by 3!, as in Taylor's h²/6 · f‴. But the third derivative of w³ is 6, not 1.": right / 6,
            "the error is the central difference minus the slope; you have the sign turned round.": -right,
            "2h³ is what is left above the line; it is still to be divided by 2h.": 2 * h**3,
        }, f"w = {w} and h = {h}")  # fmt: skip


@task("05-linear", 10)
def linear(answer: object) -> None:
    """The way back through a linear layer (N7.9, N7.10, N7.11).

    Let the shapes lead you: dx must be (N, D), dW (O, D), db (O,). Which products of dy (N, O), x (N, D) and W (O, D) are?
    x(n,d) is multiplied by W(o,d) on its way into y(n,o), for each o: dx(n,d) = Σ_o dy(n,o) W(o,d).
    dW(o,d) = Σ_n dy(n,o) x(n,d), and db(o) = Σ_n dy(n,o). A sum over the index that two arrays share is an `@`.
    """
    rng = np.random.default_rng(0)
    for N, D, O in ((4, 4, 4), (5, 3, 2)):
        dy, x, W = (rng.integers(-9, 10, shape).astype(float) for shape in ((N, O), (N, D), (O, D)))
        got = asked_for("dx, dW, db", answer, dy, x, W)
        right, ones = loops.linear_backward(dy, x, W), np.ones_like(dy)
        case = f"dy of shape {dy.shape}, x {x.shape}, W {W.shape}"
        turned = {"dx is dy @ W, not dy @ W.T: W has a row for each output, as dy has a column.": dy @ W.T} if D == O else {}
        judge(got[0], right[0], turned | {
            "dx does not depend on dy: the blame that comes from behind must be passed on.": ones @ W,
            "dx is divided by the number of songs. The loss has taken its mean already, and dy knows it.": right[0] / N,
        }, f"dx: for {case}")  # fmt: skip
        judge(got[1], right[1], {
            "dW is x.T @ dy, which is the transpose: W is (O, D), and dW has its shape.": right[1].T,
            "dW is divided by the number of songs. The loss has taken its mean already, and dy knows it.": right[1] / N,
            "dW does not depend on dy: the blame that comes from behind must be used.": ones.T @ x,
        }, f"dW: for {case}")  # fmt: skip
        judge(got[2], right[2], {
            "db is summed over the outputs. Each output has a bias of its own: sum over the songs, axis 0.": dy.sum(axis=1),
            "db is a mean. A bias is added to each of the songs, so their gradients add up.": dy.mean(axis=0),
            "db is one number. Each output has a bias of its own: sum over the songs alone, axis 0.": dy.sum(),
        }, f"db: for {case}")  # fmt: skip


@task("05-leaky-relu", 15)
def leaky_relu(answer: object) -> None:
    """Write the leaky ReLU and prove it.

    `np.where(condition, this, that)` chooses number by number.
    Two straight lines: where x > 0 the slope is 1, elsewhere it is `self.slope`. backward multiplies dy by it.
    backward is not given x: let forward keep `self.positive = x > 0`.
    """
    x = odd(3, 7)
    dy = upstream(x)
    for s in (0.25, 0.125):
        layer = built(answer, slope=s)
        y = np.where(x > 0, x, s * x)
        prove(layer, x, y, {
            "left of zero it gives 0: that is the plain ReLU. Let slope · x through there.": np.maximum(x, 0),
            "it multiplies by the slope on both sides. Where x > 0, y is x itself.": s * x,
            "the two sides are exchanged: x > 0 is to pass whole.": np.where(x < 0, x, s * x),
            "left of zero the sign is turned round: slope · x is negative there.": np.where(x > 0, x, -s * x),
            "it takes the slope 0.25 whatever it was made with. Use `self.slope`.": np.where(x > 0, x, 0.25 * x),
        }, {"x": {
            "Where x was negative nothing comes back, as in a plain ReLU. There forward has the slope `self.slope`.": dy * (x > 0),
            "You ask whether dy is positive. What counts is where *x* was: keep that in forward.": np.where(dy > 0, dy, s * dy),
            "dy comes back whole everywhere: left of zero it must be multiplied by the slope.": dy,
            "It multiplies by the slope on both sides. Where x > 0 the slope of forward is 1.": s * dy,
            "You multiply by y. How steep a straight line is does not depend on where one is on it.": y * dy,
            "You return the slope itself. By the chain rule it multiplies dy.": np.where(x > 0, 1.0, s),
        }})  # fmt: skip
        layer.forward(np.zeros((2, 2)))
        if not np.array_equal(layer.backward(np.full((2, 2), 8.0)), np.full((2, 2), 8 * s)):
            raise Wrong("all is right but at x = 0 exactly: the slope there is that of the left side. Ask x > 0, not x >= 0.")


@task("05-average-pool", 30)
def average_pool(answer: object) -> None:
    """Write average pooling and prove it.

    Cut off the rows and columns that fill no window, then reshape to (N, C, H', height, W', width).
    The mean over axes 3 and 5 of that is y.
    Each number of a window is 1 / (height · width) of its mean, so that is its share of the window's dy.
    `dy.repeat(height, axis=2).repeat(width, axis=3)` spreads dy over the windows; put it into zeros of the shape of x.
    """
    for (h, w), shape in (((2, 4), (2, 2, 5, 9)), ((2, 2), (2, 3, 4, 6)), ((1, 2), (1, 2, 3, 4))):
        x, (N, C, H, W) = odd(*shape), shape
        planes, window = x.reshape(N * C, 1, H, W), ((h, w), (h, w), (0, 0))
        total = loops.conv(planes, np.ones((1, 1, h, w)), np.zeros(1), *window[1:]).reshape(N, C, H // h, W // w)
        dy = upstream(total)
        spread, ones = np.zeros((2, *shape))
        spread[:, :, : H // h * h, : W // w * w] = dy.repeat(h, axis=2).repeat(w, axis=3)
        ones[:, :, : H // h * h, : W // w * w] = 1
        prove(built(answer, size=(h, w)), x, total / (h * w), {
            "it gives the sum of each window; the mean is that divided by height · width.": total,
            "it gives the maximum of each window, as MaxPool2D does. The mean is asked for.": loops.max_pool(x, *window),
            "it divides by the height of a window alone. A window has height · width numbers.": total / h,
            "it divides by the width of a window alone. A window has height · width numbers.": total / w,
        }, {"x": {
            "dy is not divided: each number is one of height · width, so its share is 1 / (height · width).": spread,
            "All goes to the largest number of a window, as in max pooling. In a mean all count alike.":
                loops.max_pool(x, *window, dy),
            "It does not depend on dy. The share 1 / (height · width) multiplies the dy of the window.": ones / (h * w),
            "You divide by height · width twice. Once is right.": spread / (h * w) ** 2,
        }})  # fmt: skip


@task("05-dilated", 90)
def dilated(answer: object) -> None:
    """Write a dilated convolution and prove it.

    Loop over the taps q. For each of them, all times t at once: `x[:, :, q * d : q * d + T_out]`.
    One tap of all channels is a matrix product: `W[:, :, q] @ x[:, :, …]` is (N, O, T′).
    Back, every product gives each factor dy times the other: `dx[:, :, the same slice] += W[:, :, q].T @ dy`.
    dW(o,c,q) = Σ dy(n,o,t) x(n,c,t+qd) over n and t: `np.einsum('not,nct->oc', dy, …)`. And `db = dy.sum(axis=(0, 2))`.
    """
    for C, O, width, d in ((2, 2, 3, 2), (3, 2, 2, 3)):
        layer, x, T = built(answer, C=C, O=O, width=width, dilation=d), odd(2, C, 11), 11 - d * (width - 1)
        W, b, plane = layer.params["W"].copy(), layer.params["b"].copy(), x[:, :, None]
        wide = np.zeros((O, C, d * (width - 1) + 1))  # the same kernel, its gaps filled with zeros
        wide[:, :, ::d] = W
        y, flipped, narrow = (
            loops.conv(plane, taps[:, :, None], b, (1, 1), (0, 0))[:, :, 0, :T] for taps in (wide, wide[:, :, ::-1], W)
        )
        dy = upstream(y)
        _, dW, db = loops.conv_backward(dy[:, :, None], plane, wide[:, :, None], (1, 1), (0, 0))
        dW = dW[:, :, 0, ::d]
        replaced, close = np.zeros((2, *x.shape))
        for q in range(width):
            replaced[:, :, q * d : q * d + T] = W[:, :, q].T @ dy
            close[:, :, q : q + T] += W[:, :, q].T @ dy
        prove(layer, x, y, {
            "the taps stand side by side: tap q belongs to x at t + q · dilation, not t + q.": narrow,
            "the kernel is flipped. (N1) does not flip it: tap 0 belongs to x at t.": flipped,
            "the bias is added once for each tap. It belongs to the whole sum, once.": y + (width - 1) * b[:, None],
            "the bias is missing.": y - b[:, None],
        }, {"x": {
            "In dx windows overlap, and what comes from several of them adds up: `+=`, not `=`.": replaced,
            "In dx the dilation is forgotten: tap q sends its part to t + q · dilation.": close,
        }, "W": {
            "dW is divided by the number of sounds. The loss has taken its mean already, and dy knows it.": dW / len(x),
            "dW has its taps in reverse order. Nothing is flipped on the way back either.": dW[:, :, ::-1],
        }, "b": {
            "db is summed over the wrong axes: one number for each output, so over 0 (sounds) and 2 (time).": dy.sum(axis=(1, 2)),
            "db is a mean. The bias is added at every place, so its gradients add up.": db / dy[:, 0].size,
        }})  # fmt: skip
