"""The simpler ears. Oracles: scikit-learn's K-means from the same start; what an ear deaf to order must not hear."""

import numpy as np
from sklearn.cluster import KMeans

from acai.content.ears import BagOfWords, SpectrumRidge, k_means, nearest


def songs(n: int, seed: int, frames: int = 60) -> tuple[list[np.ndarray], np.ndarray]:
    """Spectrograms of 16 bands whose first hidden feature is in their bands and whose second is in how they change."""
    rng = np.random.default_rng(seed)
    Q = rng.uniform(-1, 1, (n, 2))
    t = np.arange(frames)
    flicker = [np.where(t % 2 == 0, 1 + q, 1 - q) for q in Q[:, 1]]
    return [
        (rng.random((16, frames)) * 0.1 + np.outer(np.linspace(0, q, 16), np.ones(frames)) + f).astype(np.float32)
        for q, f in zip(Q[:, 0], flicker)
    ], Q


def r_squared(truth: np.ndarray, told: np.ndarray) -> np.ndarray:
    return 1 - np.square(truth - told).mean(axis=0) / truth.var(axis=0)


def test_the_mean_spectrum_hears_bands_but_not_change():
    (S, Q), (S_new, Q_new) = songs(80, 0), songs(40, 1)
    bands, change = r_squared(Q_new, SpectrumRidge().fit(S, Q).predict(S_new))
    assert bands > 0.9 and change < 0.1


def test_a_bag_of_words_hears_the_spread_of_moments_too():
    (S, Q), (S_new, Q_new) = songs(80, 0), songs(40, 1)
    Q, Q_new = np.abs(Q[:, 1:]), np.abs(Q_new[:, 1:])  # how far moments differ, not which comes first
    assert r_squared(Q_new, BagOfWords(30, n_mfcc=4).fit(S, Q).predict(S_new))[0] > 0.7


def test_both_are_deaf_to_the_order_of_moments():
    S, Q = songs(30, 0)
    shuffled = [s[:, np.random.default_rng(7).permutation(s.shape[1])] for s in S]
    for ear in SpectrumRidge(spread=True).fit(S, Q), BagOfWords(20, n_mfcc=4).fit(S, Q):
        np.testing.assert_allclose(ear.predict(S), ear.predict(shuffled), rtol=1e-6, atol=1e-9)


def test_k_means_equals_scikit_learns_from_the_same_start():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 1, (200, 3)) for c in (-4, 0, 5)])
    ours = k_means(x, 5, np.random.default_rng(1), n_rounds=60)
    start = x[np.random.default_rng(1).permutation(len(x))[:5]]
    theirs = KMeans(5, init=start, n_init=1, max_iter=60, tol=0, algorithm="lloyd").fit(x)
    np.testing.assert_allclose(ours, theirs.cluster_centers_, rtol=1e-8)
    np.testing.assert_array_equal(nearest(x, ours), theirs.labels_)
