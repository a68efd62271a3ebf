"""Pooling: the maximum of small windows (N2), or a summary of the whole clip (N9), and their backward passes (N7.4, N7.5)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acai.errors import InputError, unknown
from acai.nn.fast.batches import map_batch_chunks
from acai.nn.layer import FloatArray, Layer, out_size, pair


class MaxPool2D(Layer):
    """(N, C, H, W) → (N, C, H', W'): the largest number of every window (N2).

    H' = ⌊(H + 2·padding − height) / stride⌋ + 1, and W' likewise. In the backward pass each gradient goes to the place of
    the maximum.

    Parameters
    ----------
    pool_size : int or (height, width)
        The size of the window.
    stride : int or (vertical, horizontal) or None
        How far the window moves; with None, by its own size, so that windows touch but do not overlap.
    padding : int or (vertical, horizontal)
        How far windows may reach over each edge. What lies there is never the maximum. Must be less than `pool_size`.

    Notes
    -----
    At a tie the whole gradient goes to the first maximum, row by row. The maximum of a window with a NaN is NaN.
    """

    axes = ("N", "C", "H", "W")
    _argmax: NDArray[np.int32]

    def __init__(
        self, pool_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0
    ) -> None:
        super().__init__()
        self.pool_size = pair("pool_size", pool_size, 1)
        self.stride = self.pool_size if stride is None else pair("stride", stride, 1)
        self.padding = pair("padding", padding, 0)
        if any(p >= k for p, k in zip(self.padding, self.pool_size)):
            raise InputError(f"{self}: padding must be less than pool_size, or a window could lie entirely outside")

    def _forward(self, x: FloatArray) -> FloatArray:
        from acai.nn.fast import kernels

        window = self.pool_size, self.stride, self.padding
        y = np.empty(x.shape[:2] + out_size(self, x.shape, *window), x.dtype)
        self._argmax = np.empty(y.shape, np.int32)

        def pool(x: FloatArray, y: FloatArray, argmax: NDArray[np.int32]) -> None:
            kernels.max_pool(x, *window, y, argmax)  # (N2)

        map_batch_chunks(pool, x, y, self._argmax)
        return y

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        from acai.nn.fast import kernels

        dx = np.empty_like(x)
        map_batch_chunks(kernels.max_unpool, dy, self._argmax, dx)  # (N7.4)
        return dx


class GlobalPool(Layer):
    """(N, C, H, T) → (N, kinds·C·H): mean, maximum and L2 norm of every row over all of time, side by side (N9).

    A clip may have any length. After Dieleman 2014, "Recommending music on Spotify with deep learning". The L2 norm is
    divided by √T, or a longer clip would have a larger one. Its gradient at a row of zeros, where it has a kink, is zero.

    Parameters
    ----------
    kinds : sequence of {"mean", "max", "l2"}
        Which summaries, in which order.
    """

    axes = ("N", "C", "H", "T")

    def __init__(self, kinds: Sequence[str] = ("mean", "max", "l2")) -> None:
        if not isinstance(kinds, tuple | list) or not kinds:
            raise InputError(f"kinds={kinds!r}; expected a list of summaries, as in ['mean', 'max', 'l2']")
        for kind in kinds:
            if kind not in ("mean", "max", "l2"):
                raise unknown("kind of summary", kind, ["mean", "max", "l2"])
        super().__init__()
        self.kinds = tuple(kinds)

    def _forward(self, x: FloatArray) -> FloatArray:
        N, C, H, T = x.shape
        if T == 0:
            raise InputError(f"{self}.forward: x has shape {x.shape}; expected at least one time step")
        summaries = {"mean": x.mean(axis=3), "max": x.max(axis=3), "l2": np.sqrt((x * x).mean(axis=3))}  # (N9)
        return np.stack([summaries[kind] for kind in self.kinds], axis=1).reshape(N, len(self.kinds) * C * H)  # (N9)

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        N, C, H, T = x.shape
        norm = T * np.sqrt((x * x).mean(axis=3, keepdims=True))
        slopes = {
            "mean": np.full_like(x, 1 / T),  # (N7.5)
            "max": np.arange(T) == x.argmax(axis=3, keepdims=True),  # (N7.5)
            "l2": np.divide(x, norm, out=np.zeros_like(x), where=norm != 0),  # (N7.5)
        }
        dy = dy.reshape(N, len(self.kinds), C, H, 1)
        return sum((dy[:, k] * slopes[kind] for k, kind in enumerate(self.kinds)), np.zeros_like(x))  # (N7.5)
