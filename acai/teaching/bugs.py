"""Planted bugs: one wrong line in a right layer, as everybody has once written it. The gradient check must catch them all.

Each replaces one piece of a line in one class of `acai.teaching.layers`. `find(name).broken()` is the class with the bug
in it, `.diff` shows what was changed, `hunt` runs the check on a class, and `puzzle(seed)` gives one without saying which.
"""

import difflib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acai.errors import unknown
from acai.nn.gradcheck import check, check_steps
from acai.nn.gradreport import Report
from acai.teaching import layers


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Attributes
    ----------
    name : str
        The class it sits in and what is wrong.
    arrays : str
        The arrays whose gradients (or, for the optimiser, whose steps) it spoils: "x", "W", "b", "x W", "W b".
    old, new : str
        The right piece of code and the wrong one.
    sentence : str
        What went through the mind of the one who wrote it.
    """

    name: str
    arrays: str
    old: str
    new: str
    sentence: str

    @property
    def layer(self) -> type:
        """The right class."""
        return getattr(layers, self.name.split(":")[0])

    @property
    def source(self) -> str:
        """The wrong class's code."""
        return inspect.getsource(self.layer).replace(self.old, self.new)

    @property
    def diff(self) -> str:
        """What was changed, as a diff."""
        right, wrong = inspect.getsource(self.layer).splitlines(), self.source.splitlines()
        return "\n".join(line for line in difflib.unified_diff(right, wrong, "right", "wrong", lineterm="", n=1))

    def broken(self) -> type:
        """The wrong class."""
        namespace = {"np": np}
        exec(compile(self.source, f"<planted bug: {self.name}>", "exec"), namespace)
        return namespace[self.layer.__name__]


CATALOGUE = tuple(
    Bug(*entry)
    for entry in (
        ("Conv: dx, sign", "x", 'columns] += np.einsum("oc,n', 'columns] -= np.einsum("oc,n',
         "A minus slipped in."),
        ("Conv: dx, factor 2", "x", "W[:, :, p, q], dy)", "2 * W[:, :, p, q], dy)",
         "As if the loss were a square."),
        ("Conv: dx, replaced", "x", 'columns] += np.einsum("oc,n', 'columns] = np.einsum("oc,n',
         "Windows overlap, their gradients add up."),
        ("Conv: dx, kernel flipped", "x", "W[:, :, p, q], dy)", "W[:, :, kH - 1 - p, kW - 1 - q], dy)",
         "“The backward of a convolution flips the kernel”: it does, and the moving window has done so already."),
        ("Conv: dx, kernel transposed", "x", "W[:, :, p, q], dy)", "W[:, :, q, p], dy)",
         "Rows and columns of the kernel exchanged."),
        ("Conv: dx, upstream of ones", "x", "W[:, :, p, q], dy)", "W[:, :, p, q], np.ones_like(dy))",
         "Tested with a sum as the loss."),
        ("Conv: dx, upstream ignored", "x", "return dx[", "return 0 * dx[",
         "Never connected."),
        ("Conv: dx, batch mixed", "x",
         'np.einsum("oc,nohw->nchw", W[:, :, p, q], dy)',
         'np.einsum("oc,nohw->chw", W[:, :, p, q], dy)',
         "The sum over the batch belongs to dW; broadcasting hides that it is here, too."),
        ("Conv: dx, batch reversed", "x", "W[:, :, p, q], dy)", "W[:, :, p, q], dy[::-1])",
         "Samples in the wrong order."),
        ("Conv: dx, channels mixed", "x", "W[:, :, p, q], dy)", "W[:, ::-1, p, q], dy)",
         "Channels in the wrong order."),
        ("Conv: dx, one channel for all", "x", "W[:, :, p, q], dy)", "W[:, :1, p, q].repeat(W.shape[1], 1), dy)",
         "Written for grey images."),
        ("Conv: dx, one output only", "x", "W[:, :, p, q], dy)", "W[:1, :, p, q], dy[:, :1])",
         "All outputs look at x, not the first alone."),
        ("Conv: dx, padding not cut off", "x", "dx[:, :, pH : pH + H, pW : pW + width]", "dx[:, :, :H, :width]",
         "The frame is on both sides."),
        ("Conv: dx, paddings exchanged", "x", "pH : pH + H, pW : pW + width", "pW : pW + H, pH : pH + width",
         "Height first, width second."),
        ("Conv: dx, padding off by one", "x", "pH : pH + H, pW", "pH + 1 : pH + H + 1, pW",
         "One row too low."),
        ("Conv: off by one row", "x W", "top, left = p * dH, q * dW_", "top, left = max(p * dH - 1, 0), q * dW_",
         "Counting from one."),
        ("Conv: dilation of the wrong axis", "x W", "top, left = p * dH", "top, left = p * dW_",
         "The rows take the columns' dilation."),
        ("Conv: dilation forgotten", "x W", "top, left = p * dH, q * dW_", "top, left = p, q",
         "forward has it, backward has not."),
        ("Conv: stride forgotten", "x W",
         "rows, columns = slice(top, top + sH * H_out, sH)",
         "rows, columns = slice(top, top + H_out)",
         "Windows move by the stride on the way back, too."),
        ("Conv: dW, sign", "W", "dW[:, :, p, q] += ", "dW[:, :, p, q] -= ",
         "A minus slipped in."),
        ("Conv: dW, divided by the batch", "W", 'self.grads["W"] = dW', 'self.grads["W"] = dW / len(dy)',
         "The loss has taken the mean already."),
        ("Conv: dW, kernel flipped", "W", "dW[:, :, p, q] +=", "dW[:, :, kH - 1 - p, kW - 1 - q] +=",
         "True convolution flips, this one does not."),
        ("Conv: dW, kernel transposed", "W", "dW[:, :, p, q] +=", "dW[:, :, q, p] +=",
         "Rows and columns of the kernel exchanged."),
        ("Conv: dW, first sample only", "W", '"nohw,nchw->oc", dy, self.x[', '"nohw,nchw->oc", dy[:1], self.x[:1][',
         "A loop that returned too soon."),
        ("Conv: dW, samples crossed", "W", '"nohw,nchw->oc", dy,', '"nohw,mchw->oc", dy,',
         "Every sample's dy meets every sample's x."),
        ("Conv: dW, one channel for all", "W", "dy, self.x[:, :, rows", "dy, self.x[:, :1, rows",
         "Broadcasting fills what is missing."),
        ("Conv: dW, upstream of ones", "W", '"nohw,nchw->oc", dy,', '"nohw,nchw->oc", np.ones_like(dy),',
         "Tested with a sum as the loss."),
        ("Conv: dW, accumulated", "W", 'self.grads["W"] = dW', 'self.grads["W"] = self.grads.get("W", 0) + dW',
         "Adding up is right for a layer used twice, and wrong for the next batch."),
        ("Conv: cache not renewed", "x W", "self.x = np.pad(", 'self.x = self.x if hasattr(self, "x") else np.pad(',
         "“Pad once only.”"),
        ("Conv: db, wrong axes", "b", "dy.sum(axis=(0, 2, 3))", "dy.sum(axis=(1, 2, 3))",
         "With as many samples as channels, the shape fits."),
        ("Conv: db, mean", "b", "dy.sum(axis=(0, 2, 3))", "dy.mean(axis=(0, 2, 3))",
         "The bias is added at every place, so its gradients add."),
        ("Conv: db, positions forgotten", "b", "dy.sum(axis=(0, 2, 3))", "dy[:, :, 0, 0].sum(axis=0)",
         "As in a linear layer."),
        ("Conv: bias at every tap", "b",
         "self.x[:, :, rows, columns])\n        y += b",
         "self.x[:, :, rows, columns])\n            y += b",
         "One level of indentation: forward adds b for each tap."),
        ("MaxPool: ties to all", "x", "dy * (self.first == t)", "dy * (self.stack[t] == self.stack.max(axis=0))",
         "Equal numbers all take the whole gradient."),
        ("MaxPool: ties to the last", "x",
         "self.stack.argmax(axis=0)",
         "len(self.stack) - 1 - self.stack[::-1].argmax(axis=0)",
         ">= where > is meant."),
        ("MaxPool: ties dropped", "x",
         "dy * (self.first == t)",
         "dy * (self.first == t) * ((self.stack == self.stack.max(axis=0)).sum(axis=0) == 1)",
         "Only a strict maximum gets anything."),
        ("MaxPool: overlap replaced", "x", "dx[:, :, rows, columns] += dy", "dx[:, :, rows, columns] = dy",
         "A number may win in several windows."),
        ("MaxPool: shared", "x", "dy * (self.first == t)", "dy / len(self.places)",
         "That is the backward of mean pooling."),
        ("MaxPool: upstream of ones", "x", "dy * (self.first == t)", "1.0 * (self.first == t)",
         "The mask is not yet the gradient."),
        ("MaxPool: padding not cut off", "x", "dx[:, :, pH : pH + H, pW : pW + W]", "dx[:, :, :H, :W]",
         "The frame is on both sides."),
        ("MaxPool: minimum", "x", "self.stack.argmax(axis=0)", "self.stack.argmin(axis=0)",
         "The wrong end."),
        ("ReLU: slope 1 at zero", "x", "self.x > 0", "self.x >= 0",
         "Convention says 0: a dead unit stays dead."),
        ("ReLU: slope 7 at zero", "x", "* (self.x > 0)", "* ((self.x > 0) + 7 * (self.x == 0))",
         "At a kink any slope will do? Any between 0 and 1."),
        ("ReLU: y / x", "x", "* (self.x > 0)", "* np.maximum(self.x, 0) / self.x",
         "The slope of a straight line through 0, except at 0."),
        ("ReLU: mask of the upstream", "x", "self.x > 0", "dy > 0",
         "That is a “guided” picture, not the gradient."),
        ("ReLU: no mask", "x", "dy * (self.x > 0)", "dy",
         "The identity's backward."),
        ("ReLU: in place", "x", "np.maximum(x, 0)", "np.maximum(x, 0, out=x)",
         "It saves memory, and spoils what another layer has kept."),
        ("Linear: dx, transposed", "x", 'dy @ self.params["W"]', 'dy @ self.params["W"].T',
         "With a square W, the shape fits."),
        ("Linear: dx, factor ½", "x", "return dy @", "return 0.5 * dy @",
         "A ½ too many."),
        ("Linear: dW, transposed", "W", "dy.T @ self.x", "self.x.T @ dy",
         "W is (out, in)."),
        ("Linear: dW, mean", "W", "dy.T @ self.x", "dy.T @ self.x / len(dy)",
         "The loss has taken the mean already."),
        ("Linear: db, wrong axis", "b", "dy.sum(axis=0)", "dy.sum(axis=1)",
         "Summed over the outputs instead of the batch."),
        ("Linear: db, accumulated", "b",
         'self.grads["b"] = dy.sum(axis=0)',
         'self.grads["b"] = self.grads.get("b", 0) + dy.sum(axis=0)',
         "Never set back to zero."),
        ("Linear: db, forgotten", "b", '        self.grads["b"] = dy.sum(axis=0)\n', "",
         "The optimiser will not complain either, if it is lenient."),
        ("MSE: mean forgotten", "x", " / self.difference.size", "",
         "forward takes a mean, backward a sum."),
        ("MSE: mean over the batch", "x", "self.difference.size", "len(self.difference)",
         "The mean is over every element."),
        ("MSE: 2 forgotten", "x", "2 * self.difference /", "self.difference /",
         "There is no ½ in forward to cancel it."),
        ("MSE: sign", "x", "return 2 *", "return -2 *",
         "t − y instead of y − t."),
        ("Softmax: elementwise derivative", "x",
         "self.y * (dy - (dy * self.y).sum(axis=1, keepdims=True))",
         "dy * self.y * (1 - self.y)",
         "The diagonal of the Jacobian only."),
        ("Softmax: upstream of ones", "x", "self.y * (dy - (dy * self.y)", "self.y * (1 - self.y",
         "Rows of the Jacobian sum to zero, so this is zero, and a test with ones cannot tell."),
        ("Softmax: sum over the batch", "x", "(dy * self.y).sum(axis=1", "(dy * self.y).sum(axis=0",
         "axis=0 is the batch."),
        ("SoftmaxCrossEntropy: no shift", "x", "shifted = y - y.real.max(axis=1, keepdims=True)", "shifted = y",
         "exp(1000) is infinite."),
        ("SoftmaxCrossEntropy: mean forgotten", "x", "return dy / len(dy)", "return dy",
         "forward takes a mean, backward a sum."),
        ("SoftmaxCrossEntropy: target forgotten", "x", "self.target] -= 1", "self.target] -= 0",
         "p alone."),
        ("SoftmaxCrossEntropy: neighbour's target", "x", "self.target] -= 1", "self.target - 1] -= 1",
         "Classes counted from one."),
        ("GlobalMean: mean forgotten", "x", "dy.reshape(N, C, H, 1) / T", "dy.reshape(N, C, H, 1)",
         "1/T is part of the slope."),
        ("GlobalMean: channels exchanged", "x", "dy.reshape(N, C, H, 1)", "dy.reshape(N, H, C, 1).swapaxes(1, 2)",
         "The order of `reshape`."),
        ("Tanh: square forgotten", "x", "1 - self.y**2", "1 - self.y",
         "That is half of the logistic function's slope."),
        ("Tanh: of x", "x", "1 - self.y**2", "1 - self.x**2",
         "The slope is written in terms of y."),
        ("Dropout: another mask", "x",
         "return 2 * dy * self.mask",
         "return 2 * dy * (self.rng.random(dy.shape) < 0.5)",
         "Drawn again on the way back."),
        ("Dropout: scale forgotten", "x", "return 2 * dy", "return dy",
         "forward enlarges, backward must, too."),
        ("SGD: momentum twice", "W b", "w += self.delta[name]", "w += self.alpha * self.delta[name]",
         "α is in Δw already."),
        ("SGD: momentum forgotten", "W b",
         "self.delta[name] = self.alpha * self.delta[name] - self.eta * g",
         "self.delta[name] = -self.eta * g",
         "Δw must remember."),
        ("SGD: learning rate twice", "W b", "w += self.delta[name]", "w += self.eta * self.delta[name]",
         "η is in Δw already."),
        ("SGD: weight decay of the bias", "b", 'lam = 0 if name == "b" else self.lam', "lam = self.lam",
         "A bias moves the output, it does not steepen it."),
        ("SGD: weight decay upwards", "W", "self.network.grads[name] + lam * w", "self.network.grads[name] - lam * w",
         "Weights grow until nothing is finite."),
        ("SGD: one Δw for all", "W b",
         "self.delta[name] = self.alpha * self.delta[name]",
         'self.delta[name] = self.alpha * self.delta.get("last", 0)',
         "Every parameter has a momentum of its own."),
    )
)


def find(name: str) -> Bug:
    """The bug of this name."""
    for bug in CATALOGUE:
        if bug.name == name:
            return bug
    raise unknown("bug", name, [bug.name for bug in CATALOGUE])


def puzzle(seed: int | None = None) -> type:
    """A layer with a bug, drawn at random, for the learner to find with `acai.nn.gradcheck.check`."""
    return np.random.default_rng(seed).choice(np.array(CATALOGUE, dtype=object)).broken()


def hunt(layer: type) -> Iterator[Report]:
    """Everything that the check tries on a layer of `acai.teaching.layers`, right or broken, one report after the other."""
    ties = np.array([[3.0, 3, 1, 5], [3, 3, 5, 5], [1, 1, 1, 1], [7, 1, 7, 1]])[None, None]
    first_largest = -np.arange(ties.size).reshape(ties.shape) * 2.0**-6  # the first of equals is the largest by a hair
    scores, classes = np.random.default_rng(1).normal(size=(3, 4)), np.array([0, 2, 3])
    pooled = (
        {"size": (2, 2)},
        {"size": (3, 2), "stride": (1, 2), "padding": (1, 0)},
        {"size": (2, 3), "stride": (2, 1), "padding": (0, 1)},
    )
    convolutions = (
        ((2, 2, 5, 6), {"O": 2, "stride": (2, 1), "padding": (1, 2)}),
        ((3, 2, 6, 5), {"kernel": (3, 3), "stride": (1, 2), "padding": (1, 0), "O": 3}),
        ((2, 3, 7, 7), {"C": 3, "dilation": (2, 1)}),
    )
    match layer.__name__:
        case "Conv":
            yield from (check(layer(**arguments), shape) for shape, arguments in convolutions)
        case "MaxPool":
            yield from (check(layer(**arguments), (2, 2, 5, 6)) for arguments in pooled)
            yield check(layer(), ties, nudge=first_largest, step=2.0**-9)
        case "ReLU":
            yield check(layer(), (3, 5))
            yield check(layer(), np.zeros((2, 3)), nudge=np.full((2, 3), -0.5), step=0.25)
        case "Linear":
            yield check(layer(), (4, 4))
            yield check(layer(D=3, O=5), (2, 3))
        case "MSE":
            yield check(layer(), (4, 2), target=np.arange(8.0).reshape(4, 2))
        case "Softmax" | "Tanh":
            yield check(layer(), scores, method="complex")
        case "SoftmaxCrossEntropy":
            yield check(layer(), scores, target=classes, method="complex")
            yield check(layer(), scores + 1000, target=classes, method="complex")
        case "GlobalMean":
            yield check(layer(), (2, 3, 2, 4))
        case "Dropout":
            yield check(layer(), (4, 6))
        case "SGD":
            yield check_steps(layer)
