"""Results on one HTML page with text, pictures and audio: no scripts, no network access, no other files.

The template is `page.html`; this module fills it in.
"""

import base64
import io
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from scipy.ndimage import gaussian_filter1d

from acai import plots
from acai.content import AudioToFactors
from acai.content.audio_network import shaped
from acai.content.windows import consecutive_windows
from acai.files import atomic_write
from acai.html_table import html_table
from acai.interrupts import delayed_interrupts
from acai.nn import Sequential
from acai.nn.layer import params_of

SMOOTHING = 2.0  # mel bands: neighbouring weights of a filter differ by noise that hides its form

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Song:
    """A song on a page.

    Attributes
    ----------
    song : str
        Its name, for `Page.sound`.
    heading, words : str
        What it is called, and what is said of it.
    cover : (str, bytes) or None
        The media type of its cover and the picture itself.
    """

    song: str
    heading: str
    words: str
    cover: tuple[str, bytes] | None = None


@dataclass(frozen=True)
class Page:
    """The page of one listener.

    Attributes
    ----------
    title, lead : str
        The heading, and what readers need to know first.
    listener : str
        Whose songs these are, in words.
    played, new : sequence of Song
        What the listener played most, and what is recommended to them, best first.
    sound : callable
        Maps a song to (samples, rate).
    sections : str
        What follows, as HTML made by `table`, `picture` and the like.
    """

    title: str
    lead: str
    listener: str
    played: Sequence[Song]
    new: Sequence[Song]
    sound: Callable[[str], tuple[np.ndarray, float]]
    sections: str = ""

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page atomically."""
        page = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8")).substitute(
            title=escape(self.title), lead=escape(self.lead), listener=escape(self.listener), sections=self.sections,
            played=_players(self.played, self.sound), new=_players(self.new, self.sound),
        )
        with atomic_write(path) as temporary:
            temporary.write_text(page, encoding="utf-8")


def section(heading: str, *parts: str) -> str:
    """Build a section of parts that are HTML already."""
    return f"<h2>{escape(heading)}</h2>{''.join(parts)}"


def sound_section(S: np.ndarray, song: str) -> str:
    """Show the spectrogram of a song."""
    seen = f"{len(S)} mel bands from low to high over {S.shape[1]} frames of time, the brighter the louder."
    return section("What the models hear", picture(plots.spectrogram(S), f"Log-mel spectrogram (A1, A2) of {song}.", seen))


def network_sections(audio_model: AudioToFactors, S: np.ndarray, song: str) -> str:
    """Show how a fitted network learnt, and what it responds to in a song with the spectrogram S, (bands, frames)."""
    network = audio_model.trained_network()
    window = consecutive_windows(S, audio_model.width, audio_model.inputs)[:1]
    filters_and_relu = Sequential(network.layers[:2])
    A = filters_and_relu.predict(shaped(window, network))[0, :, 0]  # (filters, frames)
    W = params_of(network.layers[0])["W"]  # (filters, bands, 1, frames)
    smooth = gaussian_filter1d(W, SMOOTHING, axis=1)
    first, last = audio_model.history[0], audio_model.history[-1]
    curves = picture(
        plots.training(audio_model.history), "Loss while learning, and R² on songs held out, epoch by epoch.",
        f"Curves over {len(audio_model.history)} epochs: the loss goes from {first.loss:.2g} to {last.loss:.2g}.",
    )
    responses = picture(
        plots.responses(window[0, :, 0], A), "The first window of it, and when each filter of the first layer responds.",
        f"A spectrogram, and below it a row for each of {len(A)} filters: dark where it responds, at the same times.",
    )
    filters = picture(
        plots.filters(smooth),
        "What these filters listen for, smoothed over the bands, the strongest first: red excites, blue inhibits.",
        f"The weights of the filters, as narrow strips side by side, {W.shape[1]} bands high: red and blue.",
    )
    return section("How the network learnt", curves) + sound_section(S, song) + responses + filters


def table(heading: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Build a table under a heading, the first column aligned left and the others right."""
    drawn = html_table(([escape(cell) for cell in row] for row in rows), [escape(cell) for cell in header], style="")
    return f"<h2>{escape(heading)}</h2>{drawn}"


def picture(drawn: "Axes | Figure", caption: str, seen: str) -> str:
    """Build a figure with a caption, and with what is to be seen on it, for readers who cannot see it."""
    return f'<figure><img alt="{escape(seen)}" src="{_png(drawn)}"><figcaption>{escape(caption)}</figcaption></figure>'


def _players(songs: Iterable[Song], sound: Callable[[str], tuple[np.ndarray, float]]) -> str:
    """Build an audio player for each song, below its description; the audio is embedded as mp3."""
    entries = []
    for song in songs:
        source = f"data:audio/mpeg;base64,{base64.b64encode(encoded(*sound(song.song), 'MP3')).decode()}"
        image = ""
        if song.cover is not None:
            kind, data = song.cover
            encoded_image = base64.b64encode(data).decode()
            image = f"<img class=cover alt='Cover of {escape(song.heading)}' src='data:{kind};base64,{encoded_image}'>"
        words = f"<b>{escape(song.heading)}</b><br>{escape(song.words)}"
        entries.append(f"<div class=song>{image}<p>{words}<audio controls preload=metadata src='{source}'></audio></p></div>")
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
