"""Made-up exports of a listening history, in the form in which each service publishes them."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime

START = 1_577_836_800  # 2020-01-01
MINUTE = 60


def date(seconds, form):
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def songs(n):
    """Artists and titles with everything that real ones have: umlauts, commas, quotation marks, brackets."""
    artists = ["Björk", "Sigur Rós", 'The "Quoted"', "Earth, Wind & Fire", "米津玄師", "AC/DC"]
    return [(artists[i % 6], f"Título {i}, „ganz“ (Live)" if i % 2 else f"Song {i}") for i in range(n)]




def plays(n, n_songs=40):
    table = songs(n_songs)
    picks = [(min(j % 7, j % 5, n_songs - 1) if j % 3 else j % n_songs) for j in range(n)]
    return [(*table[i], START + 7 * MINUTE * j) for j, i in enumerate(picks)]


def spotify_account(rows):
    """`StreamingHistory_music_0.json`; every second entry is a skip."""
    return json.dumps([
        {"endTime": date(t, "%Y-%m-%d %H:%M"), "artistName": artist, "trackName": title, "msPlayed": 2100 if j % 2 else 200_000}
        for j, (artist, title, t) in enumerate(rows)
    ], indent=2, ensure_ascii=False).encode()


def spotify_podcasts(n):
    """`StreamingHistory_podcast_0.json`."""
    item = {"endTime": "2023-05-01 10:00", "podcastName": "A podcast", "episodeName": "Über alles", "msPlayed": 1_800_000}
    return json.dumps([item] * n).encode()


def spotify_extended(rows):
    """`Streaming_History_Audio_2020_0.json`: every second entry is a skip."""
    shared = {"platform": "android", "conn_country": "DE", "shuffle": True, "offline": False, "incognito_mode": False}
    speech = {"episode_name": None, "episode_show_name": None, "spotify_episode_uri": None, "audiobook_title": None}
    return json.dumps([
        shared | speech | {
            "ts": date(t, "%Y-%m-%dT%H:%M:%SZ"), "ms_played": 2100 if j % 2 else 200_000, "skipped": bool(j % 2),
            "master_metadata_track_name": title, "master_metadata_album_artist_name": artist, "spotify_track_uri": f"x:{j}",
            "reason_start": "trackdone", "reason_end": "fwdbtn" if j % 2 else "trackdone",
        }
        for j, (artist, title, t) in enumerate(rows)
    ]).encode()


def listenbrainz(rows):
    """A file of the export: JSON lines."""
    return "".join(
        json.dumps({
            "inserted_at": t + 5, "listened_at": t, "user_name": "ann",
            "track_metadata": {
                "artist_name": artist, "track_name": title, "release_name": None,
                "additional_info": {"recording_msid": "0-0"}, "mbid_mapping": None,
            },
        }) + "\n"
        for artist, title, t in rows
    ).encode()


def lastfm(rows, header=True):
    """With a header, as mainstream.ghan.nl writes it; without, as lastfm-to-csv does."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL if header else csv.QUOTE_MINIMAL, lineterminator="\n")
    if header:
        writer.writerow("uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid".split(","))
    for artist, title, t in rows:
        if header:
            writer.writerow([t, date(t, "%d %b %Y, %H:%M"), artist, "", "An album", "", title, ""])
        else:
            writer.writerow([artist, "An album", title, date(t, "%d %b %Y %H:%M")])
    return text.getvalue().encode()


def itunes(counts, skips=()):
    """`Library.xml`: {(artist, title): plays}; {(artist, title): skips}."""
    skips = dict(skips)
    lines = []
    for number, (artist, title) in enumerate({**counts, **skips}, 100):
        song = (artist, title)
        lines += [f"<key>{number}</key><dict><key>Track ID</key><integer>{number}</integer>"]
        lines += [f"<key>Name</key><string>{escaped(title)}</string><key>Artist</key><string>{escaped(artist)}</string>"]
        lines += ["<key>Kind</key><string>MPEG audio file</string><key>Total Time</key><integer>200000</integer>"]
        if song in counts:
            lines += [f"<key>Play Count</key><integer>{counts[song]}</integer>"]
            lines += ["<key>Play Date UTC</key><date>2021-03-04T05:06:07Z</date>"]
        if song in skips:
            lines += [f"<key>Skip Count</key><integer>{skips[song]}</integer><key>Skip Date</key><date>2021-01-01T00:00:00Z</date>"]
        lines += [f"<key>Location</key><string>file:///Users/ann/{number}.mp3</string></dict>"]
    return library_xml("\n".join(lines))


def library_xml(tracks):
    doctype = '<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">'
    lists = "<key>Playlists</key><array><dict><key>Name</key><string>Music</string><key>Playlist Items</key><array>"
    lists += "<dict><key>Track ID</key><integer>100</integer></dict></array></dict></array>"
    head = "<key>Major Version</key><integer>1</integer><key>Application Version</key><string>12.6</string>"
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}\n<plist version="1.0">\n<dict>{head}<key>Tracks</key><dict>{tracks}'
    return f"{xml}</dict>{lists}</dict>\n</plist>\n".encode()


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def zipped(**files):
    """A zip archive; in names, two underscores are a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), raw)
    return buffer.getvalue()
