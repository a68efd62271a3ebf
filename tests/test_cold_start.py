"""Recommendations of new songs. Oracles: the loops of the reference (A5, A6), and what must hold for very small and large λ."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acai.cf import ALS
from acai.content.cold_start import ColdStartRecommender
from acai.errors import InputError
from acai.ratings import Ratings
from acai.reference.content import score, update_factors

RNG = np.random.default_rng(0)
U, I = np.nonzero(RNG.random((12, 9)) < 0.5)
PLAYS = Ratings.from_triplets([f"u{u}" for u in U], [f"s{i}" for i in I], RNG.integers(1, 9, len(U)))
Q_HAT = {f"new{n}": RNG.normal(0, 0.3, 3) for n in range(6)}


@cache
def model() -> ALS:
    return ALS(n_factors=3, n_epochs=5).fit(PLAYS)


def p(user: str) -> list[float]:
    return model().P[PLAYS.row(user)].astype(float).tolist()


def test_recommendations_are_sorted_by_score():
    new = ColdStartRecommender(model(), Q_HAT)
    found = new.recommend("u3", n=4)
    expected = sorted(((song, score(p("u3"), q.tolist())) for song, q in Q_HAT.items()), key=lambda pair: -pair[1])[:4]
    assert [song for song, _ in found] == [song for song, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-5)


def test_listeners_are_those_with_the_best_scores():
    best, value = ColdStartRecommender(model(), Q_HAT).listeners_for("new2", n=1)[0]
    scores = {user: score(p(user), Q_HAT["new2"].tolist()) for user in PLAYS.users}
    assert best == max(scores, key=scores.get) and value == pytest.approx(scores[best], rel=1e-5)


def test_similar_songs_have_similar_factors_and_exclude_the_song_itself():
    Q = {"a": np.array([1.0, 0, 0]), "b": np.array([5.0, 0.1, 0]), "c": np.array([-1.0, 0, 0]), "d": np.array([0, 1.0, 0])}
    found = ColdStartRecommender(model(), Q).similar_by_sound("a", n=10)
    assert [song for song, _ in found] == ["b", "d", "c"]
    assert found[-1][1] == pytest.approx(-1)


@given(st.dictionaries(st.sampled_from(PLAYS.users), st.floats(-2, 2), min_size=1), st.floats(0.1, 100))
def test_a_few_plays_change_the_factors_as_the_equation_says(values, lam):
    q = ColdStartRecommender(model(), Q_HAT, lam=lam).fold_in("new1", values)
    expected = update_factors(Q_HAT["new1"].tolist(), [p(u) for u in values], list(values.values()), lam)
    np.testing.assert_allclose(q, expected, rtol=1e-6, atol=1e-9)


def test_without_plays_audio_decides_and_with_a_small_lam_the_listeners():
    np.testing.assert_array_equal(ColdStartRecommender(model(), Q_HAT).fold_in("new1", {}), Q_HAT["new1"])
    q_true = np.array([0.5, -0.2, 0.1])
    values = {user: float(np.dot(p(user), q_true)) for user in PLAYS.users}
    np.testing.assert_allclose(ColdStartRecommender(model(), Q_HAT, lam=1e-9).fold_in("new1", values), q_true, atol=1e-5)
    np.testing.assert_allclose(ColdStartRecommender(model(), Q_HAT, lam=1e9).fold_in("new1", values), Q_HAT["new1"], atol=1e-5)


def test_first_plays_change_the_recommendations():
    new = ColdStartRecommender(model(), Q_HAT, lam=0.01)
    last = new.recommend("u3", n=6)[-1][0]
    assert new.recommend("u3", n=6, plays={last: {"u3": 5.0}})[0][0] == last


def test_unknown_ids_and_wrong_shapes_are_named():
    new = ColdStartRecommender(model(), Q_HAT)
    with pytest.raises(InputError, match="no new song 'new9'; there is: new"):
        new.listeners_for("new9")
    with pytest.raises(InputError, match="no user 'u99'"):
        new.recommend("u99")
    with pytest.raises(InputError, match=r"song 'x' has latent factors of shape \(2,\); the model has 3"):
        ColdStartRecommender(model(), {"x": np.zeros(2)})
    with pytest.raises(InputError, match="lam=0"):
        ColdStartRecommender(model(), Q_HAT, lam=0)
