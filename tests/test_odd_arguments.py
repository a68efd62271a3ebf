"""Whatever is passed where a number, a share, an id, a listener or an array is expected: one clear sentence, or a finite result."""

import atexit
import tempfile
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from cf_cases import random_ratings

from acai import InputError, Ratings, datasets, nn
from acai.audio import log_mel
from acai.cf import ALS, SGD, SVD, Popularity, UserKNN
from acai.content import AudioToFactors, Augmentation, BagOfWords, ColdStartRecommender, Ridge, SpectrumRidge
from acai.content.classify import SoundClassifier
from acai.content.taste import TasteNetworks
from acai.evaluation import cross_validate, evaluate, metrics
from acai.settings import checked_jobs

RATINGS = random_ratings(m=12, n=9, per_user=5)
HALVES = RATINGS.split(0.5)
USER, SONG = RATINGS.users[0], RATINGS.songs[0]
RNG = np.random.default_rng(0)
S, Q = [RNG.random((4, 20), dtype=np.float32) for _ in range(8)], RNG.normal(size=(8, 2))
SOUND = np.sin(np.arange(4000)), 8000
# fmt: off
ODD = [
    None, True, -1, 0, 2.5, float("nan"), float("inf"), -0.0, 2**63, 10**5000, "x", "3", b"x", [], [[1]], {}, {1, 2}, 1j, object(),
    np.array([1, 2]), np.array([[1.0, 2]]), np.array("x"), np.array(1), np.array([1j, 2]), np.ma.array([1, 2], mask=[0, 1]),
    np.int8(3), np.float32(0.5),
]
# fmt: on


def network() -> nn.Sequential:
    return nn.Sequential([nn.Flatten(), nn.Linear(80, 2, seed=0)])


def ear(**changed) -> AudioToFactors:
    usual = {"network": network(), "width": 20, "n_epochs": 1, "validation": 0.3}
    return AudioToFactors(**usual | changed)


@cache
def trained() -> AudioToFactors:
    return ear().fit(S, Q)


@cache
def als() -> ALS:
    return ALS(2, n_epochs=2).fit(RATINGS)


@cache
def knn() -> UserKNN:
    return UserKNN().fit(RATINGS)


@cache
def new() -> ColdStartRecommender:
    return ColdStartRecommender(als(), {"new": np.ones(2), "newer": -np.ones(2)})


def settings_of(make, *names):
    """For each setting: a call that makes something with it."""
    return {f"{make.__qualname__} {name}": lambda odd, name=name: make(**{name: odd}) for name in names}


LOG = datasets.ListeningLog(np.array([0, 1, 1]), np.array([0, 1, 0]), np.array([1, 2, 3]), ["a", "b"], ["x", "y"])
FOLDER = tempfile.TemporaryDirectory()
atexit.register(FOLDER.cleanup)
TABLE = Path(FOLDER.name, "table.csv")
TABLE.write_text("0,1,2\n1,1,3\n")
CALLS = {
    "split": RATINGS.split,
    "split seed": lambda odd: RATINGS.split(0.2, odd),
    "split_songs": RATINGS.split_songs,
    "folds": lambda odd: list(islice(RATINGS.folds(odd), 3)),
    "folds seed": lambda odd: list(RATINGS.folds(2, odd)),
    "leave_k_out": RATINGS.leave_k_out,
    "leave_k_out seed": lambda odd: RATINGS.leave_k_out(1, odd),
    "split_each_user": RATINGS.split_each_user,
    "keep": RATINGS.keep,
    "map": lambda odd: RATINGS.map(lambda r: odd),
    "filter plays": RATINGS.filter,
    "filter songs": lambda odd: RATINGS.filter(0, odd),
    "filter users": lambda odd: RATINGS.filter(0, 1, odd),
    "row": RATINGS.row,
    "column": RATINGS.column,
    "predict users": lambda odd: knn().predict(odd, [SONG]),
    "predict songs": lambda odd: knn().predict([USER], odd),
    "predict a user": lambda odd: knn().predict([odd], [SONG]),
    "recommend": lambda odd: knn().recommend(odd),
    "recommend n": lambda odd: knn().recommend(USER, odd),
    "recommend_all": lambda odd: dict(knn().recommend_all(odd)),
    "recommend_all one": lambda odd: dict(knn().recommend_all([odd])),
    "similar": lambda odd: knn().similar(odd),
    "similar n": lambda odd: knn().similar(SONG, odd),
    "explain": lambda odd: knn().explain(USER, odd),
    "fold_in": lambda odd: als().fold_in(odd),
    "fold_in value": lambda odd: als().fold_in({SONG: odd}),
    "recommend exclude_rated": lambda odd: knn().recommend(USER, exclude_rated=odd),
    "recommend_all n": lambda odd: dict(knn().recommend_all(n=odd)),
    "recommend_all exclude_rated": lambda odd: dict(knn().recommend_all(exclude_rated=odd)),
    "recommend_all memory": lambda odd: dict(knn().recommend_all(memory=odd)),
    "user ids": lambda odd: Ratings.from_triplets(odd, ["x", "y"], [1, 2]),
    "a song id": lambda odd: Ratings.from_triplets(["a", "b"], ["x", odd], [1, 2]),
    "favourites": RATINGS.favourites,
    "fit": lambda odd: Popularity().fit(odd),
    "fold_in SVD": lambda odd: SVD(2).fit(RATINGS).fold_in({SONG: odd}),
    "fold_in SGD": lambda odd: SGD(2, n_epochs=1).fit(RATINGS).fold_in({SONG: odd}),
    "cross_validate folds": lambda odd: cross_validate(Popularity(), RATINGS, [odd]),
    "cross_validate number of folds": lambda odd: cross_validate(Popularity(), RATINGS, odd),
    "cross_validate seed": lambda odd: cross_validate(Popularity(), RATINGS, 2, seed=odd),
    "evaluate k": lambda odd: evaluate(Popularity(), *HALVES, k=odd),
    "evaluate which": lambda odd: evaluate(Popularity(), *HALVES, which=odd),
    "evaluate a metric": lambda odd: evaluate(Popularity(), *HALVES, which=[odd]),
    "evaluate relevant_from": lambda odd: evaluate(Popularity(), *HALVES, relevant_from=odd),
    "evaluate memory": lambda odd: evaluate(Popularity(), *HALVES, memory=odd),
    "coverage": lambda odd: metrics.coverage([0], odd),
    "n_jobs": checked_jobs,
    "separator": lambda odd: datasets.triplets(TABLE, odd),
    "columns": lambda odd: datasets.triplets(TABLE, columns=odd),
    "a column": lambda odd: datasets.triplets(TABLE, columns=(0, 1, odd), combine="sum"),
    "header": lambda odd: datasets.triplets(TABLE, header=odd),
    "block_size": lambda odd: datasets.triplets(TABLE, block_size=odd),
    "plays kept": LOG.keep,
    "rmse": lambda odd: metrics.rmse(odd, [1.0]),
    "new songs": lambda odd: ColdStartRecommender(odd, {"new": np.ones(2)}),
    "new Q": lambda odd: ColdStartRecommender(als(), odd),
    "new q": lambda odd: ColdStartRecommender(als(), {"new": odd}),
    "new lam": lambda odd: ColdStartRecommender(als(), {"new": np.ones(2)}, odd).fold_in("new", {USER: 1.0}),
    "recommend new": lambda odd: new().recommend(odd),
    "recommend new n": lambda odd: new().recommend(USER, odd),
    "listeners_for": lambda odd: new().listeners_for(odd),
    "similar_by_sound": lambda odd: new().similar_by_sound(odd),
    "fold_in new": lambda odd: new().fold_in("new", odd),
    "fold_in new value": lambda odd: new().fold_in("new", {USER: odd}),
    **settings_of(
        lambda **one: ear(**one).fit(S, Q),
        "validation",
        "learning_rate",
        "momentum",
        "weight_decay",
        "seed",
        "batch_size",
    ),
    "ear width": lambda odd: ear(width=odd),
    "ear n_epochs": lambda odd: ear(n_epochs=odd),
    "ear patience": lambda odd: ear(patience=odd),
    "ear augment": lambda odd: ear(augment=odd),
    "ear network": lambda odd: ear(network=odd),
    "ear gain": lambda odd: ear(augment=Augmentation(gain=odd)).fit(S, Q),
    "ear masks": lambda odd: ear(augment=Augmentation(0, odd, odd)).fit(S, Q),
    "ear spectrograms": lambda odd: ear().fit(odd, Q),
    "ear spectrogram": lambda odd: ear().fit([odd] * 8, Q),
    "ear Q": lambda odd: ear().fit(S, odd),
    "ear predict": lambda odd: trained().predict(odd),
    "ear predict one": lambda odd: trained().predict([odd]),
    "classifier windows": lambda odd: SoundClassifier(windows=odd),
    "classes": lambda odd: SoundClassifier(width=20).fit(S, odd),
    **settings_of(TasteNetworks, "n_hidden", "n_epochs", "learning_rate", "momentum", "weight_decay", "seed"),
    "taste Q": lambda odd: TasteNetworks(n_epochs=1).fit(odd, np.ones((2, 8))),
    "taste R": lambda odd: TasteNetworks(n_epochs=1).fit(Q, odd),
    **settings_of(BagOfWords, "n_words", "n_mfcc", "n_frames", "seed"),
    "spread": SpectrumRidge,
    "ridge lams": lambda odd: Ridge(odd).fit(Q, Q).predict(Q),
    "ridge X": lambda odd: Ridge().fit(odd, Q),
    "ridge Q": lambda odd: SpectrumRidge().fit(S, odd),
    **settings_of(
        lambda **one: datasets.synthetic(**{"n_users": 9, "n_songs": 9, "seconds": 1} | one),
        "n_users",
        "n_songs",
        "seconds",
        "taste",
        "seed",
    ),
    **settings_of(
        lambda **one: nn.SGD(network(), **{"learning_rate": 0.1} | one),
        "learning_rate",
        "momentum",
        "nesterov",
        "decay",
    ),
    **settings_of(
        lambda **one: log_mel(SOUND, **{"sample_rate": 8000, "window": 512, "hop": 256, "n_mels": 8} | one),
        "hop",
        "window",
        "C",
    ),
}


def numbers(found: object):
    """The floating-point numbers in what was returned."""
    if isinstance(found, float | np.floating):
        yield found
    elif isinstance(found, np.ndarray) and found.dtype.kind == "f":
        yield from found.flat
    elif isinstance(found, tuple | list):
        for part in found:
            yield from numbers(part)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CALLS)
def test_one_sentence_or_a_finite_result(name):
    for odd in ODD:
        try:
            found = CALLS[name](odd)
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 600
            continue
        assert all(np.isfinite(number) for number in numbers(found)), odd
