"""A made-up world of music in which the truth is known. SYNTHETIC: no person, song or play in it is real.

Every song has seven hidden features that one can hear. Three shape its average spectrum; three live in time alone, and one
mostly, so that two songs may have the same average spectrum and yet sound nothing alike: a network that listens can tell
them apart, a regression on average spectra cannot.

Each feature is a number between −1 and 1:

============  ==========================================  =====================
feature       −1 … +1                                     where it can be heard
============  ==========================================  =====================
brightness    dark … bright: how fast the overtones fade  average spectrum
register      low … high: the pitch of the lowest voice   average spectrum
noise         pure … noisy: drum hits against tones       average spectrum
tempo         slow … fast: 80 … 200 chords a minute       time alone
tremor        a slow wobble … a fast one: 3 … 9 times     time alone
              a second
touch         staccato … legato: how long a note rings    time, mostly
beat          on … off: where in a beat the drum falls    time alone
============  ==========================================  =====================
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from acai.ratings import Ratings
from acai.settings import Limits, checked

FEATURES = {  # the words for a song far down and far up each axis
    "brightness": ("dark", "bright"),
    "register": ("low", "high"),
    "noise": ("pure", "noisy"),
    "tempo": ("slow", "fast"),
    "tremor": ("slowly wobbling", "shimmering"),
    "touch": ("staccato", "legato"),
    "beat": ("on the beat", "off the beat"),
}
SCALE = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19])  # a major scale, in semitones
RATE = 22050  # samples a second
SIZE = Limits(at_least=2, at_most=1_000_000)  # of a world


@dataclass(frozen=True)
class World:
    """A synthetic world: who played what how often, and the truth behind it.

    Attributes
    ----------
    plays : Ratings
        The listening log, summed up: how often each user played each song. Its axes name also those without plays.
    features : numpy.ndarray, shape (n_songs, 7), values in [−1, 1]
        The true hidden features, in the order of `FEATURES`.
    tastes : numpy.ndarray, shape (n_users, 7)
        What each listener truly likes: a song is played the more, the larger `tastes[u] @ features[i]`.
    seconds : float
        The length of a song.
    seed : int
        What the world was made from.
    """

    plays: Ratings
    features: np.ndarray
    tastes: np.ndarray
    seconds: float
    seed: int

    def sound(self, song: Hashable) -> tuple[np.ndarray, int]:
        """One song as (samples, rate): float32 samples in [−1, 1], always the same for the same song and seed."""
        i = self.plays.column(song)
        return render(self.features[i], self.seconds, np.random.default_rng([self.seed, i])), RATE

    def spectrograms(self, progress: bool = False) -> list[np.ndarray]:
        """The log-mel spectrogram (A1, A2) of every song in the order of the axis, each float32, (128, frames)."""
        from acai.audio.spectrogram import log_mel

        songs = tqdm(self.plays.songs, desc="rendering and hearing songs", disable=not progress)
        return [log_mel(self.sound(song)) for song in songs]

    def describe(self, song: Hashable) -> str:
        """A song in words: what stands out in it, the strongest first."""
        return _in_words(self.features[self.plays.column(song)])

    def describe_taste(self, user: Hashable) -> str:
        """A listener in words: what they like, the strongest first."""
        taste = self.tastes[self.plays.row(user)]
        return _in_words(taste / np.abs(taste).max())


def synthetic(n_users: int = 1000, n_songs: int = 800, seconds: float = 10.0, taste: float = 2.0, seed: int = 0) -> World:
    """Make up a world of listeners and songs. SYNTHETIC: its truth is known because it was made up.

    Features are uniform, tastes are normal; user u plays song i a Poisson number of times with the mean
    `exp(a(u) + b(i) + taste · t_u·z_i / √7)`, where the activity a and the popularity b are normal, so that the log has the
    long tails of real ones: a few songs have many of the plays.

    Parameters
    ----------
    n_users, n_songs : int
        The size of the world.
    seconds : float
        How long each song lasts; at least 1.
    taste : float
        How much taste decides, beside activity and popularity; at 0 it does not matter at all.
    seed : int
        The same seed makes the same world, sound included.

    Returns
    -------
    World
    """
    n_users, n_songs = checked("n_users", n_users, limits=SIZE), checked("n_songs", n_songs, limits=SIZE)
    seconds = checked("seconds", seconds, float, Limits(at_least=1, at_most=3600))
    taste = checked("taste", taste, float, Limits(at_least=0, at_most=100))
    seed = checked("seed", seed, limits=Limits(at_least=0))
    rng = np.random.default_rng(seed)
    features = rng.uniform(-1, 1, (n_songs, len(FEATURES)))
    tastes = rng.normal(0, 1, (n_users, len(FEATURES)))
    activity = rng.normal(-4.0, 0.7, (n_users, 1))
    popularity = rng.normal(0, 0.7, n_songs)
    scale = taste / np.sqrt(len(FEATURES) / 3)  # a uniform feature has the variance 1/3
    mean = np.exp(activity + popularity + scale * tastes @ features.T)
    counts = rng.poisson(np.minimum(mean, 500))  # nobody plays one song all day
    u, i = np.nonzero(counts)
    users = [f"listener-{n:04d}" for n in range(n_users)]
    songs = [f"song-{n:04d}" for n in range(n_songs)]
    return World(Ratings.from_codes(u, i, counts[u, i], users, songs), features, tastes, seconds, seed)


def render(features: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Play one song: three voices in chords over a drum, shaped by seven features.

    Parameters
    ----------
    features : numpy.ndarray, shape (7,), values in [−1, 1]
        In the order of `FEATURES`.
    seconds : float
        Its length.
    rng : numpy.random.Generator
        Chooses the chords and the drum's noise: two songs with the same features are still two songs.

    Returns
    -------
    numpy.ndarray, shape (seconds · 22050,), float32
        Samples, at the same loudness (root mean square 0.05) for every song.
    """
    brightness, register, noise, tempo, tremor, touch, beat = features
    t = np.arange(round(seconds * RATE)) / RATE
    period = 60 / (80 * 2.5 ** ((tempo + 1) / 2))  # seconds a chord: 80 to 200 a minute
    lowest = 110 * 2 ** (register + 1)  # 110 to 440 Hz
    ring = period * 0.15 * 4 ** ((touch + 1) / 2)  # the time in which a note falls to 1/e
    # with the one that rings before the start, and those after the end
    chords = rng.integers(0, 8, int(seconds / period) + 3)
    start = rng.uniform(0, period)  # where in a chord the recording starts

    wobble = 3 ** (1 + (tremor + 1) / 2)  # 3 to 9 times a second
    chord, since = _beats(t + start, period)
    tones = np.zeros(t.size, dtype=np.float32)
    for voice in range(3):
        pitch = lowest * 2 ** (SCALE[chords + 2 * voice] / 12)
        phase = np.cumsum(pitch[chord] / RATE)
        tones += _overtones(phase, fading=2.6 - 1.2 * brightness)
    tones *= _pluck(since, ring) * (1 + 0.8 * np.sin(2 * np.pi * wobble * t).astype(np.float32))

    _, since = _beats(t + start - period * (beat + 1) / 4, period)  # from on the beat to half a beat behind it
    drum = rng.standard_normal(t.size, dtype=np.float32) * _pluck(since, ring)
    mix = tones / _loudness(tones) + np.float32(2 ** (2 * noise - 2)) / _loudness(drum) * drum
    return np.float32(0.05) / _loudness(mix) * mix


def _beats(t: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """For each moment: the number of the latest beat, 0 being the one before the start, and the seconds since it."""
    beat = np.floor(t / period)
    return beat.astype(np.int64) + 1, (t - beat * period).astype(np.float32)


def _overtones(phase: np.ndarray, fading: float, n: int = 8) -> np.ndarray:
    """Σ_h h^−fading sin(2π h·phase), by the recurrence sin((h+1)φ) = 2 cos φ sin hφ − sin((h−1)φ)."""
    turn = (2 * np.pi * (phase - np.floor(phase))).astype(np.float32)
    before, now, twice_cos = np.float32(0), np.sin(turn), 2 * np.cos(turn)
    total = now.copy()
    for h in range(2, n + 1):
        before, now = now, twice_cos * now - before
        total += np.float32(h**-fading) * now
    return total


def _pluck(since: np.ndarray, ring: float) -> np.ndarray:
    """How loud a note is so many seconds after it was struck: up within 5 ms, then down by 1/e every `ring` seconds."""
    return np.minimum(since / np.float32(0.005), 1) * np.exp(since / np.float32(-ring))


def _loudness(samples: np.ndarray) -> np.float32:
    return np.float32(np.sqrt(np.mean(np.square(samples), dtype=np.float64)))


def _in_words(strength: np.ndarray, n: int = 3) -> str:
    strongest = np.argsort(-np.abs(strength), kind="stable")[:n]
    words = list(FEATURES.values())
    return ", ".join(words[f][int(strength[f] > 0)] for f in strongest)
