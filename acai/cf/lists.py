"""Lists for people: which songs may be on them, the best of these, and the reasons for one."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.cf.inputs import Codes, expect_some_known
from acai.ratings import Ratings
from acai.threads import map_blocks

SCORE_BYTES = 64  # that a score takes at worst, with the products and masks that it comes from
ROWS_AT_ONCE = 16  # of scores, that a thread takes
Best = tuple[Codes, Codes, NDArray[np.floating[Any]]]  # some users, the columns of their best songs, and their scores


class Reason(NamedTuple):
    """A part of a prediction: what one neighbour, or one of the user's own songs, contributed to it."""

    name: Hashable  # a user, or a song
    similarity: float
    rating: float  # what this user thought of the song, or what the user thought of this song
    contribution: float  # by how much it moved the prediction


def left_out(known: Ratings, candidates: Iterable[Hashable] | None, exclude: Iterable[Hashable]) -> NDArray[np.intp]:
    """List the columns of the songs that may not be recommended: those outside `candidates`, if given, and in `exclude`."""
    is_out = np.full(known.n_songs, candidates is not None)
    if candidates is not None:
        allowed = expect_some_known(candidates, known.song_columns, "candidate")
        is_out[allowed[allowed >= 0]] = False
    excluded = expect_some_known(exclude, known.song_columns, "excluded song")
    is_out[excluded[excluded >= 0]] = True
    return np.flatnonzero(is_out)


def blocks_of_users(rows: Codes, n: int, memory: int, progress: bool) -> Iterator[Codes]:
    """Yield as many rows at a time as fit into `memory` bytes with n scores each; at least one."""
    from tqdm import tqdm

    size = max(1, memory // (SCORE_BYTES * n))
    for start in tqdm(range(0, len(rows), size), desc="recommending", unit="block", disable=not progress):
        yield rows[start : start + size]


def best_columns(scores: NDArray[np.float32], n: int) -> tuple[Codes, NDArray[np.floating[Any]]]:
    """Find the `n` best columns of each row of scores, and their scores; −1 where only songs that are left out, −∞, remain."""
    from acai.cf import kernels

    n = min(n, scores.shape[1])
    parts = [slice(begin, begin + ROWS_AT_ONCE) for begin in range(0, len(scores), ROWS_AT_ONCE)]
    columns, best = zip(*map_blocks(lambda part: kernels.top_n(scores[part], n), parts))
    return np.concatenate(columns), np.concatenate(best)


def named_lists(
    columns: Codes, scores: NDArray[np.floating[Any]], names: Sequence[Hashable]
) -> Iterator[list[tuple[Hashable, float]]]:
    """Yield a list of (name, score) for each row of columns; −1 stands for none."""
    for row, scores_of_row in zip(columns.tolist(), scores.tolist()):
        yield [(names[i], score) for i, score in zip(row, scores_of_row) if i >= 0]


def most_similar(similarities: NDArray[Any], n: int, names: Sequence[Hashable]) -> list[tuple[Hashable, float]]:
    """List the `n` most similar, as (name, similarity), the first of equals first; −∞ stands for one that is left out."""
    order = np.argsort(-similarities, kind="stable")[:n]
    return [(names[j], float(similarities[j])) for j in order if similarities[j] > -np.inf]
