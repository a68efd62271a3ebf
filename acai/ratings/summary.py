"""The table that a notebook shows for ratings."""

import html
from typing import TYPE_CHECKING

import numpy as np

from acai.html_table import html_table

if TYPE_CHECKING:
    from acai.ratings.matrix import Ratings


def html_summary(ratings: "Ratings") -> str:
    """Summarise sizes, density, the long tail and the notes in a small table."""
    data, per_user = ratings.csr.data, np.diff(ratings.csr.indptr)
    per_song = np.sort(np.bincount(ratings.csr.indices, minlength=ratings.n_songs))[::-1]
    spread = "median {:,.0f}, from {:,} to {:,}".format
    rows = {
        "users × songs": f"{ratings.n_users:,} × {ratings.n_songs:,}",
        "known entries": f"{ratings.n_ratings:,} ({ratings.density:.3%})",
        "values": f"{data.min():g} to {data.max():g}, mean {data.mean(dtype=np.float64):.3g}" if len(data) else "none",
        "songs of a user": spread(np.median(per_user), per_user.min(), per_user.max()),
        "users of a song": spread(np.median(per_song), per_song[-1], per_song[0]),
    }
    for share in (0.01, 0.1, 0.5):
        top = per_song[: max(round(share * ratings.n_songs), 1)].sum() / max(ratings.n_ratings, 1)
        rows[f"the top {share:.0%} of songs"] = f"{'█' * round(20 * top):<20} {top:.0%} of the entries"
    if ratings.times is not None and len(ratings.times):
        first, last = np.array([ratings.times.min(), ratings.times.max()]).astype("datetime64[s]").astype("datetime64[D]")
        rows["made"] = f"{first} to {last}"
    if ratings.notes:
        rows["notes"] = "<br>".join(html.escape(note) for note in ratings.notes)
    return html_table((f"<b>{name}</b>", said) for name, said in rows.items())
