"""ListenBrainz's export: a line of JSON for each listen; in older ones, one list."""

from collections.abc import Iterator
from io import BufferedReader

from acai.datasets.exports.entries import NO_DATE, NO_NAME, UNREADABLE, Entry, Export, name_of, seconds_of
from acai.datasets.exports.json_items import json_items


def _listens(stream: BufferedReader, label: str) -> Iterator[Entry | str]:
    for item in json_items(stream, label):
        yield _entry(item)


def _entry(item: object) -> Entry | str:
    track = item.get("track_metadata") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(track, dict):
        return UNREADABLE
    names = name_of(track.get("artist_name")), name_of(track.get("track_name"))
    if not all(names):
        return NO_NAME
    seconds = seconds_of(item.get("listened_at"))
    if seconds is None:
        return NO_DATE
    more = track.get("additional_info")
    skipped = isinstance(more, dict) and more.get("skipped") is True  # as importers from other services write it
    return Entry(*names, seconds, ended="skipped" if skipped else "")


LISTENBRAINZ = Export("ListenBrainz", _listens)
