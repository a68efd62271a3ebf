"""The check in a test: an assertion that fails with the report."""

from typing import Unpack

import numpy as np

from acai.gradcheck.check import check
from acai.gradcheck.geometries import CheckOptions


def assert_gradients(
    layer: object, x: np.ndarray | tuple[int, ...], target: np.ndarray | None = None, **options: Unpack[CheckOptions]
) -> None:
    """Do nothing if the gradients of a layer are right; otherwise fail, and let the report say why.

    Parameters
    ----------
    layer, x, target, **options
        As for `check`.

    Raises
    ------
    AssertionError
        If the verdict is not "equal" or "agrees": whoever grades by this wants to know what has not been checked, too.
    """
    report = check(layer, x, target, **options)
    if not report.ok:
        raise AssertionError(str(report))
