"""How images lie in memory for a convolution: each channel in one long row, several samples side by side.

In such a row, the number under tap (p, q) of a window lies p·w + q places after the one under tap (0, 0), w being the width
of an image: the same distance for every window. So a convolution is a sum of shifted rows, each times one weight. Windows
that would reach from one line or one sample into the next are computed like all others, and dropped.

With a stride, the pixels (i·sH + u, j·sW + v) of an image, for one u < sH and one v < sW, are called a phase. Each phase is
a channel of its own, and in these the stride is 1 ("space to depth").
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
Pair = tuple[int, int]
Slices = tuple[Any, ...]
LENGTH = 1000  # of a row, at most: a longer one would not stay in the first-level cache
APART = 16  # numbers after each row that is written: rows exactly 4,096 bytes apart would hinder each other


class Rows:
    """The rows of images of one size, and where a convolution finds its numbers in them.

    Parameters
    ----------
    kernel : (int, int, int)
        C, kH, kW.
    stride, padding, out : (int, int)
        Of the convolution; `out` is (H', W').

    Attributes
    ----------
    channel, shift : ndarray of int
        For each k = (c, p, q), the row and the distance; filled up with zeros to a multiple of four.
    slack : int
        The largest distance. No window that is kept begins in the last `slack` places of a row.
    n_channels : int
        How many rows an image has: C times the phases that are under a window.
    length : int
        How many places one image takes in a row.
    least : int
        How many images make a row half as long as it may be: with fewer, the loops would mostly begin and end.
    """

    def __init__(self, kernel: tuple[int, int, int], stride: Pair, padding: Pair, out: Pair) -> None:
        C, *window = kernel
        self.out, self.padding = out, padding
        # A window with only one place may be said to move by its own size: a kernel as high as the image sees kH channels.
        self.stride = [k if n == 1 else s for k, s, n in zip(window, stride, out)]
        self.phases = [min(k, s) for k, s in zip(window, self.stride)]
        self.taps = [-(-k // s) for k, s in zip(window, self.stride)]  # of the window in one phase
        self.size = [n - 1 + t for n, t in zip(out, self.taps)]  # (h, w) of one phase, as far as windows reach
        self.n_channels, self.length = C * math.prod(self.phases), math.prod(self.size)
        self.least = LENGTH // 2 // self.length
        c, p, q = (index.ravel() for index in np.indices(kernel))
        (sH, sW), fill = self.stride, (0, -c.size % 4)
        self.channel = np.pad((c * self.phases[0] + p % sH) * self.phases[1] + q % sW, fill)
        self.shift = np.pad(p // sH * self.size[1] + q // sW, fill)
        self.slack = int(self.shift.max())

    def of_images(self, x: FloatArray) -> FloatArray:
        """Return the rows (G, channels, places) of images (N, C, H, W)."""
        n = self._together(len(x))
        framed, inside, kept = self._framed(x)
        if framed is not x:
            framed[inside] = x[kept]
        X = np.ascontiguousarray(self._by_phase(framed, self.size, n))  # copies nothing if it already lies like this
        return X.reshape(len(X), self.n_channels, n * self.length)

    def to_images(self, X: FloatArray, x: FloatArray) -> None:
        """Write the images (N, C, H, W) whose rows are X; pixels under no window become zero."""
        n = self._together(len(x))
        framed, inside, kept = self._framed(x)
        phases = self._by_phase(framed, self.size, n)
        phases[...] = X[:, : self.n_channels, : n * self.length].reshape(phases.shape)
        if framed is not x:
            x[...] = 0
            x[kept] = framed[inside]

    def of_outputs(self, dy: FloatArray) -> FloatArray:
        """Return the rows of dy (N, O, H', W'): each number where its window begins, `slack` places later; zeros elsewhere."""
        n, O = self._together(len(dy)), dy.shape[1]
        dY = np.zeros((len(dy) // n, O + -O % 4, self.slack + n * self.length), dy.dtype)
        places = self._places(dY[..., self.slack :], O, n)
        places[...] = dy.reshape(places.shape)
        return dY

    def to_outputs(self, Y: FloatArray, y: FloatArray) -> None:
        """Write y (N, O, H', W') from rows in which each number stands where its window begins."""
        places = self._places(Y, y.shape[1], self._together(len(y)))
        y.reshape(places.shape)[...] = places

    def of_weights(self, W: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return what computes dx from the rows of dy: weights (channels, K), and where each k = (o, p, q) finds its numbers."""
        O, C, kH, kW = W.shape
        whole = np.zeros((O, C, *(t * s for t, s in zip(self.taps, self.stride))), W.dtype)
        whole[:, :, :kH, :kW] = W
        o, p, q = (index.ravel() for index in np.indices((O, *self.taps)))
        of_phase = self._by_phase(whole, self.taps, O).reshape(self.n_channels, o.size)
        return fours(of_phase), o, self.slack - p * self.size[1] - q

    def _together(self, n: int) -> int:
        """Return how many of n samples share a row: a divisor of n."""
        return max((d for d in range(1, min(n, LENGTH // self.length) + 1) if n % d == 0), default=1)

    def _by_phase(self, images: FloatArray, size: list[int], n: int) -> FloatArray:
        """View images (G·n, C, h·sH, w·sW) as (G, C, phases, phases, n, h, w)."""
        (h, w), (sH, sW), C = size, self.stride, images.shape[1]
        view = images.reshape(len(images) // n, n, C, h, sH, w, sW).transpose(0, 2, 4, 6, 1, 3, 5)
        return view[:, :, : self.phases[0], : self.phases[1]]

    def _places(self, Y: FloatArray, O: int, n: int) -> FloatArray:
        """View the places in rows Y at which windows begin that are kept, as (G, n, O, H', W')."""
        places = Y[:, :O, : n * self.length].reshape(len(Y), O, n, *self.size)
        return places[..., : self.out[0], : self.out[1]].transpose(0, 2, 1, 3, 4)

    def _framed(self, x: FloatArray) -> tuple[FloatArray, Slices, Slices]:
        """Return zeros for x with its padding, as far as windows reach; which of these are x, and which part of x that is.

        Where that is all of x, and it needs no padding, the array returned is x itself.
        """
        lengths = [n * s for n, s in zip(self.size, self.stride)]
        if tuple(lengths) == x.shape[2:] and self.padding == (0, 0) and self.phases == self.stride:
            return x, (), ()
        kept = [max(0, min(n, length - p)) for p, n, length in zip(self.padding, x.shape[2:], lengths)]
        inside = (..., *(slice(p, p + n) for p, n in zip(self.padding, kept)))
        return np.zeros((*x.shape[:2], *lengths), x.dtype), inside, (..., *map(slice, kept))


rows_for = lru_cache(Rows)  # the next batch has images of the same size


def fours(a: FloatArray) -> FloatArray:
    """Return `a` with zeros below, so that its length is a multiple of four."""
    return a if len(a) % 4 == 0 else np.concatenate([a, np.zeros((-len(a) % 4, *a.shape[1:]), a.dtype)])
