"""How a wrong result is related to the right one: twice as large, of the other sign, turned, rounded. True of any exercise."""

import numpy as np

from acai.teaching.exercises.wrong import Wrong

ENOUGH = 3  # different numbers, before a common factor or difference is no accident
FACTORS = (0.01, 0.1, 0.25, 0.5, 2.0, 4.0, 10.0, 100.0)  # of a single number
DIGITS = (0, 1, 2, 3, 4)


def nearly_equal(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have the same shape and are equal but for rounding."""
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max(initial=0.0) + 1e-12)


def relation(got: np.ndarray, expected: np.ndarray) -> Wrong | None:
    """Say what turns the expected numbers into those that were returned; None if nothing simple does."""
    if got.shape != expected.shape:
        if got.ndim == 2 and nearly_equal(got.T, expected):
            return Wrong("is-turned")
        return Wrong("is-reshaped") if got.size == expected.size and nearly_equal(got.ravel(), expected.ravel()) else None
    if not np.isfinite(got).all():
        return None
    n = len(np.unique(expected[expected != 0]))
    is_telling = n >= ENOUGH or (expected.size == 1 and not (expected == np.round(expected)).all())
    return (_of_all(got, expected, n) or _rounded(got, expected)) if is_telling else None


def _of_all(got: np.ndarray, expected: np.ndarray, n: int) -> Wrong | None:
    """Compare with what one operation on all numbers gives."""
    with np.errstate(all="ignore"):
        results = {
            "is-negated": -expected, "is-turned-square": expected.T, "is-reversed": expected[::-1] if expected.ndim else expected,
            "is-absolute": np.abs(expected), "is-squared": expected**2, "is-root": np.sqrt(expected), "is-inverse": 1 / expected,
        }
        for key, result in results.items():
            if np.isfinite(result).all() and nearly_equal(got, result):
                return Wrong(key)
        factor = float((got * expected).sum() / (expected * expected).sum())
        factor = next((simple for simple in FACTORS if np.isclose(factor, simple, rtol=1e-5)), factor if n >= ENOUGH else 0.0)
    if abs(factor) > 1e-9 and nearly_equal(got, factor * expected):
        return Wrong("is-factor", factor=factor)
    difference = float((got - expected).mean())
    if n >= ENOUGH and nearly_equal(got, expected + difference):
        return Wrong("is-too-large" if difference > 0 else "is-too-small", difference=abs(difference))
    return Wrong("is-reordered") if nearly_equal(np.sort(got, axis=None), np.sort(expected, axis=None)) else None


def _rounded(got: np.ndarray, expected: np.ndarray) -> Wrong | None:
    is_rounded = any(np.array_equal(got, np.round(expected, digits)) for digits in DIGITS)
    return Wrong("is-rounded") if is_rounded or np.array_equal(got, np.trunc(expected)) else None
