"""Playlists: what is written is what a player reads back, whatever the files are called."""

import os
import re
import unicodedata
import urllib.parse
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from acai import InputError
from acai.audio.playlist import write_playlist
from acai.cli import main
from acai.commands import listen
from acai.commands.playlists import PlaylistPlan

NAMES = [
    "plain.ogg", "Größe/北京.mp3", "# 1 hit.wav", " leading.ogg", "trailing.ogg ", "two\nlines.ogg", "a\r.ogg", "http:/x.ogg",
    "50% off?.mp3",
]


def entries(playlist: Path) -> list[tuple[str, Path]]:
    """Read a playlist as players do: comments aside, one stripped line per file, relative to the playlist; a URI is decoded."""
    found, title = [], ""
    lines = playlist.read_bytes().replace(b"\r", b"\n").split(b"\n")
    assert lines[0] == b"#EXTM3U"
    for line in (line.strip() for line in lines[1:]):
        if line.startswith(b"#EXTINF:"):
            title = line.partition(b",")[2].decode()
        elif line.startswith(b"file://"):
            found.append((title, Path(os.fsdecode(urllib.parse.unquote_to_bytes(line[7:])))))
        elif line and not line.startswith(b"#"):
            found.append((title, playlist.parent / os.fsdecode(line)))
    return found


@pytest.mark.parametrize("place", ["list.m3u", "lists/list.m3u8", "../list.m3u"])
def test_players_find_every_file_again(place, tmp_path):
    music = tmp_path / "music"
    files = [music / name for name in NAMES]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    playlist = music / place
    write_playlist(playlist, files, {files[0]: "Ann – So\nWhat\t"})
    found = entries(playlist)
    assert [path.resolve() for _, path in found] == [file.resolve() for file in files]
    assert found[0][0] == "Ann – So What" and found[1][0] == "北京"
    assert all(path.exists() for _, path in found)


def test_names_that_are_not_utf_8_keep_their_bytes(tmp_path):
    file = tmp_path / os.fsdecode(b"caf\xe9.ogg")
    try:
        file.touch()
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    write_playlist(tmp_path / "list.m3u", [file], {})
    assert b"\ncaf\xe9.ogg\n" in (tmp_path / "list.m3u").read_bytes()


def test_below_the_playlist_relative_and_elsewhere_absolute(tmp_path):
    (tmp_path / "a").mkdir()
    write_playlist(tmp_path / "a" / "list.m3u", [tmp_path / "a" / "x.ogg", tmp_path / "b" / "y.ogg"], {})
    lines = (tmp_path / "a" / "list.m3u").read_text(encoding="utf-8").splitlines()
    assert lines == ["#EXTM3U", "#EXTENC:UTF-8", "#EXTINF:-1,x", "x.ogg", "#EXTINF:-1,y", str(tmp_path / "b" / "y.ogg")]


@pytest.fixture
def music(tmp_path):
    """Plays of three listeners, of songs of which all but one are files."""
    rng = np.random.default_rng(0)
    songs = [f"band/söng {n}.wav" for n in range(6)]
    for song in songs[:5]:
        path = tmp_path / "music" / song
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.normal(size=100), 22050)
    plays = [(user, song) for user in range(3) for song in songs if rng.random() < 0.5] + [(u, songs[5]) for u in (1, 2)]
    (tmp_path / "plays.tsv").write_text("".join(f"{user}\t{song}\t3\n" for user, song in dict.fromkeys(plays)), encoding="utf-8")
    return tmp_path


def test_recommend_writes_a_playlist_of_what_is_in_the_folder(music, capsys):
    playlist = music / "music" / "new.m3u"
    data = ["--data", "triplets", str(music / "plays.tsv"), "--model", "Popularity", "--user", "0", "--with-rated"]
    main(["recommend", *data, "--m3u", str(playlist), "--audio", str(music / "music")])
    printed = capsys.readouterr().out
    listed = [path.relative_to(music / "music").as_posix() for _, path in entries(playlist)]
    in_table = re.findall(r"band/söng \d.wav", printed.split("new for user 0:")[1])
    assert listed == [song for song in in_table if song != "band/söng 5.wav"] and listed
    assert f"{len(listed)} of these {len(in_table)} songs are in" in printed and not Path(listed[0]).is_absolute()


def test_titles_are_those_of_the_data_or_of_the_tags(music):
    """A WAV has its title in a chunk INFO of RIFF."""
    song = music / "music" / "band/söng 0.wav"
    info = b"INFOINAM" + (6).to_bytes(4, "little") + b"Heart\0" + b"IART" + (4).to_bytes(4, "little") + b"Ann\0"
    riff = song.read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info
    song.write_bytes(riff[:4] + (len(riff) - 8).to_bytes(4, "little") + riff[8:])
    plan = PlaylistPlan.of_options(music / "list.m3u", music / "music")
    plan.write(["band/söng 0.wav", "band/söng 1.wav", "band/söng 2.wav", "no file"], {"band/söng 2.wav": "of the data"})
    assert [title for title, _ in entries(music / "list.m3u")] == ["Ann – Heart", "söng 1", "of the data"]


def test_composed_and_decomposed_names_are_the_same(music):
    plan = PlaylistPlan.of_options(music / "list.m3u", music / "music")
    assert len(plan.paths_of([unicodedata.normalize("NFD", "band/söng 1.wav"), ("Ann", "Heart"), 7])) == 1


def test_report_writes_a_playlist_of_what_it_recommends(tmp_path, capsys, monkeypatch):
    """The report itself is tested elsewhere; here, it recommends two songs at once."""
    paths = {song: tmp_path / song for song in ("b.ogg", "a.ogg")}
    library = SimpleNamespace(paths=paths, name=lambda song: f"title of {song}")
    best = [SimpleNamespace(song=song, nearest=song) for song in paths]
    music = SimpleNamespace(match=None, listen=lambda progress: library)
    monkeypatch.setattr(listen, "own_music", lambda plays, audio: music)
    monkeypatch.setattr(listen, "recommend", lambda *_, **__: SimpleNamespace(verdict="well", best=best))
    for name in ("expect_new", "print_match", "print_library", "busiest", "write_report"):
        monkeypatch.setattr(listen, name, lambda *_: "ann")
    arguments = ["report", "--plays", "plays.tsv", "--audio", str(tmp_path), "--out", str(tmp_path / "page.html"), "--m3u"]
    main([*arguments, str(tmp_path / "new.m3u8")])
    assert entries(tmp_path / "new.m3u8") == [(f"title of {song}", path) for song, path in paths.items()]
    assert f"The playlist is in {tmp_path / 'new.m3u8'}" in capsys.readouterr().out
    monkeypatch.setattr(listen, "own_music", None)  # a wrong name is refused before the work
    with pytest.raises(SystemExit):
        main([*arguments, str(tmp_path / "new.txt")])
    assert "no name for a playlist" in capsys.readouterr().err


@pytest.mark.parametrize("options, message", [
    (["--m3u", "list.txt"], "list.txt is no name for a playlist; expected one that ends in .m3u or .m3u8"),
    (["--m3u", "list.m3u", "--audio", "nowhere"], "--audio nowhere: there is no such folder"),
    (["--m3u", "list.m3u", "--audio", "other"], "none of the songs is a file in other"),
    (["--audio", "music"], "--audio is the folder for a playlist; expected --m3u FILE as well"),
])
def test_mistakes_are_named_before_the_training(options, message, music, capsys, monkeypatch):
    monkeypatch.chdir(music)
    (music / "other").mkdir()
    (music / "other" / "x.ogg").touch()
    monkeypatch.setattr("acai.commands.models.fitted", None)
    with pytest.raises(SystemExit):
        main(["recommend", "--data", "triplets", "plays.tsv", "--user", "0", *options])
    assert message in capsys.readouterr().err and not (music / "list.m3u").exists()


def test_no_playlist_of_another_ending(tmp_path):
    with pytest.raises(InputError, match="expected one that ends in"):
        write_playlist(tmp_path / "x.pls", [], {})
