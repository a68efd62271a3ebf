"""Ridge regression and the audio models built on it. Oracles: the loops of the reference (A7), scikit-learn, leaving each
sample out in turn, and songs with their frames shuffled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct

from acai.content.audio_models import BagOfWords, Ridge, SpectrumRidge
from acai.errors import InputError
from acai.reference.content import ridge as loops


def songs(n: int, seed: int, frames: int = 60) -> tuple[list[np.ndarray], np.ndarray]:
    """Spectrograms of 16 bands whose first factor is in their bands and whose second is in how they change."""
    rng = np.random.default_rng(seed)
    Q = rng.uniform(-1, 1, (n, 2))
    t = np.arange(frames)
    flicker = [np.where(t % 2 == 0, 1 + q, 1 - q) for q in Q[:, 1]]
    return [
        (rng.random((16, frames)) * 0.1 + np.outer(np.linspace(0, q, 16), np.ones(frames)) + f).astype(np.float32)
        for q, f in zip(Q[:, 0], flicker)
    ], Q


def r_squared(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return 1 - np.square(truth - predicted).mean(axis=0) / truth.var(axis=0)


def test_the_mean_spectrum_shows_bands_but_not_change():
    (S, Q), (S_new, Q_new) = songs(80, 0), songs(40, 1)
    bands, change = r_squared(Q_new, SpectrumRidge().fit(S, Q).predict(S_new))
    assert bands > 0.9 and change < 0.1


def test_a_bag_of_words_shows_how_much_frames_vary_too():
    (S, Q), (S_new, Q_new) = songs(80, 0), songs(40, 1)
    Q, Q_new = np.abs(Q[:, 1:]), np.abs(Q_new[:, 1:])  # how much frames differ, not which comes first
    assert r_squared(Q_new, BagOfWords(30, n_mfcc=4).fit(S, Q).predict(S_new))[0] > 0.7


def test_neither_depends_on_the_order_of_frames():
    S, Q = songs(30, 0)
    shuffled = [s[:, np.random.default_rng(7).permutation(s.shape[1])] for s in S]
    for audio_model in SpectrumRidge(spread=True).fit(S, Q), BagOfWords(20, n_mfcc=4).fit(S, Q):
        np.testing.assert_allclose(audio_model.predict(S), audio_model.predict(shuffled), rtol=1e-6, atol=1e-9)


def test_the_words_are_the_centres_of_k_means():
    from sklearn.cluster import KMeans

    S, _ = songs(20, 0)
    audio_model = BagOfWords(5, n_mfcc=3)
    audio_model._prepare(S)
    frames = dct(np.concatenate(S, axis=1).astype(np.float64), axis=0, norm="ortho")[:3].T
    theirs = KMeans(5, init=audio_model.words, n_init=1, tol=0).fit(frames / frames.std(axis=0))
    np.testing.assert_allclose(audio_model.words, theirs.cluster_centers_, atol=0.02)
    np.testing.assert_allclose(audio_model.features(S[0]), np.bincount(theirs.labels_[:60], minlength=5) / 60)


def data(n: int, d: int, targets: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(2, 3, (n, d))
    return X, X @ rng.normal(0, 1, (d, targets)) + rng.normal(0, 1, (n, targets))


def sklearns_ridge(lam: float, X: np.ndarray, Y: np.ndarray):
    from sklearn.linear_model import Ridge as Theirs

    return Theirs(alpha=lam).fit(X, Y)


@given(st.integers(3, 12), st.integers(1, 5), st.integers(1, 3), st.floats(0.01, 100), st.integers(0, 99))
def test_equals_the_loops_and_scikit_learn(n, d, targets, lam, seed):
    X, Y = data(n, d, targets, seed)
    model = Ridge([lam]).fit(X, Y)
    Z = model.inputs.transform(X.T).T.astype(np.float64)
    theirs = sklearns_ridge(lam, Z, Y)
    np.testing.assert_allclose(model.predict(X), theirs.predict(Z).reshape(Y.shape), rtol=1e-4, atol=1e-4)
    for t in range(targets):
        np.testing.assert_allclose(model.W[:, t], loops(Z.tolist(), (Y - Y.mean(axis=0))[:, t].tolist(), lam), rtol=1e-4, atol=1e-5)


def test_the_penalty_has_the_smallest_leave_one_out_error():
    X, Y = data(20, 15, 2, 0)
    lams = np.logspace(-3, 3, 13)
    model = Ridge(lams).fit(X, Y)
    Z = model.inputs.transform(X.T).T.astype(np.float64)

    def left_out(lam: float) -> float:
        errors = [
            Y[n] - sklearns_ridge(lam, np.delete(Z, n, 0), np.delete(Y, n, 0)).predict(Z[n : n + 1])[0] for n in range(len(Y))
        ]
        return float(np.mean(np.square(errors)))

    assert model.lam == min(lams, key=left_out)


def test_refuses_shapes_that_do_not_fit():
    with pytest.raises(InputError, match=r"X has shape \(4, 2\) and Y \(3, 1\)"):
        Ridge().fit(np.ones((4, 2)), np.ones((3, 1)))
    for X in (np.full((4, 2), np.nan), np.full((4, 2), 1e200)):
        with pytest.raises(InputError, match=r"X or Y holds NaN, infinity or numbers beyond ±1e\+30"):
            Ridge().fit(X, np.ones((4, 1)))
