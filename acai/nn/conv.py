"""Convolution (N1), and its way back (N7.1, N7.2, N7.3)."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from acai.nn.fast.batches import over_batch
from acai.nn.layer import Layer, float_dtype, initial_params, out_size, pair, size


class Conv2D(Layer):
    """(N, C, H, W) → (N, O, H', W'): every output channel sees all input channels through a small, sliding window (N1).

    H' = ⌊(H + 2·padding − kH) / stride⌋ + 1, and W' alike. It is a cross-correlation: the kernel is not flipped. A sound is
    convolved over time either as one channel with a kernel as high as the spectrogram, `Conv2D(1, 32, (128, 4))` on
    (N, 1, 128, T), or as one channel for each mel band, `Conv2D(128, 32, (1, 4))` on (N, 128, 1, T).

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size : int or (height, width)
        kH and kW.
    stride : int or (vertical, horizontal)
        How far the window moves between two outputs.
    padding : int or (vertical, horizontal)
        How many zeros are set on each side of the input.
    seed : int or None
        Of the random weights; None draws others every time. The bias starts at zero.
    dtype : type
        np.float32 or np.float64; the input must have it too.
    init : {"he", "glorot"}
        The size of the random weights; see `acai.nn.layer.initial_params`.

    Notes
    -----
    The sum over c and p is a matrix product, done for all kW taps q of the kernel at once; then the taps' results, each
    moved by its q, are added up. Where the kernel is as high as the input or one row high, that product reads `x` as it
    lies in memory, and nothing is copied; unrolling whole windows ("im2col", Chellapilla et al. 2006) would copy every
    number kH·kW times. A horizontal stride above 1 computes the columns between, too, and leaves them.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0, seed: int | None = None, dtype: type = np.float32, init: str = "he",
    ) -> None:
        O, C, *kernel = shape = self.weight_shape(in_channels, out_channels, kernel_size)
        super().__init__(
            in_channels=C, out_channels=O, kernel_size=tuple(kernel), stride=pair("stride", stride, 1),
            padding=pair("padding", padding, 0), dtype=float_dtype(dtype).name, init=init,
        )
        self.params = initial_params(shape, init, seed, dtype)
        self.axes = "N", C, "H", "W"

    @staticmethod
    def weight_shape(
        in_channels: int, out_channels: int, kernel_size: int | Sequence[int], **others: object
    ) -> tuple[int, int, int, int]:
        """(O, C, kH, kW)."""
        O, C = size("out_channels", out_channels, 1), size("in_channels", in_channels, 1)
        return O, C, *pair("kernel_size", kernel_size, 1)

    def _forward(self, x: np.ndarray) -> np.ndarray:
        from acai.nn.fast import kernels

        W, b = self.params["W"], self.params["b"]
        O, C, kH, kW = W.shape
        W_taps = W.transpose(0, 3, 1, 2).reshape(O * kW, C * kH)
        rows = self._rows(x)
        N, _, _, H_out, Wp = rows.shape  # Wp: the width of x with its padding
        y = np.empty((N, O, H_out, Wp - kW + 1), x.dtype)

        def forward_run(rows: np.ndarray, y: np.ndarray) -> None:
            n = len(y)
            Z = W_taps @ rows.reshape(n, C * kH, H_out * Wp)  # reshape copies only where it must
            kernels.add_taps(Z.reshape(n, O, kW, H_out, Wp), b, y)  # (N1)

        over_batch(forward_run, rows, y, passing=O * kW * H_out * Wp)
        return np.ascontiguousarray(y[..., :: self.stride[1]])

    def _backward(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray, want_dx: bool = True) -> np.ndarray | None:
        from acai.nn.fast import kernels

        W = self.params["W"]
        (O, C, kH, kW), (sH, sW) = W.shape, self.stride
        W_taps = np.ascontiguousarray(W.transpose(1, 2, 0, 3).reshape(C * kH, O * kW))
        rows = self._rows(x)
        N, _, _, H_out, Wp = rows.shape
        dx = np.empty_like(x)
        if sW > 1:  # no gradient comes to the columns between, which forward left
            wide = np.zeros((N, O, H_out, Wp - kW + 1), x.dtype)
            wide[..., ::sW] = dy
            dy = wide

        def backward_run(dy: np.ndarray, rows: np.ndarray, dx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            n = len(dy)
            dZ = np.empty((n, O, kW, H_out, Wp), x.dtype)
            kernels.spread_taps(dy, dZ)
            dZ = dZ.reshape(n, O * kW, H_out * Wp)
            if want_dx:
                drows = W_taps @ dZ  # (N7.1)
                kernels.fold_rows(drows.reshape(n, C, kH, H_out, Wp), sH, self.padding, dx)
            dW = dZ @ rows.reshape(n, C * kH, H_out * Wp).transpose(0, 2, 1)  # (N7.2)
            return dW.sum(axis=0), dy.sum(axis=(0, 2, 3))  # (N7.3)

        dW, db = (sum(parts) for parts in zip(*over_batch(backward_run, dy, rows, dx, passing=O * kW * H_out * Wp)))
        self.grads = {"W": np.ascontiguousarray(dW.reshape(O, kW, C, kH).transpose(0, 2, 3, 1)), "b": db}
        return dx if want_dx else None

    def _rows(self, x: np.ndarray) -> np.ndarray:
        """Row p of the window above each output row, for every channel: (N, C, kH, H', Wp = W + 2·padding), a view."""
        out_size(self, x.shape, self.kernel_size)  # or there is no output
        (pH, pW), kH = self.padding, self.kernel_size[0]
        if pH or pW:
            x = np.pad(x, ((0, 0), (0, 0), (pH, pH), (pW, pW)))
        return sliding_window_view(x, kH, axis=2)[:, :, :: self.stride[0]].transpose(0, 1, 4, 2, 3)
