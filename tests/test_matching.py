"""Which file is which song: tags, names of files, and everything that is spelt differently in two places."""

import os
import unicodedata

import numpy as np
import pytest
from music_files import PNG, write_mp3, write_song

from acai.audio.folder import audio_folder
from acai.audio.tags import Names, cover, names_in_path, names_in_tags
from acai.datasets import ListeningLog
from acai.datasets.matching import match_folder


def log_of(*songs, plays=None):
    """A history in which each song was played once, or as often as `plays` says."""
    plays = plays or [1] * len(songs)
    codes = np.repeat(np.arange(len(songs), dtype=np.int32), plays)
    return ListeningLog(np.zeros(len(codes), np.int32), codes, np.arange(len(codes)), ["you"], list(songs))


@pytest.mark.parametrize(
    "song, artist, title, rule",
    [
        (("Björk", "Jóga"), "Björk", "Jóga", "exact"),
        (("Björk", "Jóga"), unicodedata.normalize("NFD", "Björk"), unicodedata.normalize("NFD", "JÓGA"), "letters"),
        (("STRASSE", "Ⅻ"), "Straße", "XII", "letters"),
        (("Guns N' Roses", "Don’t Cry"), "Guns N Roses", "Dont Cry", "punctuation"),
        (("Simon & Garfunkel", "Mrs. Robinson"), "Simon and Garfunkel", "Mrs Robinson", "punctuation"),
        (("Daft Punk", "Get Lucky (feat. Pharrell Williams)"), "Daft Punk", "Get Lucky", "suffixes"),
        (("Daft Punk", "Get Lucky"), "Daft Punk feat. Pharrell Williams", "Get Lucky [Radio]", "suffixes"),
        (("The Beatles", "Help! - Remastered 2009"), "The Beatles", "Help!", "versions"),
        (("Queen", "Bohemian Rhapsody - 2011 Mix"), "Queen", "Bohemian Rhapsody (Live)", "versions"),
        (("Nirvana", "About a Girl - Live / Unplugged"), "Nirvana", "About a Girl", "versions"),
        (("Beatles", "Help!"), "The Beatles", "Help!", "first artist"),
        (("Santana", "Smooth"), "Santana; Rob Thomas", "Smooth", "first artist"),
        (("Earth, Wind & Fire", "September"), "Earth Wind & Fire", "September", "punctuation"),
    ],
)
def test_each_rule_sees_through_more(tmp_path, song, artist, title, rule):
    write_song(tmp_path / "a.flac", artist, title)
    match = match_folder(log_of(song), audio_folder(tmp_path))
    assert match.track_of == {song: "a.flac"} and [m.rule for m in match.matches] == [f"tags, {rule}"]
    assert match.names["a.flac"] == Names(artist, title) and f"tags, {rule}" in repr(match)


@pytest.mark.parametrize("title", ["Help", "Helpless", "Help! - The Musical", "Mr. - Blue", ""])
def test_other_songs_are_not_taken_for_it(tmp_path, title):
    write_song(tmp_path / "a.flac", "The Beatles", "Yesterday")
    match = match_folder(log_of(("The Beatles", title), plays=[3]), audio_folder(tmp_path))
    assert match.track_of == {} and match.unmatched == [(("The Beatles", title), 3)]


@pytest.mark.parametrize(
    "path",
    [
        "Miles Davis/Kind of Blue/01 So What.wav", "Miles Davis/1-01 So What.wav", "jazz/Miles Davis - So What.wav",
        "Miles Davis - Kind of Blue (1959)/01. So What.wav", "01 - Miles Davis - So What.wav", "miles_davis/so_what.wav",
        "music/Miles Davis/So What.wav", "Miles Davis - 01 - So What.wav", "MILES DAVIS/SO WHAT (live).wav",
    ],
)
def test_without_tags_the_names_of_files_and_folders_are_compared(tmp_path, path):
    write_song(tmp_path / path)
    write_song(tmp_path / "Miles Davis/Kind of Blue/02 Freddie Freeloader.wav")
    match = match_folder(log_of(("Miles Davis", "So What")), audio_folder(tmp_path))
    assert match.track_of == {("Miles Davis", "So What"): path}
    assert match.matches[0].rule.startswith("file name, ")


def test_a_file_without_artist_is_matched_by_its_title_if_that_is_not_ambiguous(tmp_path):
    write_song(tmp_path / "03 So What.wav")
    write_song(tmp_path / "Intro.wav")
    match = match_folder(log_of(("Miles Davis", "So What"), ("A", "Intro"), ("B", "Intro")), audio_folder(tmp_path))
    assert match.track_of == {("Miles Davis", "So What"): "03 So What.wav"}
    assert match.matches[0].rule == "title alone" and len(match.unmatched) == 2


def test_copies_are_counted_and_several_spellings_are_one_track(tmp_path):
    write_song(tmp_path / "a.flac", "Queen", "Innuendo")
    write_song(tmp_path / "b.ogg", "Queen", "Innuendo")
    write_song(tmp_path / "c.wav", "Queen", "Bijou")
    songs = ("Queen", "Innuendo"), ("QUEEN", "Innuendo (Live)")
    match = match_folder(log_of(*songs, plays=[5, 2]), audio_folder(tmp_path))
    assert match.track_of == dict.fromkeys(songs, "a.flac") and match.copies == {"b.ogg"}
    assert [(m.rule, m.n_songs, m.n_plays, m.n_copies) for m in match.matches] == [
        ("tags, exact", 1, 5, 1), ("tags, suffixes", 1, 2, 1),
    ]


def test_the_live_version_is_its_own_song_where_both_are_there(tmp_path):
    write_song(tmp_path / "live.flac", "Queen", "Innuendo (Live)")
    write_song(tmp_path / "studio.flac", "Queen", "Innuendo")
    match = match_folder(log_of(("Queen", "Innuendo"), ("Queen", "Innuendo (Live)")), audio_folder(tmp_path))
    assert match.track_of == {("Queen", "Innuendo"): "studio.flac", ("Queen", "Innuendo (Live)"): "live.flac"}
    assert match.copies == set()


def test_names_that_are_not_utf_8_are_read_as_latin_1(tmp_path):
    folder = os.fsencode(tmp_path) + b"/Bj\xf6rk"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    os.rename(write_song(tmp_path / "a.wav"), folder + b"/J\xf3ga.wav")
    match = match_folder(log_of(("Björk", "Jóga")), audio_folder(tmp_path))
    assert match.track_of == {("Björk", "Jóga"): r"Bj\udcf6rk/J\udcf3ga.wav"}


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_tags_of_every_format(tmp_path, ending):
    write = write_mp3 if ending == "mp3" else write_song
    assert names_in_tags(write(tmp_path / f"a.{ending}", "Sigur Rós" if ending != "aiff" else "Sigur", "Title")).title == "Title"


def test_covers(tmp_path):
    assert cover(write_mp3(tmp_path / "a.mp3", "A", "B", PNG)) == ("image/png", PNG)
    assert cover(write_mp3(tmp_path / "b.mp3", "A", "B")) is None
    assert cover(write_mp3(tmp_path / "c.mp3", "A", "B", b"<svg onload=alert(1)>")) is None
    assert cover(write_mp3(tmp_path / "d.mp3", "A", "B", PNG + bytes(2_000_000))) is None


@pytest.mark.parametrize("seed", range(40))
def test_damaged_tags_are_no_tags(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = write_mp3(tmp_path / "a.mp3", "Artist", "Title", PNG)
    raw = bytearray(path.read_bytes())
    for at in rng.integers(0, 200, 12):
        raw[at] = rng.integers(256)
    path.write_bytes(raw[: rng.integers(1, 400)] if seed % 3 == 0 else raw)
    names, picture = names_in_tags(path), cover(path)
    assert names is None or (isinstance(str(names), str) and str(names).encode())
    assert picture is None or picture[0] == "image/png"


def test_what_is_not_a_file_has_no_tags(tmp_path):
    os.mkfifo(tmp_path / "a.mp3")
    assert names_in_tags(tmp_path / "a.mp3") is None and cover(tmp_path / "nothing.mp3") is None
    assert names_in_path("Artist/Album/07 Title.mp3")[0] == Names("Artist", "Title")
    assert str(Names("", "Title")) == "Title" and str(Names("A", "B")) == "A – B"


def test_several_lists_of_artists_are_one_song(tmp_path):
    write_song(tmp_path / "a.flac", "Santana", "Smooth")
    songs = ("Santana, Rob Thomas", "Smooth"), ("Santana; Rob Thomas", "Smooth - Radio Edit")
    assert match_folder(log_of(*songs), audio_folder(tmp_path)).track_of == dict.fromkeys(songs, "a.flac")
