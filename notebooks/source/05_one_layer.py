# %% [markdown]
# # 05 · One layer at a time
#
# **The question:** a network is a chain of small steps. When its answer is wrong, how does each step find out its own share
# of the blame? And how can you be *sure* that the code which assigns the blame is right?
#
# You will follow one layer forward and back with numbers small enough to check in your head, see why a step of one half makes
# a gradient check exact, and then write three layers of your own and prove them right.
#
# Equations (N1), (N2) … are in part N of the [README](../README.md); the code is in [`acai/nn/`](../acai/nn), one file per
# kind of layer.

# %%
import matplotlib.pyplot as plt
import numpy as np

from acai import gradcheck, nn, plots
from acai.nn import plain
from acai.teaching import bugs
from acai.teaching.exercises import check, exercises, hint

exercises("05")

# %% [markdown]
# ## Forward: numbers in, numbers out
#
# The linear layer (N4) is the simplest layer that learns:
#
# $$y = x W^\top + b$$
#
# Below, `x` holds two songs (rows, n) with three numbers each (columns, d). `W` has one row for each of the two outputs o,
# and `b` one number for each. Check the number at the top left of `y` in your head: 1·1 + 2·0 + 0·(−2) + 1.

# %%
x = np.array([[1.0, 2, 0], [3, -1, 2]])  # (N, D): two songs, three numbers each
linear = nn.Linear(3, 2, dtype=float)
linear.params["W"][...] = [[1, 0, -2], [2, 1, 1]]  # (O, D)
linear.params["b"][...] = [1, -1]  # (O,)

y = linear.forward(x)  # (N4), (N, O)
plots.matrices({"x": x, "W": linear.params["W"], "b": linear.params["b"], "y = x Wᵀ + b": y})

# %% [markdown]
# ## Backward: the blame comes home
#
# After this layer there are others, and at the very end there is a loss, one number that should be small. Whatever these
# layers are, they tell ours just one thing: `dy`, the **upstream gradient**. Its entry dy(n,o) says by how much the loss
# would rise if y(n,o) rose a little. From it the layer works out three things:
#
# * `dx`, the same message for the layer before it: (N7.9) $dx = dy W$
# * `dW`, by how much the loss would rise with each of its weights: (N7.10) $dW = dy^\top x$
# * `db`, the same for its biases: (N7.11) $db(o) = \sum_n dy(n,o)$
#
# There is nothing to memorise here: each weight W(o,d) was multiplied by x(n,d) on its way into y(n,o), so it gets
# dy(n,o)·x(n,d), once for each song n. For example dW(1,0) = (−1)·1 + 0·3 = −1.

# %%
dy = np.array([[1.0, -1], [2, 0]])  # (N, O)
dx = linear.backward(dy)
plots.matrices(
    {"dy": dy, "dx = dy W": dx, "dW = dyᵀ x": linear.grads["W"], "db": linear.grads["b"]}
)

# %% [markdown]
# ## Is it right? Nudge it and see
#
# A gradient makes a promise: *move this weight a little, and the loss moves by this many times as much*. So move it, and
# look. One number is enough to watch: the sum of `dy · y`, which for a small change of `y` rises and falls just as the loss
# does. Move W(1,0) up by a step h, then down by h, and divide the difference by 2h:
#
# $$\frac{f(w + h) - f(w - h)}{2h}$$
#
# This is the **central difference**. With h = ½ the result is −1, just what `backward` says. Not *nearly* −1: equal.

# %%
W = linear.params["W"]
h = 0.5
W[1, 0] += h
up = (dy * linear.forward(x)).sum()
W[1, 0] -= 2 * h
down = (dy * linear.forward(x)).sum()
W[1, 0] += h
print("slope of forward:", (up - down) / (2 * h), "  backward says:", linear.grads["W"][1, 0])

# %% [markdown]
# Most people who check gradients take a tiny step, 1e-5 or so, and are happy when the two numbers agree to a few digits. Why
# would a step as large as one half do better? Here is the error of the central difference for every step from 1 down to 2⁻⁴⁰,
# for four functions of w.

# %%
steps = 2.0 ** -np.arange(41)
rng = np.random.default_rng(0)
a = rng.normal(size=(2, 8))  # ordinary numbers


def error(f, slope, w):
    return [abs((f(w + h) - f(w - h)) / (2 * h) - slope) for h in steps]


plots.step_errors(
    steps,
    {
        "tanh w": error(np.tanh, 1 - np.tanh(0.7) ** 2, 0.7),
        "w³": error(lambda w: w**3, 3 * 0.7**2, 0.7),
        "linear, any numbers": error(lambda w: a[0] @ (a[1] * w), a[0] @ a[1], 0.7),
        "linear, integers": error(lambda w: 3.0 * (5 * w - 2) + 7, 15.0, 3.0),
    },
)
plt.show()

# %% [markdown]
# Read the plot from left to right.
#
# * **A large step** is bad for functions that curve: the error of tanh and w³ falls with h². That is why people take small
#   ones.
# * **A small step** is bad for every function of ordinary numbers: `f(w+h)` and `f(w−h)` become almost equal, their leading
#   digits cancel, and what is left is rounding error, divided by something tiny.
# * **A straight line does not curve**, so the step may be as large as you like. And with *integers* there is no rounding
#   either: a float64 represents every integer up to 2⁵³ exactly, and halves and quarters just as well. The lowest line is not
#   small. It is zero, at every step shown.
#
# Convolution, the linear layer and the mean squared error are straight lines or parabolas in each single number; ReLU and max
# pooling are straight lines with kinks. For all of them the check can demand `==`. A check with a tolerance accepts a
# gradient that is wrong by less than the tolerance; this one does not.

# %% [markdown]
# ### Exercise `05-cube` (5 minutes)
# For a parabola there is no error: `((w+h)² − (w−h)²) / 2h = 4wh / 2h = 2w`. Do the same on paper for f(w) = w³, whose slope
# is 3w². By how much is the central difference off? Write the error as a function of w and h.

# %% exercise="05-cube"
def error_of_the_cube(w, h):
    """(central difference of w³ with the step h) − 3w², simplified."""
    return ...


check("05-cube", error_of_the_cube)

# %% solution="05-cube"
def error_of_the_cube(w, h):
    """((w+h)³ − (w−h)³) / 2h = (6w²h + 2h³) / 2h = 3w² + h²: the error is h², wherever w is."""
    return h**2


check("05-cube", error_of_the_cube)

# %% [markdown]
# `hint("05-cube")` gives you a first hint, and another one each time you call it. It works the same way for every exercise.

# %% [markdown]
# ## Kinks: why odd numbers
#
# The rectified linear unit (N3), max(0, x), has a kink at 0: to the left of it the slope is 0, to the right 1. A step that
# crosses the kink measures something in between, which is the slope of nothing. So the check chooses *odd* integers as its
# points: one half to either side never reaches 0, and two different odd numbers that max pooling compares are at least 2
# apart and never change places.

# %%
ax = plots.axes(size=(7, 2.8))
line = np.linspace(-4, 4, 200)
ax.plot(line, np.maximum(line, 0), color=plots.BLACK, lw=1)
for n, point in enumerate((-3, -1, 1, 3)):
    ends = np.array([point - 0.5, point + 0.5])
    ax.plot(
        ends,
        np.maximum(ends, 0),
        color=plots.BLUE,
        lw=5,
        alpha=0.6,
        label=None if n else "odd numbers ± ½: on one side",
    )
ends = np.array([-0.25, 0.75])
ax.plot(
    ends,
    np.maximum(ends, 0),
    "o-",
    color=plots.RED,
    label="crosses the kink: slope 0.75 of nothing",
)
ax.set(xlabel="x", ylabel="max(0, x)")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# And if a number *is* 0? There is no slope there; which of the two counts is a convention. acai takes 0. Where two numbers
# tie in max pooling, the first of them gets the whole gradient. In a layer that contains neither a matrix nor other layers the
# check looks at such points, too, and accepts any value between the two slopes.

# %% [markdown]
# ## The check
#
# `gradcheck.check(layer, shape)` does all this for you, for *every* coordinate of x and of each parameter: it draws odd
# numbers for x, small integer weights and a random integer upstream gradient, and compares. A few integers prove little about
# a layer that is wrong only for some signs or sizes, so it then tries random directions at points made of floats, too.

# %%
print(gradcheck.check(nn.Linear(4, 3, dtype=float), (5, 4)))

# %% [markdown]
# And what about a layer that is wrong? `acai.teaching.bugs` is a catalogue of planted bugs, one wrong line each. In this one
# somebody wrote `dy @ W.T` for dx. With a square W the shapes match, and no error is raised.

# %%
bug = bugs.find("Linear: dx, transposed")
print(bug.diff)
gradcheck.check(bug.broken()(), (4, 4))

# %% [markdown]
# There is one picture for each array. It shows what `backward` says minus the true slope: white is exactly right, red is too
# much, blue too little. The parameters are fine; dx is not.
#
# Why is the upstream gradient *random*? Because with `dy` all ones, some wrong layers look right. Each row of a softmax sums
# to one, so its gradient for an upstream of ones is zero, whatever x is: a `backward` that returned zero would pass. The one
# below does just that. (Softmax is not a polynomial, so here we ask for the check's second method, the complex step, which is
# accurate to thirteen digits for every smooth function.)

# %%
broken = bugs.find("Softmax: upstream of ones").broken()()
scores = np.random.default_rng(0).normal(size=(3, 4))
y = broken.forward(scores)
print(
    "upstream of ones: largest |dx| =",
    f"{abs(broken.backward(np.ones_like(y))).max():.0e}",
    "(the true value is 0)",
)
print(gradcheck.check(broken, scores, method="complex"))

# %% [markdown]
# ### Exercise `05-linear` (10 minutes)
# Fill in (N7.9), (N7.10) and (N7.11).

# %% exercise="05-linear"
def linear_backward(dy, x, W):
    """dy (N, O), x (N, D), W (O, D) → dx (N, D), dW (O, D), db (O,)."""
    dx = ...
    dW = ...
    db = ...
    return dx, dW, db


check("05-linear", linear_backward)

# %% solution="05-linear"
def linear_backward(dy, x, W):
    """dy (N, O), x (N, D), W (O, D) → dx (N, D), dW (O, D), db (O,)."""
    dx = dy @ W  # (N7.9)
    dW = dy.T @ x  # (N7.10)
    db = dy.sum(axis=0)  # (N7.11)
    return dx, dW, db


check("05-linear", linear_backward)

# %% [markdown]
# ### Exercise `05-leaky-relu` (15 minutes)
# A ReLU that never fires gets no gradient and never recovers. The leaky ReLU (Maas, Hannun and Ng 2013) lets a little
# through: y = x where x > 0, and y = slope · x elsewhere. Write both methods. At x = 0 take the slope of the left side, as
# acai does. `backward` needs something from `forward`: save it in `self`.

# %% exercise="05-leaky-relu"
class LeakyReLU:
    def __init__(self, slope=0.25):
        self.slope = slope

    def forward(self, x):
        """x of any shape → y of the same shape."""
        ...

    def backward(self, dy):
        """dy → dx."""
        ...


check("05-leaky-relu", LeakyReLU)

# %% solution="05-leaky-relu"
class LeakyReLU:
    def __init__(self, slope=0.25):
        self.slope = slope

    def forward(self, x):
        """x of any shape → y of the same shape."""
        self.positive = x > 0
        return np.where(self.positive, x, self.slope * x)

    def backward(self, dy):
        """dy → dx."""
        return np.where(self.positive, dy, self.slope * dy)


check("05-leaky-relu", LeakyReLU)

# %% [markdown]
# ## Convolution: one small window, everywhere
#
# A convolution (N1) looks at its input through a small window and asks the same question at every position:
#
# $$y(n,o,i,j) = b_o + \sum_{c,p,q} W(o,c,p,q) x(n,c,i+p,j+q)$$
#
# n counts the pictures, o the outputs and c the input's channels, p and q are the rows and columns of the window, and i and j
# its position. Here is a picture of 9 × 9 with one channel, and two kernels: the first responds to horizontal edges, the
# second to vertical ones.

# %%
picture = np.zeros((9, 9))
picture[1, 2:7] = picture[2:8, 6] = 1.0  # a seven
picture[5, 4:8] = 1.0
convolution = nn.Conv2D(1, 2, 3, dtype=float)
convolution.params["W"][0, 0] = [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]
convolution.params["W"][1, 0] = [[1, 0, -1], [1, 0, -1], [1, 0, -1]]

y = convolution.forward(picture[None, None])  # (1, 2, 7, 7)
plots.matrices(
    {
        "x": picture,
        "W, o = 0": convolution.params["W"][0, 0],
        "W, o = 1": convolution.params["W"][1, 0],
        "y, o = 0": y[0, 0],
        "y, o = 1": y[0, 1],
    },
    numbers=False,
)

# %% [markdown]
# And backward? Every product in (N1) has two factors, and each of them gets dy times the other one. The formulas (N7.1) and
# (N7.2) look frightening; the picture does not. Let the upstream gradient be zero except for a single 1, at one position of
# one output. Then **dx is the kernel, stamped onto that position**, and **dW is what was seen through the window there**. A
# general dy is a sum of many such single ones, and their results are added up. Where windows overlap, stamps overlap, so it
# must be `dx[...] +=` and never `=`.

# %%
dy = np.zeros_like(y)
dy[0, 0, 4, 3] = 1.0
dx = convolution.backward(dy)
plots.matrices(
    {
        "dy, o = 0": dy[0, 0],
        "dx: the kernel, stamped": dx[0, 0],
        "dW: what was seen": convolution.grads["W"][0, 0],
    },
    numbers=False,
)

# %%
print(
    gradcheck.check(
        nn.Conv2D(2, 3, (2, 3), stride=(2, 1), padding=(1, 0), dtype=float), (2, 2, 4, 5)
    )
)

# %% [markdown]
# ## Max pooling: the winner takes the gradient
#
# Max pooling (N2) keeps the largest number in each window and forgets the rest:
#
# $$y(i,j) = \max_{p,q} x(i \cdot s + p, j \cdot s + q)$$
#
# with p and q running over the window, and s saying how far it moves from one position to the next, here by its own size. A
# number that lost has no influence on y, so it gets no blame: all of dy goes to the winner (N7.4).

# %%
x = np.array([[3.0, 1, 2, 9], [5, 4, 8, 1], [7, 2, 1, 3], [1, 6, 5, 2]])
pool = nn.MaxPool2D(2)
y = pool.forward(x[None, None])
dy = np.array([[1.0, 2], [3, 4]])
dx = pool.backward(dy[None, None])
plots.matrices({"x": x, "y": y[0, 0], "dy": dy, "dx": dx[0, 0]})

# %% [markdown]
# This is what pooling does to a picture, for windows of 1, 2 and 3: each number that is left represents a larger area, and
# says only *that* something is there, no longer exactly *where*.

# %%
# (1, 1, 7, 7): the response of the second kernel
response = np.abs(convolution.forward(picture[None, None]))[:, 1:]


def pooled(size):
    """Return the pooled response, with each number drawn as large as its window."""
    y = nn.MaxPool2D(size).forward(response)[0, 0]
    return np.kron(y, np.ones((size, size)))


plots.matrices({f"pool size {size}": pooled(size) for size in (1, 2, 3)}, numbers=False)

# %% [markdown]
# In a notebook that runs, you can change the size.

# %% slider
from ipywidgets import interact


def show(size=2):
    return plots.matrices({f"pool size {size}": pooled(size)}, numbers=False)


# from 4 on, one window is all that fits
interact(show, size=(1, 4));

# %% [markdown]
# ### Exercise `05-average-pool` (30 minutes)
# Take the mean of every window instead of its maximum. Windows touch but do not overlap; rows and columns that do not fill a
# complete window are left out (their dx is 0). `size` is (height, width). Write both methods; no loop over pixels is needed,
# but you may use one.

# %% exercise="05-average-pool"
class AveragePool:
    def __init__(self, size=(2, 2)):
        self.size = size

    def forward(self, x):
        """(N, C, H, W) → (N, C, H // height, W // width)."""
        ...

    def backward(self, dy):
        """dy (N, C, H // height, W // width) → dx (N, C, H, W)."""
        ...


check("05-average-pool", AveragePool)

# %% solution="05-average-pool"
class AveragePool:
    def __init__(self, size=(2, 2)):
        self.size = size

    def forward(self, x):
        """(N, C, H, W) → (N, C, H // height, W // width)."""
        (N, C, H, W), (h, w) = x.shape, self.size
        self.shape = x.shape
        whole = x[:, :, : H // h * h, : W // w * w]
        return whole.reshape(N, C, H // h, h, W // w, w).mean(axis=(3, 5))

    def backward(self, dy):
        """dy (N, C, H // height, W // width) → dx (N, C, H, W)."""
        h, w = self.size
        dx = np.zeros(self.shape)
        dy_shared = dy.repeat(h, axis=2).repeat(w, axis=3) / (h * w)
        dx[:, :, : dy.shape[2] * h, : dy.shape[3] * w] = dy_shared
        return dx


check("05-average-pool", AveragePool)

# %% [markdown]
# ### Exercise `05-dilated` (an evening)
# To take in a bar of music, a filter has to look far back. Instead of a wide kernel with many weights, take a small one with
# gaps (van den Oord et al. 2016, *WaveNet*): its taps are `dilation` steps apart.
#
# $$y(n,o,t) = b_o + \sum_{c,q} W(o,c,q) x(n,c,t + q \cdot \text{dilation})$$
#
# The convolution runs over time only, without padding: (N, C, T) → (N, O, T′) with T′ = T − dilation · (width − 1). Write
# `forward` and `backward`; store dW and db in `self.grads`. A loop over the taps q, with whole arrays inside, is the clearest
# way. Use `gradcheck.check(DilatedConv(), (2, 3, 11))` while you work.

# %% exercise="05-dilated"
class DilatedConv:
    def __init__(self, C=3, O=2, width=3, dilation=2, seed=0):
        self.dilation = dilation
        rng = np.random.default_rng(seed)
        self.params = {"W": rng.normal(size=(O, C, width)), "b": rng.normal(size=O)}
        self.grads = {}

    def forward(self, x):
        """(N, C, T) → (N, O, T − dilation · (width − 1))."""
        ...

    def backward(self, dy):
        """dy (N, O, T′) → dx (N, C, T); leaves dW (O, C, width) and db (O,) in self.grads."""
        ...


check("05-dilated", DilatedConv)

# %% solution="05-dilated"
class DilatedConv:
    def __init__(self, C=3, O=2, width=3, dilation=2, seed=0):
        self.dilation = dilation
        rng = np.random.default_rng(seed)
        self.params = {"W": rng.normal(size=(O, C, width)), "b": rng.normal(size=O)}
        self.grads = {}

    def forward(self, x):
        """(N, C, T) → (N, O, T − dilation · (width − 1))."""
        W, b = self.params["W"], self.params["b"]
        self.x = x
        T_out = x.shape[2] - self.dilation * (W.shape[2] - 1)
        y = np.zeros((len(x), len(W), T_out)) + b[:, None]
        for q in range(W.shape[2]):
            y += W[:, :, q] @ x[:, :, q * self.dilation : q * self.dilation + T_out]
        return y

    def backward(self, dy):
        """dy (N, O, T′) → dx (N, C, T); leaves dW (O, C, width) and db (O,) in self.grads."""
        W, T_out = self.params["W"], dy.shape[2]
        dx, dW = np.zeros(self.x.shape), np.zeros(W.shape)
        for q in range(W.shape[2]):
            seen = slice(q * self.dilation, q * self.dilation + T_out)
            dx[:, :, seen] += W[:, :, q].T @ dy
            dW[:, :, q] = np.einsum("not,nct->oc", dy, self.x[:, :, seen])
        self.grads = {"W": dW, "b": dy.sum(axis=(0, 2))}
        return dx


check("05-dilated", DilatedConv)

# %% [markdown]
# ## What to read next
#
# * [`acai/nn/linear.py`](../acai/nn/linear.py) and [`acai/nn/conv.py`](../acai/nn/conv.py): the layers that you have met,
#   with `forward` and `backward` on one screen.
# * [`acai/gradcheck/check.py`](../acai/gradcheck/check.py): the check itself. It also works on a file of yours from the
#   command line: `acai gradcheck my_layers.py:LeakyReLU --shape 2,3,8,9`.
# * **[Notebook 06](06_digits.ipynb)** stacks layers, lets them read handwriting, and breaks them on purpose.
