"""What was learnt, on one page that one can read, look at and hear."""

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from acai.content import AudioToFactors
from acai.content.windows import consecutive_windows
from acai.page import Page


@dataclass
class Story:
    """What a report tells.

    Attributes
    ----------
    title, lead : str
        The heading, and what a reader must know first.
    tables : list of (heading, header, rows)
        Results in numbers.
    ladder : mapping of str to float
        The AUC of each way to recommend unheard songs; empty where it was not measured.
    ear : AudioToFactors
        The network that listened.
    Q : numpy.ndarray, shape (n_songs, k)
        Where the songs stand, for the map.
    colours, colour_label : numpy.ndarray of shape (n_songs,), str
        Something known of them, which colours the map.
    listener : str
        Whose favourites and recommendations are to be heard, in words.
    favourites, recommended : mapping of song to words
        In order.
    sound : callable
        song → (samples, rate).
    spectrogram : callable
        song → (bands, frames).
    """

    title: str
    lead: str
    ear: AudioToFactors
    Q: np.ndarray
    listener: str
    favourites: Mapping[Hashable, str]
    recommended: Mapping[Hashable, str]
    sound: Callable[[Hashable], tuple[np.ndarray, float]]
    spectrogram: Callable[[Hashable], np.ndarray]
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[object]]]] = ()
    ladder: Mapping[str, float] = field(default_factory=dict)
    colours: np.ndarray | None = None
    colour_label: str = ""


def write_report(story: Story, path: str | os.PathLike) -> None:
    """Write the page; it needs nothing beside it and no network to be opened."""
    from acai import plots

    page = Page(story.title)
    page.text(story.lead, notice=True)
    page.heading("Listen")
    page.text(story.listener)
    page.players(
        [
            ("Played most", [(words, story.sound(song)) for song, words in story.favourites.items()]),
            (
                "Recommended by their sound alone",
                [(words, story.sound(song)) for song, words in story.recommended.items()],
            ),
        ]
    )
    for heading, header, rows in story.tables:
        page.heading(heading)
        page.table(header, rows)
    if story.ladder:
        page.picture(plots.ladder(story.ladder).figure, "How well each way recommends songs that nobody has played.")
    page.heading("How the network learnt")
    page.picture(
        plots.training(story.ear.history).figure, "Loss while learning, and R² on songs held out, epoch by epoch."
    )
    page.heading("What the network hears")
    song = next(iter(story.recommended))
    page.picture(plots.spectrogram(story.spectrogram(song)).figure, f"Log-mel spectrogram (A1, A2) of {song}.")
    window = consecutive_windows(story.spectrogram(song), story.ear.width, story.ear.inputs)[:1]
    filters, relu = story.ear.network.layers[:2]
    A = relu.predict(filters.predict(story.ear.shaped(window)))  # (1, filters, 1, frames)
    page.picture(
        plots.responses(window[0, :, 0], A[0, :, 0]),
        "The first window of it, and when each filter of the first layer responds.",
    )
    page.picture(
        plots.filters(filters.params["W"]).figure, "What these filters listen for: red excites, blue inhibits."
    )
    page.heading("Where the songs stand")
    page.picture(
        plots.factor_map(story.Q, story.colours, story.colour_label).figure,
        "The hidden features Q of all songs that have listeners, on the plane that shows most of them.",
    )
    page.write(path)
