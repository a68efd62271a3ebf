"""Pictures for choosing between models: the differences that `compare` finds."""

from typing import TYPE_CHECKING

from acai.evaluation.comparing import Comparison
from acai.plots.style import BLACK, BLUE, literal, panels

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
