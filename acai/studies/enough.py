"""Whether there are enough songs and listeners to learn from and to measure on, before the work begins."""

from collections.abc import Iterable

import numpy as np

from acai.datasets.synthetic import World, synthetic
from acai.errors import InputError
from acai.studies.ladder import ColdStartSplit

LEAST_WARM = 3  # songs with plays: one to validate a network on, and two to train it
ADVICE = "expected more: 20 songs and 30 listeners are enough"


def made_up_world(n_users: int, n_songs: int, seed: int) -> tuple[World, ColdStartSplit]:
    """Make up a world and hold out a fifth of its songs; refuse one that is too small to learn from."""
    given = f"{n_songs} songs and {n_users} listeners"
    try:
        world = synthetic(n_users, n_songs, seed=seed)
        split = ColdStartSplit.from_ratings(*world.plays.split_songs(test=0.2, seed=seed))
    except InputError as error:
        raise InputError(f"{given}: {error}; {ADVICE}") from None
    expect_enough([split], given)
    return world, split


def expect_enough(splits: Iterable[ColdStartSplit], given: str) -> None:
    """Refuse splits by songs with too few songs to train on, or without a listener to measure on."""
    for split in splits:
        if len(split.warm) < LEAST_WARM:
            found = f"leave {len(split.warm)} with plays to train on when some are held out; {LEAST_WARM} are needed"
            raise InputError(f"{given} {found}; {ADVICE}")
        if not np.any(split.played.any(axis=1) & ~split.played.all(axis=1)):
            found = "no listener has played some but not all of those that are held out"
            raise InputError(f"{given}: {found}, so there is nothing to measure; {ADVICE}")
