"""The Million Song Dataset's HDF5 files: tiny ones with the real groups, written here."""

import tarfile

import numpy as np
import pytest

from acai import InputError, datasets

h5py = pytest.importorskip("h5py", reason="needs the extra msd")


def write_song(path, title="I Didn't Mean To", year=0, tempo=92.2):
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = [("song_id", "S32"), ("artist_name", "S1024"), ("title", "S1024"), ("song_hotttnesss", "f8")]
    analysis = [
        ("track_id", "S32"),
        ("duration", "f8"),
        ("tempo", "f8"),
        ("loudness", "f8"),
        ("key", "i4"),
        ("mode", "i4"),
    ]
    with h5py.File(path, "w") as h5:
        h5["metadata/songs"] = np.array([("SOMZWCG12A8C13C480", "Casual", title.encode(), np.nan)], metadata)
        h5["analysis/songs"] = np.array([("TRAAAAW128F429D538", 218.9, tempo, -11.2, 1, 0)], analysis)
        h5["analysis/segments_start"] = np.array([0.0, 0.3])
        h5["analysis/segments_timbre"] = np.arange(24.0).reshape(2, 12)
        h5["analysis/segments_pitches"] = np.ones((2, 12))
        h5["musicbrainz/songs"] = np.array([(0, year)], [("idx_artist_mbtags", "i4"), ("year", "i4")])
    return path


def check(song):
    assert (song.track_id, song.song_id, song.artist) == ("TRAAAAW128F429D538", "SOMZWCG12A8C13C480", "Casual")
    assert (song.duration, song.loudness, song.key, song.mode) == (218.9, -11.2, 1, 0)
    assert np.array_equal(song.timbre, np.arange(24.0).reshape(2, 12)) and song.pitches.shape == (2, 12)


def test_a_file_a_folder_and_an_archive(tmp_path):
    path = write_song(tmp_path / "MillionSongSubset/A/A/TRAAAAW128F429D538.h5", "Père", year=0)
    write_song(tmp_path / "MillionSongSubset/A/B/TRB.h5", "Fils", year=2004, tempo=np.nan)
    archive = tmp_path / "millionsongsubset.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "MillionSongSubset", "MillionSongSubset")
        tar.add(path, "MillionSongSubset/A/A/._TRAAAAW128F429D538.h5")  # what macOS leaves in archives
    (song,) = datasets.msd_hdf5(path)
    check(song)
    assert song.title == "Père" and song.year == 0
    for source in (tmp_path / "MillionSongSubset", archive):
        first, second = datasets.msd_hdf5(source)
        check(first)
        assert (second.title, second.year) == ("Fils", 2004) and np.isnan(second.tempo)


def test_what_is_no_such_file(tmp_path):
    with pytest.raises(InputError, match=r"has no file that ends in \.h5"):
        list(datasets.msd_hdf5(tmp_path))
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n and then nothing")
    with pytest.raises(InputError, match=r"broken\.h5: expected an HDF5 file of the Million Song Dataset"):
        list(datasets.msd_hdf5(tmp_path))
    with h5py.File(tmp_path / "other.h5", "w") as h5:
        h5["something"] = [1]
    with pytest.raises(InputError, match=r"other\.h5: expected an HDF5 file .*groups metadata"):
        list(datasets.msd_hdf5(tmp_path / "other.h5"))
    with pytest.raises(InputError, match=r"cannot be read \(No such file"):
        list(datasets.msd_hdf5(tmp_path / "nothing.tar.gz"))
    (tmp_path / "cut.tar.gz").write_bytes(b"\x1f\x8b\x08 and no more")
    with pytest.raises(InputError, match="is damaged, or its download was cut off"):
        list(datasets.msd_hdf5(tmp_path / "cut.tar.gz"))
