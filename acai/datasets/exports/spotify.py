"""Spotify's exports: the streaming history of the account data (a year), and the extended one (everything)."""

from collections.abc import Iterator
from io import BufferedReader

from acai.datasets.exports.entries import NO_NAME, PODCAST, UNREADABLE, Entry, Export, count_of, name_of, seconds_of
from acai.datasets.exports.json_items import json_items

ABOUT_SPEECH = ("podcastName", "episodeName", "episode_name", "spotify_episode_uri", "audiobook_title", "audiobookTitle")
NOBODY_CHOSE = ("trackerror", "unexpected-exit", "unexpected-exit-while-paused", "logout")
UNKNOWN = ("", "Unknown Artist", "Unknown Track")


def _account(stream: BufferedReader, label: str) -> Iterator[Entry | str]:
    """Read `StreamingHistory0.json` or `StreamingHistory_music_0.json`: each entry has the minute in which it ended."""
    for item in json_items(stream, label):
        yield _entry(item, ("artistName", "trackName", "endTime", "msPlayed"))


def _extended(stream: BufferedReader, label: str) -> Iterator[Entry | str]:
    """Read `endsong_0.json` or `Streaming_History_Audio_2020-2021_3.json`."""
    for item in json_items(stream, label):
        yield _entry(item, ("master_metadata_album_artist_name", "master_metadata_track_name", "ts", "ms_played"))


def _entry(item: object, fields: tuple[str, str, str, str]) -> Entry | str:
    if not isinstance(item, dict):
        return UNREADABLE
    artist, title, time, ms = (item.get(field) for field in fields)
    if not title and any(item.get(field) for field in ABOUT_SPEECH):
        return PODCAST
    names = name_of(artist), name_of(title)
    if names[0] in UNKNOWN or names[1] in UNKNOWN:
        return NO_NAME
    seconds, ms_played = seconds_of(time), count_of(ms)
    if seconds is None or ms_played < 0:
        return UNREADABLE
    return Entry(*names, seconds, ms_played, _how_it_ended(item.get("reason_end"), item.get("skipped")))


def _how_it_ended(reason: object, skipped: object) -> str:
    if reason == "trackdone":
        return "done"
    if reason in NOBODY_CHOSE:
        return "interrupted"
    return "skipped" if skipped is True else ""


SPOTIFY_ACCOUNT = Export("Spotify, account data", _account)
SPOTIFY_EXTENDED = Export("Spotify, extended streaming history", _extended)
