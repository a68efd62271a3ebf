"""Sound files as people have them: mp3s that do not say how long they are, tags of any size, formats that must be converted,
files that are a little damaged. What is wrong is said by everything that reads sound."""

import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_files import RATE, id3, mp3, ogg, write

from acai.audio import log_mel, mfcc
from acai.audio.features import extract
from acai.audio.folder import audio_folder
from acai.audio.mp3 import find_frames, frame_length, xing_header
from acai.audio.recording import Recording
from acai.audio.tags import cover, names_in_tags
from acai.commands.listen import print_library
from acai.commands.sound import classify
from acai.errors import InputError
from acai.studies.own_music import own_music

RATES = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]  # of MPEG 2.5, 2 and 1
ENCODER_DELAY = 576  # samples in front of the sound; a decoder removes them if the encoder says that they are there


def loud_then_quiet(rate, channels=1, seconds=3.0, seed=0):
    """Noise, which takes long frames, and then a tone, which takes short ones."""
    rng = np.random.default_rng(seed)
    x = 0.1 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    x[: rate // 2] = rng.normal(0, 0.2, rate // 2)
    return x if channels == 1 else np.stack([x, x], axis=1)


def samples(path, rate):
    return np.concatenate(list(Recording(path, rate)))


def saved(path, content):
    path.write_bytes(content)
    return path


def frames_of(content):
    return find_frames(io.BytesIO(content))


# MP3: where the frames are, and how many.


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", RATES)
def test_the_frames_of_an_mp3_are_counted_as_its_encoder_counted_them(rate, channels):
    content = mp3(loud_then_quiet(rate, channels, 0.6), rate)
    frames = frames_of(content)
    (start, end), = frames.runs
    assert frames.n == frames.stated > 5 and end == len(content) and start == frame_length(content[:4])
    assert frames.n_samples == frames.n * (1152 if rate >= 32000 else 576)
    assert frames.n_samples - 3 * 1152 - ENCODER_DELAY < 0.6 * rate < frames.n_samples
    header = xing_header(frames.header, 5)
    assert len(header) == frame_length(header[:4]) and frames_of(header + content[start:]).stated == 5


@pytest.mark.parametrize("header, length", [
    ("fffb9064", 417), ("fffb9264", 418), ("fffbe0c4", 1044), ("fff380c4", 208), ("ffe318c4", 72), ("fffa9064", 417),
    ("fffb0064", 0), ("fffbf064", 0), ("fffb9c64", 0), ("ffeb9064", 0), ("fff99064", 0), ("fffd9064", 0), ("fe fb9064", 0),
    ("fffb90", 0), ("ff1b9064", 0),
])
def test_a_header_tells_the_length_of_its_frame(header, length):
    """The lengths are those of the format's tables: 144 times the bit rate by the sampling rate, and so on."""
    assert frame_length(bytes.fromhex(header)) == length


@pytest.mark.parametrize("rate, channels", [(44100, 1), (44100, 2), (22050, 1), (24000, 2), (8000, 1)])
def test_an_mp3_that_does_not_state_its_length_is_read_to_its_end(tmp_path, rate, channels):
    content = mp3(loud_then_quiet(rate, channels), rate)
    bare = saved(tmp_path / "bare.mp3", content[frame_length(content[:4]) :])
    assert soundfile.info(bare).frames < 0.8 * 3 * rate, "the decoder alone would stop early"
    expected, got = samples(saved(tmp_path / "a.mp3", content), rate), samples(bare, rate)
    delay = ENCODER_DELAY if rate >= 16000 else 0  # in MPEG 2.5, the decoder removes none
    np.testing.assert_array_equal(got[delay : delay + len(expected)], expected)
    assert 0 <= len(got) - delay - len(expected) < 3 * 1152


def test_an_mp3_that_states_a_wrong_length_is_read_to_its_end(tmp_path):
    first, second = (mp3(loud_then_quiet(44100, seconds=s)) for s in (1, 2))
    zero = bytearray(first)
    place = first.find(b"Xing") + 8
    zero[place : place + 4] = bytes(4)
    with_a_tag = first + id3(70_000, b"\xff\xfb" * 20_000) + second
    for n_seconds, content in (1, bytes(zero)), (3, first + second), (3, with_a_tag):
        got = samples(saved(tmp_path / "a.mp3", content), 44100)
        assert len(got) / 44100 == pytest.approx(n_seconds, abs=0.15)


@pytest.mark.parametrize("garbage", [
    bytes(5000), b"\xff" * 5000, (b"\xff\xfb\x94\x64" + bytes(380)) * 9, b"APETAGEX" + bytes(3000),
])
def test_garbage_between_the_frames_of_an_mp3_is_skipped(tmp_path, garbage):
    content = mp3(loud_then_quiet(44100))
    (start, end), = frames_of(content).runs
    middle = start
    while middle < (start + end) / 2:
        middle += frame_length(content[middle : middle + 4])
    file = saved(tmp_path / "a.mp3", content[start:middle] + garbage + content[middle:])
    clean = saved(tmp_path / "b.mp3", content[start:])
    assert len(samples(file, 44100)) == pytest.approx(len(samples(clean, 44100)), abs=1152)
    assert frames_of(file.read_bytes()).n == frames_of(content).n


@pytest.mark.parametrize("tags", [
    id3(102_400), id3(3_000_000), id3(100_000, b"\xff\xfb\x90\x64" * 9000), id3(300, has_footer=True) + id3(70_000), id3(0),
])
def test_tags_and_padding_in_front_of_an_mp3_are_skipped(tmp_path, tags):
    content = mp3(loud_then_quiet(44100, seconds=1))
    plain = log_mel(saved(tmp_path / "plain.mp3", content))
    np.testing.assert_array_equal(log_mel(saved(tmp_path / "tagged.mp3", tags + content)), plain)


@pytest.mark.parametrize("garbage", [bytes(70_000), id3(100) + bytes(5000), b"\xff" * 3000])
def test_garbage_in_front_of_an_mp3_is_skipped(tmp_path, garbage):
    content = mp3(loud_then_quiet(44100, seconds=1))
    expected, got = (samples(saved(tmp_path / "a.mp3", more + content), 44100) for more in (b"", garbage))
    delay = got.shape[0] - expected.shape[0] and ENCODER_DELAY
    np.testing.assert_array_equal(got[delay : delay + len(expected)], expected)


@pytest.mark.parametrize("container", ["wav", "flac", "ogg"])
def test_what_a_file_is_does_not_depend_on_its_name(tmp_path, container):
    file = write(tmp_path / f"a.{container}", seconds=0.5)
    np.testing.assert_array_equal(log_mel(saved(tmp_path / "a.mp3", file.read_bytes())), log_mel(file))
    bare = mp3(loud_then_quiet(44100))
    bare = bare[frame_length(bare[:4]) :]
    found = log_mel(saved(tmp_path / f"b.{container}", bare))
    np.testing.assert_array_equal(found, log_mel(saved(tmp_path / "b.mp3", bare)))


def test_a_flac_with_a_tag_in_front_is_read(tmp_path):
    file = write(tmp_path / "a.flac", seconds=0.5)
    np.testing.assert_array_equal(log_mel(saved(tmp_path / "b.flac", id3(500) + file.read_bytes())), log_mel(file))


# A little damage.


def test_an_ogg_that_starts_later_is_complete(tmp_path):
    x = loud_then_quiet(RATE)
    file = saved(tmp_path / "later.ogg", ogg(x, later=10 * RATE))
    np.testing.assert_array_equal(log_mel(file), log_mel(saved(tmp_path / "a.ogg", ogg(x))))


@pytest.mark.parametrize("n_missing, is_used", [(0, True), (800, True), (1040, True), (1300, True), (2500, False)])
def test_a_sound_of_which_a_hundredth_is_missing_is_used_with_a_remark(tmp_path, n_missing, is_used):
    """Of 20 s at 8 kHz, a hundredth is 1,600 samples, and a tenth of a second 800; the decoder adds up to one page."""
    x = loud_then_quiet(8000, seconds=20)
    file = saved(tmp_path / "a.ogg", ogg(x, 8000, last=n_missing))
    missing = soundfile.info(file).frames - len(soundfile.read(file)[0])
    assert 0 <= n_missing - missing < 300
    recording = Recording(file, 8000)
    found = extract({"a": file}, tmp_path / "cache")
    if is_used:
        assert len(np.concatenate(list(recording))) == len(x) + n_missing - missing
        assert recording.missing == (missing / 8000 if missing > 800 else 0)
        remark = f"is damaged: {missing / 8000:.2f} s of it cannot be decoded"
        assert found.remarks == ({"a": remark} if missing > 800 else {}) and "a" in found
    else:
        message = r"is cut short: 20\.0 of 20\.3 s can be read; copy it again"
        with pytest.raises(InputError, match=message):
            list(recording)
        assert list(found.skipped) == ["a"]


def test_the_remarks_on_a_sound_are_all_given(tmp_path):
    x = loud_then_quiet(8000, seconds=20)
    x[:4000] *= 20
    found = extract({"a": saved(tmp_path / "a.ogg", ogg(x, 8000, last=1300))}, tmp_path / "cache")
    assert "s of it cannot be decoded; is clipped: " in found.remarks["a"]


# Formats that must be converted.


HEADS = {
    "song.m4a": b"\0\0\0\x20ftypM4A ", "book.m4b": b"\0\0\0\x18ftypM4B ", "raw.aac": b"\xff\xf1\x50\x80\x2e\x7f",
    "tagged.aac": id3(20) + b"\xff\xf9\x50\x80", "old.wma": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "it's $HOME; `x`.m4a": b"\0\0\0\x20ftypM4A ", "-i.m4a": b"\0\0\0\x20ftypM4A ", "renamed.mp3": b"\0\0\0\x20ftypmp42",
    "a: b.m4a": b"\0\0\0\x20ftypM4A ", "über \u00a0\t'.m4a": b"\0\0\0\x20ftypM4A ", "monkey.ape": b"MAC \x96\x0f",
    "caf\udce9\\.m4a": b"\0\0\0\x20ftypM4A ", "pack.wv": b"wvpk\0\0", "muse.mpc": b"MPCK", "video.ogg": b"\x1a\x45\xdf\xa3\x01",
}


@pytest.mark.skipif(not shutil.which("bash"), reason="needs a shell that knows $'…'")
def test_a_format_that_acai_cannot_decode_comes_with_the_command_that_converts_it(tmp_path, monkeypatch):
    """The shell itself is asked what it would run."""
    monkeypatch.chdir(tmp_path)
    script, expected = ["ffmpeg() { printf '%s\\0' \"$@\"; }"], []
    for name, head in HEADS.items():
        try:
            saved(tmp_path / name, head + bytes(2000))
        except OSError:
            continue  # this file system has UTF-8 names only
        for path in (name, str(tmp_path / name)):
            with pytest.raises(InputError, match="which acai cannot decode: convert it with ffmpeg -i ") as caught:
                log_mel(path)
            message = str(caught.value)
            command, why, rest = message.split("convert it with ")[1].partition(" (FLAC is lossless: acai hears the same sound)")
            assert command.isprintable() and why and not rest
            script.append(command)
            source = path if path != name else f"./{name}"
            expected += ["-i", source, "-vn", str(Path(source).parent / Path(source).with_suffix(".flac").name)]
            if path == name:
                expected[-1] = f"./{expected[-1]}"
    done = subprocess.run(["bash", "-c", "\n".join(script)], capture_output=True, check=True)
    assert [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]] == expected


def test_a_file_that_has_been_converted_is_not_to_be_converted_again(tmp_path):
    write(tmp_path / "song.flac", seconds=0.5)
    saved(tmp_path / "song.m4a", HEADS["song.m4a"] + bytes(2000))
    found = extract(audio_folder(tmp_path).paths, tmp_path / "cache")
    assert list(found) == ["song.flac"]
    assert found.skipped["song.m4a"] == (
        "is an MP4 file (AAC or ALAC), which acai cannot decode: song.flac beside it is read in its place"
    )


# Everything that reads sound.


def broken(folder):
    """Files that no decoder can use, and what is said of each."""
    content = mp3(loud_then_quiet(44100, seconds=1))
    saved(folder / "cut-in-first-frame.mp3", content[:150])
    saved(folder / "cut-in-second-frame.mp3", content[: frame_length(content[:4]) + 50])
    saved(folder / "scrambled.mp3", content[:2] + bytes(2) + bytes(b ^ 0x55 for b in content[4:]))
    saved(folder / "song.m4a", HEADS["song.m4a"] + bytes(2000))
    saved(folder / "half.ogg", ogg(loud_then_quiet(RATE))[:9000])
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.wav")
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def bad(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "bad"
    folder.mkdir()
    return folder, broken(folder)


def test_a_file_that_is_there_is_never_said_not_to_be(bad):
    folder, names = bad
    found = extract(audio_folder(folder).paths)
    assert sorted(found.skipped) == names and len(names) > 4
    for name in names:
        for read in (log_mel, mfcc, lambda path: list(Recording(path, RATE)), lambda path: found[path.name]):
            with pytest.raises(InputError) as caught:
                read(folder / name)
            assert "exist" not in str(caught.value) and name in str(caught.value)
        assert "exist" not in found.skipped[name] and names_in_tags(folder / name) is None and cover(folder / name) is None
    assert "is a pipe" in found.skipped.get("pipe.wav", "is a pipe")


def test_reports_and_classes_say_of_each_bad_file_what_is_wrong(bad, tmp_path, capsys, monkeypatch):
    folder, names = bad
    for kind in "ab":
        for n in range(2):
            write(folder / kind / f"{n}.wav", seconds=3.2, seed=n)
        (folder / kind / "broken.mp3").write_bytes((folder / "scrambled.mp3").read_bytes())
        (folder / kind / "._0.wav").write_bytes(b"\0\5\x16\7")
    (tmp_path / "plays.tsv").write_text("".join(f"me\t{name}\t2\n" for name in (*names, "a/0.wav", "gone.wav")))
    library = own_music(tmp_path / "plays.tsv", folder).listen()
    assert sorted(library.sounds) == ["a/0.wav", "a/1.wav", "b/0.wav", "b/1.wav"]
    print_library(library, Path("plays.tsv"))
    said = capsys.readouterr().out
    for name in (*names, "a/broken.mp3"):
        assert f"skipped: {name} " in said
    assert "skipped: a/._0.wav is a hidden file, one of 2: its name begins with a dot" in said
    assert f"{len(names)} of the tracks that were played cannot be used: " in said
    assert f"1 of the tracks in plays.tsv are not in {folder}: gone.wav\n" in said
    monkeypatch.setattr("acai.commands.sound.cross_validate", None)  # what comes next is not called
    with pytest.raises(TypeError):
        classify(folder, cache=tmp_path / "cache", out=tmp_path / "a.png")
    said = capsys.readouterr().out
    assert "skipped: a/broken.mp3 " in said and "skipped: a/._0.wav is a hidden file" in said


def test_what_systems_keep_in_a_folder_is_no_music(tmp_path):
    write(tmp_path / "a.wav", seconds=0.1)
    for folder in ("__MACOSX", "$RECYCLE.BIN", "#recycle", "@Recycle", "@eaDir", ".Trash-1000"):
        write(tmp_path / folder / "deep" / "b.wav", seconds=0.1)
    write(tmp_path / "@eaDirectory" / "c.wav", seconds=0.1)
    assert audio_folder(tmp_path).tracks == ("@eaDirectory/c.wav", "a.wav") and not audio_folder(tmp_path).skipped
