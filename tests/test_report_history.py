"""`acai report` for one listener: exports as they are downloaded, few songs and many, and what it says of itself."""

import collections
import os
import re
import shutil
import unicodedata

import history_exports as exports
import numpy as np
import pytest
from music_files import PNG, sound, write_mp3, write_song

from acai.cli import main
from acai.content import SpectrumRidge
from acai.errors import InputError
from acai.studies.listener import NETWORK, recommend
from acai.studies.own_music import own_music

FEW, HIGH, NEW = 25, 10, 5  # songs of the folder: low ones that may be played; high ones; low ones that are new


def song(i):
    return ("Björk" if i % 2 else "Sigur Rós"), f"Lag {i}"


def fill(root, n_low):
    """Write short songs, some with tags and some without."""
    n = n_low + HIGH + NEW
    for i in range(n):
        is_low = i < n_low or i >= n - NEW
        samples = sound(3.1, seed=i, pitch=150 + 7 * i % 60 if is_low else 2500 + 7 * i % 60)
        artist, title = song(i)
        if i == 0:
            write_mp3(root / "song000.mp3", artist, title, PNG, samples)
        elif i % 3:  # no tags: the names say it
            write_song(root / artist / f"{i % 99:02} {title}.wav", samples=samples)
        else:
            write_song(root / f"song{i:03}.flac", artist, title, samples)
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory, cache):
    return fill(tmp_path_factory.mktemp("music"), FEW)


def rows(n, times=3):
    """Plays of the first n songs, the first of them most often."""
    entries = [(*song(i), exports.START + 1000 * (i + n * j)) for i in range(n) for j in range(1 + (i * 7 + times) % times)]
    return sorted(entries, key=lambda entry: entry[2])


def written(path, raw):
    path.write_bytes(raw)
    return path


def spotify_zip(n):
    """Each play, and a skip of a high song after it."""
    pairs = []
    for j, row in enumerate(rows(n)):
        pairs += [row, (*song(n + j % HIGH), row[2] + 500)]
    return exports.zipped(**{
        "Spotify Extended Streaming History/Streaming_History_Audio_2020_0.json": exports.spotify_extended(pairs),
        "Spotify Extended Streaming History/ReadMeFirst.pdf": b"%PDF",
    })


DOWNLOADS = {
    1: ("my_spotify_data.zip", lambda n: exports.zipped(**{
        "Spotify Account Data/StreamingHistory_music_0.json": exports.spotify_account([r for row in rows(n) for r in (row, row)]),
        "Spotify Account Data/StreamingHistory_podcast_0.json": exports.spotify_podcasts(3),
    })),
    FEW: ("my_spotify_data.zip", spotify_zip),
}


@pytest.mark.parametrize("n", DOWNLOADS)
def test_a_download_becomes_a_page(folder, tmp_path, capsys, n):
    name, export = DOWNLOADS[n]
    plays = written(tmp_path / name, export(n))
    out = tmp_path / "page.html"
    main(["report", "--plays", str(plays), "--audio", str(folder), "--epochs", "1", "--out", str(out)])
    printed, page = capsys.readouterr().out, out.read_text()
    assert "matched by" in printed and f"{n} songs to learn from" in printed and "0.0000" not in printed
    assert "New music for you" in page and page.count("<audio") == min(5, n) + 5
    assert page.count("Björk – Lag") + page.count("Sigur Rós – Lag") > 10 and ".wav" not in page  # titles, not files
    assert "<circle" in page and "<title>Sigur Rós – Lag 0</title>" in page and "image/png;base64" in page
    assert page.count("nan") == 0 or "nan" not in re.sub(r"base64,[^'\"]*", "", page)
    if n == 1:
        assert "Nothing could be measured: 1 song is too few" in printed and "Nothing could be measured" in page
    else:
        assert "ranks the right one higher in" in page and "knows nothing" not in page and "Guessing gets 50%" in page
        last = FEW + HIGH + NEW  # all low songs are played but the last five: these are the ones to recommend
        assert set(recommended(printed)) == set(range(last - NEW, last)) and "the network" in page


def recommended(printed):
    """The numbers of the songs that are recommended, best first."""
    return [int(i) for i in re.findall(r"^  \d\.  \S.* – Lag (\d+)  \(sounds like", printed, re.MULTILINE)]


def then_skips(played):
    """As Spotify writes down a listener who tries something that is not in the folder after each song, and skips it."""
    return [entry for row in played for entry in (row, ("Nobody", "Nothing", row[2] + 30))]


SERVICES = {  # a download of each, in both of the forms that two of them have
    "my_spotify_data.zip": lambda played: exports.zipped(**{
        "Spotify Account Data/StreamingHistory_music_0.json": exports.spotify_account(then_skips(played)),
        "Spotify Account Data/StreamingHistory_podcast_0.json": exports.spotify_podcasts(3),
    }),
    "endsong_0.json": lambda played: exports.spotify_extended(then_skips(played)),
    "ann.csv": lambda played: exports.lastfm(played, header=False),
    "recenttracks.csv": exports.lastfm,
    "listenbrainz_ann.zip": lambda played: exports.zipped(**{
        "user.json": b"{}", "listens/2020/1.jsonl": exports.listenbrainz(played), "feedback.jsonl": b"",
    }),
    "Library.xml": lambda played: exports.itunes(collections.Counter((artist, title) for artist, title, _ in played)),
}


def fill_with_copies(root, n):
    """Write n songs, but few sounds: those with the same contents are computed once."""
    for i in range(12):
        write_song(root / "sounds" / f"{i}.wav", samples=sound(3.1, i, pitch=200 if i % 3 else 2500))
    for i in range(n):
        artist, title = song(i)
        (root / "music" / artist).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / "sounds" / f"{i % 12}.wav", root / "music" / artist / f"{i % 99:02} {title}.wav")
    return root / "music"


@pytest.mark.parametrize("n", [1, 2, 5, 25, 200])
def test_the_same_plays_are_the_same_report_whichever_service_wrote_them_down(cache, tmp_path, capsys, monkeypatch, n):
    """Training the network, pictures and players have tests of their own; they would take minutes here."""
    monkeypatch.setattr("acai.studies.listener.MIN_FOR_NETWORK", 10**6)
    monkeypatch.setattr("acai.studies.listener.BagOfWords", lambda **_: SpectrumRidge())
    monkeypatch.setattr("acai.report.page.encoded", lambda *_: b"an mp3")
    monkeypatch.setattr("acai.commands.listen.sound_section", lambda *_: "")
    n_songs, reports = n + HIGH + NEW, []
    folder = fill_with_copies(tmp_path, n_songs)
    for name, export in SERVICES.items():
        plays = written(tmp_path / name, export(rows(n)))
        out = tmp_path / "page.html"
        main(["report", "--plays", str(plays), "--audio", str(folder), "--out", str(out)])
        printed, page = capsys.readouterr().out, out.read_text()
        assert f"{n} songs to learn from, {n_songs - n} that nobody has played" in printed
        assert page.count("<audio") == min(5, n) + 5 and len(re.findall(r"<circle[^>]*><title>", page)) == n_songs
        reports.append((recommended(printed), printed.partition("songs to learn from")[2].partition("Look and listen")[0]))
    assert len(reports[0][0]) == 5 and min(reports[0][0]) >= n
    assert all(report == reports[0] for report in reports)


def table_of_plays(folder, tmp_path, counts):
    """A table of one listener's plays, by the names of the tracks."""
    tracks = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    lines = [f"{user}\t{tracks[j]}\t{n}\n" for user, plays in counts.items() for j, n in plays.items()]
    return written(tmp_path / "plays.tsv", "".join(lines).encode()), tracks


@pytest.mark.parametrize(
    "counts",
    [
        {"ann": dict.fromkeys(range(8), 1)},  # all plays 1
        {"ann": dict.fromkeys(range(9), 2), "bob": dict.fromkeys(range(9), 2)},  # identical listeners
        {"ann": {j: 1 + j * j for j in range(12)}},  # varied counts
        {"ann": dict.fromkeys(range(4), 2)},  # four tracks
        {"ann": {j: 1 + j % 3 for j in range(9)}, "bob": {j: 2 for j in range(3, 15)}, "cleo": {20: 1}},
    ],
)
def test_what_crashed_or_scored_zero_is_a_page_with_a_verdict(folder, tmp_path, capsys, counts):
    plays, _ = table_of_plays(folder, tmp_path, counts)
    out = tmp_path / "page.html"
    main(["report", "--plays", str(plays), "--audio", str(folder), "--epochs", "1", "--factors", "2", "--out", str(out)])
    printed = capsys.readouterr().out
    assert "Guessing gets 50%" in printed and "0.0000" not in printed and out.stat().st_size > 50_000


def test_a_taste_that_does_not_show_in_the_sound_is_not_known(folder, tmp_path):
    random = np.random.default_rng(3).permutation(FEW + HIGH + NEW)[:20]
    plays, _ = table_of_plays(folder, tmp_path, {"ann": {int(j): 1 for j in random}})
    found = recommend(own_music(plays, folder).listen(), "ann", n_epochs=1)
    assert found.verdict.startswith("This page knows nothing of this taste") and NETWORK in found.choice.aucs
    assert not found.choice.knows and 0.3 < min(found.choice.aucs.values()) < found.choice.luck < 1


def test_the_same_seed_gives_the_same_report(folder, tmp_path):
    plays, _ = table_of_plays(folder, tmp_path, {"ann": {j: 1 + j % 2 for j in range(10)}})
    library = own_music(plays, folder).listen()
    one, two = recommend(library, "ann", seed=3), recommend(library, "ann", seed=3)
    assert one.best == two.best and one.choice == two.choice


def test_skips_are_dislikes(folder, tmp_path):
    """Songs that are played or skipped alike often sound different: the skipped ones are not liked."""
    pairs = []
    for j in range(6):
        pairs += [(*song(j), exports.START + 1000 * j), (*song(FEW + j), exports.START + 1000 * j + 500)]
    plays = written(tmp_path / "endsong_0.json", exports.spotify_extended(pairs))
    library = own_music(plays, folder).listen()
    profile = recommend(library, "you").profile
    by_name = {library.name(name): value for name, value in zip(profile.songs, profile.values)}
    assert by_name["Sigur Rós – Lag 0"] == pytest.approx(np.log(2)) and by_name["Björk – Lag 1"] == pytest.approx(np.log(2))
    assert by_name["Sigur Rós – Lag 26"] == pytest.approx(-np.log(2)) and by_name["Björk – Lag 7"] == 0
    assert not profile.is_new[[library.name(name) == "Sigur Rós – Lag 26" for name in profile.songs]].any()


def test_with_one_song_the_ones_that_sound_most_like_it_come_first(folder, tmp_path):
    plays, tracks = table_of_plays(folder, tmp_path, {"ann": {3: 2}})
    found = recommend(own_music(plays, folder).listen(), "ann")
    assert {best.nearest for best in found.best} == {tracks[3]} and not found.choice.aucs
    numbers = [int(re.search(r"\d+", best.song.rpartition("/")[2].replace("Lag ", ""))[0]) for best in found.best]
    assert not set(numbers) & set(range(FEW, FEW + HIGH))  # low, as it is


def test_songs_that_are_all_skipped_as_often_as_played_are_liked_for_their_plays(folder, tmp_path):
    pairs = [row for i in range(4) for row in [(*song(i), exports.START + i)] * 2]
    plays = written(tmp_path / "endsong_0.json", exports.spotify_extended(pairs))
    profile = recommend(own_music(plays, folder).listen(), "you").profile
    assert profile.skips.sum() == profile.plays.sum() == 4
    assert sorted(profile.values[profile.liked]) == pytest.approx([np.log(2)] * 4)


def test_a_copy_of_what_was_played_is_not_recommended(tmp_path, cache):
    for i, name in enumerate(["a.flac", "b.flac", "c.flac"]):
        write_song(tmp_path / "m" / name, "Queen", "Bijou" if i == 2 else "Innuendo", sound(3.1, i, 300 + i))
    plays = written(tmp_path / "ann.csv", exports.lastfm([("Queen", "Innuendo", exports.START)]))
    found = recommend(own_music(plays, tmp_path / "m").listen(), "you")
    assert [best.song for best in found.best] == ["c.flac"]


def test_nfc_in_the_table_and_nfd_on_the_disk_are_one_track(tmp_path, cache):
    decomposed, composed = (unicodedata.normalize(form, "Björk/Jóga.wav") for form in ("NFD", "NFC"))
    write_song(tmp_path / "m" / decomposed, samples=sound(3.1, 0, 300))
    write_song(tmp_path / "m" / "new.wav", samples=sound(3.1, 1, 400))
    plays = written(tmp_path / "plays.tsv", f"ann\t{composed}\t3\nann\t{decomposed}\t2\n".encode())
    library = own_music(plays, tmp_path / "m").listen()
    track = next(song for song in library.plays.songs if "new" not in song)
    assert library.plays.n_ratings == 1 and library.plays.csr[0, library.plays.column(track)] == 5 and track in library.sounds
    assert [best.song for best in recommend(library, "ann").best] == ["new.wav"]


def test_a_report_on_files_whose_names_are_not_utf_8(tmp_path, cache, capsys):
    root = os.fsencode(tmp_path) + b"/m\xfcsic"
    try:
        os.makedirs(root + b"/Bj\xf6rk")
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    for i, name in enumerate([b"J\xf3ga", b"Vertebr\xe6"]):
        os.rename(write_song(tmp_path / "a.wav", samples=sound(3.1, i, 300 + i)), root + b"/Bj\xf6rk/" + name + b".wav")
    plays = written(tmp_path / "ann.csv", exports.lastfm([("Björk", "Jóga", exports.START)]))
    out = tmp_path / "page.html"
    main(["report", "--plays", str(plays), "--audio", os.fsdecode(root), "--out", str(out)])
    assert "1.  Björk – Vertebræ  (sounds like Björk – Jóga)" in capsys.readouterr().out and "Björk – Vertebræ" in out.read_text()


@pytest.mark.parametrize(
    "rows, message",
    [
        ([("Nobody", "Nothing", exports.START)], "no song played in .* the history has 'Nobody – Nothing', the folder"),
        ([(*song(i), exports.START + i) for i in range(FEW + HIGH + NEW)], "every track of .* has been played already"),
    ],
)
def test_a_history_that_leaves_nothing_to_do_says_why(folder, tmp_path, capsys, rows, message):
    plays = written(tmp_path / "ann.csv", exports.lastfm(rows))
    with pytest.raises(SystemExit):
        main(["report", "--plays", str(plays), "--audio", str(folder), "--out", str(tmp_path / "x.html")])
    assert re.search(message, capsys.readouterr().err)


def test_a_listener_without_audio_is_refused(folder, tmp_path):
    plays, _ = table_of_plays(folder, tmp_path, {"ann": {0: 1}})
    plays.write_text(plays.read_text() + "bob\telsewhere.mp3\t3\n")
    with pytest.raises(InputError, match="bob has played no track of"):
        recommend(own_music(plays, folder).listen(), "bob")
