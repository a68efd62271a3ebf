"""One self-contained HTML page that can be read, looked at and heard: no script, no network, nothing beside it."""

import base64
import html
import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from acai.files import written_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .25rem 1.2rem .25rem 0; text-align: left; border-bottom: 1px solid #ddd }
td:not(:first-child), th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums }
img { max-width: 100%; height: auto } figure { margin: 1rem 0 } figcaption { color: #555 }
.players { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem } audio { width: 100% }
.notice { background: #fff3cd; padding: .5rem 1rem; border-radius: .3rem }
"""


class Page:
    """A page that is put together from top to bottom, then written whole.

    Parameters
    ----------
    title : str
        Its heading.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self.parts.append(f"<h2>{html.escape(text)}</h2>")

    def text(self, text: str, notice: bool = False) -> None:
        """A paragraph; a notice stands out."""
        self.parts.append(f"<p{' class=notice' if notice else ''}>{html.escape(text)}</p>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table, its first column to the left and the others, numbers mostly, to the right."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        self.parts.append(f"<table><tr>{head}</tr>{body}</table>")

    def picture(self, figure: "Figure", caption: str) -> None:
        """A figure of Matplotlib; the caption is also what is read out to those who cannot see it."""
        import matplotlib.pyplot as plt

        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=110)
        plt.close(figure)
        words = html.escape(caption)
        source = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
        self.parts.append(f'<figure><img alt="{words}" src="{source}"><figcaption>{words}</figcaption></figure>')

    def players(self, columns: Sequence[tuple[str, Sequence[tuple[str, tuple[np.ndarray, float]]]]]) -> None:
        """Songs to listen to, in columns side by side: (heading, [(words, (samples, rate)), …])."""
        inside = []
        for heading, songs in columns:
            entries = "".join(
                f"<p>{html.escape(words)}<br><audio controls preload=metadata src='{_sound(samples, rate)}'></audio></p>"
                for words, (samples, rate) in songs
            )
            inside.append(f"<div><h3>{html.escape(heading)}</h3>{entries}</div>")
        self.parts.append(f"<div class=players>{''.join(inside)}</div>")

    def write(self, path: str | os.PathLike) -> None:
        """Write the page, whole or not at all."""
        title = html.escape(self.title)
        head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
        with written_whole(path) as temporary:
            temporary.write_text(f"{head}<h1>{title}</h1>\n" + "\n".join(self.parts) + "</html>\n", encoding="utf-8")


def _sound(samples: np.ndarray, rate: float) -> str:
    """Samples as the address of an mp3 that stands in the page itself."""
    import soundfile

    mp3 = io.BytesIO()
    soundfile.write(mp3, samples, int(rate), format="MP3")
    return f"data:audio/mpeg;base64,{base64.b64encode(mp3.getvalue()).decode()}"
