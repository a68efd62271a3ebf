"""The zoo: recurrent layers, attention and embeddings."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class RNN:
    """(N, T, D) → (N, T, H)."""

    def __init__(self, D=3, H=4):
        rng = np.random.default_rng(0)
        self.Wx, self.Wh, self.b = rng.normal(size=(D, H)), rng.normal(size=(H, H)), np.zeros(H)

    def forward(self, x):
        self.x, self.h = x, [np.zeros((len(x), len(self.b)))]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ self.Wx + self.h[-1] @ self.Wh + self.b))
        return np.stack(self.h[1:], axis=1)

    def backward(self, dy):
        dx, dh = np.zeros_like(self.x), 0
        self.dWx, self.dWh, self.db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        for t in reversed(range(dy.shape[1])):
            dz = (dy[:, t] + dh) * (1 - self.h[t + 1] ** 2)
            self.dWx += self.x[:, t].T @ dz
            self.dWh += self.h[t].T @ dz
            self.db += dz.sum(axis=0)
            dx[:, t] = dz @ self.Wx.T
            dh = dz @ self.Wh.T
        return dx


class LastState:
    """An RNN of which only the last state comes out."""

    def __init__(self, D=3, H=3):
        rng = np.random.default_rng(0)
        self.params, self.grads = {"Wx": rng.normal(size=(D, H)), "Wh": rng.normal(size=(H, H))}, {}

    def forward(self, x):
        self.x, self.h = x, [np.zeros((len(x), len(self.params["Wh"])))]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ self.params["Wx"] + self.h[-1] @ self.params["Wh"]))
        return self.h[-1]

    def backward(self, dy):
        self.grads = {name: np.zeros_like(w) for name, w in self.params.items()}
        dx, dh = np.zeros_like(self.x), dy
        for t in reversed(range(dx.shape[1])):
            dz = dh * (1 - self.h[t + 1] ** 2)
            self.grads["Wx"] += self.x[:, t].T @ dz
            self.grads["Wh"] += self.h[t].T @ dz
            dx[:, t], dh = dz @ self.params["Wx"].T, dz @ self.params["Wh"].T
        return dx


class LSTM:
    def __init__(self, D=3, H=2):
        rng = np.random.default_rng(0)
        self.H, self.grads = H, {}
        self.params = {"Wx": rng.normal(size=(D, 4 * H)), "Wh": rng.normal(size=(H, 4 * H)), "b": np.zeros(4 * H)}

    def forward(self, x):
        h = c = np.zeros((len(x), self.H))
        self.x, self.steps, out = x, [], []
        for t in range(x.shape[1]):
            z = x[:, t] @ self.params["Wx"] + h @ self.params["Wh"] + self.params["b"]
            i, f, o, g = (function(part) for function, part in zip([sigmoid] * 3 + [np.tanh], np.split(z, 4, axis=1)))
            before = h, c
            c = f * c + i * g
            h = o * np.tanh(c)
            self.steps.append((before, i, f, o, g, c))
            out.append(h)
        return np.stack(out, axis=1)

    def backward(self, dy):
        self.grads = {name: np.zeros_like(w) for name, w in self.params.items()}
        dx, dh, dc = np.zeros_like(self.x), 0, 0
        for t in reversed(range(dy.shape[1])):
            (h0, c0), i, f, o, g, c = self.steps[t]
            dh = dy[:, t] + dh
            tc = np.tanh(c)
            dc = dc + dh * o * (1 - tc**2)
            di, df, do, dg = dc * g, dc * c0, dh * tc, dc * i
            dz = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
            self.grads["Wx"] += self.x[:, t].T @ dz
            self.grads["Wh"] += h0.T @ dz
            self.grads["b"] += dz.sum(axis=0)
            dx[:, t] = dz @ self.params["Wx"].T
            dh, dc = dz @ self.params["Wh"].T, dc * f
        return dx


class GRU:
    def __init__(self, D=3, H=3):
        rng = np.random.default_rng(0)
        self.Wz, self.Wr, self.Wn = (rng.normal(size=(D + H, H)) for _ in range(3))

    def forward(self, x):
        h = np.zeros((len(x), self.Wz.shape[1]))
        self.x, self.steps, out = x, [], []
        for t in range(x.shape[1]):
            joined = np.hstack([x[:, t], h])
            z, r = sigmoid(joined @ self.Wz), sigmoid(joined @ self.Wr)
            reset = np.hstack([x[:, t], r * h])
            n = np.tanh(reset @ self.Wn)
            self.steps.append((joined, reset, z, r, n, h))
            h = (1 - z) * n + z * h
            out.append(h)
        return np.stack(out, axis=1)

    def backward(self, dy):
        D, dx, dh = self.x.shape[2], np.zeros_like(self.x), 0
        self.dWz, self.dWr, self.dWn = (np.zeros_like(w) for w in (self.Wz, self.Wr, self.Wn))
        for t in reversed(range(dy.shape[1])):
            joined, reset, z, r, n, h = self.steps[t]
            dh = dy[:, t] + dh
            dn = dh * (1 - z) * (1 - n**2)
            dz = dh * (h - n) * z * (1 - z)
            dreset = dn @ self.Wn.T
            dr = dreset[:, D:] * h * r * (1 - r)
            self.dWn += reset.T @ dn
            self.dWz += joined.T @ dz
            self.dWr += joined.T @ dr
            djoined = dz @ self.Wz.T + dr @ self.Wr.T
            dx[:, t] = djoined[:, :D] + dreset[:, :D]
            dh = dh * z + djoined[:, D:] + dreset[:, D:] * r
        return dx


class Attention:
    """Self-attention of one head, (N, T, D) → (N, T, D)."""

    def __init__(self, D=4, causal=False, scaled=True):
        rng = np.random.default_rng(0)
        self.Wq, self.Wk, self.Wv = (rng.normal(size=(D, D)) for _ in range(3))
        self.causal, self.scale = causal, 1 / np.sqrt(D) if scaled else 1.0

    def forward(self, x):
        self.x, self.q, self.k, self.v = x, x @ self.Wq, x @ self.Wk, x @ self.Wv
        s = self.scale * self.q @ self.k.transpose(0, 2, 1)
        if self.causal:
            s = np.where(np.tri(x.shape[1], dtype=bool), s, -1e9)
        e = np.exp(s - s.max(axis=-1, keepdims=True))
        self.a = e / e.sum(axis=-1, keepdims=True)
        return self.a @ self.v

    def backward(self, dy):
        dv, da = self.a.transpose(0, 2, 1) @ dy, dy @ self.v.transpose(0, 2, 1)
        ds = self.scale * self.a * (da - (da * self.a).sum(axis=-1, keepdims=True))
        dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q
        self.dWq, self.dWk, self.dWv = (np.einsum("ntd,nte->de", self.x, d) for d in (dq, dk, dv))
        return dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T


class UnscaledAttention(Attention):
    """As it was before 2017."""

    def __init__(self, D=4):
        super().__init__(D, scaled=False)


class CrossAttention:
    """Queries of x, keys and values that are parameters."""

    def __init__(self, D=3, M=4):
        rng = np.random.default_rng(0)
        self.params, self.grads = {"K": rng.normal(size=(M, D)), "V": rng.normal(size=(M, D))}, {}

    def forward(self, x):
        self.x, s = x, x @ self.params["K"].T
        e = np.exp(s - s.max(axis=-1, keepdims=True))
        self.a = e / e.sum(axis=-1, keepdims=True)
        return self.a @ self.params["V"]

    def backward(self, dy):
        da = dy @ self.params["V"].T
        ds = self.a * (da - (da * self.a).sum(axis=-1, keepdims=True))
        self.grads["V"] = self.a.T @ dy
        self.grads["K"] = ds.T @ self.x
        return ds @ self.params["K"]


class Positions:
    """Learned positions, added."""

    def __init__(self, T=3, D=4):
        self.P = np.random.default_rng(0).normal(size=(T, D))

    def forward(self, x):
        return x + self.P

    def backward(self, dy):
        self.dP = dy.sum(axis=0)
        return dy


class Embedding:
    def __init__(self, V=5, D=3):
        self.W = np.random.default_rng(0).normal(size=(V, D))

    def forward(self, x):
        self.x = x
        return self.W[x]

    def backward(self, dy):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.x, dy)


class EmbeddingBag:
    """The mean of the rows of each sentence."""

    def __init__(self, V=6, D=3):
        self.params, self.grads = {"W": np.random.default_rng(0).normal(size=(V, D))}, {}

    def forward(self, x):
        self.x = x
        return self.params["W"][x].mean(axis=1)

    def backward(self, dy):
        self.grads["W"] = np.zeros_like(self.params["W"])
        for n, t in np.ndindex(self.x.shape):
            self.grads["W"][self.x[n, t]] += dy[n] / self.x.shape[1]
