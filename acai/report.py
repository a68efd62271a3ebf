"""What was learnt, on one HTML page that one can read, look at and hear: no script, no network, nothing beside it."""

import base64
import io
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acai import plots
from acai.content import AudioToFactors
from acai.content.windows import consecutive_windows
from acai.files import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_report(
    path: str | os.PathLike, title: str, lead: str, listener: str, songs: Mapping[str, Mapping[str, tuple[np.ndarray, float]]],
    ear: AudioToFactors, example: tuple[Hashable, np.ndarray], factor_map: "Axes", results: Iterable[str] = (),
) -> None:  # fmt: skip
    """Write the page of one listener, whole or not at all.

    Parameters
    ----------
    path : path
        Where the page is to stand.
    title, lead : str
        The heading, and what a reader must know first.
    listener : str
        Whose songs are to be heard, in words.
    songs : mapping of heading to {words: (samples, rate)}
        A column of players under each heading.
    ear : AudioToFactors
        The network that listened.
    example : (song, spectrogram)
        One of the songs, to show what the network hears.
    factor_map : Axes
        Where the songs stand, by `acai.plots.factor_map`.
    results : iterable of str
        What else is to be seen, as `section`, `table` and `picture` make it.
    """
    song, S = example
    window = consecutive_windows(S, ear.width, ear.inputs)[:1]
    filters, relu = ear.network.layers[:2]
    A = relu.predict(filters.predict(ear.shaped(window)))[0, :, 0]  # (filters, frames)
    style = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{style}</style>",
        f"<h1>{escape(title)}</h1><p class=notice>{escape(lead)}</p>",
        section("Listen", f"<p>{escape(listener)}</p>", _players(songs)),
        *results,
        section(
            "How the network learnt",
            picture(plots.training(ear.history), "Loss while learning, and R² on songs held out, epoch by epoch."),
        ),
        section(
            "What the network hears",
            picture(plots.spectrogram(S), f"Log-mel spectrogram (A1, A2) of {song}."),
            picture(plots.responses(window[0, :, 0], A), "Its first window, and when each filter of the first layer responds."),
            picture(plots.filters(filters.params["W"]), "What these filters listen for: red excites, blue inhibits."),
        ),
        section(
            "Where the songs stand",
            picture(factor_map, "The hidden features Q of all songs that have listeners, on the plane that shows most of them."),
        ),
    ]
    with written_whole(path) as temporary:
        temporary.write_text("\n".join([*parts, "</html>\n"]), encoding="utf-8")


def section(heading: str, *parts: str) -> str:
    """A part of the page under a heading."""
    return "\n".join([f"<h2>{escape(heading)}</h2>", *parts])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, its first column to the left and the others, numbers mostly, to the right."""
    lines = [("th", header), *(("td", row) for row in rows)]
    cells = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line) for tag, line in lines)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>"


def picture(drawn: "Axes | Figure", caption: str) -> str:
    """A picture; the caption is also what is read out to those who cannot see it."""
    png = io.BytesIO()
    plots.save(drawn, png)
    words = escape(caption)
    return f'<figure><img alt="{words}" src="{_address("image/png", png)}"><figcaption>{words}</figcaption></figure>'


def _players(songs: Mapping[str, Mapping[str, tuple[np.ndarray, float]]]) -> str:
    import soundfile

    columns = []
    for heading, sounds in songs.items():
        columns.append(f"<div><h3>{escape(heading)}</h3>")
        for words, (samples, rate) in sounds.items():
            mp3 = io.BytesIO()
            soundfile.write(mp3, samples, int(rate), format="MP3")
            player = f"<audio controls preload=metadata src='{_address('audio/mpeg', mp3)}'></audio>"
            columns.append(f"<p>{escape(words)}<br>{player}</p>")
        columns.append("</div>")
    return f"<div class=players>{''.join(columns)}</div>"


def _address(kind: str, content: io.BytesIO) -> str:
    """A file as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content.getvalue()).decode()}"
