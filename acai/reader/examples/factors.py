"""Worked examples of latent factors: matrices, decompositions and objectives."""

import numpy as np

from acai.cf import ALS, SGD, SVD, GradientDescent
from acai.cf.iterative import objective as fast_objective
from acai.reader.examples.neighbours import M, N, R, matrix
from acai.reader.examples.registry import example_of
from acai.reference import cf as loops
from acai.reference import content

PLAYS = {(0, 0): 12.0, (0, 1): 1.0, (1, 0): 3.0, (1, 2): 40.0, (2, 1): 2.0, (2, 3): 7.0, (3, 2): 5.0, (3, 3): 1.0}


@example_of("C4")
def entry() -> tuple[object, object]:
    """Predict one rating from two rows."""
    model = SGD(n_factors=2, n_epochs=0).fit(matrix())
    model.mu, model.b_u[:], model.b_i[:] = 0.0, 0.0, 0.0
    model.P[0], model.Q[1] = [1.5, -0.5], [2.0, 0.25]
    return loops.entry(model.P.tolist(), model.Q.tolist(), 0, 1), model._score_rows(np.array([0]))[0, 1]


@example_of("C5", "C6", "C7")
def svd() -> tuple[object, object]:
    """Decompose the filled ratings, and keep two singular values."""
    found, sigma, rest = loops.svd(loops.filled(R, M, N), sweeps=12)
    nearest = loops.truncated(found, sigma, rest, 2)
    P, Q = loops.factors(found, sigma, rest, 2)
    product = (np.array(P) @ np.array(Q).T).tolist()
    model = SVD(n_factors=2, damping=0).fit(matrix())
    approximation = (model.P @ model.Q.T).tolist()
    return [sigma[:2], *nearest, *product], [model.sigma.tolist(), *approximation, *approximation]


def _start() -> GradientDescent:
    """Return a model before its first step."""
    return GradientDescent(n_factors=2, n_epochs=0, reg=0.1, biases=True).fit(matrix())


def _flat(rows: list[list[float]]) -> list[float]:
    return [number for row in rows for number in row]


def _lists(model: GradientDescent) -> loops.Parameters:
    return loops.Parameters(model.P.tolist(), model.Q.tolist(), float(model.mu), model.b_u.tolist(), model.b_i.tolist())


@example_of("C8")
def objective() -> tuple[object, object]:
    """Compute the objective where descent starts."""
    model = _start()
    return loops.objective(R, _lists(model), 0.1), fast_objective(model, matrix(), 0.1)


@example_of("C9")
def descent() -> tuple[object, object]:
    """Take one step of gradient descent."""
    model = _start()
    w = [*model.P.ravel().tolist(), *model.Q.ravel().tolist(), *model.b_u.tolist(), *model.b_i.tolist()]
    dP, dQ, db_u, db_i = loops.gradient(R, _lists(model), 0.1)
    loops.momentum_step(w, [0.0] * len(w), [*_flat(dP), *_flat(dQ), *db_u, *db_i], 0.01, 0.0)
    after = GradientDescent(n_factors=2, n_epochs=1, learning_rate=0.01, reg=0.1, biases=True, bold_driver=False).fit(matrix())
    return w, np.concatenate([after.P.ravel(), after.Q.ravel(), after.b_u, after.b_i])


def _momentum(n_epochs: int) -> SGD:
    return SGD(n_factors=2, n_epochs=n_epochs, learning_rate=0.02, reg=0.1, momentum=0.5).fit(matrix())


@example_of("C10")
def momentum() -> tuple[object, object]:
    """Go through all ratings once, with momentum."""
    start, ratings = _momentum(0), matrix()
    P, Q, b_u, b_i = start.P.tolist(), start.Q.tolist(), start.b_u.tolist(), start.b_i.tolist()
    w = [*_flat(P), *_flat(Q), *b_u, *b_i]
    dw = [0.0] * len(w)
    for (u, i), r in zip(zip(ratings.user_codes.tolist(), ratings.csr.indices.tolist()), ratings.csr.data.tolist()):
        P, Q = [w[2 * v : 2 * v + 2] for v in range(M)], [w[2 * (M + j) : 2 * (M + j) + 2] for j in range(N)]
        b_u, b_i = w[2 * (M + N) : 2 * (M + N) + M], w[2 * (M + N) + M :]
        dP, dQ, db_u, db_i = loops.gradient({(u, i): r}, loops.Parameters(P, Q, float(start.mu), b_u, b_i), 0.1)
        loops.momentum_step(w, dw, [*_flat(dP), *_flat(dQ), *db_u, *db_i], 0.02, 0.5)
    model = _momentum(1)
    return w, np.concatenate([model.P.ravel(), model.Q.ravel(), model.b_u, model.b_i])


@example_of("C11")
def weighted() -> tuple[object, object]:
    """Solve for the factors of four listeners, and compute the objective."""
    model = ALS(n_factors=2, n_epochs=2, reg=0.5, alpha=2.0, epsilon=1.0).fit(matrix(PLAYS))
    F = loops.weighted_objective(PLAYS, model.P.tolist(), model.Q.tolist(), 0.5, 2.0, 1.0)
    return F, model.history[-1]


@example_of("A7")
def ridge() -> tuple[object, object]:
    """Fit a line through three points."""
    from acai.content.audio_models import Ridge

    X, Y = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), np.array([[1.0], [2.0], [4.0]])
    model = Ridge([0.5]).fit(X, Y)
    Z = model.inputs.transform(X.T).T.astype(np.float64)
    return content.ridge(Z.tolist(), (Y - Y.mean(axis=0))[:, 0].tolist(), 0.5), model.W[:, 0]
