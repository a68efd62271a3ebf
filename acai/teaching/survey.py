"""What the course is about: a year's listening log, and a survey that asked for stars. SYNTHETIC, so that the truth is known."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from acai.datasets import ListeningLog
from acai.datasets.rules import DAY
from acai.datasets.synthetic import FEATURES, World, synthetic
from acai.errors import InputError
from acai.ratings import Ratings

HEARD = {"brightness": 1.2, "tempo": 0.9, "noise": 0.6}  # what these listeners care about, and how much
PLACES = [list(FEATURES).index(name) for name in HEARD]


@dataclass(frozen=True)
class Survey:
    """What listeners said, and what they would have said.

    Attributes
    ----------
    ratings : Ratings
        R: 1 to 5 stars for the songs that each listener was asked about.
    answers : ndarray, shape (n_users, n_songs)
        What each would have said of every song: no gaps. No recommender may look at it.
    world : acai.datasets.synthetic.World
        The songs, with their features and their sound.
    """

    ratings: Ratings
    answers: np.ndarray
    world: World

    @property
    def features(self) -> np.ndarray:
        """What the listeners hear in each song, the truth: brightness, tempo and noise, shape (n_songs, 3), from −1 to 1."""
        return self.world.features[:, PLACES]


def survey(n_users: int = 200, n_songs: int = 100, asked: float = 0.3, seed: int = 0) -> Survey:
    """Ask listeners of a synthetic world for stars.

    A listener hears three features of a song, brightness, tempo and noise, and has a taste in each. Some listeners are
    kinder than others, some songs better made, and everybody wavers:
    stars = 3 + b(u) + b(i) + Σ_f t_uf z_if + a normal error of 0.4, rounded, from 1 to 5.

    Parameters
    ----------
    n_users, n_songs : int
        The size of the world.
    asked : float
        The share of the songs that each listener is asked about, between 0 and 1.
    seed : int
        The same seed makes the same survey.
    """
    if not 0 < asked <= 1:
        raise InputError(f"asked={asked}; expected a share of the songs, more than 0 and at most 1")
    world = synthetic(n_users, n_songs, seconds=2, seed=seed)
    rng = np.random.default_rng([seed, 7])
    liking = (world.tastes[:, PLACES] * list(HEARD.values())) @ world.features[:, PLACES].T  # (n_users, n_songs)
    liking += rng.normal(0, 0.4, (n_users, 1)) + rng.normal(0, 0.3, n_songs) + rng.normal(0, 0.4, liking.shape)
    answers = np.clip(np.round(3 + liking), 1, 5)
    given = csr_array((answers * (rng.random(answers.shape) < asked)).astype(np.float32))
    R = Ratings(given, world.plays.users, world.plays.songs, notes=("SYNTHETIC: nobody was asked",))
    return Survey(R, answers, world)


def listening_log(world: World, year: int = 2025, seed: int = 0) -> ListeningLog:
    """Spread the plays of a synthetic world over a year, in the order of time.

    A listener comes to a song on some day of the year's first nine months, and comes back to it after waits that are
    exponential: hours for some pairs of listener and song, months for others. Whatever would fall into the next year is
    played in this one, on the same day.
    """
    rng = np.random.default_rng([seed, 8])
    n = world.plays.csr.data.astype(np.int64)  # plays of each pair
    wait = DAY * np.exp(rng.uniform(np.log(0.2), np.log(60), len(n)))
    gaps = rng.exponential(np.repeat(wait, n))
    first = np.cumsum(n) - n
    gaps[first] = rng.uniform(0, 270 * DAY, len(n))
    since = np.cumsum(gaps)
    since -= np.repeat(since[first] - gaps[first], n)  # seconds since the year began
    begin, end = (np.datetime64(f"{y}-01-01T00:00:00", "s").astype(np.int64) for y in (year, year + 1))
    times = begin + since.astype(np.int64) % (end - begin)
    order = np.argsort(times, kind="stable")
    users, songs = (np.repeat(codes, n)[order] for codes in (world.plays.user_codes, world.plays.csr.indices))
    notes = ("SYNTHETIC: nobody listened",)
    return ListeningLog(users, songs, times[order], world.plays.users, world.plays.songs, notes)
