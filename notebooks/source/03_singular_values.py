# %% [markdown]
# # 03 · Singular value decomposition
#
# **The question:** how many numbers does it take to describe a song?
#
# Two people who like the same songs probably like them for the same reasons: the songs are bright, or fast, or noisy. Nobody
# wrote these reasons down, and yet they leave a trace in the stars. This notebook finds it. The equations are (C4) to (C7) in
# part C of the [README](../README.md).

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

from acai import plots
from acai.cf import SVD, Baseline, ItemKNN, UserKNN
from acai.evaluation import evaluate
from acai.teaching.exercises import check, exercises, hint
from acai.teaching.survey import survey

exercises("03")

# %% [markdown]
# ## If everybody had answered
#
# We use the survey of [02](02_neighbours.ipynb) again, 200 listeners and 100 songs, and first look at something that we would
# never see in practice: what *everybody* would have said about *every* song. It is a table without a single gap.

# %%
asked = survey()
answers = asked.answers
plots.matrix(answers).set_title("everybody's answer to everything");

# %% [markdown]
# It looks like noise. But every table can be written as a sum of simple ones, each of them a column times a row, with the
# most important first. This is the singular value decomposition (C5):
#
# $$R = M \Sigma N^\top = \sum_f \sigma_f \, m_f n_f^\top$$
#
# The column $m_f$ has one number for every user, the row $n_f^\top$ one for every song, and the singular value $\sigma_f$
# says how much of $R$ is in this product. Before we decompose, we subtract the mean of each song; that some songs are liked
# better by everybody is no news.

# %%
r_bar = answers.mean(axis=0)
M, sigma, N_T = np.linalg.svd(answers - r_bar, full_matrices=False)
plots.singular_values(sigma[:40], k=4);

# %% [markdown]
# Out of a hundred, **four** stand out. The other ninety-six are about equal, which is what noise looks like: it has no
# favourite direction. So 20,000 answers depend on four numbers for each listener and four for each song, and on chance.
#
# ## The closest simple table
#
# Keep the first $k$ products and drop the rest (C6): $R_k = M_k \Sigma_k N_k^\top$. Of all tables of rank $k$, this one is
# the closest to $R$ (Eckart and Young, 1936). With $k = 4$ it has most of what can be known; with $k = 40$ it reproduces the
# noise, too.

# %%
def of_rank(k):
    return r_bar + (M[:, :k] * sigma[:k]) @ N_T[:k]


figure, row = plt.subplots(1, 4, figsize=(11, 3.2), layout="constrained", sharey=True)
tables = {"k = 1": of_rank(1), "k = 4": of_rank(4), "k = 40": of_rank(40), "R": answers}
for ax, (title, table) in zip(row, tables.items()):
    ax.imshow(table[:50, :40], vmin=1, vmax=5, aspect="auto", interpolation="nearest")
    ax.set(title=title, xlabel="songs")
row[0].set_ylabel("users");

# %% [markdown]
# In a notebook that runs, move $k$ and watch the corner of the table come into focus.

# %% slider
from ipywidgets import interact


def corner(k=4):
    plots.matrix(np.clip(of_rank(k)[:50, :40], 1, 5)).set_title(f"rank {k}")


interact(corner, k=(0, 100));

# %% [markdown]
# ### Exercise `03-rank-k` (10 minutes)

# %% exercise="03-rank-k"
def rank_k(R, k):
    """(C6) The table of rank k that is closest to R, an array without gaps."""
    M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
    ...


check("03-rank-k", rank_k)

# %% solution="03-rank-k"
def rank_k(R, k):
    """(C6) The table of rank k that is closest to R, an array without gaps."""
    M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
    return (M[:, :k] * sigma[:k]) @ N_T[:k]


check("03-rank-k", rank_k)

# %% [markdown]
# ### Exercise `03-enough` (10 minutes)
# What is lost by dropping the rest? $\lVert R - R_k \rVert^2 = \sum_{f > k} \sigma_f^2$, so the share that remains is
# $\sum_{f \le k} \sigma_f^2 / \sum_f \sigma_f^2$. Find the smallest $k$ that keeps a given share.

# %% exercise="03-enough"
def enough(sigma, share):
    """The smallest k for which σ₁² + … + σ_k² is at least `share` (0 to 1) of the sum of all."""
    ...


check("03-enough", enough)

# %% solution="03-enough"
def enough(sigma, share):
    """The smallest k for which σ₁² + … + σ_k² is at least `share` (0 to 1) of the sum of all."""
    so_far = np.cumsum(sigma**2)
    return int(np.argmax(so_far >= share * so_far[-1])) + 1


check("03-enough", enough)

# %% [markdown]
# ## What the factors mean
#
# Combine $\Sigma$ with the songs (C7): $P = M_k$ has a row $p_u$ for every listener, $Q = N_k \Sigma_k$ a row $q_i$ for every
# song, and
#
# $$R_k = P Q^\top, \qquad r(u,i) \approx \bar r(i) + p_u \cdot q_i$$
#
# A row of $Q$ says what a song is like, and a row of $P$ how much a listener likes that (C4). These numbers are called
# **latent factors**, or hidden features.
#
# ### Exercise `03-factors` (10 minutes)

# %% exercise="03-factors"
def factors(R, k):
    """(C7) P = M_k and Q = N_k Σ_k, of shapes (m, k) and (n, k), for an array R without gaps."""
    M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
    ...


check("03-factors", factors)

# %% solution="03-factors"
def factors(R, k):
    """(C7) P = M_k and Q = N_k Σ_k, of shapes (m, k) and (n, k), for an array R without gaps."""
    M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
    return M[:, :k], N_T[:k].T * sigma[:k]


check("03-factors", factors)

# %% [markdown]
# Nobody told the computer how the songs sound. We know, since they are made up: these listeners notice how bright, how fast
# and how noisy a song is. So let us see how the four factors are related to that. Red and blue mark strong correlations,
# positive and negative.

# %%
Q = N_T[:4].T * sigma[:4]
together = np.corrcoef(Q.T, asked.features.T)[:4, 4:]
rows, columns = [f"factor {f}" for f in range(1, 5)], ["brightness", "tempo", "noise"]
plots.heat_map(together, "correlation", rows, columns);

# %% [markdown]
# The first factor *is* brightness, and the second is tempo (the sign means nothing: $-p$ times $-q$ is the same). Noise is
# divided between the third and the fourth, together with something that is not a sound at all: some listeners are more
# generous than others. And why is the third red under brightness, too? Factors are orthogonal, $\sum_i q_{i1} q_{i3} = 0$,
# but orthogonal means uncorrelated only where the means are 0; the third factor is below 0 for nearly all songs. The
# decomposition finds the right *space*. The axes in it point in the directions of largest variance, not in the directions for
# which we have words.
#
# Here are the songs in the plane of the first two factors, coloured by how bright they truly are, and by how fast:

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
plots.factor_map(Q, asked.features[:, 0], "brightness", left)
plots.factor_map(Q, asked.features[:, 1], "tempo", right);

# %% [markdown]
# You can hear it. This is the song at one end of the first factor:

# %%
def listen(i):
    samples, rate = asked.world.sound(asked.ratings.songs[i])
    return Audio(samples, rate=rate)


listen(Q[:, 0].argmin())

# %% [markdown]
# And this is the song at the other end. The stars alone told them apart.

# %%
listen(Q[:, 0].argmax())

# %% [markdown]
# ## With gaps
#
# Back to reality: seven answers in ten are missing, and we hide a fifth of the rest, as before. A table with gaps has no
# singular value decomposition. The oldest solution (Sarwar and others, 2000) is to fill every gap with the mean of its song.
#
# ### Exercise `03-filled` (5 minutes)

# %% exercise="03-filled"
def filled(R):
    """R, an array with NaN in its gaps, with each gap filled with the mean of its song."""
    ...


check("03-filled", filled)

# %% solution="03-filled"
def filled(R):
    """R, an array with NaN in its gaps, with each gap filled with the mean of its song."""
    return np.where(np.isnan(R), np.nanmean(R, axis=0), R)


check("03-filled", filled)

# %% [markdown]
# `acai.cf.SVD` decomposes the filled table without ever building it, and can therefore handle a million users. It does not
# subtract the means, so its first factor is "what everybody thinks" and the four factors from above come after it. Here they
# are again, compared with their values without gaps: three have shrunk to less than a third, and the fourth is lost in the
# noise.

# %%
train, test = asked.ratings.split(test=0.2, seed=0)
with_gaps = SVD(n_factors=21, damping=0).fit(train).sigma[1:]
curves = {"without gaps": sigma[:20], "one in four known, gaps filled": with_gaps}
plots.lines(curves, range(1, 21), xlabel="f", ylabel="singular value σ_f", ylim=(0, None));

# %%
ks = [1, 2, 3, 4, 5, 6, 8, 12, 20, 30]
error = lambda model: evaluate(model, train, test, which=["rmse"])["rmse"]
curves = {
    "SVD with k factors": [error(SVD(n_factors=k, damping=0)) for k in ks],
    "baseline (C12)": [error(Baseline())] * len(ks),
    "similar users (C1)": [error(UserKNN(k=10, shrinkage=0, min_neighbours=1))] * len(ks),
    "similar songs": [error(ItemKNN(k=10, centring="mean", shrinkage=0, min_neighbours=1))]
    * len(ks),
}
plots.lines(curves, ks, xlabel="k", ylabel="RMSE on the hidden fifth (stars)");

# %% [markdown]
# The decomposition finds something, and with too many factors it finds things that are not there. But neighbours do better.
# Why? Three quarters of the filled table are means: we made them up, and they all say "nothing special". The decomposition
# believes them as much as it believes real stars, and learns that everything is average. **A filled gap is a lie, told with
# confidence.**
#
# ## A new listener
#
# One thing is easy with factors: adding somebody new. A row of $P$ is $p = r\,Q\,\Sigma_k^{-2}$, where $r$ is the listener's
# row of stars, with the gaps filled. `fold_in` computes it without training the model again. Say a new listener gives 5 stars
# to the three brightest songs and 1 star to the three darkest. What will she like?

# %%
model = SVD(n_factors=5, damping=0).fit(train)
by_brightness = np.argsort(asked.features[:, 0])
stars = {train.songs[i]: 1.0 for i in by_brightness[:3]}
stars |= {train.songs[i]: 5.0 for i in by_brightness[-3:]}
scores = model.Q @ model.fold_in(stars)
ax = plots.axes()
ax.plot(asked.features[:, 0], scores, ".", color=plots.BLUE)
ax.set(xlabel="brightness of the song (the truth)", ylabel="r̂ for the new listener (stars)");

# %% [markdown]
# The brighter the better, even among songs that she said nothing about.
#
# ## Exercise `03-imputed` (40 minutes, or an evening)
# If a filled gap is a lie, tell a better one. Fill the gaps with the means; decompose; then fill the same gaps with the
# values of $R_k$, decompose again, and so on. With each round the lies come closer to the truth. Known stars stay as they
# are.

# %% exercise="03-imputed"
def imputed(R, k, steps):
    """R, an array with NaN in its gaps, with these filled: with the means of the songs, and then,
    `steps` times, with R_k of the filled table.
    """
    ...


check("03-imputed", imputed)

# %% solution="03-imputed"
def imputed(R, k, steps):
    """R, an array with NaN in its gaps, with these filled: with the means of the songs, and then,
    `steps` times, with R_k of the filled table.
    """
    gaps = np.isnan(R)
    R = np.where(gaps, np.nanmean(R, axis=0), R)
    for _ in range(steps):
        M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
        R = np.where(gaps, (M[:, :k] * sigma[:k]) @ N_T[:k], R)
    return R


check("03-imputed", imputed)

# %% [markdown]
# Once your solution is right, try it on `train` with $k = 4$: in twenty steps the RMSE on `test` falls from 0.85 to 0.56
# stars, far below the neighbours. There is a more direct way to the same end: use only the known stars, and never fill a gap
# at all. That takes gradient descent.
#
# ## What to read next
#
# * The README, part C: (C4) to (C7). In the code: `acai/cf/svd.py`, which never builds the filled table.
# * **[Notebook 04](04_descent.ipynb)** finds $P$ and $Q$ from the known stars alone.
