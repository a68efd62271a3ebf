"""Wherever acai runs: any Python, any terminal, any encoding and locale, with or without a home, and what it needs declared."""

import ast
import configparser
import inspect
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_files import python_files

import acai
from acai import numba_cache
from acai.cf import SGD, ItemKNN, UserKNN
from acai.cli import COMMANDS, main
from acai.ratings import Ratings
from acai.terminal import KEPT, SafeStream, one_line, visible

SOURCE = Path(acai.__file__).parent
SETUP = Path(__file__).parents[1] / "setup.cfg"
HOSTILE = "a\x1b]0;title\x07\x1b[2J\r\u202eb\x9b\u2028\nc\udcff"


@cache
def trees() -> dict[str, ast.Module]:
    return {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in python_files(SOURCE)}


def run(*words: str, options: tuple[str, ...] = (), **env: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *options, "-m", "acai", *words]
    return subprocess.run(command, capture_output=True, env={**os.environ, **env}, stdin=subprocess.DEVNULL, timeout=300)


@pytest.fixture
def plays(tmp_path) -> str:
    (tmp_path / "hören").mkdir()
    path = tmp_path / "hören" / "ratings.tsv"
    rng = np.random.default_rng(0)
    lines = [f"u{u}\tsông {i}\t{rng.integers(1, 6)}\n" for u in range(8) for i in rng.choice(9, 5, replace=False)]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


# What the code may rely on


def test_everything_imported_is_declared():
    config = configparser.ConfigParser()
    config.read(SETUP, encoding="utf-8")
    texts = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    declared = set(re.findall(r"^[\w-]+", "\n".join(texts), re.MULTILINE))
    imported = {}
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            imported |= {name.partition(".")[0]: path for name in names}
    own = {"acai", "_typeshed"}  # the latter is built into type checkers
    foreign = {name: path for name, path in imported.items() if name not in sys.stdlib_module_names | own}
    assert "numpy" in foreign
    assert {name: path for name, path in foreign.items() if name not in declared} == {}


PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def test_the_pythons_that_are_promised_are_those_that_are_tested():
    config = configparser.ConfigParser()
    config.read(SETUP, encoding="utf-8")
    assert config["options"]["python_requires"] == f">={PYTHONS[0]}"
    for path in python_files(SOURCE):  # syntax that only a newer Python knows
        ast.parse(path.read_text(encoding="utf-8"), feature_version=tuple(map(int, PYTHONS[0].split("."))))
    workflow, readme = (SETUP.parent / place for place in (".github/workflows/ci.yml", "README.md"))
    if not workflow.exists():
        pytest.skip("needs the checkout")
    assert sorted(set(re.findall(r"^ +(3\.\d+)$", workflow.read_text(encoding="utf-8"), re.MULTILINE))) == PYTHONS
    promised = re.search(r"\*\*Every Python from (\S+) to (\S+)\.\*\*", readme.read_text(encoding="utf-8"))
    assert promised.groups() == (PYTHONS[0], PYTHONS[-1])
    assert f"Python {PYTHONS[0]} or newer" in readme.read_text(encoding="utf-8")


def test_the_lower_bounds_become_exact_versions():
    script = SETUP.parent / ".ci" / "lower_bounds.py"
    if not script.exists():
        pytest.skip("needs the checkout")
    printed = subprocess.run([sys.executable, script, "test"], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "librosa", "pytest", "hypothesis"} <= {pin.partition("==")[0] for pin in printed}
    for pin in printed:
        assert pin.replace("==", ">=") in SETUP.read_text(encoding="utf-8")


def test_no_assert_checks_anything_and_no_docstring_is_computed_with():
    """`python -O` drops the one, `python -OO` the other."""
    found = []
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                found.append((path, node.lineno, "assert"))
            if isinstance(node, ast.Name) and node.id == "__doc__":
                found.append((path, node.lineno, "__doc__"))
    assert found == []


def test_text_files_are_opened_with_an_encoding():
    found = []
    for path, tree in trees().items():
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            keywords = {keyword.arg for keyword in call.keywords}
            binary = any(isinstance(mode, ast.Constant) and "b" in str(mode.value) for mode in ast.walk(call))
            is_plain_open = name == "open" and isinstance(call.func, ast.Name)
            if is_plain_open and not binary and "encoding" not in keywords:
                found.append((path, call.lineno))
            if name in ("read_text", "write_text") and "encoding" not in keywords and not ("read" in name and call.args):
                found.append((path, call.lineno))
    assert found == []


# Python without docstrings


def test_both_neighbour_models_document_the_shared_parameters():
    shared = "k", "similarity", "min_overlap", "shrinkage", "centring", "asymmetry", "normalise", "memory"
    for parameter in shared:
        assert f"\n{parameter} : " in inspect.getdoc(UserKNN)
    assert f"\n{', '.join(shared)}\n    As for `UserKNN`." in inspect.getdoc(ItemKNN)
    assert "\nkeep : " in inspect.getdoc(ItemKNN)


def test_commands_work_without_asserts_and_docstrings(plays, capsys):
    helped = run("train", "--help", options=("-OO",))
    assert helped.returncode == 0 and b"--data NAME PATH" in helped.stdout and b"A data set and its file" in helped.stdout
    words = ["recommend", "--data", "triplets", plays, "--user", "u1", "--model", "UserKNN"]
    optimised = run(*words, options=("-OO",))
    main(words)
    printed = capsys.readouterr().out
    assert optimised.returncode == 0, optimised.stderr.decode()
    assert optimised.stdout.decode() == printed and "new for user u1" in printed


# The terminal


def in_encoding(encoding: str, words: list[str], monkeypatch) -> tuple[str, str]:
    """What a command prints where stdout and stderr have this encoding, strictly."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        try:
            main(words)
        except SystemExit as end:
            assert end.code in (0, 2)
    return tuple(stream.buffer.getvalue().decode(encoding) for stream in streams)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_no_encoding_is_too_small(encoding, plays, monkeypatch):
    for command in COMMANDS:
        assert in_encoding(encoding, [*command.split(), "--help"], monkeypatch)[0].startswith("usage: acai")
    recommended, _ = in_encoding(encoding, ["recommend", "--data", "triplets", plays, "--user", "u1"], monkeypatch)
    assert ("sông" if encoding != "ascii" else r"s\xf4ng") in recommended
    listed, _ = in_encoding(encoding, ["data"], monkeypatch)
    assert ("● is in data/, ○ is not" if encoding.startswith("utf") else "* is in data/, o is not") in listed
    _, complaint = in_encoding(encoding, ["dmeö – ●"], monkeypatch)
    assert complaint.startswith("acai: no command ") and complaint.count("\n") == 1


@given(st.lists(st.text()), st.sampled_from(["ascii", "latin-1", "utf-8", "koi8-r"]))
def test_nothing_written_controls_the_terminal(texts, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    for text in texts:
        print(text, file=SafeStream(stream), flush=True)
    written = stream.buffer.getvalue().decode(encoding)
    beginnings = sum(text.startswith("\r") for text in texts)
    assert written.count("\r") == beginnings  # where a progress bar starts anew
    assert all(c.isprintable() or c in KEPT for c in written.replace("\r", ""))


def test_ordinary_text_is_written_as_it_is():
    text = "Sigur Rós – Ágætis byrjun\t№ 1\nמוזיקה, 音楽\u3000👩\u200d🎤\n"
    stream = io.StringIO()
    SafeStream(stream).write(text)
    assert stream.getvalue() == visible(text) == text


def hostile_model(folder: Path) -> Path:
    users, songs = [HOSTILE.replace("\udcff", ""), "v"], ["s" + HOSTILE.replace("\udcff", ""), "t", "x"]
    ratings = Ratings.from_triplets([users[0], users[0], users[1]], [songs[0], songs[1], songs[2]], [5.0, 3.0, 4.0])
    SGD(n_factors=2, n_epochs=1).fit(ratings).save(folder / "model.npz")
    return folder / "model.npz"


def test_hostile_names_are_escaped_by_every_command_that_prints_them(tmp_path, monkeypatch):
    import soundfile

    model, user = str(hostile_model(tmp_path)), HOSTILE.replace("\udcff", "")
    table = tmp_path / "plays.tsv"
    lines = [f"u\x1b[2J{u}\ts\x1b[2J{s}\t{1 + (u + s) % 3}\n" for u in range(4) for s in range(5)]
    table.write_text("".join(lines), encoding="utf-8")
    music = tmp_path / "music"
    for folder in "x\x1b[2J\n", "y":
        (music / folder).mkdir(parents=True)
        (music / folder / "\x1b[2J\nbroken.wav").write_text("no sound", encoding="utf-8")
    soundfile.write(music / "y" / "\x1b[2Jshort.wav", np.sin(np.arange(22050)), 22050)
    monkeypatch.chdir(tmp_path)
    data = ["--data", "triplets", str(table)]
    for words, expected in (
        (["recommend", "--file", model, "--user", user], r"new for user a\x1b]0;title\x07"),
        (["recommend", "--file", model, "--user", "\x1b[2J"], r"\x1b[2J"),
        (["recommend", *data, "--user", "u\x1b[2J1", "--model", "Popularity"], r"new for user u\x1b[2J1"),
        (["train", *data, "--out", "\x1b[2J.npz", "--model", "Popularity"], r"\x1b[2J.npz"),
        (["evaluate", *data, "--models", "Popularity", "--metrics", "\x1b[2J"], r"\x1b[2J"),
        (["evaluate", "--data", "\x1b[2J", "x"], r"\x1b[2J"),
        (["data", "no\x1b[2J"], r"no\x1b[2J"),
        (["download", "\x1b[2J"], r"\x1b[2J"),
        (["features", str(music), "--cache", str(tmp_path / "cache\x1b[2J")], r"\x1b[2J\nbroken.wav"),
        (["classify", str(music), "--cache", str(tmp_path / "cache\x1b[2J")], r"\x1b[2J"),
        (["report", "--plays", str(table), "--audio", str(music)], r"\x1b[2J"),
        (["evaluate", "cold-start", "--plays", str(table), "--audio", str(music)], r"\x1b[2J"),
        (["gradcheck", "\x1b[2J.py:X"], r"\x1b[2J"),
        (["reproduce", "momentum", "--data", "\x1b[2J"], r"\x1b[2J"),
        (["\x1b[2J"], r"\x1b[2J"),
    ):
        printed = "".join(in_encoding("utf-8", words, monkeypatch))
        assert expected in printed, (words, printed)
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u202e]", printed), (words, printed)
        assert not re.search(r"^(broken|c)", printed, re.MULTILINE)  # no line of its own


def test_names_within_a_line_stay_within_it():
    assert one_line(HOSTILE) == r"a\x1b]0;title\x07\x1b[2J\r\u202eb\x9b\u2028\nc\udcff"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_one_line():
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "acai", "data"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=300)
    assert ended.returncode == 2 and ended.stderr == b"acai: [Errno 28] No space left on device\n"


def test_a_reader_that_has_gone_is_no_mistake():
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([sys.executable, "-m", "acai", "data"], stdout=write, stderr=subprocess.PIPE, timeout=300)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize("words, closed, code", [("data", ">&-", 0), ("dmeo", "2>&-", 2), ("download acai-game", "<&-", 2)])
def test_closed_streams_are_no_traceback(words, closed, code):
    ended = subprocess.run(f'"{sys.executable}" -m acai {words} {closed}', shell=True, capture_output=True, timeout=300)
    assert ended.returncode == code and b"Traceback" not in ended.stdout + ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_closed_streams_are_not_taken_for_the_files_that_are_opened_next(plays, tmp_path):
    """The first file that is opened would have the number of stdout, and progress bars have nothing to write to."""
    words = f"train --data triplets '{plays}' --model SGD:n_factors=2,n_epochs=2 --out {tmp_path}/model.npz"
    ended = subprocess.run(f'"{sys.executable}" -m acai {words} <&- >&- 2>&-', shell=True, timeout=300)
    assert ended.returncode == 0 and acai.load(tmp_path / "model.npz").ratings.n_users == 8


def test_locale_and_hash_seed_change_no_figure(plays):
    words = ["evaluate", "--data", "triplets", plays, "--models", "Baseline", "ItemKNN", "--metrics", "rmse", "ndcg"]
    other = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    if not sys.prefix.isascii():  # in such a locale, NumPy cannot be imported from such a path
        other = {"PYTHONIOENCODING": "ascii"}
    expected, printed = run(*words, PYTHONHASHSEED="1"), run(*words, PYTHONHASHSEED="2", **other)
    assert expected.returncode == printed.returncode == 0, printed.stderr.decode()
    assert printed.stdout.decode("ascii") == expected.stdout.decode().replace("×", "x").replace("–", "-")


# Numba's cache


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """Nothing can be written but to a temporary folder. (The tests of .ci/run do without these patches.)"""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setattr(numba_cache, "_writable", lambda folder: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sys.modules["numba"].config.CACHE_DIR
    yield tmp_path
    sys.modules["numba"].config.CACHE_DIR = before


def test_without_a_home_kernels_are_cached_in_a_temporary_folder_and_that_is_said_once(homeless, monkeypatch, capsys):
    for said in 1, 0:
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        numba_cache.provide()
        (folder,) = homeless.iterdir()
        assert os.environ["NUMBA_CACHE_DIR"] == sys.modules["numba"].config.CACHE_DIR == str(folder)
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == said and printed.err.count(str(folder)) == said
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="needs modes of files")
def test_code_is_never_loaded_from_a_folder_that_others_can_write_to(homeless, capsys):
    shared = homeless / f"acai-numba-{os.getuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    numba_cache.provide()
    assert os.environ["NUMBA_CACHE_DIR"] != str(shared) and not list(shared.iterdir())
    own = homeless / "elsewhere"
    own.mkdir(mode=0o700)
    shared.rmdir()
    shared.symlink_to(own)
    numba_cache.provide()
    assert os.environ["NUMBA_CACHE_DIR"] != str(shared)


def test_where_something_can_be_written_numba_chooses(monkeypatch, capsys):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    for writable in (lambda folder: "numba" in folder.parts), (lambda folder: "__pycache__" in folder.parts):
        monkeypatch.setattr(numba_cache, "_writable", writable)
        numba_cache.provide()
        assert "NUMBA_CACHE_DIR" not in os.environ and capsys.readouterr().err == ""


def twice(x):
    return x + x


def kernel(monkeypatch, folder):
    import numba

    from acai.compiling import njit

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder))
    return njit()(twice)


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.rglob(f"*.{suffix}"))


def test_two_processes_never_choose_the_same_file(monkeypatch, tmp_path):
    """A second compilation, which comes just when Numba has noted in the index where the first will be, has to wait."""
    from numba.core.caching import IndexDataCacheFile

    first, second = kernel(monkeypatch, tmp_path), kernel(monkeypatch, tmp_path)
    for one, example in (first, 1), (second, 1.0):  # compiled beforehand: compiling itself is behind a lock of Numba's
        one._cache.disable()
        one(example)
        one._cache.enable()
    (a,), (b,) = first.overloads.items(), second.overloads.items()
    save, waiting = IndexDataCacheFile._save_data, []

    def interrupted(self, name, data):
        if not waiting:
            waiting.append(threading.Thread(target=second._cache.save_overload, args=b))
            waiting[0].start()
            waiting[0].join(0.3)
            assert waiting[0].is_alive()
        save(self, name, data)

    monkeypatch.setattr(IndexDataCacheFile, "_save_data", interrupted)
    first._cache.save_overload(*a)
    waiting[0].join()
    assert len(files(tmp_path, "nbc")) == 2
    again = kernel(monkeypatch, tmp_path)
    assert (again(3), again(1.5)) == (6, 3.0) and sum(again.stats.cache_hits.values()) == 2


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_cache_is_compiled_again(suffix, monkeypatch, tmp_path):
    assert kernel(monkeypatch, tmp_path)(1) == 2
    (path,) = files(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[:20])
    again = kernel(monkeypatch, tmp_path)
    assert again(2) == 4 and not again.stats.cache_hits
    mended = kernel(monkeypatch, tmp_path)
    assert mended(3) == 6 and mended.stats.cache_hits


def test_a_full_disk_stops_no_kernel(monkeypatch, tmp_path):
    from numba.core.caching import IndexDataCacheFile

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    assert kernel(monkeypatch, tmp_path)(1) == 2 and not files(tmp_path, "nbc")
