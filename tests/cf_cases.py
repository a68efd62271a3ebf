"""Small matrices of ratings for the tests of part C: hypothesis draws them, and shrinks them to ones that can be read."""

import numpy as np
from hypothesis import strategies as st

from acai import Ratings
from acai.cf import UserKNN

M, N = 5, 6  # users and songs


def known(values, m=M, n=N, min_size=2):
    """R as the reference takes it: {(u, i): r}."""
    pairs = st.tuples(st.integers(0, m - 1), st.integers(0, n - 1))
    return st.dictionaries(pairs, values, min_size=min_size, max_size=m * n)


RATINGS = known(st.integers(1, 5).map(float))
PLAYS = known(st.integers(0, 40).map(float)).filter(lambda R: any(R.values()))


def matrix(R, m=M, n=N):
    """The same as `Ratings`, whose ids are the row and column numbers."""
    u, i = (np.array(codes) for codes in zip(*R))
    return Ratings.from_codes(u, i, np.array(list(R.values()), np.float32), range(m), range(n))


def similarities(R, name, k=40, **options):
    """What a model finds for each pair of users; 0 if they are not neighbours."""
    s, model = np.zeros((M, M)), UserKNN(k, name, memory=2**10, **{"shrinkage": 0} | options)
    for block, lists in model.fit(matrix(R)).search.map(lambda *found: found, np.arange(M)):
        s[np.repeat(block, np.diff(lists.starts)), lists.v] = lists.s
    return s


def random_ratings(seed=0, m=40, n=30, per_user=12, highest=5):
    """A larger one for what needs no shrinking; ids are text for users and numbers for songs."""
    rng = np.random.default_rng(seed)
    songs = np.concatenate([rng.permutation(n)[:per_user] for _ in range(m)])
    taste, quality = rng.normal(size=(m, 2)), rng.normal(size=(n, 2))
    users = np.repeat(np.arange(m), per_user)
    liking = (taste[users] * quality[songs]).sum(axis=1) + rng.normal(0, 0.3, len(users))
    values = np.clip(np.round(liking + highest / 2 + 0.5), 1, highest)
    return Ratings.from_triplets([f"user {u}" for u in users], songs.tolist(), values)
