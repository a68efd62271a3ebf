# %% [markdown]
# # 04 · Descent
#
# **The question:** how do you find $P$ and $Q$ by walking downhill, and when do you fall off the mountain?
#
# [03](03_singular_values.ipynb) ended with a wish: to find hidden features from the known stars alone, without filling a single
# gap. There is no formula for that. But we can say how good a given $P$ and $Q$ are, and in which direction they would become
# better. The rest is walking. The equations are (C8), (C9) and (C10) of the [README](../README.md), part C; the same descent trains
# the network of the later notebooks.

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
# To see a descent, it must have two parameters. So we take one listener of the survey, her 26 stars $r_i$ (her mean taken away),
# and say for once that we *know* the songs: $q_i$ is how bright and how fast song $i$ is. What we look for is $p$, how much she
# likes bright and how much she likes fast. The objective (C8) is how wrong $p \cdot q_i$ is on her songs, and a little $\lambda$
# that keeps $p$ small:
#
# $$F(p) = \tfrac12 \sum_i \bigl( e_i^2 + \lambda \lVert p \rVert^2 \bigr), \qquad e_i = r_i - p \cdot q_i$$

# %%
asked = survey()
train, test = asked.ratings.split(test=0.2, seed=0)
hers = train.user_codes == 0
r = train.csr.data[hers] - train.csr.data[hers].mean()
q = asked.features[train.csr.indices[hers], :2] * [1, 0.3]  # tempo comes in small numbers
lam = 0.02


def F(p):
    return 0.5 * (((r - p @ q.T) ** 2).sum(axis=-1) + lam * len(r) * (p**2).sum(axis=-1))


start = np.array([-1.5, 1.5])
box = {"x": (-2.2, 3.2), "y": (-3, 2.2), "names": ("likes bright, p₁", "likes fast, p₂")}
plots.trajectories(F, {"the start": start[None]}, **box).set_title("F(p)");

# %% [markdown]
# Each grey line joins points with the same $F$, as on a map of a valley. The valley is long and narrow: a small step in $p_1$
# changes much, the same step in $p_2$ changes little.
#
# ## Downhill
#
# The gradient $\nabla F$ points to where $F$ rises fastest. Take a step the other way, and again (C9):
#
# $$w \leftarrow w - \eta \nabla F(w)$$
#
# $w$ stands for all parameters, here $p$; $\eta$, eta, is the **learning rate**. The library's `nn.SGD` does such steps with
# anything that has `params` and `grads`: below a point on our map, in [06](06_digits.ipynb) a whole network.

# %%
class Point:
    def __init__(self, w):
        self.params, self.grads = {"w": np.array(w, dtype=float)}, {}


def descend(gradient, start, steps=40, learning_rate=0.02, momentum=0.0):
    """The path of a descent, shape (steps + 1, 2). `gradient(w, t)` is the gradient at w in step t."""
    point = Point(start)
    rule = nn.SGD(point, learning_rate, momentum)
    path = [start]
    for t in range(steps):
        point.grads["w"] = gradient(point.params["w"], t)
        rule.step()
        path.append(point.params["w"].copy())
    return np.array(path)


def full(p, t):
    """∇F, over all her songs."""
    return -(r - q @ p) @ q + lam * len(r) * p


paths = {f"η = {eta}": descend(full, start, learning_rate=eta) for eta in (0.02, 0.2, 0.275)}
plots.trajectories(F, paths, **box);

# %% [markdown]
# * $\eta = 0.02$: safe and slow. It drops to the floor of the valley and then crawls.
# * $\eta = 0.2$: it leaps from wall to wall, and gets on faster.
# * $\eta = 0.275$: each leap ends a little *higher* than it began. It will never come back.
#
# The same seen from the side, $F$ after each step. Note the scale: from a certain $\eta$ on there is no "a bit worse", there is
# only infinity.

# %%
steps = np.arange(41)
rates = (0.005, 0.02, 0.2, 0.275, 0.3)
curves = {f"η = {eta}": F(descend(full, start, learning_rate=eta)) for eta in rates}
plots.lines(curves, steps, xlabel="step", ylabel="F", yscale="log");

# %% [markdown]
# ### Exercise `04-largest-rate` (15 minutes)
# Where is the border? Around its lowest point, $F = \tfrac12 w^\top H w$ plus a constant, where the matrix $H$ holds the
# curvatures. Think of one direction first, $F = \tfrac12 h x^2$: what does a step do to $x$?

# %% exercise="04-largest-rate"
def largest_rate(H):
    """The learning rate beyond which descent on F = ½ wᵀ H w runs away.

    H is symmetric, and its eigenvalues are positive.
    """
    ...


check("04-largest-rate", largest_rate)

# %% solution="04-largest-rate"
def largest_rate(H):
    """The learning rate beyond which descent on F = ½ wᵀ H w runs away.

    H is symmetric, and its eigenvalues are positive.
    """
    return 2 / np.linalg.eigvalsh(H).max()  # x becomes (1 − ηh) x, larger than x once ηh > 2


check("04-largest-rate", largest_rate)

# %% [markdown]
# For our valley the answer is 0.272. So 0.2 was well and 0.275 was not.
#
# ## One star at a time
#
# $F$ is a sum with a term $F_j$ for every known star. To find the gradient of $F$ one must look at all of them: at 100 million, on
# a real service, for a single step. **Stochastic** descent looks at one star, steps, and takes the next, in random order. Each step
# is a guess, right on average; and there are as many steps as stars.

# %%
rng = np.random.default_rng(1)
order = np.concatenate([rng.permutation(len(r)) for _ in range(10)])  # ten times through her stars


def one(p, t):
    """∇F_j, for the star whose turn it is."""
    j = order[t]
    return -(r[j] - q[j] @ p) * q[j] + lam * p


paths = {
    "classic, η = 0.1": descend(full, start, steps=10, learning_rate=0.1),
    "stochastic, η = 0.1": descend(one, start, steps=260, learning_rate=0.1),
    "stochastic, η = 0.5": descend(one, start, steps=260, learning_rate=0.5),
}
plots.trajectories(F, paths, **box);

# %% [markdown]
# All three have looked at 260 stars. With the same $\eta$, classic and stochastic come equally far, one soberly, the other drunk.
# But a single star bends $F_j$ far less than all together bend $F$, so the stochastic path can bear a larger $\eta$: at 0.5, where
# classic descent would have run away long ago, it has arrived. It does not stay at the lowest point, though; it dances around it,
# the wider the larger $\eta$.
#
# ## Momentum
#
# A ball that rolls down a valley does not zigzag: what it does across cancels out, what it does along adds up. Give the descent a
# memory (C10). The step $\Delta w$ keeps a share $\alpha$, the **momentum**, of the step before:
#
# $$\Delta w \leftarrow \alpha\,\Delta w - \eta\,\nabla F(w), \qquad w \leftarrow w + \Delta w$$

# %%
paths = {f"α = {alpha}": descend(full, start, steps=60, momentum=alpha) for alpha in (0, 0.5, 0.9)}
plots.trajectories(F, paths, **box);

# %% [markdown]
# All three have the same $\eta$ and 60 steps. Without memory it has not arrived; with $\alpha = 0.5$ it nearly has; with
# 0.9 it overshoots, comes back, and is there. As long as the gradient stays the same, the steps add up to
# $\eta (1 + \alpha + \alpha^2 + \dots) = \eta / (1 - \alpha)$ each: momentum 0.9 makes the learning rate ten times as large, and
# **0.99 a hundred times**. See what that means:

# %%
paths = {"α = 0.99": descend(full, start, steps=150, momentum=0.99)}
plots.trajectories(F, paths, x=(-4, 5), y=(-7, 4), names=box["names"]);

# %% [markdown]
# The ball hardly knows friction. It rolls past the lowest point, up the other side, and back, and back again; after 150 steps it is
# still rolling. If you raise $\alpha$, lower $\eta$ by as much as $1 - \alpha$ shrinks.
#
# In a notebook that runs, try it: find a pair of $\eta$ and $\alpha$ that arrives within 20 steps.

# %% slider
from ipywidgets import interact


def walk(eta=0.02, alpha=0.9, steps=60):
    path = descend(full, start, steps, eta, alpha)
    name = f"η = {eta:.3f}, α = {alpha:.2f}"
    plots.trajectories(F, {name: path}, **box).set_title(f"F = {F(path[-1]):.4g}")


interact(walk, eta=(0.005, 0.3, 0.005), alpha=(0, 0.99, 0.01), steps=(1, 150));

# %% [markdown]
# ### Exercise `04-step` (5 minutes)

# %% exercise="04-step"
def step(w, dw, gradient, eta, alpha):
    """(C10) The new w and the new dw, from w, the last step dw, and the gradient at w."""
    ...


check("04-step", step)

# %% solution="04-step"
def step(w, dw, gradient, eta, alpha):
    """(C10) The new w and the new dw, from w, the last step dw, and the gradient at w."""
    dw = alpha * dw - eta * gradient
    return w + dw, dw


check("04-step", step)

# %% [markdown]
# ## Nothing to do, a thousand times
#
# Now both: one star at a time, and momentum. A star of listener $u$ for song $i$ says something about $p_u$ and $q_i$, two rows of
# many. For all others $\nabla F_j = 0$; but by (C10) they move nevertheless, by what is left of their momentum. With 300 rows, each
# step would move 298 of them for nothing but memory, and most programs, to save the time, leave them where they are. That is
# another equation.
#
# It need not be. A row that is left alone for $t$ steps moves by $\alpha\Delta w$, then $\alpha^2\Delta w$, and so on:

# %%
t = np.arange(0, 41)
tables = {alpha: momentum_tables(alpha, np.float64)[0] for alpha in (0.5, 0.8, 0.9)}
curves = {f"α = {a}: at last {a / (1 - a):.0f}·Δw": moved[t] for a, moved in tables.items()}
labels = {"xlabel": "t, steps since the row was last used", "ylabel": "moved so far, in units of Δw"}
plots.lines(curves, t, steps=True, **labels);

# %% [markdown]
# A geometric series, and so it has a sum. When the row is needed again, it can catch up with all the steps that it missed *at
# once*:
#
# $$w \leftarrow w + \Delta w\,\frac{\alpha\,(1 - \alpha^t)}{1 - \alpha}, \qquad \Delta w \leftarrow \alpha^t \Delta w$$
#
# That is exactly (C10), at the price of touching two rows a step. `acai.cf.SGD` does this; the curves above are the table in
# which it looks the factor up.
#
# ### Exercise `04-catch-up` (15 minutes)
# A loop over t would be right, and passes; but it takes as long as the steps that were to be saved. The sum takes one line.

# %% exercise="04-catch-up"
def catch_up(w, dw, alpha, t):
    """w and dw after t steps of (C10) in which the gradient is zero, at once."""
    ...


check("04-catch-up", catch_up)

# %% solution="04-catch-up"
def catch_up(w, dw, alpha, t):
    """w and dw after t steps of (C10) in which the gradient is zero, at once."""
    return w + dw * alpha * (1 - alpha**t) / (1 - alpha), dw * alpha**t


check("04-catch-up", catch_up)

# %% [markdown]
# ## Both sides at once
#
# So far the songs were known. In truth neither $P$ nor $Q$ is, and the valley has another shape. The smallest case: one listener,
# one song, one feature, one star: $F(p, q) = \tfrac12 (r - p q)^2 + \tfrac{\lambda}{2}(p^2 + q^2)$ with $r = 1$.

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
# Two valleys, equally deep: $p q$ is the same if both change their sign, which is why hidden features have none. Between them is a
# saddle, at 0, where the gradient is zero: who starts there stays there. So $P$ and $Q$ begin with small random numbers
# (`init_std`), never with zeros.
#
# ### Exercise `04-gradient` (10 minutes)
# The part of (C8) that belongs to one star is $F_j = \tfrac12 (r - p \cdot q)^2 + \tfrac{\lambda}{2} (\lVert p \rVert^2 + \lVert q
# \rVert^2)$, where $p$ and $q$ now have $k$ numbers each. Differentiate it by both.

# %% exercise="04-gradient"
def gradient(p, q, r, lam):
    """The gradients of F_j by p and by q, two arrays of shape (k,)."""
    ...


check("04-gradient", gradient)

# %% solution="04-gradient"
def gradient(p, q, r, lam):
    """The gradients of F_j by p and by q, two arrays of shape (k,)."""
    e = r - p @ q
    return lam * p - e * q, lam * q - e * p


check("04-gradient", gradient)

# %% [markdown]
# ## The whole survey
#
# Everything together: 200 listeners, 100 songs, three hidden features each, and the known stars alone. `GradientDescent` is (C9),
# `SGD` is (C10). An epoch is once through all stars, so all of these do the same work.

# %%
same = {"n_factors": 3, "n_epochs": 60, "reg": 0.1}
plain = {"bold_driver": False, "biases": True}  # keep η as it is; with biases, as SGD has by default
models = {
    "classic (C9), η = 0.02": GradientDescent(learning_rate=0.02, **plain, **same),
    "stochastic, η = 0.02": SGD(learning_rate=0.02, **same),
    "stochastic, η = 0.05": SGD(learning_rate=0.05, shuffle=True, **same),
    "with momentum 0.9, η = 0.005": SGD(learning_rate=0.005, momentum=0.9, shuffle=True, **same),
}
for model in models.values():
    model.fit(train)
ax = plots.descent({name: model.history for name, model in models.items()}, "objective F (C8)")
for line in (ax.lines[-1], ax.get_legend().get_lines()[-1]):
    line.set_linestyle("--")  # it lies on the one before

# %% [markdown]
# First a plateau, while $P$ and $Q$ roll off the saddle; then a fall; then a floor. Momentum 0.9 with a tenth of $\eta = 0.05$
# (dashed) goes the way of $\eta = 0.05$, one on the other, as the sum above says. And $\eta = 0.05$ is beyond what classic descent
# can bear:

# %%
try:
    GradientDescent(learning_rate=0.05, **plain, **same).fit(train)
except InputError as error:
    print(error)

# %% [markdown]
# The same message comes from $\eta = 0.02$ with momentum 0.99, which is in truth a rate of 2.
#
# And what is it good for? The stars that were hidden from everybody, predicted:

# %%
error = lambda model: evaluate(model, train, test, which=["rmse"])["rmse"]
others = {"baseline (C12)": Baseline(), "users alike (C1)": UserKNN(k=10), "songs alike": ItemKNN(k=10)}
errors = {name: error(m) for name, m in (others | models).items()}
plots.comparison(errors, "RMSE on the hidden fifth (stars)");

# %% [markdown]
# All the ways downhill lead to the same floor, and it lies far below the neighbours. Half a star is nearly all that can be had:
# these listeners waver by 0.4 stars, and round.
#
# ### Exercise `04-fit` (an hour, or an evening)
# Write it yourself: a factorisation by stochastic descent, in a dozen lines of Python. It must come below an RMSE of 0.67 on
# stars that you have not seen. Some listeners are kind and some songs are good, whoever meets whom, and that needs no hidden
# feature. So each listener and each song has a number of its own, a **bias**, that descends with the rest:
#
# $$\hat r(u,i) = \mu + b_u + b_i + p_u \cdot q_i$$
#
# $\mu$ is the mean of all stars. The regularisation $\lambda$ pulls the biases towards zero as it does $p$ and $q$.

# %% exercise="04-fit"
def fit(u, i, r, m, n):
    """r̂ of every user and song, shape (m, n), from the known entries: u[j] gave i[j] r[j] stars."""
    rng = np.random.default_rng(0)
    P, Q = rng.normal(0, 0.1, (m, 3)), rng.normal(0, 0.1, (n, 3))
    b_u, b_i, mu = np.zeros(m), np.zeros(n), r.mean()
    ...
    return mu + b_u[:, None] + b_i + P @ Q.T


check("04-fit", fit)

# %% solution="04-fit"
def fit(u, i, r, m, n):
    """r̂ of every user and song, shape (m, n), from the known entries: u[j] gave i[j] r[j] stars."""
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
# * `acai/cf/descent.py`: the two descents, as they ran here.
# * **[Notebook 05](05_one_layer.ipynb)**: the gradient of a network, and how to be *sure* that it is right.
