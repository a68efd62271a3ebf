"""What was learnt, on one HTML page that one can read, look at and hear: no script, no network, nothing beside it.

The page itself is `page.html`; here its gaps are filled.
"""

import base64
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from acai import plots
from acai.content import AudioToFactors
from acai.content.audio_network import shaped
from acai.content.windows import consecutive_windows
from acai.files import atomic_write
from acai.html_table import html_table
from acai.interrupts import delayed_interrupts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Page:
    """The page of one listener.

    Attributes
    ----------
    title, lead : str
        The heading, and what a reader must know first.
    listener : str
        Whose songs are to be heard, in words.
    played, new : mapping of song to words
        What the listener played most, and what is recommended to them, the best first.
    sound : callable
        From a song to (samples, rate).
    ear : AudioToFactors
        The network that listened.
    S : numpy.ndarray, shape (bands, frames)
        The spectrogram of the first of the new songs, to show what the network hears.
    factor_map : Axes
        Where the songs stand, by `acai.plots.factor_map`.
    results : str
        What else is to be seen, as `table` and `picture` make it.
    """

    title: str
    lead: str
    listener: str
    played: Mapping[str, str]
    new: Mapping[str, str]
    sound: Callable[[str], tuple[np.ndarray, float]]
    ear: AudioToFactors
    S: np.ndarray
    factor_map: "Axes"
    results: str = ""

    def write(self, path: str | os.PathLike) -> None:
        """Write the page, whole or not at all."""
        network = self.ear.fitted_network
        window = consecutive_windows(self.S, self.ear.width, self.ear.inputs)[:1]
        filters, relu = network.layers[:2]
        A = relu.predict(filters.predict(shaped(window, network)))[0, :, 0]  # (filters, frames)
        page = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8")).substitute(
            title=escape(self.title), lead=escape(self.lead), listener=escape(self.listener), results=self.results,
            played=_players(self.played, self.sound), new=_players(self.new, self.sound), first=escape(next(iter(self.new))),
            training=_png(plots.training(self.ear.history)), spectrogram=_png(plots.spectrogram(self.S)),
            responses=_png(plots.responses(window[0, :, 0], A)), filters=_png(plots.filters(filters.params["W"])),
            factor_map=_png(self.factor_map),
        )
        with atomic_write(path) as temporary:
            temporary.write_text(page, encoding="utf-8")


def table(heading: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table under a heading, its first column to the left and the others, numbers mostly, to the right."""
    drawn = html_table(([escape(cell) for cell in row] for row in rows), [escape(cell) for cell in header], style="")
    return f"<h2>{escape(heading)}</h2>{drawn}"


def picture(drawn: "Axes | Figure", caption: str) -> str:
    """A picture and what it shows."""
    return f'<figure><img alt="" src="{_png(drawn)}"><figcaption>{escape(caption)}</figcaption></figure>'


def _players(songs: Mapping[str, str], sound: Callable[[str], tuple[np.ndarray, float]]) -> str:
    """A player for each song, under what is said of it; the sound, as mp3, stands in its address."""
    entries = []
    for song, words in songs.items():
        source = f"data:audio/mpeg;base64,{base64.b64encode(encoded(*sound(song), 'MP3')).decode()}"
        entries.append(f"<p>{escape(f'{song}, {words}')}<br><audio controls preload=metadata src='{source}'></audio></p>")
    return "".join(entries)


def encoded(samples: np.ndarray, rate: float, format: str) -> bytes:
    """A sound as the contents of a file of this format, such as "WAV" or "MP3"."""
    file = io.BytesIO()
    with delayed_interrupts():  # the library writes through callbacks, which drop exceptions: parts of the sound would be missing
        soundfile.write(file, samples, int(rate), format=format)
    return file.getvalue()


def _png(drawn: "Axes | Figure") -> str:
    """A picture as an address that holds it."""
    png = io.BytesIO()
    plots.save(drawn, png)
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
