"""Pictures of part A: sound, and what a network makes of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.style import BLACK, BLUE, axes, image, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def waveform(samples: np.ndarray, rate: float, start: float = 0.0, ax: "Axes | None" = None) -> "Axes":
    """A sound as it moves the air; `start` is the time of its first sample, in seconds."""
    ax = axes(ax, size=(8, 2), xlabel="time (s)", ylabel="air pressure")
    ax.plot(start + np.arange(len(samples)) / rate, samples, color=BLUE, lw=0.6 if len(samples) > 4000 else 1.2)
    ax.margins(x=0)
    return ax


def mel_bank(F: np.ndarray, sample_rate: float, bands: Sequence[int], ax: "Axes | None" = None) -> "Axes":
    """Some rows of a mel filter bank (A1), shape (n_mels, window//2 + 1): what each band takes from the spectrum."""
    ax = axes(ax, size=(8, 2.4), xlabel="frequency (Hz)", ylabel="weight", yticks=[0, 1])
    hertz = np.linspace(0, sample_rate / 2, F.shape[1])
    for band in bands:
        ax.fill_between(hertz, F[band] / F[band].max(), alpha=0.35, color=BLUE, lw=0)
        ax.text(hertz[F[band].argmax()], 1.03, str(band), ha="center", fontsize=8)
    ax.set(xlim=(0, sample_rate / 2), ylim=(0, 1.15))
    return ax


def spectrogram(
    S: np.ndarray, ax: "Axes | None" = None, hop: int = 512, sample_rate: float = 22050, bar: bool = True
) -> "Axes":
    """A log-mel spectrogram (A2): time to the right, the mel bands upwards, loud is bright; `bar` is the scale beside it."""
    extent = (0, S.shape[1] * hop / sample_rate, 0, S.shape[0])
    scale = "log(1 + C·power)" if bar else ""
    return image(S, ax, (8, 3), scale, extent, cmap="magma", xlabel="time (s)", ylabel="mel band")


def filters(W: np.ndarray, n: int = 24, ax: "Axes | None" = None) -> "Axes":
    """What the first layer listens for: its `n` largest filters side by side, each all bands high and a few frames wide.

    Parameters
    ----------
    W : numpy.ndarray, shape (O, bands, 1, frames) or (O, 1, bands, frames)
        The weights of the first convolution; red is what excites a filter, blue what inhibits it.
    """
    W = W.reshape(W.shape[0], -1, W.shape[3])  # (O, bands, frames)
    largest = np.argsort(-np.square(W).sum(axis=(1, 2)), kind="stable")[:n]
    gap = np.full((W.shape[1], 1), np.nan)
    strip = np.concatenate([part for o in largest for part in (W[o] / np.abs(W[o]).max(), gap)], axis=1)
    label = f"{len(largest)} filters, {W.shape[2]} frames each"
    extent = (0, strip.shape[1], 0, strip.shape[0])
    return image(strip, ax, (9, 3.6), extent=extent, limits=(-1, 1), ylabel="mel band", xlabel=label, xticks=[])


def responses(S: np.ndarray, A: np.ndarray, hop: int = 512, sample_rate: float = 22050) -> "Figure":
    """A window of a spectrogram, and below it when each filter of the first layer responds to it.

    Parameters
    ----------
    S : numpy.ndarray, shape (bands, frames)
        The window as the network sees it.
    A : numpy.ndarray, shape (filters, frames')
        The output of the first ReLU; the most active filters are drawn at the top.
    """
    figure, places = panels(2, 1, (9, 5))
    top, bottom = places[:, 0]
    spectrogram(S, top, hop, sample_rate, bar=False).set(xlabel="", title="what goes in")
    A = A[np.argsort(A.sum(axis=1), kind="stable")]
    extent = (0, S.shape[1] * hop / sample_rate, 0, len(A))
    image(A, bottom, (9, 2.5), extent=extent, cmap="Greys", ylabel="filter", xlabel="time (s)", title="when each filter responds")
    return figure


def factor_map(Q: np.ndarray, values: np.ndarray | None = None, label: str = "", ax: "Axes | None" = None) -> "Axes":
    """Songs on the plane that shows most of their hidden features, coloured by something known of them."""
    ax = axes(ax, size=(6, 5), xlabel="first principal direction of Q", ylabel="second")
    centred = Q - Q.mean(axis=0)
    _, _, Vt = np.linalg.svd(centred, full_matrices=False)
    x, y = (centred @ Vt[:2].T).T
    dots = ax.scatter(x, y, c=BLUE if values is None else values, s=12, cmap=None if values is None else "viridis")
    if values is not None:
        ax.figure.colorbar(dots, ax=ax, label=label)
    return ax


def confusion(counts: np.ndarray, classes: Sequence[str], ax: "Axes | None" = None) -> "Axes":
    """How many tracks of each class (rows) were taken for which (columns): right where the diagonal is dark."""
    n = len(classes)
    ax = axes(ax, (2.5 + 0.7 * n, 1.5 + 0.6 * n), xlabel="was taken for", ylabel="track of")
    shares = counts / counts.sum(axis=1, keepdims=True)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.6 else BLACK
        ax.text(column, row, f"{counts[row, column]:.3g}", ha="center", va="center", color=colour)
    ax.set_xticks(range(n), classes, rotation=30, ha="right")
    ax.set_yticks(range(n), classes)
    return ax
