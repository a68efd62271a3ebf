"""Sound: the equations against loops and librosa; every way in which a file can be bad, with its sentence."""

import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from acai import audio
from acai.audio import frames, log_mel, mel_filters, mel_power, mfcc
from acai.errors import InputError
from acai.recording import BLOCK, Recording
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


def test_librosa_gives_the_same():
    import librosa

    x = noise(3.1)
    S = librosa.feature.melspectrogram(y=x, sr=22050, n_fft=1024, hop_length=512, n_mels=128)
    np.testing.assert_allclose(mel_power((x, 22050)), S, rtol=2e-5)
    np.testing.assert_allclose(log_mel((x, 22050)), np.log1p(1e4 * S), rtol=1e-6)
    D = librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=22050, n_mels=128, fmax=8000))
    np.testing.assert_allclose(mfcc((x, 22050)), librosa.feature.mfcc(S=D, n_mfcc=128), atol=2e-4)


def test_a_pure_tone_lights_its_own_band():
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
def test_frames_of_blocks_are_the_frames_of_the_whole(lengths, window, hop):
    hop = min(hop, window)
    x = np.arange(1, 1 + sum(lengths), dtype=np.float32)
    got = list(frames(np.split(x, np.cumsum(lengths)[:-1]) if lengths else [], window, hop))
    padded = np.concatenate([np.zeros(window // 2), x, np.zeros(window - window // 2)])
    expected = [padded[t * hop : t * hop + window] for t in range(1 + len(x) // hop)]
    assert np.array_equal(np.concatenate(got), expected)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(hop=0), "hop=0"),
        (dict(n_mels=0), "at least one band"),
        (dict(hop=2000), "hop=2000"),
        (dict(window=1, hop=1), "at least 2 samples"),
        (dict(f_max=20_000), "f_max <= sample_rate / 2"),
        (dict(f_min=5000, f_max=4000), "f_min < f_max"),
        (dict(n_mels=1000), "mel bands lie between two frequencies"),
        (dict(sample_rate=-1), "sample_rate=-1"),
    ],
)
def test_parameters_out_of_range(wrong, message):
    with pytest.raises(InputError, match=message):
        log_mel((noise(1), 22050), **wrong)
    with pytest.raises(InputError, match="n_mfcc=0"):
        mfcc((noise(1), 22050), n_mfcc=0)


# Reading.


@pytest.mark.parametrize("ending, subtype", [("wav", "FLOAT"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", None)])
def test_every_format_is_heard_as_its_decoded_samples(tmp_path, ending, subtype):
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
def test_samples_of_any_type_stand_for_the_same_sound(kind):
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


# Every way of being bad has its sentence.


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
        ("missing.wav", "there is no file"),
        ("folder.wav", "is a folder"),
        ("text.mp3", "is not audio, whatever its name says"),
        ("text.wav", "cannot be decoded as audio"),
        ("empty.mp3", r"is empty \(0 bytes\)"),
        ("empty.ogg", r"is empty \(0 bytes\)"),
        ("nan.wav", r"is damaged: sample 1,000 \(at 0.05 s\) is not a finite number"),
        ("infinite.wav", "is damaged: sample 1,000"),
        ("silent.wav", "is silent: no sound in any of its 1.0 s"),
        ("hum.wav", "is silent"),
        ("one-sample.wav", "is too short: it has 1 of the 1024 samples of one window"),
        ("short.flac", "is too short: it has 1023 of the 1024 samples of one window at 22050 Hz"),
        ("no-samples.wav", "holds no samples"),
        ("cut.ogg", "is cut short: the last page of its Ogg stream is missing"),
        ("cut.flac", "cannot be decoded as audio"),
        ("cut.mp3", r"is cut short: 2\.\d of 5.0 s are there"),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_it(bad, name, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        log_mel(bad / name)
    assert str(bad / name) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("samples, rate", [(np.zeros((2, 2, 2)), 22050), (np.zeros(9, complex), 22050), (noise(1), 0)])
def test_a_bad_array_says_what_was_expected(samples, rate):
    with pytest.raises(InputError, match="expected real samples"):
        log_mel((samples, rate))


def test_an_mp3_that_does_not_know_its_length_is_taken_as_it_is(tmp_path):
    """From a quiet first frame a decoder guesses far too long a song; that nothing more comes is no fault of the file."""
    x = np.concatenate([np.zeros(5 * 44100, np.float32), noise(5, 44100)])
    file = write(tmp_path, "a.mp3", x, 44100)
    whole = file.read_bytes()
    second_frame = whole.find(whole[:2], whole.find(b"Xing"))
    file.write_bytes(whole[second_frame:])
    assert soundfile.info(file).frames > 1.2 * len(x)
    assert log_mel(file).shape[1] == pytest.approx(1 + 10 * 22050 // 512, abs=3)


def test_a_cut_wav_is_what_is_left_of_it(tmp_path):
    """Its header may be a recorder's that never came to write the length, so what is there is all there is to know."""
    file = cut(write(tmp_path, "cut.wav", noise(4)), 0.5)
    assert log_mel(file).shape[1] == pytest.approx(1 + 2 * 22050 // 512, abs=1)


def test_clipping_is_measured_and_no_error(tmp_path):
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
def test_whatever_the_bytes_the_answer_is_a_spectrogram_or_a_sentence(tmp_path_factory, junk, ending):
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


def test_samples_without_a_rate_are_asked_for_it():
    with pytest.raises(InputError, match=r"expected \(samples, rate\)"):
        log_mel(np.zeros(22050))
