"""Pictures of models: how they descend, and how they compare."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.sound import spectrogram
from acai.plots.style import BLACK, BLUE, COLOURS, DASHES, axes, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def lines(
    curves: Mapping[str, Sequence[float]], x: Sequence[float], steps: bool = False, ax: "Axes | None" = None, **labels: object
) -> "Axes":
    """Curves over the same x, or steps if x counts something; `labels` go to Matplotlib: xlabel="k", yscale="log"."""
    ax = axes(ax)
    for (name, y), colour, dashes in zip(curves.items(), COLOURS, DASHES):
        ax.plot(x[: len(y)], y, dashes, color=colour, label=name, drawstyle="steps-mid" if steps else "default")
    ax.set(**labels)
    return legend_beside(ax)


def descent(
    histories: Mapping[str, Sequence[float]], what: str = "objective", level: float | None = None, ax: "Axes | None" = None
) -> "Axes":
    """What falls from epoch to epoch, a line for each of several models; `level` is a mark to be reached."""
    epochs = np.arange(1, max(map(len, histories.values())) + 1)
    ax = lines(histories, epochs, ax=ax, xlabel="epoch", ylabel=what)
    if level is not None:
        ax.axhline(level, color=BLACK, lw=0.8, ls=":")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def training(history: Sequence, ax: "Axes | None" = None) -> "Axes":
    """The loss and the score of each epoch of a training."""
    curves = {"loss (N5)": [e.loss for e in history], "R² on songs held out": [e.score for e in history]}
    ax = descent(curves, "", ax=ax)
    ax.set_ylim(bottom=min(0, *curves["R² on songs held out"]))
    ax.legend(frameon=False)  # there is room between a loss that falls and a score that rises
    return ax


def trajectories(
    F: Callable[[np.ndarray], np.ndarray], paths: Mapping[str, np.ndarray], ax: "Axes | None" = None,
    x: tuple[float, float] = (-1, 1), y: tuple[float, float] = (-1, 1), names: tuple[str, str] = ("w₁", "w₂"),
) -> "Axes":  # fmt: skip
    """Paths of descent over the contours of a function of two parameters.

    Parameters
    ----------
    F : callable
        From an array of shape (..., 2) to one of shape (...).
    paths : mapping of str to numpy.ndarray, shape (steps + 1, 2)
        Where each descent was; the dot is its start, the ring its end.
    x, y : tuple of float
        The part of the plane that is shown.
    """
    ax = axes(ax, size=(6.4, 4.6), xlabel=names[0], ylabel=names[1])
    grid = np.stack(np.meshgrid(np.linspace(*x, 201), np.linspace(*y, 201)), axis=-1)  # (201, 201, 2)
    values = F(grid)
    levels = values.min() + np.ptp(values) * np.linspace(0, 1, 16)[1:] ** 3
    ax.contour(grid[..., 0], grid[..., 1], values, levels=levels, colors="0.75", linewidths=0.8)
    for (name, path), colour in zip(paths.items(), COLOURS):
        ax.plot(*path.T, ".-", color=colour, lw=1.2, ms=4, label=name)
        ax.plot(*path[0], "o", color=BLACK, ms=6)
        ax.plot(*path[-1], "o", color=colour, ms=9, mfc="none")
    ax.set(xlim=x, ylim=y)
    return legend_beside(ax)


def comparison(
    values: Mapping[str, float], what: str, ax: "Axes | None" = None, errors: Mapping[str, float] | None = None
) -> "Axes":
    """One metric of several models; `errors` are whiskers."""
    ax = axes(ax, xlabel=what)
    whiskers = None if errors is None else [errors[name] for name in values]
    bars = ax.barh(list(values), list(values.values()), xerr=whiskers, color=BLUE, height=0.6)
    ax.bar_label(bars, fmt=" %.4f")
    ax.margins(x=0.2)
    ax.invert_yaxis()
    return ax


def comparisons(found: Mapping[str, Mapping[str, float]]) -> "Figure":
    """Every metric of several models, a panel for each."""
    metrics = list(dict.fromkeys(metric for values in found.values() for metric in values))
    figure, places = panels(len(metrics), 1, (7, len(metrics) * (0.8 + 0.3 * len(found))))
    for metric, ax in zip(metrics, places[:, 0]):
        comparison({name: values[metric] for name, values in found.items() if metric in values}, metric, ax)
    return figure


def ladder(aucs: Mapping[str, float], ax: "Axes | None" = None, errors: Mapping[str, float] | None = None) -> "Axes":
    """The AUC of each way to recommend songs that nobody has played, from chance to the truth; `errors` are whiskers."""
    ax = comparison(aucs, "AUC (0.5: blind, 1: perfect)", ax, errors)
    ax.axvline(0.5, color=BLACK, lw=0.8, ls=":")
    ax.set_xlim(min(0.48, *aucs.values()), 1)
    return ax


def overview(aucs: Mapping[str, float], history: Sequence, S: np.ndarray, song: str) -> "Figure":
    """What `acai demo` found out, in one picture."""
    figure, places = panels(3, 1, (8, 9))
    top, middle, bottom = places[:, 0]
    figure.suptitle("acai on a SYNTHETIC world of music")
    ladder(aucs, top).set_title("recommending songs that nobody has played")
    training(history, middle).set_title("the network learns to hear")
    spectrogram(S, bottom).set_title(f"{song}: recommended by its sound alone")
    return figure
