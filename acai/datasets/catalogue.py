"""The catalogue of data sets, `catalogue.toml`, as records."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Remote:
    """One file to download.

    Attributes
    ----------
    url : str
    checksum : str or None
        "md5:…" or "sha1:…" as published by its makers; None if they publish none.
    size : int or None
        In bytes, if it is known.
    contents : dict
        Published checksums of files inside the archive.
    """

    url: str
    checksum: str | None = None
    size: int | None = None
    contents: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class DataSet:
    """One data set; `signs` are the files by which it is recognised, `reader` is its function in `acai.datasets`."""

    size: str
    terms: str
    good_for: str
    reader: str
    signs: tuple[str, ...]
    files: tuple[Remote, ...] = ()
    by_hand: str = ""  # how to get it if it cannot be downloaded without logging in


CATALOGUE = {
    name: DataSet(**entry | {"files": tuple(Remote(**file) for file in entry.get("files", []))})
    for name, entry in tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")).items()
}
