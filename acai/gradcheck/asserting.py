"""The check in a test: an assertion that fails with the report."""

import numpy as np

from acai.gradcheck.check import check


def assert_gradients(layer: object, x: np.ndarray | tuple[int, ...], target: np.ndarray | None = None, **how: object) -> None:
    """Do nothing if the gradients of a layer are right; otherwise fail, and let the report say why.

    Parameters
    ----------
    layer, x, target, **how
        As for `check`.

    Raises
    ------
    AssertionError
        If the verdict is not "equal" or "agrees": whoever grades by this wants to know what has not been checked, too.
    """
    report = check(layer, x, target, **how)
    if not report.ok:
        raise AssertionError(str(report))
