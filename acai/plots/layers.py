"""Pictures of part N: what goes through a layer, how exact a slope is, where a gradient is wrong."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.style import BLACK, COLOURS, axes, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acai.nn.gradreport import Finding


def matrices(arrays: Mapping[str, np.ndarray], numbers: bool = True) -> "Figure":
    """Small arrays side by side, red above zero and blue below, with their numbers written in, under their names."""
    grids = {name: np.atleast_2d(values) for name, values in arrays.items()}
    cell = 0.5 if numbers else 0.26  # inches
    widths = [max(cell * grid.shape[1], 0.085 * len(name) + 0.15) for name, grid in grids.items()]
    height = cell * max(len(grid) for grid in grids.values()) + 0.5
    figure, places = panels(1, len(grids), (sum(widths) + 0.25 * len(grids), height), width_ratios=widths)
    for ax, (name, grid) in zip(places[0], grids.items()):
        most = np.abs(grid).max(initial=0.0) or 1.0
        ax.pcolormesh(grid, cmap="RdBu_r", vmin=-1.6 * most, vmax=1.6 * most, edgecolors="white", linewidth=1)
        ax.set(aspect="equal", anchor="N", xticks=[], yticks=[])
        ax.set_title(name, fontsize=10)
        ax.invert_yaxis()
        ax.spines[:].set_visible(False)
        for (i, j), value in np.ndenumerate(grid) if numbers else ():
            ax.text(j + 0.5, i + 0.5, f"{value:.3g}".replace("-", "−"), ha="center", va="center")
    return figure


def gallery(pictures: np.ndarray, titles: Sequence[str] = (), columns: int = 10) -> "Figure":
    """Many small pictures, shape (n, H, W), dark where they are large, each with its title."""
    rows = -(-len(pictures) // columns)
    figure, places = panels(rows, columns, (0.9 * columns, (0.9 + 0.25 * bool(titles)) * rows))
    for k, ax in enumerate(places.flat):
        ax.set_axis_off()
        if k < len(pictures):
            ax.imshow(pictures[k], cmap="Greys")
            ax.set_title(titles[k] if titles else "", fontsize=9)
    return figure


def step_errors(steps: np.ndarray, errors: Mapping[str, Sequence[float]], ax: "Axes | None" = None) -> "Axes":
    """How far a central difference is off at each step, on a scale of powers of ten with a place for what is exactly zero."""
    ax = axes(ax, (8, 4.2), xscale="log", yscale="log", xlabel="step h", ylabel="|central difference − slope|")
    for (name, error), colour, marker in zip(errors.items(), COLOURS, "osD^v"):
        ax.plot(steps, np.maximum(error, 1e-19), marker, ms=4, color=colour, label=name)
    ax.axhspan(3e-20, 4e-19, color="0.93", zorder=0)  # the place for zero
    ax.axvline(0.5, color=BLACK, lw=0.8, ls=":")
    ax.text(0.47, 3e3, " h = ½")
    ax.set_yticks([1e-19, *10.0 ** np.arange(-16, 1, 4)], ["exactly 0", *(f"$10^{{{k}}}$" for k in range(-16, 1, 4))])
    ax.minorticks_off()
    ax.set_ylim(3e-20, 1e5)
    ax.invert_xaxis()
    ax.legend(frameon=False, loc="upper right")
    return ax


def error_map(finding: "Finding", ax: "Axes | None" = None) -> "Axes":
    """Where one gradient is wrong: white where `backward` is exactly right, red where it says too much, blue too little.

    An array of (N, C, H, W) is laid out with its samples downwards and its channels to the right, lines between them.
    """
    fits = finding.analytic is not None and finding.analytic.shape == finding.numeric.shape
    analytic = finding.analytic if fits else np.zeros_like(finding.numeric)
    error = np.where(finding.kinks, 0.0, analytic - finding.numeric)
    N, C, H, W = (1,) * (4 - error.ndim) + error.shape
    error = error.reshape(N, C, H, W).transpose(0, 2, 1, 3).reshape(N * H, C * W)
    most = np.abs(error).max()
    name = "dx" if finding.array == "x" else f"d{finding.array}"
    ax = axes(ax, (0.8 + 0.28 * C * W, 0.8 + 0.28 * N * H), xticks=[], yticks=[], title=f"{name}: wrong by up to {most:.3g}")
    shade = np.sign(error) * (0.25 + 0.75 * np.abs(error) / (most or 1.0))  # even the smallest error is seen
    ax.imshow(shade, cmap="RdBu_r", vmin=-1, vmax=1)
    for y in range(1, N):
        ax.axhline(y * H - 0.5, color=BLACK, lw=1)
    for x in range(1, C):
        ax.axvline(x * W - 0.5, color=BLACK, lw=1)
    ax.spines[:].set_visible(True)
    if finding.numeric.ndim == 4:
        ax.set(xlabel="channels" if C > 1 else "", ylabel="← samples" if name == "dx" else "← outputs")
    return ax
