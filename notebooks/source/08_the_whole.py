# %% [markdown]
# # 08 · The whole: a song that nobody has played
#
# **The question:** a new song has no listeners, so that no neighbour and no factor model can say anything about it. Can
# one find the people who will love it, by its sound alone? And recommend it to somebody whom the system has never met?
#
# Everything comes together here: plays become hidden features (notebooks 01 to 04), a network (05, 06) learns to hear
# them (07). Equations (A4), (A5), (A6) are in the [README](../README.md), part A; the code is
# `acai/content/audio_to_factors.py` and `acai/content/cold_start.py`.

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

from acai import plots
from acai.cf import ALS
from acai.content import AudioToFactors
from acai.content.audio_models import Ridge, SpectrumRidge
from acai.content.cold_start import ColdStartRecommender
from acai.content.networks import dieleman_network
from acai.datasets.synthetic import FEATURES, synthetic
from acai.evaluation import metrics
from acai.studies.ladder import Split, areas, chance, unheard_scores
from acai.teaching.exercises import check, exercises, hint

exercises("08")

# %% [markdown]
# ## A small world
#
# **This world is SYNTHETIC**: its listeners, songs and plays are made up, so that the truth is known and every claim
# can be measured. Each song has seven features that one can hear (notebook 07), each listener a taste in each of them.
# The models see the plays and the sound, nothing else.

# %%
world = synthetic(n_users=400, n_songs=280, seconds=4.5, seed=0)
print(world.plays)
print()
print("song-0007 is:          ", world.describe("song-0007"))
print("listener-0007 likes it:", world.describe_taste("listener-0007"))
plots.long_tail(world.plays)
plt.show()

# %% [markdown]
# Every fifth song is now taken out, with all its plays: for the models these songs came out this morning.

# %%
split = Split.of(*world.plays.split_songs(test=0.2, seed=0))
print(f"{len(split.heard)} songs with plays, {len(split.unheard)} that nobody has played")

# %% [markdown]
# ## Where the listeners put the songs
#
# `ALS` (C11) turns the plays into seven numbers for each listener (a row of P) and each song (a row of Q). Nobody tells
# it what they mean, and their axes point anywhere. Yet the features are in there: a straight line, fitted from Q to the
# true register of each song, and another to its tempo, finds both again. From plays alone: who likes low songs plays
# many low songs.

# %%
model = ALS(n_factors=7, n_epochs=10, reg=10.0).fit(split.train)
Q = model.Q[split.heard]  # (n_songs, k)
fig, panels = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for name, panel in zip(("register", "tempo"), panels):
    truth = world.features[split.heard, list(FEATURES).index(name)]
    plots.axes(panel).scatter(truth, Ridge().fit(Q, truth[:, None]).predict(Q)[:, 0], s=10, color=plots.BLUE)
    panel.set(xlabel=f"true {name}", ylabel="read off Q")
plt.show()

# %% [markdown]
# ## The network listens
#
# Now the sound. Each song becomes a log-mel spectrogram (A1, A2). The network is shown random windows of three seconds,
# and told the row of Q that the song's listeners gave it; four convolutions over time, then mean, maximum and L2 norm
# over all of time (N9), then two linear layers, and the loss is the mean squared error (N5). A tenth of the songs is
# kept aside, to see whether what it learns carries over: R² is what share of the differences between these songs it
# tells, 0 for nothing and 1 for all.

# %%
spectrograms = world.spectrograms()
network = dieleman_network(n_factors=7, n_filters=32, n_hidden=64)
ear = AudioToFactors(network, n_epochs=20, learning_rate=0.04)
network_scores = unheard_scores(split, model.P, model.Q, ear, spectrograms)
plots.training(ear.history)
plt.show()

# %% [markdown]
# What did it learn to listen for? Here are the 24 largest of the 32 filters of its first layer, each four frames wide:
# red is what excites it. They still look much like the noise they began with; a filter has to lean only a little to be of
# use. The responses say more: below, a song, and the moments at which each of the 32 answers. Some answer to beginnings,
# others as long as a tone sounds.

# %%
plots.filters(ear.fitted_network.layers[0].params["W"])
plt.show()

# %%
window = ear.inputs.transform(spectrograms[7])[:, :258]
layers = ear.fitted_network.layers
first = layers[1].predict(layers[0].predict(window[None, :, None]))  # convolution and ReLU, (1, 32, 1, frames)
plots.responses(window, first[0, :, 0])

# %% [markdown]
# A song is longer than a window. So the network tells its opinion of consecutive windows, and the song gets their mean
# (A4):
#
# $$\hat q = \frac1W \sum_w f(\text{window } w)$$
#
# Which of the seven true features can one read off q̂? Compare with a **ridge regression on the average spectrum**,
# which hears no time. (Each bar: what share of a feature's variance, over the unheard songs, a straight line from q̂
# tells; 1 is all.)

# %%
flat = SpectrumRidge()
ridge_scores = unheard_scores(split, model.P, model.Q, flat, spectrograms)


def told(ear):
    """R² of each true feature, read off q̂ by a straight line, on the songs that nobody has played."""
    Q_hat = ear.predict(spectrograms)
    line = Ridge().fit(Q_hat[split.heard], world.features[split.heard])
    truth = world.features[split.unheard]
    error = np.square(line.predict(Q_hat[split.unheard]) - truth).mean(axis=0)
    return 1 - error / truth.var(axis=0)


ax = plots.axes(size=(8, 3))
place = np.arange(len(FEATURES))
ax.bar(place - 0.2, told(flat).clip(0), 0.4, color=plots.ORANGE, label="ridge on the average spectrum")
ax.bar(place + 0.2, told(ear).clip(0), 0.4, color=plots.BLUE, label="network")
ax.set(xticks=place, xticklabels=list(FEATURES), ylabel="R²", ylim=(0, 1.25))
ax.legend(frameon=False, ncols=2, loc="upper left")
plt.show()

# %% [markdown]
# Brightness, register and noise lie in the average spectrum, and both hear them; brightness the ridge even a little
# better, since a straight line needs fewer songs to learn from. Touch is in time mostly: the ridge hears half of it, as
# notes that ring longer are louder on average, and the network more. Tempo and the beat are in time alone: only the
# network hears anything of them. Tremor is in time alone, too, a wobble of a few times a second, and *neither* hears it.
# With so few songs it is not found; the last exercise shows that it is there.

# %% [markdown]
# ### Exercise `08-windows` (10 minutes)
# Write (A4). The windows lie side by side, each `width` frames wide; where the song does not end with a window, the
# last one is moved back so that it does. `f` takes a window, (bands, width), and gives (k,).

# %% exercise="08-windows"
def placed(S, f, width):
    """S (bands, frames), at least `width` frames → q̂ (k,)."""
    ...


check("08-windows", placed)

# %% solution="08-windows"
def placed(S, f, width):
    """S (bands, frames), at least `width` frames → q̂ (k,)."""
    frames = S.shape[1]
    starts = list(range(0, frames - width + 1, width))
    if starts[-1] + width < frames:
        starts.append(frames - width)
    return np.mean([f(S[:, s : s + width]) for s in starts], axis=0)


check("08-windows", placed)

# %% [markdown]
# ## How good is it? The ladder
#
# Every listener p, every unheard song q̂: the score is their product (A5), $p_u \cdot \hat q$. Does a song that a
# listener plays stand above one that they do not play? The share of pairs for which it does is the AUC (E7): 0.5 is
# chance, 1 perfect. Not even the true features reach 1, for what people play is partly luck.

# %%
ladder = areas(split, {
    "chance": chance(split),
    "ridge on the average spectrum": ridge_scores,
    "the network": network_scores,
    "the true features": world.tastes @ world.features[split.unheard].T,
})
plots.ladder(ladder)
plt.show()

# %% [markdown]
# ## Songs for a listener
#
# One listener, the songs they played most, and what the network would play them of the songs that nobody has played. In
# words, the truth, which the network was not told. Listen whether they fit.

# %%
songs, users = world.plays.songs, world.plays.users
Q_hat = ear.predict([spectrograms[i] for i in split.unheard])
new = ColdStartRecommender(model, {songs[i]: q for i, q in zip(split.unheard, Q_hat)})

user = users[np.argmax(np.diff(split.train.csr.indptr))]  # who played the most songs
row = split.train.csr[[split.train.row(user)]]
favourite = songs[row.indices[np.argmax(row.data)]]
recommended = [song for song, score in new.recommend(user, n=3)]
print(f"{user} likes music that is {world.describe_taste(user)}\n")
print(f"played most:  {favourite}: {world.describe(favourite)}")
for song in recommended:
    print(f"recommended:  {song}: {world.describe(song)}")
samples, rate = world.sound(favourite)
Audio(samples[: 3 * rate], rate=rate)  # the favourite

# %%
samples, rate = world.sound(recommended[0])
Audio(samples[: 3 * rate], rate=rate)  # the first recommendation, which nobody has played

# %% [markdown]
# And the other way round: a band brings a new song, and asks who will like it. `listeners_for` answers with the same
# scores, `similar_by_sound` with the songs that have the same listeners.

# %%
print("will like", recommended[0], ":", [user for user, score in new.listeners_for(recommended[0], n=3)])
print("sounds for the same people:", [song for song, cosine in new.similar_by_sound(recommended[0], n=3)])

# %% [markdown]
# ### Exercise `08-best` (5 minutes)
# (A5): the numbers of the n best rows of Q_hat for a listener p, best first.

# %% exercise="08-best"
def best(p, Q_hat, n):
    """p (k,), Q_hat (n_songs, k) → n rows of Q_hat, the best first, as whole numbers."""
    ...


check("08-best", best)

# %% solution="08-best"
def best(p, Q_hat, n):
    """p (k,), Q_hat (n_songs, k) → n rows of Q_hat, the best first, as whole numbers."""
    return np.argsort(-(Q_hat @ p))[:n]


check("08-best", best)

# %% [markdown]
# ## Somebody whom nobody has met
#
# A new listener arrives and names three songs, all of them high and noisy. `fold_in` finds the p that explains them,
# with Q standing still: no training, one small system of equations. And with p come the recommendations, new songs
# included: a song that nobody has played, for a person whom nobody knows.

# %%
heard = [songs[i] for i in split.heard]
high_and_noisy = np.argsort(-world.features[split.heard][:, 1:3].sum(axis=1))[:3]
named = {heard[i]: 5 for i in high_and_noisy}  # five plays each
p = model.fold_in(named)
scores = Q_hat @ p  # (A5)
order = np.argsort(-scores)


def show(title, numbers):
    print(title)
    for i in numbers:
        register, noise = world.features[i, 1:3]
        print(f"   {songs[i]}: register {register:+.1f}, noise {noise:+.1f}; in words: {world.describe(songs[i])}")


show("named:", split.heard[high_and_noisy])
show("recommended, of the songs that nobody has played:", split.unheard[order[:3]])
together = np.corrcoef(scores, world.features[split.unheard, 1:3].sum(axis=1))[0, 1]
print(f"the scores of these {len(scores)} songs go from {scores.min():.2f} to {scores.max():.2f};", end=" ")
print(f"their correlation with register + noise is {together:.2f}")
plots.factor_map(Q_hat, scores, "score for the newcomer (A5)")
plt.show()

# %% [markdown]
# Each dot is a song that nobody has played, where the network has put it; bright ones are for the newcomer.
#
# "On the beat, dark"? Words name only the three features that stand out most in a song. The numbers beside them say that
# all three recommendations *are* high and noisy, and so it is down the whole list: the scores follow register and noise
# closely. On the other features the newcomer's songs do not agree, so there is little to go by; and of brightness, the
# beat and tremor, as the bars above show, the network hears half or less. That a song is dark and on the beat counts for
# little, either way.
#
# How sure is it? Not very. A song that is played should score 1, one that is not 0, and the best of these has 0.15. The
# three that were named score no more: three songs that were played, against 221 that were not, pull p only a little way
# from 0. The order of the scores is worth something, their height is not.

# %% [markdown]
# ## The first listeners come
#
# A day later three people have played the song. Their plays say something that the sound does not; three people are not
# many. What is q now? The one that explains their plays, and yet stays near what the ear says (A6):
#
# $$q = \arg\min_q \tfrac12 \sum_u (r_u - p_u \cdot q)^2 + \tfrac{\lambda}{2} \lVert q - \hat q \rVert^2$$
#
# Set its gradient to zero, and out comes
# $(\sum_u p_u p_u^\top + \lambda I)(q - \hat q) = \sum_u p_u(r_u - p_u \cdot \hat q)$. With no plays q is q̂; with
# many, it is what listeners say. λ is how many plays the ear is worth.
#
# Below, the AUC for each unheard song among the listeners who have not been asked yet, as the first n come in, with the
# ear (A6) and without it (q̂ = 0).

# %%
deaf = ColdStartRecommender(model, {song: 0 * q for song, q in zip(new.songs, new.Q_hat)})
rng = np.random.default_rng(0)
orders = {song: rng.permutation(len(users)) for song in new.songs}


def area_after(n, source):
    """The mean AUC over the new songs when the first n listeners of each have played it, on all who are left."""
    found = []
    for j, song in enumerate(new.songs):
        players = orders[song][split.played[orders[song], j]]
        if len(players) < 25:
            continue
        q = source.fold_in(song, {users[u]: 1.0 for u in players[:n]})
        left = np.setdiff1d(np.arange(len(users)), players[:n])
        found.append(metrics.auc((model.P[left] @ q)[None], split.played[left, j][None]))
    return np.mean(found)


ns = [0, 1, 2, 3, 5, 8, 12, 20]
curves = {
    "sound and listeners (A6)": [area_after(n, new) for n in ns],
    "listeners alone": [area_after(n, deaf) for n in ns],
}
plots.lines(curves, ns, xlabel="listeners so far", ylabel="AUC")
plt.show()

# %% [markdown]
# Without the ear, a song begins at chance and needs twenty listeners to be understood as well. With it, the song
# begins where the network left off. (That is not the number of the ladder, because it is another mean: there, each
# listener's AUC over the songs; here, each song's over the listeners, and of songs with 25 listeners or more only.)
#
# ### Exercise `08-first-plays` (30 minutes)
# Write (A6). A system of equations A d = c is solved by `np.linalg.solve(A, c)`.

# %% exercise="08-first-plays"
def with_plays(q_hat, P, r, lam):
    """q_hat (k,), P (n, k) of those who played the song, r (n,) what they made of it → q (k,)."""
    ...


check("08-first-plays", with_plays)

# %% solution="08-first-plays"
def with_plays(q_hat, P, r, lam):
    """q_hat (k,), P (n, k) of those who played the song, r (n,) what they made of it → q (k,)."""
    A = P.T @ P + lam * np.eye(len(q_hat))
    return q_hat + np.linalg.solve(A, P.T @ (r - P @ q_hat))


check("08-first-plays", with_plays)

# %% [markdown]
# ### Exercise `08-ear` (an evening)
# Write an ear of your own, a class with `fit(spectrograms, Q)` and `predict(spectrograms)`; each spectrogram is (128,
# frames), Q is (n_songs, k). The check lets it learn the seven features from 135 songs of another world, four seconds
# each, and asks it about 45 more. `SpectrumRidge` reaches an R² of about 0.4. Asked for: **0.2 more**. The failed check
# says which features your ear does not hear.

# %% exercise="08-ear"
class Ear:
    def fit(self, spectrograms, Q):
        """Learn from spectrograms, each (128, frames), and what to tell of each, Q (n_songs, k)."""
        ...
        return self

    def predict(self, spectrograms):
        """What it tells of these: (n_songs, k)."""
        ...


check("08-ear", Ear)

# %% solution="08-ear"
class Ear:
    """Ridge regression (A7) on the mean and the spread of each band, and on how fast what is loud comes and goes."""

    def heard(self, S):
        S = np.asarray(S, dtype=float)
        groups = S.reshape(16, 8, -1).mean(axis=1)  # eight neighbouring bands each
        groups = (groups - groups.mean(axis=1, keepdims=True)) * np.hanning(S.shape[1])
        rhythm = np.abs(np.fft.rfft(groups, 512, axis=1))[:, 4:128]  # 0.3 to 10.7 times a second
        rhythm = rhythm.reshape(16, 31, 4).mean(axis=2)
        return np.concatenate([S.mean(axis=1), S.std(axis=1), np.log(rhythm.mean(axis=0) + 1e-3), np.log1p(rhythm).ravel()])

    def fit(self, spectrograms, Q):
        self.ridge = Ridge().fit(np.array([self.heard(S) for S in spectrograms]), Q)
        return self

    def predict(self, spectrograms):
        return self.ridge.predict(np.array([self.heard(S) for S in spectrograms]))


check("08-ear", Ear)

# %% [markdown]
# ## What to read next
#
# * **Your own music**: `acai report --help` says how to have all this done to a folder of sound files and a table of
#   who played what how often.
# * `acai demo` is this notebook with a larger world, on a page with players.
# * [`acai/content/audio_to_factors.py`](../acai/content/audio_to_factors.py) and
#   [`acai/content/cold_start.py`](../acai/content/cold_start.py): the two classes that did it.
#   [`acai/content/training.py`](../acai/content/training.py): how the network was trained.
# * The paper: van den Oord, Dieleman, Schrauwen, *Deep content-based music recommendation*, 2013.
# * And then: change something. Another network, another world, other features. Whether it got better, the ladder says.
