"""Pictures of part N: what goes through a layer, how exact a slope is, where a gradient is wrong."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acai.nn.gradreport import Finding


def matrices(arrays: Mapping[str, np.ndarray], numbers: bool = True) -> "Figure":
    """Small arrays side by side, red above zero and blue below, with their numbers written in, under their names."""
    import matplotlib.pyplot as plt

    grids = {name: np.atleast_2d(values) for name, values in arrays.items()}
    cell = 0.5 if numbers else 0.26  # inches
    widths = [max(cell * grid.shape[1], 0.085 * len(name) + 0.15) for name, grid in grids.items()]
    size = (sum(widths) + 0.25 * len(grids), cell * max(len(grid) for grid in grids.values()) + 0.5)
    figure, places = plt.subplots(
        1, len(grids), squeeze=False, width_ratios=widths, layout="constrained", figsize=size
    )  # fmt: skip
    for ax, (name, grid) in zip(places[0], grids.items()):
        most = np.abs(grid).max(initial=0.0) or 1.0
        ax.pcolormesh(grid, cmap="RdBu_r", vmin=-1.6 * most, vmax=1.6 * most, edgecolors="white", linewidth=1)
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.invert_yaxis()
        ax.spines[:].set_visible(False)
        ax.set_title(name, fontsize=10)
        ax.set_anchor("N")
        for (i, j), value in np.ndenumerate(grid) if numbers else ():
            ax.text(j + 0.5, i + 0.5, f"{value:.3g}".replace("-", "−"), ha="center", va="center")
    plt.close(figure)
    return figure


def gallery(pictures: np.ndarray, titles: Sequence[str] = (), columns: int = 10) -> "Figure":
    """Many small pictures, shape (n, H, W), dark where they are large, each with its title."""
    import matplotlib.pyplot as plt

    rows = -(-len(pictures) // columns)
    size = (0.9 * columns, (0.9 + 0.25 * bool(titles)) * rows)
    figure, places = plt.subplots(rows, columns, squeeze=False, layout="constrained", figsize=size)
    for k, ax in enumerate(places.flat):
        ax.set_axis_off()
        if k < len(pictures):
            ax.imshow(pictures[k], cmap="Greys")
            ax.set_title(titles[k] if titles else "", fontsize=9)
    plt.close(figure)
    return figure


def step_errors(steps: np.ndarray, errors: Mapping[str, Sequence[float]], ax: "Axes | None" = None) -> "Axes":
    """How far a central difference is off at each step, on a scale of powers of ten with a place for what is exactly zero."""
    ax = axes(ax, size=(8, 4.2))
    for (name, error), colour, marker in zip(errors.items(), (BLUE, ORANGE, PURPLE, GREEN, RED), "osD^v"):
        error = np.asarray(error)
        ax.plot(steps, np.where(error > 0, error, 1e-19), marker, ms=4, color=colour, label=name)
    ax.set(xscale="log", yscale="log", ylim=(3e-20, 1e5), xlabel="step h", ylabel="|central difference − slope|")
    ax.invert_xaxis()
    ax.axvline(0.5, color=BLACK, lw=0.8, ls=":")
    ax.text(0.47, 3e3, " h = ½")
    ax.axhspan(3e-20, 4e-19, color="0.93", zorder=0)
    ax.set_yticks([1e-19, *10.0 ** np.arange(-16, 1, 4)], ["exactly 0", *(f"$10^{{{k}}}$" for k in range(-16, 1, 4))])
    ax.minorticks_off()
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
    ax = axes(ax, size=(0.8 + 0.28 * C * W, 0.8 + 0.28 * N * H))
    most = np.abs(error).max() or 1.0
    shade = np.sign(error) * (0.25 + 0.75 * np.abs(error) / most)  # even the smallest error is seen
    ax.imshow(shade, cmap="RdBu_r", vmin=-1, vmax=1)
    for y in range(1, N):
        ax.axhline(y * H - 0.5, color=BLACK, lw=1)
    for x in range(1, C):
        ax.axvline(x * W - 0.5, color=BLACK, lw=1)
    ax.spines[:].set_visible(True)
    name = "dx" if finding.array == "x" else f"d{finding.array}"
    ax.set(xticks=[], yticks=[], title=f"{name}: wrong by up to {np.abs(error).max():.3g}")
    if finding.numeric.ndim == 4:
        ax.set(xlabel="channels" if C > 1 else "", ylabel="← samples" if name == "dx" else "← outputs")
    return ax
