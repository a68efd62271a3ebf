"""Models of play counts on HetRec Last.fm, and on two million generated entries, beside implicit."""

import dataclasses
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.bench.made_up import generated
from acai.bench.row import Contest, Data, Disagreement, Row, Work, competitor, expect_agreement, expect_data
from acai.cf import ALS, ItemKNN
from acai.cf.recommender import Recommender
from acai.datasets import hetrec_lastfm
from acai.ratings import Ratings
from acai.threads import one_blas_thread

K = 100  # neighbours of a song
SAME_PLACES = 0.99  # of the lists: nearly equal scores may come in either order
AT_SIZE = (100_000, 30_000, 2_000_000)
Floats = NDArray[np.floating[Any]]


def hetrec(data: Data) -> Ratings:
    """Read HetRec Last.fm."""
    return hetrec_lastfm(expect_data(data.hetrec, "hetrec", "hetrec-lastfm"))


def two_million(data: Data) -> Ratings:
    """Generate a larger matrix."""
    return generated(*AT_SIZE)


def implicit_module(name: str) -> Any:
    """Import a part of implicit, which warns of BLAS's threads although they are limited."""
    warnings.simplefilter("ignore")
    return competitor(f"implicit.{name}")


def item_neighbours() -> ItemKNN:
    """Make the model that does what implicit's `CosineRecommender` does."""
    return ItemKNN(k=K, keep=K, similarity="cosine", centring="none", normalise=False)


def fit_neighbours(read: Callable[[Data], Ratings], data: Data) -> Contest:
    """Prepare the search for the nearest songs of each song; implicit counts a song among its own neighbours."""
    cosine = implicit_module("nearest_neighbours").CosineRecommender
    R = read(data)
    theirs_R = sparse.csr_matrix(R.csr)

    def ours() -> ItemKNN:
        return item_neighbours().fit(R)

    def theirs() -> Any:
        model = cosine(K=K + 1)
        model.fit(theirs_R, show_progress=False)
        return model

    def agree() -> str:
        model, expected = ours(), _similarities(theirs())
        sums = np.add.reduceat(np.append(model.s, 0), model.near[:-1]) * (np.diff(model.near) > 0)
        return expect_agreement(float(np.abs(sums - expected.sum(axis=1)).max()), 1e-3, "sums of a song's similarities")

    songs = np.diff(R.csr.indptr).astype(float)
    return Contest(ours, theirs, agree, Work(8 * float((songs**2).sum()), "copy"))  # Σ r(u,i) r(u,j): read and written


def lists_of_neighbours(data: Data) -> Contest:
    """Prepare lists of 10 for all users, from the neighbours of songs.

    A song's score is a sum over its K neighbours, as in (C1); in implicit, over the songs that have it among theirs. So the
    lists differ, and what is compared is our scores with sums of implicit's similarities.
    """
    cosine = implicit_module("nearest_neighbours").CosineRecommender
    R = hetrec(data)
    model, theirs = item_neighbours().fit(R), cosine(K=K + 1)
    theirs.fit(sparse.csr_matrix(R.csr), show_progress=False)
    lists = _lists(model, theirs, R, Work(8.0 * K * R.n_ratings, "copy"))

    def agree() -> str:
        scores = sparse.csr_array(R.csr @ _similarities(theirs).T)
        found = [
            (R.row(user), R.column(song), score) for user, songs in model.recommend_all() for song, score in songs if score > 0
        ]
        rows, columns, ours = map(np.array, zip(*found))
        error = np.abs(ours - scores[rows, columns]) / ours
        return expect_agreement(float(np.quantile(error, SAME_PLACES)), 1e-4, f"{SAME_PLACES:.0%} of the scores")

    return dataclasses.replace(lists, agree=agree)


def _similarities(model: Any) -> sparse.csr_array:
    """Return the similarities that implicit has found, without those of a song to itself."""
    S = model.similarity.tolil()
    S.setdiag(0)
    return sparse.csr_array(S)


def lists_of_factors(data: Data) -> Contest:
    """Prepare lists of 10 for all users, from the same latent factors."""
    als = implicit_module("cpu.als").AlternatingLeastSquares
    R = hetrec(data)
    model, theirs = ALS(64, n_epochs=3).fit(R), als(64)
    theirs.user_factors, theirs.item_factors = model.P.copy(), model.Q.copy()
    return _lists(model, theirs, R, Work(2.0 * R.n_users * R.n_songs * model.n_factors, "product"))


def _lists(model: Recommender, their_model: Any, R: Ratings, work: Work) -> Contest:
    """Make the contest of two fitted models, each of which recommends in its own form."""
    theirs_R, users = sparse.csr_matrix(R.csr), np.arange(R.n_users)

    def ours() -> dict[Any, list[tuple[Any, float]]]:
        return dict(model.recommend_all())

    def theirs() -> Any:
        with one_blas_thread():  # implicit has threads of its own, with which those of BLAS would compete
            return their_model.recommend(users, theirs_R, N=10, filter_already_liked_items=True)[0]

    def agree() -> str:
        columns = theirs()
        pairs = [
            (R.songs[column], song) for row, found in zip(columns, ours().values())
            for column, (song, score) in zip(row, found) if score > 0
        ]
        same = float(np.mean([a == b for a, b in pairs]))
        if same < SAME_PLACES:
            raise Disagreement(f"{same:.2%} of the places in all lists are the same; expected {SAME_PLACES:.0%} or more")
        return f"{same:.2%} of all places are the same"

    return Contest(ours, theirs, agree, work)


def factors(read: Callable[[Data], Ratings], use_cg: bool, data: Data) -> Contest:
    """Prepare ALS with 64 factors, 15 epochs: both solve exactly, or both take three steps of conjugate gradient."""
    als = implicit_module("cpu.als").AlternatingLeastSquares
    R = read(data)
    ours = ALS(64, alpha=1.0, reg=5.0, cg_steps=3 if use_cg else None)
    C = sparse.csr_matrix(R.csr)
    C.data = (1 + np.log1p(C.data)).astype(np.float32)  # what α = ε = 1 makes of the plays

    def theirs() -> Any:
        with one_blas_thread():
            model = als(64, regularization=5.0, iterations=15, use_cg=use_cg, random_state=0)
            model.fit(C, show_progress=False)
        return model

    def agree() -> str:
        model, P_and_Q = ours.fit(R), theirs()
        values = [_objective(C, 5.0, *pair) for pair in ((model.P, model.Q), (P_and_Q.user_factors, P_and_Q.item_factors))]
        return expect_agreement(abs(values[0] / values[1] - 1), 0.02, "objectives")

    if use_cg:
        per_epoch = 2.0 * R.n_ratings * 64 * (6 + 3 * 4)  # three products before the steps, two in each
    else:
        per_epoch = 2.0 * R.n_ratings * 64**2 + (R.n_users + R.n_songs) * 64**3 / 3
    return Contest(partial(ours.fit, R), theirs, agree, Work(per_epoch * ours.n_epochs, "product"))


def _objective(C: sparse.csr_matrix, reg: float, P: Floats, Q: Floats) -> float:
    """Compute (C11): first as if every entry had confidence 1 and x = 0, then what the known ones change."""
    P, Q = P.astype(np.float64), Q.astype(np.float64)
    total = float(((P.T @ P) * (Q.T @ Q)).sum())
    rows = np.repeat(np.arange(C.shape[0]), np.diff(C.indptr))
    for start in range(0, C.nnz, 2**18):
        known = slice(start, start + 2**18)
        x_hat = np.einsum("ef,ef->e", P[rows[known]], Q[C.indices[known]])
        total += float((C.data[known] * (1 - x_hat) ** 2 - x_hat**2).sum())
    return total / 2 + reg / 2 * float((P**2).sum() + (Q**2).sum())


FIT_TWO_MILLION = "ItemKNN cosine, K = 100, fit, 2 million entries over 100,000 × 30,000"
COSINE, CONJUGATE = "implicit `CosineRecommender`", "implicit, conjugate gradient (its default)"
ON_HETREC, ON_TWO_MILLION = "ALS, 64 factors, exact, HetRec", "ALS, 64 factors, exact, 2 million entries"
ROWS = [
    Row("item-neighbours", "ItemKNN cosine, K = 100, fit, HetRec Last.fm", COSINE, 0.5, partial(fit_neighbours, hetrec)),
    Row("item-neighbours-2m", FIT_TWO_MILLION, COSINE, 0.6, partial(fit_neighbours, two_million)),
    Row("item-lists", "ItemKNN, lists of 10 for all users of HetRec", "implicit", 0.35, lists_of_neighbours),
    Row("als", ON_HETREC, "implicit, exact", 0.25, partial(factors, hetrec, False)),
    Row("als-2m", ON_TWO_MILLION, "implicit, exact", 0.25, partial(factors, two_million, False)),
    Row("als-cg", ON_HETREC, CONJUGATE, 0.8, partial(factors, hetrec, True)),
    Row("als-cg-2m", ON_TWO_MILLION, CONJUGATE, 0.8, partial(factors, two_million, True)),
    Row("als-lists", "lists of 10 for all users of HetRec, from ALS", "implicit", 0.3, lists_of_factors),
]
