"""A folder of sound into features: found, kept, resumed after a kill, spread over a cluster."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from acai import cli, features
from acai.audio import log_mel, mfcc
from acai.datasets.audio_folder import audio_folder
from acai.errors import InputError
from acai.features import extract

RATE = 22050


def write(file, seconds=0.5, seed=0, loudness=0.5):
    file.parent.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(seed).normal(0, loudness, round(seconds * RATE)).clip(-1, 1)
    soundfile.write(file, x, RATE)
    os.utime(file, (1e9, 1e9))  # not just now, so that its time of change is trusted
    return file


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    for n, name in enumerate(["b/track2.wav", "b/track10.ogg", "a/deep/x.flac", "loose.wav"]):
        write(folder / name, seed=n, loudness=0.1)
    (folder / "cover.jpg").write_bytes(b"\xff\xd8")
    (folder / ".hidden.wav").write_bytes(b"")
    return folder


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


# Finding


def test_a_folder_is_listed_in_the_order_in_which_a_person_counts(music):
    found = audio_folder(music)
    assert found.tracks == ("a/deep/x.flac", "b/track2.wav", "b/track10.ogg", "loose.wav")
    assert found.classes == {"a/deep/x.flac": "a", "b/track2.wav": "b", "b/track10.ogg": "b"}
    assert found.paths["b/track2.wav"] == music / "b" / "track2.wav"
    assert "4 tracks in 2 sub-folders" in repr(found)


def test_a_folder_that_is_none_says_so(tmp_path, music):
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
    listen = features._listen
    monkeypatch.setattr(features, "_listen", lambda *a: listened.append(a[0]) or listen(*a))
    extract(paths, cache)
    listened.clear()
    assert n_computed() == 0 and n_computed(sample_rate=22050.0) == 0 and not listened
    (music / "loose.wav").rename(music / "renamed.wav")
    extract(audio_folder(music).paths, cache)
    assert not [sound for sound in listened if not isinstance(sound, tuple)], "its content was known"
    assert n_computed(n_mels=40) == 4 and n_computed(n_mels=40) == 0 and n_computed() == 0
    write(music / "renamed.wav", seed=99)
    os.utime(music / "renamed.wav", (1e9, 1e9 + 1))  # the same size, another second
    new = extract(audio_folder(music).paths, cache)
    assert new.n_computed == 1
    assert np.array_equal(new["renamed.wav"], log_mel(music / "renamed.wav").astype(np.float16))


def test_a_file_written_just_now_is_read_again(music, tmp_path):
    """Two versions of the same size within one tick of the clock look the same from outside."""
    file = write(music / "now.wav", seed=1)
    stamp = time.time()
    os.utime(file, (stamp, stamp))
    extract({"now": file}, tmp_path / "cache")
    write(file, seed=2)
    os.utime(file, (stamp, stamp))
    assert np.array_equal(extract({"now": file}, tmp_path / "cache")["now"], log_mel(file).astype(np.float16))


def test_the_cache_is_the_same_however_many_work(music, tmp_path):
    extract(audio_folder(music).paths, tmp_path / "one", n_jobs=1)
    extract(audio_folder(music).paths, tmp_path / "two", n_jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_bad_files_are_skipped_with_their_reason_and_clipped_ones_remarked(music, tmp_path):
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
    with pytest.raises(InputError, match="n_jobs=0"):
        extract(paths, tmp_path / "cache", n_jobs=0)
    with pytest.raises(InputError, match="n_mels=0"):
        extract(paths, tmp_path / "cache", n_mels=0)
    with pytest.raises(TypeError, match="n_mel"):
        extract(paths, tmp_path / "cache", n_mel=40)
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_a_damaged_index_only_costs_time(music, tmp_path):
    extract(audio_folder(music).paths, tmp_path / "cache")
    whole = contents(tmp_path / "cache")
    (tmp_path / "cache" / "index.json").write_text("{")
    assert len(extract(audio_folder(music).paths, tmp_path / "cache")) == 4
    assert contents(tmp_path / "cache") == whole


# Being killed


def test_killed_at_any_moment_it_ends_with_the_same_cache(tmp_path):
    for n in range(12):
        write(tmp_path / "music" / f"{n}.wav", seconds=8, seed=n, loudness=0.2 + n / 12)
    expected = tmp_path / "expected"
    extract(audio_folder(tmp_path / "music").paths, expected)
    program = (
        "import sys; from acai.features import extract; from acai.datasets.audio_folder import audio_folder;"
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


def test_what_a_killed_run_left_half_written_is_swept_away_and_nothing_else(music, tmp_path):
    cache = tmp_path / "cache"
    extract(audio_folder(music).paths, cache)
    complete = contents(cache)
    key = next(name for name in complete if name.endswith(".npy"))
    (cache / f".acai-tmp-0-{key}").write_bytes(b"half")
    (cache / ".acai-tmp-3-index.json").write_bytes(b"{")
    (cache / ".pre-commit-config.yaml").write_bytes(b"the user's own")
    os.utime(cache / ".pre-commit-config.yaml", (1e9, 1e9))
    extract(audio_folder(music).paths, cache)
    assert contents(cache) == complete | {".pre-commit-config.yaml": b"the user's own"}


def test_losing_a_race_to_another_run_does_no_harm(music, tmp_path, monkeypatch):
    """The other run has the feature first, and sweeps our temporary file away as a leftover."""
    cache = tmp_path / "cache"
    extract({"x": music / "loose.wav"}, tmp_path / "other")
    file = next((tmp_path / "other").glob("*.npy"))
    save = np.save

    def beaten(temporary, array):
        save(temporary, array)
        shutil.copy(file, cache / file.name)
        os.unlink(temporary)

    monkeypatch.setattr(np, "save", beaten)
    assert np.array_equal(extract({"x": music / "loose.wav"}, cache)["x"], np.load(file))


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
    for said in ("4 of 5 tracks have features (4 new, 0 known", "4 of 5 tracks have features (0 new, 4 known"):
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


def test_the_cache_stands_where_the_system_keeps_caches():
    assert features.default_cache().parts[-2:] == ("acai", "features")


def test_real_music(real_data, tmp_path):
    found = audio_folder(real_data / "audio")
    assert len(found) == 35 and len(set(found.classes.values())) == 4
    got = extract({track: found.paths[track] for track in found.tracks[::12]}, tmp_path)
    assert all(0 <= got[track].min() and got[track].max() < 20 and got[track].shape[1] > 2500 for track in got)
