"""Lists for people: which songs may be on them, the best of these, and the reasons for one."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.cf.inputs import expect_some_known
from acai.ratings import Ratings


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


def best_songs(scores: NDArray[np.float32], n: int, names: Sequence[Hashable]) -> Iterator[list[tuple[Hashable, float]]]:
    """Yield the `n` best songs of each row of scores, as (song, score); −∞ stands for a song that is left out."""
    from acai.cf import kernels

    columns, best = kernels.top_n(scores, min(n, scores.shape[1]))
    for of_user, its_scores in zip(columns.tolist(), best.tolist()):
        yield [(names[i], score) for i, score in zip(of_user, its_scores) if i >= 0]


def most_similar(similarities: NDArray[Any], n: int, names: Sequence[Hashable]) -> list[tuple[Hashable, float]]:
    """List the `n` most similar, as (name, similarity), the first of equals first; −∞ stands for one that is left out."""
    order = np.argsort(-similarities, kind="stable")[:n]
    return [(names[j], float(similarities[j])) for j in order if similarities[j] > -np.inf]
