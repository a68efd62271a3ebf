"""SGD, with and without momentum, and gradient descent: against their equations as loops, and against Surprise's SVD."""

import math
from itertools import pairwise

import numpy as np
import pytest
from cf_cases import RATINGS, M, N, matrix, random_ratings
from hypothesis import given
from hypothesis import strategies as st

from acai import InputError, threads
from acai.cf import SGD, SVD, Baseline, GradientDescent, blocks, kernels
from acai.cf.descent import momentum_tables
from acai.cf.iterative import objective
from acai.evaluation.metrics import rmse
from acai.reference import cf as reference

K = 3


def start(seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 0.5, shape).astype(dtype) for shape in ((M, K), (N, K), M, N)]


def flat(parts):
    return [float(x) for part in parts for x in np.asarray(part, np.float64).ravel()]


def dense_momentum(order, w, mu, eta, lam, alpha):
    """(C10) as the reference has it: every parameter moves at every step."""
    w = [part.copy() for part in w]
    values, dw = flat(w), [0.0] * len(flat(w))
    for u, i, r in order:
        P, Q, b_u, b_i = (part.tolist() for part in w)
        gradient = reference.gradient({(u, i): r}, reference.Parameters(P, Q, mu, b_u, b_i), lam)
        reference.momentum_step(values, dw, flat(gradient), eta, alpha)
        at = 0
        for part in w:
            part.ravel()[:] = values[at : at + part.size]
            at += part.size
    return w


ENTRIES = st.lists(st.tuples(st.integers(0, M - 1), st.integers(0, N - 1), st.integers(1, 5).map(float)), min_size=1, max_size=25)
SEEDS = st.integers(0, 9)


@given(ENTRIES, SEEDS, st.sampled_from([0.1, 0.5, 0.9, 0.99]))
def test_lazy_momentum_is_the_dense_equation(entries, seed, alpha):
    """In float64, to the last few bits, though the kernel touches two rows a step; one table is so short that it ends."""
    u, i, r = (np.array(column) for column in zip(*entries))
    w, mu, eta, lam = start(seed), 3.0, 0.05, 0.02
    expected = dense_momentum(entries, w, mu, eta, lam, alpha)
    W, b = np.concatenate(w[:2]), np.concatenate(w[2:])
    parameters, half = kernels.Parameters(W, b, mu, True), len(r) // 2
    delta_W, delta_b, n_steps = np.zeros_like(W), np.zeros_like(b), np.zeros(M + N, np.int64)
    for part in (slice(half), slice(half, len(r))):  # as in two epochs
        known, order = kernels.KnownEntries(u[part], i[part], r[part], M), np.arange(len(r[part]))
        momentum = kernels.Momentum(delta_W, delta_b, order, n_steps, *momentum_tables(alpha, np.float64))
        kernels.momentum_steps.py_func(order, known, parameters, eta, lam, momentum)
        kernels.end_momentum_epoch.py_func(parameters, momentum)
    for found, wanted in zip((W[:M], W[M:], b[:M], b[M:]), expected):
        assert np.allclose(found, wanted, rtol=1e-11, atol=1e-13)


@given(ENTRIES, SEEDS)
def test_plain_sgd_is_momentum_of_zero(entries, seed):
    u, i, r = (np.array(column) for column in zip(*entries))
    w = start(seed)
    expected = dense_momentum(entries, w, 3.0, 0.05, 0.02, alpha=0.0)
    W, b = np.concatenate(w[:2]), np.concatenate(w[2:])
    known, parameters = kernels.KnownEntries(u, i, r, M), kernels.Parameters(W, b, 3.0, True)
    kernels.sgd_steps.py_func(np.arange(len(r)), known, parameters, 0.05, 0.02)
    for found, wanted in zip((W[:M], W[M:], b[:M], b[M:]), expected):
        assert np.allclose(found, wanted, rtol=1e-12, atol=1e-14)


def test_momentum_decays_to_zero():
    moved, shrunk = momentum_tables(0.9, np.float64)
    assert np.allclose(moved[:5], [0, 0.9, 0.9 + 0.81, 0.9 + 0.81 + 0.729, 0.9 + 0.81 + 0.729 + 0.6561])
    assert moved[-1] == pytest.approx(9) and shrunk[-1] == 0 and shrunk[-2] < 1e-24


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_the_compiled_kernels_are_the_plain_ones(momentum):
    """The whole model, in float32, against the same equations in float64."""
    R = random_ratings(m=M, n=N, per_user=4)
    model = SGD(n_factors=K, n_epochs=3, learning_rate=0.02, momentum=momentum).fit(R)
    begin = SGD(n_factors=K, n_epochs=0).fit(R)
    entries = list(zip(R.user_codes.tolist(), R.csr.indices.tolist(), R.csr.data.tolist()))
    w = [part.astype(np.float64) for part in (begin.P, begin.Q, begin.b_u, begin.b_i)]
    expected = dense_momentum(entries * 3, w, model.mu, 0.02, 0.02, momentum)
    for found, wanted in zip((model.P, model.Q, model.b_u, model.b_i), expected):
        assert np.allclose(found, wanted, atol=2e-6)


@given(RATINGS, SEEDS)
def test_objective_and_gradient_are_their_equations(R, seed):
    model = GradientDescent(n_factors=K, reg=0.1, biases=True)
    model.P, model.Q, model.b_u, model.b_i = (part.astype(np.float32) for part in start(seed))
    model.mu = 2.5
    ratings = matrix(R)
    lists = reference.Parameters(model.P.tolist(), model.Q.tolist(), 2.5, model.b_u.tolist(), model.b_i.tolist())
    assert objective(model, ratings, 0.1) == pytest.approx(reference.objective(R, lists, 0.1), rel=1e-5)
    W, b = np.concatenate([model.P, model.Q]), np.concatenate([model.b_u, model.b_i])
    assert np.allclose(flat(model._gradient(ratings, W, b)), flat(reference.gradient(R, lists, 0.1)), atol=2e-5)


@given(RATINGS, st.booleans())
def test_one_step_of_gradient_descent(R, biases):
    begin = GradientDescent(n_factors=K, n_epochs=0, biases=biases).fit(matrix(R))
    model = GradientDescent(n_factors=K, n_epochs=1, learning_rate=0.01, biases=biases, bold_driver=False).fit(matrix(R))
    values = flat((begin.P, begin.Q, begin.b_u, begin.b_i))
    lists = [part.tolist() for part in (begin.P, begin.Q, begin.b_u, begin.b_i)]
    gradient = list(reference.gradient(R, reference.Parameters(*lists[:2], begin.mu, *lists[2:]), 0.02))
    if not biases:
        gradient[2:] = [0.0] * M, [0.0] * N
    reference.descent_step(values, flat(gradient), 0.01)
    assert np.allclose(flat((model.P, model.Q, model.b_u, model.b_i)), values, atol=1e-5)


def test_the_bold_driver_only_ever_descends():
    model = GradientDescent(n_epochs=60, learning_rate=0.1).fit(random_ratings())  # far too fast at first
    assert all(later <= earlier for earlier, later in zip(model.history, model.history[1:]))
    assert model.history[-1] < model.history[0] / 2
    steps = np.array(model.learning_rates)
    assert set(np.round(steps[1:] / steps[:-1], 6)) == {0.5, 1.05}


def test_a_step_without_improvement_is_undone():
    model = GradientDescent(n_factors=2, n_epochs=3, learning_rate=0.5, init_std=0.0).fit(random_ratings())
    assert model.learning_rates == [0.5, 0.25, 0.125] and len(set(model.history)) == 1  # at P = Q = 0 the gradient is zero


def test_surprises_svd_from_the_same_start():
    """The oracle is Surprise's SVD in double precision, given our initial factors: the predictions agree pair by pair."""
    surprise = pytest.importorskip("surprise", reason="scikit-surprise (extra bench) is the oracle")
    train, test = random_ratings(m=60).split(0.3, seed=1)
    raw = [(user, song, value, None) for user, song, value in train.triplets()]
    theirs_train = surprise.Dataset(surprise.Reader(rating_scale=(1, 5))).construct_trainset(raw)
    theirs = surprise.SVD(n_factors=10, n_epochs=15, random_state=0)
    rng = np.random.RandomState(0)  # draws what Surprise is going to draw
    P, Q = (rng.normal(0, 0.1, (n, 10)) for n in (theirs_train.n_users, theirs_train.n_items))
    begin = SGD(n_factors=10, n_epochs=0).fit(train)
    for user in {user for user, *_ in raw}:
        begin.P[train.row(user)] = P[theirs_train.to_inner_uid(user)]
    for song in {song for _, song, *_ in raw}:
        begin.Q[train.column(song)] = Q[theirs_train.to_inner_iid(song)]
    ours = SGD(n_factors=10, n_epochs=15, init=begin).fit(train)
    expected = [prediction.est for prediction in theirs.fit(theirs_train).test(list(test.triplets()))]
    users, songs, _ = zip(*test.triplets())
    assert np.abs(ours.predict(users, songs) - expected).max() < 1e-5


def test_the_same_seed_gives_the_same_bits():
    R = random_ratings()
    for options in ({}, {"momentum": 0.5}, {"shuffle": True}):
        one, two = (SGD(n_factors=8, seed=3, **options).fit(R) for _ in range(2))
        assert np.array_equal(one.P, two.P) and np.array_equal(one.Q, two.Q) and one.history == two.history
        assert not np.array_equal(one.P, SGD(n_factors=8, seed=4, **options).fit(R).P)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_blocks_on_several_threads_are_one_entry_at_a_time(momentum, monkeypatch):
    """The oracle is the same model with a single block: bit for bit the same, as no order that matters has changed."""
    R = random_ratings()
    monkeypatch.setattr(blocks, "FEWEST", 1)
    fitted = []
    for n in (1, 2, 5):
        monkeypatch.setattr(blocks, "n_threads", lambda n=n: n)
        monkeypatch.setattr(threads, "n_threads", lambda n=n: n)
        assert [len(row) for row in blocks.user_by_user(R)] == ([n] * 8 * n if n > 1 else [1])
        fitted.append(SGD(n_factors=8, n_epochs=3, momentum=momentum).fit(R))
    for model in fitted[1:]:
        assert model.history == fitted[0].history
        for name in ("P", "Q", "b_u", "b_i"):
            assert np.array_equal(getattr(model, name), getattr(fitted[0], name))


@given(RATINGS, st.integers(1, 4), st.integers(1, 4))
def test_a_grid_has_each_entry_once_and_no_shared_row_or_column(R, n_rows, n_columns):
    ratings = matrix(R)
    grid = blocks.grid_of_blocks(ratings, n_rows, n_columns)
    rows, columns = [np.concatenate(row) for row in grid], [np.concatenate(column) for column in zip(*grid)]
    for codes, ranges in ((ratings.user_codes, rows), (ratings.csr.indices, columns)):
        assert sorted(np.concatenate(ranges)) == list(range(len(R)))
        in_turn = [set(codes[entries].tolist()) for entries in ranges if len(entries)]
        assert all(max(first) < min(second) for first, second in pairwise(in_turn))
    assert all((np.diff(block) > 0).all() for row in grid for block in row)  # in the order of R


def test_history_is_the_objective():
    R = random_ratings()
    model = SGD(n_factors=4, n_epochs=7).fit(R)
    assert len(model.history) == 7
    assert model.history[-1] == objective(model, R, model.reg)


def test_a_falling_learning_rate():
    R = random_ratings()
    still = SGD(n_epochs=5, decay=1e-30).fit(R)  # after the first epoch nothing moves any more
    assert np.allclose(still.P, SGD(n_epochs=1).fit(R).P)


def test_stops_when_validation_no_longer_improves():
    train, valid = random_ratings(m=60).split(0.3, seed=0)
    model = SGD(n_factors=20, n_epochs=200, learning_rate=0.1, patience=3).fit(train, validation=valid)
    errors = model.validation_history
    assert len(errors) < 200
    assert np.argmin(errors) == len(errors) - 4
    r_hat = model.predict_codes(valid.user_codes, valid.csr.indices)
    assert rmse(valid.csr.data, r_hat) == pytest.approx(min(errors), abs=1e-6)  # back at the best
    with pytest.raises(InputError, match="patience=3 needs ratings to measure on"):
        SGD(patience=3).fit(train)
    with pytest.raises(InputError, match="learns from Ratings, not from tuple"):
        SGD().fit(train, validation=("user 1", 3, 5.0))


def test_divergence_names_the_epoch():
    R = random_ratings()
    with pytest.raises(InputError, match=r"SGD diverged in epoch \d+: .* smaller learning_rate \(now 5\)$"):
        SGD(learning_rate=5.0, n_epochs=50).fit(R)
    with pytest.raises(InputError, match=r"smaller learning_rate \(now 5\) or momentum \(now 0.5\)$"):
        SGD(learning_rate=5.0, n_epochs=50, momentum=0.5).fit(R)
    with pytest.raises(InputError, match="SGD diverged in epoch 1: "):
        SGD(learning_rate=1e30).fit(R)
    with pytest.raises(InputError, match=r"GradientDescent diverged in epoch \d+: .* learning_rate \(now 1\) or bold_driver=True"):
        GradientDescent(learning_rate=1.0, bold_driver=False).fit(R)


def test_warm_start():
    R = random_ratings()
    svd = SVD(n_factors=4).fit(R)
    batch = GradientDescent(n_factors=4, n_epochs=30, init=svd).fit(R)
    assert batch.history[0] <= objective(svd, R, batch.reg)
    stochastic = SGD(n_factors=4, n_epochs=0, init=batch).fit(R)
    assert np.array_equal(stochastic.Q, batch.Q) and stochastic.Q is not batch.Q
    with pytest.raises(InputError, match="init=Baseline; expected a factor model"):
        SGD(init=Baseline().fit(R)).fit(R)
    with pytest.raises(InputError, match="init=the class SVD; expected a factor model that was fitted"):
        SGD(init=SVD).fit(R)
    with pytest.raises(InputError, match=r"P of shape \(40, 4\) .*; expected \(40, 5\) .* the same n_factors"):
        SGD(n_factors=5, init=svd).fit(R)
    with pytest.raises(InputError, match="fitted on the same users and songs"):
        SGD(init=svd).fit(random_ratings(m=10))


@pytest.mark.parametrize("biases", [False, True])
def test_fold_in_minimises_the_objective(biases):
    """The oracle is SciPy's minimiser on the loops of the reference: one more listener, the songs standing still."""
    from scipy.optimize import minimize

    R = random_ratings()
    model = SGD(n_factors=4, reg=0.3, biases=biases, n_epochs=30, learning_rate=0.02).fit(R)
    heard = {3: 5.0, 7: 1.0, 11: 4.0}
    songs = [R.column(song) for song in heard]

    def F(x):
        known = {(0, i): r for i, r in enumerate(heard.values())}
        bias = [x[4] if biases else 0.0]
        Q, b_i = model.Q[songs].tolist(), model.b_i[songs].tolist()
        return reference.objective(known, reference.Parameters([list(x[:4])], Q, model.mu, bias, b_i), 0.3)

    assert np.allclose(model.fold_in(heard), minimize(F, np.zeros(5), tol=1e-12).x[:4], atol=1e-4)


def test_impossible_settings_are_refused():
    for model, options in (
        (SGD, {"momentum": 1.0}), (SGD, {"learning_rate": 0.0}), (SGD, {"reg": -1.0}), (SGD, {"n_factors": 0}),
        (GradientDescent, {"growth": 0.5}), (GradientDescent, {"learning_rate": -1.0}),
    ):
        with pytest.raises(InputError, match=next(iter(options))):
            model(**options)
    assert math.isfinite(SGD(n_epochs=1).fit(random_ratings()).history[0])
