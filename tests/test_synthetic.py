"""The synthetic world: its truth is known, so what it promises can be measured."""

import numpy as np
import pytest

from acai.datasets import synthetic
from acai.datasets.synthetic import FEATURES, RATE, render
from acai.errors import InputError


def song(seconds: float = 6.0, seed: int = 0, **features: float) -> np.ndarray:
    z = np.array([features.get(name, 0.0) for name in FEATURES])
    return render(z, seconds, np.random.default_rng(seed))


def power(samples: np.ndarray) -> np.ndarray:
    return np.square(np.abs(np.fft.rfft(samples)))


def envelope(samples: np.ndarray, step: int = 441) -> np.ndarray:
    """Loudness every 20 ms."""
    n = len(samples) // step
    return np.sqrt(np.square(samples[: n * step].reshape(n, step)).mean(axis=1))


def test_the_same_seed_makes_the_same_world_and_another_seed_another():
    a, b, c = (synthetic(50, 30, seconds=1, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(a.plays.csr.toarray(), b.plays.csr.toarray())
    np.testing.assert_array_equal(a.sound("song-0007")[0], b.sound("song-0007")[0])
    assert (a.features != c.features).all()
    assert not np.array_equal(a.sound("song-0007")[0], c.sound("song-0007")[0])


def test_two_songs_with_the_same_features_are_two_songs():
    assert not np.array_equal(song(seed=0), song(seed=1))


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_every_song_is_as_loud_as_any_other_and_none_is_clipped(feature, value):
    samples = song(**{feature: value})
    assert samples.shape == (6 * RATE,) and samples.dtype == np.float32
    assert np.sqrt(np.mean(np.square(samples, dtype=np.float64))) == pytest.approx(0.05, rel=1e-5)
    assert np.abs(samples).max() < 1


def test_bright_songs_have_more_high_overtones():
    def high(brightness: float) -> float:
        p = power(song(brightness=brightness, noise=-1))
        return p[len(p) // 8 :].sum() / p.sum()  # above 1.4 kHz

    assert high(-1) < high(0) < high(1)


def test_the_register_sets_the_lowest_pitch():
    def lowest(register: float) -> float:
        p = power(song(register=register, noise=-1, brightness=-1))
        return np.searchsorted(np.cumsum(p) / p.sum(), 0.02) / 6.0  # Hz

    assert 100 < lowest(-1) < 150 and 400 < lowest(1) < 600


def test_noisy_songs_have_a_flatter_spectrum():
    def flatness(noise: float) -> float:
        p = power(song(noise=noise)) + 1e-12
        return np.exp(np.log(p).mean()) / p.mean()

    assert flatness(-1) < flatness(0) < flatness(1)


@pytest.mark.parametrize("tempo, per_minute", [(-1.0, 80), (0.0, 80 * 2.5**0.5), (1.0, 200)])
def test_the_tempo_is_that_of_the_beat(tempo, per_minute):
    e = envelope(song(tempo=tempo, touch=-1, noise=1, seconds=12))
    spectrum = np.abs(np.fft.rfft((e - e.mean()) * np.hanning(len(e)), 2**15))
    beats = np.fft.rfftfreq(2**15, 0.02) * 60  # a minute
    near = (beats > 60) & (beats < 240)
    assert beats[near][spectrum[near].argmax()] == pytest.approx(per_minute, rel=0.02)


@pytest.mark.parametrize("tremor, per_second", [(-1.0, 3), (0.0, 3**1.5), (1.0, 9)])
def test_the_tremor_is_that_of_the_loudness(tremor, per_second):
    e = envelope(song(tremor=tremor, touch=1, tempo=-1, noise=-1, seconds=12))
    spectrum = np.abs(np.fft.rfft((e / (np.convolve(e, np.ones(75) / 75, "same") + 1e-9) - 1) * np.hanning(len(e)), 2**15))
    rate = np.fft.rfftfreq(2**15, 0.02)
    at, half_way = (spectrum[(rate > f * 0.97) & (rate < f * 1.03)].max() for f in (per_second, per_second * 1.2))
    assert at > 2 * half_way


def test_legato_notes_ring_longer():
    def rest(touch: float) -> float:
        e = envelope(song(touch=touch, tremor=1))
        return np.quantile(e, 0.2) / e.max()  # how quiet it gets between the notes

    assert rest(-1) < rest(0) < rest(1)


@pytest.mark.parametrize("feature", ["tempo", "tremor", "beat"])
def test_what_lives_in_time_does_not_change_the_average_spectrum(feature):
    """Averaged over songs and in 16 broad bands: by less than a tenth of what the brightness changes."""

    def bands(**features: float) -> np.ndarray:
        p = np.mean([power(song(seed=s, **features)) for s in range(12)], axis=0)
        return np.array([np.log10(band.sum()) for band in np.array_split(p[120:60_000], 16)])

    def change(feature: str) -> float:
        return np.abs(bands(**{feature: -1.0}) - bands(**{feature: 1.0})).mean()

    assert change(feature) < 0.1 * change("brightness")


def test_the_play_log_has_long_tails_and_follows_tastes():
    world = synthetic()
    songs = np.sort(np.asarray(world.plays.csr.sum(axis=0)).ravel())[::-1]
    assert songs[:80].sum() > 0.3 * songs.sum()  # a tenth of the songs
    liking = world.tastes @ world.features.T
    played = world.plays.csr.toarray() > 0
    assert liking[played].mean() > liking[~played].mean() + 1


def test_describes_the_strongest_features_in_words():
    world = synthetic(50, 30, seconds=1)
    world.features[4] = [0.1, -0.9, 0, 0.8, 0, 0, 0.3]
    assert world.describe("song-0004") == "low, fast, off the beat"
    world.tastes[2] = [5, -4, 0, 0, 0, 0, -3]
    assert world.describe_taste("listener-0002") == "bright, low, on the beat"


@pytest.mark.parametrize("size", [{"n_users": 1}, {"n_songs": 1}, {"seconds": 0.5}])
def test_refuses_a_world_that_is_too_small(size):
    ((name, value),) = size.items()
    with pytest.raises(InputError, match=f"^{name}={value}; expected an? .*, at least [12]"):
        synthetic(**size)
