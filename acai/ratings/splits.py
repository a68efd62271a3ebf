"""Which entries to hold out: each rule returns a mask over the entries, and the same seed gives the same mask."""

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.errors import InputError, shown
from acai.settings import Limits, checked

if TYPE_CHECKING:
    from acai.ratings.matrix import Ratings

SEED = Limits(at_least=0)


def expect_times(times: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the times of ratings; raise an error if they have none."""
    if times is None:
        instead = "at random with split() or leave_k_out()"
        raise InputError(f"these ratings have no times; pass times to from_triplets, or split {instead}")
    return times


def is_known(ratings: "Ratings", other: "Ratings") -> NDArray[np.bool_]:
    """Tell for each entry of `ratings`, in the order of `csr.data`, whether its pair has an entry in `other`."""
    if (ratings.users, ratings.songs) != (other.users, other.songs):
        raise InputError("the two have different users or songs, or in another order; expected two parts of one Ratings")
    numbers, others = _pair_numbers(ratings.csr), _pair_numbers(other.csr)
    place = np.searchsorted(others, numbers)
    found = np.zeros(len(numbers), dtype=bool)
    inside = place < len(others)
    found[inside] = others[place[inside]] == numbers[inside]
    return found


def _pair_numbers(R: sparse.csr_array) -> NDArray[np.int64]:
    """Give each entry a number that stands for its pair of user and song; the numbers ascend."""
    n_users, n_songs = R.shape
    row = np.repeat(np.arange(n_users, dtype=np.int64), np.diff(R.indptr))
    numbers: NDArray[np.int64] = row * n_songs + R.indices
    return numbers


def expect_share(share: float, of: str) -> None:
    """Raise an error unless `share` is a share that can be held out."""
    if not isinstance(share, Real) or not 0 < share < 1:
        raise InputError(f"test={shown(share)}; expected the share of the {of} to hold out, between 0 and 1")


def random_share(n: int, share: float, seed: int, of: str) -> NDArray[np.bool_]:
    """Choose a random share of `n` things."""
    expect_share(share, of)
    seed = checked("seed", seed, limits=SEED)
    n_test = round(share * n)
    if not 0 < n_test < n:
        raise InputError(f"test={share} of {n} {of} leaves one side empty")
    chosen = np.zeros(n, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(n)[:n_test]] = True
    return chosen


def random_fold(n_entries: int, n: int, seed: int) -> NDArray[np.int32]:
    """Choose the fold, 0 … n − 1, of each entry; the sizes of folds differ by at most one."""
    seed = checked("seed", seed, limits=SEED)
    if checked("n", n) < 2 or n > n_entries:
        raise InputError(f"n={n} folds of {n_entries} ratings; expected at least 2 folds, at most one for each rating")
    fold = np.empty(n_entries, dtype=np.int32)
    fold[np.random.default_rng(seed).permutation(n_entries)] = np.arange(n_entries, dtype=np.int32) % n
    return fold


def latest_share(times: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Choose the latest entries: all from some moment on, so that they are `share` of all, or a little more.

    Entries with the same time are never separated, so that nothing in the training set is as late as the test set.
    """
    expect_share(share, "latest entries")
    n_test = max(round(share * len(times)), 1)
    moment = np.partition(times, len(times) - n_test)[len(times) - n_test]
    latest: NDArray[np.bool_] = times >= moment
    if latest.all():
        n_tied = int((times == moment).sum())
        raise InputError(f"test={share} of the latest entries leaves none to train on: {n_tied} have the same time")
    return latest


def k_of_each_row(indptr: NDArray[np.int32], k: int, seed: int) -> NDArray[np.bool_]:
    """Choose `k` random entries of each row that has more than `k`; none of the others."""
    k, seed = checked("k", k), checked("seed", seed, limits=SEED)
    return _of_each_row(indptr, _more_than(indptr, k), np.random.default_rng(seed).random(indptr[-1], np.float32))


def latest_k_of_each_row(
    indptr: NDArray[np.int32], times: NDArray[np.int64], k: int, seed: int
) -> NDArray[np.bool_]:
    """Choose the `k` latest entries of each row that has more than `k`; of entries with the same time, random ones."""
    k, seed = checked("k", k), checked("seed", seed, limits=SEED)
    random = np.random.default_rng(seed).random(indptr[-1])
    return _of_each_row(indptr, _more_than(indptr, k), random, -times)


def _more_than(indptr: NDArray[np.int32], k: int) -> NDArray[np.intp]:
    """How many entries to choose from each row: `k` if it has more than `k`, else 0; at least one row must have more."""
    counts = np.diff(indptr)
    if not (counts > k).any():
        raise InputError(f"k={k}, but no user has more than {k} entries")
    return np.where(counts > k, k, 0)


def share_of_each_row(indptr: NDArray[np.int32], share: float, seed: int) -> NDArray[np.bool_]:
    """Choose a random share of the entries of each row, rounded to whole entries."""
    expect_share(share, "entries of each user")
    seed = checked("seed", seed, limits=SEED)
    return _of_each_row(indptr, np.round(share * np.diff(indptr)), np.random.default_rng(seed).random(indptr[-1]))


def _of_each_row(
    indptr: NDArray[np.int32], n_chosen: NDArray[np.float64] | NDArray[np.intp], *order: NDArray[Any]
) -> NDArray[np.bool_]:
    """Choose the given number of entries from each row: the first by the last key of `order`, then by the one before it."""
    rows = np.repeat(np.arange(len(n_chosen), dtype=np.int32), np.diff(indptr))
    by_row = np.lexsort((*order, rows))
    place = np.arange(len(rows)) - indptr[rows]  # in its row, in this order
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[by_row] = place < n_chosen[rows]
    return chosen
