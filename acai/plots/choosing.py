"""Pictures for choosing between models and settings: what `compare` and the searches find."""

from typing import TYPE_CHECKING

import numpy as np

from acai.evaluation.comparing import Comparison
from acai.evaluation.search import SearchResult
from acai.plots.style import BLACK, BLUE, ORANGE, axes, literal, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = "0.6"


def differences(comparison: Comparison) -> "Figure":
    """Draw the interval of each difference between two models, one panel per metric; in grey, those that may be noise."""
    metrics = list(dict.fromkeys(difference.metric for difference in comparison.differences))
    n_pairs = len(comparison.differences) // len(metrics)
    figure, grid = panels(len(metrics), 1, (7, len(metrics) * (0.9 + 0.3 * n_pairs)))
    for metric, ax in zip(metrics, grid[:, 0]):
        of_metric = [difference for difference in comparison.differences if difference.metric == metric]
        ax.spines[["top", "right"]].set_visible(False)
        for place, difference in enumerate(of_metric):
            colour = GREY if difference.is_noise else BLUE
            ax.plot([difference.low, difference.high], [place, place], color=colour, lw=2)
            ax.plot(difference.delta, place, "o", color=colour)
        ax.set_yticks(range(n_pairs), [f"{literal(pair.a)} − {literal(pair.b)}" for pair in of_metric], fontsize=8)
        ax.axvline(0, color=BLACK, lw=0.8, ls=":")
        ax.set(xlabel=literal(metric), ylim=(n_pairs - 0.5, -0.5))
    return figure


def search(result: SearchResult) -> "Figure":
    """Draw the metric of each trial of a search over each setting, one panel per setting; the best trial is orange."""
    settings = list(result.best.settings)
    figure, grid = panels(1, len(settings), (1 + 3.2 * len(settings), 3.2))
    trials = [trial for trial in result.trials if result.metric in trial.figures]
    means = np.array([trial.figures[result.metric].mean() for trial in trials])
    for setting, ax in zip(settings, grid[0]):
        values = [trial.settings[setting] for trial in trials]
        axes(ax, xlabel=literal(setting), ylabel=literal(result.metric) if ax is grid[0, 0] else "")
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(numbers) < len(values):
            names = list(dict.fromkeys(map(str, values)))
            ax.set_xticks(range(len(names)), map(literal, names))
            places = [float(names.index(str(value))) for value in values]
        else:
            places = [float(value) for value in numbers]
            if min(places) > 0 and max(places) > 20 * min(places):
                ax.set_xscale("log")
        ax.scatter(places, means, color=[ORANGE if trial is result.best else BLUE for trial in trials])
    return figure
