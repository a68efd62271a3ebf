"""Convolution (N1), and its way back (N7.1, N7.2, N7.3)."""

from collections.abc import Sequence

import numpy as np

from acai.nn.layer import Layer, initial_weights, out_size, pair, size
from acai.nn.parallel import each_chunk, scratch


class Conv2D(Layer):
    """Every output channel looks at all input channels through a small window that slides over height and width (N1).

    It is a cross-correlation: the kernel is not flipped. A sound is convolved over time either as one channel with a
    kernel as high as the spectrogram, `Conv2D(1, 32, (128, 4))` on (N, 1, 128, T), or as one channel for each mel
    band, `Conv2D(128, 32, (1, 4))` on (N, 128, 1, T).

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
        The size of the random weights; see `acai.nn.layer.initial_weights`.

    Notes
    -----
    The sum over c and p is a matrix product, done for all kW taps q of the kernel at once; then the taps' results, each
    moved by its q, are added up. Where the kernel is as high as the input or one row high, that product reads `x` as it
    lies in memory, and nothing is copied; unrolling whole windows ("im2col", Chellapilla et al. 2006) would copy every
    number kH·kW times. A horizontal stride above 1 computes the columns between, too, and leaves them.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        seed: int | None = None,
        dtype: type = np.float32,
        init: str = "he",
    ) -> None:
        C, O = size("in_channels", in_channels, 1), size("out_channels", out_channels, 1)
        self.kernel = pair("kernel_size", kernel_size, 1)
        self.stride, self.padding = pair("stride", stride, 1), pair("padding", padding, 0)
        super().__init__(
            in_channels=C, out_channels=O, kernel_size=self.kernel, stride=self.stride, padding=self.padding,
            dtype=np.dtype(dtype).name, init=init,
        )
        kH, kW = self.kernel
        W = initial_weights((O, C, kH, kW), C * kH * kW, O * kH * kW, init, seed, dtype)
        self.params = {"W": W, "b": np.zeros(O, W.dtype)}

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(N, C, H, W) → (N, O, H', W'), with H' = ⌊(H + 2·padding − kH) / stride⌋ + 1, and W' alike."""
        from acai.nn import kernels

        W, b = self.params["W"], self.params["b"]
        O, C, kH, kW = W.shape
        x = self._input(x, ("N", C, "H", "W"))
        H_out, W_out = out_size(self, x.shape, self.kernel, self.stride, self.padding)
        Wp = x.shape[3] + 2 * self.padding[1]
        W_taps = W.transpose(0, 3, 1, 2).reshape(O * kW, C * kH)
        y = np.empty((len(x), O, H_out, W_out), x.dtype)

        def some(start: int, stop: int) -> None:
            rows = self._rows(x[start:stop], H_out)  # (n, C·kH, H'·Wp)
            Z = scratch((stop - start, O * kW, H_out * Wp), x.dtype, "Z")
            np.matmul(W_taps, rows, out=Z)
            kernels.add_taps(Z.reshape(-1, O, kW, H_out, Wp), b, self.stride[1], y[start:stop])  # (N1)

        each_chunk(some, len(x), O * kW * H_out * Wp * x.itemsize)
        self._kept = x, y
        return y

    def backward(self, dy: np.ndarray, want_dx: bool = True) -> np.ndarray | None:
        """dy (N, O, H', W') → dx (N, C, H, W); leaves dW and db in `grads`. `want_dx=False` spares dx."""
        from acai.nn import kernels

        x, y = self._recall()
        dy = self._upstream(dy, y)
        W = self.params["W"]
        O, C, kH, kW = W.shape
        H_out, Wp = y.shape[2], x.shape[3] + 2 * self.padding[1]
        W_taps = np.ascontiguousarray(W.transpose(1, 2, 0, 3).reshape(C * kH, O * kW))
        dx = np.empty_like(x) if want_dx else None
        dW_parts: dict[int, np.ndarray] = {}

        def some(start: int, stop: int) -> None:
            n = stop - start
            dZ = scratch((n, O * kW, H_out * Wp), x.dtype, "Z")
            kernels.spread_taps(dy[start:stop], self.stride[1], dZ.reshape(n, O, kW, H_out, Wp))
            rows = self._rows(x[start:stop], H_out)  # (n, C·kH, H'·Wp)
            dW_each = scratch((n, O * kW, C * kH), x.dtype, "dW")
            dW_parts[start] = np.matmul(dZ, rows.transpose(0, 2, 1), out=dW_each).sum(axis=0)  # (N7.2)
            if not want_dx:
                return
            in_place = self._rows_lie_in(x)
            drows = dx[start:stop].reshape(n, C * kH, -1) if in_place else scratch(rows.shape, x.dtype, "drows")
            np.matmul(W_taps, dZ, out=drows)  # (N7.1)
            if not in_place:
                kernels.fold_rows(drows.reshape(n, C, kH, H_out, Wp), self.stride[0], self.padding, dx[start:stop])

        each_chunk(some, len(x), O * kW * H_out * Wp * x.itemsize)
        dW = sum((dW_parts[start] for start in sorted(dW_parts)), np.zeros((O * kW, C * kH), x.dtype))
        self.grads["W"] = np.ascontiguousarray(dW.reshape(O, kW, C, kH).transpose(0, 2, 3, 1))
        self.grads["b"] = dy.sum(axis=(0, 2, 3))  # (N7.3)
        return dx

    def _rows(self, x: np.ndarray, H_out: int) -> np.ndarray:
        """Row p of the window above output row i, for every channel: (n, C·kH, H'·Wp)."""
        from acai.nn import kernels

        (n, C, _, W), kH = x.shape, self.kernel[0]
        if self._rows_lie_in(x):
            return x.reshape(n, C * kH, -1)
        Wp = W + 2 * self.padding[1]
        rows = scratch((n, C, kH, H_out, Wp), x.dtype, "rows")
        kernels.unroll_rows(x, self.stride[0], self.padding, rows)
        return rows.reshape(n, C * kH, H_out * Wp)

    def _rows_lie_in(self, x: np.ndarray) -> bool:
        """Whether `x` itself, read as (n, C·kH, H'·W), is what `_rows` would build."""
        kH = self.kernel[0]
        return self.padding == (0, 0) and (kH == x.shape[2] or (kH == 1 and self.stride[0] == 1))
