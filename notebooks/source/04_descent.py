# %% [markdown]
# # 04 · Gradient descent
#
# **The question:** how do you find $P$ and $Q$ by walking downhill, and when do you fall off the mountain?
#
# [03](03_singular_values.ipynb) ended with a wish: to find latent factors from the known stars alone, without filling a
# single gap. There is no formula for that. But we can say how good a given $P$ and $Q$ are, and in which direction they would
# get better. The rest is walking. The equations are (C8), (C9) and (C10) in part C of the [README](../README.md); the same
# method trains the network in the later notebooks.

# %%
import numpy as np

from acai import nn, plots
from acai.cf import SGD, Baseline, GradientDescent, ItemKNN, UserKNN
from acai.cf.descent import momentum_tables
from acai.errors import InputError
from acai.evaluation import evaluate
from acai.teaching.exercises import check, exercises, hint
from acai.teaching.survey import survey

exercises("04")

# %% [markdown]
# ## One listener, two numbers
#
# To see a descent, we need a problem with only two parameters. So we take one listener from the survey and her 26 stars $r_i$
# (with her mean subtracted), and for once we assume that we *know* the songs: $q_i$ is how bright and how fast song $i$ is.
# We look for $p$, how much she likes bright songs and how much she likes fast ones. The objective (C8) measures how wrong $p
# \cdot q_i$ is on her songs, plus a small penalty $\lambda$ that keeps $p$ small:
#
# $$F(p) = \tfrac12 \sum_i \bigl( e_i^2 + \lambda \lVert p \rVert^2 \bigr), \qquad e_i = r_i - p \cdot q_i$$

# %%
asked = survey()
train, test = asked.ratings.split(test=0.2, seed=0)
hers = train.user_codes == 0
r = train.csr.data[hers] - train.csr.data[hers].mean()
# tempo on a smaller scale: this makes the valley narrow
q = asked.features[train.csr.indices[hers], :2] * [1, 0.3]
lam = 0.02


def F(p):
    return 0.5 * (((r - p @ q.T) ** 2).sum(axis=-1) + lam * len(r) * (p**2).sum(axis=-1))


start = np.array([-1.5, 1.5])
box = {"x": (-2.2, 3.2), "y": (-3, 2.2), "names": ("likes bright, p₁", "likes fast, p₂")}
plots.trajectories(F, {"the start": start[None]}, **box).set_title("F(p)");

# %% [markdown]
# Each grey line joins points with the same $F$, like the contour lines on a map. They show a valley that is long and narrow:
# a small step in $p_1$ changes a lot, the same step in $p_2$ changes little.
#
# ## Downhill
#
# The gradient $\nabla F$ points in the direction in which $F$ rises fastest. Take a step in the opposite direction, and
# repeat (C9):
#
# $$w \leftarrow w - \eta \nabla F(w)$$
#
# $w$ stands for all parameters, here $p$; $\eta$ (eta) is the **learning rate**. The library's `nn.SGD` takes such steps with
# anything that has `params` and `grads`: below, a point on our map; in [06](06_digits.ipynb), an entire network.

# %%
class Point:
    def __init__(self, w):
        self.params, self.grads = {"w": np.array(w, dtype=float)}, {}


def descend(gradient, start, steps=40, learning_rate=0.02, momentum=0.0):
    """Return the path of a descent, shape (steps + 1, 2); `gradient(w, t)` is that in step t."""
    point = Point(start)
    rule = nn.SGD(point, learning_rate, momentum)
    path = [start]
    for t in range(steps):
        point.grads["w"] = gradient(point.params["w"], t)
        rule.step()
        path.append(point.params["w"].copy())
    return np.array(path)


def full(p, t):
    """Return ∇F, over all her songs."""
    return -(r - q @ p) @ q + lam * len(r) * p


paths = {f"η = {eta}": descend(full, start, learning_rate=eta) for eta in (0.02, 0.2, 0.275)}
plots.trajectories(F, paths, **box);

# %% [markdown]
# * $\eta = 0.02$: safe and slow. It drops to the floor of the valley and then crawls.
# * $\eta = 0.2$: it leaps from one wall to the other, and makes faster progress.
# * $\eta = 0.275$: each leap ends a little *higher* than it began. It will never come back.
#
# Here are the same paths seen from the side: $F$ after each step. Note the scale: beyond a certain $\eta$ there is no "a bit
# worse", there is only infinity.

# %%
steps = np.arange(41)
rates = (0.005, 0.02, 0.2, 0.275, 0.3)
curves = {f"η = {eta}": F(descend(full, start, learning_rate=eta)) for eta in rates}
plots.lines(curves, steps, xlabel="step", ylabel="F", yscale="log");

# %% [markdown]
# ### Exercise `04-largest-rate` (15 minutes)
# Where is the limit? Around its lowest point, $F = \tfrac12 w^\top H w$ plus a constant, where the matrix $H$ holds the
# curvatures. Think of one direction first, $F = \tfrac12 h x^2$: what does a step do to $x$?

# %% exercise="04-largest-rate"
def largest_rate(H):
    """The learning rate beyond which gradient descent on F = ½ wᵀ H w diverges.

    H is symmetric, and its eigenvalues are positive.
    """
    ...


check("04-largest-rate", largest_rate)

# %% solution="04-largest-rate"
def largest_rate(H):
    """The learning rate beyond which gradient descent on F = ½ wᵀ H w diverges.

    H is symmetric, and its eigenvalues are positive.
    """
    return 2 / np.linalg.eigvalsh(H).max()  # x becomes (1 − ηh) x, larger than x once ηh > 2


check("04-largest-rate", largest_rate)

# %% [markdown]
# For our valley the answer is 0.272. So 0.2 was fine and 0.275 was not.
#
# ## One star at a time
#
# $F$ is a sum with one term $F_j$ for every known star. The gradient of $F$ depends on all of them: on a real service, 100
# million stars for a single step. **Stochastic** gradient descent looks at one star, takes a step, and goes on to the next,
# in random order. Each step is a guess, but right on average; and there are as many steps as stars.

# %%
rng = np.random.default_rng(1)
order = np.concatenate([rng.permutation(len(r)) for _ in range(10)])  # ten times through her stars


def one(p, t):
    """Return ∇F_j, for the star whose turn it is."""
    j = order[t]
    return -(r[j] - q[j] @ p) * q[j] + lam * p


paths = {
    "batch, η = 0.1": descend(full, start, steps=10, learning_rate=0.1),
    "stochastic, η = 0.1": descend(one, start, steps=260, learning_rate=0.1),
    "stochastic, η = 0.5": descend(one, start, steps=260, learning_rate=0.5),
}
plots.trajectories(F, paths, **box);

# %% [markdown]
# All three have looked at 260 stars. With the same $\eta$, batch and stochastic descent get equally far, one sober, the other
# drunk. But a single $F_j$ has far less curvature than the whole of $F$, so the stochastic path tolerates a larger $\eta$: at
# 0.5, where batch descent would have diverged long ago, it has arrived. It does not stay at the lowest point, though; it
# dances around it, and the larger $\eta$, the wider the dance.
#
# ## Momentum
#
# A ball that rolls down a valley does not zigzag: its movements across the valley cancel out, and its movements along the
# valley add up. So give the descent a memory (C10). The step $\Delta w$ keeps a fraction $\alpha$, the **momentum**, of the
# previous step:
#
# $$\Delta w \leftarrow \alpha\,\Delta w - \eta\,\nabla F(w), \qquad w \leftarrow w + \Delta w$$

# %%
paths = {f"α = {alpha}": descend(full, start, steps=60, momentum=alpha) for alpha in (0, 0.5, 0.9)}
plots.trajectories(F, paths, **box);

# %% [markdown]
# All three use the same $\eta$ and 60 steps. Without momentum it has not arrived; with $\alpha = 0.5$ it nearly has; with 0.9
# it overshoots, comes back, and is there. As long as the gradient stays the same, the steps add up to $\eta (1 + \alpha +
# \alpha^2 + \dots) = \eta / (1 - \alpha)$ each: momentum 0.9 makes the learning rate ten times as large, and **0.99 makes it
# a hundred times as large**. See what that means:

# %%
paths = {"α = 0.99": descend(full, start, steps=150, momentum=0.99)}
plots.trajectories(F, paths, x=(-4, 5), y=(-7, 4), names=box["names"]);

# %% [markdown]
# The ball has hardly any friction. It rolls past the lowest point, up the other side, and back, and back again; after 150
# steps it is still rolling. If you raise $\alpha$, lower $\eta$ by the same factor by which $1 - \alpha$ shrinks.
#
# In a notebook that runs, try it: find a pair of $\eta$ and $\alpha$ that arrives within 20 steps.

# %% slider
from ipywidgets import FloatSlider, interact


def show_path(eta=0.02, alpha=0.9, steps=60):
    path = descend(full, start, steps, eta, alpha)
    name = f"η = {eta:.3f}, α = {alpha:.2f}"
    plots.trajectories(F, {name: path}, **box).set_title(f"F = {F(path[-1]):.4g}")


eta = FloatSlider(0.02, min=0.005, max=0.3, step=0.005, readout_format=".3f")
interact(show_path, eta=eta, alpha=(0, 0.99, 0.01), steps=(1, 150));

# %% [markdown]
# ### Exercise `04-step` (5 minutes)

# %% exercise="04-step"
def step(w, dw, gradient, eta, alpha):
    """(C10) The new w and the new dw, from w, the previous step dw, and the gradient at w."""
    ...


check("04-step", step)

# %% solution="04-step"
def step(w, dw, gradient, eta, alpha):
    """(C10) The new w and the new dw, from w, the previous step dw, and the gradient at w."""
    dw = alpha * dw - eta * gradient
    return w + dw, dw


check("04-step", step)

# %% [markdown]
# ## Nothing to do, a thousand times
#
# Now we combine the two: one star at a time, and momentum. A star that listener $u$ gave to song $i$ says something about
# $p_u$ and $q_i$, two rows out of many. For all the others $\nabla F_j = 0$; but according to (C10) they still move, by what
# is left of their momentum. With 300 rows, each step would move 298 of them by momentum alone, and to save the time most
# programs leave them where they are. That is a different equation.
#
# There is a way to avoid both the cost and the error. A row without a gradient for $t$ steps moves by $\alpha\Delta w$, then
# $\alpha^2\Delta w$, and so on:

# %%
t = np.arange(0, 41)
tables = {alpha: momentum_tables(alpha, np.float64)[0] for alpha in (0.5, 0.8, 0.9)}
curves = {f"α = {a}: in the end {a / (1 - a):.0f}·Δw": moved[t] for a, moved in tables.items()}
labels = {
    "xlabel": "t, steps since the row was last used",
    "ylabel": "moved so far, in units of Δw",
}
plots.lines(curves, t, steps=True, **labels);

# %% [markdown]
# This is a geometric series, so we know its sum. When the row is needed again, it can catch up with all the steps that it
# missed *at once*:
#
# $$w \leftarrow w + \Delta w\,\frac{\alpha\,(1 - \alpha^t)}{1 - \alpha}, \qquad \Delta w \leftarrow \alpha^t \Delta w$$
#
# That is exactly (C10), at the price of touching two rows per step. `acai.cf.SGD` does this; the curves above show the table
# in which it looks up the factor.
#
# ### Exercise `04-catch-up` (15 minutes)
# A loop over t would be correct, and would pass; but it takes as long as the steps that it is meant to save. The sum takes
# one line.

# %% exercise="04-catch-up"
def catch_up(w, dw, alpha, t):
    """w and dw after t steps of (C10) in which the gradient is zero, computed at once."""
    ...


check("04-catch-up", catch_up)

# %% solution="04-catch-up"
def catch_up(w, dw, alpha, t):
    """w and dw after t steps of (C10) in which the gradient is zero, computed at once."""
    return w + dw * alpha * (1 - alpha**t) / (1 - alpha), dw * alpha**t


check("04-catch-up", catch_up)

# %% [markdown]
# ## Both factors at once
#
# So far the songs were known. In reality neither $P$ nor $Q$ is, and the valley has a different shape. Take the smallest
# case, with one listener, one song, one factor and one star: $F(p, q) = \tfrac12 (r - p q)^2 + \tfrac{\lambda}{2}(p^2 + q^2)$
# with $r = 1$.

# %%
def F_pq(w):
    return 0.5 * ((1 - w[..., 0] * w[..., 1]) ** 2 + 0.05 * (w**2).sum(axis=-1))


def gradient_pq(w, t):
    e = 1 - w[0] * w[1]
    return -e * w[::-1] + 0.05 * w


starts = ((0.1, 0.0), (-0.1, 0.0), (1.8, -1.2), (-1.2, 1.9), (0.0, 0.0))
paths = {f"from {p}, {q}": descend(gradient_pq, np.array([p, q]), 80, 0.15) for p, q in starts}
plots.trajectories(F_pq, paths, x=(-2, 2), y=(-2, 2), names=("p", "q"));

# %% [markdown]
# There are two valleys, equally deep: $p q$ stays the same if both change their sign, which is why the sign of a latent
# factor means nothing. Between them, at 0, is a saddle point, where the gradient is zero: whoever starts there stays there.
# So $P$ and $Q$ are initialised with small random numbers (`init_std`), never with zeros.
#
# ### Exercise `04-gradient` (10 minutes)
# The part of (C8) that belongs to one star is $F_j = \tfrac12 (r - p \cdot q)^2 + \tfrac{\lambda}{2} (\lVert p \rVert^2 +
# \lVert q \rVert^2)$, where $p$ and $q$ now have $k$ numbers each. Differentiate it with respect to both.

# %% exercise="04-gradient"
def gradient(p, q, r, lam):
    """The gradients of F_j with respect to p and to q, two arrays of shape (k,)."""
    ...


check("04-gradient", gradient)

# %% solution="04-gradient"
def gradient(p, q, r, lam):
    """The gradients of F_j with respect to p and to q, two arrays of shape (k,)."""
    e = r - p @ q
    return lam * p - e * q, lam * q - e * p


check("04-gradient", gradient)

# %% [markdown]
# ## The complete survey
#
# Now everything together: 200 listeners, 100 songs, three latent factors each, and only the known stars. `GradientDescent` is
# (C9), `SGD` is (C10). An epoch is one pass through all stars, so all of these do the same amount of work.

# %%
same = {"n_factors": 3, "n_epochs": 60, "reg": 0.1}
# keep η as it is; with biases, as SGD has by default
plain = {"bold_driver": False, "biases": True}
models = {
    "batch (C9), η = 0.02": GradientDescent(learning_rate=0.02, **plain, **same),
    "stochastic, η = 0.02": SGD(learning_rate=0.02, **same),
    "stochastic, η = 0.05": SGD(learning_rate=0.05, shuffle=True, **same),
    "with momentum 0.9, η = 0.005": SGD(learning_rate=0.005, momentum=0.9, shuffle=True, **same),
}
for model in models.values():
    model.fit(train)
ax = plots.descent({name: model.history for name, model in models.items()}, "objective F (C8)")
for line in (ax.lines[-1], ax.get_legend().get_lines()[-1]):
    line.set_linestyle("--")  # it covers the curve before it

# %% [markdown]
# First there is a plateau, while $P$ and $Q$ roll off the saddle; then a fall; then a floor. Momentum 0.9 with a tenth of
# $\eta = 0.05$ (dashed) follows the path of $\eta = 0.05$, one curve on top of the other, as the sum above predicts. And
# $\eta = 0.05$ is more than batch gradient descent can take:

# %%
try:
    GradientDescent(learning_rate=0.05, **plain, **same).fit(train)
except InputError as error:
    print(error)

# %% [markdown]
# You get the same message for $\eta = 0.02$ with momentum 0.99, which is effectively a learning rate of 2.
#
# And what is it good for? Here are the predictions for the stars that were hidden from all models:

# %%
error = lambda model: evaluate(model, train, test, which=["rmse"])["rmse"]
others = {
    "baseline (C12)": Baseline(),
    "similar users (C1)": UserKNN(k=10, shrinkage=0, min_neighbours=1),
}
others["similar songs"] = ItemKNN(k=10, centring="mean", shrinkage=0, min_neighbours=1)
errors = {name: error(m) for name, m in (others | models).items()}
plots.comparison(errors, "RMSE on the hidden fifth (stars)");

# %% [markdown]
# All the paths downhill lead to the same floor, and it is far below the neighbours. Half a star is nearly the best that is
# possible: these listeners' answers have a random error of 0.4 stars, and are then rounded.
#
# ### Exercise `04-fit` (an hour, or an evening)
# Write it yourself: a matrix factorisation by stochastic gradient descent, in a dozen lines of Python. It must reach an RMSE
# below 0.67 on stars that you have not seen. Some listeners are generous and some songs are good, no matter who meets what,
# and that does not take a latent factor. So each listener and each song has a number of its own, a **bias**, that is learnt
# with the rest:
#
# $$\hat r(u,i) = \mu + b_u + b_i + p_u \cdot q_i$$
#
# $\mu$ is the mean of all stars. The regularisation $\lambda$ pulls the biases towards zero, just like $p$ and $q$.

# %% exercise="04-fit"
def fit(u, i, r, m, n):
    """r̂ of every user and song, shape (m, n), from the entries: u[j] gave i[j] r[j] stars."""
    rng = np.random.default_rng(0)
    P, Q = rng.normal(0, 0.1, (m, 3)), rng.normal(0, 0.1, (n, 3))
    b_u, b_i, mu = np.zeros(m), np.zeros(n), r.mean()
    ...
    return mu + b_u[:, None] + b_i + P @ Q.T


check("04-fit", fit)

# %% solution="04-fit"
def fit(u, i, r, m, n):
    """r̂ of every user and song, shape (m, n), from the entries: u[j] gave i[j] r[j] stars."""
    rng = np.random.default_rng(0)
    P, Q = rng.normal(0, 0.1, (m, 3)), rng.normal(0, 0.1, (n, 3))
    b_u, b_i, mu = np.zeros(m), np.zeros(n), r.mean()
    eta, lam = 0.03, 0.1
    for _ in range(40):
        for j in rng.permutation(len(r)):
            x, y = u[j], i[j]
            e = r[j] - mu - b_u[x] - b_i[y] - P[x] @ Q[y]
            P[x], Q[y] = P[x] + eta * (e * Q[y] - lam * P[x]), Q[y] + eta * (e * P[x] - lam * Q[y])
            b_u[x] += eta * (e - lam * b_u[x])
            b_i[y] += eta * (e - lam * b_i[y])
    return mu + b_u[:, None] + b_i + P @ Q.T


check("04-fit", fit)

# %% [markdown]
# ## What to read next
#
# * The README, part C: (C8) to (C10), and (C11), which finds $P$ and $Q$ from play counts without a learning rate.
# * `acai/cf/descent.py`: the two kinds of descent that you have seen here.
# * **[Notebook 05](05_one_layer.ipynb)**: the gradient of a network, and how to be *sure* that it is right.
