"""The exercises of notebook 08: songs placed by ear, scored, moved by their first listeners; and an ear of one's own."""

from functools import lru_cache

import numpy as np

from acai.content.ears import SpectrumRidge
from acai.datasets.synthetic import FEATURES, World, synthetic
from acai.reference import content as loops
from acai.teaching.exercises import Wrong, task
from acai.teaching.exercises.judging import asked, judge
from acai.teaching.exercises.layers import built


@task("08-windows", 10)
def windows(answer: object) -> None:
    """Place a song: the mean over its windows (A4).

    Windows begin at 0, width, 2 · width, … as long as they fit: `range(0, frames - width + 1, width)`.
    Where the last of them ends before the song does, add one that begins at frames − width.
    Ask f about each, then take the mean of what it says: `np.mean([...], axis=0)`.
    """
    rng = np.random.default_rng(11)
    f = lambda x: np.array([np.square(x).mean(), x.max(), x[:, -1].sum(), np.prod(x.mean(axis=1))])
    for frames, width in ((23, 5), (20, 5), (7, 7)):
        S = rng.normal(size=(3, frames))
        whole = [f(S[:, s : s + width]) for s in range(0, frames - width + 1, width)]
        last, rest = f(S[:, -width:]), frames % width
        right = loops.placed_by_ear([told.tolist() for told in ([*whole, last] if rest else whole)])
        padded = np.pad(S[:, frames - rest :], ((0, 0), (0, width - rest)))
        judge(asked(answer, S, f, width), right, {
            "the end of the song is lost. Where windows do not fill it, one more is needed, moved back to end with the song.":
                np.mean(whole, axis=0),
            "the last window is there twice. It is only needed where the song does not end with a window.":
                np.mean([*whole, last], axis=0),
            "f is asked about the whole song at once. The network knows windows of `width` frames: ask it about each.": f(S),
            "f is asked about the mean of the windows. f is no straight line: ask it first, then take the mean.":
                f(np.mean([S[:, s : s + width] for s in range(0, frames - width + 1, width)], axis=0)),
            "a window begins at every frame. They lie side by side: step by `width`.":
                np.mean([f(S[:, s : s + width]) for s in range(frames - width + 1)], axis=0),
            "the last window is filled up with zeros, which is silence that is not in the song. Move it back instead.":
                np.mean([*whole, f(padded)], axis=0),
            "f is asked about a last window that is too short. Move it back, so that it has `width` frames.":
                np.mean([*whole, f(S[:, frames - rest :])] if rest else whole, axis=0),
            "that is the sum over the windows: long songs would have larger features. Take the mean.":
                np.sum([*whole, last] if rest else whole, axis=0),
        }, f"{frames} frames and a width of {width}")  # fmt: skip


@task("08-best", 5)
def best(answer: object) -> None:
    """The best songs for a listener (A5).

    All scores at once: `Q_hat @ p`.
    `np.argsort` gives the numbers of the rows, the smallest first. How do you get the largest first?
    """
    rng = np.random.default_rng(12)
    for n in (3, 5, 12):
        p, Q = rng.normal(size=4), rng.normal(size=(12, 4)) * rng.uniform(0.2, 3, (12, 1))
        scores = Q @ p
        cosine = scores / np.linalg.norm(Q, axis=1)
        judge(asked(answer, p, Q, n), np.argsort(-scores)[:n], {
            "those are the *worst*: `np.argsort` puts the smallest first. Sort by minus the score.": np.argsort(scores)[:n],
            "those are the right songs, but the best of them comes last.": np.argsort(scores)[-n:],
            "those are the scores; asked for are the numbers of the rows. `np.argsort` gives them.": -np.sort(-scores)[:n],
            "that is by the cosine of the angle. (A5) is the product: long rows of Q̂ are songs about which one can be surer.":
                np.argsort(-cosine)[:n],
            "those are the rows nearest to p. P and Q are no places in one room: what counts is the product p · q̂.":
                np.argsort(((Q - p) ** 2).sum(axis=1))[:n],
            "all songs are there. Only the first n are asked for.": np.argsort(-scores),
        }, f"k = 4, 12 songs, n = {n}")  # fmt: skip


@task("08-first-plays", 30)
def first_plays(answer: object) -> None:
    """Sound and first listeners together (A6).

    Σ_u p_u p_uᵀ is `P.T @ P`, and Σ_u p_u (r_u − p_u · q̂) is `P.T @ (r - P @ q_hat)`.
    λ I is `lam * np.eye(k)`.
    The system gives q − q̂; what is asked for is q.
    """
    rng = np.random.default_rng(13)
    for n, lam in ((9, 2.0), (6, 0.5)):
        q_hat, P, r = rng.normal(size=4), rng.normal(size=(n, 4)), rng.normal(size=n)
        right = np.array(loops.placed_by_both(q_hat.tolist(), P.tolist(), r.tolist(), lam))
        A, I = P.T @ P, np.eye(4)
        judge(asked(answer, q_hat, P, r, lam), right, {
            "λ I is missing: that is what the listeners say alone, and the ear is forgotten.":
                q_hat + np.linalg.solve(A, P.T @ (r - P @ q_hat)),
            "that is the step away from q̂. The solution of the system is q − q̂: add q̂.": right - q_hat,
            "r must be compared with what the ear predicts already: r − P q̂ on the right side.":
                q_hat + np.linalg.solve(A + lam * I, P.T @ r),
            "that pulls q to 0, not to q̂. The distance to q̂ is what is kept small.": np.linalg.solve(A + lam * I, P.T @ r),
            "the residual has its sign turned round: r − P q̂, what is still to be explained.": 2 * q_hat - right,
            "λ is squared or halved somewhere. The ½ before both terms cancels: it is just λ I.":
                q_hat + np.linalg.solve(A + lam / 2 * I, P.T @ (r - P @ q_hat)),
            "λ is added to every number of the matrix. It belongs on the diagonal: λ times `np.eye(k)`.":
                q_hat + np.linalg.solve(A + lam, P.T @ (r - P @ q_hat)),
        }, f"{n} plays, k = 4 and λ = {lam}")  # fmt: skip
    nobody = asked(answer, q_hat, np.zeros((0, 4)), np.zeros(0), 1.0)
    judge(nobody, q_hat, {"with no plays q must be q̂, and not 0.": np.zeros(4)}, "a song without a play, whose q is q̂")


@lru_cache(maxsize=1)
def _songs() -> tuple[World, list[np.ndarray], float]:
    """A small world, its sound, and how well the average spectrum tells its features."""
    world = synthetic(20, 180, seconds=4.0, seed=14)
    spectrograms = world.spectrograms()
    told = SpectrumRidge().fit(spectrograms[:135], world.features[:135]).predict(spectrograms[135:])
    return world, spectrograms, float(_r_squared(world, told).mean())


def _r_squared(world: World, told: np.ndarray) -> np.ndarray:
    truth = world.features[135:]
    return 1 - np.square(told - truth).sum(axis=0) / np.square(truth - truth.mean(axis=0)).sum(axis=0)


@task("08-ear", 120)
def ear(answer: object) -> None:
    """An ear that hears more than the average spectrum.

    Begin with a ridge regression on the mean *and* the spread of every band over time (`S.std(axis=1)`).
    Tempo and tremor are *how often* something comes back. The Fourier transform of a band along time tells that.
    Put beside these the absolute value of `np.fft.rfft` of a group of bands, minus its mean, 0.3 to 10 times a second.
    """
    mine, (world, spectrograms, level) = built(answer), _songs()
    mine.fit(spectrograms[:135], world.features[:135].copy())
    told = np.asarray(asked(mine.predict, spectrograms[135:]), dtype=float)
    if told.shape != (45, 7) or not np.isfinite(told).all():
        raise Wrong(f"predict gives an array of shape {told.shape}; expected (45, 7), a finite row for each song.")
    R2 = _r_squared(world, told)
    if R2.mean() >= level + 0.2:
        return
    score = f"its mean R² on songs that it has not heard is {R2.mean():.2f}, SpectrumRidge's is {level:.2f}; asked for is 0.2 more."
    if told.std(axis=0).max() < 1e-6:
        raise Wrong(f"{score} It tells the same of every song, so it does not listen at all.")
    at_home = np.asarray(mine.predict(spectrograms[:135]), dtype=float)
    learnt = 1 - np.square(at_home - world.features[:135]).mean() / world.features[:135].var()
    if learnt > 0.9 and R2.mean() < 0.3:
        raise Wrong(f"{score} It knows what it learnt from by heart ({learnt:.0%}). Give it fewer numbers, or take `Ridge`.")
    if abs(R2.mean() - level) < 0.02:
        raise Wrong(f"{score} It hears what the average spectrum tells, and no more. What changes in *time*, and how fast?")
    deaf = [name for name, value in zip(FEATURES, R2) if value < 0.4]
    raise Wrong(f"{score} It is deaf to {', '.join(deaf) or 'nothing in particular, and hears nothing well'}.")
