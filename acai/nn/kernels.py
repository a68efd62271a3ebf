"""The loops that NumPy has no words for. Each runs on one thread without Python's lock; `parallel` runs several."""

import numpy as np
from numba import njit


# Rows are copied whole, along the width, so every read and write walks memory in order.
@njit(cache=True, nogil=True)
def unroll_rows(x: np.ndarray, stride: int, padding: tuple[int, int], rows: np.ndarray) -> None:
    """rows(n, c, p, i, ·) = the padded x(n, c, i·stride + p, ·), for x (N, C, H, W) and rows (N, C, kH, H', Wp)."""
    N, C, H, W = x.shape
    kH, H_out = rows.shape[2:4]
    pH, pW = padding
    for n in range(N):
        for c in range(C):
            for p in range(kH):
                for i in range(H_out):
                    h = i * stride + p - pH
                    row = rows[n, c, p, i]
                    row[:] = 0
                    if 0 <= h < H:
                        for w in range(W):
                            row[w + pW] = x[n, c, h, w]


# The same walk back. A row of x that several outputs looked at gets the sum of what they send.
@njit(cache=True, nogil=True)
def fold_rows(drows: np.ndarray, stride: int, padding: tuple[int, int], dx: np.ndarray) -> None:
    """dx(n, c, i·stride + p, ·) += drows(n, c, p, i, ·), the padding left out; dx starts from zero."""
    N, C, H, W = dx.shape
    kH, H_out = drows.shape[2:4]
    pH, pW = padding
    dx[:] = 0
    for n in range(N):
        for c in range(C):
            for p in range(kH):
                for i in range(H_out):
                    h = i * stride + p - pH
                    if 0 <= h < H:
                        for w in range(W):
                            dx[n, c, h, w] += drows[n, c, p, i, w + pW]


# Taps outside, width inside: one row of y stays in the first-level cache while the few rows of Z are added to it.
@njit(cache=True, nogil=True)
def add_taps(Z: np.ndarray, b: np.ndarray, stride: int, y: np.ndarray) -> None:
    """y(n, o, i, j) = b(o) + Σ_q Z(n, o, q, i, j·stride + q), for Z (n, O, kW, H', Wp) and y (n, O, H', W')."""
    N, O, H_out, W_out = y.shape
    for n in range(N):
        for o in range(O):
            for i in range(H_out):
                row = y[n, o, i]
                row[:] = b[o]
                for q in range(Z.shape[2]):
                    z = Z[n, o, q, i]
                    if stride == 1:  # said apart, so that the compiler sees neighbours and adds many at once
                        for j in range(W_out):
                            row[j] += z[j + q]
                    else:
                        for j in range(W_out):
                            row[j] += z[j * stride + q]


# The transpose of add_taps: every place of Z belongs to one place of y at most, so nothing is added, only copied.
@njit(cache=True, nogil=True)
def spread_taps(dy: np.ndarray, stride: int, dZ: np.ndarray) -> None:
    """dZ(n, o, q, i, j·stride + q) = dy(n, o, i, j), and zero elsewhere."""
    N, O, H_out, W_out = dy.shape
    for n in range(N):
        for o in range(O):
            for q in range(dZ.shape[2]):
                for i in range(H_out):
                    row = dZ[n, o, q, i]
                    row[:] = 0
                    if stride == 1:
                        for j in range(W_out):
                            row[j + q] = dy[n, o, i, j]
                    else:
                        for j in range(W_out):
                            row[j * stride + q] = dy[n, o, i, j]


# Outputs outside, window inside: each output is written once, with the place of its maximum for the way back.
@njit(cache=True, nogil=True)
def max_pool(
    x: np.ndarray,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    y: np.ndarray,
    where: np.ndarray,
) -> None:
    """y(m, i, j) = the largest of its window in x (M, H, W); `where` is the place of the first such, h·W + w."""
    M, H, W = x.shape
    for m in range(M):
        for i in range(y.shape[1]):
            top = i * stride[0] - padding[0]
            for j in range(y.shape[2]):
                left = j * stride[1] - padding[1]
                h, w = max(top, 0), max(left, 0)
                best, place = x[m, h, w], h * W + w
                for h in range(max(top, 0), min(top + size[0], H)):
                    for w in range(max(left, 0), min(left + size[1], W)):
                        v = x[m, h, w]
                        if v > best or v != v:  # v ≠ v: a NaN goes through instead of being passed over
                            best, place = v, h * W + w
                y[m, i, j] = best
                where[m, i, j] = place


# Windows may overlap, so gradients are added; a plane is one thread's own, so no two threads add to one place.
@njit(cache=True, nogil=True)
def max_unpool(dy: np.ndarray, where: np.ndarray, dx: np.ndarray) -> None:
    """dx(m, where(m, i, j)) += dy(m, i, j), for dy and where (M, H', W') and dx (M, H·W); dx starts from zero."""
    dx[:] = 0
    for m in range(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                dx[m, where[m, i, j]] += dy[m, i, j]
