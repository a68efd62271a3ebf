# %% [markdown]
# # 08 · Cold start: a song that nobody has played
#
# **The question:** a new song has no listeners, so no neighbour and no factor model can say anything about it. Can you find
# the people who will love it by its sound alone? And can you recommend it to somebody whom the system has never met?
#
# Everything comes together here: plays become latent factors (notebooks 01 to 04), and a network (05, 06) learns to predict
# them from sound (07). Equations (A4), (A5), (A6) are in part A of the [README](../README.md); the code is
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
from acai.studies.ladder import ColdStartSplit, auc_scores, chance, cold_scores
from acai.teaching.exercises import check, exercises, hint

exercises("08")

# %% [markdown]
# ## A small world
#
# **This world is SYNTHETIC**: its listeners, songs and plays are made up, so that the truth is known and every claim can be
# measured. Each song has seven audible features (notebook 07), and each listener has a taste for each of them. The models see
# the plays and the sound, nothing else.

# %%
world = synthetic(n_users=400, n_songs=280, seconds=4.5, seed=0)
print(world.plays)
print()
print("song-0007 is:          ", world.describe("song-0007"))
print("listener-0007 likes it:", world.describe_taste("listener-0007"))
plots.long_tail(world.plays)
plt.show()

# %% [markdown]
# Now every fifth song is taken out, with all its plays: as far as the models know, these songs came out this morning.

# %%
split = ColdStartSplit.from_ratings(*world.plays.split_songs(test=0.2, seed=0))
print(f"{len(split.warm)} songs with plays, {len(split.cold)} that nobody has played")

# %% [markdown]
# ## Where the listeners put the songs
#
# `ALS` (C11) turns the plays into seven numbers for each listener (a row of P) and each song (a row of Q). Nobody tells it
# what they mean, and their axes point in arbitrary directions. Yet the features are in there: a linear regression from Q to
# the true register of each song, and another to its tempo, recovers both. This comes from plays alone: listeners who like low
# songs play many low songs.

# %%
model = ALS(n_factors=7, n_epochs=10, reg=10.0).fit(split.train)
Q = model.Q[split.warm]  # (n_songs, k)
fig, panels = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for name, panel in zip(("register", "tempo"), panels):
    truth = world.features[split.warm, list(FEATURES).index(name)]
    plots.axes(panel).scatter(
        truth, Ridge().fit(Q, truth[:, None]).predict(Q)[:, 0], s=10, color=plots.BLUE
    )
    panel.set(xlabel=f"true {name}", ylabel="predicted from Q")
plt.show()

# %% [markdown]
# ## The network listens
#
# Now the sound. Each song becomes a log-mel spectrogram (A1, A2). The network gets random windows of three seconds, and as
# its target the row of Q that the song's listeners gave it. It has four convolutions over time, then the mean, maximum and L2
# norm over all of time (N9), then two linear layers, and the loss is the mean squared error (N5). A tenth of the songs is
# held out for validation, to see whether the network generalises: R² is the share of the variance between these songs that it
# explains, 0 for nothing and 1 for everything.

# %%
spectrograms = world.spectrograms()
network = dieleman_network(n_factors=7, n_filters=32, n_hidden=64)
audio_model = AudioToFactors(network, n_epochs=20, learning_rate=0.04)
network_scores = cold_scores(split, model.P, model.Q, audio_model, spectrograms)
plots.training(audio_model.history)
plt.show()

# %% [markdown]
# What did it learn to listen for? Here are the 24 largest of the 32 filters in its first layer, each four frames wide: red is
# what excites it. They still look much like the noise they started from; a small tendency is enough for a filter to be
# useful. The responses say more: below are a song and the moments at which each of the 32 filters responds. Some respond to
# beginnings, others for as long as a tone lasts.

# %%
plots.filters(audio_model.fitted_network.layers[0].params["W"])
plt.show()

# %%
window = audio_model.inputs.transform(spectrograms[7])[:, :258]
layers = audio_model.fitted_network.layers
# convolution and ReLU, (1, 32, 1, frames)
first = layers[1].predict(layers[0].predict(window[None, :, None]))
plots.responses(window, first[0, :, 0])

# %% [markdown]
# A song is longer than a window. So the network makes a prediction for each of several consecutive windows, and the song gets
# their mean (A4):
#
# $$\hat q = \frac1W \sum_w f(\text{window } w)$$
#
# Which of the seven true features can be recovered from q̂? Compare with a **ridge regression on the average spectrum**,
# which knows nothing about time. (Each bar shows how much of a feature's variance, over the songs without plays, a linear
# regression on q̂ explains; 1 is all of it.)

# %%
ridge = SpectrumRidge()
ridge_scores = cold_scores(split, model.P, model.Q, ridge, spectrograms)


def r2_of_features(audio_model):
    """Return the R² of each true feature, predicted from q̂, on songs that nobody has played."""
    Q_hat = audio_model.predict(spectrograms)
    line = Ridge().fit(Q_hat[split.warm], world.features[split.warm])
    truth = world.features[split.cold]
    error = np.square(line.predict(Q_hat[split.cold]) - truth).mean(axis=0)
    return 1 - error / truth.var(axis=0)


ax = plots.axes(size=(8, 3))
positions = np.arange(len(FEATURES))
ax.bar(
    positions - 0.2,
    r2_of_features(ridge).clip(0),
    0.4,
    color=plots.ORANGE,
    label="ridge on the average spectrum",
)
ax.bar(positions + 0.2, r2_of_features(audio_model).clip(0), 0.4, color=plots.BLUE, label="network")
ax.set(xticks=positions, xticklabels=list(FEATURES), ylabel="R²", ylim=(0, 1.25))
ax.legend(frameon=False, ncols=2, loc="upper left")
plt.show()

# %% [markdown]
# Brightness, register and noise show in the average spectrum, so both models find them; for brightness the ridge regression
# is even a little better, since a linear model needs fewer songs to learn from. Touch is mostly a matter of time: the ridge
# finds half of it, as notes that ring longer are louder on average, and the network finds more. Tempo and the beat exist only
# in time: only the network finds anything of them. Tremor, a wobble of a few times a second, exists only in time, too, and
# *neither* model finds it. With so few songs the network does not learn it; the last exercise shows that it is there.

# %% [markdown]
# ### Exercise `08-windows` (10 minutes)
# Write (A4). The windows are side by side, each `width` frames wide; if the song does not end with a window, one more is
# added that does, and that overlaps the one before. `f` takes a window, (bands, width), and gives (k,).

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
# ## How good is it?
#
# For every listener p and every song without plays q̂, the score is their product (A5), $p_u \cdot \hat q$. Does a song that
# a listener plays rank above one that they do not play? The share of pairs for which it does is the AUC (E7): 0.5 is chance,
# 1 is perfect. Not even the true features reach 1, because what people play is partly luck.

# %%
ladder = auc_scores(split, {
    "chance": chance(split),
    "ridge on the average spectrum": ridge_scores,
    "the network": network_scores,
    "the true features": world.tastes @ world.features[split.cold].T,
})
plots.ladder(ladder)
plt.show()

# %% [markdown]
# ## Songs for a listener
#
# Here is one listener, the song they played most, and what the network would recommend to them from among the songs that
# nobody has played. The words describe the truth, which the network was never told. Listen to whether they fit.

# %%
songs, users = world.plays.songs, world.plays.users
Q_hat = audio_model.predict([spectrograms[i] for i in split.cold])
new = ColdStartRecommender(model, {songs[i]: q for i, q in zip(split.cold, Q_hat)})

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
# And the other way round: a band brings a new song and asks who will like it. `listeners_for` answers with the same scores,
# and `similar_by_sound` finds the songs that would have the same listeners.

# %%
print(
    "will like",
    recommended[0],
    ":",
    [user for user, score in new.listeners_for(recommended[0], n=3)],
)
print(
    "would have the same listeners:",
    [song for song, cosine in new.similar_by_sound(recommended[0], n=3)],
)

# %% [markdown]
# ### Exercise `08-best` (5 minutes)
# (A5): return the row numbers of the n best songs in Q_hat for a listener p, best first.

# %% exercise="08-best"
def best(p, Q_hat, n):
    """p (k,), Q_hat (n_songs, k) → the numbers of n rows of Q_hat, best first, as integers."""
    ...


check("08-best", best)

# %% solution="08-best"
def best(p, Q_hat, n):
    """p (k,), Q_hat (n_songs, k) → the numbers of n rows of Q_hat, best first, as integers."""
    return np.argsort(-(Q_hat @ p))[:n]


check("08-best", best)

# %% [markdown]
# ## A listener whom nobody has met
#
# A new listener arrives and names three songs, all of them high and noisy. `fold_in` finds the p that explains them while Q
# stays fixed: no training, just one small system of equations. And p gives us recommendations, new songs included: a song
# that nobody has played, for a person whom nobody knows.

# %%
known_songs = [songs[i] for i in split.warm]
high_and_noisy = np.argsort(-world.features[split.warm][:, 1:3].sum(axis=1))[:3]
named = {known_songs[i]: 5 for i in high_and_noisy}  # five plays each
p = model.fold_in(named)
scores = Q_hat @ p  # (A5)
order = np.argsort(-scores)


def show(title, numbers):
    print(title)
    for i in numbers:
        register, noise = world.features[i, 1:3]
        print(
            f"   {songs[i]}: register {register:+.1f}, noise {noise:+.1f};",
            f"in words: {world.describe(songs[i])}",
        )


show("named:", split.warm[high_and_noisy])
show("recommended, of the songs that nobody has played:", split.cold[order[:3]])
together = np.corrcoef(scores, world.features[split.cold, 1:3].sum(axis=1))[0, 1]
print(
    f"the scores of these {len(scores)} songs go from {scores.min():.2f} to {scores.max():.2f};",
    end=" ",
)
print(f"their correlation with register + noise is {together:.2f}")
plots.factor_map(Q_hat, scores, "score for the new listener (A5)")
plt.show()

# %% [markdown]
# Each dot is a song that nobody has played, placed by the network; bright ones are for the new listener.
#
# "On the beat, dark"? The words name only the three features that stand out most in a song. The numbers beside them say that
# all three recommendations *are* high and noisy, and so it goes down the whole list: the scores follow register and noise
# closely. On the other features the new listener's songs do not agree, so there is little to go by; and of brightness, the
# beat and tremor, as the bars above show, the network explains half or less. That a song is dark and on the beat matters
# little, either way.
#
# How confident is it? Not very. A song that is played should score 1, one that is not 0, and even the best of these scores
# only about 0.15. The three named songs score no higher: three songs that were played, against 221 that were not, pull p only
# a little way from 0. The order of the scores is worth something; their size is not.

# %% [markdown]
# ## The first listeners arrive
#
# A day later three people have played the song. Their plays say something that the sound does not, but three people are not
# many. What is q now? It should explain their plays, and yet stay close to what the audio predicts (A6):
#
# $$q = \arg\min_q \tfrac12 \sum_u (r_u - p_u \cdot q)^2 + \tfrac{\lambda}{2} \lVert q - \hat q \rVert^2$$
#
# Set the gradient to zero, and you get $(\sum_u p_u p_u^\top + \lambda I)(q - \hat q) = \sum_u p_u(r_u - p_u \cdot \hat q)$.
# With no plays q is q̂; with many, it is what the listeners say. λ is how many plays the audio prediction is worth.
#
# Below is the AUC of the songs without plays among the listeners who have not been asked yet, as the first n arrive, with the
# audio prediction (A6) and without it (q̂ = 0).

# %%
without_audio = ColdStartRecommender(model, {song: 0 * q for song, q in zip(new.songs, new.Q_hat)})
rng = np.random.default_rng(0)
orders = {song: rng.permutation(len(users)) for song in new.songs}


def auc_after(n, source):
    """Return the mean AUC of the new songs, once the first n listeners of each have played it."""
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
    "audio and listeners (A6)": [auc_after(n, new) for n in ns],
    "listeners alone": [auc_after(n, without_audio) for n in ns],
}
plots.lines(curves, ns, xlabel="listeners so far", ylabel="AUC")
plt.show()

# %% [markdown]
# Without audio, a song starts at chance and needs twenty listeners to be placed as well. With audio, it starts where the
# network left off. (This is not the number in the plot of models above, because it is a different mean: there, each
# listener's AUC over the songs; here, each song's over the listeners, and only for songs with 25 listeners or more.)
#
# ### Exercise `08-first-plays` (30 minutes)
# Write (A6). `np.linalg.solve(A, c)` solves a system of equations A d = c.

# %% exercise="08-first-plays"
def with_plays(q_hat, P, r, lam):
    """q_hat (k,), P (n, k) of those who played the song, r (n,) their ratings of it → q (k,)."""
    ...


check("08-first-plays", with_plays)

# %% solution="08-first-plays"
def with_plays(q_hat, P, r, lam):
    """q_hat (k,), P (n, k) of those who played the song, r (n,) their ratings of it → q (k,)."""
    A = P.T @ P + lam * np.eye(len(q_hat))
    return q_hat + np.linalg.solve(A, P.T @ (r - P @ q_hat))


check("08-first-plays", with_plays)

# %% [markdown]
# ### Exercise `08-audio-model` (an evening)
# Write an audio model of your own, a class with `fit(spectrograms, Q)` and `predict(spectrograms)`; each spectrogram is (128,
# frames), Q is (n_songs, k). The check trains it on the seven features of 135 songs from another world, four seconds each,
# and tests it on 45 more. `SpectrumRidge` reaches an R² of about 0.4. Your goal: **0.2 more**. If the check fails, it says
# which features your model does not find.

# %% exercise="08-audio-model"
class AudioModel:
    def fit(self, spectrograms, Q):
        """Learn to predict Q (n_songs, k) from spectrograms, each (128, frames)."""
        ...
        return self

    def predict(self, spectrograms):
        """Return the prediction for these spectrograms: (n_songs, k)."""
        ...


check("08-audio-model", AudioModel)

# %% solution="08-audio-model"
class AudioModel:
    """Ridge regression (A7) on mean and deviation of each band, and how fast loudness changes."""

    def features(self, S):
        S = np.asarray(S, dtype=float)
        groups = S.reshape(16, 8, -1).mean(axis=1)  # eight neighbouring bands each
        groups = (groups - groups.mean(axis=1, keepdims=True)) * np.hanning(S.shape[1])
        rhythm = np.abs(np.fft.rfft(groups, 512, axis=1))[:, 4:128]  # 0.3 to 10.7 times a second
        rhythm = rhythm.reshape(16, 31, 4).mean(axis=2)
        return np.concatenate(
            [
                S.mean(axis=1),
                S.std(axis=1),
                np.log(rhythm.mean(axis=0) + 1e-3),
                np.log1p(rhythm).ravel(),
            ]
        )

    def fit(self, spectrograms, Q):
        self.ridge = Ridge().fit(np.array([self.features(S) for S in spectrograms]), Q)
        return self

    def predict(self, spectrograms):
        return self.ridge.predict(np.array([self.features(S) for S in spectrograms]))


check("08-audio-model", AudioModel)

# %% [markdown]
# ## What to read next
#
# * **Your own music**: `acai report --help` explains how to do all this with a folder of sound files and a table of who
#   played what, and how often.
# * `acai demo` is this notebook with a larger world, on a page with audio players.
# * [`acai/content/audio_to_factors.py`](../acai/content/audio_to_factors.py) and
#   [`acai/content/cold_start.py`](../acai/content/cold_start.py): the two classes that did the work.
#   [`acai/content/training.py`](../acai/content/training.py): how the network was trained.
# * The paper: van den Oord, Dieleman, Schrauwen, *Deep content-based music recommendation*, 2013.
# * And then: change something. Try another network, another world, other features. The AUC tells you whether it got better.
