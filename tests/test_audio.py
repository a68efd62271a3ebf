"""Sound: the equations against loops and librosa; every way in which a file can be bad, and its error message."""

import inspect
import math
import os
import socket
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from acai import audio
from acai.audio import frames, log_mel, mel_filters, mel_power, mfcc
from acai.audio.recording import BLOCK, Recording
from acai.errors import InputError
from acai.reference import sound as reference


def noise(seconds: float, rate: int = 22050, channels: int = 1, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels)).astype(np.float32)
    return x[:, 0] if channels == 1 else x


# The equations. Oracles: the loops in acai/reference/sound.py, and librosa.


def test_the_spectrogram_is_the_equation():
    x, window, hop, rate = noise(0.02, 8000), 32, 8, 8000
    F = reference.mel_filters(rate, window, 6, 0, rate / 2)
    S = reference.mel_power(x.tolist(), F, window, hop)
    np.testing.assert_allclose(mel_power((x, rate), rate, window, hop, 6), S, rtol=1e-5)
    L = reference.log_compression(S, 10_000)
    np.testing.assert_allclose(log_mel((x, rate), rate, window, hop, 6), L, rtol=1e-6)
    M = reference.mfcc(S, 4)
    np.testing.assert_allclose(mfcc((x, rate), rate, window, hop, 6, f_max=None, n_mfcc=4), M, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("f_max", [None, 8000.0])
def test_the_filter_bank_is_the_equation(f_max):
    F = reference.mel_filters(22050, 1024, 128, 0.0, f_max or 11025)
    np.testing.assert_allclose(mel_filters(22050, 1024, 128, 0.0, f_max).toarray(), F, atol=1e-8)


def test_librosa_agrees(monkeypatch):
    # When librosa is imported, it compiles functions for twenty seconds. This test calls none of them but element by element.
    monkeypatch.setattr("numba.guvectorize", lambda *_, **__: lambda function: function)
    monkeypatch.setattr("numba.vectorize", lambda *_, **__: np.vectorize)
    import librosa

    x = noise(3.1)
    S = librosa.feature.melspectrogram(y=x, sr=22050, n_fft=1024, hop_length=512, n_mels=128)
    np.testing.assert_allclose(mel_power((x, 22050)), S, rtol=2e-5)
    np.testing.assert_allclose(log_mel((x, 22050)), np.log1p(1e4 * S), rtol=1e-6)
    D = librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=22050, n_mels=128, fmax=8000))
    np.testing.assert_allclose(mfcc((x, 22050)), librosa.feature.mfcc(S=D, n_mfcc=128), atol=2e-4)


@pytest.mark.parametrize("bank", [
    (22050, 1024, 128, 0.0, None), (22050, 1024, 128, 0.0, 8000), (16000, 512, 40, 20.0, 7600.5), (8000, 100, 3, 300.5, 3000),
    (44100, 2048, 40, 1500.0, None),
])
def test_the_filter_bank_is_librosas_to_the_last_bit(bank):
    from librosa.filters import mel

    sample_rate, window, n_mels, f_min, f_max = bank
    F = mel(sr=sample_rate, n_fft=window, n_mels=n_mels, fmin=f_min, fmax=f_max)
    ours = mel_filters(*bank).toarray()
    assert ours.dtype == F.dtype
    np.testing.assert_array_equal(ours, F)


def test_the_energy_of_a_pure_tone_is_in_its_own_band():
    tone = np.sin(2 * np.pi * 1000 * np.arange(22050) / 22050)
    S = mel_power((tone, 22050))[:, 5:-5].mean(axis=1)
    F = mel_filters(22050, 1024, 128).toarray()
    centre = F.argmax(axis=1) * 22050 / 1024
    assert abs(centre[S.argmax()] - 1000) < 25


def test_silence_between_sounds_is_exactly_zero():
    x = np.concatenate([noise(1), np.zeros(22050, np.float32), noise(1)])
    L = log_mel((x, 22050))
    assert L.min() == 0 and np.all(L[:, 50:80] == 0) and L.dtype == np.float32
    assert L.shape == (128, 1 + len(x) // 512)


@given(
    lengths=st.lists(st.integers(0, 30), max_size=6),
    window=st.integers(2, 9),
    hop=st.integers(1, 9),
)
def test_frames_of_blocks_are_the_frames_of_the_complete_signal(lengths, window, hop):
    hop = min(hop, window)
    x = np.arange(1, 1 + sum(lengths), dtype=np.float32)
    got = list(frames(np.split(x, np.cumsum(lengths)[:-1]) if lengths else [], window, hop))
    padded = np.concatenate([np.zeros(window // 2), x, np.zeros(window - window // 2)])
    expected = [padded[t * hop : t * hop + window] for t in range(1 + len(x) // hop)]
    assert np.array_equal(np.concatenate(got), expected)


NOT_NUMBERS = [None, "9", True, 1 + 0j, np.nan, np.inf, -np.inf, -1, [9]]


@pytest.mark.parametrize("feature", [log_mel, mfcc, mel_power])
@pytest.mark.parametrize(
    "setting, wrong",
    [
        ("sample_rate", [*NOT_NUMBERS, 0, 999, 1_000_001]),
        ("window", [*NOT_NUMBERS, 1, 1024.0, 65_537, 10**30]),
        ("hop", [*NOT_NUMBERS, 0, 0.5, 5000]),
        ("n_mels", [*NOT_NUMBERS, 0, 1.5, 1025]),
        ("f_min", [*NOT_NUMBERS, 11_025]),
        ("f_max", [*NOT_NUMBERS[1:], 0, 11_025.5]),
        ("C", [*NOT_NUMBERS, 0, 1e-4, 1e10]),
        ("n_mfcc", [*NOT_NUMBERS, 0, 1.5, 129]),
    ],
)
def test_a_setting_of_a_wrong_type_or_size_is_named(feature, setting, wrong):
    if setting in inspect.signature(feature).parameters:
        for value in wrong:
            with pytest.raises(InputError, match=f"^{setting}=|f_min=.*f_max=") as caught:
                feature((noise(1), 22050), **{setting: value})
            assert "; expected" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(hop=2000), "hop=2000; expected from 1 sample to the complete window=1024"),
        (dict(f_min=5000, f_max=4000), "expected f_min < f_max"),
        (dict(sample_rate=8000, f_max=4001), "at sample_rate=8000; expected f_min < f_max <= sample_rate / 2"),
        (dict(n_mels=1000), "mel bands lie between two frequencies"),
    ],
)
def test_settings_must_fit_each_other(wrong, message):
    with pytest.raises(InputError, match=message):
        log_mel((noise(1), 22050), **wrong)
    with pytest.raises(InputError, match="n_mfcc=41; expected from 1 to n_mels=40"):
        mfcc((noise(1), 22050), n_mels=40, n_mfcc=41)


@settings(max_examples=25)
@given(
    rate=st.floats(1000, 1e6),
    window=st.integers(2, 600),
    hop=st.floats(0.2, 1),
    n_mels=st.integers(1, 40),
    C=st.floats(1e-3, 1e9),
    loudness=st.sampled_from([1e-4, 0.5, 6e4]),
)
def test_settings_in_range_give_finite_numbers_or_say_what_does_not_fit(rate, window, hop, n_mels, C, loudness):
    x = loudness * 2 * noise(0.05)
    hop = math.ceil(hop * window)
    for feature, more in (log_mel, {"C": C}), (mfcc, {"f_max": None, "n_mfcc": n_mels}):
        try:
            got = feature((x, 22050), rate, window, hop, n_mels, **more)
        except InputError as error:
            assert "would stay empty" in str(error) or "too short" in str(error)
        else:
            assert np.isfinite(got.astype(np.float16)).all()


def test_a_spectrogram_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("acai.audio.spectrogram.LARGEST", 128 * 1000)
    assert log_mel((noise(20), 22050)).size < 128 * 1000
    with pytest.raises(InputError, match=r"is too long: the first 0\.0 h have 1,\d\d\d frames; split it"):
        log_mel((noise(30), 22050))


# Reading.


@pytest.mark.parametrize("ending, subtype", [("wav", "FLOAT"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", None)])
def test_every_format_gives_the_spectrogram_of_its_decoded_samples(tmp_path, ending, subtype):
    file = tmp_path / f"a.{ending}"
    soundfile.write(file, noise(14, 44100, 2), 44100, subtype=subtype)  # three blocks
    x, rate = soundfile.read(file, dtype="float32")
    assert np.array_equal(log_mel(file), log_mel((x, rate)))
    assert np.array_equal(log_mel(str(file)), log_mel(file))
    assert log_mel(file).shape[1] == pytest.approx(1 + 14 * 22050 / 512, abs=3)


def test_channels_are_averaged():
    x = noise(1, channels=5)
    np.testing.assert_allclose(log_mel((x, 22050)), log_mel((x.mean(axis=1), 22050)), rtol=1e-5)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 192_000])
def test_other_rates_are_resampled(rate):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
    at_22050 = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * 22050) / 22050)
    got, expected = log_mel((tone, rate)), log_mel((at_22050, 22050))
    assert got.shape == expected.shape
    loud = expected[:, 5:-5] > 3
    assert np.abs(got[:, 5:-5] - expected[:, 5:-5])[loud].max() < 0.02


def test_resampling_in_blocks_is_resampling_at_once():
    import soxr

    x = noise(14, 44100)
    got = np.concatenate(list(Recording((x, 44100))))
    assert len(x) > 2 * BLOCK and np.array_equal(got, soxr.resample(x, 44100, 22050))


@pytest.mark.parametrize("kind", ["int16", "int32", "uint8", "float64"])
def test_samples_of_any_type_give_the_same_sound(kind):
    x = noise(1)
    if kind == "float64":
        y, tolerance = x.astype(kind), 0
    else:
        i = np.iinfo(kind)
        middle = 0 if i.min < 0 else i.max / 2
        y, tolerance = np.round(x * (i.max - middle) + middle).astype(kind), 1 / (i.max - middle)
    assert np.abs(np.concatenate(list(Recording((y, 22050)))) - x).max() <= tolerance


def test_an_hour_is_read_in_bounded_memory(tmp_path):
    file = tmp_path / "hour.wav"
    minute = noise(60, 8000)
    with soundfile.SoundFile(file, "w", 8000, 1) as f:
        for _ in range(60):
            f.write(minute)
    mel_filters(8000, 256, 16)
    tracemalloc.start()
    L = log_mel(file, 8000, 256, 256, 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert L.shape == (16, 1 + 60 * 60 * 8000 // 256)
    assert peak < 32e6, "an hour of these samples alone is 115 MB"


# Bad files and bad samples.


def write(folder, name, x, rate=22050, **how):
    soundfile.write(folder / name, x, rate, **how)
    return folder / name


def cut(file, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: round(len(whole) * share)])
    return file


@pytest.fixture
def bad(tmp_path):
    text = "This is no music.\n" * 1000
    (tmp_path / "folder.wav").mkdir()
    for name, content in (("text.mp3", text), ("text.wav", text), ("empty.mp3", ""), ("empty.ogg", "")):
        (tmp_path / name).write_text(content)
    nan = noise(1)
    nan[1000] = np.nan
    write(tmp_path, "nan.wav", nan, subtype="FLOAT")
    write(tmp_path, "huge.wav", np.where(np.isnan(nan), -1e25, nan), subtype="FLOAT")
    write(tmp_path, "double.wav", np.where(np.isnan(nan), 1e300, nan.astype(float)), subtype="DOUBLE")
    write(tmp_path, "infinite.wav", np.where(np.isnan(nan), np.inf, nan), subtype="FLOAT")
    write(tmp_path, "silent.wav", np.zeros(22050))
    write(tmp_path, "hum.wav", np.full(22050, 0.25))
    write(tmp_path, "one-sample.wav", noise(1)[:1])
    write(tmp_path, "short.flac", noise(1)[:1023])
    write(tmp_path, "no-samples.wav", noise(1)[:0])
    cut(write(tmp_path, "cut.ogg", noise(5)), 0.5)
    cut(write(tmp_path, "cut.flac", noise(5)), 0.5)
    cut(write(tmp_path, "cut.mp3", noise(5)), 0.5)
    return tmp_path


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("missing.wav", "does not exist"),
        ("nul\0.wav", "cannot be the name of a file"),
        ("half\ud800.wav", "cannot be the name of a file|does not exist"),
        ("long" * 100, "cannot be read: File name too long"),
        ("folder.wav", "is a folder"),
        ("text.mp3", "is not audio, whatever its name says"),
        ("text.wav", "cannot be decoded as audio"),
        ("empty.mp3", r"is empty \(0 bytes\)"),
        ("empty.ogg", r"is empty \(0 bytes\)"),
        ("nan.wav", r"is damaged: sample 1,000 \(at 0.05 s\) is nan; expected numbers within ±1"),
        ("infinite.wav", "is damaged: sample 1,000 .* is inf"),
        ("huge.wav", r"is damaged: sample 1,000 .* is -1e\+25"),
        ("double.wav", "is damaged: sample 1,000 .* is inf"),
        ("silent.wav", "is silent: no sound in any of its 1.0 s"),
        ("hum.wav", "is silent"),
        ("one-sample.wav", "is too short: it has 1 of the 1024 samples of one window"),
        ("short.flac", "is too short: it has 1023 of the 1024 samples of one window at 22050 Hz"),
        ("no-samples.wav", "holds no samples"),
        ("cut.ogg", "is cut short: the last page of its Ogg stream is missing"),
        ("cut.flac", "cannot be decoded as audio"),
        ("cut.mp3", r"is cut short: 2\.\d of 5.0 s can be read"),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_it(bad, name, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        log_mel(bad / name)
    shown = str(bad / name).encode(errors="backslashreplace").decode()
    assert shown in str(caught.value).replace(r"\x00", "\0").replace("\\\\", "\\") and "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a POSIX system")
def test_what_is_not_a_regular_file_is_refused_without_opening_it(tmp_path, monkeypatch):
    """Opening a pipe waits until somebody writes into it, and a device may never end."""
    os.mkfifo(tmp_path / "pipe.wav")
    os.symlink("pipe.wav", tmp_path / "to-pipe.wav")
    os.symlink("/dev/zero", tmp_path / "device.wav")
    os.symlink("nowhere", tmp_path / "dangling.wav")
    os.symlink("loop.wav", tmp_path / "loop.wav")
    os.symlink(tmp_path, tmp_path / "folder.wav")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # the path of a socket may not be long
        server.bind("socket.wav")
        for name, sentence in {
            "pipe": "is a pipe, a socket or a device", "to-pipe": "is a pipe", "device": "is a pipe, a socket or a device",
            "socket": "is a pipe, a socket", "dangling": "is a link to a file that does not exist",
            "loop": "cannot be read: Too many levels", "folder": "is a folder",
        }.items():
            with pytest.raises(InputError, match=sentence):
                log_mel(tmp_path / f"{name}.wav")


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    file = write(tmp_path, "a.wav", noise(1))
    status = os.stat(file)
    file.unlink()
    os.mkfifo(file)
    monkeypatch.setattr(os, "stat", lambda path: status)
    with pytest.raises(InputError, match=r"is empty|cannot be read"):
        log_mel(file)


@pytest.mark.parametrize("rate", [0, 1, 10, 999, 1_000_001, 2**31 - 1, 2**32 - 1])
def test_a_wav_of_an_impossible_rate_is_refused_in_little_memory(tmp_path, rate):
    """At one sample per second, these two seconds would be twelve hours."""
    file = write(tmp_path, "a.wav", noise(2))
    changed = bytearray(file.read_bytes())
    changed[24:28] = struct.pack("<I", rate)
    file.write_bytes(changed)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"claims|cannot be decoded"):
        log_mel(file)
    assert tracemalloc.get_traced_memory()[1] < 8e6
    tracemalloc.stop()


def test_a_header_that_claims_too_much_takes_no_memory(tmp_path):
    file = write(tmp_path, "wide.wav", np.zeros((100, 1)))
    changed = bytearray(file.read_bytes())
    changed[4:8] = changed[40:44] = struct.pack("<I", 2**32 - 1)  # bytes of the file, bytes of samples
    changed[22:24], changed[32:34] = struct.pack("<H", 1024), struct.pack("<H", 2048)  # channels, bytes of a sample of all channels
    file.write_bytes(changed)
    tracemalloc.start()
    with pytest.raises(InputError):
        log_mel(file)
    assert tracemalloc.get_traced_memory()[1] < 32e6
    tracemalloc.stop()


def test_many_channels_are_read_in_short_blocks(tmp_path):
    x = noise(0.5, channels=200)
    file = write(tmp_path, "wide.wav", x, subtype="FLOAT")
    assert next(len(block) for block in Recording(file)) == BLOCK * 8 // 200
    assert np.array_equal(log_mel(file), log_mel((x, 22050)))


@pytest.mark.parametrize("exception", [RuntimeError("psf."), AssertionError(), OverflowError("long"), TypeError("x")])
def test_whatever_the_decoder_raises_is_a_fault_of_the_file(tmp_path, monkeypatch, exception):
    def broken(*arguments, **keywords):
        raise exception

    file = write(tmp_path, "a.wav", noise(1))
    for method in ("__init__", "read"):
        with monkeypatch.context() as patch:
            patch.setattr(soundfile.SoundFile, method, broken)
            with pytest.raises(InputError, match=r"a\.wav cannot be decoded as audio"):
                log_mel(file)


def test_errors_of_acai_are_not_blamed_on_the_file(tmp_path, monkeypatch):
    file = write(tmp_path, "a.wav", noise(1))
    monkeypatch.setattr("acai.audio.recording.SILENCE", None)
    with pytest.raises(TypeError):
        log_mel(file)


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_a_name_that_is_not_text_is_read_and_printed(tmp_path):
    file = tmp_path / os.fsdecode(b"caf\xe9.wav")
    try:
        file.write_bytes(write(tmp_path, "a.wav", noise(1)).read_bytes())
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    assert np.array_equal(log_mel(file), log_mel(tmp_path / "a.wav"))
    file.write_bytes(b"")
    with pytest.raises(InputError, match=r"caf\\udce9\.wav is empty"):
        log_mel(file)


@pytest.mark.parametrize(
    "samples",
    [np.zeros((2, 2, 2)), np.zeros(9, complex), np.zeros((9, 0)), np.zeros(9, bool), np.array(["a"]), np.array([None]), 5, None,
     [[1], [1, 2]]],
)
def test_bad_samples_say_what_was_expected(samples):
    with pytest.raises(InputError, match=r"expected real numbers of shape|expected an array of shape"):
        log_mel((samples, 22050))


@pytest.mark.parametrize("rate", [*NOT_NUMBERS, 0, 999, 10**9])
def test_a_bad_rate_says_what_was_expected(rate):
    with pytest.raises(InputError, match="expected a number from 1,000 to 1,000,000 Hz"):
        log_mel((noise(1), rate))


@pytest.mark.parametrize("sound", [None, 5, b"a.wav", [noise(1), 22050], (noise(1),), ("a.wav", 1, 2)])
def test_what_is_not_a_sound_says_what_was_expected(sound):
    with pytest.raises(InputError, match=r"expected a path, or \(samples, rate\)"):
        log_mel(sound)


def test_an_mp3_that_does_not_state_its_length_is_accepted_as_it_is(tmp_path):
    """From a quiet first frame a decoder guesses far too long a song; that the file ends sooner is not its fault."""
    x = np.concatenate([np.zeros(5 * 44100, np.float32), noise(5, 44100)])
    file = write(tmp_path, "a.mp3", x, 44100)
    whole = file.read_bytes()
    second_frame = whole.find(whole[:2], whole.find(b"Xing"))
    file.write_bytes(whole[second_frame:])
    assert soundfile.info(file).frames > 1.2 * len(x)
    assert log_mel(file).shape[1] == pytest.approx(1 + 10 * 22050 // 512, abs=3)


def test_a_truncated_wav_is_read_to_its_end(tmp_path):
    """Its header may be a recorder's that never came to write the length, so what is there is all there is to know."""
    file = cut(write(tmp_path, "cut.wav", noise(4)), 0.5)
    assert log_mel(file).shape[1] == pytest.approx(1 + 2 * 22050 // 512, abs=1)


def test_of_several_ogg_streams_the_first_is_read(tmp_path):
    first, second = (write(tmp_path, f"{n}.ogg", noise(2, seed=n)) for n in (0, 1))
    (tmp_path / "both.ogg").write_bytes(first.read_bytes() + second.read_bytes())
    assert np.array_equal(log_mel(tmp_path / "both.ogg"), log_mel(first))


def test_clipping_is_measured_and_not_an_error(tmp_path):
    loud = np.clip(3 * noise(2), -1, 1)
    file = write(tmp_path, "loud.wav", loud, subtype="PCM_16")
    recording = Recording(file)
    assert np.isfinite(log_mel(recording)).all()
    assert recording.clipped == pytest.approx(np.mean(np.abs(loud) == 1), abs=1e-3) and recording.clipped > 0.3
    calm = Recording((noise(2), 22050))
    log_mel(calm)
    assert calm.clipped == 0


@settings(max_examples=30)
@given(st.binary(max_size=3000), st.sampled_from(["wav", "flac", "ogg"]))
def test_any_bytes_give_a_spectrogram_or_a_sentence(tmp_path_factory, junk, ending):
    file = tmp_path_factory.mktemp("junk") / f"junk.{ending}"
    file.write_bytes({"wav": b"RIFF", "flac": b"fLaC", "ogg": b"OggS"}[ending] + junk)
    with pytest.raises(InputError, match="junk"):
        log_mel(file)


def test_importing_is_cheap():
    import subprocess
    import sys

    code = "import sys, acai.audio; print([m for m in ('numba', 'librosa', 'matplotlib', 'soundfile') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert audio.__doc__


def test_samples_without_a_rate_are_refused():
    with pytest.raises(InputError, match=r"expected \(samples, rate\)"):
        log_mel(np.zeros(22050))
