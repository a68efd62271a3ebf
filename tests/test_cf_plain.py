"""Part C in plain NumPy: equal to the loops, and to what the models compute."""

from itertools import permutations

import numpy as np
import pytest
from cf_cases import PLAYS, RATINGS, M, N, matrix, similarities
from hypothesis import given, settings
from hypothesis import strategies as st

from acai.cf import ALS, SGD, SVD, UserKNN, plain
from acai.reference import cf as reference

FEW = settings(max_examples=25)
K = 2


def dense(R, gap=np.nan):
    """R as the plain code takes it: a matrix with gaps."""
    filled = np.full((M, N), gap)
    for (u, i), r in R.items():
        filled[u, i] = r
    return filled


@FEW
@given(RATINGS, st.integers(1, 3), st.integers(1, 3))
def test_a_prediction_from_neighbours_is_that_of_the_loops_and_the_model(R, k, least):
    R = R | {(u, u): 3.0 for u in range(M)}  # everybody has a mean
    s = [[max(0.0, reference.pearson(R, u, v)) if u != v else 0.0 for v in range(M)] for u in range(M)]
    model = UserKNN(k=k, similarity="pearson", shrinkage=0, min_neighbours=least).fit(matrix(R))
    scale = min(R.values()), max(R.values())  # no model predicts beyond it
    for u, i in np.ndindex(M, M):
        found = plain.predict(dense(R), np.array(s), k, u, i, min(least, k))
        assert found == pytest.approx(reference.predicted(R, s, k, u, i, min(least, k)))
        assert np.clip(found, *scale) == pytest.approx(model.predict([u], [i])[0], rel=1e-5)


def test_one_neighbour_is_enough_for_a_prediction_unless_more_are_asked_for():
    R, s = np.array([[1.0, 5.0, np.nan], [2.0, 4.0, 5.0]]), np.array([[0, 1.0], [1.0, 0]])
    assert plain.predict(R, s, 1, 0, 2) == pytest.approx(3 + (5 - 11 / 3))
    assert plain.predict(R, np.zeros((2, 2)), 1, 0, 2) == 3  # nobody is similar
    assert plain.predict(R, s, 1, 0, 2, least=2) == 3


@FEW
@given(RATINGS, st.integers(1, 3))
def test_the_nearest_are_those_of_the_loops_and_the_model(R, k):
    expected = reference.indicator(R, k, M)
    assert plain.indicator(dense(R), k).tolist() == expected
    assert similarities(R, "indicator", k).tolist() == expected


@FEW
@given(RATINGS)
def test_the_correlation_is_that_of_the_loops_and_the_model(R):
    found = similarities(R, "pearson")
    s = plain.pearson(plain.co_rated_sums(dense(R)))
    for u, v in permutations(range(M), 2):
        expected = reference.pearson(R, u, v)
        assert s[u, v] == pytest.approx(expected, abs=1e-9)
        assert found[u, v] == pytest.approx(max(0.0, expected), abs=1e-9)  # only similar users are neighbours


@FEW
@given(RATINGS, st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_the_asymmetric_cosine_is_that_of_the_loops_and_the_model(R, alpha):
    R = R | {(u, u): 3.0 for u in range(M)}  # nobody's norm is 0
    found = similarities(R, "asymmetric", asymmetry=alpha)
    s = plain.asymmetric(plain.co_rated_sums(dense(R), alpha))
    for u, v in permutations(range(M), 2):
        expected = reference.asymmetric_cosine(R, u, v, alpha)
        assert s[u, v] == pytest.approx(expected)
        assert found[u, v] == pytest.approx(expected)


@FEW
@given(RATINGS)
def test_singular_values_and_factors_are_those_of_the_loops_and_the_model(R):
    assert np.allclose(plain.fill(dense(R), 3.0), reference.filled(R, M, N, 3.0))
    filled = plain.fill(dense(R))
    assert np.allclose(filled, reference.filled(R, M, N))
    M_, sigma, N_T = plain.svd(filled)
    loops = reference.svd(filled.tolist())
    assert np.allclose(sigma, loops[1][: len(sigma)], atol=1e-7)
    assert np.allclose(M_ * sigma @ N_T, filled)
    P, Q = plain.factors(M_, sigma, N_T, K)
    best = plain.truncated(M_, sigma, N_T, K)
    assert np.allclose(plain.predict_all(P, Q), best)
    if sigma[K - 1] - sigma[K] > 1e-3:  # or the best matrix of this rank is not the only one
        assert np.allclose(best, reference.truncated(*loops, K), atol=1e-6)
        model = SVD(n_factors=K, damping=0).fit(matrix(R))
        assert np.allclose(model.P @ model.Q.T, best, atol=1e-6)
    assert plain.predict_all(P, Q)[1, 2] == pytest.approx(reference.entry(P.tolist(), Q.tolist(), 1, 2))


@FEW
@given(RATINGS, st.sampled_from([0.0, 0.5, 0.9]))
def test_an_epoch_with_momentum_is_that_of_the_loops_and_the_model(R, alpha):
    settings_of_both = {"n_factors": K, "learning_rate": 0.02, "reg": 0.1, "momentum": alpha}
    begin, model = (SGD(n_epochs=n, **settings_of_both).fit(matrix(R)) for n in (0, 1))
    parameters = tuple(part.astype(np.float64) for part in (begin.P, begin.Q, begin.b_u, begin.b_i))
    w = np.concatenate([part.ravel() for part in parameters]).tolist()
    dw = [0.0] * len(w)
    entries = [(u, i, R[u, i]) for u, i in sorted(R)]
    plain.momentum_epoch(entries, parameters, float(begin.mu), 0.02, alpha, 0.1)
    for u, i, r in entries:
        P, Q, b_u, b_i = np.split(np.array(w), np.cumsum([K * M, K * N, M]))
        now = reference.Parameters(P.reshape(M, K).tolist(), Q.reshape(N, K).tolist(), float(begin.mu), b_u.tolist(), b_i.tolist())
        gradient = [np.ravel(part) for part in reference.gradient({(u, i): r}, now, 0.1)]
        reference.momentum_step(w, dw, np.concatenate(gradient).tolist(), 0.02, alpha)
    assert np.allclose(np.concatenate([part.ravel() for part in parameters]), w)
    for found, wanted in zip((model.P, model.Q, model.b_u, model.b_i), parameters):
        assert np.allclose(found, wanted, atol=1e-5)


@FEW
@given(PLAYS)
def test_weighted_factorisation_is_that_of_the_loops_and_the_model(R):
    model = ALS(n_factors=K, n_epochs=1, reg=0.5, alpha=2.0, epsilon=1.0).fit(matrix(R))
    P, Q, plays = model.P.astype(np.float64), model.Q.astype(np.float64), dense(R, gap=0.0)
    objective = plain.weighted_objective(plays, P, Q, 0.5, 2.0, 1.0)
    assert objective == pytest.approx(reference.weighted_objective(R, P.tolist(), Q.tolist(), 0.5, 2.0, 1.0))
    assert objective == pytest.approx(model.history[-1], rel=1e-4)
    best = plain.best_users(plays, Q, 0.5, 2.0, 1.0)
    assert np.allclose(best[1], reference.best_user(R, Q.tolist(), 1, 0.5, 2.0, 1.0))
    assert np.allclose(best, P, atol=1e-3)


@FEW
@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 9))
def test_conjugate_gradient_is_that_of_the_loops_and_ends_at_the_solution(n, steps, seed):
    rng = np.random.default_rng(seed)
    U, b, x = rng.normal(size=(n, 4)), rng.normal(size=n), rng.normal(size=n)
    A = np.eye(n) + U @ U.T
    expected = reference.conjugate_gradient(A.tolist(), b.tolist(), x.tolist(), steps)
    assert np.allclose(plain.conjugate_gradient(A, b, x, steps), expected)
    assert np.allclose(plain.conjugate_gradient(A, b, x, n), np.linalg.solve(A, b))
    assert reference.conjugate_gradient([[1.0]], [3.0], [3.0], 2) == [3.0]  # nothing left to do
    assert plain.conjugate_gradient(np.eye(1), np.array([3.0]), np.array([3.0]), 2) == [3.0]
