"""The checks of notebooks 07 and 08: spectrum, mel scale and tempo; songs placed, scored and moved, and an ear of one's own."""

from functools import cache

import numpy as np

from acai.audio.spectrogram import log_mel
from acai.content.audio_models import SpectrumRidge
from acai.datasets.synthetic import FEATURES, RATE, render, synthetic
from acai.reference import content, sound
from acai.teaching.exercises.judging import Wrong, asked, blame, built, checks, judge


@checks("07-frame")
def check_frame(answer: object, rng: np.random.Generator) -> None:
    """(samples, t, window, hop) → the power spectrum of frame t (A1)."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(32) / 32)
    for n, hop, t in ((200, 16, 5), (150, 10, 0), (150, 10, 15), (120, 32, 2)):
        x = rng.normal(size=n)
        right = np.array(sound.mel_power(x.tolist(), np.eye(17).tolist(), 32, hop))[:, t]
        padded = np.pad(x, (16, 48))
        cut, late = padded[t * hop : t * hop + 32], padded[t * hop + 16 : t * hop + 48]
        X, power = np.fft.rfft(hann * cut), lambda frame: np.abs(np.fft.rfft(frame)) ** 2
        judge(asked(answer, x, t, 32, hop), right, {
            "bare": power(cut), "late": power(hann * late), "bare-late": power(late), "amplitude": np.abs(X),
            "hanning": power(np.hanning(32) * cut), "real": X.real**2, "mirrored": np.abs(np.fft.fft(hann * cut)) ** 2,
        }, n=n, t=t, hop=hop)


@checks("07-mel")
def check_mel(answer: object, rng: np.random.Generator) -> None:
    """Frequencies in Hz → mel, by Slaney's scale (A1)."""
    for f in (np.array([1500.0, 4000, 11025]), np.array([0.0, 60, 440, 999, 1000, 1001, 6400])):
        low, above = f / (200 / 3), 27 * np.log(np.maximum(f, 1) / 1000)
        high = above / np.log(6.4)
        judge(asked(answer, f), np.where(f < 1000, low, 15 + high), {
            "linear": low, "htk": 2595 * np.log10(1 + f / 700), "e": np.where(f < 1000, low, 15 + above),
            "offset": np.where(f < 1000, low, high), "log": 15 + high, "zero": np.nan}, f=f.tolist())


@checks("07-log")
def check_log(answer: object, rng: np.random.Generator) -> None:
    """(power, C) → log(1 + C · S) (A2)."""
    S = rng.exponential(1e-3, (4, 6))
    for C in (10_000.0, 100.0):
        judge(asked(answer, S, C), np.log(1 + C * S), {  # (A2)
            "no-one": np.log(C * S), "outside": C * np.log1p(S), "no-C": np.log1p(S), "ten": np.log10(1 + C * S),
            "decibels": 10 * np.log10(np.maximum(S, 1e-10)), "added": np.log(1 + C + S), "fixed": np.log1p(10_000 * S),
        }, C=C)


@cache
def _songs() -> tuple[list[np.ndarray], np.ndarray]:
    """Spectrograms of sixteen songs, and their chords a minute."""
    rng = np.random.default_rng(10)
    features = rng.uniform(-1, 1, (16, 7))
    return [log_mel((render(z, 6.0, rng), RATE)) for z in features], 80 * 2.5 ** ((features[:, 3] + 1) / 2)


@checks("07-tempo")
def check_tempo(answer: object, rng: np.random.Generator) -> None:
    """A spectrogram → chords a minute."""
    spectrograms, truth = _songs()
    told = np.array([float(asked(answer, S)) for S in spectrograms])
    blame({"no-number": not (np.isfinite(told).all() and (told > 0).all())})
    near = lambda truth, tolerance: np.mean(np.abs(told / truth - 1) <= tolerance)
    often = lambda truth: near(truth, 0.1) > 0.4
    share, wider = near(truth, 0.04), near(truth, 0.09)
    if share < 0.75:
        blame({
            "same": told.std() < 0.02 * told.mean(), "second": often(truth / 60), "seconds": often(60 / truth),
            "frames": often(60 / truth * RATE / 512), "twice": often(2 * truth), "half": often(truth / 2),
            "coarse": wider > share + 0.2, "other": True,
        }, score=Wrong("score", share=share), wider=wider, mean=told.mean())


@checks("08-windows")
def check_windows(answer: object, rng: np.random.Generator) -> None:
    """(spectrogram, what the network tells of a window, its width) → the mean over the windows (A4)."""
    f = lambda x: np.array([np.square(x).mean(), x.max(), x[:, -1].sum(), np.prod(x.mean(axis=1))])
    for frames, width in ((23, 5), (20, 5), (7, 7)):
        S, rest, step = rng.normal(size=(3, frames)), frames % width, frames - width + 1
        windows = [S[:, s : s + width] for s in range(0, step, width)]
        whole, last, short = [f(x) for x in windows], f(S[:, -width:]), S[:, frames - rest :]
        told = [*whole, last] if rest else whole
        mean = lambda told: np.mean(told, axis=0)  # (A4)
        judge(asked(answer, S, f, width), content.mean_over_windows(np.array(told).tolist()), {
            "lost": mean(whole), "twice": mean([*whole, last]), "whole": f(S), "mean": f(mean(windows)),
            "every": mean([f(S[:, s : s + width]) for s in range(step)]),
            "padded": mean([*whole, f(np.pad(short, ((0, 0), (0, width - rest))))]),
            "short": mean([*whole, f(short)] if rest else whole), "sum": np.sum(told, axis=0),
        }, frames=frames, width=width)


@checks("08-best")
def check_best(answer: object, rng: np.random.Generator) -> None:
    """(p, Q̂, n) → the n songs of the highest scores (A5)."""
    for n in (3, 5, 12):
        p, Q = rng.normal(size=4), rng.normal(size=(12, 4)) * rng.uniform(0.2, 3, (12, 1))
        scores = Q @ p  # (A5)
        judge(asked(answer, p, Q, n), np.argsort(-scores)[:n], {
            "worst": np.argsort(scores)[:n], "last": np.argsort(scores)[-n:], "scores": -np.sort(-scores)[:n],
            "cosine": np.argsort(-scores / np.linalg.norm(Q, axis=1))[:n], "nearest": np.argsort(((Q - p) ** 2).sum(axis=1))[:n],
            "all": np.argsort(-scores)}, n=n)


@checks("08-first-plays")
def check_first_plays(answer: object, rng: np.random.Generator) -> None:
    """(q̂, the listeners' P, their r, λ) → q (A6)."""
    for n, lam in ((9, 2.0), (6, 0.5)):
        q_hat, P, r = rng.normal(size=4), rng.normal(size=(n, 4)), rng.normal(size=n)
        right = np.array(content.update_factors(q_hat.tolist(), P.tolist(), r.tolist(), lam))
        moved = lambda penalty, r, P=P: np.linalg.solve(P.T @ P + penalty, P.T @ r)  # (A6)
        I, rest = np.eye(4), r - P @ q_hat
        judge(asked(answer, q_hat, P, r, lam), right, {
            "deaf": q_hat + moved(0, rest), "step": right - q_hat, "raw": q_hat + moved(lam * I, r), "to-zero": moved(lam * I, r),
            "sign": 2 * q_hat - right, "half": q_hat + moved(lam / 2 * I, rest), "everywhere": q_hat + moved(lam, rest),
        }, n=n, lam=lam)
    judge(asked(answer, q_hat, np.zeros((0, 4)), np.zeros(0), 1.0), q_hat, {"nobody": np.zeros(4)}, "case-nobody")


@cache
def _world() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """The sound of a small world, its features, and what the average spectrum tells of the last 45 songs."""
    world = synthetic(20, 180, seconds=4.0, seed=14)
    spectrograms = world.spectrograms()
    ear = SpectrumRidge().fit(spectrograms[:135], world.features[:135])
    return spectrograms, world.features, ear.predict(spectrograms[135:])


@checks("08-ear")
def check_ear(answer: object, rng: np.random.Generator) -> None:
    """A class with fit and predict that hears more than the average spectrum."""
    mine, (spectrograms, features, average) = built(answer), _world()
    known, truth = features[:135], features[135:]
    mine.fit(spectrograms[:135], known.copy())
    told = np.asarray(asked(mine.predict, spectrograms[135:]), dtype=float)
    blame({"shape": told.shape != (45, 7) or not np.isfinite(told).all()}, got=told.shape)
    R2, level = 1 - np.square([told - truth, average - truth]).mean(axis=1) / truth.var(axis=0)
    learnt = 1 - np.square(mine.predict(spectrograms[:135]) - known).mean() / known.var()
    deaf = [name for name, value in zip(FEATURES, R2) if value < 0.4]
    if R2.mean() < level.mean() + 0.2:
        score = Wrong("score", mine=R2.mean(), theirs=level.mean())
        blame({
            "same": told.std(axis=0).max() < 1e-6, "by-heart": learnt > 0.9 and R2.mean() < 0.3,
            "average": abs(R2.mean() - level.mean()) < 0.02, "deaf": deaf, "dull": True,
        }, score=score, learnt=learnt, deaf=", ".join(deaf))
