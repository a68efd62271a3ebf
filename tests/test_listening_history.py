"""Your own listening history: exports of four services, as they are published, damaged and hostile."""

import gzip
import json
import os
import tarfile
import time
import tracemalloc
from collections import Counter

import history_exports as exports
import numpy as np
import pytest

from acai import InputError
from acai.cli import main
from acai.datasets import listening_history
from acai.datasets.exports.entries import seconds_of
from acai.datasets.exports.history import is_history

ROWS = exports.plays(10_000)
COUNTS = Counter((artist, title) for artist, title, _ in ROWS)
ODD = Counter((artist, title) for artist, title, _ in ROWS[::2])  # the others are skips
EXPORTS = {  # the name of the file, and how to make its contents
    "spotify account": ("StreamingHistory_music_0.json", exports.spotify_account),
    "spotify extended": ("Streaming_History_Audio_2020-2021_3.json", exports.spotify_extended),
    "lastfm with a header": ("ann.csv", exports.lastfm),
    "lastfm without a header": ("ann.csv", lambda rows: exports.lastfm(rows, header=False)),
    "listenbrainz lines": ("1.jsonl", exports.listenbrainz),
    "listenbrainz list": ("ann.json", lambda rows: b"[" + exports.listenbrainz(rows).strip().replace(b"\n", b",") + b"]"),
    "itunes": ("Library.xml", lambda rows: exports.itunes(Counter((artist, title) for artist, title, _ in rows))),
}


def write(folder, name, raw):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(raw)
    return folder / name


def counted(log):
    return Counter(log.songs[i] for i in log.song_codes)


@pytest.mark.parametrize("name", EXPORTS)
def test_ten_thousand_entries_of_every_service(tmp_path, name):
    file, export = EXPORTS[name]
    path = write(tmp_path, file, export(ROWS))
    begun = time.process_time()
    log = listening_history(path)
    assert time.process_time() - begun < 5
    assert counted(log) == (ODD if name.startswith("spotify") else COUNTS) and log.users == ["you"]
    assert is_history(path)
    if name != "itunes":
        assert log.times.tolist() == sorted(log.times.tolist())
        assert log.times[0] == exports.START
        assert log.notes[0].endswith("1 file, 10,000 entries")
    if name.startswith("spotify"):
        assert log.skips.n_plays == 5_000 and set(log.skips.ms_played) == {2100} and set(log.ms_played) == {200_000}
        assert log.skips.songs is log.songs


@pytest.mark.parametrize("name", EXPORTS)
def test_a_folder_and_an_archive_give_the_same_as_the_file(tmp_path, name):
    file, export = EXPORTS[name]
    raw = export(ROWS[:300])
    alone = listening_history(write(tmp_path / "alone", file, raw))
    write(tmp_path / "folder", f"Account Data/deep/{file}", raw)
    write(tmp_path / "folder", "Account Data/Read Me First.pdf", b"%PDF-1.4 about your data")
    write(tmp_path / "folder", "Account Data/Userdata.json", b'{"username": "ann"}')
    write(tmp_path / "folder", "song.mp3", b"\xff\xfb\x90")
    write(tmp_path / "folder", f"__MACOSX/._{file}", b"\0\5\26\7\0\2\0\0Mac OS X")
    packed = write(tmp_path, "my_data.zip", exports.zipped(**{
        f"MyData/{file}": raw, "MyData/Inferences.json": b"{}", f"__MACOSX/MyData/._{file}": b"\0\5\26\7",
    }))
    compressed = write(tmp_path, f"{file}.gz", gzip.compress(raw, 1))
    with tarfile.open(tmp_path / "my_data.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(tmp_path / "folder", "data")
    for path in tmp_path / "folder", packed, compressed, tmp_path / "my_data.tar.gz":
        log = listening_history(path)
        assert counted(log) == counted(alone)
        np.testing.assert_array_equal(log.times, alone.times)


def test_what_is_no_music_is_left_out_and_counted(tmp_path):
    song = {"ts": "2020-01-01T10:00:00Z", "ms_played": 200_000, "master_metadata_track_name": "Jóga",
            "master_metadata_album_artist_name": "Björk", "skipped": None, "reason_end": "trackdone"}
    items = [
        song, song,  # twice: once is enough
        song | {"ts": "2020-01-02T10:00:00Z", "reason_end": "fwdbtn", "skipped": True},  # a skip, but of what was heard
        song | {"ts": "2020-01-03T10:00:00Z", "ms_played": 12_000},  # a short song, to its end
        song | {"ts": "2020-01-04T10:00:00Z", "ms_played": 12_000, "reason_end": "fwdbtn"},  # a skip
        song | {"ts": "2020-01-05T10:00:00Z", "ms_played": 12_000, "reason_end": "logout"},
        song | {"ts": "2020-01-06T10:00:00Z", "ms_played": 0, "reason_end": "fwdbtn"},
        song | {"master_metadata_track_name": None, "master_metadata_album_artist_name": None, "episode_name": "№ 1"},
        song | {"master_metadata_track_name": None},
        song | {"ts": "yesterday"}, song | {"ms_played": "long"}, song | {"ms_played": -1}, song | {"ms_played": float("nan")},
        {}, [], None, 7,
    ]
    log = listening_history(write(tmp_path, "endsong_0.json", json.dumps(items).encode()))
    assert log.n_plays == 3 and log.skips.n_plays == 1
    assert log.notes == (
        "Spotify, extended streaming history: 1 file, 17 entries",
        "left out: entries that ended early by no choice of the listener (1)",
        "left out: entries of 0 ms, which nobody heard (1)",
        "left out: podcasts, audiobooks and videos (1)",
        "left out: entries without artist or title (2)",
        "left out: entries that cannot be read (7)",
        "left out: repeated entries (1)",
        "skips, of songs abandoned before they counted as played: 1",
    )
    assert log.to_ratings("plays_and_skips").csr.data.tolist() == [pytest.approx(np.log(4) - np.log(2))]
    assert listening_history(tmp_path / "endsong_0.json", min_seconds=300).n_plays == 2  # those heard to their end


def test_podcasts_in_files_of_their_own_and_both_histories_of_spotify(tmp_path):
    write(tmp_path, "StreamingHistory_music_0.json", exports.spotify_account(ROWS[:50]))
    write(tmp_path, "StreamingHistory_podcast_0.json", exports.spotify_podcasts(9))
    log = listening_history(tmp_path)
    assert log.n_plays == 25 and "left out: podcasts, audiobooks and videos (9)" in log.notes
    write(tmp_path, "Streaming_History_Audio_2020.json", exports.spotify_extended(ROWS[:100]))
    assert listening_history(tmp_path).n_plays == 50  # the year of the account data is part of the extended history


def test_a_scrobble_without_a_date_or_title_and_lines_that_are_spoilt(tmp_path):
    lines = exports.lastfm([("Björk", "Jóga", 0), *ROWS[:3], *ROWS[:1]], header=False) + "Motörhead,,,1 Jan 2020 10:00\n".encode()
    lines += b"Bj\xf6rk,,Hunter,01 Jan 2020 10:00\r\n\r\nBj\xf6rk,,Hunter,\nA,\"B,C,01 Jan 2020 10:00\nA,B,C,32 Jan 2020 10:00\n"
    log = listening_history(write(tmp_path, "ann.csv", lines))
    assert log.n_plays == 5 and ("Björk", "Hunter") in log.songs and ("Björk", "Jóga") in log.songs
    assert log.notes[1:] == (
        "left out: entries without artist or title (1)",
        "left out: entries without a date, such as what is playing now (1)",
        "left out: entries that cannot be read (2)",
        "left out: repeated entries (1)",
        "plays without a date, or dated 1970, which count although their time is unknown: 1",
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbfArtist;Album;AlbumId;Track;Date#ann\n\"Bj\xc3\xb6rk\";\"\";\"\";\"J\xc3\xb3ga\";\"1577836800000\"\n",
        b"artist\talbum\ttrack\ttimestamp\r\nBj\xc3\xb6rk\t\tJ\xc3\xb3ga\t2020-01-01T01:00:00+01:00\r\n",
        b"track,artist,date\nJ\xc3\xb3ga,Bj\xc3\xb6rk,2020-01-01 00:00:00\n",
    ],
)
def test_headers_in_any_order_and_with_any_separator(tmp_path, raw):
    log = listening_history(write(tmp_path, "scrobbles.csv", raw))
    assert log.songs == [("Björk", "Jóga")] and log.times.tolist() == [exports.START]


def test_the_export_of_listenbrainz_has_more_than_listens(tmp_path):
    feedback = b'{"recording_mbid": "0", "score": 1, "track_metadata": {"artist_name": "A", "track_name": "B"}}\n'
    raw = exports.zipped(**{
        "user.json": b'{"user_id": 1, "username": "ann"}', "feedback.jsonl": feedback, "pinned_recording.jsonl": b"",
        "listens/2019/12.jsonl": b"", "listens/2020/1.jsonl": exports.listenbrainz(ROWS[:20]),
        "listens/2020/2.jsonl": exports.listenbrainz(ROWS[15:40]),
    })
    log = listening_history(write(tmp_path, "listenbrainz_ann.zip", raw))
    assert log.n_plays == 40 and "left out: repeated entries (5)" in log.notes
    assert log.notes[0] == "ListenBrainz: 2 files, 45 entries"
    assert "not recognised as a history: " in log.notes[-1]


def test_a_library_has_counts_and_skips_and_films(tmp_path):
    counts = {("Björk", "Jóga"): 3, ("Pop & <b>", "A"): 1}
    raw = exports.itunes(counts, {("Björk", "Jóga"): 1, ("C", "D"): 2})
    four = "<key>Play Count</key><integer>4</integer>"
    film = f"<key>9</key><dict><key>Name</key><string>F</string>{four}<key>Movie</key><true/></dict>"
    nameless = f"<key>8</key><dict>{four}</dict><key>7</key><dict></dict>"
    raw = raw.replace(b"<key>Tracks</key><dict>", f"<key>Tracks</key><dict>{film}{nameless}".encode())
    log = listening_history(write(tmp_path, "Library.xml", raw))
    assert counted(log) == counts and counted(log.skips) == {("Björk", "Jóga"): 1, ("C", "D"): 2}
    assert str(log.times.view("datetime64[s]")[0]) == "2021-03-04T05:06:07"
    assert "left out: podcasts, audiobooks and videos (1)" in log.notes
    assert "left out: entries without artist or title (1)" in log.notes
    values = {song: value for _, song, value in log.to_ratings("plays_and_skips").triplets()}
    assert values[("C", "D")] == pytest.approx(-np.log(3)) and values[("Björk", "Jóga")] == pytest.approx(np.log(2))


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<plist><dict><key>Tracks</key><dict><key>1</key><dict><key>Name</key><string>&b;</string></dict></dict></dict></plist>"
)
ACCOUNT = exports.spotify_account(ROWS[:4])
HOSTILE = {
    "an entity bomb": ("Library.xml", BOMB, "declares XML entities"),
    "elements within elements": ("Library.xml", b"<plist>" + b"<dict>" * 5000, "nests more than 100 elements"),
    "a library cut off": ("Library.xml", exports.itunes(COUNTS)[:3000], "is damaged, or its download was cut off"),
    "other XML": ("feed.xml", b"<rss><plist></plist></rss>", "its first element is <rss>"),
    "a binary property list": ("Library.xml", b"bplist00\xd1\1\2", "binary property list"),
    "billions of plays": (
        "Library.xml", exports.itunes({("A", f"{i}"): 999_999_999 for i in range(99)}), "by one person; expected at most",
    ),
    "lists within lists": ("a.json", ACCOUNT[:-2] + b"," + b"[" * 200_000, "is damaged"),
    "a number of a million digits": ("a.json", ACCOUNT[:-2] + b',{"msPlayed": ' + b"9" * 100_000 + b"}]", "is damaged"),
    "one entry without end": ("a.json", ACCOUNT[:-2] + b',{"a": "' + b"x" * 1_200_000, "has more than 1,048,576 characters"),
    "a list cut off": ("a.json", ACCOUNT[:-2], "it ends in the middle"),
    "an entry cut off": ("a.json", ACCOUNT[:-20], "is not JSON"),
    "two lists": ("a.json", ACCOUNT + ACCOUNT, "something follows the end of its list"),
    "no UTF-8": ("a.json", ACCOUNT.replace("ö".encode(), b"\xf6"), "is not text in UTF-8"),
    "nonsense between entries": ("a.json", ACCOUNT.replace(b"},", b"} nonsense,", 1), "is not JSON"),
    "other JSON": ("a.json", b'[{"name": "A"}]', "is not a listening history that acai knows; expected an export of Last.fm"),
    "a table of plays": ("plays.tsv", b"ann\tsong.mp3\t12\n", "is not a listening history that acai knows"),
    "nothing": ("empty.json", b"", "is not a listening history that acai knows"),
    "only skips": ("a.json", exports.spotify_account(ROWS[1:2] * 2).replace(b"200000", b"9000"), "has no play of a song"),
    "a zip cut off": ("a.zip", exports.zipped(a=ACCOUNT)[:-30], "a.zip is damaged"),
    "a zip of nothing known": ("a.zip", exports.zipped(a=b"1", b=b"2"), "none of the 2 files in"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_one_sentence_in_little_memory(tmp_path, kind):
    name, raw, message = HOSTILE[kind]
    path = write(tmp_path, name, raw)
    tracemalloc.start()
    with pytest.raises(InputError) as error:
        listening_history(path)
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()
    assert message in str(error.value) and "\n" not in str(error.value)


def test_names_that_could_not_be_written_are_cleaned(tmp_path):
    item = {"endTime": "2020-01-01 00:00", "artistName": "A\ud800 \n B", "trackName": "x" * 5000, "msPlayed": 40_000}
    log = listening_history(write(tmp_path, "a.json", json.dumps([item]).encode()))
    assert log.songs == [("A? B", "x" * 500)]


def test_a_missing_path_and_a_pipe(tmp_path):
    with pytest.raises(InputError, match="does not exist; expected an export of Last"):
        listening_history(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"none of the 0 files|is not a listening history"):
        listening_history(tmp_path)
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(InputError, match="a pipe or a device"):
        listening_history(tmp_path / "a.json")


def test_the_past_and_what_came_after_have_their_own_skips(tmp_path):
    log = listening_history(write(tmp_path, "a.json", exports.spotify_extended(ROWS[:100])))
    train, test = log.split_by_time(0.2)
    assert train.skips.n_plays + test.skips.n_plays == log.skips.n_plays == 50
    assert train.skips.times.max() < test.times.min() <= test.skips.times.min()
    assert len(train.ms_played) == train.n_plays and "no plays" in repr(log.skips.keep(np.zeros(50, bool)))


@pytest.mark.parametrize(
    "written, seconds",
    [
        ("31 Dec 2019 23:59", 1577836740), ("31.12.2019 23:59", 1577836740), ("31.12.2019, 23:59:30", 1577836770),
        ("31 Dec 2019, 23:59:30", 1577836770), ("2020-01-01T00:00:00Z", 1577836800),
        ("2020-01-01 02:00:00.123+02:00", 1577836800), ("1577836800", 1577836800), (1577836800.5, 1577836800),
        (1577836800123, 1577836800), (0, 0), ("", None), ("30 Feb 2020 10:00", None), ("31 Foo 2020 10:00", None), (True, None),
        (-1, None), (float("nan"), None), (float("inf"), None), (10**30, None), ("9" * 30, None), (None, None), ([], None),
    ],
)
def test_times_in_every_spelling(written, seconds):
    assert seconds_of(written) == seconds


def test_acai_data_mentions_it(capsys, tmp_path):
    main(["data", str(tmp_path)])
    assert "acai.datasets.listening_history" in capsys.readouterr().out
