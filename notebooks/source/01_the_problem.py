# %% [markdown]
# # 01 · The problem
#
# **The question:** what does a list of plays tell us about who likes what?
#
# A music service knows one thing about its listeners: who played which song, and when. From that it has to guess which song,
# of all those that a listener has never played, they would love to hear next. This notebook goes the first step: from the list
# to a matrix, $R$, one row a listener and one column a song. Everything that follows is about the gaps in $R$.
#
# Equations have the numbers of the [README](../README.md): (D1) to (D5) are in its part D. Cells with `check` are exercises;
# `hint("…")` helps, step by step, and the folder `solutions` has this notebook with all of them solved. `check` and `hint` speak
# only as the *last line* of a cell, as any value does; with a line behind them, or in a script, write `print(check(…))`.

# %%
import numpy as np

from acai import datasets, plots
from acai.teaching.exercises import check, exercises, hint
from acai.teaching.survey import listening_log

exercises("01")

# %% [markdown]
# ## A year of listening
#
# Real logs may not be passed on, so this one is made up: 300 listeners, 200 songs, one year. It behaves as real ones do, and
# has an advantage over them: whoever made it up knows the truth, and can tell us later how near we came.

# %%
world = datasets.synthetic(n_users=300, n_songs=200, seconds=2)
log = listening_log(world)
log

# %% [markdown]
# A log is three columns: who, what, when. Here are the first plays of the year.

# %%
for u, i, when in zip(log.user_codes[:5], log.song_codes[:5], log.times[:5].view("datetime64[s]")):
    print(when, " ", log.users[u], " ", log.songs[i])

# %% [markdown]
# One listener's year, a tick a play. Look at the rows: some songs are played to death in a week, others come back every month,
# most are tried once and never again. The last kind is the most common, and says the least.

# %%
listener = log.users.index("listener-0049")
mine = log.keep(log.user_codes == listener)
plots.diary(mine.times, [log.songs[i] for i in mine.song_codes]).set_title(log.users[listener]);

# %% [markdown]
# ## The long tail
#
# Count the plays of each song and put the most played on the left. Every music service has this picture: a few songs are
# played all the time, and most are played hardly ever. It is called the *long tail*. A recommender that only knows the head is
# of little use, since everybody has heard the head already; and of a song in the tail it has next to nothing to go by.

# %%
plays = log.to_ratings("plays")
plots.long_tail(plays);

# %% [markdown]
# ### Exercise `01-long-tail` (5 minutes)
# Which share of all plays do the most played songs have? `plays` is how often each song was played, in any order; `head` is the
# share of the songs that count as the most played. If you are stuck, ask for a hint; ask again, and it becomes plainer:

# %%
hint("01-long-tail")

# %% exercise="01-long-tail"
def share_of_head(plays, head):
    """The share, 0 to 1, of all plays that the round(head · n) most played of n songs have."""
    ...


check("01-long-tail", share_of_head)

# %% solution="01-long-tail"
def share_of_head(plays, head):
    """The share, 0 to 1, of all plays that the round(head · n) most played of n songs have."""
    top = round(head * len(plays))
    return np.sort(plays)[::-1][:top].sum() / plays.sum()


check("01-long-tail", share_of_head)

# %% [markdown]
# ## From a log to a matrix
#
# Forget *when* for a moment, and count how often user $u$ played song $i$: the number of plays $n(u,i)$ (D1). Written as a
# table it is a matrix with $m$ rows, one a user, and $n$ columns, one a song.
#
# ### Exercise `01-counts` (10 minutes)
# The arrays `users` and `songs` are equally long: in play $j$, the user in row `users[j]` played the song in column `songs[j]`.

# %% exercise="01-counts"
def count(users, songs, m, n):
    """(D1) How often each of m users played each of n songs: an array of shape (m, n)."""
    ...


check("01-counts", count)

# %% solution="01-counts"
def count(users, songs, m, n):
    """(D1) How often each of m users played each of n songs: an array of shape (m, n)."""
    N = np.zeros((m, n))
    for u, i in zip(users, songs):
        N[u, i] += 1
    return N


check("01-counts", count)

# %% [markdown]
# The library does the same, but keeps only what is known: with a million users and a million songs, a full table would not fit
# into any computer. What comes out is called `Ratings`, and it has named axes: users downwards, songs to the right.

# %%
plays

# %% [markdown]
# Below, the busiest listeners are on top and the best known songs on the left. All that is white is a **gap**: nine entries in
# ten. On a real service it is more than 99 in 100.
#
# A gap is not a zero. Zero would say "she does not like it"; a gap says "we do not know". She may have never met it. Telling
# which of the gaps hide a song that she would love: that is the problem.

# %%
plots.matrix(plays.map(np.log1p), label="log(1 + plays)", sort=True);

# %% [markdown]
# ## From plays to stars
#
# Is somebody who played a song 200 times a hundred times as fond of it as somebody who played it twice? Surely not. So plays
# are turned into a value first, and that value is what $R$ holds. There are several rules:
#
# | | value | |
# |---|---|---|
# | (D1) `plays` | $n$ | as it is |
# | (D2) `log1p` | $\log(1 + n)$ | each play says less than the one before |
# | (D3) `binary` | 1 | played at all |
# | (D4) `stars_from_counts` | 3, 4 or 5 | 1 play, 2 to 4, 5 and more |
# | (D5) `stars_from_times` | 3, 4 or 5 | by number, and by how close together |
#
# Here is what each makes of our year. A dot is all pairs of a user and a song with so many plays: the larger, the more pairs.

# %%
plots.rules(log);

# %% [markdown]
# ### Exercise `01-stars` (5 minutes)
# Write (D4): 3 stars for one play, 4 for two to four, 5 for five and more.

# %% exercise="01-stars"
def stars(n):
    """(D4) Stars for an array of numbers of plays, each 1 or more."""
    ...


check("01-stars", stars)

# %% solution="01-stars"
def stars(n):
    """(D4) Stars for an array of numbers of plays, each 1 or more."""
    return np.where(n >= 5, 5, np.where(n >= 2, 4, 3))


check("01-stars", stars)

# %% [markdown]
# ### Exercise `01-stars-by-time` (half an hour)
# Five plays within a week say more than five plays in a year. (D5) looks at the times of all plays of one song by one user:
#
# * one play: 3 stars;
# * more than ten plays: 5 stars;
# * anything between: 5 stars if two plays in a row are less than 24 hours apart, or if four plays in a row lie within 30 days;
#   4 stars otherwise.
#
# The program that this library descends from has (D5) wrong in one place. Will you?

# %% exercise="01-stars-by-time"
def stars_by_time(times):
    """(D5) Stars for one user and one song, from the times of its plays: seconds, an array, in order."""
    ...


check("01-stars-by-time", stars_by_time)

# %% solution="01-stars-by-time"
def stars_by_time(times):
    """(D5) Stars for one user and one song, from the times of its plays: seconds, an array, in order."""
    day = 24 * 60 * 60
    n = len(times)
    if n == 1:
        return 3
    if n > 10:
        return 5
    soon = (times[1:] - times[:-1] < day).any()
    often = (times[3:] - times[:-3] <= 30 * day).any()  # from the first play of four to the fourth
    return 5 if soon or often else 4


check("01-stars-by-time", stars_by_time)

# %% [markdown]
# ## What a log cannot tell
#
# Here is how the two rules of stars judge our year. The log of a service knows no 1 and no 2: whoever dislikes a song just does
# not play it again, and the log shows one play, the same as that of somebody who has only just found it. A model that learns
# from such stars learns much about love and little about dislike. Keep that in mind when you read results on play counts.

# %%
kinds = {"(D4) stars_from_counts": "stars_from_counts", "(D5) stars_from_times": "stars_from_times"}
R = {name: log.to_ratings(rule) for name, rule in kinds.items()}
found = {name: [np.mean(r.csr.data == s) for s in range(1, 6)] for name, r in R.items()}
ax = plots.lines(found, range(1, 6), steps=True, xlabel="stars", ylabel="share of the known entries")
ax.set_ylim(-0.02, 1);

# %% [markdown]
# ## The same with your own data
#
# Every reader of `acai.datasets` gives what you have seen here, a log or `Ratings`, from the file as it was downloaded:
#
# ```python
# log = datasets.lastfm_1k("data/lastfm-dataset-1K.tar.gz")      # who, what, when: a ListeningLog
# R = datasets.movielens_100k("data/ml-100k.zip")                # stars: Ratings
# R = datasets.triplets("my_plays.csv")                          # a file of your own
# ```
#
# `data/README.md` says where each comes from.
#
# ## What to read next
#
# * The README, part D: the five rules, and where each comes from. In the code: `acai/datasets/rules.py`, one rule a function.
# * **[Notebook 02](02_neighbours.ipynb)** fills gaps by asking those who are like you.
