"""Pictures of sound, of the network that listens, and of what it is good for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.style import BLACK, BLUE, ORANGE, axes

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def ladder(aucs: Mapping[str, float], ax: "Axes | None" = None, errors: Mapping[str, float] | None = None) -> "Axes":
    """The AUC of each way to recommend songs that nobody has played, from chance to the truth; `errors` are whiskers."""
    ax = axes(ax)
    names = list(aucs)
    ax.barh(
        names,
        [aucs[name] for name in names],
        xerr=[errors[name] for name in names] if errors else None,
        color=BLUE,
        height=0.6,
    )
    for row, name in enumerate(names):
        ax.text(0.505, row, f"{aucs[name]:.3f}", va="center", color="white" if aucs[name] > 0.6 else BLACK)
    ax.invert_yaxis()
    ax.set(xlim=(0.5, 1), xlabel="AUC (0.5: blind, 1: perfect)")
    return ax


def training(history: Sequence, score: str = "R² on songs held out", ax: "Axes | None" = None) -> "Axes":
    """The loss and the score of each epoch of a training."""
    ax = axes(ax)
    epochs = np.arange(1, len(history) + 1)
    ax.plot(epochs, [e.loss for e in history], color=BLUE, label="loss (mean squared error)")
    ax.plot(epochs, [e.score for e in history], color=ORANGE, label=score)
    ax.set(xlabel="epoch", ylim=(min(0, *(e.score for e in history)), None))
    ax.legend(frameon=False)
    return ax


def waveform(samples: np.ndarray, rate: float, start: float = 0.0, ax: "Axes | None" = None) -> "Axes":
    """A sound as it moves the air; `start` is the time of its first sample, in seconds."""
    ax = axes(ax, size=(8, 2))
    ax.plot(start + np.arange(len(samples)) / rate, samples, color=BLUE, lw=0.6 if len(samples) > 4000 else 1.2)
    ax.set(xlabel="time (s)", ylabel="air pressure")
    ax.margins(x=0)
    return ax


def mel_bank(F: np.ndarray, sample_rate: float, bands: Sequence[int], ax: "Axes | None" = None) -> "Axes":
    """Some rows of a mel filter bank (A1), shape (n_mels, window//2 + 1): what each band takes from the spectrum."""
    ax = axes(ax, size=(8, 2.4))
    hertz = np.linspace(0, sample_rate / 2, F.shape[1])
    for band in bands:
        ax.fill_between(hertz, F[band] / F[band].max(), alpha=0.35, color=BLUE, lw=0)
        ax.text(hertz[F[band].argmax()], 1.03, str(band), ha="center", fontsize=8)
    ax.set(xlabel="frequency (Hz)", ylabel="weight", yticks=[0, 1], xlim=(0, sample_rate / 2), ylim=(0, 1.15))
    return ax


def spectrogram(
    S: np.ndarray, ax: "Axes | None" = None, hop: int = 512, sample_rate: float = 22050, bar: bool = True
) -> "Axes":
    """A log-mel spectrogram (A2): time to the right, the mel bands upwards, loud is bright; `bar` is the scale beside it."""
    ax = axes(ax, size=(8, 3))
    extent = (0, S.shape[1] * hop / sample_rate, 0, S.shape[0])
    image = ax.imshow(S, origin="lower", aspect="auto", cmap="magma", extent=extent, interpolation="nearest")
    if bar:
        ax.figure.colorbar(image, ax=ax, label="log(1 + C·power)")
    ax.set(xlabel="time (s)", ylabel="mel band")
    return ax


def overview(aucs: Mapping[str, float], history: Sequence, S: np.ndarray, song: str) -> "Figure":
    """What `acai demo` found out, in one picture."""
    import matplotlib.pyplot as plt

    figure, place = plt.subplot_mosaic(
        [["ladder", "training"], ["song", "song"]], figsize=(11, 7), layout="constrained"
    )
    figure.suptitle("acai on a SYNTHETIC world of music")
    ladder(aucs, place["ladder"]).set_title("recommending songs that nobody has played")
    training(history, ax=place["training"]).set_title("the network learns to hear")
    spectrogram(S, place["song"]).set_title(f"{song}: recommended by its sound alone")
    plt.close(figure)
    return figure


def filters(W: np.ndarray, n: int = 24, ax: "Axes | None" = None) -> "Axes":
    """What the first layer listens for: its `n` largest filters side by side, each all bands high and a few frames wide.

    Parameters
    ----------
    W : numpy.ndarray, shape (O, bands, 1, frames) or (O, 1, bands, frames)
        The weights of the first convolution; red is what excites a filter, blue what inhibits it.
    """
    ax = axes(ax, size=(9, 3.6))
    W = W.reshape(W.shape[0], -1, W.shape[3])  # (O, bands, frames)
    largest = np.argsort(-np.square(W).sum(axis=(1, 2)), kind="stable")[:n]
    gap = np.full((W.shape[1], 1), np.nan)
    strip = np.concatenate([part for o in largest for part in (W[o] / np.abs(W[o]).max(), gap)], axis=1)
    ax.imshow(strip, origin="lower", aspect="auto", cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    ax.set(ylabel="mel band", xlabel=f"{len(largest)} filters, {W.shape[2]} frames each", xticks=[])
    return ax


def responses(S: np.ndarray, A: np.ndarray, hop: int = 512, sample_rate: float = 22050) -> "Figure":
    """A window of a spectrogram, and below it when each filter of the first layer responds to it.

    Parameters
    ----------
    S : numpy.ndarray, shape (bands, frames)
        The window as the network sees it.
    A : numpy.ndarray, shape (filters, frames')
        The output of the first ReLU; the most active filters are drawn at the top.
    """
    import matplotlib.pyplot as plt

    figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 5), layout="constrained")
    spectrogram(S, top, hop, sample_rate, bar=False).set(xlabel="", title="what goes in")
    A = A[np.argsort(A.sum(axis=1), kind="stable")]
    extent = (0, S.shape[1] * hop / sample_rate, 0, len(A))
    bottom.imshow(A, origin="lower", aspect="auto", cmap="Greys", extent=extent, interpolation="nearest")
    bottom.set(ylabel="filter", xlabel="time (s)", title="when each filter responds")
    plt.close(figure)
    return figure


def factor_map(Q: np.ndarray, values: np.ndarray | None = None, label: str = "", ax: "Axes | None" = None) -> "Axes":
    """Songs on the plane that shows most of their hidden features, coloured by something known of them."""
    ax = axes(ax, size=(6, 5))
    centred = Q - Q.mean(axis=0)
    _, _, Vt = np.linalg.svd(centred, full_matrices=False)
    x, y = (centred @ Vt[:2].T).T
    if values is None:
        ax.scatter(x, y, color=BLUE, s=12)
    else:
        ax.figure.colorbar(ax.scatter(x, y, c=values, s=12, cmap="viridis"), ax=ax, label=label)
    ax.set(xlabel="first principal direction of Q", ylabel="second")
    return ax
