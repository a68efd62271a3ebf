"""Weighted factorisation (C11): against its equation as loops, against a general minimiser, and against implicit."""

import numpy as np
import pytest
from cf_cases import PLAYS, M, matrix, random_ratings
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from acai import InputError
from acai.cf import ALS, SGD, als, als_kernels
from acai.cf.als import BLOCKS, LEAST_WORK, most_work_first
from acai.reference import cf as reference

SETTINGS = st.fixed_dictionaries(
    {
        "n_factors": st.sampled_from([1, 2, 7]),  # fewer and more than a user has songs: both ways to solve
        "reg": st.sampled_from([0.1, 1.0, 10.0]),
        "alpha": st.sampled_from([0.5, 1.0, 40.0]),
        "epsilon": st.sampled_from([0.1, 1.0]),
    }
)


def test_a_preference_is_the_factors_alone_whatever_it_starts_from():
    R = random_ratings()
    rated = SGD(n_factors=4, n_epochs=3).fit(R)
    model = ALS(n_factors=4, n_epochs=1, init=rated).fit(R)
    assert rated.mu and rated.b_u.any() and not model.mu and not model.b_u.any() and not model.b_i.any()
    assert np.allclose(model._score_rows(np.arange(R.n_users)), model.P @ model.Q.T, atol=1e-6)


@given(PLAYS, SETTINGS)
def test_each_user_is_solved_exactly(R, settings):
    model = ALS(n_epochs=2, **settings).fit(matrix(R))
    equation = settings["reg"], settings["alpha"], settings["epsilon"]
    for u in range(M):
        expected = reference.best_user(R, model.Q.tolist(), u, *equation)
        assert np.allclose(model.P[u], expected, rtol=1e-3, atol=1e-4)


@given(PLAYS, SETTINGS)
def test_history_is_the_objective_and_falls(R, settings):
    model = ALS(n_epochs=4, **settings).fit(matrix(R))
    equation = settings["reg"], settings["alpha"], settings["epsilon"]
    expected = reference.weighted_objective(R, model.P.tolist(), model.Q.tolist(), *equation)
    assert model.history[-1] == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert all(later <= earlier * (1 + 1e-5) + 1e-5 for earlier, later in zip(model.history, model.history[1:]))


def plays(seed=0, m=60, n=50):
    return random_ratings(seed, m, n, per_user=15, highest=30)


@pytest.mark.parametrize("k", [1, 5, 6])
@pytest.mark.parametrize("n_known", [0, 1, 4, 5, 6, 7, 23, als_kernels.COLUMNS + 2])
def test_all_solvers_agree(n_known, k):
    """In float64, in plain Python: of order k, by Woodbury's identity, in double and step by step; the oracle is numpy.linalg."""
    rng = np.random.default_rng(n_known)
    Y, c = rng.normal(size=(150, k)), rng.uniform(0.1, 5, n_known)
    i = rng.permutation(150)[:n_known]
    G = Y.T @ Y + 0.5 * np.eye(k)
    expected = np.linalg.solve(G + Y[i].T @ (c[:, None] * Y[i]), Y[i].T @ (1 + c))
    r_hat = Y[i] @ expected
    least = ((1 + c) * (1 - r_hat) ** 2).sum() - r_hat @ r_hat + expected @ G @ expected
    eigenvalues, V = np.linalg.eigh(G)
    W = V / np.sqrt(eigenvalues)
    x, x_white, x_near = np.empty(k), np.empty(k), rng.normal(size=k)
    assert als_kernels.solve_row_in_double.py_func(i, c, Y, G, x) == pytest.approx(least)
    assert als_kernels.solve_row.py_func(i, c, Y @ W, 0.0, x_white) == pytest.approx(least)
    assert als_kernels.descend_row.py_func(i, c, Y @ W, k + 3, x_near) == pytest.approx(least)
    for found in (x, W @ x_white, W @ x_near):
        assert np.allclose(found, expected, rtol=1e-9)
    assert np.isnan(als_kernels.solve_row.py_func(i, c, Y @ W, 1.1, x_white)) == (n_known > 0)  # too coarse: left to double


@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 9))
def test_products_and_decomposition_in_blocks_are_those_of_linalg(n, n_columns, seed):
    rng = np.random.default_rng(seed)
    U = np.zeros((als_kernels.up_to_multiple.py_func(4, n), n_columns + 3))
    U[:n, :n_columns] = rng.normal(size=(n, n_columns))
    U[:n, n_columns:] = 9.0  # beyond the columns that count
    for add_products, solve in (
        (als_kernels.add_products, als_kernels.cholesky_solve),
        (als_kernels.add_products.py_func, als_kernels.cholesky_solve.py_func),
    ):
        A, b = als_kernels.identity(len(U), U), rng.normal(size=n)
        add_products(U, n_columns, A)
        expected = np.eye(len(U)) + U[:, :n_columns] @ U[:, :n_columns].T
        assert np.allclose(np.tril(A[:-2]), np.tril(expected), atol=1e-12) and not A[-2:].any()
        x, least = solve(A, b)
        pivots = np.diag(np.linalg.cholesky(expected[:n, :n])) ** 2 / np.diag(expected)[:n]
        assert np.allclose(x, np.linalg.solve(expected[:n, :n], b)) and least == pytest.approx(min(1, pivots.min()))


@given(PLAYS, SETTINGS, st.integers(1, 4))
def test_conjugate_gradient_takes_the_steps_of_its_equation(R, settings, n_steps):
    """For each user, from where the last epoch ended: the loops take them in the coordinates that the model uses."""
    before, model = ALS(n_epochs=1, **settings).fit(matrix(R)), ALS(n_epochs=1, cg_steps=n_steps, **settings)
    model.init = before
    model.fit(matrix(R))
    Q, reg = model.Q.astype(np.float64), settings["reg"]
    eigenvalues, V = np.linalg.eigh(Q.T @ Q + reg * np.eye(Q.shape[1]))
    W = V / np.sqrt(eigenvalues)
    Z = Q @ W
    for u in range(M):
        extra = np.array([settings["alpha"] * np.log1p(R.get((u, i), 0.0) / settings["epsilon"]) for i in range(len(Q))])
        A, b = np.eye(len(W)) + Z.T @ (extra[:, None] * Z), Z.T @ ((1 + extra) * (extra > 0))
        start = np.linalg.solve(W, before.P[u].astype(np.float64))
        expected = reference.conjugate_gradient(A.tolist(), b.tolist(), start.tolist(), n_steps)
        assert np.allclose(model.P[u], W @ expected, atol=2e-3)
    objective = reference.weighted_objective(R, model.P.tolist(), Q.tolist(), reg, settings["alpha"], settings["epsilon"])
    assert model.history[-1] == pytest.approx(objective, rel=1e-4, abs=1e-4)
    assert model.history[-1] <= before.history[-1] * (1 + 1e-5) + 1e-5


def test_a_few_steps_of_conjugate_gradient_come_close_to_the_exact_solution():
    exact, near = (ALS(n_factors=20, cg_steps=steps).fit(plays()) for steps in (None, 3))
    assert near.history[-1] == pytest.approx(exact.history[-1], rel=0.01) and near.history[-1] != exact.history[-1]


@pytest.mark.parametrize("highest", [5, 30, 3000])
def test_by_default_scores_are_those_in_double_precision_to_1e_5(highest):
    """As the README says; the oracle solves for each user in double precision."""
    R = random_ratings(1, m=200, n=150, per_user=80, highest=highest)  # more songs than factors, and fewer below
    for ratings in (R, R.split(test=0.7, seed=0)[0]):
        model = ALS().fit(ratings)
        Q, c = model.Q.astype(np.float64), model._extra_confidence(ratings.csr.data).astype(np.float64)
        for u in range(0, ratings.n_users, 9):
            here = slice(*ratings.csr.indptr[u : u + 2])
            q, c_u = Q[ratings.csr.indices[here]], c[here]
            A = Q.T @ Q + model.reg * np.eye(model.n_factors) + q.T @ (c_u[:, None] * q)
            assert np.abs(Q @ model.P[u] - Q @ np.linalg.solve(A, q.T @ (1 + c_u))).max() < 1e-5


HARSH = [{"alpha": 1e4}, {"alpha": 1e6}, {"alpha": 1e-30}, {"reg": 1e-7}, {"epsilon": 1e-300}, {"epsilon": 1e300}]


@pytest.mark.parametrize("n_factors", [4, 20, 70])
@pytest.mark.parametrize("harsh", HARSH, ids=str)
def test_harsh_settings_are_solved_as_precisely_or_refused(harsh, n_factors):
    """Single precision gave NaN or, worse, numbers. The oracle solves for each user in double precision."""
    R = plays()
    model = ALS(n_factors=n_factors, n_epochs=3, **harsh)
    try:
        model.fit(R)
    except InputError as error:
        assert harsh.keys() <= {"reg"} and n_factors == 70 and "try a larger reg (now 1e-07)" in str(error)
        return
    Q = model.Q.astype(np.float64)
    c = model._extra_confidence(R.csr.data).astype(np.float64)
    for u in range(0, R.n_users, 7):
        here = slice(*R.csr.indptr[u : u + 2])
        q, c_u = Q[R.csr.indices[here]], c[here]
        A = Q.T @ Q + model.reg * np.eye(n_factors) + q.T @ (c_u[:, None] * q)
        assert np.allclose(Q @ model.P[u], Q @ np.linalg.solve(A, q.T @ (1 + c_u)), atol=2e-4)


def test_the_highest_confidence_is_no_harm_where_users_have_fewer_songs_than_there_are_factors():
    """By Woodbury's identity, whose equations then have no large numbers: the oracle solves them in double precision."""
    R = plays()
    model = ALS(n_factors=50, n_epochs=2, alpha=1e15).fit(R)
    Q = model.Q.astype(np.float64)
    G = Q.T @ Q + model.reg * np.eye(50)
    c = model._extra_confidence(R.csr.data).astype(np.float64)
    for u in range(0, R.n_users, 7):
        here = slice(*R.csr.indptr[u : u + 2])
        Y, c_u = Q[R.csr.indices[here]], c[here]
        Z = np.linalg.solve(G, Y.T)
        p = Z @ np.linalg.solve(Y @ Z + np.diag(1 / c_u), (1 + c_u) / c_u)
        assert np.allclose(Q @ model.P[u], Q @ p, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 1e300}, r"alpha=1e.300 and epsilon=1 give [0-9]+ plays an infinite confidence; try a smaller alpha"),
        ({"alpha": 1e15, "n_factors": 20}, r"too ill-conditioned .* a smaller alpha \(now 1e.15\)"),
        ({"reg": 1e-30, "n_factors": 70}, r"too ill-conditioned .* a larger reg \(now 1e-30\)"),
    ],
)
def test_what_cannot_be_solved_is_refused_by_its_setting(settings, message):
    with pytest.raises(InputError, match=message):
        ALS(n_epochs=2, **settings).fit(plays())


@pytest.mark.parametrize("cg_steps", [None, 2])
def test_the_same_bits_on_any_number_of_threads(monkeypatch, cg_steps):
    R, results = plays(m=200), []
    for n_threads in (1, 2, 3, 4):
        monkeypatch.setattr("acai.threads.n_threads", lambda n=n_threads: n)
        results.append(ALS(n_factors=20, n_epochs=3, cg_steps=cg_steps).fit(R))
    for other in results[1:]:
        assert np.array_equal(results[0].P, other.P) and np.array_equal(results[0].Q, other.Q)
        assert results[0].history == other.history


def test_fold_in_gives_a_known_listener_their_own_row():
    R = plays()
    model = ALS(n_factors=20, n_epochs=3).fit(R)
    compiled = als_kernels.als_solve.signatures
    for user in R.users[:5]:
        heard = {song: value for who, song, value in R.triplets() if who == user}
        assert np.allclose(model.fold_in(heard), model.P[R.row(user)], rtol=1e-4, atol=1e-6)
        unheard = next(song for song in R.songs if song not in heard)
        assert np.array_equal(model.fold_in(heard | {unheard: 0.0}), model.fold_in(heard))  # zero plays say nothing new
    assert als_kernels.als_solve.signatures == compiled  # nobody waits for a kernel to be compiled again


def test_implicit_at_the_same_point():
    """The oracle is implicit's ALS with exact solves: from our P, its Q and then its P are ours."""
    implicit = pytest.importorskip("implicit.als", reason="implicit (extra bench) is the oracle")
    from threadpoolctl import threadpool_limits

    R = plays()
    C = sparse.csr_matrix(R.csr)
    C.data = (1 + 2.0 * np.log1p(C.data)).astype(np.float32)
    options = {"factors": 8, "regularization": 0.1, "iterations": 1, "use_cg": False, "use_native": True, "num_threads": 1}
    begin = ALS(n_factors=8, n_epochs=1, reg=0.1, alpha=2.0).fit(R)
    with threadpool_limits(1, "blas"):
        theirs = implicit.AlternatingLeastSquares(**options, alpha=1.0, random_state=0)
        theirs.user_factors, theirs.item_factors = begin.P.copy(), begin.Q.copy()
        theirs.fit(C, show_progress=False)  # P from Q, then Q from P
    again = ALS(n_factors=8, n_epochs=1, reg=0.1, alpha=2.0, init=begin).fit(R)  # Q from P, then P from Q
    assert np.allclose(theirs.user_factors, begin.P, atol=1e-4)  # begin.P is already the best for begin.Q
    assert np.allclose(theirs.item_factors, again.Q, atol=1e-4)


def test_what_cannot_be():
    with pytest.raises(InputError, match="-3 plays; expected counts of 0 or more"):
        ALS().fit(matrix({(0, 0): -3.0, (1, 1): 2.0}))
    for options in ({"reg": 0.0}, {"alpha": 0.0}, {"epsilon": 0.0}, {"n_factors": 0}):
        with pytest.raises(InputError, match=next(iter(options))):
            ALS(**options)


def test_a_song_with_zero_plays_explains_nothing():
    R = matrix({(0, 0): 0.0, (0, 1): 3.0, (1, 0): 2.0, (1, 1): 1.0, (2, 2): 4.0, (2, 0): 1.0})
    model = ALS(n_factors=2, n_epochs=3).fit(R)
    shares = {reason.name: reason.contribution for reason in model.explain(0, 2)}
    assert shares[0] == 0 and shares[1] != 0


@given(st.lists(st.integers(0, 9000), min_size=1, max_size=300), st.integers(1000, 20_000))
def test_blocks_of_rows_hold_every_row_once_and_those_with_most_work_come_first(lengths, most):
    indptr = np.cumsum([0, *lengths], dtype=np.int32)
    R = sparse.csr_array((np.ones(indptr[-1], np.float32), np.zeros(indptr[-1], np.int32), indptr), shape=(len(lengths), 1))
    blocks = most_work_first(R)
    assert sorted(row for block in blocks for row in range(block.start, block.stop)) == list(range(len(lengths)))
    work = [indptr[block.stop] - indptr[block.start] + 16 * (block.stop - block.start) for block in blocks]
    assert work == sorted(work, reverse=True)
    assert max(work) <= max(2 * LEAST_WORK, 2 * sum(work) / BLOCKS) + max(lengths) + 16  # no thread waits long for the last
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(als, "MOST_WORK", most)
        blocks = most_work_first(R)
    assert sorted(row for block in blocks for row in range(block.start, block.stop)) == list(range(len(lengths)))
    for block in blocks:
        assert indptr[block.stop] - indptr[block.start + 1] <= most  # small enough for memory, not counting the first row


def test_plays_that_add_no_confidence_count_as_none():
    """1e-45 plays are a known entry, but c − 1 of them is 0 in single precision."""
    some, none = {(0, 0): 2.0, (1, 1): 3.0, (0, 1): 1e-45}, {(0, 0): 2.0, (1, 1): 3.0, (0, 1): 0.0}
    for steps in (None, 2):
        model = ALS(n_factors=2, epsilon=1e3, cg_steps=steps)
        assert np.array_equal(model.fit(matrix(some)).P, model.fit(matrix(none)).P)
