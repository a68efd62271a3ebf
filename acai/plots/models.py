"""Pictures of models: how they descend, and how they compare."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, YELLOW, axes

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def descent(
    histories: Mapping[str, Sequence[float]], what: str = "objective", level: float | None = None, ax: "Axes | None" = None
) -> "Axes":
    """What falls from epoch to epoch, a line for each of several models; `level` is a mark to be reached."""
    ax = axes(ax)
    for (name, history), colour in zip(histories.items(), (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK)):
        ax.plot(np.arange(1, len(history) + 1), history, color=colour, label=name)
    if level is not None:
        ax.axhline(level, color=BLACK, linewidth=0.8, linestyle=":")
    ax.set(xlabel="epoch", ylabel=what)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def comparison(values: Mapping[str, float], what: str, ax: "Axes | None" = None) -> "Axes":
    """One metric of several models."""
    ax = axes(ax)
    ax.barh(list(values), list(values.values()), color=BLUE, height=0.6)
    ax.bar_label(ax.containers[0], fmt=" %.4f")
    ax.margins(x=0.2)
    ax.invert_yaxis()
    ax.set(xlabel=what)
    return ax


def comparisons(found: Mapping[str, Mapping[str, float]]) -> "Figure":
    """Every metric of several models, a panel for each."""
    import matplotlib.pyplot as plt

    metrics = list(dict.fromkeys(metric for values in found.values() for metric in values))
    size = (7, len(metrics) * (0.8 + 0.3 * len(found)))
    figure, panels = plt.subplots(len(metrics), figsize=size, layout="constrained", squeeze=False)
    for metric, panel in zip(metrics, panels[:, 0]):
        comparison({name: values[metric] for name, values in found.items() if metric in values}, metric, panel)
    plt.close(figure)
    return figure
