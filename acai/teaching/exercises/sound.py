"""The checks of notebooks 07 and 08: spectrum, mel scale and tempo; prediction from audio, scores, and an audio model."""

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np

from acai.audio.spectrogram import log_mel
from acai.content.audio_models import SpectrumRidge
from acai.datasets.synthetic import FEATURES, RATE, render, synthetic
from acai.reference import content, sound
from acai.teaching.exercises.calling import answering, call, call_for_number, numbers
from acai.teaching.exercises.checking import build_layer, checks, expect, raise_first
from acai.teaching.exercises.wrong import Wrong


@checks("07-frame")
def check_frame(answer: object, rng: np.random.Generator) -> None:
    """(x, t, window, hop) → the power spectrum of frame t of the samples x (A1)."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(32) / 32)
    for n, hop, t in ((200, 12, 5), (150, 10, 0), (150, 10, 15), (120, 32, 2)):
        x = rng.normal(size=n)
        right = np.array(sound.mel_power(x.tolist(), np.eye(17).tolist(), 32, hop))[:, t]
        padded = np.pad(x, (16, 48))
        frame = padded[t * hop : t * hop + 32]
        late = padded[t * hop + 16 : t * hop + 48]
        X = np.fft.rfft(hann * frame)
        expect(call(answer, x, t, 32, hop), right, {
            "bare": _power(frame), "late": _power(hann * late), "bare-late": _power(late), "amplitude": np.abs(X),
            "hanning": _power(np.hanning(32) * frame), "real": X.real**2,
            "decibels": 10 * np.log10(right + 1e-300), "hamming": _power(np.hamming(32) * frame),
            "root-window": _power(np.sqrt(hann) * frame),
            "hop-lost": _power(hann * padded[t : t + 32]), "window-after": _power(frame) * hann[:17], "imaginary": X.imag**2,
            "square-first": _power((hann * frame) ** 2), "divided": right / 32, "divided-twice": right / 32**2,
            "mirrored": np.abs(np.fft.fft(hann * frame)) ** 2,
        }, n=n, t=t, hop=hop)


def _power(frame: np.ndarray) -> np.ndarray:
    return np.abs(np.fft.rfft(frame)) ** 2


@checks("07-mel")
def check_mel(answer: object, rng: np.random.Generator) -> None:
    """Frequencies in Hz → mel, by Slaney's scale (A1)."""
    for f in (np.array([1500.0, 4000, 11025]), np.array([0.0, 60, 440, 999, 1000, 1001, 6400])):
        low = f / (200 / 3)
        above = 27 * np.log(np.maximum(f, 1) / 1000)
        high = above / np.log(6.4)
        expect(call(answer, f), np.where(f < 1000, low, 15 + high), {
            "linear": low, "htk": 2595 * np.log10(1 + f / 700), "e": np.where(f < 1000, low, 15 + above),
            "offset": np.where(f < 1000, low, high), "log": 15 + high, "zero": np.nan,
            "no-27": np.where(f < 1000, low, 15 + high / 27), "ten": np.where(f < 1000, low, 15 + high / np.log(10)),
            "hertz": np.where(f < 1000, low, 15 + 27 * np.log(np.maximum(f, 1)) / np.log(6.4)),
            "log-one": np.where(f < 1000, low, 15 + 27 * np.log1p(f / 1000) / np.log(6.4)),
            "whole": np.round(np.where(f < 1000, low, 15 + high)),
            "multiplied": np.where(f < 1000, low, 15 + above * np.log(6.4)),
            "brackets": np.where(f < 1000, low, (15 + above) / np.log(6.4)),
            "low-times": np.where(f < 1000, f * 200 / 3, 15 + high), "low-divided": np.where(f < 1000, f / 200 / 3, 15 + high),
        }, f=f.tolist())


@checks("07-log")
def check_log(answer: object, rng: np.random.Generator) -> None:
    """(power, C) → log(1 + C · S) (A2)."""
    S = rng.exponential(1e-3, (4, 6))
    for C in (10_000.0, 100.0):
        expect(call(answer, S, C), np.log(1 + C * S), {  # (A2)
            "no-one": np.log(C * S), "outside": C * np.log1p(S), "no-C": np.log1p(S), "ten": np.log10(1 + C * S),
            "decibels": 10 * np.log10(np.maximum(S, 1e-10)), "added": np.log(1 + C + S), "two": np.log2(1 + C * S),
            "ten-times": 10 * np.log10(1 + C * S), "one-outside": 1 + np.log(C * S), "brackets": np.log(1 + C) * S,
            "no-one-no-C": np.log(S), "no-log": C * S, "twenty": 20 * np.log10(1 + C * S), "twice-one": np.log1p(1 + C * S),
            "plus-one": 1 + np.log1p(C * S), "power": np.log1p(C * S**2), "root": np.log1p(C * np.sqrt(S)),
            "sum": np.log(C + S),
            "scaled": np.log1p(C * S / S.max()), "divided": np.log(1 + S / C), "fixed": np.log1p(10_000 * S),
        }, C=C)


@cache
def _songs() -> tuple[list[np.ndarray], np.ndarray]:
    """Render sixteen songs; return their spectrograms and their chords per minute."""
    rng = np.random.default_rng(10)
    features = rng.uniform(-1, 1, (16, 7))
    spectrograms = [log_mel((render(z, 6.0, rng), RATE)) for z in features]
    return spectrograms, 80 * 2.5 ** ((features[:, 3] + 1) / 2)


@checks("07-tempo", seconds=300)
def check_tempo(answer: object, rng: np.random.Generator) -> None:
    """Spectrogram → chords per minute."""
    spectrograms, truth = _songs()
    found = np.array([call_for_number(answer, S) for S in spectrograms])
    raise_first({"no-number": not (np.isfinite(found).all() and (found > 0).all())})

    def share_within(tolerance: float, truth: np.ndarray) -> float:
        return float(np.mean(np.abs(found / truth - 1) <= tolerance))

    share = share_within(0.04, truth)
    wider = share_within(0.09, truth)
    confused = {
        "second": truth / 60, "seconds": 60 / truth, "frames": 60 / truth * RATE / 512, "twice": 2 * truth, "half": truth / 2,
    }
    if share < 0.75:
        faults = {"same": bool(found.std() < 0.02 * found.mean())}
        faults |= {key: share_within(0.1, wrong) > 0.4 for key, wrong in confused.items()}
        faults |= {"coarse": wider > share + 0.2, "other": True}
        raise_first(faults, score=Wrong("score", share=share), wider=wider, mean=found.mean())


@checks("08-windows")
def check_windows(answer: object, rng: np.random.Generator) -> None:
    """(spectrogram, what the network predicts from a window, its width) → the mean over the windows (A4)."""
    f = _prediction
    for frames, width in ((23, 5), (20, 5), (7, 7)):
        S = rng.normal(size=(3, frames))
        rest = frames % width
        n_starts = frames - width + 1
        windows = [S[:, s : s + width] for s in range(0, n_starts, width)]
        complete = [f(x) for x in windows]
        last = f(S[:, -width:])
        short = S[:, frames - rest :]
        padded = np.pad(short, ((0, 0), (0, width - rest)))
        predictions = [*complete, last] if rest else complete
        expect(call(answer, S, f, width), content.mean_over_windows(np.array(predictions).tolist()), {  # (A4)
            "lost": np.mean(complete, axis=0), "twice": np.mean([*complete, last], axis=0), "whole": f(S),
            "mean": f(np.mean(windows, axis=0)), "first": complete[0], "only-last": last,
            "largest": np.max(predictions, axis=0),
            "median": np.median(predictions, axis=0), "half": _mean_of(f, S, width, range(0, n_starts, max(width // 2, 1))),
            "from-end": _mean_of(f, S, width, range(rest, n_starts, width)),
            "fewer": np.sum(complete, axis=0) / len(predictions),
            "weighted": (np.sum(complete, axis=0) * width + last * rest) / frames,
            "every": np.mean([f(S[:, s : s + width]) for s in range(n_starts)], axis=0),
            "padded": np.mean([*complete, f(padded)], axis=0),
            "short": np.mean([*complete, f(short)] if rest else complete, axis=0), "sum": np.sum(predictions, axis=0),
        }, frames=frames, width=width)


def _mean_of(f: Callable[[np.ndarray], np.ndarray], S: np.ndarray, width: int, starts: Iterable[int]) -> np.ndarray:
    found: np.ndarray = np.mean([f(S[:, s : s + width]) for s in starts], axis=0)
    return found


def _prediction(x: np.ndarray) -> np.ndarray:
    """Stand in for a network: four numbers that depend on the window in different ways."""
    return np.array([np.square(x).mean(), x.max(), x[:, -1].sum(), np.prod(x.mean(axis=1))])


@checks("08-best")
def check_best(answer: object, rng: np.random.Generator) -> None:
    """(p, Q̂, n) → the n songs with the highest scores (A5)."""
    for n in (3, 5, 12, 30):
        p = rng.normal(size=4)
        Q = rng.normal(size=(30, 4)) * rng.uniform(0.2, 3, (30, 1))
        scores = Q @ p  # (A5)
        distances = ((Q - p) ** 2).sum(axis=1)
        expect(call(answer, p, Q, n), np.argsort(-scores)[:n], {
            "worst": np.argsort(scores)[:n], "last": np.argsort(scores)[-n:], "scores": -np.sort(-scores)[:n],
            "cosine": np.argsort(-scores / np.linalg.norm(Q, axis=1))[:n], "nearest": np.argsort(distances)[:n],
            "all": np.argsort(-scores), "from-one": np.argsort(-scores)[:n] + 1, "rows": Q[np.argsort(-scores)[:n]],
            "every-score": scores, "one": scores.argmax(), "unsorted": np.sort(np.argsort(-scores)[:n]),
            "absolute": np.argsort(-np.abs(scores))[:n], "lengths": np.argsort(-np.linalg.norm(Q, axis=1))[:n],
            "sums": np.argsort(-Q.sum(axis=1))[:n], "ranks": np.argsort(np.argsort(-scores))[:n],
            "second": np.argsort(-scores)[1 : n + 1],
            "chosen": scores >= np.sort(scores)[-n],
        }, n=n)


@checks("08-first-plays")
def check_first_plays(answer: object, rng: np.random.Generator) -> None:
    """(q̂, the listeners' P, their r, λ) → q (A6)."""
    for n, lam in ((9, 3.0), (6, 0.5)):
        q_hat, P, r = rng.normal(size=4), rng.normal(size=(n, 4)), rng.normal(size=n)
        right = np.array(content.update_factors(q_hat.tolist(), P.tolist(), r.tolist(), lam))
        I = np.eye(4)
        residuals = r - P @ q_hat
        expect(call(answer, q_hat, P, r, lam), right, {
            "deaf": q_hat + _solved(P, residuals, 0 * I), "step": right - q_hat, "raw": q_hat + _solved(P, r, lam * I),
            "to-zero": _solved(P, r, lam * I), "sign": 2 * q_hat - right, "half": q_hat + _solved(P, residuals, lam / 2 * I),
            "everywhere": q_hat + _solved(P, residuals, lam * np.ones((4, 4))),
            "double": q_hat + _solved(P, residuals, 2 * lam * I),
            "square": q_hat + _solved(P, residuals, lam**2 * I), "mean": q_hat + _solved(P, residuals, lam * n * I),
            "minus": q_hat + _solved(P, residuals, -lam * I), "plus": q_hat + _solved(P, r + P @ q_hat, lam * I),
            "still": q_hat,
            "no-lambda-q": np.linalg.solve(P.T @ P + lam * I, P.T @ r + q_hat), "descent": q_hat + lam * P.T @ residuals,
            "halfway": (q_hat + _solved(P, r, lam * I)) / 2, "listeners": P.mean(axis=0),
        }, n=n, lam=lam)
    expect(call(answer, q_hat, np.zeros((0, 4)), np.zeros(0), 1.0), q_hat, {"nobody": np.zeros(4)}, "case-nobody")


def _solved(P: np.ndarray, r: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    return np.linalg.solve(P.T @ P + penalty, P.T @ r)  # (A6)


@cache
def _world() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Make a small world: its spectrograms, its features, and what the average spectrum predicts of the last 45 songs."""
    world = synthetic(20, 180, seconds=4.0, seed=14)
    spectrograms = world.spectrograms()
    average = SpectrumRidge().fit(spectrograms[:135], world.features[:135])
    return spectrograms, world.features, average.predict(spectrograms[135:])


@checks("08-audio-model", seconds=600)
def check_ear(answer: object, rng: np.random.Generator) -> None:
    """Check a class with fit and predict that predicts more than the average spectrum does."""
    model = build_layer(answer)
    spectrograms, features, average = _world()
    known, truth = features[:135], features[135:]
    raise_first({"no-model": not (hasattr(model, "fit") and hasattr(model, "predict"))})
    with answering():
        model.fit(spectrograms[:135], known.copy())
    predicted = numbers(call(model.predict, spectrograms[135:]), truth.shape)
    raise_first({"shape": predicted.shape != (45, 7) or not np.isfinite(predicted).all()}, got=predicted.shape)
    R2, level = 1 - np.square([predicted - truth, average - truth]).mean(axis=1) / truth.var(axis=0)
    learnt = 1 - np.square(numbers(call(model.predict, spectrograms[:135]), known.shape) - known).mean() / known.var()
    deaf = [name for name, value in zip(FEATURES, R2) if value < 0.4]
    if R2.mean() < level.mean() + 0.2:
        faults = {
            "same": predicted.std(axis=0).max() < 1e-6, "by-heart": learnt > 0.9 and R2.mean() < 0.3,
            "average": abs(R2.mean() - level.mean()) < 0.02, "deaf": bool(deaf), "dull": True,
        }
        score = Wrong("score", mine=R2.mean(), theirs=level.mean())
        raise_first(faults, score=score, learnt=learnt, deaf=", ".join(deaf))
