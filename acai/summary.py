"""Ratings at a glance: sizes, density, and how long the tail is."""

import html as markup
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from acai.ratings import Ratings


def summary(ratings: "Ratings") -> dict[str, str]:
    """What one wants to know of a matrix before trusting a model of it, by its name."""
    per_user = np.diff(ratings.csr.indptr)
    per_song = np.bincount(ratings.csr.indices, minlength=ratings.n_songs)
    data = ratings.csr.data
    lines = {
        "users × songs": f"{ratings.n_users:,} × {ratings.n_songs:,}",
        "known entries": f"{ratings.n_ratings:,} ({ratings.density:.3%})",
        "values": f"{data.min():g} to {data.max():g}, mean {data.mean(dtype=np.float64):.3g}" if len(data) else "none",
        "songs of a user": _spread(per_user),
        "users of a song": _spread(per_song),
    }
    for share in (0.01, 0.1, 0.5):
        n_top = max(round(share * ratings.n_songs), 1)
        top = np.partition(per_song, ratings.n_songs - n_top)[ratings.n_songs - n_top :].sum() / max(
            ratings.n_ratings, 1
        )
        lines[f"the top {share:.0%} of songs"] = f"{'█' * round(20 * top):<20} {top:.0%} of the entries"
    if ratings.times is not None and len(ratings.times):
        first, last = (
            str(np.datetime64(int(moment), "s"))[:10] for moment in (ratings.times.min(), ratings.times.max())
        )
        lines["made"] = f"{first} to {last}"
    return lines


def html(ratings: "Ratings") -> str:
    """The summary and the notes as a small table for notebooks."""
    rows = [
        f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{line}</td></tr>"
        for name, line in summary(ratings).items()
    ]
    notes = [f"<tr><td colspan='2' style='text-align:left'>{markup.escape(note)}</td></tr>" for note in ratings.notes]
    return f"<table>{''.join(rows + notes)}</table>"


def _spread(counts: np.ndarray) -> str:
    return f"median {np.median(counts):,.0f}, from {counts.min():,} to {counts.max():,}"
