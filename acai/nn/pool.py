"""Pooling: the maximum of small windows (N2), or a summary of all of time (N9), and their ways back (N7.4, N7.5)."""

from collections.abc import Sequence

import numpy as np

from acai.errors import InputError, unknown
from acai.nn.layer import Layer, out_size, pair
from acai.nn.parallel import each_chunk


class MaxPool2D(Layer):
    """The largest number of every window (N2).

    Parameters
    ----------
    pool_size : int or (height, width)
        The size of the window.
    stride : int or (vertical, horizontal) or None
        How far the window moves; None moves it by its own size, so that windows touch but do not overlap.
    padding : int or (vertical, horizontal)
        How far windows may reach over each edge. What lies there is never the maximum. Must be less than `pool_size`.

    Notes
    -----
    A tie sends the whole gradient to the first maximum, row by row. A NaN in a window comes out as NaN.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
    ) -> None:
        self.pool_size, self.padding = pair("pool_size", pool_size, 1), pair("padding", padding, 0)
        self.stride = self.pool_size if stride is None else pair("stride", stride, 1)
        super().__init__(pool_size=self.pool_size, stride=self.stride, padding=self.padding)
        if any(p >= k for p, k in zip(self.padding, self.pool_size)):
            raise InputError(f"{self}: padding must be less than pool_size, or a window could lie wholly outside")

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(N, C, H, W) → (N, C, H', W'), with H' = ⌊(H + 2·padding − height) / stride⌋ + 1, and W' alike."""
        from acai.nn import kernels

        x = self._input(x, ("N", "C", "H", "W"))
        N, C, H, W = x.shape
        H_out, W_out = out_size(self, x.shape, self.pool_size, self.stride, self.padding)
        y = np.empty((N, C, H_out, W_out), x.dtype)
        where = np.empty(y.shape, np.int32)
        planes, y_planes, where_planes = (a.reshape(N * C, *a.shape[2:]) for a in (x, y, where))

        def some(start: int, stop: int) -> None:
            m = slice(start, stop)
            kernels.max_pool(planes[m], self.pool_size, self.stride, self.padding, y_planes[m], where_planes[m])  # (N2)

        each_chunk(some, N * C, H * W * x.itemsize)
        self._kept = x.shape, y, where
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dy (N, C, H', W') → dx (N, C, H, W): each number goes to where its maximum came from."""
        from acai.nn import kernels

        (N, C, H, W), y, where = self._recall()
        dy = self._upstream(dy, y)
        dx = np.empty((N * C, H * W), dy.dtype)
        dy_planes, where_planes = (a.reshape(N * C, *a.shape[2:]) for a in (dy, where))

        def some(start: int, stop: int) -> None:
            m = slice(start, stop)
            kernels.max_unpool(dy_planes[m], where_planes[m], dx[m])  # (N7.4)

        each_chunk(some, N * C, H * W * dy.itemsize)
        return dx.reshape(N, C, H, W)


class GlobalPool(Layer):
    """Mean, maximum and L2 norm of every row over all of time, side by side (N9), so that a clip may have any length.

    After Dieleman 2014, "Recommending music on Spotify with deep learning". The L2 norm is divided by √T, or a longer
    clip would have a larger one.

    Parameters
    ----------
    kinds : sequence of {"mean", "max", "l2"}
        Which summaries, in which order.
    """

    def __init__(self, kinds: Sequence[str] = ("mean", "max", "l2")) -> None:
        self.kinds = tuple(kinds)
        for kind in self.kinds:
            if kind not in ("mean", "max", "l2"):
                raise unknown("kind of summary", kind, ["mean", "max", "l2"])
        super().__init__(kinds=self.kinds)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(N, C, H, T) → (N, kinds·C·H)."""
        x = self._input(x, ("N", "C", "H", "T"))
        N, C, H, T = x.shape
        if T == 0:
            raise InputError(f"{self}.forward: x has shape {x.shape}; expected at least one step of time")
        summaries = {
            "mean": lambda: x.mean(axis=3),
            "max": lambda: x.max(axis=3),
            "l2": lambda: np.sqrt((x * x).mean(axis=3)),
        }
        y = np.stack([summaries[kind]() for kind in self.kinds], axis=1).reshape(N, len(self.kinds) * C * H)  # (N9)
        self._kept = x, y
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dy (N, kinds·C·H) → dx (N, C, H, T). A row of zeros gets nothing from its L2 norm, which has a kink there."""
        x, y = self._recall()
        N, C, H, T = x.shape
        dy, y = (a.reshape(N, len(self.kinds), C, H, 1) for a in (self._upstream(dy, y), y))
        dx = np.zeros_like(x)
        for k, kind in enumerate(self.kinds):  # (N7.5)
            if kind == "mean":
                dx += dy[:, k] / T
            elif kind == "max":
                dx += dy[:, k] * (np.arange(T) == x.argmax(axis=3, keepdims=True))
            else:
                norm = y[:, k] * T
                dx += dy[:, k] * np.divide(x, norm, out=np.zeros_like(x), where=norm != 0)
        return dx
