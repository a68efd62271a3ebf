"""Pictures of parts D, C and E: who played what, who is similar to whom, how models descend, and how they compare."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from acai.datasets.listening_log import ListeningLog
from acai.plots.style import BLACK, BLUE, COLOURS, DASHES, ORANGE, RED, SKY, axes, image, legend_beside, literal, panels
from acai.ratings import Ratings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acai.cf.lists import Reason
    from acai.content.checkpoint import Epoch

IN_NUMBERS = {  # dates on an axis: names of months would be in one language
    "formats": ["%Y", "%m", "%d", "%H:%M", "%H:%M", "%S.%f"],
    "zero_formats": ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"],
    "offset_formats": ["", "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d %H:%M"],
}
RULES = ("plays", "log1p", "binary", "stars_from_counts", "stars_from_times")


def matrix(R: "Ratings | np.ndarray", ax: "Axes | None" = None, label: str = "stars", sort: bool = False) -> "Axes":
    """Draw the matrix R: users downwards, songs to the right, gaps white.

    Parameters
    ----------
    R : Ratings or numpy.ndarray, shape (m, n)
        In an array, NaN is a gap.
    label : str
        What the values are.
    sort : bool
        Put the most active users at the top and the most popular songs on the left.
    """
    if isinstance(R, Ratings):
        dense = np.full(R.csr.shape, np.nan)
        dense[R.user_codes, R.csr.indices] = R.csr.data
        R = dense
    if sort:
        known = ~np.isnan(R)
        R = R[np.argsort(-known.sum(axis=1), kind="stable")][:, np.argsort(-known.sum(axis=0), kind="stable")]
    ax = axes(ax, (6, 4.2), xlabel="songs", ylabel="users")
    return image(ax, R, label, "viridis")


def diary(times: np.ndarray, songs: Sequence[str], n_songs: int = 20, ax: "Axes | None" = None) -> "Axes":
    """Draw one listener's plays: a tick per play, a row per song, at most `n_songs`, the most played at the top.

    Parameters
    ----------
    times : numpy.ndarray of int, shape (n_plays,)
        Seconds since 1970.
    songs : sequence of str, length n_plays
        The song of each play.
    """
    from matplotlib.dates import ConciseDateFormatter

    names, song, n = np.unique(np.asarray(songs), return_inverse=True, return_counts=True)
    order = np.argsort(-n, kind="stable")
    row = np.argsort(order)[song]
    shown = order[:n_songs]
    ax = axes(ax, size=(8, 0.8 + 0.2 * len(shown)))
    ax.plot(np.asarray(times).astype("datetime64[s]")[row < n_songs], row[row < n_songs], "|", color=BLUE, markersize=9)
    ax.set_yticks(range(len(shown)), [f"{literal(names[i])} ({n[i]}×)" for i in shown], fontsize=8)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator(), **IN_NUMBERS))
    ax.invert_yaxis()
    return ax


def long_tail(
    plays: Ratings, head: float = 0.1, ax: "Axes | None" = None,
    words: str = "{head:.0%} of the songs\nhave {share:.0%} of the plays",
) -> "Axes":
    """Draw the plays of each song, the most played on the left; the `head`, a fraction of the songs, is highlighted.

    `words` are written beside it, with its `{share}` of all plays; translate them together with the labels of the axes.
    """
    n = np.sort(np.bincount(plays.csr.indices, plays.csr.data, plays.n_songs))[::-1]
    top = max(1, round(head * len(n)))
    ax = _bars(n, top, ax, width=1, xlabel="songs, the most played first", ylabel="plays")
    share = n[:top].sum() / n.sum()
    ax.text(top + len(n) / 40, n[0] * 0.9, words.format(head=head, share=share), va="top")
    return ax


def singular_values(sigma: np.ndarray, k: int = 0, ax: "Axes | None" = None) -> "Axes":
    """Draw the singular values, the largest first; the first `k`, which are kept (C6), are highlighted."""
    share = np.square(sigma[:k]).sum() / (np.square(sigma).sum() or 1.0)
    ax = _bars(sigma, k, ax, xlabel="f", ylabel="singular value σ_f")
    ax.set_title(f"the first {k} have {share:.1%} of Σσ²" if k else "", fontsize=10)
    return ax


def _bars(heights: np.ndarray, n: int, ax: "Axes | None", width: float = 0.8, **labels: Any) -> "Axes":
    """Draw bars from left to right, the first n of them highlighted."""
    ax = axes(ax, **labels)
    place = np.arange(1, len(heights) + 1)
    ax.bar(place, heights, width, color=np.where(place <= n, ORANGE, SKY))
    return ax


def rules(log: ListeningLog) -> "Figure":
    """Draw one panel per rule: each pair's plays on the x axis, its value on the y axis; large dots are many pairs."""
    import matplotlib.pyplot as plt

    figure, places = plt.subplots(1, len(RULES), figsize=(12, 2.8), layout="constrained")
    n = log.to_ratings("plays").csr.data
    for number, (rule, ax) in enumerate(zip(RULES, places), start=1):
        (x, y), pairs = np.unique(np.stack([n, log.to_ratings(rule).csr.data]), axis=1, return_counts=True)
        axes(ax, xscale="log", xlabel="plays", title=f"{rule} (D{number})")
        ax.scatter(x, y, s=4 + 100 * np.sqrt(pairs / len(n)), color=BLUE, alpha=0.7)
        ax.set_ylim(bottom=0)
    return figure


def two_users(r_u: np.ndarray, r_v: np.ndarray, ax: "Axes | None" = None) -> "Axes":
    """Draw the songs that both rated: one user's stars on the x axis, the other's on the y axis; dashed, their means (C3)."""
    both = ~np.isnan(r_u) & ~np.isnan(r_v)
    (x, y), n = np.unique(np.stack([r_u[both], r_v[both]]), axis=1, return_counts=True)
    stars = {"xlim": (0.5, 5.5), "ylim": (0.5, 5.5), "xticks": range(1, 6), "yticks": range(1, 6)}
    ax = axes(ax, size=(3.6, 3.4), xlabel="stars of u", ylabel="stars of v", **stars)
    ax.scatter(x, y, s=60 * n, color=BLUE, alpha=0.8)
    ax.axvline(r_u[both].mean(), color=BLACK, ls="--", lw=0.8)
    ax.axhline(r_v[both].mean(), color=BLACK, ls="--", lw=0.8)
    return ax


def heat_map(
    S: np.ndarray, label: str = "s(u,v) (C3)", rows: Sequence[str] = (), columns: Sequence[str] = (), ax: "Axes | None" = None
) -> "Axes":
    """Draw a table of numbers between −1 (blue) and 1 (red), such as similarities or correlations; NaN is white."""
    ax = image(axes(ax, (5, 4.2)), S, label, limits=(-1, 1))
    ax.set_yticks(range(len(rows)), map(literal, rows))
    ax.set_xticks(range(len(columns)), map(literal, columns), rotation=40, ha="right")
    return ax


def contributions(neighbours: "Sequence[Reason]", mean: float, ax: "Axes | None" = None) -> "Axes":
    """Show how a prediction (C1) is made: starting from the user's mean, each neighbour moves it a little.

    Parameters
    ----------
    neighbours : sequence of acai.cf.lists.Reason
        What `explain` returns, the nearest first.
    mean : float
        r̄(u), where the prediction starts.
    """
    ax = axes(ax, size=(7, 0.9 + 0.32 * len(neighbours)), xlabel="stars")
    moves = np.array([n.contribution for n in neighbours])
    starts = mean + np.concatenate([[0], np.cumsum(moves)])
    ax.barh(range(len(moves)), moves, left=starts[:-1], color=np.where(moves < 0, RED, BLUE), height=0.6)
    words = [f"{literal(n.name)}: s = {n.similarity:.2f}, {n.rating:g} stars" for n in neighbours]
    ax.set_yticks(range(len(moves)), words, fontsize=8)
    ax.axvline(mean, color=BLACK, lw=0.8, ls="--", label=f"r̄(u) = {mean:.2f}")
    ax.axvline(starts[-1], color=BLACK, lw=0.8, label=f"r̂(u,i) = {starts[-1]:.2f}")
    ax.invert_yaxis()
    ax.use_sticky_edges = False  # so that the first bar does not start at the frame
    ax.margins(x=0.08)
    return legend_beside(ax)


def lines(
    curves: Mapping[str, Sequence[float]], x: Sequence[float] | np.ndarray, steps: bool = False, ax: "Axes | None" = None,
    **labels: Any,
) -> "Axes":
    """Draw curves over the same x, or steps if x is a count; `labels` are as in `axes`: xlabel="k", yscale="log"."""
    ax = axes(ax)
    for (name, y), colour, dashes in zip(curves.items(), COLOURS, DASHES):
        ax.plot(x[: len(y)], y, dashes, color=colour, label=literal(name), drawstyle="steps-mid" if steps else "default")
    ax.set(**labels)
    return legend_beside(ax)


def descent(
    histories: Mapping[str, Sequence[float]], what: str = "objective", level: float | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw a quantity that falls with the epochs, one line per model; `level` is a target to be reached."""
    from matplotlib.ticker import MaxNLocator

    epochs = np.arange(1, max(map(len, histories.values())) + 1)
    ax = lines(histories, epochs, ax=ax, xlabel="epoch", ylabel=what)
    if level is not None:
        ax.axhline(level, color=BLACK, lw=0.8, ls=":")
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    return ax


def training(history: "Sequence[Epoch]", ax: "Axes | None" = None) -> "Axes":
    """Draw the loss and the score of each epoch of a training."""
    losses = [epoch.loss for epoch in history]
    scores = [epoch.score for epoch in history]
    ax = descent({"loss (N5)": losses, "R² on held-out songs": scores}, "", ax=ax)
    ax.set_ylim(bottom=min(0, *scores))
    ax.legend(frameon=False)  # there is room between a loss that falls and a score that rises
    return ax


def trajectories(
    F: Callable[[np.ndarray], np.ndarray], paths: Mapping[str, np.ndarray], ax: "Axes | None" = None,
    x: tuple[float, float] = (-1, 1), y: tuple[float, float] = (-1, 1), names: tuple[str, str] = ("w₁", "w₂"),
) -> "Axes":
    """Draw paths of descent over the contours of a function of two parameters.

    Parameters
    ----------
    F : callable
        Maps an array of shape (..., 2) to one of shape (...).
    paths : mapping of str to numpy.ndarray, shape (steps + 1, 2)
        The positions of each descent; the dot is its start, the ring its end.
    x, y : tuple of float
        The part of the plane that is shown.
    """
    ax = axes(ax, size=(6.4, 4.6), xlabel=names[0], ylabel=names[1], xlim=x, ylim=y)
    grid = np.stack(np.meshgrid(np.linspace(*x, 201), np.linspace(*y, 201)), axis=-1)  # (201, 201, 2)
    values = F(grid)
    levels = values.min() + np.ptp(values) * np.linspace(0, 1, 16)[1:] ** 3
    ax.contour(grid[..., 0], grid[..., 1], values, levels=levels, colors="0.75", linewidths=0.8)
    for (name, path), colour in zip(paths.items(), COLOURS):
        ax.plot(*path.T, ".-", color=colour, lw=1.2, ms=4, label=literal(name))
        ax.plot(*path[0], "o", color=BLACK, ms=6)
        ax.plot(*path[-1], "o", color=colour, ms=9, mfc="none")
    return legend_beside(ax)


def comparison(
    values: Mapping[str, float], what: str, ax: "Axes | None" = None, errors: Mapping[str, float] | None = None
) -> "Axes":
    """Compare one metric of several models; `errors` are drawn as whiskers."""
    ax = axes(ax, xlabel=what)
    whiskers = None if errors is None else [errors[name] for name in values]
    bars = ax.barh([literal(name) for name in values], list(values.values()), xerr=whiskers, color=BLUE, height=0.6)
    ax.bar_label(bars, fmt=" %.4f")
    ax.margins(x=0.2)
    ax.invert_yaxis()
    return ax


def comparisons(found: Mapping[str, Mapping[str, float]]) -> "Figure":
    """Compare several models by every metric, one panel per metric."""
    metrics = list(dict.fromkeys(metric for values in found.values() for metric in values))
    figure, grid = panels(len(metrics), 1, (7, len(metrics) * (0.8 + 0.3 * len(found))))
    for metric, ax in zip(metrics, grid[:, 0]):
        of_models = {name: values[metric] for name, values in found.items() if metric in values}
        comparison(of_models, literal(metric), ax)
    return figure


def ladder(aucs: Mapping[str, float], ax: "Axes | None" = None, errors: Mapping[str, float] | None = None) -> "Axes":
    """Draw the AUC of each way to recommend songs that nobody has played, from chance to the truth."""
    ax = comparison(aucs, "AUC (0.5: random, 1: perfect)", ax, errors)
    ax.axvline(0.5, color=BLACK, lw=0.8, ls=":")
    ax.set_xlim(min(0.5, *aucs.values()) - 0.02, 1)
    return ax
