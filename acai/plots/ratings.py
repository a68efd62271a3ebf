"""Pictures of parts D and C: who heard what, who is like whom, what lies behind it, and how descent finds it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, axes
from acai.ratings import Ratings

if TYPE_CHECKING:  # Matplotlib takes long to import, so it is imported where a picture is drawn
    from matplotlib.axes import Axes

LINES = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)


def matrix(R: "Ratings | np.ndarray", ax: "Axes | None" = None, label: str = "stars", sort: bool = False) -> "Axes":
    """The matrix R: users downwards, songs to the right, gaps white.

    Parameters
    ----------
    R : Ratings or numpy.ndarray, shape (m, n)
        In an array, NaN is a gap.
    label : str
        What the values are.
    sort : bool
        Put the busiest users on top and the best known songs on the left.
    """
    ax = axes(ax, size=(6, 4.2))
    if isinstance(R, Ratings):
        dense = np.full(R.csr.shape, np.nan)
        dense[R.user_codes, R.csr.indices] = R.csr.data
        R = dense
    if sort:
        known = ~np.isnan(R)
        R = R[np.argsort(-known.sum(axis=1), kind="stable")][:, np.argsort(-known.sum(axis=0), kind="stable")]
    image = ax.imshow(R, aspect="auto", cmap="viridis", interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label=label)
    ax.set(xlabel="songs", ylabel="users")
    return ax


def diary(times: np.ndarray, songs: Sequence[str], n_songs: int = 20, ax: "Axes | None" = None) -> "Axes":
    """One listener's plays: a tick a play, a row a song, the most played at the top; at most `n_songs` of them.

    Parameters
    ----------
    times : numpy.ndarray of int, shape (n_plays,)
        Seconds since 1970.
    songs : sequence of str, length n_plays
        What was played.
    """
    from matplotlib.dates import ConciseDateFormatter

    names, song, n = np.unique(np.asarray(songs), return_inverse=True, return_counts=True)
    order = np.argsort(-n, kind="stable")
    row = np.argsort(order, kind="stable")[song]
    shown = order[:n_songs]
    ax = axes(ax, size=(8, 0.8 + 0.2 * len(shown)))
    ax.plot(np.asarray(times).astype("datetime64[s]")[row < n_songs], row[row < n_songs], "|", color=BLUE, markersize=9)
    ax.set_yticks(range(len(shown)), [f"{names[i]} ({n[i]}×)" for i in shown], fontsize=8)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
    ax.invert_yaxis()
    return ax


def long_tail(plays: Ratings, head: float = 0.1, ax: "Axes | None" = None) -> "Axes":
    """The plays of each song, the most played on the left; the `head`, a share of the songs, is painted."""
    ax = axes(ax)
    n = np.sort(np.bincount(plays.csr.indices, plays.csr.data, plays.n_songs))[::-1]
    rank, top = np.arange(1, len(n) + 1), max(1, round(head * len(n)))
    ax.bar(rank, n, width=1, color=np.where(rank <= top, ORANGE, SKY))
    share = n[:top].sum() / n.sum()
    ax.text(top + len(n) / 40, n[0] * 0.9, f"{head:.0%} of the songs\nhave {share:.0%} of the plays", va="top")
    ax.set(xlabel="songs, the most played first", ylabel="plays")
    return ax


def lines(
    curves: Mapping[str, Sequence[float]], x: Sequence[float], steps: bool = False, ax: "Axes | None" = None, **labels: object
) -> "Axes":
    """Curves over the same x, or steps if x counts something; `labels` go to Matplotlib: xlabel="k", yscale="log"."""
    ax = axes(ax)
    style = "steps-mid" if steps else "default"
    for (name, y), colour, dashes in zip(curves.items(), LINES, ("-", "--", "-.", ":", "-", "--", "-.")):
        ax.plot(x, y, dashes, color=colour, label=name, drawstyle=style)
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    ax.set(**labels)
    return ax


def two_users(r_u: np.ndarray, r_v: np.ndarray, ax: "Axes | None" = None) -> "Axes":
    """The songs that both rated: one user's stars to the right, the other's upwards; dashed, the means of both (C3)."""
    ax = axes(ax, size=(3.6, 3.4))
    both = ~np.isnan(r_u) & ~np.isnan(r_v)
    pairs, n = np.unique(np.stack([r_u[both], r_v[both]]), axis=1, return_counts=True)
    ax.scatter(*pairs, s=60 * n, color=BLUE, alpha=0.8)
    ax.axvline(r_u[both].mean(), color=BLACK, ls="--", lw=0.8)
    ax.axhline(r_v[both].mean(), color=BLACK, ls="--", lw=0.8)
    ax.set(xlim=(0.5, 5.5), ylim=(0.5, 5.5), xticks=range(1, 6), yticks=range(1, 6), xlabel="stars of u", ylabel="stars of v")
    return ax


def heat_map(
    S: np.ndarray, label: str = "s(u,v) (C3)", rows: Sequence[str] = (), columns: Sequence[str] = (), ax: "Axes | None" = None
) -> "Axes":
    """Numbers between −1 (blue) and 1 (red) in a table: likenesses, correlations; white where NaN."""
    ax = axes(ax, size=(5, 4.2))
    image = ax.imshow(S, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest", aspect="auto")
    ax.figure.colorbar(image, ax=ax, label=label)
    if len(rows):
        ax.set_yticks(range(len(rows)), rows)
    if len(columns):
        ax.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
    return ax


def contributions(neighbours: Sequence, mean: float, ax: "Axes | None" = None) -> "Axes":
    """How a prediction (C1) comes about: from the user's mean, each neighbour moves it a little further.

    Parameters
    ----------
    neighbours : sequence of acai.cf.neighbours.Neighbour
        What `explain` gives, the nearest first.
    mean : float
        r̄(u), where it begins.
    """
    ax = axes(ax, size=(7, 0.9 + 0.32 * len(neighbours)))
    moves = np.array([n.contribution for n in neighbours])
    starts = mean + np.concatenate([[0], np.cumsum(moves)])
    ax.barh(range(len(moves)), moves, left=starts[:-1], color=np.where(moves < 0, RED, BLUE), height=0.6)
    ax.set_yticks(range(len(moves)), [f"{n.name}: s = {n.similarity:.2f}, {n.rating:g} stars" for n in neighbours], fontsize=8)
    ax.axvline(mean, color=BLACK, lw=0.8, ls="--", label=f"r̄(u) = {mean:.2f}")
    ax.axvline(starts[-1], color=BLACK, lw=0.8, label=f"r̂(u,i) = {starts[-1]:.2f}")
    ax.invert_yaxis()
    ax.use_sticky_edges = False  # so that the first bar does not begin at the frame
    ax.margins(x=0.08)
    ax.set(xlabel="stars")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def singular_values(sigma: np.ndarray, k: int | None = None, ax: "Axes | None" = None) -> "Axes":
    """The singular values, the largest first; the first `k`, which are kept (C6), are painted."""
    ax = axes(ax)
    number = np.arange(1, len(sigma) + 1)
    ax.bar(number, sigma, color=np.where(number <= (k or 0), ORANGE, SKY))
    ax.set(xlabel="f", ylabel="singular value σ_f")
    if k:
        share = np.square(sigma[:k]).sum() / np.square(sigma).sum()
        ax.set_title(f"the first {k} have {share:.1%} of Σσ²", fontsize=10)
    return ax


def trajectories(
    F: Callable[[np.ndarray], np.ndarray], paths: Mapping[str, np.ndarray], ax: "Axes | None" = None,
    x: tuple[float, float] = (-1, 1), y: tuple[float, float] = (-1, 1), names: tuple[str, str] = ("w₁", "w₂"),
) -> "Axes":  # fmt: skip
    """Paths of descent over the contours of a function of two parameters.

    Parameters
    ----------
    F : callable
        From an array of shape (..., 2) to one of shape (...).
    paths : mapping of str to numpy.ndarray, shape (steps + 1, 2)
        Where each descent was; the dot is its start, the ring its end.
    x, y : tuple of float
        The part of the plane that is shown.
    """
    ax = axes(ax, size=(6.4, 4.6))
    grid = np.stack(np.meshgrid(np.linspace(*x, 201), np.linspace(*y, 201)), axis=-1)  # (201, 201, 2)
    values = F(grid)
    levels = values.min() + np.ptp(values) * np.linspace(0, 1, 16)[1:] ** 3
    ax.contour(grid[..., 0], grid[..., 1], values, levels=levels, colors="0.75", linewidths=0.8)
    for (name, path), colour in zip(paths.items(), LINES):
        ax.plot(*path.T, "-", color=colour, lw=1.2, label=name)
        ax.plot(*path.T, ".", color=colour, ms=4)
        ax.plot(*path[0], "o", color=BLACK, ms=6)
        ax.plot(*path[-1], "o", color=colour, ms=9, mfc="none")
    ax.set(xlim=x, ylim=y, xlabel=names[0], ylabel=names[1])
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax
