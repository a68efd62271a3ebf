"""Ridge regression: the straight line that a network has to beat."""

import numpy as np

from acai.errors import InputError
from acai.nn.parallel import one_blas_thread
from acai.windows import Standardiser


class Ridge:
    """Least squares with a penalty on the size of W (A7; Hoerl and Kennard 1970), on standardised columns.

    λ is the one of `lams` with the smallest leave-one-out error, which for ridge has a closed form: the error of a
    sample left out is its ordinary residual divided by 1 − its leverage (Allen 1974).

    Parameters
    ----------
    lams : array of float
        What λ is chosen from, all > 0.

    Attributes
    ----------
    lam : float
        The λ chosen.
    W : numpy.ndarray, shape (n_features, n_targets)
        The coefficients for standardised columns.
    """

    def __init__(self, lams: np.ndarray | None = None) -> None:
        self.lams = np.logspace(-2, 5, 29) if lams is None else np.asarray(lams, dtype=np.float64)

    def fit(self, X: np.ndarray, Y: np.ndarray) -> "Ridge":
        """Learn from X, shape (n, n_features), and Y, shape (n, n_targets)."""
        if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y) or len(X) < 3:
            raise InputError(
                f"X has shape {X.shape} and Y {Y.shape}; expected (n, features) and (n, targets), n at least 3"
            )
        self.inputs = Standardiser.of([X.T])
        X = self.inputs(X.T).T.astype(np.float64)
        self.y_bar = Y.mean(axis=0)
        Y = Y - self.y_bar
        with one_blas_thread():
            U, s, Vt = np.linalg.svd(X, full_matrices=False)  # X = U diag(s) Vt
        UtY = U.T @ Y

        def left_out(lam: float) -> float:
            shrink = s**2 / (s**2 + lam)
            residual = Y - (U * shrink) @ UtY
            leverage = np.square(U) @ shrink + 1 / len(X)  # the mean counts as a coefficient too
            return float(np.mean(np.square(residual / (1 - np.minimum(leverage, 1 - 1e-9))[:, None])))

        self.lam = float(min(self.lams, key=left_out))
        self.W = (Vt.T * (s / (s**2 + self.lam))) @ UtY  # (A7): (XᵀX + λI)⁻¹ Xᵀ Y
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Ŷ, shape (n, n_targets)."""
        return self.inputs(X.T).T.astype(np.float64) @ self.W + self.y_bar
