"""The data of the course: a year's listening log, and a survey that asked for stars. SYNTHETIC, so that the truth is known."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from acai.datasets import ListeningLog
from acai.datasets.rules import DAY
from acai.datasets.synthetic import FEATURES, World, synthetic
from acai.errors import InputError
from acai.ratings import Ratings

WEIGHTS = {"brightness": 1.2, "tempo": 0.9, "noise": 0.6}  # the features that these listeners care about, and how much
COLUMNS = [list(FEATURES).index(name) for name in WEIGHTS]


@dataclass(frozen=True)
class Survey:
    """The answers of listeners, and the answers they would have given to every question.

    Attributes
    ----------
    ratings : Ratings
        R: 1 to 5 stars for the songs that each listener was asked about.
    answers : ndarray, shape (n_users, n_songs)
        What each listener would have answered for every song: no gaps. No recommender may look at it.
    world : acai.datasets.synthetic.World
        The songs, with their features and audio.
    """

    ratings: Ratings
    answers: np.ndarray
    world: World

    @property
    def features(self) -> np.ndarray:
        """The true features of each song: brightness, tempo and noise, shape (n_songs, 3), from −1 to 1."""
        return self.world.features[:, COLUMNS]


def survey(n_users: int = 200, n_songs: int = 100, asked: float = 0.3, seed: int = 0) -> Survey:
    """Ask listeners of a synthetic world for stars.

    A listener responds to three features of a song, brightness, tempo and noise, and has a taste in each. Some listeners
    are more generous than others, some songs are better, and nobody is consistent:
    stars = 3 + b(u) + b(i) + Σ_f t_uf z_if + a normal error with standard deviation 0.4, rounded, from 1 to 5.

    Parameters
    ----------
    n_users, n_songs : int
        The size of the world.
    asked : float
        The fraction of the songs that each listener is asked about, between 0 and 1.
    seed : int
        The same seed gives the same survey.
    """
    if not 0 < asked <= 1:
        raise InputError(f"asked={asked}; expected a fraction of the songs, more than 0 and at most 1")
    world = synthetic(n_users, n_songs, seconds=2, seed=seed)
    rng = np.random.default_rng([seed, 7])
    tastes = world.tastes[:, COLUMNS] * list(WEIGHTS.values())
    liking = tastes @ world.features[:, COLUMNS].T  # (n_users, n_songs)
    liking += rng.normal(0, 0.4, (n_users, 1)) + rng.normal(0, 0.3, n_songs) + rng.normal(0, 0.4, liking.shape)
    answers = np.clip(np.round(3 + liking), 1, 5)
    given = csr_array((answers * (rng.random(answers.shape) < asked)).astype(np.float32))
    R = Ratings(given, world.plays.users, world.plays.songs, notes=("SYNTHETIC: nobody was asked",))
    return Survey(R, answers, world)


def listening_log(world: World, year: int = 2025, seed: int = 0) -> ListeningLog:
    """Spread the plays of a synthetic world over a year, in chronological order.

    A listener discovers a song on some day in the first nine months of the year, and returns to it after exponentially
    distributed waits: hours for some pairs of listener and song, months for others. Plays that would fall into the next
    year are moved to the same day of this one.
    """
    rng = np.random.default_rng([seed, 8])
    n = world.plays.csr.data.astype(np.int64)  # plays of each pair
    wait = DAY * np.exp(rng.uniform(np.log(0.2), np.log(60), len(n)))
    gaps = rng.exponential(np.repeat(wait, n))
    first = np.cumsum(n) - n
    gaps[first] = rng.uniform(0, 270 * DAY, len(n))
    since = np.cumsum(gaps)
    since -= np.repeat(since[first] - gaps[first], n)  # seconds since the start of the year
    begin, end = (int(np.datetime64(f"{y}-01-01T00:00:00", "s").astype(np.int64)) for y in (year, year + 1))
    times = begin + since.astype(np.int64) % (end - begin)
    order = np.argsort(times, kind="stable")
    users = np.repeat(world.plays.user_codes, n)[order]
    songs = np.repeat(world.plays.csr.indices, n)[order]
    notes = ("SYNTHETIC: nobody listened",)
    return ListeningLog(users, songs, times[order], world.plays.users, world.plays.songs, notes)
