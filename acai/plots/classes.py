"""Pictures of what was taken for what."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.style import BLACK, axes

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.axes import Axes


def confusion(counts: np.ndarray, classes: Sequence[str], ax: "Axes | None" = None) -> "Axes":
    """How many tracks of each class (rows) were taken for which (columns): right where the diagonal is dark."""
    n = len(classes)
    ax = axes(ax, size=(2.5 + 0.7 * n, 1.5 + 0.6 * n))
    shares = counts / counts.sum(axis=1, keepdims=True)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(n):
        for column in range(n):
            dark = shares[row, column] > 0.6
            ax.text(column, row, f"{counts[row, column]:.3g}", ha="center", va="center", color="white" if dark else BLACK)
    ax.set_xticks(range(n), classes, rotation=30, ha="right")
    ax.set_yticks(range(n), classes)
    ax.set(xlabel="was taken for", ylabel="track of")
    return ax
