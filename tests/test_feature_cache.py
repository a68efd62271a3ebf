"""The files of the cache: all damage is detected, and no file of the user is touched."""

import io
import os
import random
import shutil

import numpy as np
import pytest
from sound_files import contents, write, write_music

from acai.audio import feature_cache
from acai.audio.feature_cache import SUBFOLDER
from acai.audio.features import extract
from acai.audio.folder import audio_folder
from acai.errors import InputError


@pytest.fixture
def music(tmp_path):
    return write_music(tmp_path / "music")


# Damage


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """Two short sounds, one of them clipped, and their cache; small, so that every bit can be tried."""
    folder = tmp_path_factory.mktemp("cached")
    for name, loudness in ("a.wav", 3), ("b.wav", 0.1):
        write(folder / "music" / name, seconds=0.2, seed=len(name), loudness=loudness)
    found = extract_small(folder / "music", folder / "cache")
    return folder, {track: np.array(found[track]) for track in found}, found.remarks


def extract_small(music, cache):
    return extract(audio_folder(music).paths, cache, n_jobs=1, window=512, hop=512, n_mels=4, sample_rate=8000)


def expect_recomputed(cached, cache):
    """Check that everything is as before: features, remarks, every file of the cache."""
    folder, truth, remarks = cached
    found = extract_small(folder / "music", cache)
    assert {track: found[track].tobytes() for track in found} == {track: x.tobytes() for track, x in truth.items()}
    assert found.remarks == remarks and not found.skipped
    assert contents(cache) == contents(folder / "cache")
    return found


def test_every_flipped_bit_is_noticed(cached, tmp_path):
    """Every bit of an entry and of the index; for some of them, also that everything is then as before."""
    cache = shutil.copytree(cached[0] / "cache", tmp_path / "cache")
    moment = random.Random(0)
    for file in sorted((cache / SUBFOLDER).iterdir())[1:]:
        whole = file.read_bytes()
        assert feature_cache.read_sealed(file) is not None
        for bit in range(8 * len(whole)):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            file.write_bytes(flipped)
            assert feature_cache.read_sealed(file) is None, f"bit {bit} of {file.name}"
            if moment.random() < 0.0005:
                expect_recomputed(cached, cache)
        file.write_bytes(whole)


def damaged(whole, other):
    yield "empty", b""
    yield "half", whole[: len(whole) // 2]
    yield "without its end", whole[:-1]
    yield "with more behind it", whole + b"\n"
    yield "zeros", bytes(len(whole))
    yield "of another sound", other
    yield "in another order", whole.replace(b"'fortran_order': False", b"'fortran_order': True ", 1)
    for value in (np.zeros((4, 9), np.float64), np.zeros(3, np.float16), np.zeros((9, 4), np.float16)):
        file = io.BytesIO()
        np.save(file, value)
        yield f"{value.dtype} of shape {value.shape}", file.getvalue()
    file = io.BytesIO()
    np.save(file, np.array([{}], object))
    yield "a pickle", file.getvalue()


def test_a_damaged_entry_is_computed_again_and_counted(cached, tmp_path):
    files = list(extract_small(cached[0] / "music", cached[0] / "cache").files.values())
    for n, (what, content) in enumerate(damaged(*(file.read_bytes() for file in files))):
        cache = shutil.copytree(cached[0] / "cache", tmp_path / str(n))
        (cache / SUBFOLDER / files[0].name).write_bytes(content)
        found = expect_recomputed(cached, cache)
        assert (found.n_computed, found.n_damaged) == (1, 1), what
        assert extract_small(cached[0] / "music", cache).n_computed == 0
    missing = shutil.copytree(cached[0] / "cache", tmp_path / "missing")
    (missing / SUBFOLDER / files[0].name).unlink()
    found = expect_recomputed(cached, missing)
    assert (found.n_computed, found.n_damaged) == (1, 0)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b"null", b"NaN", b'{"1 2 /a.wav": 5}', b'{"a": {}}', b'[' * 100_000, b"9" * 10_000, b'"\\ud800"',
     b"\xff\xfe", bytes(3_000_000)],
    ids=lambda content: f"{content[:9]!r} {len(content)}",
)
def test_a_wrong_index_costs_only_time(cached, tmp_path, content):
    cache = shutil.copytree(cached[0] / "cache", tmp_path / "cache")
    (cache / SUBFOLDER / "index").write_bytes(content)
    assert expect_recomputed(cached, cache).n_computed == 0


def test_an_index_of_another_folder_is_not_used(cached, tmp_path):
    """Two files of the same size and modification time differ in one digit of their names: one flipped bit exchanges them."""
    cache = shutil.copytree(cached[0] / "cache", tmp_path / "cache")
    index = cache / SUBFOLDER / "index"
    index.write_bytes(index.read_bytes().replace(b"a.wav", b"x.wav").replace(b"b.wav", b"a.wav").replace(b"x.wav", b"b.wav"))
    expect_recomputed(cached, cache)


def test_an_entry_damaged_after_it_was_found_is_not_returned(music, tmp_path):
    found = extract(audio_folder(music).paths, tmp_path / "cache")
    file = found.files["loose.wav"]
    whole = bytearray(file.read_bytes())
    whole[1000] ^= 4
    file.write_bytes(whole)
    for damage in (lambda: None, lambda: file.write_bytes(b""), file.unlink):
        damage()
        with pytest.raises(InputError, match="has been damaged or removed"):
            found["loose.wav"]
    assert extract(audio_folder(music).paths, tmp_path / "cache")["loose.wav"].shape == (128, 22)


# A cache in a folder of the user


def test_no_file_of_the_user_is_touched(music, tmp_path):
    """Hidden files, and files with names similar to acai's, in the given folder and in acai's subfolder."""
    cache = tmp_path / "home"
    key = "0" * 40
    names = [
        ".pre-commit-config.yaml", ".git-credentials", ".clang-format", ".bash_history-old", "index", "index.json", f"{key}.npy",
        f"{key}.txt", f".{key}-abcd_123.npy", ".index-wxyz.json", ".acai-tmp", ".acai-tmp-x-a.npy", "acai-tmp-0-a",
        "acai-features-1",
    ]
    ours = [name for name in names if name != "index"]
    for folder, mine in (cache, names), (cache / SUBFOLDER, ours):
        folder.mkdir(parents=True)
        for name in mine:
            (folder / name).write_text(name)
            os.utime(folder / name, (1e9, 1e9))
    for _ in range(2):
        extract(audio_folder(music).paths, cache)
        for folder, mine in (cache, names), (cache / SUBFOLDER, ours):
            assert {name: (folder / name).read_text() for name in mine} == {name: name for name in mine}
            assert all((folder / name).stat().st_mtime == 1e9 for name in mine)
    assert {file.name for file in cache.iterdir()} == {*names, SUBFOLDER}


def test_a_cache_that_cannot_be_created_says_so(music, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / SUBFOLDER).write_text("mine")
    for cache in ("file", "folder", "file/deep", "nul\0"):
        with pytest.raises(InputError, match="expected a folder to cache features in"):
            extract(audio_folder(music).paths, tmp_path / cache)
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / SUBFOLDER).read_text() == "mine"
