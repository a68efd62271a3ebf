"""Odd spectrograms, factors and samples with odd settings: every content model gives finite numbers or an InputError."""

import math
from pathlib import Path

import numpy as np

from acai.audio import log_mel, mfcc
from acai.content import AudioToFactors, BagOfWords, Ridge, SpectrumRidge
from acai.content.classify import SoundClassifier
from acai.content.windows import Augmentation

from . import material
from .ledger import Driver, Fault
from .trial import attempt

SPECTROGRAMS = {
    "usual": lambda rng: material.spectrograms(8),
    "float16": lambda rng: [S.astype(np.float16) for S in material.spectrograms(8)],
    "all zero": lambda rng: [np.zeros((8, 20), np.float32)] * 8,
    "a constant band": lambda rng: [np.vstack([S[:7], np.ones((1, 24), np.float32)]) for S in material.spectrograms(8)],
    "huge": lambda rng: [S * np.float32(1e30) for S in material.spectrograms(8)],
    "tiny": lambda rng: [S * np.float32(1e-40) for S in material.spectrograms(8)],
    "NaN": lambda rng: [S * np.nan for S in material.spectrograms(8)],
    "infinite": lambda rng: [S / 0.0 for S in np.ones((8, 8, 20))],
    "float64": lambda rng: [rng.normal(size=(8, 20)) * 1e200 for _ in range(8)],
    "integers": lambda rng: [rng.integers(0, 9, (8, 20)) for _ in range(8)],
    "complex": lambda rng: [S * 1j for S in material.spectrograms(8)],
    "few": lambda rng: material.spectrograms(3),
    "none": lambda rng: [],
    "one dimension": lambda rng: [np.ones(20, np.float32)] * 8,
    "lengths differ": lambda rng: [np.ones((8, n), np.float32) * n for n in range(12, 28, 2)],
    "bands differ": lambda rng: [np.ones((n, 20), np.float32) for n in range(8, 16)],
}
FACTORS = {
    "usual": lambda rng, n: rng.normal(size=(n, 3)),
    "a constant column": lambda rng, n: np.hstack([rng.normal(size=(n, 2)), np.ones((n, 1))]),
    "constant": lambda rng, n: np.ones((n, 3)),
    "zero": lambda rng, n: np.zeros((n, 3)),
    "huge": lambda rng, n: rng.normal(size=(n, 3)) * 1e38,
    "tiny": lambda rng, n: rng.normal(size=(n, 3)) * 1e-42,
    "NaN": lambda rng, n: np.full((n, 3), np.nan),
    "complex": lambda rng, n: rng.normal(size=(n, 3)) * 1j,
    "no columns": lambda rng, n: np.zeros((n, 0)),
    "another length": lambda rng, n: np.ones((n + 1, 3)),
    "one dimension": lambda rng, n: np.ones(n),
}
NUMBERS = (
    0, 1, 2, 1.5, -1, 0.5, 1e-300, 1e-12, 1e-3, 1e6, 1e300, 1 - 1e-9, math.inf, math.nan, None, "3", True, 10**12, np.float32(0.1),
)
RATES = (8000, 22050, 0, -1, 1, 1e-3, 1e9, math.nan, math.inf, "8000", None, 8000.5)
NETWORK = ("n_epochs", "width", "batch_size", "learning_rate", "momentum", "weight_decay", "patience", "seed", "validation")


def prepare(folder: Path) -> None:
    """Nothing is shared."""


def settings(rng: np.random.Generator, names: tuple[str, ...]) -> dict[str, object]:
    """None to two settings with odd values."""
    chosen = rng.permutation(names)[: int(rng.integers(0, 3))].tolist()
    found = {name: NUMBERS[int(rng.integers(len(NUMBERS)))] for name in chosen}
    if found.get("n_epochs") in (1e6, 10**12):
        found["n_epochs"] = 30  # that many epochs are no fault; they only take long
    return found


def audio_network(rng: np.random.Generator, S: list, Q: np.ndarray) -> tuple[str, object]:
    """An `AudioToFactors` with odd settings, and what it predicts."""
    odd = {"width": 12, "n_epochs": 2, "batch_size": 3} | settings(rng, NETWORK)
    with_augmentation = rng.random() < 0.3
    masks = tuple(NUMBERS[int(rng.integers(len(NUMBERS)))] for _ in range(3))

    def run():
        augment = Augmentation(*masks) if with_augmentation else None
        model = AudioToFactors(material.network() if Q.ndim == 2 and Q.shape[1] == 3 else None, augment=augment, **odd).fit(S, Q)
        return [model.predict(S), np.array(model.history, dtype=float)]

    return f"AudioToFactors({odd}, augment={masks if with_augmentation else None})", run


def classifier(rng: np.random.Generator, S: list, Q: np.ndarray) -> tuple[str, object]:
    """A `SoundClassifier` with odd settings and classes."""
    odd = {"width": 20, "n_epochs": 1, "batch_size": 4, "windows": 2} | settings(rng, (*NETWORK[:-1], "windows"))
    n = np.arange(len(S))
    classes = [n % 2, np.zeros(len(S), int), n - 1, n * 0.5, np.arange(3)][int(rng.integers(5))]
    return f"SoundClassifier({odd}) of {classes}", lambda: SoundClassifier(**odd).fit(S, classes).predict(S)


def ridge(rng: np.random.Generator, S: list, Q: np.ndarray) -> tuple[str, object]:
    """A ridge model on some description of the songs."""
    X = S[0] if S else np.zeros((0, 3))
    makers = {
        "SpectrumRidge()": lambda: SpectrumRidge().fit(S, Q).predict(S),
        "SpectrumRidge(spread=True)": lambda: SpectrumRidge(spread=True).fit(S, Q).predict(S),
        "BagOfWords(n_words=4, n_mfcc=3)": lambda: BagOfWords(n_words=4, n_mfcc=3).fit(S, Q).predict(S),
        "Ridge": lambda: Ridge().fit(X, Q).predict(X),
    }
    name = list(makers)[int(rng.integers(len(makers)))]
    return name, makers[name]


def features(rng: np.random.Generator, S: list, Q: np.ndarray) -> tuple[str, object]:
    """Features of odd samples with odd settings."""
    t = np.arange(int(rng.choice([0, 1, 500, 6000])))
    tone = np.sin(t / 9)
    samples = [
        tone, tone * 1e30, tone * 1e-38, tone * 0, tone * np.nan, (t % 3).astype(np.int16), tone[:, None] * np.ones((1, 3)),
        t.astype(np.uint8), t * 1j, t > 3, t.astype(str), np.ones((3, 3, 3)),
    ]
    x, rate = samples[int(rng.integers(len(samples)))], RATES[int(rng.integers(len(RATES)))]
    names = ("sample_rate", "window", "hop", "n_mels", "f_min", "f_max")
    function, more = (log_mel, "C") if rng.random() < 0.6 else (mfcc, "n_mfcc")
    usual = {"n_mels": 4, "sample_rate": 8000, "f_max": 4000.0, "window": 256, **({"n_mfcc": 3} if more == "n_mfcc" else {})}
    odd = usual | settings(rng, (*names, more))
    return f"{function.__name__}({x.dtype}{x.shape}, rate {rate}, {odd})", lambda: function((x, rate), **odd)


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """One content model, or the features themselves, with odd settings on odd data."""
    maker = (audio_network, ridge, features, classifier)[n % 4]
    kind, factors = (list(names)[int(rng.integers(len(names)))] for names in (SPECTROGRAMS, FACTORS))
    if rng.random() < 0.4:
        kind = "usual"
    if rng.random() < 0.5:
        factors = "usual"
    with np.errstate(all="ignore"):
        S = SPECTROGRAMS[kind](rng)
        Q = FACTORS[factors](rng, len(S))
        label, run = maker(rng, S, Q)
        label += "" if maker is features else f" on {kind} spectrograms, {factors} factors"
        print(label, flush=True)  # what is shown of a case that hangs or crashes
        trial = attempt(label, run)
    if not trial.succeeded:
        return list(trial.faults)
    values = trial.value if isinstance(trial.value, list) else [trial.value]
    if all(np.isfinite(np.asarray(value)).all() for value in values):
        return []
    return [Fault("silent", f"{label}: not finite")]


ODD_SOUND = Driver(
    "odd-sound", "odd sounds and spectrograms with odd settings", "combinations", prepare, case, limit=20, memory=2**32, share=0.4,
)
