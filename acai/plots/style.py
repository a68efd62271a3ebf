"""The one quiet style of every picture: its colours, its axes, and how it is saved."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from acai.errors import InputError
from acai.files import atomic_write

if TYPE_CHECKING:  # Matplotlib is slow to import, so it is imported only where a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): eight colours that colour-blind readers can tell apart
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000", "#f0e442")
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK, YELLOW = COLOURS
DASHES = ("-", "--", "-.", ":", "-", "--", "-.", ":")
FORMATS = ("png", "pdf", "svg", "eps", "ps", "jpg", "jpeg", "tif", "tiff", "webp")


def axes(ax: "Axes | None" = None, size: tuple[float, float] = (6, 3.6), **labels: Any) -> "Axes":
    """Prepare `ax`, or the axes of a new figure of `size` in inches, without the frame at the top and on the right.

    `labels` are keyword arguments of Matplotlib's `Axes.set`: xlabel="k", yscale="log".
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=size, layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    ax.set(**labels)
    return ax


def image(
    ax: "Axes", A: np.ndarray, bar: str = "", cmap: str = "RdBu_r", extent: tuple[float, float, float, float] | None = None,
    limits: tuple[float | None, float | None] = (None, None),
) -> "Axes":
    """Draw an array as colours; with `bar`, add a colour scale with that label.

    With `extent`, the coordinates (left, right, bottom, top) of its edges, the first row is at the bottom.
    """
    low, high = limits
    origin: Literal["upper", "lower"] = "upper" if extent is None else "lower"
    drawn = ax.imshow(A, cmap, aspect="auto", interpolation="nearest", vmin=low, vmax=high, origin=origin, extent=extent)
    if bar:
        ax.figure.colorbar(drawn, ax=ax, label=bar)
    return ax


def panels(
    rows: int, columns: int, size: tuple[float, float], width_ratios: Sequence[float] | None = None
) -> "tuple[Figure, np.ndarray]":
    """Create a figure of several axes. A notebook shows it where it is returned, and only there."""
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(
        rows, columns, figsize=size, layout="constrained", squeeze=False, width_ratios=width_ratios
    )
    plt.close(figure)
    return figure, grid


def legend_beside(ax: "Axes") -> "Axes":
    """Put the legend on the right, where it hides nothing."""
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def literal(name: object) -> str:
    """Escape an id or a file name so that Matplotlib draws it unchanged: it would read text between two `$` as mathematics.

    What no font can draw, control characters and bytes that are not UTF-8, becomes `�`.
    """
    start = "\u200a" if str(name).startswith("_") else ""  # a hair space: legends omit names that begin with an underscore
    drawable = ("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in str(name))
    return start + "".join(drawable).replace("$", r"\$")


def picture_format(file: str | os.PathLike[str]) -> str:
    """Return the format given by the extension of a file name; PNG if it has none."""
    ending = Path(file).suffix[1:].lower() or "png"
    if ending not in FORMATS:
        known = ", .".join(FORMATS)
        raise InputError(f"{file}: a picture cannot be written in this format; expected a name that ends in .{known}")
    return ending


def save(picture: "Axes | Figure", file: str | os.PathLike[str] | BinaryIO) -> None:
    """Write a picture to a file, atomically, and close it."""
    import matplotlib.pyplot as plt

    figure = picture.figure.get_figure(root=True)
    try:
        if isinstance(file, str | os.PathLike):
            ending = picture_format(file)
            with atomic_write(file) as temporary:
                figure.savefig(temporary, format=ending, dpi=120)
        else:
            figure.savefig(file, format="png", dpi=120)
    finally:
        plt.close(figure)
