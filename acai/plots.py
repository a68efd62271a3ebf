"""Every picture that the notebooks and the command line show: one function a picture, in one quiet style."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    ax.set(xlim=(0.5, 1), xlabel="AUC for songs that nobody has played (0.5: blind, 1: perfect)")
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


def spectrogram(S: np.ndarray, ax: "Axes | None" = None, hop: int = 512, sample_rate: float = 22050) -> "Axes":
    """A log-mel spectrogram (A2): time to the right, the mel bands upwards, loud is bright."""
    ax = axes(ax, size=(8, 3))
    image = ax.imshow(
        S, origin="lower", aspect="auto", cmap="magma", extent=(0, S.shape[1] * hop / sample_rate, 0, S.shape[0])
    )
    ax.figure.colorbar(image, ax=ax, label="log(1 + C·power)")
    ax.set(xlabel="time (s)", ylabel="mel band")
    return ax


def demo(aucs: Mapping[str, float], history: Sequence, S: np.ndarray, song: str) -> "Figure":
    """What `acai demo` found out, on one page."""
    import matplotlib.pyplot as plt

    figure, place = plt.subplot_mosaic([["ladder", "training"], ["song", "song"]], figsize=(11, 7), layout="constrained")
    figure.suptitle("acai on a SYNTHETIC world of music")
    ladder(aucs, place["ladder"]).set_title("recommending songs that nobody has played")
    training(history, ax=place["training"]).set_title("the network learns to hear")
    spectrogram(S, place["song"]).set_title(f"{song}: recommended by its sound alone")
    plt.close(figure)
    return figure
