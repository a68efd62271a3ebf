"""Pictures of parts A and N: sound, what a network makes of it, and the arrays in a layer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.listeners import ladder, training
from acai.plots.style import BLACK, BLUE, COLOURS, axes, image, literal, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acai.content.checkpoint import Epoch


def waveform(samples: np.ndarray, rate: float, start: float = 0.0, ax: "Axes | None" = None) -> "Axes":
    """Draw a sound as air pressure; `start` is the time of its first sample, in seconds."""
    ax = axes(ax, size=(8, 2), xlabel="time (s)", ylabel="air pressure")
    ax.plot(start + np.arange(len(samples)) / rate, samples, color=BLUE, lw=0.6 if len(samples) > 4000 else 1.2)
    ax.margins(x=0)
    return ax


def mel_bank(F: np.ndarray, sample_rate: float, bands: Sequence[int], ax: "Axes | None" = None) -> "Axes":
    """Draw rows of a mel filter bank (A1), shape (n_mels, window//2 + 1): the weights of each band over the spectrum."""
    limits = {"xlim": (0, sample_rate / 2), "ylim": (0, 1.15), "yticks": [0, 1]}
    ax = axes(ax, size=(8, 2.4), xlabel="frequency (Hz)", ylabel="weight", **limits)
    hertz = np.linspace(0, sample_rate / 2, F.shape[1])
    for band in bands:
        ax.fill_between(hertz, F[band] / F[band].max(), alpha=0.35, color=BLUE, lw=0)
        ax.text(hertz[F[band].argmax()], 1.03, str(band), ha="center", fontsize=8)
    return ax


def spectrogram(
    S: np.ndarray, ax: "Axes | None" = None, hop: int = 512, sample_rate: float = 22050, bar: bool = True
) -> "Axes":
    """Draw a log-mel spectrogram (A2): loud is bright; `bar` adds a colour scale."""
    extent = (0, S.shape[1] * hop / sample_rate, 0, S.shape[0])
    scale = "log(1 + C·power)" if bar else ""
    return image(axes(ax, (8, 3), xlabel="time (s)", ylabel="mel band"), S, scale, "magma", extent)


def filters(W: np.ndarray, n: int = 24, ax: "Axes | None" = None) -> "Axes":
    """Draw what the first layer detects: its `n` largest filters side by side, each all bands high and a few frames wide.

    Parameters
    ----------
    W : numpy.ndarray, shape (O, bands, 1, frames) or (O, 1, bands, frames)
        The weights of the first convolution; red excites a filter, blue inhibits it.
    """
    W = W.reshape(W.shape[0], -1, W.shape[3])  # (O, bands, frames)
    largest = np.argsort(-np.square(W).sum(axis=(1, 2)), kind="stable")[:n]
    gap = np.full((W.shape[1], 1), np.nan)
    parts = []
    for o in largest:
        most = np.abs(W[o]).max() or 1.0  # a filter may be zero
        parts += [W[o] / most, gap]
    strip = np.concatenate(parts, axis=1)
    label = f"{len(largest)} filters, {W.shape[2]} frames each"
    extent = (0, strip.shape[1], 0, strip.shape[0])
    return image(axes(ax, (9, 3.6), ylabel="mel band", xlabel=label, xticks=[]), strip, extent=extent, limits=(-1, 1))


def responses(S: np.ndarray, A: np.ndarray, hop: int = 512, sample_rate: float = 22050) -> "Figure":
    """Draw a window of a spectrogram, and below it when each filter of the first layer responds.

    Parameters
    ----------
    S : numpy.ndarray, shape (bands, frames)
        The window as the network sees it.
    A : numpy.ndarray, shape (filters, frames')
        The output of the first ReLU; the most active filters are drawn at the top.
    """
    figure, grid = panels(2, 1, (9, 5))
    top, bottom = grid[:, 0]
    spectrogram(S, top, hop, sample_rate, bar=False).set(xlabel="", title="the input")
    A = A[np.argsort(A.sum(axis=1), kind="stable")]
    extent = (0, S.shape[1] * hop / sample_rate, 0, len(A))
    bottom = axes(bottom, ylabel="filter", xlabel="time (s)", title="when each filter responds")
    image(bottom, A, cmap="Greys", extent=extent)
    return figure


def factor_map(Q: np.ndarray, values: np.ndarray | None = None, label: str = "", ax: "Axes | None" = None) -> "Axes":
    """Draw songs on the plane of the first two principal components of Q, coloured by `values`."""
    ax = axes(ax, size=(6, 5), xlabel="first principal component of Q", ylabel="second")
    centred = Q - Q.mean(axis=0)
    _, _, Vt = np.linalg.svd(centred, full_matrices=False)
    x, y = (centred @ Vt[:2].T).T
    dots = ax.scatter(x, y, c=BLUE if values is None else values, s=12, cmap=None if values is None else "viridis")
    if values is not None:
        ax.figure.colorbar(dots, ax=ax, label=label)
    return ax


def confusion(counts: np.ndarray, classes: Sequence[str], ax: "Axes | None" = None) -> "Axes":
    """Draw a confusion matrix: how many tracks of each class (rows) were predicted as which (columns)."""
    n = len(classes)
    ax = axes(ax, (2.5 + 0.7 * n, 1.5 + 0.6 * n), xlabel="predicted class", ylabel="true class")
    shares = counts / counts.sum(axis=1, keepdims=True)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.6 else BLACK
        ax.text(column, row, f"{counts[row, column]:.3g}", ha="center", va="center", color=colour)
    ax.set_xticks(range(n), map(literal, classes), rotation=30, ha="right")
    ax.set_yticks(range(n), map(literal, classes))
    return ax


def overview(aucs: Mapping[str, float], history: "Sequence[Epoch]", S: np.ndarray, song: str) -> "Figure":
    """Summarise the results of `acai demo` in one picture."""
    figure, ((left, right), below) = panels(2, 2, (12, 7))
    bottom = figure.add_subplot(left.get_gridspec()[1, :])
    for ax in below:
        ax.remove()
    figure.suptitle("acai on a SYNTHETIC world of music")
    ladder(aucs, left).set_title("recommending songs that nobody has played")
    training(history, right).set_title("training the network on audio")
    spectrogram(S, bottom).set_title(f"{literal(song)}: recommended from its audio alone")
    return figure


def matrices(arrays: Mapping[str, np.ndarray], numbers: bool = True) -> "Figure":
    """Draw small arrays side by side under their names, positive red and negative blue, with their numbers."""
    grids = {name: np.atleast_2d(values) for name, values in arrays.items()}
    cell = 0.5 if numbers else 0.26  # inches
    widths = [max(cell * grid.shape[1], 0.085 * len(name) + 0.15) for name, grid in grids.items()]
    height = cell * max(len(grid) for grid in grids.values()) + 0.5
    figure, panes = panels(1, len(grids), (sum(widths) + 0.25 * len(grids), height), widths)
    for ax, (name, grid) in zip(panes[0], grids.items()):
        most = np.abs(grid).max(initial=0.0) or 1.0
        ax.pcolormesh(grid, cmap="RdBu_r", vmin=-1.6 * most, vmax=1.6 * most, edgecolors="white", linewidth=1)
        ax.set(aspect="equal", anchor="N", xticks=[], yticks=[])
        ax.set_title(literal(name), fontsize=10)
        ax.invert_yaxis()
        ax.spines[:].set_visible(False)
        for (i, j), value in np.ndenumerate(grid) if numbers else ():
            ax.text(j + 0.5, i + 0.5, f"{value:.3g}".replace("-", "−"), ha="center", va="center")
    return figure


def gallery(pictures: np.ndarray, titles: Sequence[str] = (), columns: int = 10) -> "Figure":
    """Draw many small images, shape (n, H, W), large values dark, each with its title."""
    rows = -(-len(pictures) // columns)
    figure, grid = panels(rows, columns, (0.9 * columns, (0.9 + 0.25 * bool(titles)) * rows))
    for k, ax in enumerate(grid.flat):
        ax.set_axis_off()
        if k < len(pictures):
            ax.imshow(pictures[k], cmap="Greys")
            ax.set_title(literal(titles[k]) if titles else "", fontsize=9)
    return figure


def step_errors(steps: np.ndarray, errors: Mapping[str, Sequence[float]], ax: "Axes | None" = None) -> "Axes":
    """Draw the error of a central difference at each step, on a logarithmic scale with a place for exact zeros."""
    ax = axes(ax, (8, 4.2), xscale="log", yscale="log", xlabel="step h", ylabel="|central difference − slope|")
    for (name, error), colour, marker in zip(errors.items(), COLOURS, "osD^v"):
        ax.plot(steps, np.maximum(error, 1e-19), marker, ms=4, color=colour, label=literal(name))
    ax.axhspan(3e-20, 4e-19, color="0.93", zorder=0)  # the place for zero
    ax.axvline(0.5, color=BLACK, lw=0.8, ls=":")
    ax.text(0.47, 3e3, " h = ½")
    ax.set_yticks([1e-19, *10.0 ** np.arange(-16, 1, 4)], ["exactly 0", *(f"$10^{{{k}}}$" for k in range(-16, 1, 4))])
    ax.minorticks_off()
    ax.set_ylim(3e-20, 1e5)
    ax.invert_xaxis()
    ax.legend(frameon=False, loc="upper right")
    return ax
