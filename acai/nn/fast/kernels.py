"""The loops that NumPy cannot express. Each runs on one thread, without Python's lock."""

import numpy as np

from acai.compiling import njit


# Taps outside, width inside: one row of y stays in the first-level cache while the few rows of Z are added to it.
@njit(nogil=True)
def add_taps(Z: np.ndarray, b: np.ndarray, y: np.ndarray) -> None:
    """Compute y(n, o, i, j) = b(o) + Σ_q Z(n, o, q, i, j + q), for Z (n, O, kW, H', Wp) and y (n, O, H', Wp − kW + 1)."""
    for n, o in np.ndindex(y.shape[:2]):
        for i in range(y.shape[2]):
            row = y[n, o, i]
            row[:] = b[o]
            for q in range(Z.shape[2]):
                z = Z[n, o, q, i]
                for j in range(row.size):
                    row[j] += z[j + q]


# The transpose of add_taps: every element of Z belongs to one element of y at most, so nothing is added, only copied.
@njit(nogil=True)
def spread_taps(dy: np.ndarray, dZ: np.ndarray) -> None:
    """Set dZ(n, o, q, i, j + q) = dy(n, o, i, j), and zero elsewhere."""
    for n, o, i in np.ndindex(dy.shape[:3]):
        y = dy[n, o, i]
        for q in range(dZ.shape[2]):
            row = dZ[n, o, q, i]
            row[:] = 0
            for j in range(y.size):
                row[j + q] = y[j]


# Complete rows are added, along the width. A row of x that several outputs depend on gets the sum of their gradients.
@njit(nogil=True)
def fold_rows(drows: np.ndarray, stride: int, padding: tuple[int, int], dx: np.ndarray) -> None:
    """Compute dx(n, c, i·stride + p, ·) += drows(n, c, p, i, ·), without the padding; dx starts from zero."""
    dx[:] = 0
    H, W = dx.shape[2:]
    for n, c, p in np.ndindex(drows.shape[:3]):
        for i in range(drows.shape[3]):
            h = i * stride + p - padding[0]
            if 0 <= h < H:
                for w in range(W):
                    dx[n, c, h, w] += drows[n, c, p, i, w + padding[1]]


# Outputs outside, window inside: each output is written once, with the place of its maximum, for the backward pass.
@njit(nogil=True)
def max_pool(
    x: np.ndarray, size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], y: np.ndarray, argmax: np.ndarray
) -> None:
    """Compute y(n, c, i, j), the largest number of its window in x (n, C, H, W), and the place of the first such, h·W + w."""
    H, W = x.shape[2:]
    for n, c in np.ndindex(y.shape[:2]):
        for i in range(y.shape[2]):
            top = i * stride[0] - padding[0]
            for j in range(y.shape[3]):
                left = j * stride[1] - padding[1]
                h, w = max(top, 0), max(left, 0)
                best, place = x[n, c, h, w], h * W + w
                for h in range(max(top, 0), min(top + size[0], H)):
                    for w in range(max(left, 0), min(left + size[1], W)):
                        v = x[n, c, h, w]
                        if v > best or v != v:  # v ≠ v: a NaN is the maximum instead of being passed over
                            best, place = v, h * W + w
                y[n, c, i, j] = best
                argmax[n, c, i, j] = place


# Windows may overlap, so gradients are added; each sample belongs to one thread, so no two threads add to the same place.
@njit(nogil=True)
def max_unpool(dy: np.ndarray, argmax: np.ndarray, dx: np.ndarray) -> None:
    """Add dy(n, c, i, j) to dx(n, c) at the place argmax(n, c, i, j); dy and argmax are (n, C, H', W'), dx is (n, C, H, W)."""
    dx[:] = 0
    for n, c in np.ndindex(dy.shape[:2]):
        plane, values, places = dx[n, c].reshape(-1), dy[n, c].reshape(-1), argmax[n, c].reshape(-1)
        for k in range(values.size):
            plane[places[k]] += values[k]
