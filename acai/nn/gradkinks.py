"""On a kink `forward` has two slopes, one on either side, and `backward` may give any value between the two.

Which one is convention: acai's ReLU has slope 0 at 0, its max pooling sends everything to the first of equal maxima. So
coordinates are put exactly on 0, on ±1 and on ties, and one-sided differences say what is accepted. Where `forward` is
straight on either side these are no approximation, and with whole numbers and a step of one half nothing is rounded.
"""

import copy

import numpy as np

from acai.nn.gradreport import Finding, Report


def draw(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """An input full of zeros and ties: −1, 0 and 1, the first number being 0."""
    x = np.random.default_rng(seed).choice([-1.0, 0.0, 0.0, 1.0], shape)
    x.flat[:1] = 0
    return x


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def judge(report: Report, layer: object, x: np.ndarray, h: float, seed: int) -> Report:
    """Add to a report that is right so far whether dx lies between the slopes on either side of x.

    Parameters
    ----------
    report : Report
        What was found elsewhere. It stays as it is where no kink is met and nothing is wrong. So it does where the layer
        has parameters and mixes its inputs: two kinks inside it may meet in one output, and the chain rule, which chooses
        a side for each by itself, then need not lie between the two slopes of the whole.
    layer : object
        As it is before any pass; copied for each.
    x : ndarray
        The point.
    h : float
        The step to either side. Half of it must give the same slopes, or there is no verdict on a coordinate.
    seed : int
        Of the upstream gradient dy.
    """
    if not report.ok:
        return report
    tolerance, rng, learns = report.findings[0].tolerance, np.random.default_rng(seed), bool(getattr(layer, "params", {}))
    used = copy.deepcopy(layer)
    y = used.forward(x.copy())
    dy = rng.integers(1, 10, y.shape) * rng.choice([-1.0, 1.0], y.shape)
    dx = np.array(used.backward(dy.astype(y.dtype)))
    if learns and y.shape != x.shape:
        return report

    def sides(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """The slope of each output on the left and on the right, and whether it is straight on both sides."""
        slopes = {}
        for by in (-h, -h / 2, h / 2, h):
            moved = copy.deepcopy(layer).forward(x + (by * direction).astype(x.dtype))
            slopes[by] = (moved.astype(float) - y.astype(float)) / by
        left, right = slopes[-h / 2], slopes[h / 2]
        allowed = tolerance * max(np.abs(left).max(initial=0.0), np.abs(right).max(initial=0.0))
        straight = (np.abs(slopes[-h] - left) <= allowed).all() and (np.abs(slopes[h] - right) <= allowed).all()
        return left, right, bool(straight)

    def between(left: np.ndarray, right: np.ndarray) -> tuple[float, float]:
        """The least and the most that ⟨dy, slope⟩ can be if every output chooses a slope between its two."""
        return np.minimum(dy * left, dy * right).sum(), np.maximum(dy * left, dy * right).sum()

    low, high, unjudged = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape, bool)
    for at in np.ndindex(x.shape):
        one = np.zeros(x.shape)
        one[at] = 1
        left, right, straight = sides(one)
        if learns and ((left != 0) | (right != 0))[one == 0].any():
            return report
        unjudged[at] = not straight
        if straight:
            low[at], high[at] = between(left, right)
    finding = Finding("x", dx, np.clip(dx, low, high), unjudged, tolerance, sides=(low, high))
    if not (finding.on_kinks.any() or finding.wrong.any()):
        return report
    report.findings.append(finding)
    left, right, straight = sides(np.ones(x.shape))
    least, most = between(left, right)
    whole, slack = dx.sum(dtype=float), tolerance * np.abs(dx).sum()  # each share of a tie may be right, and all of them too much
    if straight and not finding.wrong.any() and not least - slack <= whole <= most + slack:
        slope = f"{least:.10g}" if least == most else f"between {least:.10g} and {most:.10g}"
        report.faults["x"] = f"on ties dx adds up to {whole:.10g}; moving all of x together, the slope is {slope}"
    return report
