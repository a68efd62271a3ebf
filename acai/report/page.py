"""Results on one HTML page with text, pictures and audio: no scripts, no network access, no other files.

The template is `page.html`; this module fills it in.
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
from acai.nn import Sequential
from acai.nn.layer import params_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Page:
    """The page of one listener.

    Attributes
    ----------
    title, lead : str
        The heading, and what readers need to know first.
    listener : str
        Whose songs these are, in words.
    played, new : mapping of song to words
        What the listener played most, and what is recommended to them, best first.
    sound : callable
        Maps a song to (samples, rate).
    audio_model : AudioToFactors
        The fitted network.
    S : numpy.ndarray, shape (bands, frames)
        The spectrogram of the first new song, to show what the network responds to.
    factor_map : Axes
        The songs, as drawn by `acai.plots.factor_map`.
    results : str
        Further HTML, as made by `table` and `picture`.
    """

    title: str
    lead: str
    listener: str
    played: Mapping[str, str]
    new: Mapping[str, str]
    sound: Callable[[str], tuple[np.ndarray, float]]
    audio_model: AudioToFactors
    S: np.ndarray
    factor_map: "Axes"
    results: str = ""

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page atomically."""
        network = self.audio_model.trained_network()
        window = consecutive_windows(self.S, self.audio_model.width, self.audio_model.inputs)[:1]
        filters_and_relu = Sequential(network.layers[:2])
        A = filters_and_relu.predict(shaped(window, network))[0, :, 0]  # (filters, frames)
        W = params_of(network.layers[0])["W"]
        page = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8")).substitute(
            title=escape(self.title), lead=escape(self.lead), listener=escape(self.listener), results=self.results,
            played=_players(self.played, self.sound), new=_players(self.new, self.sound), first=escape(next(iter(self.new))),
            training=_png(plots.training(self.audio_model.history)), spectrogram=_png(plots.spectrogram(self.S)),
            responses=_png(plots.responses(window[0, :, 0], A)), filters=_png(plots.filters(W)),
            factor_map=_png(self.factor_map),
        )
        with atomic_write(path) as temporary:
            temporary.write_text(page, encoding="utf-8")


def table(heading: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Build a table under a heading, the first column aligned left and the others right."""
    drawn = html_table(([escape(cell) for cell in row] for row in rows), [escape(cell) for cell in header], style="")
    return f"<h2>{escape(heading)}</h2>{drawn}"


def picture(drawn: "Axes | Figure", caption: str) -> str:
    """Build a figure with a caption."""
    return f'<figure><img alt="" src="{_png(drawn)}"><figcaption>{escape(caption)}</figcaption></figure>'


def _players(songs: Mapping[str, str], sound: Callable[[str], tuple[np.ndarray, float]]) -> str:
    """Build an audio player for each song, below its description; the audio is embedded as mp3."""
    entries = []
    for song, words in songs.items():
        source = f"data:audio/mpeg;base64,{base64.b64encode(encoded(*sound(song), 'MP3')).decode()}"
        entries.append(f"<p>{escape(f'{song}, {words}')}<br><audio controls preload=metadata src='{source}'></audio></p>")
    return "".join(entries)


def encoded(samples: np.ndarray, rate: float, format: str) -> bytes:
    """Encode audio as the contents of a file of this format: "WAV" or "MP3"."""
    file = io.BytesIO()
    with delayed_interrupts():  # callbacks of the library drop exceptions: parts of the audio would be missing
        soundfile.write(file, samples, int(rate), format=format)
    return file.getvalue()


def _png(drawn: "Axes | Figure") -> str:
    """Encode a picture as a data URL."""
    png = io.BytesIO()
    plots.save(drawn, png)
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
