"""Convolution (N1), and its backward pass (N7.1, N7.2, N7.3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

from acai.nn.fast.batches import map_batch_chunks
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
    The sum over c and p is a matrix product, computed for all kW taps q of the kernel at once; then the taps' results,
    each shifted by its q, are added up. Where the kernel is as high as the input or one row high, that product reads `x`
    as it lies in memory, and nothing is copied; unrolling all windows ("im2col", Chellapilla et al. 2006) would copy every
    number kH·kW times. With a horizontal stride above 1, the columns in between are computed too, and dropped.
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

        W, b = self.params["W"], self.params["b"]
        O, C, kH, kW = W.shape
        W_taps = W.transpose(0, 3, 1, 2).reshape(O * kW, C * kH)
        rows = self._rows(x)
        H_out, Wp = rows.shape[3:]  # Wp: the width of x with its padding
        y = np.empty((len(x), O, H_out, Wp - kW + 1), x.dtype)

        def convolve(rows: FloatArray, y: FloatArray) -> None:
            n = len(y)
            Z = W_taps @ rows.reshape(n, C * kH, H_out * Wp)  # reshape copies only where it must
            kernels.add_taps(Z.reshape(n, O, kW, H_out, Wp), b, y)  # (N1)

        map_batch_chunks(convolve, rows, y, scratch=O * kW * H_out * Wp)
        return np.ascontiguousarray(y[..., :: self.stride[1]])

    def _backward(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        return self._gradients(dy, x, want_dx=True)

    def _backward_params(self, dy: FloatArray, x: FloatArray, y: FloatArray) -> None:
        self._gradients(dy, x, want_dx=False)

    def _gradients(self, dy: FloatArray, x: FloatArray, want_dx: bool) -> FloatArray:
        """Compute `grads`, and dx if it is wanted."""
        from acai.nn.fast import kernels

        W = self.params["W"]
        O, C, kH, kW = W.shape
        W_taps = np.ascontiguousarray(W.transpose(1, 2, 0, 3).reshape(C * kH, O * kW))
        rows = self._rows(x)
        H_out, Wp = rows.shape[3:]
        dx = np.empty_like(x)

        def chunk_gradients(dy: FloatArray, rows: FloatArray, dx: FloatArray) -> tuple[FloatArray, FloatArray]:
            n = len(dy)
            dZ_taps = np.empty((n, O, kW, H_out, Wp), x.dtype)
            kernels.spread_taps(dy, dZ_taps)
            dZ = dZ_taps.reshape(n, O * kW, H_out * Wp)
            if want_dx:
                drows = W_taps @ dZ  # (N7.1)
                kernels.fold_rows(drows.reshape(n, C, kH, H_out, Wp), self.stride[0], self.padding, dx)
            dW = dZ @ rows.reshape(n, C * kH, H_out * Wp).transpose(0, 2, 1)  # (N7.2)
            return dW.sum(axis=0), dy.sum(axis=(0, 2, 3))  # (N7.3)

        dy = self._all_columns(dy, Wp - kW + 1)
        chunks = map_batch_chunks(chunk_gradients, dy, rows, dx, scratch=O * kW * H_out * Wp)
        dW = sum((dW for dW, _ in chunks), np.zeros((O * kW, C * kH), x.dtype))
        self.grads["W"] = np.ascontiguousarray(dW.reshape(O, kW, C, kH).transpose(0, 2, 3, 1))
        self.grads["b"] = sum((db for _, db in chunks), np.zeros(O, x.dtype))
        return dx

    def _rows(self, x: FloatArray) -> FloatArray:
        """Return a view of row p of the window of each output row, for every channel: (N, C, kH, H', Wp = W + 2·padding)."""
        out_size(self, x.shape, self.kernel_size, self.stride, self.padding)  # refuses x if there is no output
        pH, pW = self.padding
        if pH or pW:
            x = np.pad(x, ((0, 0), (0, 0), (pH, pH), (pW, pW)))
        windows = sliding_window_view(x, self.kernel_size[0], axis=2)
        return windows[:, :, :: self.stride[0]].transpose(0, 1, 4, 2, 3)

    def _all_columns(self, dy: FloatArray, width: int) -> FloatArray:
        """Return dy with the columns that the horizontal stride drops; no gradient comes to these."""
        if self.stride[1] == 1:
            return dy
        wide = np.zeros((*dy.shape[:3], width), dy.dtype)
        wide[..., :: self.stride[1]] = dy
        return wide
