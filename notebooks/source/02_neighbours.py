# %% [markdown]
# # 02 · Neighbours
#
# **The question:** who is like you, and what do they think of a song that you have never heard?
#
# The oldest way to fill a gap in $R$ is to ask around. Find the people whose taste is similar to yours, look at what they
# thought of the song, and trust each of them more, the more similar they are. This takes two equations from part C of the
# [README](../README.md): how similar two users are (C3), and what that means for a song (C1).

# %%
import numpy as np

from acai import plots
from acai.cf import Baseline, GlobalMean, ItemKNN, UserKNN, plain
from acai.evaluation import evaluate
from acai.teaching.exercises import check, exercises, hint
from acai.teaching.survey import survey

exercises("02")

# %% [markdown]
# ## A survey
#
# A log does not record dislike (see [01](01_the_problem.ipynb)), so here we ask: 200 listeners were played about 30 songs
# each, out of 100, and gave 1 to 5 stars. They are made up, and that is useful: `asked.answers` has what each of them *would*
# have said about every song, and `asked.world` what they like and how the songs sound. No recommender may look at these; we
# may, afterwards.

# %%
asked = survey()
R = asked.ratings
plots.matrix(R).set_title("R: what they said");

# %% [markdown]
# To find out whether a prediction is any good, we hide a fifth of the answers, `test`, and learn from the rest, `train`. The
# error is measured in stars: the root mean squared error, RMSE (E1).

# %%
train, test = R.split(test=0.2, seed=0)
train, test

# %% [markdown]
# ## Two listeners
#
# For calculations by hand it is easier to have $R$ as a plain table, with NaN where nothing is known.

# %%
table = np.full((train.n_users, train.n_songs), np.nan)
for u, i, stars in train.triplets():
    table[train.row(u), train.column(i)] = stars

# %% [markdown]
# Below are two pairs of listeners. Each dot is a song that both rated, larger where several songs fall on the same spot. In
# the left plot, what one likes the other likes, too; in the right plot, it is the other way round. The dashed lines are the
# two listeners' means over these songs: a listener who always gives 4 does not like music more than one who always gives 3;
# they are only more generous. So what counts is whether a song lies above or below the *line*.

# %%
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
plots.two_users(table[0], table[70], left).set_title("listeners 0 and 70")
plots.two_users(table[0], table[46], right).set_title("listeners 0 and 46");

# %% [markdown]
# The Pearson correlation (C3) turns such a picture into one number. Over the songs $i$ that **both** rated, with the means
# $\bar r_u$, $\bar r_v$ taken over these songs,
#
# $$s(u,v) = \frac{\sum_i (r(u,i) - \bar r_u)(r(v,i) - \bar r_v)}
# {\sqrt{\sum_i (r(u,i) - \bar r_u)^2}\ \sqrt{\sum_i (r(v,i) - \bar r_v)^2}}$$
#
# A song in the upper right or lower left quadrant adds to the sum; one in the other two subtracts from it. 1 means "the same
# taste", −1 "the opposite", and near 0 there is nothing to learn. By hand, for three songs to which $u$ gave 5, 3, 1 stars
# and $v$ gave 4, 4, 1: the means are 3 and 3, the differences 2, 0, −2 and 1, 1, −2, so $s = (2 + 0 + 4) / \sqrt{8 \cdot 6} =
# 0.87$.
#
# ### Exercise `02-pearson` (15 minutes)

# %% exercise="02-pearson"
def pearson(r_u, r_v):
    """(C3) of two rows of R, arrays with NaN in the gaps.

    0 if one of the two users gave the same stars to all songs that both rated.
    """
    ...


check("02-pearson", pearson)

# %% solution="02-pearson"
def pearson(r_u, r_v):
    """(C3) of two rows of R, arrays with NaN in the gaps.

    0 if one of the two users gave the same stars to all songs that both rated.
    """
    both = ~np.isnan(r_u) & ~np.isnan(r_v)
    x = r_u[both] - r_u[both].mean()
    y = r_v[both] - r_v[both].mean()
    norm = np.sqrt((x**2).sum() * (y**2).sum())
    return (x * y).sum() / norm if norm > 0 else 0.0


check("02-pearson", pearson)

# %% [markdown]
# ## All pairs at once
#
# For 200 listeners there are 19,900 pairs, and for a million there are far too many to loop over in Python. But (C3) needs
# only six sums over the songs that both rated: how many there are, $\sum r(u,i)$, $\sum r(v,i)$, $\sum r(u,i)^2$, $\sum
# r(v,i)^2$ and $\sum r(u,i)\,r(v,i)$. With zeros in the gaps, and a table that says which entries are known, each of these is
# a product of two matrices. `acai.cf.plain.pearson` does the rest, with the same line of code for one pair or for all
# (other similarities need the norms, too).

# %%
known = (~np.isnan(table)).astype(float)
r = np.nan_to_num(table)
n = known @ known.T
x, y = r @ known.T, known @ r.T
xx, yy = r**2 @ known.T, known @ (r**2).T
S = plain.pearson(
    plain.CoRatedSums(n, x, y, xx, yy, r @ r.T, norm_u=None, norm_v=None)
)
for v in (70, 46):
    print(f"s(0, {v}) = {S[0, v]:+.2f}, from {n[0, v]:.0f} songs")

# %% [markdown]
# Here are forty listeners, sorted by what they truly like, from dark songs to bright ones. Red means similar, blue means
# opposite: there are two crowds, and each likes what the other cannot stand. Nobody told the computer anything about the
# music; it is all in the stars.

# %%
brightness = asked.world.tastes[:, 0]
some = np.argsort(brightness)[::5]
plots.heat_map(S[np.ix_(some, some)]).set(
    xlabel="v: from fond of dark to fond of bright", ylabel="u"
);

# %% [markdown]
# ## The prediction
#
# Now ask the neighbours. Each says how much better the song is than *their own* mean $\bar r(v)$; these differences are
# averaged with the similarities as weights; and the result is added to the mean of $u$ (C1):
#
# $$\hat r(u,i) = \bar r(u) + \kappa \sum_v s(u,v)\,\bigl(r(v,i) - \bar r(v)\bigr), \qquad \kappa = \frac{1}{\sum_v |s(u,v)|}$$
#
# The sum is over the $k$ listeners most similar to $u$ among those who rated $i$. `UserKNN` computes this, and `explain`
# shows how:

# %%
model = UserKNN(k=10, shrinkage=0, min_neighbours=1).fit(train)
u, i = "listener-0000", "song-0096"
plots.contributions(model.explain(u, i), mean=np.nanmean(table[0])).set_title(f"{u} and {i}");

# %% [markdown]
# One after another, the most similar first, ten neighbours pull the prediction away from the mean of $u$. Since $u$ is made
# up, we can look up what they would have said:

# %%
truth = asked.answers[R.row(u), R.column(i)]
print(f"predicted: {model.predict([u], [i])[0]:.2f} stars; the truth: {truth:.0f}")

# %% [markdown]
# ### Exercise `02-predict` (10 minutes)
# Write (C1) for one user and one song. The arrays have one entry for each neighbour who rated the song.

# %% exercise="02-predict"
def predict(r_bar_u, s, r, r_bar):
    """(C1) from the mean of u, and three arrays with an entry for each neighbour: the similarity s,
    the rating r of the song, and the neighbour's own mean r_bar.
    """
    ...


check("02-predict", predict)

# %% solution="02-predict"
def predict(r_bar_u, s, r, r_bar):
    """(C1) from the mean of u, and three arrays with an entry for each neighbour: the similarity s,
    the rating r of the song, and the neighbour's own mean r_bar.
    """
    kappa = 1 / np.abs(s).sum()
    return r_bar_u + kappa * (s * (r - r_bar)).sum()


check("02-predict", predict)

# %% [markdown]
# ## How many neighbours?
#
# With one neighbour you get the whims of one person; with everybody, you get what everybody thinks. The best value is
# somewhere in between.

# %%
ks = [1, 2, 3, 5, 8, 12, 20, 40, 80]
error = lambda model: evaluate(model, train, test, which=["rmse"])["rmse"]
curves = {
    "similar users": [error(UserKNN(k=k, shrinkage=0, min_neighbours=1)) for k in ks],
    "the same, shrunk (β = 10)": [error(UserKNN(k=k, shrinkage=10, min_neighbours=1)) for k in ks],
}
ax = plots.lines(curves, ks, xscale="log", xlabel="k neighbours", ylabel="RMSE on the hidden fifth")
ax.set_xticks(ks, ks)
ax.minorticks_off();

# %% [markdown]
# This picture shows what $k$ does: each dot is one hidden answer, with the true answer on the horizontal axis and the
# prediction on the vertical one. In a notebook that runs, you can move the slider. With $k = 1$ predictions are bold and
# often wrong; with $k = 80$ they are timid.

# %%
def against_truth(k=10):
    r_hat = (
        UserKNN(k=k, shrinkage=0, min_neighbours=1)
        .fit(train)
        .predict_codes(test.user_codes, test.csr.indices)
    )
    # so that all dots can be seen
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, test.n_ratings)
    ax = plots.axes(size=(4.2, 4))
    ax.plot(test.csr.data + jitter, r_hat, ".", color=plots.BLUE, ms=3, alpha=0.6)
    ax.plot([1, 5], [1, 5], color=plots.BLACK, lw=0.8)
    ax.set(xlabel="said (stars)", ylabel="predicted (stars)", title=f"k = {k}")
    ax.set(xlim=(0.5, 5.5), ylim=(0.5, 5.5))


against_truth()

# %% slider
from ipywidgets import interact

interact(against_truth, k=(1, 80));

# %% [markdown]
# ### Exercise `02-shrinkage` (5 minutes)
# Two listeners with two songs in common often seem perfectly similar by chance: two points always lie on a line. So the more
# songs a similarity is based on, the more we trust it: with $n$ songs in common, $s$ becomes $s \cdot n / (n + \beta)$. This
# is the orange curve above; look at what it does for small $k$.

# %% exercise="02-shrinkage"
def shrink(s, n, beta):
    """Similarities s, each based on n songs in common, shrunk towards zero where n is small."""
    ...


check("02-shrinkage", shrink)

# %% solution="02-shrinkage"
def shrink(s, n, beta):
    """Similarities s, each based on n songs in common, shrunk towards zero where n is small."""
    return s * n / (n + beta)


check("02-shrinkage", shrink)

# %% [markdown]
# ## Similar songs
#
# Swap users and songs, and the same equations find similar *songs*: those that the same people love. No new idea is needed,
# and there are two advantages. A song usually has more ratings than a listener, so the similarities are based on more data;
# and "because you liked this one" is a reason that people understand.

# %%
by_song = ItemKNN(k=10, centring="mean", shrinkage=0, min_neighbours=1).fit(train)
song = "song-0004"
for other, s in [(song, 1.0), *by_song.similar(song, n=5)]:
    brightness, tempo, noise = asked.features[R.column(other)]
    sound = f"brightness {brightness:+.1f}   tempo {tempo:+.1f}   noise {noise:+.1f}"
    print(f"{other}   s = {s:.2f}   {sound}")

# %% [markdown]
# The first line is the song itself; the others are liked by the people who like it. The numbers on the right are the truth
# about how these songs sound, from −1 to 1: this is what the listeners heard when they gave their stars, and what the
# computer was never told.
#
# So how well does all this work? Every model must beat two simple predictions: the mean of all stars, and the *baseline*
# (C12), $\hat r(u,i) = \mu + b(u) + b(i)$, which knows how generous each listener is and how good each song is, but nothing
# about taste.

# %%
simple = {"global mean": GlobalMean(), "baseline (C12)": Baseline()}
models = simple | {"similar users (C1)": model, "similar songs": by_song}
errors = {name: error(m) for name, m in models.items()}
plots.comparison(errors, "RMSE on the hidden fifth (stars)");

# %% [markdown]
# ### Exercise `02-beat-baseline` (40 minutes, or an evening)
# Beat the baseline by 28%, on a survey that you have not seen. Your function gets `train`, a `Ratings`, and two lists
# that together give pairs of a user and a song; it returns a prediction for each pair. Use anything you like: settings of
# `UserKNN` and `ItemKNN` (`help(UserKNN)` lists them), a combination of both, or ideas of your own.

# %% exercise="02-beat-baseline"
def my_predictions(train, users, songs):
    """What users[j] will think of songs[j], for every j: an array of stars."""
    return Baseline().fit(train).predict(users, songs)


check("02-beat-baseline", my_predictions)

# %% solution="02-beat-baseline"
def my_predictions(train, users, songs):
    """What users[j] will think of songs[j], for every j: an array of stars."""
    by_users = (
        UserKNN(k=10, shrinkage=10, min_neighbours=1, centring="baseline")
        .fit(train)
        .predict(users, songs)
    )
    by_songs = (
        ItemKNN(k=10, shrinkage=10, min_neighbours=1, centring="baseline")
        .fit(train)
        .predict(users, songs)
    )
    return (by_users + by_songs) / 2


check("02-beat-baseline", my_predictions)

# %% [markdown]
# ## What to read next
#
# * The README, part C: (C1) to (C3), the baseline (C12), and (C13), a similarity for play counts.
# * `acai/cf/similarities.py` and `acai/cf/neighbours.py`: this notebook, for data of any size.
# * **[Notebook 03](03_singular_values.ipynb)**: neighbours remember everything and understand nothing. What is *behind* the
#   stars?
