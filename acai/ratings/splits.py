"""Which entries to choose: every rule gives a mask over the entries, and the same seed gives the same mask."""

from numbers import Real

import numpy as np

from acai.errors import InputError, shown
from acai.settings import Limits, checked

SEED = Limits(at_least=0)


def expect_share(share: object, of: str) -> None:
    """Refuse what is no share of something to hold out."""
    if not isinstance(share, Real) or not 0 < share < 1:
        raise InputError(f"test={shown(share)}; expected the share of the {of} to hold out, between 0 and 1")


def random_share(n: int, share: float, seed: int, of: str) -> np.ndarray:
    """A share of `n` things at random."""
    expect_share(share, of)
    seed = checked("seed", seed, limits=SEED)
    n_test = round(share * n)
    if not 0 < n_test < n:
        raise InputError(f"test={share} of {n} {of} leaves one side empty")
    chosen = np.zeros(n, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(n)[:n_test]] = True
    return chosen


def random_fold(n_entries: int, n: int, seed: int) -> np.ndarray:
    """The fold, 0 … n − 1, of each entry; folds are as equal as can be."""
    seed = checked("seed", seed, limits=SEED)
    if checked("n", n) < 2 or n > n_entries:
        raise InputError(f"n={n} folds of {n_entries} ratings; expected from 2 to the number of ratings")
    fold = np.empty(n_entries, dtype=np.int32)
    fold[np.random.default_rng(seed).permutation(n_entries)] = np.arange(n_entries, dtype=np.int32) % n
    return fold


def latest_share(times: np.ndarray, share: float) -> np.ndarray:
    """The latest entries: all from some moment on, so that they are `share` of all, or a little more.

    Entries of the same moment are never parted, so that nobody trains on what happens while the test runs.
    """
    expect_share(share, "latest entries")
    n_test = max(round(share * len(times)), 1)
    moment = np.partition(times, len(times) - n_test)[len(times) - n_test]
    latest = times >= moment
    if latest.all():
        n_tied = int((times == moment).sum())
        raise InputError(f"test={share} of the latest entries leaves none to train on: {n_tied} have the same time")
    return latest


def k_of_each_row(indptr: np.ndarray, k: int, seed: int) -> np.ndarray:
    """`k` entries at random of each row that has more than `k`; none of the others."""
    k, seed = checked("k", k), checked("seed", seed, limits=SEED)
    counts = np.diff(indptr)
    chosen = _of_each_row(indptr, np.where(counts > k, k, 0), np.random.default_rng(seed).random(indptr[-1], np.float32))
    if not chosen.any():
        raise InputError(f"k={k}, but no user has more than {k} entries")
    return chosen


def share_of_each_row(indptr: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A share of the entries of each row at random, rounded to whole entries."""
    expect_share(share, "entries of each user")
    seed = checked("seed", seed, limits=SEED)
    return _of_each_row(indptr, np.round(share * np.diff(indptr)), np.random.default_rng(seed).random(indptr[-1]))


def _of_each_row(indptr: np.ndarray, n_chosen: np.ndarray, random: np.ndarray) -> np.ndarray:
    """So many entries of each row: those of the smallest random numbers, of which each entry has one."""
    rows = np.repeat(np.arange(len(n_chosen), dtype=np.int32), np.diff(indptr))
    shuffled = np.lexsort((random, rows))
    place = np.arange(len(rows)) - indptr[rows]  # in its row, after shuffling
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[shuffled] = place < n_chosen[rows]
    return chosen
