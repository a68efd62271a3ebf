"""The exercises of notebook 07: a frame's spectrum, the mel scale, the logarithm, and how fast a song is."""

from functools import lru_cache

import numpy as np

from acai.audio import log_mel
from acai.datasets.synthetic import RATE, render
from acai.reference import sound as loops
from acai.teaching.exercises import Wrong, task
from acai.teaching.exercises.judging import asked, judge


@task("07-frame", 20)
def frame(answer: object) -> None:
    """The power spectrum of one frame (A1).

    Put window // 2 zeros before x and enough behind it: then frame t is `padded[t * hop : t * hop + window]`.
    Hann's window is `0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)`. Multiply the frame by it.
    `np.abs(np.fft.rfft(…)) ** 2` is the power of the frequencies 0 … window / 2.
    """
    rng, every_frequency = np.random.default_rng(7), np.eye(17).tolist()
    for n, hop, t in ((200, 16, 5), (150, 10, 0), (150, 10, 15), (120, 32, 2)):
        x = rng.normal(size=n)
        right = np.array(loops.mel_power(x.tolist(), every_frequency, 32, hop))[:, t]
        padded = np.concatenate([np.zeros(16), x, np.zeros(48)])
        w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(32) / 32)
        cut, late = padded[t * hop : t * hop + 32], padded[t * hop + 16 : t * hop + 48]
        X, spectrum = np.fft.rfft(w * cut), lambda piece: np.abs(np.fft.rfft(piece)) ** 2
        judge(asked(answer, x, t, 32, hop), right, {
            "the frame is not faded in and out: multiply it by Hann's window.": spectrum(cut),
            "the frame *begins* at t · hop. It is centred there: it begins half a window earlier.": spectrum(w * late),
            "the frame begins at t · hop and is not faded in and out. Two things are left to do.": spectrum(late),
            "that is the amplitude |X|; the power is its square.": np.abs(X),
            "`np.hanning` ends with a 0 on both sides, for it divides by window − 1. Hann's window here divides by window.":
                spectrum(np.hanning(32) * cut),
            "that is the square of the real part alone. |X|² is real² + imag².": X.real**2,
            "those are all `window` frequencies, and the upper half mirrors the lower. `np.fft.rfft` gives the lower.":
                np.abs(np.fft.fft(w * cut)) ** 2,
        }, f"{n} samples, frame {t}, a window of 32 and a hop of {hop}")  # fmt: skip


@task("07-mel", 15)
def mel(answer: object) -> None:
    """The mel scale, for an array.

    Two pieces: f / (200 / 3) below 1,000 Hz; above, 15 + 27 · (how many factors of 6.4 lie between 1,000 Hz and f).
    How many factors of 6.4 are in a ratio? log(ratio) / log(6.4).
    `np.where(f < 1000, lower, upper)` chooses, but computes both: keep log away from 0 with `np.maximum(f, 1000)`.
    """
    for f in (np.array([1500.0, 4000, 11025]), np.array([0.0, 60, 440, 999, 1000, 1001, 6400])):
        low, ratio = f / (200 / 3), np.log(np.maximum(f, 1) / 1000)
        with np.errstate(all="ignore"):
            value = asked(answer, f)
        judge(value, np.where(f < 1000, low, 15 + 27 * ratio / np.log(6.4)), {
            "above 1,000 Hz steps are ratios, not differences: 15 + 27 · log(f / 1000) / log 6.4.": low,
            "that is another mel scale, HTK's 2595 · log₁₀(1 + f / 700). Slaney's is asked for, as librosa has it.":
                2595 * np.log10(1 + f / 700),
            "27 mel are a factor of 6.4, not of e: divide the logarithm by log 6.4.": np.where(f < 1000, low, 15 + 27 * ratio),
            "the upper part has to begin where the lower one ends, at 15 mel.": np.where(f < 1000, low, 27 * ratio / np.log(6.4)),
            "you take the logarithm below 1,000 Hz, too. There a mel is just 200/3 Hz.": 15 + 27 * ratio / np.log(6.4),
            "for 0 Hz it takes the logarithm of 0. Below 1,000 Hz there is no logarithm.": np.nan,
        }, f"f = {f.tolist()} Hz")  # fmt: skip


@task("07-log", 5)
def log(answer: object) -> None:
    """The logarithm (A2).

    Read the formula from the inside: first C · S, then 1 + that, then the logarithm.
    `np.log` is the natural logarithm; `np.log1p(x)` is log(1 + x), and exact where x is tiny.
    """
    S = np.random.default_rng(9).exponential(1e-3, (4, 6))
    for C in (10_000.0, 100.0):
        judge(asked(answer, S, C), np.log1p(C * S), {
            "the 1 is missing: without it silence lies at −∞.": np.log(C * S),
            "C does not go before the logarithm, but into it, with S.": C * np.log1p(S),
            "C is missing: powers are far below 1, and without it their logarithm hardly differs from them.": np.log1p(S),
            "that is the logarithm to base 10. (A2) has the natural one, `np.log`.": np.log10(1 + C * S),
            "those are decibels. (A2) has the natural logarithm of 1 + C · S.": 10 * np.log10(np.maximum(S, 1e-10)),
            "C is added where it should multiply.": np.log(1 + C + S),
            "it always takes C = 10,000; use the C that it is given.": np.log1p(10_000 * S),
        }, f"C = {C}")  # fmt: skip


@lru_cache(maxsize=1)
def _songs() -> tuple[list[np.ndarray], np.ndarray]:
    """Spectrograms of sixteen songs, and their chords a minute."""
    rng = np.random.default_rng(10)
    features = rng.uniform(-1, 1, (16, 7))
    return [log_mel((render(z, 6.0, rng), RATE)) for z in features], 80 * 2.5 ** ((features[:, 3] + 1) / 2)


@task("07-tempo", 120)
def tempo(answer: object) -> None:
    """Tell a song's tempo from its spectrogram.

    When does it get louder? `np.maximum(np.diff(S, axis=1), 0).sum(axis=0)` is high where something is struck.
    Is that row of numbers like itself, moved by so many frames? Or: which frequency is strong in its Fourier transform?
    A beat shows at its multiples as well: add up the strength at k · tempo for k = 1, 2, 3, 4, and take the best tempo.
    Frames are coarse. `np.fft.rfft(onset, 16384)` appends zeros, and so gives a finer grid of frequencies.
    """
    spectrograms, truth = _songs()
    told = np.array([float(asked(answer, S)) for S in spectrograms])
    if not (np.isfinite(told).all() and (told > 0).all()):
        raise Wrong("for some songs it tells no number above 0.")
    near = lambda unit, tolerance=0.04: float(np.mean(np.abs(told / (unit * truth) - 1) <= tolerance))
    if near(1) >= 0.75:
        return
    score = f"it is within 4 % for {near(1):.0%} of the songs, not 75 %."
    if told.std() < 0.02 * told.mean():
        raise Wrong(f"{score} It says nearly the same of every song, about {told.mean():.0f}: does it look at S at all?")
    for hint, values, expected in (
        ("It tells chords a *second*: multiply by 60.", told, truth / 60),
        ("It tells how many *seconds* a chord lasts: divide 60 by it.", told, 60 / truth),
        ("It tells how many *frames* a chord lasts: one frame is 512/22050 s.", told, 60 / truth * RATE / 512),
        ("It often tells twice as much as there is: a regular beat is strong at its multiples, too. Ask only for 80 to 200.",
         told, 2 * truth),
        ("It often tells half as much as there is: what comes again after one beat comes again after two.", told, truth / 2),
    ):  # fmt: skip
        if np.mean(np.abs(values / expected - 1) < 0.1) > 0.4:
            raise Wrong(f"{score} {hint}")
    if near(1, 0.09) > near(1) + 0.2:
        raise Wrong(
            f"{score} Within 9 % it is {near(1, 0.09):.0%}: the right beat, told too coarsely. At 200 a minute a beat is 12.9 "
            "frames long, and the next whole number is 8 % away: look between the frames."
        )
    raise Wrong(f"{score} Begin with how much louder it gets from frame to frame; then ask when it repeats.")
