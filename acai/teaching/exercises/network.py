"""The exercises of notebook 06: errors and the prints they leave, the softmax loss, a broken convolution, reading digits."""

import numpy as np

from acai import nn
from acai.nn import gradcheck
from acai.nn.gradreport import Finding
from acai.reference import nn as loops
from acai.teaching import bugs
from acai.teaching.exercises import Wrong, task
from acai.teaching.exercises.judging import NOTHING_YET, asked, asked_for, judge
from acai.teaching.exercises.layers import built, odd, prove, upstream

CULPRITS = {"A": "batch reversed", "B": "replaced", "C": "one channel for all"}
LEAVES = {  # what each bug would leave right
    "replaced": "leaves the corners right: the pixel in a corner is seen by a single window, so nothing has to be added up there",
    "one channel for all": "leaves the first channel right, in every sample",
    "batch reversed": "leaves the middle one of three samples right: it keeps its place",
    "factor 2": "leaves nothing right but what is zero: the error is as large as the truth, everywhere",
    "channels mixed": "leaves no channel right: of two channels, both change places",
    "upstream of ones": "leaves nothing right, and what it gives is the same for every sample",
}


def prints() -> dict[str, Finding]:
    """What the gradient check finds about dx of three broken convolutions, by letter."""
    classes = {letter: bugs.find(f"Conv: dx, {name}").broken() for letter, name in CULPRITS.items()}
    return {
        letter: gradcheck.check(built(broken, C=2, O=2, kernel=(3, 3)), odd(3, 2, 6, 6)).findings[0]
        for letter, broken in classes.items()
    }


@task("06-prints", 10)
def which_bug(answer: object) -> None:
    """Which bug left this print?.

    Do not look at what is wrong, but at what is *right*: where is the picture white?
    One picture has a white sample, one has white corners, one a white channel.
    Which of three samples stays in its place when their order is reversed? Which pixel is seen by one window only?
    """
    if not isinstance(answer, dict) or set(answer) != set(CULPRITS):
        raise Wrong('give a dictionary with a name for each picture: `{"A": "replaced", "B": …, "C": …}`.')
    if any(name is Ellipsis for name in answer.values()):
        raise Wrong(NOTHING_YET)
    for letter, name in answer.items():
        if name not in LEAVES:
            raise Wrong(f"{letter}: there is no {name!r} among the six: {', '.join(LEAVES)}.")
        if name != CULPRITS[letter]:
            raise Wrong(f"{letter}: “{name}” {LEAVES[name]}. Look at where picture {letter} is white.")


@task("06-softmax", 15)
def softmax(answer: object) -> None:
    """The softmax loss (N6) and its gradient (N7.13), without overflow.

    Take the largest score of each row away from the row: `y - y.max(axis=1, keepdims=True)`.
    log p = shifted − log Σ e^shifted. Never take the logarithm of a probability that may be 0.
    `log_p[np.arange(len(y)), t]` picks the right class of each row. The loss is minus the mean of these.
    dy is p, minus 1 at the right class, all divided by N.
    """
    rng = np.random.default_rng(6)
    with np.errstate(all="ignore"):
        for y in (rng.normal(size=(4, 3)), np.array([[1000.0, 998, 1001], [0, 1, 2], [-1000, -1001, -999]])):
            t = rng.integers(0, 3, len(y))
            t[0] = (t[1] + 1) % 3
            got = asked_for("loss, dy", answer, y, t)
            N, (loss, dy) = len(y), loops.softmax_cross_entropy(y, t)
            p = dy * N + (np.arange(3) == t[:, None])
            case = "the scores " + str(y.round(2).tolist()) + f" and t = {t.tolist()}"
            overflow = (
                "it is not finite: e^1000 is infinite, e^−1000 is 0, and log 0 is −∞. Take the largest score of *each row* away "
                "first, and never take the logarithm of a probability: log p = y − max − log Σ e^(y − max)."
            )
            judge(np.where(np.isfinite(got[0]), got[0], np.nan), loss, {
                overflow: np.nan,
                "the loss is summed over the batch; (N6) is the mean, so that it does not grow with the batch.": loss * N,
                "the sign is turned round: the logarithm of a probability is negative, and the loss is minus that.": -loss,
                "that is minus the score of the right class: log Σ e^y is missing.": -y[np.arange(N), t].mean(),
                "that is the mean probability of the right class; the loss is minus its logarithm.": p[np.arange(N), t].mean(),
            }, f"the loss: for {case}")  # fmt: skip
            judge(got[1], dy, {
                overflow: np.nan,
                "dy is not divided by N: the loss is a mean over the batch, so each sample has a share of 1 / N in it.": dy * N,
                "dy has its sign turned round: the right class must have a *negative* gradient, for its score should rise.": -dy,
                "dy does not know the right class: take 1 away there.": p / N,
                "dy is p (1 − p), each probability by its own score alone. The others depend on that score, too.": p * (1 - p),
            }, f"dy: for {case}")  # fmt: skip


@task("06-mend", 40)
def mend(answer: object) -> None:
    """Find two bugs in a convolution.

    Check without padding first: is dx right then? So what has dx's bug to do with?
    Where in the padded array does x itself begin? And which samples does dW make meet?
    In `einsum`, letters that differ are summed over independently: n and m are two different samples.
    """
    nudges = {  # of the two that are planted; the others may be named
        "samples crossed": "dW is right for a single sample, and wrong for two. Who meets whom in that sum?",
        "padding not cut off": "dx is right without padding, and wrong with it. Where in the padded array does x begin?",
    }
    for shape, arguments in (
        ((3, 2, 5, 4), {"O": 3, "kernel": (3, 3)}),
        ((2, 3, 5, 6), {"C": 3, "O": 2, "stride": (2, 1), "padding": (1, 2)}),
    ):
        layer, right, x = built(answer, **arguments), built(bugs.layers.Conv, **arguments), odd(*shape)
        y, slips = right.forward(x), {}
        for bug in bugs.CATALOGUE:
            kind, _, what = bug.name.partition(": ")
            if kind != "Conv" or "accumulated" in what or "dilation" in what:
                continue
            broken = built(bug.broken(), **arguments)
            broken.forward(x)
            found = {"x": broken.backward(upstream(y)), **broken.grads}
            for array in bug.arrays.split():
                known = f"{what}. {bug.sentence}"
                slips.setdefault(array, {})[nudges.get(what.partition(", ")[2], known)] = found[array]
        prove(layer, x, y, {}, slips)


@task("06-read", 120)
def read(answer: object) -> None:
    """At most a sixth of the mistakes of a linear layer on digits.

    The network of this notebook makes about a fourth. What happens with more filters, or a second convolution?
    Let the learning rate fall towards the end: `descent.learning_rate` may be changed at any time.
    Conv(24) – ReLU – pool – Conv(48) – ReLU – Linear, 10 epochs with momentum 0.9 and a rate from 0.05 to 0 will do.
    """
    if not isinstance(answer, tuple) or len(answer) != 3:
        raise Wrong("give `check` three things: `check('06-read', (learn_to_read, x, t))`.")
    learn, x, t = answer
    rng = np.random.default_rng(8)
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
    if not hasattr(network, "predict"):
        raise Wrong(f"learn_to_read returns a {type(network).__name__}; return the trained network.")
    scores = np.asarray(network.predict(x[n:]))
    if scores.shape != (len(x) - n, 10):
        raise Wrong(f"predict gives an array of shape {scores.shape}; expected ten scores for each: {(len(x) - n, 10)}.")
    theirs, mine = (int((s.argmax(axis=1) != t[n:]).sum()) for s in (straight.predict(x[n:]), scores))
    mistakes = f"it makes {mine} mistakes in {len(x) - n}, a linear layer {theirs}; a sixth of that is asked for"
    learnt = int((network.predict(x[:n]).argmax(axis=1) != t[:n]).sum())
    if mine > 0.6 * len(scores):
        raise Wrong(f"{mistakes}. That is guessing: does the loss fall? Was it trained on the x and t that it was given?")
    if 6 * mine <= theirs:
        return
    if learnt > 0.02 * n:
        raise Wrong(f"{mistakes}. It even misreads {learnt} of the {n} it learnt from: train longer, or give it more filters.")
    raise Wrong(
        f"{mistakes}. It knows what it learnt from by heart (mistakes there: {learnt}), yet that does not carry over: let it look "
        "through small windows (Conv2D, MaxPool2D), or add weight decay."
    )
