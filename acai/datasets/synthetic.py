"""A made-up world of music in which the truth is known. SYNTHETIC: no person, song or play in it is real.

Every song has seven features that can be heard. Three shape its average spectrum; three others exist only in time, and one
mostly so. Two songs may therefore have the same average spectrum and yet sound very different: a network can tell them
apart, a regression on average spectra cannot.

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
from numpy.typing import NDArray
from tqdm import tqdm

from acai.ratings import Ratings
from acai.settings import Limits, checked
from acai.threads import map_blocks

FEATURES = {  # the words for a song at the low and the high end of each feature
    "brightness": ("dark", "bright"),
    "register": ("low", "high"),
    "noise": ("pure", "noisy"),
    "tempo": ("slow", "fast"),
    "tremor": ("slowly wobbling", "shimmering"),
    "touch": ("staccato", "legato"),
    "beat": ("on the beat", "off the beat"),
}
SCALE = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19])  # a major scale, in semitones
RATE = 22050  # samples per second
AT_A_TIME = 32  # songs that are shared out among the threads before the progress bar moves
SIZE = Limits(at_least=2, at_most=1_000_000)  # of a world
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class World:
    """A synthetic world: who played what how often, and the truth behind it.

    Attributes
    ----------
    plays : Ratings
        How often each user played each song. Its axes include users and songs without plays.
    features : numpy.ndarray, shape (n_songs, 7), values in [−1, 1]
        The true features, in the order of `FEATURES`.
    tastes : numpy.ndarray, shape (n_users, 7)
        What each listener truly likes: the larger `tastes[u] @ features[i]`, the more a song is played.
    seconds : float
        The length of a song.
    seed : int
        What the world was made from.
    """

    plays: Ratings
    features: NDArray[np.float64]
    tastes: NDArray[np.float64]
    seconds: float
    seed: int

    def sound(self, song: Hashable) -> tuple[Floats, int]:
        """Render one song as (samples, rate): float32 samples in [−1, 1], always the same for the same song and seed."""
        i = self.plays.column(song)
        return render(self.features[i], self.seconds, np.random.default_rng([self.seed, i])), RATE

    def spectrograms(self, progress: bool = False) -> list[Floats]:
        """Compute the log-mel spectrogram (A1, A2) of every song in the order of the axis, each float32, (128, frames)."""
        from acai.audio.spectrogram import log_mel

        songs, found = self.plays.songs, []

        def spectrogram(one: slice) -> Floats:
            return log_mel(self.sound(songs[one.start]))

        with tqdm(total=len(songs), desc="rendering songs", disable=not progress) as bar:
            for start in range(0, len(songs), AT_A_TIME):
                stop = min(start + AT_A_TIME, len(songs))
                found += map_blocks(spectrogram, [slice(i, i + 1) for i in range(start, stop)])
                bar.update(stop - start)
        return found

    def describe(self, song: Hashable) -> str:
        """Describe a song by its strongest features, the strongest first."""
        return _in_words(self.features[self.plays.column(song)])

    def describe_taste(self, user: Hashable) -> str:
        """Describe what a listener likes, the strongest first."""
        taste = self.tastes[self.plays.row(user)]
        return _in_words(taste / np.abs(taste).max())


def synthetic(n_users: int = 1000, n_songs: int = 800, seconds: float = 10.0, taste: float = 2.0, seed: int = 0) -> World:
    """Make up a world of listeners and songs. SYNTHETIC: its truth is known because it was made up.

    Features are uniform, tastes are normal; the number of times user u plays song i has a Poisson distribution with the
    mean `exp(a(u) + b(i) + taste · t_u·z_i / √7)`, where the activity a and the popularity b are normal, so that the log has
    the long tails of real ones: a few songs have many of the plays.

    Parameters
    ----------
    n_users, n_songs : int
        The size of the world.
    seconds : float
        How long each song lasts; at least 1.
    taste : float
        How much taste matters, compared with activity and popularity; at 0 not at all.
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
    counts = _play_counts(features, tastes, taste, rng)
    u, i = np.nonzero(counts)
    users = [f"listener-{n:04d}" for n in range(n_users)]
    songs = [f"song-{n:04d}" for n in range(n_songs)]
    return World(Ratings.from_codes(u, i, counts[u, i], users, songs), features, tastes, seconds, seed)


def _play_counts(
    features: NDArray[np.float64], tastes: NDArray[np.float64], taste: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw how often each user plays each song."""
    activity = rng.normal(-4.0, 0.7, (len(tastes), 1))
    popularity = rng.normal(0, 0.7, len(features))
    scale = taste / np.sqrt(len(FEATURES) / 3)  # a uniform feature has the variance 1/3
    mean = np.exp(activity + popularity + scale * tastes @ features.T)
    counts: NDArray[np.int64] = rng.poisson(np.minimum(mean, 500))  # nobody plays one song all day
    return counts


def render(  # noqa: PLR0914 - seven features, and what each of them shapes
    features: NDArray[np.float64], seconds: float, rng: np.random.Generator
) -> Floats:
    """Play one song: three voices in chords over a drum, shaped by seven features.

    Parameters
    ----------
    features : numpy.ndarray, shape (7,), values in [−1, 1]
        In the order of `FEATURES`.
    seconds : float
        The length of the song.
    rng : numpy.random.Generator
        Draws the chords and the drum's noise: two songs with the same features are still different songs.

    Returns
    -------
    numpy.ndarray, shape (seconds · 22050,), float32
        Samples, at the same loudness (root mean square 0.05) for every song.
    """
    brightness, register, noise, tempo, tremor, touch, beat = features
    t = np.arange(round(seconds * RATE)) / RATE
    period = 60 / (80 * 2.5 ** ((tempo + 1) / 2))  # seconds for each chord: 80 to 200 chords a minute
    ring = period * 0.15 * 4 ** ((touch + 1) / 2)  # the time in which a note falls to 1/e
    # with the chord that rings before the start, and those after the end
    chords = rng.integers(0, 8, int(seconds / period) + 3)
    start = rng.uniform(0, period)  # where in a chord the recording starts

    chord, since = _beats(t + start, period)
    tones = _voices(chords, chord, register, brightness)
    wobble = 3 ** (1 + (tremor + 1) / 2)  # 3 to 9 times a second
    tones *= _pluck(since, ring) * (1 + 0.8 * np.sin(2 * np.pi * wobble * t).astype(np.float32))

    _, since = _beats(t + start - period * (beat + 1) / 4, period)  # from on the beat to half a beat after it
    drum = rng.standard_normal(t.size, dtype=np.float32) * _pluck(since, ring)
    mix = tones / _loudness(tones) + np.float32(2 ** (2 * noise - 2)) / _loudness(drum) * drum
    return np.float32(0.05) / _loudness(mix) * mix


def _voices(chords: NDArray[np.int64], chord: NDArray[np.int64], register: float, brightness: float) -> Floats:
    """Render three voices that play `chords[chord]`, the number of the chord at each moment."""
    lowest = 110 * 2 ** (register + 1)  # 110 to 440 Hz
    tones = np.zeros(chord.size, dtype=np.float32)
    for voice in range(3):
        pitch = lowest * 2 ** (SCALE[chords + 2 * voice] / 12)
        phase = np.cumsum(pitch[chord] / RATE)
        tones += _overtones(phase, fading=2.6 - 1.2 * brightness)
    return tones


def _beats(t: NDArray[np.float64], period: float) -> tuple[NDArray[np.int64], Floats]:
    """Find the number of the latest beat at each moment, 0 being the one before the start, and the seconds since it."""
    beat = np.floor(t / period)
    return beat.astype(np.int64) + 1, (t - beat * period).astype(np.float32)


def _overtones(phase: NDArray[np.float64], fading: float, n: int = 8) -> Floats:
    """Compute Σ_h h^−fading sin(2π h·phase), by the recurrence sin((h+1)φ) = 2 cos φ sin hφ − sin((h−1)φ)."""
    turn = (2 * np.pi * (phase - np.floor(phase))).astype(np.float32)
    twice_cos = 2 * np.cos(turn)
    before, now = np.zeros_like(turn), np.sin(turn)
    total = now.copy()
    for h in range(2, n + 1):
        before, now = now, twice_cos * now - before
        total += np.float32(h**-fading) * now
    return total


def _pluck(since: Floats, ring: float) -> Floats:
    """Compute how loud a note is so many seconds after its start: up within 5 ms, then down by 1/e every `ring` seconds."""
    loudness: Floats = np.minimum(since / np.float32(0.005), 1) * np.exp(since / np.float32(-ring))
    return loudness


def _loudness(samples: Floats) -> np.float32:
    return np.float32(np.sqrt(np.mean(np.square(samples), dtype=np.float64)))


def _in_words(strength: NDArray[np.float64], n: int = 3) -> str:
    strongest = np.argsort(-np.abs(strength), kind="stable")[:n]
    words = list(FEATURES.values())
    return ", ".join(words[f][int(strength[f] > 0)] for f in strongest)
