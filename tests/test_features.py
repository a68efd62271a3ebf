"""A folder of sound into features: found, cached, resumed after a kill, spread over a cluster; one bad file among good ones."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_files import RATE, contents, write, write_music

from acai import cli
from acai.audio import feature_cache, features, log_mel, mfcc
from acai.audio.features import extract
from acai.audio.folder import audio_folder
from acai.errors import InputError
from acai.files import atomic_write


@pytest.fixture
def music(tmp_path):
    return write_music(tmp_path / "music")


# Finding


def test_a_folder_is_listed_in_natural_order(music):
    found = audio_folder(music)
    assert found.tracks == ("a/deep/x.flac", "b/track2.wav", "b/track10.ogg", "loose.wav")
    assert found.classes == {"a/deep/x.flac": "a", "b/track2.wav": "b", "b/track10.ogg": "b"}
    assert found.paths["b/track2.wav"] == music / "b" / "track2.wav"
    assert "4 tracks in 2 sub-folders" in repr(found)


def test_a_folder_that_is_not_one_says_so(tmp_path, music):
    with pytest.raises(InputError, match="there is no folder"):
        audio_folder(tmp_path / "musik")
    with pytest.raises(InputError, match="is not a folder"):
        audio_folder(music / "loose.wav")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no audio file in"):
        audio_folder(tmp_path / "empty")


# Keeping


def test_features_are_those_of_each_file_in_half_precision(music, tmp_path):
    got = extract(audio_folder(music).paths, tmp_path / "cache")
    assert list(got) == list(audio_folder(music).tracks) and got.n_computed == 4
    for track in got:
        assert isinstance(got[track], np.memmap)
        assert np.array_equal(got[track], log_mel(music / track).astype(np.float16))
    ours = extract(audio_folder(music).paths, tmp_path / "cache", kind="mfcc", n_mfcc=20)
    assert np.array_equal(ours["loose.wav"], mfcc(music / "loose.wav", n_mfcc=20).astype(np.float16))


def test_a_second_run_computes_nothing_and_any_change_something(music, tmp_path, monkeypatch):
    cache, paths = tmp_path / "cache", audio_folder(music).paths
    n_computed = lambda **how: extract(audio_folder(music).paths, cache, **how).n_computed
    listened = []
    listen = features._compute
    monkeypatch.setattr(features, "_compute", lambda *a: listened.append(a[0]) or listen(*a))
    extract(paths, cache)
    listened.clear()
    same = [{"sample_rate": 22050.0}, {"sample_rate": np.float64(22050)}, {"window": np.int32(1024)}, {"C": 10_000}]
    assert n_computed() == 0 and not any(n_computed(**how) for how in same) and not listened
    (music / "loose.wav").rename(music / "renamed.wav")
    assert n_computed() == 0
    assert not [sound for sound in listened if not isinstance(sound, tuple)], "its content was known"
    assert n_computed(n_mels=40) == 4 and n_computed(n_mels=40) == 0 and n_computed() == 0
    write(music / "renamed.wav", seed=99)
    os.utime(music / "renamed.wav", (1e9, 1e9 + 1))  # the same size, another second
    new = extract(audio_folder(music).paths, cache)
    assert new.n_computed == 1
    assert np.array_equal(new["renamed.wav"], log_mel(music / "renamed.wav").astype(np.float16))


def test_a_file_written_just_now_is_read_again(music, tmp_path):
    """Two versions of the same size within one tick of the clock cannot be told apart without reading them."""
    file = write(music / "now.wav", seed=1)
    stamp = time.time()
    os.utime(file, (stamp, stamp))
    extract({"now": file}, tmp_path / "cache")
    write(file, seed=2)
    os.utime(file, (stamp, stamp))
    assert np.array_equal(extract({"now": file}, tmp_path / "cache")["now"], log_mel(file).astype(np.float16))


def test_the_cache_is_the_same_for_any_number_of_jobs(music, tmp_path):
    extract(audio_folder(music).paths, tmp_path / "one", n_jobs=1)
    extract(audio_folder(music).paths, tmp_path / "two", n_jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_bad_files_are_skipped_with_a_reason_and_clipped_ones_have_a_remark(music, tmp_path):
    (music / "text.mp3").write_text("no music")
    write(music / "short.wav", seconds=0.01)
    write(music / "loud.wav", loudness=3)
    paths = audio_folder(music).paths | {"gone": music / "gone.wav"}
    for _ in range(2):  # the second time, the remark comes from the cache
        got = extract(paths, tmp_path / "cache")
        assert list(got.skipped) == ["short.wav", "text.mp3", "gone"]
        assert got.skipped["short.wav"].startswith("is too short: it has 220 of the 1024 samples")
        assert got.skipped["text.mp3"].startswith("is not audio")
        assert got.remarks == {"loud.wav": got.remarks["loud.wav"]} and "is clipped: 7" in got.remarks["loud.wav"]
        assert len(got) == 5
    with pytest.raises(InputError, match=r"text\.mp3 is not audio"):
        got["text.mp3"]
    with pytest.raises(InputError, match=r"no track 'loose'; there is: loose\.wav"):
        got["loose"]


def test_wrong_requests_fail_before_anything_is_done(music, tmp_path):
    paths = audio_folder(music).paths
    with pytest.raises(InputError, match="no kind of features 'mel'; there is: log_mel"):
        extract(paths, tmp_path / "cache", kind="mel")
    with pytest.raises(InputError, match="n_mels=0"):
        extract(paths, tmp_path / "cache", n_mels=0)
    with pytest.raises(TypeError, match="n_mel"):
        extract(paths, tmp_path / "cache", n_mel=40)
    for n_jobs in (0, 1.5, True, None, "2", 10**6):
        with pytest.raises(InputError, match="n_jobs="):
            extract(paths, tmp_path / "cache", n_jobs=n_jobs)
    with pytest.raises(InputError, match=r"C=-1; expected a finite number, at least 0\.001"):
        extract({}, tmp_path / "cache", C=-1)
    assert not (tmp_path / "cache").exists()


# One bad file among good ones


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")
def test_a_folder_of_the_worst_files_is_skipped_file_by_file(music, tmp_path, capsysbinary):
    os.mkfifo(music / "pipe.wav")
    os.symlink("/dev/zero", music / "zero.wav")
    os.symlink("nowhere", music / "dangling.wav")
    os.symlink("loop.mp3", music / "loop.mp3")
    (music / "folder.wav").mkdir()
    (music / "empty.flac").write_bytes(b"")
    (music / "loud.wav").write_bytes(b"")
    soundfile.write(music / "loud.wav", np.where(np.arange(9000) == 99, 1e25, 0.1), RATE, subtype="FLOAT")
    slow = bytearray((music / "loose.wav").read_bytes())
    slow[24:28] = (1).to_bytes(4, "little")
    (music / "slow.wav").write_bytes(slow)
    latin = os.fsencode(music) + b"/caf\xe9.wav"
    try:
        shutil.copy(music / "loose.wav", latin)
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    shutil.copy(music / "loose.wav", music / "caf\\udce9.wav")  # the name before is shown like this
    Path(os.fsdecode(os.fsencode(music) + b"/\xfcber")).mkdir()
    Path(os.fsdecode(os.fsencode(music) + b"/\xfcber/\xe4.wav")).write_text("no music")
    bad = ["dangling.wav", "empty.flac", "loop.mp3", "loud.wav", "pipe.wav", "slow.wav", "zero.wav", "\\udcfcber/\\udce4.wav"]
    for n_computed in (4, 0):  # three are copies of each other
        found = extract(audio_folder(music).paths, tmp_path / "cache", n_jobs=1)
        assert sorted(found.skipped) == sorted(bad) and found.n_computed == n_computed
        names = {"caf\\udce9.wav", "caf\\udce9.wav'"}
        assert set(found) == {"a/deep/x.flac", "b/track2.wav", "b/track10.ogg", "loose.wav", *names}
        assert all(np.isfinite(S).all() for S in found.values())
        for track, reason in found.skipped.items():
            assert str(music) not in reason and reason.startswith(("is ", "cannot be ", "claims ")), (track, reason)
    cli.main(["features", str(music), "--cache", str(tmp_path / "cache")])
    assert rb"\udcfcber/\udce4.wav cannot be decoded" in capsysbinary.readouterr().out


def test_files_that_vanish_or_change_while_being_read_are_skipped(music, tmp_path, monkeypatch):
    """A file that is changed between the digest and the decoding would be cached under its former contents."""
    paths = audio_folder(music).paths | {"gone.wav": music / "gone.wav"}
    listen = features._compute

    def change(sound, *more):
        got = listen(sound, *more)
        if not isinstance(sound, tuple):
            os.utime(sound, (1e9, 1e9 + 5))
        return got

    monkeypatch.setattr(features, "_compute", change)
    found = extract(paths, tmp_path / "cache", n_jobs=1)
    assert not found and set(found.skipped.values()) == {"was changed while it was being read; run again", "does not exist"}
    monkeypatch.undo()
    assert len(extract(paths, tmp_path / "cache")) == 4


def test_a_folder_that_cannot_be_read_is_skipped_and_reported(music, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if os.path.basename(path) == "deep":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = audio_folder(music)
    hidden = {".hidden.wav": "is a hidden file: its name begins with a dot"}
    assert len(found) == 3 and found.skipped == {str(music / "a" / "deep"): "cannot be read: Permission denied"} | hidden


def test_an_error_of_acai_is_not_a_reason_to_skip(music, tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "write_entry", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        extract(audio_folder(music).paths, tmp_path / "cache")


# Being killed


def test_killed_at_any_moment_it_ends_with_the_same_cache(tmp_path):
    for n in range(12):
        write(tmp_path / "music" / f"{n}.wav", seconds=8, seed=n, loudness=0.2 + n / 12)
    expected = tmp_path / "expected"
    extract(audio_folder(tmp_path / "music").paths, expected)
    program = (
        "import sys; from acai.audio.features import extract; from acai.audio.folder import audio_folder;"
        "print('ready', flush=True); extract(audio_folder(sys.argv[1]).paths, sys.argv[2])"
    )
    moment = random.Random(0)
    cache = tmp_path / "cache"
    for _ in range(5):
        run = [sys.executable, "-c", program, tmp_path / "music", cache]
        with subprocess.Popen(run, stdout=subprocess.PIPE, start_new_session=True) as process:
            process.stdout.readline()
            time.sleep(moment.uniform(0, 0.5))
            os.killpg(process.pid, signal.SIGKILL)
    extract(audio_folder(tmp_path / "music").paths, cache)
    assert contents(cache) == contents(expected)


def test_two_runs_at_once_fill_one_cache(tmp_path):
    for n in range(6):
        write(tmp_path / "music" / f"{n}.wav", seconds=4, seed=n)
    extract(audio_folder(tmp_path / "music").paths, tmp_path / "expected")
    run = [sys.executable, "-m", "acai", "features", tmp_path / "music", "--cache", tmp_path / "cache"]
    runs = [subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for process in runs:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0 and b"6 of 6 tracks have features" in out, err
    assert contents(tmp_path / "cache") == contents(tmp_path / "expected")


def test_temporary_files_of_a_killed_run_are_removed(music, tmp_path):
    cache = tmp_path / "cache"
    found = extract(audio_folder(music).paths, cache)
    whole = contents(cache)
    with pytest.raises(KeyError), atomic_write(found.files["loose.wav"]) as temporary:
        raise KeyError  # only to find out the names of temporary files
    temporary.write_bytes(b"half")
    extract(audio_folder(music).paths, cache)
    assert contents(cache) == whole


# A cluster


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_loses_a_worker_does_the_same(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` (dask) is not installed")
    import joblib

    for n in range(24):
        write(tmp_path / "music" / f"{n}.wav", seconds=4, seed=n)
    extract(audio_folder(tmp_path / "music").paths, tmp_path / "here")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, local_directory=tmp_path / "dask"
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        pids = client.run(os.getpid)
        first = min(pids, key=pids.get)
        client.submit(os.kill, pids[first], signal.SIGKILL, workers=[next(w for w in pids if w != first)], pure=False)
        got = extract(audio_folder(tmp_path / "music").paths, tmp_path / "there")
        assert pids[first] not in client.run(os.getpid).values(), "the worker was to be killed"
    assert got.n_computed == 24 and not got.skipped
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


# The command


def test_the_command_lists_what_it_skipped(music, tmp_path, capsys):
    (music / "text.mp3").write_text("no music")
    for said in ("4 of 5 tracks have features (4 new, 0 from the cache", "4 of 5 tracks have features (0 new, 4 from the cache"):
        cli.main(["features", str(music), "--cache", str(tmp_path / "cache"), "--mels", "40"])
        out = capsys.readouterr().out
        assert said in out and "skipped:\n  text.mp3 is not audio" in out


def test_the_command_fails_where_nothing_can_be_used(tmp_path, capsys):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "text.mp3").write_text("no music")
    for arguments, message in (
        ([str(tmp_path / "music")], "none of the 1 files"),
        ([str(tmp_path / "nowhere")], "there is no folder"),
    ):
        with pytest.raises(SystemExit) as exit:
            cli.main(["features", *arguments, "--cache", str(tmp_path / "cache")])
        assert exit.value.code == 2 and message in capsys.readouterr().err


def test_the_cache_is_where_the_system_keeps_caches():
    assert features.default_cache().name == "acai"


def test_real_music(real_data, tmp_path):
    found = audio_folder(real_data / "audio")
    assert len(found) == 35 and len(set(found.classes.values())) == 4
    got = extract({track: found.paths[track] for track in found.tracks[::12]}, tmp_path)
    assert all(0 <= got[track].min() and got[track].max() < 20 and got[track].shape[1] > 2500 for track in got)
