"""What a music file says about itself: artist, title and cover; and what its name says where it has no tags."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tinytag import TinyTag

from acai.audio.recording import open_regular
from acai.errors import InputError

LONGEST = 500  # characters of a name
LARGEST_COVER = 1_500_000  # bytes; a page shows ten of them
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
NUMBER = re.compile(r"^(\d{1,2}[-.])?\d{1,3}[\s._-]+(?=\S)")  # "07 - ", "1-07 " in front of a title


@dataclass(frozen=True)
class Names:
    """Artist and title of a song; "" for what is not known."""

    artist: str
    title: str

    def __str__(self) -> str:
        """Write them as one text."""
        return f"{self.artist} – {self.title}" if self.artist else self.title


def names_in_tags(path: str | os.PathLike[str]) -> Names | None:
    """Read artist and title from the tags of a file; None if they lack a title or cannot be read."""
    tag = _tag(path, with_cover=False)
    title = "" if tag is None else _clean(tag.title)
    return None if tag is None or not title else Names(_clean(tag.artist) or _clean(tag.albumartist), title)


def cover(path: str | os.PathLike[str]) -> tuple[str, bytes] | None:
    """Read the cover in the tags of a file, as (media type, bytes); None without one, or if it is no JPEG or PNG, or huge."""
    tag = _tag(path, with_cover=True)
    image = None if tag is None else tag.images.any
    data = b"" if image is None or len(image.data) > LARGEST_COVER else bytes(image.data)
    return next(((kind, data) for sign, kind in PICTURES.items() if data.startswith(sign)), None)


def names_in_path(path: str | os.PathLike[str]) -> list[Names]:
    """Guess artist and title from a path such as `Artist/Album/07 Title.mp3` or `Artist - Title.mp3`, the best guess first.

    Where neither a folder nor the name of the file has an artist, there is one guess without an artist.
    """
    parts = Path(_decoded(path)).with_suffix("").parts
    *folders, stem = [_clean(part.replace("_", " ")) for part in parts if part not in ("/", ".", "..")]
    stem = NUMBER.sub("", stem)
    guesses = []
    first, dash, rest = stem.partition(" - ")
    if dash:
        guesses.append(Names(first, NUMBER.sub("", rest)))
    for folder in (*folders[:1], *folders[1:][::-1]):  # the outermost first, then the innermost
        guesses += [Names(artist, stem) for artist in dict.fromkeys((folder, folder.partition(" - ")[0]))]
        if dash:
            guesses.append(Names(folder, NUMBER.sub("", rest)))
    return guesses or [Names("", stem)]


def _tag(path: str | os.PathLike[str], with_cover: bool) -> TinyTag | None:
    try:
        with open_regular(path) as file:
            return TinyTag.get(os.path.basename(_decoded(path)), file, duration=False, image=with_cover)
    except InputError:
        return None
    except Exception:  # a damaged file: the library raises exceptions of many types
        return None


def _clean(text: object) -> str:
    if not isinstance(text, str):
        return ""
    words = " ".join(text[:LONGEST].replace("\0", " ").split())
    return words.encode("utf-8", "replace").decode("utf-8")


def _decoded(path: str | os.PathLike[str]) -> str:
    """Decode a path: UTF-8 or, where it is none, Windows-1252, in which old music collections are named."""
    raw = os.fsencode(path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
