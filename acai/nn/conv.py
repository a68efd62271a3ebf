"""Convolution (N1), and its backward pass (N7.1, N7.2, N7.3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from acai.nn.fast.batches import map_batch_chunks
from acai.nn.fast.rows import APART, Rows, fours, rows_for
from acai.nn.layer import FloatArray, Layer, float_dtype, initial_params, out_size, pair
from acai.settings import checked


class Conv2D(Layer):
    """(N, C, H, W) → (N, O, H', W'): every output channel sees all input channels through a small, sliding window (N1).

    H' = ⌊(H + 2·padding − kH) / stride⌋ + 1, and W' likewise. It is a cross-correlation: the kernel is not flipped. A
    sound is convolved over time either as one channel with a kernel as high as the spectrogram, `Conv2D(1, 32, (128, 4))`
    on (N, 1, 128, T), or as one channel for each mel band, `Conv2D(128, 32, (1, 4))` on (N, 128, 1, T).

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size : int or (height, width)
        kH and kW.
    stride : int or (vertical, horizontal)
        How far the window moves between two outputs.
    padding : int or (vertical, horizontal)
        How many zeros are added on each side of the input.
    seed : int or None
        Seed of the random weights; with None, they are different every time. The bias starts at zero.
    dtype : type
        np.float32 or np.float64; the input must have the same.
    init : {"he", "glorot"}
        The size of the random weights; see `acai.nn.layer.initial_params`.

    Notes
    -----
    In a row that holds a channel line by line, the number under tap (p, q) is always equally far from the one under tap
    (0, 0); so (N1) adds up shifted rows, y(o, j) = b(o) + Σ_k W(o, k) x(channel(k), j + shift(k)) with k = (c, p, q).
    Its gradients are sums of the same kind: dx(c, j) = Σ W(o, k) dy(o, j − shift(k)) adds up shifted rows of dy, and
    dW(o, k) = Σ_j dy(o, j) x(channel(k), j + shift(k)) multiplies rows with each other. Unrolling all windows into a matrix
    ("im2col", Chellapilla et al. 2006) would copy every number kH·kW times; see `acai.nn.fast.rows`.
    """

    def __init__(  # noqa: PLR0913 - this is what defines a convolution, under the names that other libraries use
        self, in_channels: int, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0, seed: int | None = None, dtype: DTypeLike = np.float32, init: str = "he",
    ) -> None:
        super().__init__()
        shape = self.weight_shape(in_channels, out_channels, kernel_size)
        self.out_channels, self.in_channels = shape[:2]
        self.kernel_size = shape[2:]
        self.stride = pair("stride", stride, 1)
        self.padding = pair("padding", padding, 0)
        self.dtype = float_dtype(dtype).name
        self.init = init
        self.params = initial_params(shape, init, seed, dtype)
        self.axes = "N", self.in_channels, "H", "W"

    @staticmethod
    def weight_shape(
        in_channels: int, out_channels: int, kernel_size: int | Sequence[int], **others: Any
    ) -> tuple[int, int, int, int]:
        """Return (O, C, kH, kW)."""
        O, C = checked("out_channels", out_channels), checked("in_channels", in_channels)
        return O, C, *pair("kernel_size", kernel_size, 1)

    def _forward(self, x: FloatArray) -> FloatArray:
        from acai.nn.fast import kernels

        rows, O = self._rows(x), self.out_channels
        W, b = fours(self.params["W"].reshape(O, -1)), fours(self.params["b"])
        y = np.empty((len(x), O, *rows.out), x.dtype)

        def convolve(x: FloatArray, y: FloatArray) -> None:
            x_rows = rows.of_images(x)
            y_rows = np.empty((len(x_rows), len(W), x_rows.shape[2] + APART), x.dtype)
            kernels.correlate(W, b, rows.channel, rows.shift, x_rows, y_rows)  # (N1)
            rows.to_outputs(y_rows, y)

        map_batch_chunks(convolve, x, y, scratch=O * rows.length, least=rows.least)
        return y

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        return self._gradients(dy, x, want_dx=True)

    def _backward_params(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> None:
        self._gradients(dy, x, want_dx=False)

    def _gradients(self, dy: FloatArray, x: FloatArray, want_dx: bool) -> FloatArray:
        """Compute `grads`, and dx if it is wanted."""
        from acai.nn.fast import kernels

        W, rows = self.params["W"], self._rows(x)
        weights, channel, shift = rows.of_weights(W)
        zeros, dx = np.zeros(len(weights), x.dtype), np.empty_like(x)

        def chunk_gradients(dy: FloatArray, x: FloatArray, dx: FloatArray) -> tuple[FloatArray, FloatArray]:
            x_rows, dy_rows = rows.of_images(x), rows.of_outputs(dy)
            dW = np.empty((dy_rows.shape[1], len(rows.shift)), x.dtype)
            db = dy.sum(axis=(0, 2, 3))  # (N7.3)
            kernels.products(dy_rows, rows.channel, rows.shift, x_rows, dW)  # (N7.2)
            if want_dx:
                dx_rows = np.empty((len(x_rows), len(weights), x_rows.shape[2] + APART), x.dtype)
                kernels.correlate(weights, zeros, channel, shift, dy_rows, dx_rows)  # (N7.1)
                rows.to_images(dx_rows, dx)
            return dW[: len(W), : W[0].size], db

        scratch = (rows.n_channels + len(W)) * rows.length
        chunks = map_batch_chunks(chunk_gradients, dy, x, dx, scratch=scratch, least=rows.least)
        self.grads["W"] = sum((dW for dW, _ in chunks), np.zeros((len(W), W[0].size), x.dtype)).reshape(W.shape)
        self.grads["b"] = sum((db for _, db in chunks), np.zeros(len(W), x.dtype))
        return dx

    def _rows(self, x: FloatArray) -> Rows:
        """Return how x lies in memory for the kernels; refuses x if there is no output."""
        out = out_size(self, x.shape, self.kernel_size, self.stride, self.padding)
        return rows_for((self.in_channels, *self.kernel_size), self.stride, self.padding, out)
