"""The soak itself: each of its drivers finds nothing where all is well, and counts a fault that is planted."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from soak import (
    archives,
    damage,
    deeds,
    ledger,
    long_run,
    odd,
    odd_sound,
    readers,
    server,
    sounds,
    stops,
    strangers,
    threads,
    worker,
)
from soak.ledger import Driver, Fault, Tally

from acai.ratings import Ratings


def kinds(faults):
    return {fault.kind for fault in faults}


def cases(driver, shared, room, n, seed=0):
    """The kinds of the faults of the first cases of a driver, run here."""
    found = set()
    for case in range(n):
        place = room / str(case)
        place.mkdir(parents=True)
        found |= kinds(driver.case(shared, case, driver.rng(seed, case), place))
    return found


# ------------------------------------------------------------------ workers and counting


def misbehave(shared, n, rng, room):
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if n == 2:
        time.sleep(60)
    if n == 3:
        raise KeyError("three")
    return [Fault("silent", "four")] if n == 4 else []


def test_crashes_hangs_and_exceptions_are_counted_and_the_next_case_runs(tmp_path):
    driver, told = Driver("planted", "what", "cases", lambda folder: None, misbehave, limit=0.5), []
    tally = worker.run(driver, tmp_path, 0, 1.5, tell=lambda n, fault: told.append((n, fault.kind)))
    assert told == [(1, "foreign"), (2, "hung"), (3, "foreign"), (4, "silent")]
    assert tally.counts == {"foreign": 2, "hung": 1, "silent": 1} and tally.done > 5
    assert not [path for path in tmp_path.iterdir() if path.name == "room-5"]


def test_one_case_is_repeated_alone(tmp_path):
    driver = Driver("planted", "what", "cases", lambda folder: None, misbehave, units=7)
    tally = worker.run(driver, tmp_path, 0, 0, only=4)
    assert tally.done == 7 and tally.examples == [(4, "silent", "four")]
    assert Tally.from_json(tally.to_json()) == tally


def test_only_zeros_are_a_success():
    driver = Driver("d", "what", "cases", lambda folder: None, misbehave)
    tally = Tally("d")
    assert not ledger.all_zero([driver], {"d": tally})  # nothing was done
    tally.add(0, 1, [])
    assert ledger.all_zero([driver], {"d": tally})
    tally.add(1, 1, [Fault("lost", "a file")])
    assert not ledger.all_zero([driver], {"d": tally})
    assert "2 cases" in ledger.table([driver], {"d": tally})


# ------------------------------------------------------------------ files


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    shared = tmp_path_factory.mktemp("saved")
    damage.material.ratings(5, 6).save(shared / "small.ratings")
    damage.material.network().save(shared / "small.network")
    (shared / "cache").mkdir()
    return shared


def test_damage_is_refused(saved, tmp_path):
    assert cases(damage.DAMAGE, saved, tmp_path / "a", 20) == cases(damage.BITS, saved, tmp_path / "b", 20) == set()


def test_damage_that_a_loader_accepts_is_counted(saved, tmp_path, monkeypatch):
    monkeypatch.setitem(damage.LOADERS, ".ratings", lambda path: path.read_bytes())
    monkeypatch.setitem(damage.LOADERS, ".network", lambda path: 1 / 0 if path.parent != saved / "undamaged" else 1)
    damage.truth.cache_clear()
    assert cases(damage.DAMAGE, saved, tmp_path, 4) == {"silent", "foreign"}
    damage.truth.cache_clear()


def test_a_stranger_s_file_that_does_harm_is_counted(saved, tmp_path, monkeypatch):
    assert cases(strangers.STRANGERS, saved, tmp_path / "a", 12) == set()
    monkeypatch.setattr(strangers, "use", lambda thing, suffix: [][1])
    assert cases(strangers.STRANGERS, saved, tmp_path / "b", 12) == {"foreign"}


def test_a_reader_that_fails_or_makes_nonsense_is_counted(tmp_path, monkeypatch):
    assert readers.incoherent(damage.material.ratings(5, 6)) == ""
    nonsense = Ratings.from_triplets("ab", "cd", [1.0, 2.0])
    nonsense.csr.data[0] = np.nan
    planted = {"one": ("x", b"1,2\n", lambda path: nonsense), "two": ("y", b"1\n", lambda path: {}["x"])}
    monkeypatch.setattr(readers, "SEEDS", planted)
    assert cases(readers.READERS, tmp_path, tmp_path, 2) == {"silent", "foreign"}


def test_unpacking_beside_the_folder_is_counted(tmp_path, monkeypatch):
    def escape(archive, folder):
        (archive.parents[1] / "outside").write_text("overwritten")
        (archive.parent / ".unpacked-x").mkdir()
        return folder

    room = tmp_path / "room"
    (room / "inside").mkdir(parents=True)
    (room / "inside" / "archive.zip").write_bytes(archives.zipped([("a", b"b")]))
    good = archives.unpacked(room / "inside" / "archive.zip", room, [("a", b"b")])
    monkeypatch.setattr(archives, "unpack", escape)
    assert good == [] and kinds(archives.unpacked(room / "inside" / "archive.zip", room, [("a", b"b")])) >= {"lost", "left over"}


def test_sounds_and_models_that_are_not_finite_are_counted(tmp_path, monkeypatch):
    (tmp_path / "sound.wav").write_bytes(b"RIFF")
    monkeypatch.setattr(sounds, "FORMATS", {"wav": ("WAV", "PCM_16")})
    monkeypatch.setattr(sounds, "log_mel", lambda path: np.array([np.inf]))
    assert cases(sounds.SOUNDS, tmp_path, tmp_path / "a", 1) == {"silent"}
    monkeypatch.setattr(odd_sound, "ridge", lambda rng, S, Q: ("planted", lambda: np.array([np.nan])))
    place = tmp_path / "b"
    place.mkdir()
    assert kinds(odd_sound.case(tmp_path, 1, np.random.default_rng(0), place)) == {"silent"}
    assert kinds(odd.judged("planted", "predict", odd.attempt("planted", lambda: np.array([np.nan])))) == {"silent"}


def test_a_loaded_model_that_predicts_otherwise_is_counted(tmp_path, monkeypatch):
    from acai.cf import GlobalMean

    monkeypatch.setattr(odd, "MODELS", {"GlobalMean": GlobalMean})
    assert cases(odd.ODD, tmp_path, tmp_path / "a", 3) == set()
    monkeypatch.setattr(odd.acai, "load", lambda path: GlobalMean().fit(Ratings.from_triplets("a", "b", [9.0])))
    assert cases(odd.ODD, tmp_path, tmp_path / "b", 3) == {"foreign"}  # the planted load gives other predictions


def test_digests_that_differ_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "digests", lambda *given: ({"ALS": str(given[2])}, []))
    assert kinds(threads.case(tmp_path, 0, None, tmp_path)) == set()
    assert kinds(threads.case(tmp_path, 4, None, tmp_path)) == {"silent"}


def test_leaks_are_counted(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(long_run.gc, "collect", lambda: 0)
    monkeypatch.setattr(long_run, "one_round", lambda shared, room: kept.append(os.dup(1)) or "the same")
    found = [fault for n in range(16) for fault in long_run.case(tmp_path, n, None, tmp_path)]
    for descriptor in kept:
        os.close(descriptor)
    assert kinds(found) == ({"left over"} if Path("/proc/self/fd").exists() else set())


# ------------------------------------------------------------------ commands that are stopped


def test_commands_run_are_killed_and_hang_in_forked_processes(tmp_path):
    with server.Server(tmp_path / "server", modules=["acai.cli", "soak_planted"]) as forks:
        ended = forks.run("--version", cwd=tmp_path)
        assert (ended.code, ended.err, ended.was_signalled) == (0, "", False) and ended.out.startswith("acai ")
        ended = forks.run("no-such-command", cwd=tmp_path)
        assert ended.code == 2 and ended.err.startswith("acai: no command")
        half = tmp_path / "half"
        ended = forks.run("@soak_planted:half_write", half, cwd=tmp_path, signal=signal.SIGKILL, after=1.0)
        assert ended.code == -signal.SIGKILL and half.read_text() == "half"
        ended = forks.run("@soak_planted:ignore_interrupts", cwd=tmp_path, signal=signal.SIGINT, after=1.0, limit=0.5)
        assert ended.code is None


DEED = deeds.Deed("save", lambda given, room: [], refines=("index.json",))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"own": "o", "old": "1"}, set()),  # as before
        ({"own": "o", "old": "2", "new": "n", ".temporary": "t", "index.json": "i"}, set()),  # the next run clears up
        ({"old": "1"}, {"lost"}),  # a file of the user's is gone
        ({"own": "o"}, {"lost"}),
        ({"own": "o", "old": "?"}, {"lost"}),
        ({"own": "o", "old": "1", "new": "half"}, {"lost"}),
    ],
)
def test_what_a_stopped_command_leaves(after, expected):
    before, finished = {"own": "o", "old": "1"}, {"own": "o", "old": "2", "new": "n", "index.json": "j"}
    assert kinds(deeds.examine(DEED, before, after, finished)) == expected


@pytest.mark.parametrize(
    ("code", "after", "expected"),
    [(0, {"a": "1"}, set()), (0, {"a": "1", ".a-x": "t"}, {"left over"}), (0, {"a": "2"}, {"silent"}), (0, {}, {"lost"}),
     (1, {"a": "1"}, {"lost"}), (None, {"a": "1"}, {"hung"})],
)
def test_what_the_next_run_must_mend(code, after, expected):
    assert kinds(deeds.examine_rerun(DEED, server.Ended(code, 1.0, "", "", False), after, {"a": "1"})) == expected


TRACEBACK = 'Traceback (most recent call last):\n  File "/x/acai/cli.py", line 1\nKeyboardInterrupt'


@pytest.mark.parametrize(
    ("code", "err", "expected"),
    [
        (130, "acai: stopped", set()), (0, "", {"lost"}), (-6, "Fatal Python error", {"foreign"}), (1, TRACEBACK, {"foreign"}),
        (None, "", {"hung"}),
    ],
)
def test_how_an_interrupted_command_must_end(tmp_path, code, err, expected):
    ended = server.Ended(code, 1.0, "", err, True)
    assert kinds(stops.judge_interrupted(DEED, ended, tmp_path, {}, {}, {"a.png": "1"})) == expected


@pytest.mark.parametrize(
    ("code", "err", "expected"),
    [(2, "acai: No space left on device", set()), (0, "", {"silent"}), (1, TRACEBACK, {"foreign"}), (None, "", {"hung"})],
)
def test_how_a_command_must_end_on_a_full_disk(tmp_path, code, err, expected):
    deed = deeds.Deed("train", lambda given, room: [])
    assert kinds(stops.judge_full(deed, server.Ended(code, 1.0, "", err, False), tmp_path, {}, {"a.png": "1"})) == expected
