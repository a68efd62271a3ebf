"""How ratings are centred before neighbours are compared: on means, on biases, or not at all."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from acai.cf.baselines import Baseline
from acai.cf.inputs import Codes
from acai.cf.statistics import entry_counts, means
from acai.ratings import Ratings

CENTRINGS = ("mean", "zscore", "baseline", "none")
Array = NDArray[np.float64]


class Centring(NamedTuple):
    """r(u,i) = offset_u + offset_i + scale_u · scale_i · z(u,i).

    The arrays of users and songs have one more entry at the end, for an unknown user or song, whose index is −1. `is_new`
    tells for whom nothing is known. `z` has one entry for each known entry of R, in the order of `ratings.csr.data`.
    """

    offset_u: Array
    offset_i: Array
    scale_u: Array
    scale_i: Array
    is_new_user: NDArray[np.bool_]
    is_new_song: NDArray[np.bool_]
    z: Array


def fitted_biases(ratings: Ratings) -> Baseline:
    """Compute the biases (C12), without the checks of `fit`, which have been made."""
    biases = Baseline()
    biases._learn(ratings, progress=False)
    return biases


def centre(ratings: Ratings, centring: str, by: str) -> Centring:
    """Measure every rating from the mean of its user or song (C1), from that in units of its spread, or from biases (C12).

    Parameters
    ----------
    ratings : Ratings
        The ratings r.
    centring : {"mean", "zscore", "baseline", "none"}
        What to measure from.
    by : {"users", "songs"}
        Whose means and spreads.
    """
    m, n = ratings.csr.shape
    offset_u, offset_i, scale_u, scale_i = np.zeros(m + 1), np.zeros(n + 1), np.ones(m + 1), np.ones(n + 1)
    if centring == "baseline":
        biases = fitted_biases(ratings)
        offset_u[:-1] = biases.b_u
        offset_u += biases.mu
        offset_i[:-1] = biases.b_i
    elif centring != "none" and by == "users":
        offset_u[:-1] = means(ratings, by)
    elif centring != "none":
        offset_i[:-1] = means(ratings, by)
    u, i = ratings.user_codes, ratings.csr.indices
    z = ratings.csr.data.astype(np.float64) - offset_u[u] - offset_i[i]
    if centring == "zscore":
        n_u, n_i = entry_counts(ratings)
        if by == "users":
            scale_u[:-1] = _spread(z, u, n_u, ratings)
        else:
            scale_i[:-1] = _spread(z, i, n_i, ratings)
        z /= scale_u[u] * scale_i[i]
    is_new_user, is_new_song = (np.append(n == 0, True) for n in entry_counts(ratings))
    return Centring(offset_u, offset_i, scale_u, scale_i, is_new_user, is_new_song, z)


def centre_newcomer(ratings: Ratings, known: Centring, centring: str, by: str, rated: tuple[Codes, Array]) -> Centring:
    """Measure the ratings of a listener who was not in the training data, and rated songs i with r, as `centre` would have.

    Returns
    -------
    Centring
        With this listener as the only user.
    """
    i, r = rated
    offset, scale = 0.0, 1.0
    if centring == "baseline":
        offset = known.offset_u[-1] + fitted_biases(ratings).bias_of(i, r)
    elif centring != "none" and by == "users":
        offset = float(r.mean())
    z = r - offset - known.offset_i[i]
    if centring == "zscore" and by == "users":
        scale = float(_spread(z, np.zeros_like(i), np.array([len(i)]), ratings)[0])
    return known._replace(
        offset_u=np.array([offset]), scale_u=np.array([scale]), is_new_user=np.array([False]), z=z / (scale * known.scale_i[i])
    )


def _spread(z: Array, codes: Codes, counts: NDArray[np.intp], ratings: Ratings) -> Array:
    """Compute the standard deviation of the ratings of each user or song."""
    spread = np.sqrt(np.bincount(codes, z**2, len(counts)) / np.maximum(counts, 1))
    # whoever rates everything the same does not show how far apart two songs are: take the spread of all ratings
    spread[spread == 0] = ratings.csr.data.astype(np.float64).std() or 1.0
    return spread
