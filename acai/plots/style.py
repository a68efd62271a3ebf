"""The one quiet style of every picture: its colours, its axes, and how it is kept."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from acai.errors import InputError
from acai.files import atomic_write

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): eight colours that the colour-blind can tell apart
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000", "#f0e442")
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK, YELLOW = COLOURS
DASHES = ("-", "--", "-.", ":", "-", "--", "-.", ":")
FORMATS = ("png", "pdf", "svg", "eps", "ps", "jpg", "jpeg", "tif", "tiff", "webp")


def axes(ax: "Axes | None" = None, size: tuple[float, float] = (6, 3.6), **labels: object) -> "Axes":
    """`ax`, or the axes of a new figure of so many inches, without the lines at the top and on the right.

    `labels` is whatever Matplotlib's `Axes.set` takes: xlabel="k", yscale="log".
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=size, layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    ax.set(**labels)
    return ax


def image(
    A: np.ndarray, ax: "Axes | None", size: tuple[float, float], bar: str = "", extent: Sequence[float] | None = None,
    cmap: str = "RdBu_r", limits: tuple[float | None, float | None] = (None, None), **labels: object,
) -> "Axes":
    """An array as colours, on axes as above; with `bar`, the scale stands beside it under that name.

    Where `extent` says what its edges stand for, (left, right, bottom, top), the first row is at the bottom.
    """
    ax = axes(ax, size, **labels)
    how = {} if extent is None else {"extent": extent, "origin": "lower"}
    drawn = ax.imshow(A, cmap=cmap, vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="nearest", **how)
    if bar:
        ax.figure.colorbar(drawn, ax=ax, label=bar)
    return ax


def panels(rows: int, columns: int, size: tuple[float, float], **how: object) -> "tuple[Figure, np.ndarray]":
    """A figure of several pictures, and the places for them. A notebook shows it where it is returned, and only there."""
    import matplotlib.pyplot as plt

    figure, places = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, **how)
    plt.close(figure)
    return figure, places


def legend_beside(ax: "Axes") -> "Axes":
    """With its names on the right, where they hide nothing."""
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def literal(name: object) -> str:
    """An id or the name of a file or folder, so that Matplotlib draws it as it is: between two `$` it would read mathematics.

    What no font can draw, control characters and bytes that are not UTF-8, becomes `�`.
    """
    start = "\u200a" if str(name).startswith("_") else ""  # a hair space: a legend leaves out what begins with an underscore
    drawn = ("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in str(name))
    return start + "".join(drawn).replace("$", r"\$")


def picture_format(file: str | os.PathLike[str]) -> str:
    """The format that the name of a picture asks for; PNG if it has no ending."""
    ending = Path(file).suffix[1:].lower() or "png"
    if ending not in FORMATS:
        raise InputError(f"{file}: a picture cannot be written in this format; expected a name that ends in .{', .'.join(FORMATS)}")
    return ending


def save(picture: "Axes | Figure", file: str | os.PathLike[str] | BinaryIO) -> None:
    """Write a picture into a file, completely or not at all, and close it."""
    import matplotlib.pyplot as plt

    try:
        if isinstance(file, str | os.PathLike):
            ending = picture_format(file)
            with atomic_write(file) as temporary:
                picture.figure.savefig(temporary, format=ending, dpi=120)
        else:
            picture.figure.savefig(file, format="png", dpi=120)
    finally:
        plt.close(picture.figure)
