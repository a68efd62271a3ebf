"""The one quiet style of every picture: its colours and its axes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.axes import Axes

# Okabe and Ito (2008): eight colours that the colour-blind can tell apart
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000",
)  # fmt: skip


def axes(ax: "Axes | None" = None, size: tuple[float, float] = (6, 3.6)) -> "Axes":
    """`ax`, or the axes of a new figure of so many inches, without the lines at the top and on the right."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=size, layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    return ax
