"""The command line: what it prints, its exit codes, and that importing it costs nothing."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile

from acai import __version__
from acai.cli import COMMANDS, main, parser_of
from acai.datasets import synthetic

OLD = "recommended-1-song-9999.wav"  # of an earlier demo
OWN = ["favourite-song.wav", "favourite-1-song-of mine.wav", "recommended-2-song-7.wav"]  # of whoever keeps songs there


def acai(*words: str, **env: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **env}
    return subprocess.run([sys.executable, "-m", "acai", *words], capture_output=True, encoding="utf-8", env=env)


def test_importing_acai_loads_none_of_the_heavy_libraries():
    heavy = ("numba", "librosa", "matplotlib", "joblib")
    code = f"import acai, acai.ratings, acai.cli, sys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_help_lists_every_command(capsys):
    main([])
    printed = capsys.readouterr().out
    main(["--help"])
    assert printed == capsys.readouterr().out
    assert all(f"\n  {name} " in printed for name in COMMANDS)


def test_the_version_is_told(capsys):
    main(["--version"])
    assert capsys.readouterr().out == f"acai {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_options(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: acai {command}")


def test_the_list_of_commands_needs_no_numpy():
    """Loading it takes as long as everything else that `acai --help` does."""
    code = "import acai.cli, sys; acai.cli.overview(); print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_no_help_loads_any_of_the_heavy_libraries():
    """Neither the list of commands, nor the modules that one of them needs before it can say what it takes."""
    heavy = ("numba", "librosa", "matplotlib", "joblib")
    modules = ", ".join(sorted({f"acai.commands.{module}" for module in COMMANDS.values()}))
    code = f"import {modules}, acai.cli, sys; acai.cli.overview(); print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def example(
    place: Path, more: str = "", *, words: list[str], pair: tuple[str, str] | None = None, kind: Literal["a", "b"] = "a",
    n: int = 0, very_loud: bool = False,
) -> None:
    """Do something.

    And that is all.

    Parameters
    ----------
    place : PLACE
        Where, up to 100 %
        of it.
    more : WORD
        What else.
    words : WORD
        Some.
    pair : NAME PATH
        Two.
    kind : {a,b}
        Which.
    n : N
        How many.
    very_loud
        Loudly.
    """


def test_a_functions_signature_makes_its_options():
    parser = parser_of("example", example)
    given = vars(parser.parse_args(["here", "--words", "x", "y", "--pair", "u", "v", "--kind", "b", "-n", "5", "--very-loud"]))
    pair = {"words": ["x", "y"], "pair": ["u", "v"]}
    assert given == {"place": Path("here"), "more": "", **pair, "kind": "b", "n": 5, "very_loud": True}
    given = vars(parser.parse_args(["here", "there", "--words", "x"]))
    assert given == {"place": Path("here"), "more": "there", "words": ["x"], "pair": None, "kind": "a", "n": 0, "very_loud": False}
    for mistake in ["here"], ["--words", "x"], ["here", "--words", "x", "-n", "many"], ["here", "--words", "x", "--kind", "c"]:
        with pytest.raises(SystemExit) as end:
            parser.parse_args(mistake)
        assert end.value.code == 2


def test_a_functions_docstring_makes_its_help():
    printed = " ".join(parser_of("example", example).format_help().split())
    assert "Do something. And that is all. " in printed and "Parameters" not in printed
    for words in "PLACE Where, up to 100 % of it.", "--pair NAME PATH Two.", "--very-loud Loudly.":
        assert words in printed
    assert "-n N How many. (default: 0)" in printed and "--kind {a,b} Which. (default: a)" in printed


def test_an_unknown_command_is_one_line_with_the_nearest_names_first():
    run = acai("dmeo")
    assert run.returncode == 2 and run.stdout == ""
    assert run.stderr.startswith("acai: no command 'dmeo'; there is: demo, ") and run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words, message",
    [
        (["classify", "{here}", "--seed", "-1"], "--seed=-1; expected an integer, at least 0"),
        (["report", "--plays", "x", "--audio", "x", "--epochs", "-3"], "--epochs=-3; expected an integer, at least 1"),
        (["demo", "--epochs", "0"], "--epochs=0; expected an integer, at least 1"),
        (["evaluate", "cold-start", "--folds", "1"], "--folds=1; expected an integer, at least 2"),
        (["reproduce", "momentum", "--data", "x", "--seed", "-1"], "--seed=-1; expected an integer, at least 0"),
        (["recommend", "--data", "triplets", "x", "--user", "1", "-n", "0"], "-n=0; expected an integer, at least 1"),
        (["demo", "--songs", "0"], "--songs=0; expected an integer, at least 1"),
        (["evaluate", "cold-start", "--users", "-5"], "--users=-5; expected an integer, at least 1"),
        (["features", "{here}", "--jobs", "0"], "--jobs=0; expected an integer, at least -1, at most 1024, but not 0"),
        (["demo", "--out", "{here}/file"], "{here}/file is a file; expected a folder, to write report.html into it"),
        (["demo", "--out", "{here}/file/deep/er"], "{here}/file is a file; expected a folder, to write report.html into it"),
        (["report", "--plays", "x", "--audio", "x", "--out", "{here}"], "{here} is a folder; expected the name of a file to write"),
        (["classify", "x", "--out", "{here}"], "{here} is a folder; expected the name of a file to write"),
        (["train", "--data", "triplets", "x", "--out", "{here}"], "{here} is a folder; expected the name of a file to write"),
        (["evaluate", "--data", "triplets", "x", "--plot", "{here}"], "{here} is a folder; expected the name of a file to write"),
        (["evaluate", "cold-start", "--plot", "{here}"], "{here} is a folder; expected the name of a file to write"),
        (["reproduce", "momentum", "--data", "x", "--plot", "{here}"], "{here} is a folder; expected the name of a file to write"),
    ],
)
def test_what_cannot_come_to_an_end_is_not_begun(words, message, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as end:
        main([word.format(here=tmp_path) for word in words])
    assert end.value.code == 2
    assert capsys.readouterr() == ("", f"acai: {message.format(here=tmp_path)}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


WRITERS = [
    ("demo", "--out", "{here}"), ("report", "--plays", "x", "--audio", "x", "--out", "{here}/report.html"),
    ("train", "--data", "triplets", "x", "--out", "{here}/report.html"), ("classify", "x", "--out", "{here}/report.html.png"),
    ("evaluate", "--data", "triplets", "x", "--plot", "{here}/report.html.png"),
    ("evaluate", "cold-start", "--plot", "{here}/report.html.png"),
    ("reproduce", "momentum", "--data", "x", "--plot", "{here}/report.html.png"),
]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
@pytest.mark.parametrize("kind, make", [
    ("is a named pipe", os.mkfifo), ("is a device", lambda path: os.symlink("/dev/null", path)),
    ("exists already and is not writable", lambda path: Path(path).touch(0o444)),
])
def test_what_cannot_be_replaced_is_refused_before_the_work(words, kind, make, tmp_path, capsys, monkeypatch):
    access = os.access  # root may write anywhere
    monkeypatch.setattr(os, "access", lambda path, how: access(path, how) and bool(os.stat(path).st_mode & 0o222))
    name = "report.html.png" if words[-1].endswith(".png") else "report.html"
    make(tmp_path / name)
    before = os.lstat(tmp_path / name).st_mode
    with pytest.raises(SystemExit) as end:
        main([word.format(here=tmp_path) for word in words])
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"acai: {tmp_path / name} {kind}; ") and err.count("\n") == 1
    assert os.lstat(tmp_path / name).st_mode == before and os.listdir(tmp_path) == [name]


def test_a_folder_that_is_not_ones_own_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever runs the tests may write anywhere
    with pytest.raises(SystemExit):
        main(["demo", "--out", str(tmp_path / "new")])
    assert capsys.readouterr().err == f"acai: {tmp_path} is not writable; name another place for report.html\n"


def raises(error: BaseException):
    """A command that fails."""

    def demo(what: str = "demo") -> None:
        """As if something had happened.

        Parameters
        ----------
        what : WORD
            Nothing.
        """
        raise error

    return demo


@pytest.mark.parametrize("error, code", [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 2)])
def test_whatever_ends_a_command_it_is_one_line(error, code, monkeypatch, capsys):
    monkeypatch.setattr("acai.commands.listen.demo", raises(error))
    with pytest.raises(SystemExit) as end:
        main(["demo"])
    assert end.value.code == code
    assert capsys.readouterr().err.strip() == {130: "acai: stopped", 2: "acai: [Errno 28] No space left on device"}[code]


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory):
    """The demo on a small world, run twice: in this process with all threads, and in another one with one."""
    runs = []
    for in_this_process in True, False:
        folder = tmp_path_factory.mktemp("demo")
        (folder / "out").mkdir()
        for name in OLD, *OWN:
            (folder / "out" / name).touch()
        words = ["demo", "--out", str(folder / "out"), "--songs", "40", "--users", "150", "--epochs", "2"]
        if in_this_process:
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                main(words)
            printed = stream.getvalue()
        else:
            run = acai(*words, NUMBA_NUM_THREADS="1")
            assert run.returncode == 0, run.stderr
            printed = run.stdout
        runs.append((folder / "out", printed.replace(str(folder), "")))
    return runs


def test_the_demo_says_that_its_world_is_synthetic_and_shows_its_tables(small_demo):
    printed = small_demo[0][1]
    assert printed.startswith("A SYNTHETIC world")
    for row in "global mean", "nearest neighbours", "factors by SGD", "chance", "ridge", "the network", "the true features":
        assert f"\n  {row}" in printed


def test_the_demo_prints_the_same_digits_again_and_with_one_thread(small_demo):
    assert small_demo[0][1] == small_demo[1][1]


def test_the_demo_writes_a_picture_and_songs_that_are_those_of_the_world(small_demo):
    folder = small_demo[0][0]
    names = sorted(p.name for p in folder.iterdir())
    assert set(OWN) <= set(names)
    names = [name for name in names if name not in OWN]
    assert "demo.png" in names and len([n for n in names if n.startswith("recommended-")]) == 5
    assert not [n for n in names if n.startswith(".")] and OLD not in names
    song = next(n for n in names if n.startswith("favourite-1"))
    samples, rate = soundfile.read(folder / song)
    expected, _ = synthetic(150, 40).sound(song.removeprefix("favourite-1-").removesuffix(".wav"))
    assert rate == 22050
    np.testing.assert_allclose(samples, expected, atol=1 / 2**15)
