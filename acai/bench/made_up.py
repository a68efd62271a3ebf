"""GENERATED ratings of any size: songs of long-tailed popularity, listeners of unequal zeal, a little structure."""

import numpy as np

from acai.ratings import Ratings


def generated(m: int, n: int, n_entries: int, seed: int = 0) -> Ratings:
    """Draw ratings from 1 to 5 of `m` users for `n` songs."""
    rng = np.random.default_rng(seed)
    zeal = rng.lognormal(0, 1, m)
    popularity = (np.arange(n) + 100.0) ** -0.8
    size = int(1.3 * n_entries)  # some pairs are drawn twice
    users = rng.choice(m, size, p=zeal / zeal.sum()).astype(np.int64)
    songs = rng.choice(n, size, p=popularity / popularity.sum())
    pairs = rng.permutation(np.unique(users * n + songs))[:n_entries]
    u, i = np.divmod(pairs, n)
    taste, kind = rng.integers(0, 5, m), rng.integers(0, 5, n)
    values = np.clip(3 + 2 * (taste[u] == kind[i]) + rng.integers(-2, 2, len(u)), 1, 5)
    return Ratings.from_codes(u, i, values.astype(np.float32), range(m), range(n))
