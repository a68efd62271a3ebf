"""A map of songs by their sound, as a drawing on a page: each dot shows its name when pointed at."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT, MARGIN = 640, 440, 24  # in units of the drawing
MOST = 2000  # dots
EDGE = 2.5  # standard deviations from the middle to the edge, at most: one odd song does not push all others together


@dataclass(frozen=True)
class Group:
    """Songs that are drawn alike.

    Attributes
    ----------
    label, colour : str
        What they are, and how they are drawn.
    songs : sequence of int
        Their rows.
    sizes : sequence of float
        The radius of each dot.
    """

    label: str
    colour: str
    songs: Sequence[int]
    sizes: Sequence[float]


def song_map(X: np.ndarray, names: Sequence[str], groups: Sequence[Group]) -> str:
    """Draw songs on the plane of the first two principal components of X, shape (n_songs, features), as SVG.

    Parameters
    ----------
    X : numpy.ndarray
        The sound of each song.
    names : sequence of str
        What each dot says when it is pointed at.
    groups : sequence of Group
        Drawn in this order, the last on top. Of a group of very many songs, only some are drawn.
    """
    xy = _places(X)
    dots, labels = [], []
    for k, group in enumerate(groups):
        step = max(1, -(-len(group.songs) // MOST))
        for song, size in zip(group.songs[::step], group.sizes[::step]):
            place = f"cx='{xy[song, 0]:.1f}' cy='{xy[song, 1]:.1f}' r='{size:.1f}' fill='{group.colour}'"
            dots.append(f"<circle {place} fill-opacity='.75'><title>{escape(names[song])}</title></circle>")
        y = HEIGHT + 18
        labels.append(f"<circle cx='{MARGIN + 210 * k}' cy='{y - 5}' r='5' fill='{group.colour}'/>")
        labels.append(f"<text x='{MARGIN + 12 + 210 * k}' y='{y}' font-size='14'>{escape(group.label)}</text>")
    kinds = ", ".join(f"{len(group.songs)} {group.label}" for group in groups)
    seen = f"aria-label='{escape(f'A map with a dot for each song: {kinds}')}'"
    drawing = f"<svg viewBox='0 0 {WIDTH} {HEIGHT + 30}' role='img' {seen}>{''.join(dots + labels)}</svg>"
    caption = "Songs near each other sound alike. Point at a dot to see its name."
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"


def _places(X: np.ndarray) -> np.ndarray:
    """Place songs in the drawing: those that do not differ in the middle, those far away at its edge."""
    centred = X - X.mean(axis=0)
    _, _, Vt = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(X), 2))
    plane[:, : min(2, len(Vt))] = centred @ Vt[:2].T
    edge = np.minimum(np.abs(plane).max(axis=0), EDGE * plane.std(axis=0))
    edge[edge < 1e-9] = 1.0
    half = np.array([WIDTH / 2, HEIGHT / 2])
    places: np.ndarray = half + np.clip(plane / edge, -1, 1) * (half - MARGIN)
    return places
