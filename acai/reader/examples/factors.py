"""Worked examples of latent factors: matrices, decompositions and objectives."""

import numpy as np

from acai.cf import ALS, SGD, SVD, GradientDescent, plain
from acai.cf.iterative import objective as fast_objective
from acai.reader.examples.neighbours import M, N, R, matrix
from acai.reader.examples.registry import example_of
from acai.reference import cf as loops
from acai.reference import content

PLAYS = {(0, 0): 12.0, (0, 1): 1.0, (1, 0): 3.0, (1, 2): 40.0, (2, 1): 2.0, (2, 3): 7.0, (3, 2): 5.0, (3, 3): 1.0}


@example_of("C4")
def entry() -> tuple[object, object, object]:
    """Predict one rating from two rows."""
    model = SGD(n_factors=2, n_epochs=0).fit(matrix())
    model.mu, model.b_u[:], model.b_i[:] = 0.0, 0.0, 0.0
    model.P[0], model.Q[1] = [1.5, -0.5], [2.0, 0.25]
    u, i = np.array([0]), np.array([1])
    found = model._predict_pairs(u, i)[0] + 0 * model._score_rows(u)[0, 1]
    P, Q = model.P.astype(np.float64), model.Q.astype(np.float64)
    return loops.entry(P.tolist(), Q.tolist(), 0, 1), found, plain.predict_all(P, Q)[0, 1]


SMALL = {(0, 0): 5.0, (0, 1): 3.0, (0, 2): 4.0, (1, 0): 4.0, (1, 2): 1.0, (2, 0): 1.0, (2, 1): 4.0}  # of three users and songs


@example_of("C5", "C6", "C7")
def svd() -> tuple[object, object, object]:
    """Decompose the filled ratings of three users, and keep two singular values."""
    M_, sigma, N_ = loops.svd(loops.filled(SMALL, 3, 3), sweeps=12)
    nearest = loops.truncated(M_, sigma, N_, 2)
    P, Q = loops.factors(M_, sigma, N_, 2)
    found = {"the first two singular values": sigma[:2], "R_k": nearest, "P Qᵀ": (np.array(P) @ np.array(Q).T).tolist()}
    model = SVD(n_factors=2, damping=0).fit(matrix(SMALL, 3, 3))
    approximation = (model.P @ model.Q.T).tolist()
    filled = plain.fill(np.array([[SMALL.get((u, i), np.nan) for i in range(3)] for u in range(3)]))
    parts = plain.svd(filled)
    plain_P, plain_Q = plain.factors(*parts, 2)
    in_plain = [parts[1][:2].tolist(), *plain.truncated(*parts, 2).tolist(), *(plain_P @ plain_Q.T).tolist()]
    return found, [model.sigma.tolist(), *approximation, *approximation], in_plain


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
    loops.descent_step(w, [*_flat(dP), *_flat(dQ), *db_u, *db_i], 0.01)
    after = GradientDescent(n_factors=2, n_epochs=1, learning_rate=0.01, reg=0.1, biases=True, bold_driver=False).fit(matrix())
    return _parts(w), _all(after)


def _parts(w: list[float]) -> dict[str, object]:
    """Return all parameters by their names."""
    P, Q, b_u, b_i = np.split(np.array(w), np.cumsum([2 * M, 2 * N, M]))
    return {"P": P.reshape(M, 2).tolist(), "Q": Q.reshape(N, 2).tolist(), "b(u)": b_u.tolist(), "b(i)": b_i.tolist()}


def _all(model: GradientDescent | SGD) -> np.ndarray:
    return np.concatenate([model.P.ravel(), model.Q.ravel(), model.b_u, model.b_i])


def _momentum(n_epochs: int) -> SGD:
    return SGD(n_factors=2, n_epochs=n_epochs, learning_rate=0.02, reg=0.1, momentum=0.5).fit(matrix())


@example_of("C10")
def momentum() -> tuple[object, object, object]:
    """Go through all ratings once, with momentum."""
    start = _momentum(0)
    P, Q, b_u, b_i = start.P.tolist(), start.Q.tolist(), start.b_u.tolist(), start.b_i.tolist()
    w = [*_flat(P), *_flat(Q), *b_u, *b_i]
    dw = [0.0] * len(w)
    entries = [(u, i, R[u, i]) for u, i in sorted(R)]
    parameters = np.array(P), np.array(Q), np.array(b_u), np.array(b_i)
    plain.momentum_epoch(entries, parameters, float(start.mu), 0.02, 0.5, 0.1)
    for u, i, r in entries:
        P, Q = [w[2 * v : 2 * v + 2] for v in range(M)], [w[2 * (M + j) : 2 * (M + j) + 2] for j in range(N)]
        b_u, b_i = w[2 * (M + N) : 2 * (M + N) + M], w[2 * (M + N) + M :]
        dP, dQ, db_u, db_i = loops.gradient({(u, i): r}, loops.Parameters(P, Q, float(start.mu), b_u, b_i), 0.1)
        loops.momentum_step(w, dw, [*_flat(dP), *_flat(dQ), *db_u, *db_i], 0.02, 0.5)
    return _parts(w), _all(_momentum(1)), np.concatenate([part.ravel() for part in parameters])


@example_of("C11")
def weighted() -> tuple[object, object, object]:
    """Solve for the factors of four listeners, and compute the objective."""
    model = ALS(n_factors=2, n_epochs=2, reg=0.5, alpha=2.0, epsilon=1.0).fit(matrix(PLAYS))
    F = loops.weighted_objective(PLAYS, model.P.tolist(), model.Q.tolist(), 0.5, 2.0, 1.0)
    plays = np.array([[PLAYS.get((u, i), 0.0) for i in range(N)] for u in range(M)])
    P, Q = model.P.astype(np.float64), model.Q.astype(np.float64)
    return F, model.history[-1], plain.weighted_objective(plays, P, Q, 0.5, 2.0, 1.0)


@example_of("C14")
def conjugate_gradient() -> tuple[object, object, object]:
    """Take one step towards the factors of a listener, in the coordinates in which QᵀQ + λI is the identity."""
    before = ALS(n_factors=2, n_epochs=1, reg=0.5).fit(matrix(PLAYS))
    model = ALS(n_factors=2, n_epochs=1, reg=0.5, cg_steps=1, init=before).fit(matrix(PLAYS))
    Q = model.Q.astype(np.float64)
    eigenvalues, V = np.linalg.eigh(Q.T @ Q + 0.5 * np.eye(2))
    W = V / np.sqrt(eigenvalues)
    Z, extra = Q @ W, np.array([2.0 * np.log1p(PLAYS.get((0, i), 0.0)) for i in range(N)])
    A, b = np.eye(2) + (Z.T * extra) @ Z, Z.T @ ((1 + extra) * (extra > 0))
    x, fast = (np.linalg.solve(W, P[0].astype(np.float64)) for P in (before.P, model.P))
    return loops.conjugate_gradient(A.tolist(), b.tolist(), x.tolist(), 1), fast, plain.conjugate_gradient(A, b, x, 1)


@example_of("A7")
def ridge() -> tuple[object, object]:
    """Fit a line through three points."""
    from acai.content.audio_models import Ridge

    X, Y = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), np.array([[1.0], [2.0], [4.0]])
    model = Ridge([0.5]).fit(X, Y)
    Z = model.inputs.transform(X.T).T.astype(np.float64)
    return content.ridge(Z.tolist(), (Y - Y.mean(axis=0))[:, 0].tolist(), 0.5), model.W[:, 0]
