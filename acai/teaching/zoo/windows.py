"""The zoo: convolutions and pooling."""

import numpy as np


class Conv1D:
    """(N, C, T), one tap of the kernel after the other."""

    def __init__(self, C=2, O=3, K=3):
        rng = np.random.default_rng(0)
        self.params, self.grads = {"W": rng.normal(size=(O, C, K)), "b": np.zeros(O)}, {}

    def forward(self, x):
        self.x, W = x, self.params["W"]
        T = x.shape[2] - W.shape[2] + 1
        return sum(np.einsum("oc,nct->not", W[:, :, k], x[:, :, k : k + T]) for k in range(W.shape[2])) + self.params["b"][:, None]

    def backward(self, dy):
        W, T, dx = self.params["W"], dy.shape[2], np.zeros_like(self.x)
        self.grads["W"], self.grads["b"] = np.zeros_like(W), dy.sum(axis=(0, 2))
        for k in range(W.shape[2]):
            dx[:, :, k : k + T] += np.einsum("oc,not->nct", W[:, :, k], dy)
            self.grads["W"][:, :, k] = np.einsum("not,nct->oc", dy, self.x[:, :, k : k + T])
        return dx


class Conv2D:
    """Naive loops, with stride and padding."""

    def __init__(self, C=2, O=3, K=3, stride=1, pad=1):
        self.W, self.b = np.random.default_rng(0).normal(size=(O, C, K, K)), np.zeros(O)
        self.stride, self.pad = stride, pad

    def forward(self, x):
        p, s, K = self.pad, self.stride, self.W.shape[2]
        self.xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        H, W = ((n - K) // s + 1 for n in self.xp.shape[2:])
        y = np.zeros((len(x), len(self.W), H, W))
        for i in range(H):
            for j in range(W):
                window = self.xp[:, :, i * s : i * s + K, j * s : j * s + K]
                y[:, :, i, j] = np.tensordot(window, self.W, axes=([1, 2, 3], [1, 2, 3])) + self.b
        return y

    def backward(self, dy):
        p, s, K = self.pad, self.stride, self.W.shape[2]
        dxp, self.dW = np.zeros_like(self.xp), np.zeros_like(self.W)
        self.db = dy.sum(axis=(0, 2, 3))
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                window = self.xp[:, :, i * s : i * s + K, j * s : j * s + K]
                self.dW += np.tensordot(dy[:, :, i, j], window, axes=(0, 0))
                dxp[:, :, i * s : i * s + K, j * s : j * s + K] += np.tensordot(dy[:, :, i, j], self.W, axes=(1, 0))
        return dxp[:, :, p : dxp.shape[2] - p, p : dxp.shape[3] - p]


class Im2ColConv:
    """Valid convolution as one matrix product."""

    def __init__(self, C=2, O=3, K=2):
        self.W = np.random.default_rng(0).normal(size=(O, C, K, K))

    def forward(self, x):
        self.shape, K = x.shape, self.W.shape[2]
        view = np.lib.stride_tricks.sliding_window_view(x, (K, K), axis=(2, 3))
        self.columns = view.transpose(0, 2, 3, 1, 4, 5).reshape(-1, self.W[0].size)
        N, _, H, W = view.shape[:4]
        return (self.columns @ self.W.reshape(len(self.W), -1).T).reshape(N, H, W, -1).transpose(0, 3, 1, 2)

    def backward(self, dy):
        N, O, H, W = dy.shape
        flat, K = dy.transpose(0, 2, 3, 1).reshape(-1, O), self.W.shape[2]
        self.dW = (flat.T @ self.columns).reshape(self.W.shape)
        dcolumns = (flat @ self.W.reshape(O, -1)).reshape(N, H, W, -1, K, K)
        dx = np.zeros(self.shape)
        for p in range(K):
            for q in range(K):
                dx[:, :, p : p + H, q : q + W] += dcolumns[:, :, :, :, p, q].transpose(0, 3, 1, 2)
        return dx


class DilatedConv:
    def __init__(self, C=2, O=2, dilation=2):
        self.W, self.d = np.random.default_rng(0).normal(size=(O, C, 2, 2)), dilation

    def forward(self, x):
        self.x, d = x, self.d
        H, W = x.shape[2] - d, x.shape[3] - d
        taps = [(p, q) for p in (0, 1) for q in (0, 1)]
        return sum(np.einsum("oc,nchw->nohw", self.W[:, :, p, q], x[:, :, p * d : p * d + H, q * d : q * d + W]) for p, q in taps)

    def backward(self, dy):
        d, (H, W), dx = self.d, dy.shape[2:], np.zeros_like(self.x)
        self.dW = np.zeros_like(self.W)
        for p in (0, 1):
            for q in (0, 1):
                rows, columns = slice(p * d, p * d + H), slice(q * d, q * d + W)
                dx[:, :, rows, columns] += np.einsum("oc,nohw->nchw", self.W[:, :, p, q], dy)
                self.dW[:, :, p, q] = np.einsum("nohw,nchw->oc", dy, self.x[:, :, rows, columns])
        return dx


class DepthwiseConv:
    def __init__(self, C=3, K=2):
        self.W = np.random.default_rng(0).normal(size=(C, K, K))

    def forward(self, x):
        self.view = np.lib.stride_tricks.sliding_window_view(x, self.W.shape[1:], axis=(2, 3))
        return np.einsum("nchwpq,cpq->nchw", self.view, self.W)

    def backward(self, dy):
        self.dW = np.einsum("nchwpq,nchw->cpq", self.view, dy)
        (N, C, H, W), K = dy.shape, self.W.shape[1]
        dx = np.zeros((N, C, H + K - 1, W + K - 1))
        for p in range(K):
            for q in range(K):
                dx[:, :, p : p + H, q : q + W] += dy * self.W[:, p, q][:, None, None]
        return dx


class TransposedConv:
    """Each input paints its kernel into the output, two apart."""

    def __init__(self, C=2, O=3, K=3):
        self.W = np.random.default_rng(0).normal(size=(C, O, K, K))

    def forward(self, x):
        self.x, K, (N, _, H, W) = x, self.W.shape[2], x.shape
        y = np.zeros((N, self.W.shape[1], 2 * H - 2 + K, 2 * W - 2 + K))
        for i in range(H):
            for j in range(W):
                y[:, :, 2 * i : 2 * i + K, 2 * j : 2 * j + K] += np.tensordot(x[:, :, i, j], self.W, axes=(1, 0))
        return y

    def backward(self, dy):
        K, dx = self.W.shape[2], np.zeros_like(self.x)
        self.dW = np.zeros_like(self.W)
        for i in range(dx.shape[2]):
            for j in range(dx.shape[3]):
                window = dy[:, :, 2 * i : 2 * i + K, 2 * j : 2 * j + K]
                dx[:, :, i, j] = np.tensordot(window, self.W, axes=([1, 2, 3], [1, 2, 3]))
                self.dW += np.tensordot(self.x[:, :, i, j], window, axes=(0, 0))
        return dx


class PointwiseConv:
    """1 × 1, channels last."""

    def __init__(self, C=3, O=2):
        self.W, self.b = np.random.default_rng(0).normal(size=(C, O)), np.zeros(O)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = np.einsum("nhwc,nhwo->co", self.x, dy)
        self.db = dy.sum(axis=(0, 1, 2))
        return dy @ self.W.T


class MaxPool:
    """Overlapping where the stride is less than the size."""

    def __init__(self, size=3, stride=2):
        self.size, self.stride = size, stride

    def forward(self, x):
        self.x, k, s = x, self.size, self.stride
        view = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::s, ::s]
        flat = view.reshape(*view.shape[:4], -1)
        self.best = flat.argmax(axis=-1)
        return flat.max(axis=-1)

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for n, c, i, j in np.ndindex(dy.shape):
            p, q = divmod(self.best[n, c, i, j], self.size)
            dx[n, c, i * self.stride + p, j * self.stride + q] += dy[n, c, i, j]
        return dx


class AveragePool:
    def forward(self, x):
        N, C, H, W = x.shape
        return x.reshape(N, C, H // 2, 2, W // 2, 2).mean(axis=(3, 5))

    def backward(self, dy):
        return dy.repeat(2, axis=2).repeat(2, axis=3) / 4


class OverlappingAverage:
    def forward(self, x):
        self.shape = x.shape
        return (x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]) / 3

    def backward(self, dy):
        dx = np.zeros(self.shape)
        dx[:, :, :-2] += dy / 3
        dx[:, :, 1:-1] += dy / 3
        dx[:, :, 2:] += dy / 3
        return dx


class GlobalAverage:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dy):
        _, _, H, W = self.shape
        return np.broadcast_to(dy[:, :, None, None] / (H * W), self.shape).copy()


class GlobalMax:
    def forward(self, x):
        self.shape = x.shape
        flat = x.reshape(*x.shape[:2], -1)
        self.best = flat.argmax(axis=2)
        return flat.max(axis=2)

    def backward(self, dy):
        dx = np.zeros((*dy.shape, np.prod(self.shape[2:])))
        np.put_along_axis(dx, self.best[:, :, None], dy[:, :, None], axis=2)
        return dx.reshape(self.shape)


class L2Pool:
    def forward(self, x):
        self.x, self.y = x, np.sqrt((x**2).sum(axis=(2, 3)))
        return self.y

    def backward(self, dy):
        return (dy / self.y)[:, :, None, None] * self.x
