# %% [markdown]
# # 01 · The problem
#
# **The question:** what does a list of plays tell us about who likes what?
#
# A music service knows one thing about its listeners: who played which song, and when. From this it has to guess which songs
# a listener would love to hear next, among all those that they have never played. This notebook takes the first step, from
# the list to a matrix $R$ with one row per listener and one column per song. Everything that follows is about the gaps in
# $R$.
#
# The equations have the same numbers as in the [README](../README.md); (D1) to (D5) are in its part D. Cells with `check` are
# exercises; `hint("…")` helps you step by step, and the folder `solutions` has this notebook with all exercises solved.
# `check` and `hint` show their result only as the *last line* of a cell, as any value does; anywhere else, or in a script,
# write `print(check(…))`.

# %%
import numpy as np

from acai import datasets, plots
from acai.teaching.exercises import check, exercises, hint
from acai.teaching.survey import listening_log

exercises("01")

# %% [markdown]
# ## A year of listening
#
# Real logs cannot be shared, so this one is made up: 300 listeners, 200 songs, one year. It behaves like a real one, and has
# one advantage: we know the truth behind it, so we can find out later how close we came.

# %%
world = datasets.synthetic(n_users=300, n_songs=200, seconds=2)
log = listening_log(world)
print(f"{log.n_plays} plays of {log.n_songs} songs by {log.n_users} listeners")

# %% [markdown]
# A log is three columns: who, what, when. Here are the first plays of the year.

# %%
for u, i, when in zip(log.user_codes[:5], log.song_codes[:5], log.times[:5].view("datetime64[s]")):
    print(when, " ", log.users[u], " ", log.songs[i])

# %% [markdown]
# Here is one listener's year, with one tick per play. Look at the rows: some songs are played to death in a week, others come
# back every month, and most are tried once and never again. Songs of the last kind are the most common, and tell us the
# least.

# %%
listener = log.users.index("listener-0049")
mine = log.keep(log.user_codes == listener)
plots.diary(mine.times, [log.songs[i] for i in mine.song_codes]).set_title(log.users[listener]);

# %% [markdown]
# ## The long tail
#
# Count the plays of each song and put the most played songs on the left. Every music service has this picture: a few songs
# are played all the time, and most are hardly ever played. It is called the *long tail*. A recommender that knows only the
# head is of little use, since everybody has heard the head already; and about a song in the tail it has very little
# information.

# %%
plays = log.to_ratings("plays")
tail = plots.long_tail(plays, words="{head:.0%} of the songs\nhave {share:.0%} of the plays")
tail.set(xlabel="songs, the most played first", ylabel="number of plays");

# %% [markdown]
# ### Exercise `01-long-tail` (5 minutes)
# What share of all plays goes to the most played songs? `plays` says how often each song was played, in any order; `head` is
# the share of songs that count as the most played. If you are stuck, ask for a hint; ask again, and it becomes more explicit:

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
# table, this is a matrix with $m$ rows, one per user, and $n$ columns, one per song.
#
# ### Exercise `01-counts` (10 minutes)
# The arrays `users` and `songs` have the same length: in play $j$, the user in row `users[j]` played the song in column
# `songs[j]`.

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
# The library does the same, but stores only the known entries: with a million users and a million songs, the full table would
# not fit into any computer. The result is called `Ratings`. Its axes have names: rows are users and columns are songs.
# (`plays`, alone in a cell, shows a longer summary.)

# %%
print(f"{plays.n_users} users × {plays.n_songs} songs, {plays.n_ratings} known entries")
print(f"{plays.density:.1%} of the table is known")

# %% [markdown]
# Below, the busiest listeners are at the top and the most popular songs on the left. Everything white is a **gap**: nine
# entries in ten. On a real service it is more than 99 in 100.
#
# A gap is not a zero. Zero would mean "she does not like it"; a gap means "we do not know". She may never have come across
# it. Telling which of the gaps hide a song that she would love: that is the problem.

# %%
table = plots.matrix(plays.map(np.log1p), label="log(1 + plays)", sort=True)
table.set(xlabel="songs", ylabel="users");

# %% [markdown]
# ## From plays to stars
#
# Does somebody who played a song 200 times like it a hundred times as much as somebody who played it twice? Surely not. So
# play counts are first converted into a value, and that value is what $R$ holds. There are several rules:
#
# | | value | |
# |---|---|---|
# | (D1) `plays` | $n$ | the count itself |
# | (D2) `log1p` | $\log(1 + n)$ | each play tells us less than the one before |
# | (D3) `binary` | 1 | played at all |
# | (D4) `stars_from_counts` | 3, 4 or 5 | 1 play, 2 to 4, 5 or more |
# | (D5) `stars_from_times` | 3, 4 or 5 | by the number of plays and how close together they are |
#
# A sixth rule, (D6), is for histories that also say which songs were skipped; this log does not.
#
# Here is what each rule makes of our year. Each dot stands for all pairs of a user and a song with that many plays: the
# larger the dot, the more pairs.

# %%
for panel in plots.rules(log).axes:
    panel.set_xlabel("number of plays")

# %% [markdown]
# ### Exercise `01-stars` (5 minutes)
# Write (D4): 3 stars for one play, 4 for two to four, 5 for five or more.

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
# Five plays within a week say more than five plays within a year. (D5) looks at the times of all plays of one song by one
# user:
#
# * one play: 3 stars;
# * more than ten plays: 5 stars;
# * anything in between: 5 stars if two consecutive plays are less than 24 hours apart, or if four consecutive plays lie
#   within 30 days; 4 stars otherwise.
#
# The program that this library is based on got (D5) wrong in one place. Will you?

# %% exercise="01-stars-by-time"
def stars_by_time(times):
    """(D5) Stars for one user and one song, from the times of its plays: an array of seconds."""
    ...


check("01-stars-by-time", stars_by_time)

# %% solution="01-stars-by-time"
def stars_by_time(times):
    """(D5) Stars for one user and one song, from the times of its plays: an array of seconds."""
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
# Here is how the two star rules rate our year. A log contains no 1 and no 2: a listener who dislikes a song just does not
# play it again, and the log shows one play, exactly as for a listener who has only just discovered it. A model that learns
# from such stars learns a lot about love and little about dislike. Keep that in mind when you read results on play counts.

# %%
kinds = {"(D4) stars_from_counts": "stars_from_counts", "(D5) stars_from_times": "stars_from_times"}
R = {name: log.to_ratings(rule) for name, rule in kinds.items()}
found = {name: [np.mean(r.csr.data == s) for s in range(1, 6)] for name, r in R.items()}
ax = plots.lines(
    found, range(1, 6), steps=True, xlabel="stars", ylabel="share of the known entries"
)
ax.set_ylim(-0.02, 1);

# %% [markdown]
# ## Using your own data
#
# Every reader in `acai.datasets` gives you what you have seen here, a log or `Ratings`, from the file as it was downloaded:
#
# ```python
# log = datasets.lastfm_1k("data/lastfm-dataset-1K.tar.gz")      # who, what, when: a ListeningLog
# R = datasets.movielens_100k("data/ml-100k.zip")                # stars: Ratings
# R = datasets.triplets("my_plays.csv")                          # your own file
# ```
#
# `data/README.md` says where each comes from.
#
# ## What to read next
#
# * The README, part D: the six rules, and where each comes from. In the code: `acai/datasets/rules.py`, one function per
#   rule.
# * **[Notebook 02](02_neighbours.ipynb)** fills the gaps by asking people who are like you.
