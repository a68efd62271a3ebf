"""Interrupts: a call ends only when its threads have ended."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from sound_files import contents, write

from acai.audio.features import extract
from acai.audio.folder import audio_folder
from acai.audio.workers import Stopped, Workers

# the command, which says when its threads are about to decode the first file
PROGRAM = """
import sys
from acai import cli
from acai.audio import feature_cache, features
digest = features._digest
features._digest = lambda path: print("ready\\n", end="", flush=True) or digest(path)
cli.main(sys.argv[1:])
"""


@pytest.mark.parametrize("number, code, delays", [(signal.SIGINT, 130, (0.0, 0.1)), (signal.SIGTERM, 143, (0.05,))])
def test_an_interrupt_waits_for_the_threads_and_prints_one_word(tmp_path, number, code, delays):
    """If nobody waited for them, threads inside C++ would abort the process at exit. The files are long enough to be hit inside."""
    for n in range(6):
        write(tmp_path / "music" / f"{n}.flac", seconds=60, seed=n, loudness=0.1)
    cache = tmp_path / "cache"
    run = [sys.executable, "-c", PROGRAM, "features", tmp_path / "music", "--cache", cache, "--jobs", "4"]
    for delay in delays:
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(delay)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert process.returncode == code and "Traceback" not in err and err.endswith("\nacai: stopped\n"), err
        assert not [name for name in contents(cache) if "acai-tmp" in name]
    extract(audio_folder(tmp_path / "music").paths, cache)
    extract(audio_folder(tmp_path / "music").paths, tmp_path / "expected")
    assert contents(cache) == contents(tmp_path / "expected")


def test_workers_are_waited_for_despite_further_interrupts():
    workers, events = Workers(), []
    inside = threading.Event()

    def work():
        with suppress(Stopped), workers.task():
            inside.set()
            for _ in range(100):  # a second in C++, from which no thread can be called back
                time.sleep(0.01)
        events.append("ended")

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()

    def press():
        while not workers._stopping:
            time.sleep(0.001)
        for _ in range(20):
            time.sleep(0.002)
            signal.raise_signal(signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        workers.stop()
    events.append("stopped")
    thread.join()
    pressing.join()
    assert events == ["ended", "stopped"]
    with pytest.raises(Stopped), workers.task():
        pass
