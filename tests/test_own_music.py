"""A person's own music, from a table and a folder to a page. The songs are those of a small synthetic world, as files."""

import numpy as np
import pytest
import soundfile

from acai.cli import main
from acai.datasets import synthetic
from acai.errors import InputError
from acai.studies.own_music import own_music

WORLD = synthetic(40, 30, seconds=3.2)
NEW = ["calm/song-0003.wav", "song-0004.flac"]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """A folder of songs in two formats, and a table of plays in which two of the songs do not occur."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "calm").mkdir()
    names = {}
    for i, song in enumerate(WORLD.plays.songs[:12]):
        names[song] = f"calm/{song}.wav" if i % 2 else f"{song}.flac"
        samples, rate = WORLD.sound(song)
        soundfile.write(folder / names[song], samples, rate)
    soundfile.write(folder / "short.wav", samples[:3000], rate)
    (folder / "text.mp3").write_text("this is no music")
    plays = [(u, names.get(s, s), n) for u, s, n in WORLD.plays.triplets() if names.get(s) not in NEW]
    (folder / "plays.tsv").write_text("".join(f"{u}\t{s}\t{n:g}\n" for u, s, n in plays))
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_joins_plays_and_sounds_by_name(music):
    library = own_music(music / "plays.tsv", music).listen(width=129)
    assert len(library.sounds) == 12 and set(NEW) < set(library.sounds)
    assert all(library.plays.csc[:, [library.plays.column(song)]].nnz == 0 for song in NEW)
    assert "song-0020" in library.plays.songs and "song-0020" not in library.sounds
    assert set(library.skipped) == {"short.wav", "text.mp3"}
    plays, sounds = library.with_sound_only()
    assert set(plays.songs) == set(library.sounds) and len(sounds) == 12
    u, i = plays.users[0], plays.songs.index("calm/song-0001.wav")
    assert plays.csr[0, i] == WORLD.plays.csr[WORLD.plays.row(u), 1]
    np.testing.assert_array_equal(sounds[i], library.sounds["calm/song-0001.wav"])


def test_the_report_recommends_only_what_nobody_has_played(music, tmp_path, capsys):
    out, user = tmp_path / "page.html", int(np.diff(WORLD.plays.csr.indptr).argmax())
    main([
        "report", "--plays", str(music / "plays.tsv"), "--audio", str(music), "--epochs", "1", "--factors", "2", "--out", str(out),
        "--user", WORLD.plays.users[user],
    ])
    printed = capsys.readouterr().out
    assert "10 songs to learn from, 2 that nobody has played" in printed
    assert "skipped: text.mp3" in printed and "skipped: short.wav" in printed
    assert "18 of the tracks in" in printed and f"are not in {music}: song-" in printed
    assert "Guessing gets 50%" in printed
    assert "calm – song-0003" in printed and "song-0004" in printed  # as their paths say
    page = out.read_text()
    played = set(WORLD.plays.csr[[user]].indices) & set(range(12)) - {3, 4}
    assert f"New music for {WORLD.plays.users[user]}" in page
    assert page.count("<audio") == min(5, len(played)) + len(NEW)


def test_a_log_that_names_the_tracks_otherwise_says_how_to_name_them(music, tmp_path):
    (tmp_path / "plays.tsv").write_text("ann\tSong Three\t4\nbob\tSong Four\t2\n")
    with pytest.raises(InputError, match=r"the log names 'Song Three', the folder has '.*'; name the tracks"):
        own_music(tmp_path / "plays.tsv", music)


def test_a_report_that_the_names_show_to_be_in_vain_does_not_listen_first(music, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what is written by default goes to the current folder
    monkeypatch.setattr("acai.studies.own_music.extract", None)
    tracks = [path.relative_to(music).as_posix() for path in music.rglob("*.*") if path.suffix != ".tsv"]
    (tmp_path / "plays.tsv").write_text("".join(f"ann\t{track}\t1\n" for track in tracks))
    with pytest.raises(SystemExit) as end:
        main(["report", "--plays", str(tmp_path / "plays.tsv"), "--audio", str(music)])
    said = capsys.readouterr().err
    assert end.value.code == 2 and "has been played already" in said and said.count("\n") == 1


def test_lines_of_the_same_track_are_summed_up(music, tmp_path):
    (tmp_path / "plays.tsv").write_text("".join(f"ann\tsong-000{i}.flac\t2\n" for i in "0246026"))
    log = own_music(tmp_path / "plays.tsv", music).log
    assert dict(log.favourites("ann")) == {f"song-000{i}.flac": n for i, n in zip("0246", (4, 4, 2, 4))}


def test_played_tracks_that_cannot_be_used_say_why(music, tmp_path):
    (tmp_path / "plays.tsv").write_text("ann\ttext.mp3\t4\n")
    with pytest.raises(InputError, match=r"none of the 1 files in .* that were played could be used: text.mp3 is not audio"):
        own_music(tmp_path / "plays.tsv", music).listen()


@pytest.mark.parametrize(
    "words, message",
    [
        (["report", "--plays", "{music}/plays.tsv", "--audio", "{music}/nowhere"], "nowhere: there is no such folder; expected"),
        (
            ["evaluate", "cold-start", "--plays", "{music}/plays.tsv", "--audio", "{music}/plays.tsv"],
            "plays.tsv: is a file; expected the folder of the audio files",
        ),
        (["report", "--plays", "{music}/nothing.tsv", "--audio", "{music}"], "nothing.tsv"),
        (["report", "--plays", "{music}/plays.tsv", "--audio", "{music}", "--user", "nobody"], "no user 'nobody'; there is: "),
        (["evaluate", "cold-start", "--plays", "{music}/plays.tsv"], "--plays and --audio go together"),
    ],
)
def test_mistakes_are_one_line_and_exit_with_2(music, capsys, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main([word.format(music=music) for word in words])
    assert end.value.code == 2
    said = capsys.readouterr().err.replace("\r", "\n").splitlines()[-1]
    assert said.startswith("acai: ") and message in said
    assert not list(tmp_path.glob("*.html"))


def test_the_ladder_of_ones_own_music_has_no_truth(music, tmp_path, capsys):
    main([
        "evaluate", "cold-start", "--plays", str(music / "plays.tsv"), "--audio", str(music), "--folds", "2", "--epochs", "1",
        "--plot", str(tmp_path / "ladder.png"),
    ])
    printed = capsys.readouterr().out
    assert "the network " in printed and "bag of words" in printed and "the true features" not in printed
    assert "how popular the artist is" in printed  # some tracks lie in a folder
    assert (tmp_path / "ladder.png").stat().st_size > 5000


def test_a_negative_number_of_plays_is_refused(tmp_path):
    (tmp_path / "plays.tsv").write_text("ann\ta.wav\t3\nann\tb.wav\t-2\n")
    with pytest.raises(InputError, match=r"plays\.tsv has the number of plays -2; expected 0 or more"):
        own_music(tmp_path / "plays.tsv", tmp_path)
