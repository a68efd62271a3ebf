"""A report as a picture: where each gradient is wrong."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from acai.gradcheck.report import Finding


@np.errstate(all="ignore")
def png(findings: "Sequence[Finding]") -> bytes:
    """Draw a map of errors for each finding, side by side; return the bytes of the picture."""
    from matplotlib.figure import Figure  # it takes long to import

    figure = Figure(figsize=(4 * len(findings), 3.5), layout="constrained")
    for ax, finding in zip(figure.subplots(1, len(findings), squeeze=False)[0], findings):
        error_map(finding, ax)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=90)
    return picture.getvalue()


def error_map(finding: "Finding", ax: "Axes") -> "Axes":
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
    name = name.replace("$", r"\$")  # or Matplotlib would read mathematics
    ax.set(xticks=[], yticks=[], title=f"{name}: wrong by up to {most:.3g}")
    shade = np.sign(error) * (0.25 + 0.75 * np.abs(error) / (most or 1.0))  # even the smallest error is seen
    ax.imshow(shade, cmap="RdBu_r", vmin=-1, vmax=1)
    for y in range(1, N):
        ax.axhline(y * H - 0.5, color="black", lw=1)
    for x in range(1, C):
        ax.axvline(x * W - 0.5, color="black", lw=1)
    ax.spines[:].set_visible(True)
    if finding.numeric.ndim == 4:
        ax.set(xlabel="channels" if C > 1 else "", ylabel="← samples" if name == "dx" else "← outputs")
    return ax
