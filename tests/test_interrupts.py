"""Ctrl-C is never lost: not in callbacks of C libraries, not as a SystemError, and no command ends with 0 after it."""

import ctypes
import io
import os
import pkgutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
import soundfile

from acai.cli import main
from acai.datasets.synthetic import synthetic
from acai.errors import InputError
from acai.interrupts import InterruptRecord, delayed_interrupts, is_interrupt
from acai.report import page


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def pressing(function, at: int = 1):
    """The same function, but Ctrl-C is pressed when it is called for the `at`-th time."""
    calls = []

    def pressed(*arguments, **named):
        calls.append(arguments)
        if len(calls) == at:
            press_ctrl_c()
        return function(*arguments, **named)

    return pressed


def test_ctrl_c_waits_for_the_end_of_the_block():
    steps = []
    with pytest.raises(KeyboardInterrupt):
        with delayed_interrupts():
            press_ctrl_c()
            steps.append("went on")
        steps.append("never reached")
    assert steps == ["went on"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_the_block_goes_through_and_so_does_ctrl_c_elsewhere():
    with pytest.raises(ZeroDivisionError), delayed_interrupts():
        raise ZeroDivisionError
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()


def test_a_process_that_ignores_ctrl_c_and_a_thread_that_never_gets_it_are_left_alone():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with delayed_interrupts():
            press_ctrl_c()
    finally:
        signal.signal(signal.SIGINT, before)
    done = []

    def work() -> None:
        with delayed_interrupts():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.parametrize("format", ["WAV", "MP3"])
def test_ctrl_c_while_a_sound_is_encoded_is_not_swallowed(format, monkeypatch):
    samples = np.sin(np.arange(22050) / 7)

    class Pressed(io.BytesIO):
        def write(self, data):
            press_ctrl_c()
            return super().write(data)

    expected = page.encoded(samples, 22050, format)
    assert len(soundfile.read(io.BytesIO(expected))[0]) >= len(samples)
    monkeypatch.setattr(page.io, "BytesIO", Pressed)
    with pytest.raises(KeyboardInterrupt):
        page.encoded(samples, 22050, format)


def test_a_system_error_is_known_for_the_ctrl_c_that_it_was():
    error = SystemError("returned a result with an exception set")
    assert not is_interrupt(error) and not is_interrupt(ValueError()) and is_interrupt(KeyboardInterrupt())
    error.__cause__ = KeyboardInterrupt()
    assert is_interrupt(error)


class Destructor:
    def __del__(self) -> None:
        press_ctrl_c()


def drop_it() -> None:
    Destructor()


def make_a_system_error_of_it() -> None:
    try:
        press_ctrl_c()
    except KeyboardInterrupt as stopped:
        raise SystemError("<built-in function> returned a result with an exception set") from stopped


def make_an_import_error_of_it() -> None:
    try:
        press_ctrl_c()
    except KeyboardInterrupt:
        raise ImportError("numpy.core.multiarray failed to import") from None


def make_bad_input_of_it() -> None:
    try:
        press_ctrl_c()
    except KeyboardInterrupt:
        raise InputError("the sound cannot be decoded") from None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "what", [press_ctrl_c, drop_it, make_a_system_error_of_it, make_an_import_error_of_it, make_bad_input_of_it]
)
def test_a_command_during_which_ctrl_c_was_pressed_ends_with_130(what, monkeypatch, capsys):
    monkeypatch.setattr("acai.cli.overview", what)
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 130 and capsys.readouterr().err.strip().endswith("acai: stopped")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def traced(event_to_press: int, seen: list[str]) -> Callable:
    """Trace lines of acai and contextlib, and press Ctrl-C at one of them."""

    def trace(frame: FrameType, event: str, argument: object) -> Callable | None:
        folder = Path(frame.f_code.co_filename).parent.name
        if folder != "acai" and Path(frame.f_code.co_filename).name != "contextlib.py":
            return None
        if event == "line":
            seen.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
            if len(seen) - 1 == event_to_press:
                press_ctrl_c()
        return trace

    return trace


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file was open that nobody could close
def test_ctrl_c_at_any_line_of_a_command_ends_it_in_silence(capsys):
    def run(event_to_press: int) -> list[str]:
        seen: list[str] = []
        usual = sys.gettrace()
        sys.settrace(traced(event_to_press, seen))
        try:
            main(["--version"])
            code = 0
        except SystemExit as end:
            code = end.code
        finally:
            sys.settrace(usual)
            signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C while ours was installed may leave it there
        assert code in (0, 130), f"exit code {code} after Ctrl-C at {seen[-1]}"  # 0: the work was done already
        assert "Traceback" not in capsys.readouterr().err
        return seen

    lines = run(-1)
    assert len(lines) > 60
    for event in range(1, len(lines)):  # the first line of all is `try:`
        run(event)


def in_a_callback_of_c(wanted: Callable[[], None]) -> None:
    """Let the C library's `qsort` call a function, which drops whatever it raises."""
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    numbers = (ctypes.c_int * 2)(2, 1)
    ctypes.CDLL(None).qsort(numbers, 2, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: wanted() or 0))


@pytest.mark.parametrize("drop", [drop_it, lambda: in_a_callback_of_c(press_ctrl_c)])
def test_ctrl_c_that_a_library_dropped_stops_the_command_all_the_same_and_prints_nothing(drop, monkeypatch, capfd):
    def long_work() -> None:
        drop()
        for _ in range(100):
            time.sleep(0.1)
        reached_the_end.append(True)

    reached_the_end: list[bool] = []
    usual = sys.unraisablehook
    monkeypatch.setattr("acai.cli.overview", long_work)
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 130 and not reached_the_end and capfd.readouterr().err == "\nacai: stopped\n"
    assert sys.unraisablehook is usual


def test_other_exceptions_that_nobody_can_catch_are_shown_as_always(monkeypatch):
    class Broken:
        def __del__(self) -> None:
            raise ValueError("in a destructor")

    shown: list[BaseException] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: shown.append(what.exc_value))
    with InterruptRecord():
        Broken()
    assert [str(error) for error in shown] == ["in a destructor"]


def test_what_ctrl_c_left_half_made_is_destroyed_in_silence(monkeypatch, capfd):
    class HalfMade:
        def __init__(self) -> None:
            press_ctrl_c()
            self.bar = None

        def __del__(self) -> None:
            print(self.bar)  # an AttributeError

    monkeypatch.setattr("acai.cli.overview", HalfMade)
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 130 and capfd.readouterr().err == "\nacai: stopped\n"


def test_an_error_without_ctrl_c_is_not_hidden(monkeypatch):
    def broken() -> str:
        raise SystemError("a fault of acai")

    monkeypatch.setattr("acai.cli.overview", broken)
    with pytest.raises(SystemError, match="a fault of acai"):
        main([])


def test_somebody_elses_handler_is_left_alone():
    def mine(number, frame):
        pass

    before = signal.signal(signal.SIGINT, mine)
    try:
        with InterruptRecord():
            assert signal.getsignal(signal.SIGINT) is mine
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def world():
    return synthetic(100, 40, seconds=4)


@pytest.fixture(scope="module")
def spectrograms(world):
    return world.spectrograms()


@pytest.fixture
def demo(world, spectrograms, monkeypatch, tmp_path):
    """The demo on a world whose songs are short and known; returns what it leaves, and its exit code."""
    monkeypatch.setattr("acai.studies.enough.synthetic", lambda *_, **__: world)
    monkeypatch.setattr(type(world), "spectrograms", lambda *_, **__: spectrograms)
    monkeypatch.setattr("acai.commands.listen.rating_errors", lambda *_: {"global mean": 1.0})

    def run() -> tuple[list[Path], object]:
        with pytest.raises(SystemExit) as end:
            main(["demo", "--out", str(tmp_path / "out"), "--epochs", "2"])
        return sorted((tmp_path / "out").rglob("*")), end.value.code

    return run


@pytest.mark.parametrize(
    "place, at",
    [
        ("acai.cf.ALS._learn", 1), ("acai.content.training._step", 3), ("acai.content.AudioToFactors._mean_over_windows", 2),
        ("acai.commands.listen.encoded", 2), ("acai.report.page.soundfile.write", 9), ("acai.plots.save", 4),
    ],
)
def test_ctrl_c_anywhere_in_the_demo_ends_it_with_130_and_without_a_page(place, at, demo, world, monkeypatch, capsys):
    monkeypatch.setattr(place, pressing(pkgutil.resolve_name(place), at))
    left, code = demo()
    assert code == 130 and capsys.readouterr().err.endswith("\nacai: stopped\n")
    assert not [path.name for path in left if path.name.startswith(".") or path.name == "report.html"]
    for path in left:
        if path.suffix == ".wav":
            assert soundfile.info(path).frames == len(world.sound("song-0000")[0])


@pytest.mark.parametrize("space", [100_000, 200_000])
def test_a_full_disk_is_one_line_and_leaves_no_half_page(space, demo, capfd):
    """Where the songs do not fit, 176 kB each, and where the page does not; all files are written in the same way."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (space, before[1]))
    try:
        left, code = demo()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2 and capfd.readouterr().err.splitlines()[-1].startswith("acai: [Errno ")
    assert not [path.name for path in left if path.name.startswith(".") or path.name == "report.html"]


def test_ctrl_c_while_a_model_is_saved_leaves_nothing(tmp_path, monkeypatch, capsys):
    table = tmp_path / "plays.tsv"
    table.write_text("".join(f"u{i % 7}\ts{i % 5}\t{1 + i % 4}\n" for i in range(35)))
    monkeypatch.setattr("acai.files.np.lib.format.write_array", pressing(np.lib.format.write_array, 2))
    with pytest.raises(SystemExit) as end:
        main(["train", "--data", "triplets", str(table), "--model", "ALS:n_factors=2", "--out", str(tmp_path / "model.npz")])
    assert end.value.code == 130 and [path.name for path in tmp_path.iterdir()] == ["plays.tsv"]
