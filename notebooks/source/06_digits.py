# %% [markdown]
# # 06 · A network that reads, and how to find what is wrong with it
#
# **The question:** can a handful of layers, each a page of code, learn to read handwriting? And when one line in them is
# wrong, how do you find it, if the network does not complain and even learns, only a little worse?
#
# You will train a small network on handwritten digits, look at what it has learnt, then break it on purpose, and learn to
# read the picture of an error. You need notebook 05: layers, `dy`, the gradient check.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits  # the digits come with scikit-learn; nothing is downloaded

from acai import gradcheck, nn, plots
from acai.nn import plain
from acai.teaching import bugs
from acai.teaching.exercises import check, exercises, hint

digits = load_digits()
x = (digits.images[:, None] / 16).astype(np.float32)  # (N, 1, 8, 8), from 0 (paper) to 1 (ink)
t = digits.target  # (N,), which digit it is
x_train, t_train, x_test, t_test = x[:1300], t[:1300], x[1300:], t[1300:]
print(f"{len(x_train)} digits for training, {len(x_test)} for testing")

exercises("06")

# %% [markdown]
# ## The digits
#
# There are 1,797 pictures of 8 × 8 pixels (Alpaydin and Kaynak 1998). The first 1,300 are for training, the others for
# testing.

# %%
plots.gallery(x[:20, 0], [str(digit) for digit in t[:20]])

# %% [markdown]
# ## The network
#
# Sixteen small windows look at the picture (N1); negative values are cut off (N3); of every 2 × 2 positions the strongest
# response is kept (N2); and a linear layer (N4) turns all that into ten scores, one for each digit.

# %%
def network(seed=0):
    return nn.Sequential([
        nn.Conv2D(1, 16, 3, padding=1, seed=seed),
        nn.ReLU(),
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 10, seed=seed + 1),
    ])


reader = network()
reader.summary((1, 8, 8))

# %% [markdown]
# ## How surprised is it? The softmax loss
#
# Ten scores y are turned into ten probabilities by the softmax, $p_k = e^{y_k} / \sum_j e^{y_j}$, and the loss (N6) is how
# *surprised* the network is by the correct class t: $-\log p_t$. A confident correct answer costs nothing, a confident wrong
# one a lot. A blind guess among ten classes gives each a probability of 1/10, and has a loss of log 10 ≈ 2.3. That is the
# first thing to look at: **an untrained network should have a loss near 2.3.** If it does not, something is wrong before
# anything is learnt.
#
# The backward pass is as simple as it gets (N7.13): $dy = (p - \text{1 at the correct class}) / N$. Scores that were too
# probable are pushed down, the correct one up. (Ours starts at 2.62: its scores are not all equal, so it makes small random
# bets, and pays for them. Scores near 0 would bring it to 2.30; a loss of 20 would be a fault.)

# %%
loss = nn.SoftmaxCrossEntropy()
y = reader.forward(x_train)
print(f"before training: loss {loss.forward(y, t_train):.2f}, and log 10 = {np.log(10):.2f}")


def probabilities(y):
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


fig, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained", width_ratios=(1, 3))
left.imshow(x_train[3, 0], cmap="Greys")
left.set(xticks=[], yticks=[], title="a three")
right.bar(range(10), probabilities(y[3:4])[0], color=plots.SKY, label="p, before training")
right.step(
    np.arange(11) - 0.5,
    [*(loss.backward()[3] * len(y)), 0],
    where="post",
    color=plots.RED,
    label="dy · N",
)
right.axhline(0, color=plots.BLACK, lw=0.8)
right.set(xticks=range(10), xlabel="class")
right.legend(frameon=False)
plots.axes(right)
plt.show()

# %% [markdown]
# ## Learning
#
# Learning takes just four lines: forward, loss, backward, step. The step is SGD with momentum (N8), the same as (C10) in
# notebook 04. Each epoch goes once through all digits, 32 at a time, in a new random order.

# %%
def learn(network, x, t, n_epochs=8, learning_rate=0.1, seed=0):
    """Train a network in place and return its mean loss in each epoch."""
    loss, descent = nn.SoftmaxCrossEntropy(), nn.SGD(network, learning_rate, momentum=0.9)
    rng, history = np.random.default_rng(seed), []
    for _ in range(n_epochs):
        losses = []
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            losses.append(loss.forward(network.forward(x[batch]), t[batch]))
            network.backward(loss.backward())
            descent.step()
        history.append(np.mean(losses))
    return history


def right(network, x=x_test, t=t_test):
    """Return the share of digits that it reads correctly."""
    return np.mean(network.predict(x).argmax(axis=1) == t)


history = learn(reader, x_train, t_train)
print(
    f"it reads {right(reader):.1%} of the test digits correctly, and it has never seen them before"
)
plots.descent({"conv network": history}, "loss (N6), mean of an epoch", level=np.log(10))
plt.show()

# %% [markdown]
# The dotted line is blind guessing. And the digits that the network misreads? You would misread some of them, too.

# %%
answer = reader.predict(x_test).argmax(axis=1)
wrong = np.flatnonzero(answer != t_test)[:20]
plots.gallery(x_test[wrong, 0], [f"{t_test[n]}, read {answer[n]}" for n in wrong])

# %% [markdown]
# ## What it has learnt to see
#
# Nobody told the network what to look for. Its sixteen kernels began as noise, and were pushed a little with each batch. Here
# are ten of them, and they still look like noise: nine numbers say little to the eye. Their *responses* say more. Below are
# the four strongest responses to a seven: each kernel picks out different parts of the strokes.

# %%
W = reader.layers[0].params["W"]  # (16, 1, 3, 3)
plots.matrices({f"o = {o}": W[o, 0] for o in range(10)}, numbers=False)

# %%
seven = x_test[t_test == 7][:1]
responses = nn.ReLU().forward(reader.layers[0].forward(seven))[0]  # (16, 8, 8)
strongest = np.argsort(-responses.sum(axis=(1, 2)))[:4]
plots.matrices(
    {"a seven": seven[0, 0], **{f"kernel {o}": responses[o] for o in strongest}}, numbers=False
)

# %% [markdown]
# ## One wrong line
#
# Now break it. `acai.nn.plain` has the same layers as a student would write them, and `acai.teaching.bugs` has broken
# versions of them. Here is the network again, with a convolution and a linear layer from there: once right, and four times
# with one wrong line in `backward`.

# %%
def suspect(conv=plain.Conv, linear=plain.Linear):
    """Return the network with a convolution and a linear layer of these classes."""
    first, last = conv(C=1, O=16, kernel=(3, 3), padding=(1, 1)), linear(D=256, O=10, seed=1)
    first.params["W"] *= np.sqrt(2 / 9)
    last.params["W"] *= np.sqrt(2 / 256)
    first.params["b"] *= 0
    last.params["b"] *= 0
    return nn.Sequential([first, nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), last])


names = (
    "Conv: dW, kernel flipped",
    "Conv: dW, first sample only",
    "Linear: dx, factor ½",
    "Linear: dW, mean",
)
suspects = {"right": suspect()}
for name in names:
    kind = name.split(":")[0].lower()
    suspects[name] = suspect(**{kind: bugs.find(name).broken()})
histories = {
    name: learn(network, x_train.astype(float), t_train, 4, 0.05)
    for name, network in suspects.items()
}
plots.descent(histories, "loss (N6), mean of an epoch", level=np.log(10))
plt.show()

# %%
plots.comparison(
    {name: right(network, x_test.astype(float)) for name, network in suspects.items()},
    "share read correctly",
)
plt.show()

# %% [markdown]
# **All of them learn.** Not one raises an error, the losses fall, and most end up so close to the right one that a different
# seed might put them in front. If you saw only one of these numbers, you would go home content. A network is so eager to
# learn that it works around a wrong gradient; the price is that it learns more slowly, or stops improving earlier, and nobody
# knows why.
#
# That is why you check gradients *before* training, and why the check must not be lenient. It takes a moment:

# %%
for name in ("right", *names):
    kind = plain.Conv if name == "right" else bugs.find(name).broken()
    print(f"{name:<30} {'right' if all(report.ok for report in bugs.hunt(kind)) else 'WRONG'}")

# %% [markdown]
# And now the entire network at once, from the picture to the scores, with every weight (a small version, so that it is
# quick). The step is smaller than the half in notebook 05: inside a network the numbers are no longer odd, and half a step on
# the picture would carry some of them across the kinks of ReLU and max pooling. Any power of two is exact, as long as it
# stays on one side.

# %%
small = [
    nn.Conv2D(1, 2, 3, padding=1, dtype=float),
    nn.ReLU(),
    nn.MaxPool2D(2),
    nn.Flatten(),
    nn.Linear(8, 3, dtype=float),
]
print(gradcheck.check(nn.Sequential(small), (2, 1, 4, 4), step=2.0**-8))

# %% [markdown]
# ## How to read the picture of an error
#
# A wrong gradient leaves fingerprints. `gradcheck.error_map` shows what `backward` says minus the true slope: white is
# exactly right, red is too much, blue too little. Samples are stacked vertically, channels are side by side, with black lines
# between them. Here are four to practise on, all of them in dx, for three samples with two channels:

# %%
rng = np.random.default_rng(0)
practice = {
    "Conv: dx, sign": {"C": 2, "O": 2},
    "Conv: stride forgotten": {"C": 2, "O": 2, "stride": (2, 2)},
    "MaxPool: overlap replaced": {"stride": (1, 1)},
    "ReLU: no mask": {},
}
fig, panels = plt.subplots(1, 4, figsize=(11, 4.4), layout="constrained")
for (name, arguments), panel in zip(practice.items(), panels):
    layer = bugs.find(name).broken()(**arguments)
    dx = gradcheck.check(layer, (3, 2, 6, 6)).findings[0]  # the first finding is about x
    gradcheck.error_map(dx, panel).set_title(name, fontsize=10)
plt.show()

# %% [markdown]
# * **Sign:** wrong everywhere, without a pattern. A wrong factor looks the same: the error is as large as the true gradient.
# * **Stride forgotten:** the first row of every square is right. That is where the window starts; with each step it is
#   further off.
# * **Overlap replaced:** wrong only here and there, at the pixels that are the largest in *two* overlapping windows.
# * **No mask:** half of the pixels, at random. Which ones? Exactly those where x was negative. It helps to put x next to the
#   picture.
#
# So look at what is *right*, and ask what these places have in common. When the picture does not tell you, take a smaller
# case: one sample, one channel, no padding. Then bring one thing back at a time until the error appears: the last thing that
# you brought back is where the bug is.

# %% [markdown]
# ### Exercise `06-prints` (10 minutes)
# Here are three pictures of dx, from three broken convolutions with a 3 × 3 kernel and no padding, for three samples with two
# channels each. Which of these six bugs did it? Think about what each of them would leave right.
#
# * `"replaced"`: `dx[...] = ` instead of `+=`, so that where windows overlap, the last one wins
# * `"one channel for all"`: the kernel of the first channel is used for every channel
# * `"batch reversed"`: the samples come back in reverse order
# * `"factor 2"`: everything is twice as large as it should be
# * `"channels mixed"`: the channels come back in reverse order
# * `"upstream of ones"`: dy is taken to be 1 everywhere

# %%
from acai.teaching.exercises.network import prints

fig, panels = plt.subplots(1, 3, figsize=(9, 4.4), layout="constrained")
for (letter, dx), panel in zip(prints().items(), panels):
    gradcheck.error_map(dx, panel).set_title(letter)
plt.show()

# %% exercise="06-prints"
verdicts = {"A": ..., "B": ..., "C": ...}

check("06-prints", verdicts)

# %% solution="06-prints"
verdicts = {
    "A": "batch reversed",  # the middle one of three samples keeps its place, so it is right
    # only one window sees a pixel in a corner: there is nothing to add up, so the corners are right
    "B": "replaced",
    "C": "one channel for all",  # the first channel is right
}

check("06-prints", verdicts)

# %% [markdown]
# ### Exercise `06-softmax` (15 minutes)
# Implement (N6) and (N7.13). Remember that $e^{1000}$ overflows to infinity, and that the softmax does not change if the
# same number is subtracted from all scores of a row.

# %% exercise="06-softmax"
def softmax_loss(y, t):
    """y (N, classes), the scores; t (N,), the correct classes → the loss, and dy (N, classes)."""
    loss = ...
    dy = ...
    return loss, dy


check("06-softmax", softmax_loss)

# %% solution="06-softmax"
def softmax_loss(y, t):
    """y (N, classes), the scores; t (N,), the correct classes → the loss, and dy (N, classes)."""
    rows = np.arange(len(y))
    shifted = y - y.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[rows, t].mean()  # (N6)
    dy = np.exp(log_p)
    dy[rows, t] -= 1
    return loss, dy / len(y)  # (N7.13)


check("06-softmax", softmax_loss)

# %% [markdown]
# ### Exercise `06-fix` (40 minutes)
# This convolution has **two** wrong lines in `backward`. Find them with the check and its pictures, and fix them. Run the
# check on small cases first: without padding, with stride 1.

# %% exercise="06-fix"
class Conv:
    def __init__(self, C=2, O=3, kernel=(2, 2), stride=(1, 1), padding=(0, 0), seed=0):
        rng = np.random.default_rng(seed)
        self.stride, self.padding = stride, padding
        self.params = {"W": rng.normal(size=(O, C, *kernel)), "b": rng.normal(size=O)}
        self.grads = {}

    def forward(self, x):
        W, b = self.params["W"], self.params["b"]
        (sH, sW), (pH, pW) = self.stride, self.padding
        self.x = np.pad(x, ((0, 0), (0, 0), (pH, pH), (pW, pW)))
        H_out = (self.x.shape[2] - W.shape[2]) // sH + 1
        W_out = (self.x.shape[3] - W.shape[3]) // sW + 1
        y = np.zeros((len(x), len(W), H_out, W_out)) + b[:, None, None]
        for p, q in np.ndindex(W.shape[2:]):
            seen = self.x[:, :, p : p + sH * H_out : sH, q : q + sW * W_out : sW]
            y += np.einsum("oc,nchw->nohw", W[:, :, p, q], seen)
        return y

    def backward(self, dy):
        W, (H_out, W_out) = self.params["W"], dy.shape[2:]
        (sH, sW), (pH, pW) = self.stride, self.padding
        dx, dW = np.zeros_like(self.x), np.zeros_like(W)
        for p, q in np.ndindex(W.shape[2:]):
            rows, columns = slice(p, p + sH * H_out, sH), slice(q, q + sW * W_out, sW)
            dx[:, :, rows, columns] += np.einsum("oc,nohw->nchw", W[:, :, p, q], dy)
            dW[:, :, p, q] += np.einsum("nohw,mchw->oc", dy, self.x[:, :, rows, columns])
        self.grads["W"] = dW
        self.grads["b"] = dy.sum(axis=(0, 2, 3))
        return dx[:, :, : dx.shape[2] - 2 * pH, : dx.shape[3] - 2 * pW]


check("06-fix", Conv)

# %% solution="06-fix"
class Conv:
    def __init__(self, C=2, O=3, kernel=(2, 2), stride=(1, 1), padding=(0, 0), seed=0):
        rng = np.random.default_rng(seed)
        self.stride, self.padding = stride, padding
        self.params = {"W": rng.normal(size=(O, C, *kernel)), "b": rng.normal(size=O)}
        self.grads = {}

    def forward(self, x):
        W, b = self.params["W"], self.params["b"]
        (sH, sW), (pH, pW) = self.stride, self.padding
        self.x = np.pad(x, ((0, 0), (0, 0), (pH, pH), (pW, pW)))
        H_out = (self.x.shape[2] - W.shape[2]) // sH + 1
        W_out = (self.x.shape[3] - W.shape[3]) // sW + 1
        y = np.zeros((len(x), len(W), H_out, W_out)) + b[:, None, None]
        for p, q in np.ndindex(W.shape[2:]):
            seen = self.x[:, :, p : p + sH * H_out : sH, q : q + sW * W_out : sW]
            y += np.einsum("oc,nchw->nohw", W[:, :, p, q], seen)
        return y

    def backward(self, dy):
        W, (H_out, W_out) = self.params["W"], dy.shape[2:]
        (sH, sW), (pH, pW) = self.stride, self.padding
        dx, dW = np.zeros_like(self.x), np.zeros_like(W)
        for p, q in np.ndindex(W.shape[2:]):
            rows, columns = slice(p, p + sH * H_out, sH), slice(q, q + sW * W_out, sW)
            dx[:, :, rows, columns] += np.einsum("oc,nohw->nchw", W[:, :, p, q], dy)
            # sample n meets sample n only
            dW[:, :, p, q] += np.einsum("nohw,nchw->oc", dy, self.x[:, :, rows, columns])
        self.grads["W"] = dW
        self.grads["b"] = dy.sum(axis=(0, 2, 3))
        # the padding is on both sides
        return dx[:, :, pH : dx.shape[2] - pH, pW : dx.shape[3] - pW]


check("06-fix", Conv)

# %% [markdown]
# ### Exercise `06-read` (an evening)
# Write `learn_to_read(x, t)`, which trains a network of your own on the digits it is given and returns it. The check makes
# the task harder: it shifts each digit by up to one pixel in any direction, since nobody writes exactly in the middle of the
# box; it renames the classes, so that nothing can be memorised; and it holds out a third of the digits. A linear layer finds
# that hard, and the network above makes about a quarter of its mistakes. Your goal: **at most a sixth**.

# %% exercise="06-read"
def learn_to_read(x, t):
    """x (N, 1, 8, 8) float32, t (N,) classes → a network whose `predict` gives (N, 10) scores."""
    ...


check("06-read", (learn_to_read, x, t))

# %% solution="06-read"
def learn_to_read(x, t):
    """x (N, 1, 8, 8) float32, t (N,) classes → a network whose `predict` gives (N, 10) scores."""
    network = nn.Sequential([
        nn.Conv2D(1, 24, 3, padding=1, seed=0),
        nn.ReLU(),
        nn.MaxPool2D(2),
        nn.Conv2D(24, 48, 3, padding=1, seed=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(48 * 4 * 4, 10, seed=2),
    ])
    loss, descent = nn.SoftmaxCrossEntropy(), nn.SGD(network, 0.05, momentum=0.9, weight_decay=1e-3)
    rng = np.random.default_rng(0)
    for epoch in range(10):
        descent.learning_rate = 0.05 * (1 - epoch / 10)
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            loss.forward(network.forward(x[batch]), t[batch])
            network.backward(loss.backward(), want_dx=False)
            descent.step()
    return network


check("06-read", (learn_to_read, x, t))

# %% [markdown]
# ## What to read next
#
# * [`acai/teaching/bugs.toml`](../acai/teaching/bugs.toml): the complete catalogue. `bugs.puzzle()` gives you a broken layer
#   without telling you what is wrong with it; find the bug with `gradcheck.check` or `bugs.hunt`.
# * [`acai/gradcheck/hints.py`](../acai/gradcheck/hints.py): what the pattern of the errors usually means;
#   [`experiments.py`](../acai/gradcheck/experiments.py) tests each explanation on the layer before the report gives it.
# * [`acai/content/training.py`](../acai/content/training.py): what real training adds: a decreasing learning rate, clipped
#   steps, stopping and resuming.
# * **[Notebook 07](07_sound.ipynb)**: sound, where the pictures that a convolution looks at are made of music.
