"""The loops that NumPy cannot express. Each runs on one thread, without Python's lock."""

import numpy as np

from acai.compiling import njit

REORDER = {"reassoc", "contract", "nsz"}  # sums may be reordered; NaN and infinity keep their meaning
Numbers = tuple[float, ...]
TILE = 1024  # places of a row at a time, which stay in the first-level cache


# Each number of y is read and written once for eight products, and each of x read once for four, or memory would be the limit.
# The eight are added in this order everywhere, so y is the same wherever in a row, and beside whatever else, it is computed.
@njit(nogil=True, fastmath={"contract"})
def correlate(  # noqa: PLR0914 - each of the twelve rows and four outputs' weights has a name
    W: np.ndarray, b: np.ndarray, channel: np.ndarray, shift: np.ndarray, x: np.ndarray, y: np.ndarray
) -> None:
    """(N1, N7.1) y(g, o, j) = b(o) + Σ_k W(o, k) x(g, channel(k), j + shift(k)), wherever x has all of these; O is 4, 8, 12, …."""
    (O, K), J = W.shape, x.shape[2] - shift.max()
    for g in range(len(x)):
        for start in range(0, J, TILE):
            n = min(TILE, J - start)
            for o in range(0, O, 4):
                y0, y1, y2, y3 = y[g, o, start:], y[g, o + 1, start:], y[g, o + 2, start:], y[g, o + 3, start:]
                y0[:n], y1[:n], y2[:n], y3[:n] = b[o], b[o + 1], b[o + 2], b[o + 3]  # (N1)
                for k in range(0, K - 7, 8):
                    w0, w1, w2, w3 = eight(W[o], k), eight(W[o + 1], k), eight(W[o + 2], k), eight(W[o + 3], k)
                    x0, x1 = x[g, channel[k], start + shift[k] :], x[g, channel[k + 1], start + shift[k + 1] :]
                    x2, x3 = x[g, channel[k + 2], start + shift[k + 2] :], x[g, channel[k + 3], start + shift[k + 3] :]
                    x4, x5 = x[g, channel[k + 4], start + shift[k + 4] :], x[g, channel[k + 5], start + shift[k + 5] :]
                    x6, x7 = x[g, channel[k + 6], start + shift[k + 6] :], x[g, channel[k + 7], start + shift[k + 7] :]
                    for j in range(n):
                        v = x0[j], x1[j], x2[j], x3[j], x4[j], x5[j], x6[j], x7[j]
                        y0[j] = plus8(y0[j], w0, v)  # (N1, N7.1)
                        y1[j] = plus8(y1[j], w1, v)  # (N1, N7.1)
                        y2[j] = plus8(y2[j], w2, v)  # (N1, N7.1)
                        y3[j] = plus8(y3[j], w3, v)  # (N1, N7.1)
                for k in range(K - K % 8, K):
                    xk = x[g, channel[k], shift[k] + start :]
                    for i in range(o, o + 4):
                        row, w = y[g, i, start:], W[i, k]
                        for j in range(n):
                            row[j] += w * xk[j]  # (N1, N7.1)


# Sixteen sums at once, each in as many parts as the processor adds in one instruction: their order may be changed for that.
@njit(nogil=True, fastmath=REORDER)
def products(  # noqa: PLR0914 - each of the eight rows and four outputs' sums has a name
    dy: np.ndarray, channel: np.ndarray, shift: np.ndarray, x: np.ndarray, dW: np.ndarray
) -> None:
    """(N7.2) dW(o, k) = Σ_g,j dy(g, o, j + slack) x(g, channel(k), j + shift(k)), slack being the largest shift."""
    zero = dW.dtype.type(0)
    zeros: Numbers = zero, zero, zero, zero
    slack = shift.max()
    (O, K), J = dW.shape, x.shape[2] - slack
    dW[:] = 0
    for g in range(len(x)):
        for start in range(0, J, TILE):
            n, first = min(TILE, J - start), start + slack
            for o in range(0, O, 4):
                y0, y1, y2, y3 = dy[g, o, first:], dy[g, o + 1, first:], dy[g, o + 2, first:], dy[g, o + 3, first:]
                for k in range(0, K, 4):
                    x0, x1 = x[g, channel[k], start + shift[k] :], x[g, channel[k + 1], start + shift[k + 1] :]
                    x2, x3 = x[g, channel[k + 2], start + shift[k + 2] :], x[g, channel[k + 3], start + shift[k + 3] :]
                    s0, s1, s2, s3 = zeros, zeros, zeros, zeros
                    for j in range(n):
                        v = x0[j], x1[j], x2[j], x3[j]
                        s0, s1, s2, s3 = plus4(s0, y0[j], v), plus4(s1, y1[j], v), plus4(s2, y2[j], v), plus4(s3, y3[j], v)
                    for i in range(4):
                        dW[o, k + i] += s0[i]  # (N7.2)
                        dW[o + 1, k + i] += s1[i]  # (N7.2)
                        dW[o + 2, k + i] += s2[i]  # (N7.2)
                        dW[o + 3, k + i] += s3[i]  # (N7.2)


@njit(nogil=True)
def eight(w: np.ndarray, k: int) -> Numbers:
    """Return w(k), …, w(k + 7)."""
    return w[k], w[k + 1], w[k + 2], w[k + 3], w[k + 4], w[k + 5], w[k + 6], w[k + 7]


@njit(nogil=True, fastmath={"contract"})
def plus8(y: float, w: Numbers, x: Numbers) -> float:
    """Compute y + w · x."""
    return y + w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + w[3] * x[3] + w[4] * x[4] + w[5] * x[5] + w[6] * x[6] + w[7] * x[7]


@njit(nogil=True, fastmath=REORDER)
def plus4(s: Numbers, y: float, x: Numbers) -> Numbers:
    """Compute s + y x."""
    return s[0] + y * x[0], s[1] + y * x[1], s[2] + y * x[2], s[3] + y * x[3]


# Taps outside, a row of outputs inside, in slices without edges and branches: the processor then takes several at once.
@njit(nogil=True)
def max_pool(
    x: np.ndarray, size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], y: np.ndarray, argmax: np.ndarray
) -> None:
    """Compute y(n, c, i, j), the largest number of its window in x (n, C, H, W), and the place of the first such, h·W + w."""
    (H, W), (step, W_out) = x.shape[2:], (stride[1], y.shape[3])
    for n, c, i in np.ndindex(y.shape[:3]):
        top = i * stride[0] - padding[0]  # (N2)
        y[n, c, i] = -np.inf
        for j in range(W_out):  # the first of the window, if no number is larger
            argmax[n, c, i, j] = max(top, 0) * W + max(j * step - padding[1], 0)
        for h in range(max(top, 0), min(top + size[0], H)):
            for q in range(size[1]):
                left = q - padding[1]  # of window 0; window j has tap q at left + j·step, from 0 to W − 1 for these j:
                first, end = max(0, -(left // step)), min(W_out, (W - 1 - left) // step + 1)
                values, best, place = x[n, c, h, left + first * step :: step], y[n, c, i, first:end], argmax[n, c, i, first:end]
                here, one = np.int32(h * W + left + first * step), np.int32(step)
                for j in range(best.size):
                    v = values[j]
                    larger = (v > best[j]) | (v != v)  # v ≠ v: a NaN is the maximum instead of being passed over
                    best[j] = v if larger else best[j]  # (N2)
                    place[j] = here if larger else place[j]
                    here += one


# Windows may overlap, so gradients are added; each sample belongs to one thread, so no two threads add to the same place.
@njit(nogil=True)
def max_unpool(dy: np.ndarray, argmax: np.ndarray, dx: np.ndarray) -> None:
    """Add dy(n, c, i, j) to dx(n, c) at the place argmax(n, c, i, j); dy and argmax are (n, C, H', W'), dx is (n, C, H, W)."""
    dx[:] = 0
    for n, c in np.ndindex(dy.shape[:2]):
        plane, values, places = dx[n, c].reshape(-1), dy[n, c].reshape(-1), argmax[n, c].reshape(-1)
        for k in range(values.size):
            plane[places[k]] += values[k]  # (N7.4)


# One pass over memory. NumPy's np.maximum(x, 0) takes five times as long, and dy * (y > 0) needs an array in between.
@njit(nogil=True)
def rectify(x: np.ndarray, y: np.ndarray) -> None:
    """Compute y = max(0, x), number by number; NaN stays NaN. A complex number counts as its real part."""
    numbers, into = x.reshape(-1), y.reshape(-1)
    for i in range(numbers.size):
        into[i] = 0 if numbers[i].real <= 0 else numbers[i]  # (N3)


@njit(nogil=True)
def pass_where_positive(dy: np.ndarray, y: np.ndarray, dx: np.ndarray) -> None:
    """Set dx = dy where y > 0, and zero elsewhere."""
    given, numbers, into = dy.reshape(-1), y.reshape(-1), dx.reshape(-1)
    for i in range(numbers.size):
        into[i] = given[i] if numbers[i].real > 0 else 0  # (N7.6)
