"""Ridge regression. Oracles: the loops of the reference (A7), scikit-learn, and leaving each sample out in turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as Sklearn

from acai.content.ears import Ridge
from acai.errors import InputError
from acai.reference.content import ridge as loops


def data(n: int, d: int, targets: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(2, 3, (n, d))
    return X, X @ rng.normal(0, 1, (d, targets)) + rng.normal(0, 1, (n, targets))


@given(st.integers(3, 12), st.integers(1, 5), st.integers(1, 3), st.floats(0.01, 100), st.integers(0, 99))
def test_equals_the_loops_and_scikit_learn(n, d, targets, lam, seed):
    X, Y = data(n, d, targets, seed)
    model = Ridge([lam]).fit(X, Y)
    Z = model.inputs(X.T).T.astype(np.float64)
    theirs = Sklearn(alpha=lam).fit(Z, Y)
    np.testing.assert_allclose(model.predict(X), theirs.predict(Z).reshape(Y.shape), rtol=1e-4, atol=1e-4)
    for t in range(targets):
        np.testing.assert_allclose(model.W[:, t], loops(Z.tolist(), (Y - Y.mean(axis=0))[:, t].tolist(), lam), rtol=1e-4, atol=1e-5)


def test_the_penalty_is_the_one_that_predicts_samples_left_out_best():
    X, Y = data(20, 15, 2, 0)
    lams = np.logspace(-3, 3, 13)
    model = Ridge(lams).fit(X, Y)
    Z = model.inputs(X.T).T.astype(np.float64)

    def left_out(lam: float) -> float:
        errors = [
            Y[n] - Sklearn(alpha=lam).fit(np.delete(Z, n, 0), np.delete(Y, n, 0)).predict(Z[n : n + 1])[0] for n in range(len(Y))
        ]
        return float(np.mean(np.square(errors)))

    assert model.lam == min(lams, key=left_out)


def test_refuses_shapes_that_do_not_fit():
    with pytest.raises(InputError, match=r"X has shape \(4, 2\) and Y \(3, 1\)"):
        Ridge().fit(np.ones((4, 2)), np.ones((3, 1)))
