"""What each rule from plays to values (D1 to D5) does to one and the same log."""

from typing import TYPE_CHECKING

import numpy as np

from acai.datasets.listening_log import ListeningLog
from acai.plots.style import BLUE, axes

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.figure import Figure

RULES = ("plays", "log1p", "binary", "stars_from_counts", "stars_from_times")


def rules(log: ListeningLog) -> "Figure":
    """A panel a rule: to the right how often a pair was played, upwards what the rule makes of it; large dots are many pairs."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(RULES), figsize=(12, 2.8), layout="constrained")
    n = log.to_ratings("plays").csr.data
    for number, (rule, ax) in enumerate(zip(RULES, panels), start=1):
        (x, y), pairs = np.unique(np.stack([n, log.to_ratings(rule).csr.data]), axis=1, return_counts=True)
        axes(ax).scatter(x, y, s=4 + 100 * np.sqrt(pairs / len(n)), color=BLUE, alpha=0.7)
        ax.set(xscale="log", xlabel="plays", title=f"{rule} (D{number})", ylim=(0, None))
    return figure
